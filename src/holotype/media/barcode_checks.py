"""Whether a barcode is what its marker's barcodes are: strand, frame, stops, words, length, ambiguity.

Place in the path: ``learn_marker`` looks at a sample of a marker's barcodes once; ``check_barcodes`` then
compares any number of them with it, a block at a time.

Strand: words of six bases that are common on one strand and rare on the other; for markers that code for a
protein also codons in frame. The common strand is that of most barcodes, unless the marker codes and most are
open on the other one. No reference sequence is needed. Off-marker: the words are rarer in the marker than
chance would make them from the same bases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.media.reading_frames import (
    FEWEST_TO_LEARN,
    Readings,
    fewest_stops,
    learn_codon_use,
    read_frames,
)
from holotype.media.strands import (
    chance_of_words,
    means_of_words,
    other_strand_words,
    reverse_complement,
    word_logarithms,
)

CLEAR_STRAND = 0.2
"""Mean log-odds a word (nats) from which a strand is certain; real COI and 18S have 0.3 to 2.8."""
CLEAR_CODONS = 10.0
"""Sum of log-odds of the codons (nats) from which a strand is certain; real COI: 18 and more."""
SHIFT_GAIN, SHIFT_GAIN_WITH_STOPS = 20.0, 10.0
"""Gain (nats) of one change of frame from which it is a suspect; sound COI of 568 orders: one above 17."""
OFF_MARKER = -0.8
"""Mean log-odds a word of another marker; real COI has more than -0.65, 18S taken for COI less than -1.2."""
FITTING_CODONS = 0.05
"""Mean log-odds a codon (nats) from which a translated barcode is of its marker, whatever its words."""
FEWEST_BP_TO_JUDGE = 60
SHORT, LONG = 0.5, 1.25
"""Parts of the median length and of the 95th percentile beyond which a length is unusual."""
_ROUNDS = 3


@dataclass(frozen=True)
class MarkerModel:
    """What is usual for a marker in a collection.

    Attributes:
        marker: its name.
        word_S: logarithm of the share of each word on the usual strand; None for too few barcodes.
        codon_use: log-odds of each codon in frame; None for markers that are not translated or too few.
        shortest_bp: shorter is unusual.
        longest_bp: longer is unusual.
    """

    marker: str
    word_S: npt.NDArray[np.float64] | None
    codon_use: npt.NDArray[np.float64] | None
    shortest_bp: float
    longest_bp: float


@dataclass(frozen=True)
class BarcodeVerdicts:
    """What is found on each barcode, in the order they were given.

    Attributes:
        reversed_N: whether it is certainly on the other strand.
        strand_N: evidence for the usual strand, nats a word; 0 where it was not judged.
        reading: how it is read on its right strand; None where the marker is not translated.
        off_marker_N: whether it is of another marker.
        fit_N: how well its words fit the marker, nats a word; NaN where it was not judged.
        ambiguous_N: share of ambiguous bases.
        odd_length_N: whether its length is unusual for the marker in this collection.
    """

    reversed_N: npt.NDArray[np.bool_]
    strand_N: npt.NDArray[np.float64]
    reading: Readings | None
    off_marker_N: npt.NDArray[np.bool_]
    fit_N: npt.NDArray[np.float64]
    ambiguous_N: npt.NDArray[np.float64]
    odd_length_N: npt.NDArray[np.bool_]

    def shifts(self, place: int) -> bool:
        """Returns whether the reading frame of one barcode changes inside."""
        if self.reading is None:
            return False
        stops = self.reading.stops_N[place]
        least = SHIFT_GAIN_WITH_STOPS if stops else SHIFT_GAIN
        return bool(self.reading.shift_gain_N[place] >= least)


def learn_marker(marker: str, sequences: Sequence[str], codes: Sequence[int]) -> MarkerModel:
    """Returns what is usual for a marker.

    Args:
        marker: its name.
        sequences: a sample of its barcodes on either strand, each once.
        codes: the genetic codes of most of them; none for a marker that is not translated.
    """
    lengths = np.array([len(sequence) for sequence in sequences] or [0])
    middle, high = np.quantile(lengths, [0.5, 0.95])
    word_S = codon_use = None
    if len(sequences) >= FEWEST_TO_LEARN:
        oriented = _open_strand(sequences, codes) if codes else list(sequences)
        for _ in range(_ROUNDS):
            word_S = word_logarithms(oriented)
            given_N, other_N = means_of_words(oriented, word_S, word_S[other_strand_words()])
            oriented = [
                reverse_complement(sequence) if other > given else sequence
                for sequence, given, other in zip(oriented, given_N, other_N, strict=True)
            ]
        codon_use = learn_codon_use(oriented, codes) if codes else None
    return MarkerModel(marker, word_S, codon_use, SHORT * middle, LONG * high)


def _open_strand(sequences: Sequence[str], codes: Sequence[int]) -> list[str]:
    """Returns the sequences, those turned that are open on the other strand only."""
    other = [reverse_complement(sequence) for sequence in sequences]
    open_N = fewest_stops(sequences, codes).min(axis=1) == 0
    other_open_N = fewest_stops(other, codes).min(axis=1) == 0
    turn_N = other_open_N & ~open_N
    clear_N = other_open_N != open_N
    if turn_N.sum() * 2 > clear_N.sum():
        turn_N |= ~clear_N
    return [b if turn else a for a, b, turn in zip(sequences, other, turn_N, strict=True)]


def check_barcodes(
    sequences: Sequence[str], model: MarkerModel, codes: Sequence[int]
) -> BarcodeVerdicts:
    """Returns what is found on each barcode of a marker.

    Args:
        sequences: clean barcodes (``clean_barcode``).
        model: of ``learn_marker``.
        codes: the genetic codes of these sequences (``codes_for``); none for a marker not translated.
    """
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    judged_N = lengths >= FEWEST_BP_TO_JUDGE
    strand_N = np.zeros(len(sequences))
    fit_N = np.full(len(sequences), np.nan)
    if model.word_S is not None:
        given_N, other_N = means_of_words(
            sequences, model.word_S, model.word_S[other_strand_words()]
        )
        strand_N = (given_N - other_N) * judged_N
        fit_N[judged_N] = (np.maximum(given_N, other_N) - chance_of_words(sequences))[judged_N]
    reversed_N = strand_N < -CLEAR_STRAND
    off_marker_N = fit_N < OFF_MARKER
    for place in np.flatnonzero(reversed_N | off_marker_N).tolist() if codes else ():
        given, turned = _codon_scores(sequences[place], codes, model)
        reversed_N[place] &= turned - given > CLEAR_CODONS or model.codon_use is None
        fitting = max(given, turned) >= FITTING_CODONS * (lengths[place] // 3)
        off_marker_N[place] &= not fitting or model.codon_use is None
    reversed_N &= ~off_marker_N
    upright = list(sequences)
    for place in np.flatnonzero(reversed_N).tolist():
        upright[place] = reverse_complement(sequences[place])
    return BarcodeVerdicts(
        reversed_N=reversed_N,
        strand_N=strand_N,
        reading=read_frames(upright, codes, model.codon_use) if codes else None,
        off_marker_N=off_marker_N,
        fit_N=fit_N,
        ambiguous_N=np.array([_ambiguous(sequence) for sequence in sequences]),
        odd_length_N=(lengths < model.shortest_bp) | (lengths > model.longest_bp),
    )


def _codon_scores(sequence: str, codes: Sequence[int], model: MarkerModel) -> tuple[float, float]:
    """Returns how well the codons of a sequence and of its other strand fit the marker, in nats."""
    both = [sequence, reverse_complement(sequence)]
    given, turned = read_frames(both, codes, model.codon_use).score_N.tolist()
    return given, turned


def _ambiguous(sequence: str) -> float:
    clear = sum(sequence.count(base) for base in "ACGT")
    return 1 - clear / len(sequence) if sequence else 0.0
