"""DNA barcodes to tensors: soft bases for the DNA tower, and damage for its training.

Sequences arrive cleaned: upper case, without gaps, IUPAC letters only. Not here: cleaning and
quality (`holotype.media.barcodes`), k-mer counts (`holotype.media.kmers`) and the tower.

Shape legend: B records, L bases, 4 = A, C, G, T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
_N = ord("N")
_LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class BarcodeDamage:
    """What happens to a barcode in training; each kind is drawn anew for each sequence.

    Attributes:
        trim_bp: Most bases lost at each end (uniform from 0), as primers and quality trimming do.
        window_probability: Probability of keeping only a random window, a mini-barcode.
        window_bp: Shortest such window (uniform up to the whole length); shorter ones stay whole.
        substitution_rate: Probability of each base being replaced by a random one of A, C, G, T.
        ambiguous_rate: Mean share of bases replaced by N; the share itself is exponential, so
            that most sequences have few and some have many.
        deletion_rate: Probability of each base being lost.
        reverse_probability: Probability of the opposite strand.
    """

    trim_bp: int = 20
    window_probability: float = 0.2
    window_bp: int = 150
    substitution_rate: float = 0.01
    ambiguous_rate: float = 0.005
    deletion_rate: float = 0.001
    reverse_probability: float = 0.0

    def __post_init__(self) -> None:
        """Refuse rates outside [0, 1] and lengths without meaning (RecipeError)."""
        for name in (
            "window_probability",
            "substitution_rate",
            "ambiguous_rate",
            "deletion_rate",
            "reverse_probability",
        ):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise RecipeError(f"{name} is {value}; must be in [0, 1].")
        if self.trim_bp < 0 or self.window_bp < 1:
            raise RecipeError(
                f"trim_bp is {self.trim_bp} and window_bp {self.window_bp}; "
                f"must be at least 0 and at least 1."
            )


def corrupt_barcodes(
    sequences: Sequence[str], *, damage: BarcodeDamage, generator: np.random.Generator
) -> list[str]:
    """Damaged copies of the barcodes, in order, as further specimens and labs might read them.

    Trimming and windows never take the last `damage.window_bp` bases; an empty sequence stays
    empty. The same generator state gives the same copies.

    Reference: Meusnier et al., 2008, "A universal DNA mini-barcode for biodiversity analysis",
    doi:10.1186/1471-2164-9-214 (windows). The other kinds and all rates are ours.

    Args:
        sequences: Cleaned barcodes.
        damage: Kinds and rates.
        generator: Source of randomness.
    """
    return [_corrupt(sequence, damage, generator) for sequence in sequences]


def _corrupt(sequence: str, damage: BarcodeDamage, generator: np.random.Generator) -> str:
    start, end = _kept_window(len(sequence), damage, generator)
    letter_L = np.frombuffer(sequence[start:end].encode("ascii"), dtype=np.uint8).copy()
    num_bases = len(letter_L)
    is_substituted_L = generator.random(num_bases) < damage.substitution_rate
    num_substituted = int(is_substituted_L.sum())
    letter_L[is_substituted_L] = _LETTERS[generator.integers(0, 4, size=num_substituted)]
    ambiguous_share = damage.ambiguous_rate * generator.exponential()
    letter_L[generator.random(num_bases) < ambiguous_share] = _N
    if damage.deletion_rate > 0.0:
        letter_L = letter_L[generator.random(num_bases) >= damage.deletion_rate]
    corrupted = letter_L.tobytes().decode("ascii")
    if generator.random() < damage.reverse_probability:
        return reverse_complement(corrupted)
    return corrupted


def _kept_window(
    num_bases: int, damage: BarcodeDamage, generator: np.random.Generator
) -> tuple[int, int]:
    shortest = min(damage.window_bp, num_bases)
    if generator.random() < damage.window_probability:
        length = int(generator.integers(shortest, num_bases + 1))
        start = int(generator.integers(0, num_bases - length + 1))
        return start, start + length
    # Both ends share what may be lost, so that `shortest` bases remain.
    most = min(damage.trim_bp, (num_bases - shortest) // 2)
    lost_left, lost_right = generator.integers(0, most + 1, size=2)
    return int(lost_left), num_bases - int(lost_right)
