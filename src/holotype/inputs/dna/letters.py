"""Letters of DNA barcodes to soft bases, and the opposite strand.

Sequences arrive cleaned: upper case, without gaps, IUPAC letters only. Not here: cleaning and
quality (`holotype.media.barcodes`), k-mer counts (`holotype.media.kmers`) and the tower.

Shape legend: B records, L bases, 4 = A, C, G, T.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holotype.errors import MediaError, RecipeError

# Cornish-Bowden, 1985, "Nomenclature for incompletely specified bases in nucleic acid
# sequences", doi:10.1093/nar/13.9.3021.
IUPAC_BASES: dict[str, str] = {
    "A": "A",
    "C": "C",
    "G": "G",
    "T": "T",
    "U": "T",
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "ACGT",
}
_COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN")


def _base_table() -> npt.NDArray[np.float32]:
    table_256_4 = np.zeros((256, 4), dtype=np.float32)
    for letter, bases in IUPAC_BASES.items():
        for base in bases:
            table_256_4[ord(letter), "ACGT".index(base)] = 1.0 / len(bases)
    return table_256_4


_BASE_TABLE = _base_table()


def encode_barcodes(
    sequences: Sequence[str], *, max_bp: int, pad_to_bp: int = 1
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Soft bases (B, L, 4) float32 and their mask (B, L) bool, True on bases.

    The last axis is A, C, G, T and sums to 1 on a base: one-hot for a certain base, equal shares
    for an ambiguity code (R = 0.5 A, 0.5 G; N = 0.25 each). Records are padded on the right with
    zeros to the longest of them, at least `pad_to_bp`. A sequence longer than `max_bp` keeps its first
    `max_bp` bases; an empty one is all padding.

    Reference: Cornish-Bowden, 1985, doi:10.1093/nar/13.9.3021 (the letters). The equal shares
    are ours.

    Args:
        sequences: Cleaned barcodes.
        max_bp: Most bases kept of one sequence, at least 1.
        pad_to_bp: Least L; a fixed one makes the shape the same whatever the batch holds.

    Raises:
        MediaError: If a sequence holds a letter outside the IUPAC table; names row and position.

    Example:
        >>> base_BL4, mask_BL = encode_barcodes(["AR", "T"], max_bp=660)
        >>> base_BL4[0].tolist(), mask_BL.tolist()
        ([[1.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]], [[True, True], [True, False]])
    """
    if max_bp < 1:
        raise RecipeError(f"max_bp is {max_bp}; must be at least 1.")
    kept = [sequence[:max_bp] for sequence in sequences]
    length_B = np.fromiter((len(s) for s in kept), dtype=np.int64, count=len(kept))
    longest = max(int(length_B.max(initial=0)), pad_to_bp)
    mask_BL = np.arange(longest) < length_B[:, None]
    letter = np.frombuffer("".join(kept).encode("latin-1", errors="replace"), dtype=np.uint8)
    base = _BASE_TABLE[letter]
    is_unknown = base[:, 0] + base[:, 1] + base[:, 2] + base[:, 3] == 0
    if is_unknown.any():
        end_B = np.cumsum(length_B)
        first = int(is_unknown.argmax())
        row = int(np.searchsorted(end_B, first, side="right"))
        position = first - int(end_B[row] - length_B[row])
        raise MediaError(
            f"sequence {row}, base {position + 1}: found {kept[row][position]!r}; expected one of "
            f"{''.join(IUPAC_BASES)}. Clean the sequences first: upper case, no gaps."
        )
    base_BL4 = np.zeros((len(kept), longest, 4), dtype=np.float32)
    base_BL4[mask_BL] = base
    return base_BL4, mask_BL


def reverse_complement(sequence: str) -> str:
    """The opposite strand, read in its own direction; ambiguity codes are complemented too.

    Example:
        >>> reverse_complement("AACR")
        'YGTT'
    """
    return sequence.translate(_COMPLEMENT)[::-1]
