"""Barcodes -> the k-mer tokens of BarcodeBERT and CLIBD, as published.

Windows do not overlap and start at the first base, so one lost base changes every token after it; a window
that is not of A, C, G and T in capitals is the unknown token. Nothing is mended here: the published towers
were trained on these tokens.

Shapes: B barcodes, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from holotype.errors import RecipeError

CLIBD_SPECIALS = ("<MASK>", "<CLS>", "<UNK>")
BARCODEBERT_SPECIALS = ("<MASK>", "<UNK>")
PUBLISHED_BP = 660
"""Bases that both publications read of a barcode; shorter ones are filled up with N."""


@dataclass(frozen=True)
class KmerTokens:
    """A way of cutting barcodes into tokens.

    Reference: Millan Arias et al. 2023, arXiv 2311.02401 (BarcodeBERT); Gong et al. 2024, arXiv 2405.17537
    (CLIBD).

    Attributes:
        k: bases of a token, and between the starts of two.
        specials: the tokens before the k-mers; the last one stands for what is unknown.
        max_bp: bases read of one barcode.
        first: an id put before all others; CLIBD puts 0, which is the mask's id.
    """

    k: int
    specials: tuple[str, ...]
    max_bp: int = PUBLISHED_BP
    first: int | None = None

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return len(self.specials) + int(4**self.k)

    @property
    def length(self) -> int:
        """Tokens of a barcode, T."""
        return self.max_bp // self.k + (self.first is not None)

    @property
    def mask(self) -> int:
        """The id of the token that hides others: the first of both publications."""
        return 0

    @property
    def unknown(self) -> int:
        """The id of the unknown token."""
        return len(self.specials) - 1

    @cached_property
    def _ids(self) -> dict[str, int]:
        kmers = ("".join(letters) for letters in product("ACGT", repeat=self.k))
        return {kmer: number for number, kmer in enumerate(kmers, start=len(self.specials))}

    def tokenise(self, barcodes: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns ids and mask, int64 (B, T) each; the mask is 1 on windows that the barcode fills."""
        ids, mask = [], []
        for barcode in barcodes:
            filled = barcode[: self.max_bp].ljust(self.max_bp, "N")
            starts = range(0, self.max_bp - self.k + 1, self.k)
            found = [self._ids.get(filled[i : i + self.k], self.unknown) for i in starts]
            whole = min(len(barcode), self.max_bp) // self.k
            before = [] if self.first is None else [self.first]
            ids.append(before + found)
            mask.append([1] * (len(before) + whole) + [0] * (len(found) - whole))
        shape = (len(barcodes), self.length)
        return (
            np.asarray(ids, dtype=np.int64).reshape(shape),
            np.asarray(mask, dtype=np.int64).reshape(shape),
        )


def tokens_for(vocabulary: int, *, max_bp: int, where: str) -> KmerTokens:
    """Returns the published way of cutting for a number of ids.

    Raises:
        RecipeError: for a number that no published tokeniser has.
    """
    for specials in (BARCODEBERT_SPECIALS, CLIBD_SPECIALS):
        for k in range(2, 9):
            if vocabulary == len(specials) + 4**k:
                return KmerTokens(k, specials, max_bp)
    raise RecipeError(
        f"{where}: {vocabulary:,} ids are neither 4^k k-mers and 2 specials nor 4^k and 3, so its tokens "
        "are not those of BarcodeBERT."
    )
