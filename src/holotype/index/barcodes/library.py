"""A library of reference barcodes, each sequence once, ready to be searched.

Place in the path: made from the barcodes of a collection's records, or loaded from a folder by ``storage``;
``search`` then compares queries with it.

Shape legend: R given rows, H different sequences (haplotypes), N references: each haplotype once for each
species that has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.errors import MediaError
from holotype.index.barcodes.masks import Masks, joined, masks_of, tidy
from holotype.index.barcodes.rare import RareWords, rare_words_of
from holotype.index.barcodes.strand import certainly_turned
from holotype.index.barcodes.words import Seeds, counts_of_four, seeds_of

MANY = 200_000
"""From so many haplotypes on candidates are found by rare words instead of a scan of all counts."""
UNKNOWN = -1


@dataclass(frozen=True)
class References:
    """Who has which haplotype, ordered by haplotype.

    Attributes:
        haplotype_N: int64, the haplotype of each reference, ascending.
        species_N: int64, its species (or group) code; -1 where it is not known.
        row_N: int64, the first given row of this haplotype and species.
        records_N: int64, how many rows have both.
        start_H: int64 (H + 1,), where each haplotype's references begin.
    """

    haplotype_N: NDArray[np.int64]
    species_N: NDArray[np.int64]
    row_N: NDArray[np.int64]
    records_N: NDArray[np.int64]
    start_H: NDArray[np.int64]


@dataclass(frozen=True)
class BarcodeLibrary:
    """Reference barcodes, each haplotype once and on one strand.

    Attributes:
        sequences: the H haplotypes.
        count_HW: uint8 (H, 256), words of four bases.
        seeds: every eighth word of eight bases of each.
        rare: where each rare word of twelve bases occurs; None in a small library.
        references: who has them.
        species_H: int64, the species of each haplotype (that with most records); -1 where none is known.
        turned_H: bool, which haplotypes were given on the other strand than most.
        left_out: given rows that are no barcodes, and why.
    """

    sequences: Masks
    count_HW: NDArray[np.uint8]
    seeds: Seeds
    rare: RareWords | None
    references: References
    species_H: NDArray[np.int64]
    turned_H: NDArray[np.bool_]
    left_out: tuple[tuple[int, str], ...]

    @staticmethod
    def of(
        barcodes: Sequence[str | None],
        *,
        species_N: Sequence[int | None] | NDArray[np.int64] | None = None,
        many: int = MANY,
    ) -> "BarcodeLibrary":
        """Returns a library of these barcodes.

        A barcode that is missing or no nucleotides is left out and listed. One that is certainly on the other
        strand than most is turned.

        Args:
            barcodes: nucleotides with IUPAC codes; gaps are removed, case does not matter.
            species_N: a code of each barcode's species, or of whatever group the gap shall be told to.
            many: from how many haplotypes on rare words find the candidates.

        Raises:
            ValueError: when there are not as many codes as barcodes.
        """
        code_R = species_codes(species_N, len(barcodes))
        number_of: dict[str, int] = {}
        left_out: list[tuple[int, str]] = []
        haplotype_R = np.full(len(barcodes), UNKNOWN, np.int64)
        for row, barcode in enumerate(barcodes):
            sequence = tidy(barcode or "")
            if sequence:
                haplotype_R[row] = number_of.setdefault(sequence, len(number_of))
            else:
                left_out.append((row, "no barcode"))
        sequences, wrong = _clean(list(number_of))
        if wrong:
            left_out += [
                (row, wrong[haplotype])
                for row, haplotype in enumerate(haplotype_R.tolist())
                if haplotype in wrong
            ]
            kept = np.ones(len(number_of) + 1, np.bool_)
            kept[[*wrong, UNKNOWN]] = False
            haplotype_R = np.append(np.cumsum(kept) - 1, UNKNOWN)[
                np.where(kept[haplotype_R], haplotype_R, UNKNOWN)
            ]
        return library_of_haplotypes(sequences, haplotype_R, code_R, tuple(sorted(left_out)), many)

    def __len__(self) -> int:
        """Returns the number of references."""
        return len(self.references.row_N)


def species_codes(
    species_N: Sequence[int | None] | NDArray[np.int64] | None, number: int
) -> NDArray[np.int64]:
    """Returns codes as int64 (N,), -1 where there is none.

    Raises:
        ValueError: when there are not as many codes as barcodes.
    """
    if species_N is None:
        return np.full(number, UNKNOWN, np.int64)
    if len(species_N) != number:
        raise ValueError(f"{len(species_N)} species codes for {number} barcodes; give one each.")
    if isinstance(species_N, np.ndarray):
        return species_N.astype(np.int64)
    return np.array([UNKNOWN if code is None else code for code in species_N], np.int64)


def _clean(texts: list[str]) -> tuple[Masks, dict[int, str]]:
    """Returns the masks of the sequences that are nucleotides, and what is wrong with the others."""
    try:
        return masks_of(texts), {}
    except MediaError:
        wrong: dict[int, str] = {}
        good = []
        for number, text in enumerate(texts):
            try:
                good.append(masks_of([text]).of(0))
            except MediaError as error:
                wrong[number] = str(error)
        return joined(good), wrong


def library_of_haplotypes(
    sequences: Masks,
    haplotype_R: NDArray[np.int64],
    code_R: NDArray[np.int64],
    left_out: tuple[tuple[int, str], ...] = (),
    many: int = MANY,
) -> BarcodeLibrary:
    """Returns a library of sequences that are different and bit masks already.

    Args:
        sequences: H of them.
        haplotype_R: int64, the sequence of each row; -1 for none.
        code_R: int64, the species code of each row; -1 for none.
        left_out: rows that are no barcodes, and why.
        many: from how many sequences on rare words find the candidates.
    """
    count_HW = counts_of_four(sequences)
    turned_H = certainly_turned(count_HW)
    if turned_H.any():
        other = sequences.turned()
        given = [
            (other if turned else sequences).of(number)
            for number, turned in enumerate(turned_H.tolist())
        ]
        sequences = joined(given)
        count_HW = counts_of_four(sequences)
    references = _references(haplotype_R, code_R, len(sequences))
    return BarcodeLibrary(
        sequences=sequences,
        count_HW=count_HW,
        seeds=seeds_of(sequences),
        rare=rare_words_of(sequences) if len(sequences) >= many else None,
        references=references,
        species_H=commonest_species(references),
        turned_H=turned_H,
        left_out=left_out,
    )


def _references(
    haplotype_R: NDArray[np.int64], code_R: NDArray[np.int64], haplotypes: int
) -> References:
    row_R = np.flatnonzero(haplotype_R >= 0)
    pair_R2 = np.stack([haplotype_R[row_R], code_R[row_R]], axis=1)
    order = np.lexsort((row_R, pair_R2[:, 1], pair_R2[:, 0]))
    pair_R2, row_R = pair_R2[order], row_R[order]
    is_first = np.ones(len(row_R), np.bool_)
    is_first[1:] = (pair_R2[1:] != pair_R2[:-1]).any(axis=1)
    first = np.flatnonzero(is_first)
    haplotype_N = pair_R2[first, 0]
    return References(
        haplotype_N=haplotype_N,
        species_N=pair_R2[first, 1],
        row_N=row_R[first],
        records_N=np.diff(np.append(first, len(row_R))),
        start_H=np.searchsorted(haplotype_N, np.arange(haplotypes + 1)),
    )


def commonest_species(references: References) -> NDArray[np.int64]:
    """Returns the species of each haplotype, int64 (H,): of those known, the one with most records."""
    known_N = references.species_N >= 0
    order = np.lexsort((-references.records_N * known_N, references.haplotype_N))
    first_H = references.start_H[:-1]
    species: NDArray[np.int64] = references.species_N[order][first_H]
    return species
