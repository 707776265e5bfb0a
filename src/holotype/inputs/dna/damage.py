"""Damage of barcodes for training: what further specimens, reads and labs do to a sequence.

Sequences arrive cleaned: upper case, without gaps, IUPAC letters only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from holotype.errors import RecipeError
from holotype.inputs.dna.letters import IUPAC_BASES, reverse_complement
from holotype.media.primers import PRIMERS

_N = ord("N")
_LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


@dataclass(frozen=True, kw_only=True, slots=True)
class BarcodeDamage:
    """What happens to a barcode in training; each kind is drawn anew for each sequence.

    Attributes:
        trim_bp: Most bases lost at each end (uniform from 0), as primers and quality trimming do.
        window_probability: Probability of keeping only a random window, a mini-barcode.
        window_bp: Shortest such window (uniform up to the whole length); shorter ones stay whole.
        primer_probability: Probability, at each end, of a common primer left on.
        substitution_rate: Probability of each base being replaced by a random one of A, C, G, T.
        ambiguous_rate: Mean share of bases replaced by N; the share itself is exponential, so
            that most sequences have few and some have many.
        run_probability: Probability of a run of N, as where the signal of a read is lost.
        run_bp: Longest such run (uniform from 1).
        deletion_rate: Probability of each base being lost.
        insertion_rate: Probability of a random base after each base.
        reverse_probability: Probability of the opposite strand.
    """

    trim_bp: int = 20
    window_probability: float = 0.2
    window_bp: int = 150
    primer_probability: float = 0.0
    substitution_rate: float = 0.01
    ambiguous_rate: float = 0.005
    run_probability: float = 0.0
    run_bp: int = 30
    deletion_rate: float = 0.001
    insertion_rate: float = 0.001
    reverse_probability: float = 0.0

    def __post_init__(self) -> None:
        """Refuse rates outside [0, 1] and lengths without meaning (RecipeError)."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith(("_rate", "_probability")) and not 0.0 <= value <= 1.0:
                raise RecipeError(f"{field.name} is {value}; must be in [0, 1].")
        for name, least in (("trim_bp", 0), ("window_bp", 1), ("run_bp", 1)):
            if getattr(self, name) < least:
                raise RecipeError(f"{name} is {getattr(self, name)}; must be at least {least}.")


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
    if not sequence:
        return sequence
    start, end = _kept_window(len(sequence), damage, generator)
    read = _with_primers(sequence[start:end], damage, generator)
    letter_L = np.frombuffer(read.encode("ascii"), dtype=np.uint8).copy()
    is_substituted_L = generator.random(len(letter_L)) < damage.substitution_rate
    letter_L[is_substituted_L] = _random_letters(int(is_substituted_L.sum()), generator)
    ambiguous_share = damage.ambiguous_rate * generator.exponential()
    letter_L[generator.random(len(letter_L)) < ambiguous_share] = _N
    if generator.random() < damage.run_probability:
        length = int(generator.integers(1, min(damage.run_bp, len(letter_L)) + 1))
        first = int(generator.integers(0, len(letter_L) - length + 1))
        letter_L[first : first + length] = _N
    if damage.deletion_rate > 0.0:
        letter_L = letter_L[generator.random(len(letter_L)) >= damage.deletion_rate]
    if damage.insertion_rate > 0.0:
        after = np.flatnonzero(generator.random(len(letter_L)) < damage.insertion_rate) + 1
        letter_L = np.insert(letter_L, after, _random_letters(len(after), generator))
    corrupted = letter_L.tobytes().decode("ascii")
    if generator.random() < damage.reverse_probability:
        return reverse_complement(corrupted)
    return corrupted


def _random_letters(count: int, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    return _LETTERS[generator.integers(0, 4, size=count)]


def _with_primers(read: str, damage: BarcodeDamage, generator: np.random.Generator) -> str:
    """The read with a common primer before it, after it, both or none; degenerate bases are drawn."""
    has_start, has_end = generator.random(2) < damage.primer_probability
    start, end = generator.integers(0, len(PRIMERS), size=2)
    if has_start:
        read = _drawn(PRIMERS[start].nucleotides, generator) + read
    if has_end:
        read += reverse_complement(_drawn(PRIMERS[end].nucleotides, generator))
    return read


def _drawn(nucleotides: str, generator: np.random.Generator) -> str:
    choices = [IUPAC_BASES[letter] for letter in nucleotides]
    picked = generator.random(len(choices))
    return "".join(b[int(p * len(b))] for b, p in zip(choices, picked, strict=True))


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
