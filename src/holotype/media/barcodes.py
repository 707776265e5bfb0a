"""Letters as they come -> clean nucleotides, or one line that says what is wrong.

Place in the path: intake and prediction clean every barcode here. Reading frames, stop codons and strand
belong to quality control and identification, not here.
"""

import hashlib
import re
from dataclasses import dataclass

from holotype.errors import MediaError

IUPAC = frozenset("ACGTRYSWKMBDHVN")
"""The nucleotide code with ambiguity (Cornish-Bowden 1985, doi:10.1093/nar/13.9.3021)."""

PROTEIN_ONLY = frozenset("EFILPQZXJO*")
MAX_BP = 20_000
_GAPS = str.maketrans("", "", "-.~ \t\r\n")
_TO_DNA = str.maketrans({"U": "T", "?": "N"})


@dataclass(frozen=True)
class Barcode:
    """A barcode fit for use.

    Attributes:
        nucleotides: upper-case IUPAC letters, no gaps, no N at either end.
        ambiguous: how many of them are not A, C, G or T.
    """

    nucleotides: str
    ambiguous: int

    @property
    def haplotype(self) -> str:
        """A name of this exact sequence: the first 16 digits of its SHA-256."""
        return hashlib.sha256(self.nucleotides.encode()).hexdigest()[:16]


def clean_barcode(written: str) -> Barcode:
    """Returns a barcode without gaps and blanks, in capitals, U as T, "?" as N, outer N removed.

    >>> clean_barcode("--acgu?N-RTTG").nucleotides
    'ACGTNNRTTG'

    Raises:
        MediaError: when nothing is left, a letter is no nucleotide code (with its position, and
            whether it looks like a protein), all bases are ambiguous, or it is over ``MAX_BP``.
    """
    letters = written.translate(_GAPS).upper().translate(_TO_DNA).strip("N")
    if not letters:
        raise MediaError("barcode without a single base")
    if strange := re.search(r"[^ACGTRYSWKMBDHVN]", letters):
        foreign = sorted(set(letters) - IUPAC)
        protein = " (an amino-acid sequence?)" if PROTEIN_ONLY.intersection(foreign) else ""
        raise MediaError(
            f"letter '{strange.group()}' at base {strange.start() + 1} is no nucleotide{protein}"
        )
    if len(letters) > MAX_BP:
        raise MediaError(f"{len(letters):,} bp is longer than {MAX_BP:,} bp: not a barcode")
    ambiguous = sum(letters.count(letter) for letter in "RYSWKMBDHVN")
    if ambiguous == len(letters):
        raise MediaError("barcode without a single unambiguous base")
    return Barcode(letters, ambiguous)
