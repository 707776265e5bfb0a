"""In which frame a barcode is read, where it has a stop, and whether its frame shifts.

A codon that is common in the marker's frame and rare beside it speaks for a frame; the sum over a sequence
chooses the frame, and a sum that is much higher with a change of frame somewhere inside speaks for a lost or
gained base. What is common is learnt from the collection: no reference sequence is needed.
Related: Fickett 1982 (doi:10.1093/nar/10.17.5303) for codon usage as evidence of a frame; Song et al. 2008
(doi:10.1073/pnas.0803076105) for stops and shifted frames as signs of nuclear copies of mitochondrial genes.

Shape legend: N sequences, F = 3 frames, C codons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.media.genetic_codes import GENETIC_CODES
from holotype.media.strands import blocks, codons_of

FEWEST_TO_LEARN = 20
"""From fewer barcodes no codon use is learnt; the frame with the fewest stops is taken then."""
_STOP_SCORE = -3.0
_FRAMES = 3


@dataclass(frozen=True)
class Readings:
    """How sequences are read, in the order they were given.

    Attributes:
        frame_N: int64, how many bases stand before the first whole codon: 0, 1 or 2.
        score_N: float64, how well the codons fit the marker (sum of log-odds, in nats).
        stops_N: the place (from 1) of the first base of each stop codon, under the code that finds fewest.
        shift_gain_N: float64, how much better (in nats) the sequence is read with one change of frame.
        shift_place_N: int64, about where (from 1) that change would be.
    """

    frame_N: npt.NDArray[np.int64]
    score_N: npt.NDArray[np.float64]
    stops_N: list[tuple[int, ...]]
    shift_gain_N: npt.NDArray[np.float64]
    shift_place_N: npt.NDArray[np.int64]


def stop_codons(number: int) -> npt.NDArray[np.bool_]:
    """Returns which of the 64 codons are stops in a genetic code, bool (64,)."""
    return np.array([letter == "*" for letter in GENETIC_CODES[number]])


def fewest_stops(sequences: Sequence[str], codes: Sequence[int]) -> npt.NDArray[np.int64]:
    """Returns the stops in each frame under the code that finds fewest, int64 (N, 3)."""
    found = [np.empty((0, _FRAMES), np.int64)]
    for block in blocks(sequences):
        codon_NL = codons_of(sequences[block])
        counts = [_stops_by_frame(codon_NL, number) for number in codes]
        found.append(np.min(counts, axis=0))
    return np.concatenate(found)


def _stops_by_frame(codon_NL: npt.NDArray[np.int16], number: int) -> npt.NDArray[np.int64]:
    is_stop_65 = np.append(stop_codons(number), False)
    stop_NL = is_stop_65[codon_NL]
    return np.stack([stop_NL[:, f::_FRAMES].sum(axis=1) for f in range(_FRAMES)], axis=1)


def learn_codon_use(
    sequences: Sequence[str], codes: Sequence[int]
) -> npt.NDArray[np.float64] | None:
    """Returns log(share in the frame / share beside it) of each codon, float64 (64,).

    Learnt from the sequences that have exactly one frame without a stop.

    Returns:
        None when fewer than ``FEWEST_TO_LEARN`` sequences have one.
    """
    inside, beside = np.full(64, 0.5), np.full(64, 0.5)
    learnt = 0
    for block in blocks(sequences):
        codon_NL = codons_of(sequences[block])
        open_NF = np.min([_stops_by_frame(codon_NL, number) for number in codes], axis=0) == 0
        clear_N = open_NF.sum(axis=1) == 1
        learnt += int(clear_N.sum())
        for frame in range(_FRAMES):
            codon = codon_NL[clear_N, frame::_FRAMES]
            is_in = open_NF[clear_N, frame]
            inside += np.bincount(codon[is_in][codon[is_in] >= 0], minlength=64)
            beside += np.bincount(codon[~is_in][codon[~is_in] >= 0], minlength=64)
    if learnt < FEWEST_TO_LEARN:
        return None
    score: npt.NDArray[np.float64] = np.log(inside / inside.sum()) - np.log(beside / beside.sum())
    return np.maximum(score, _STOP_SCORE)


def read_frames(
    sequences: Sequence[str], codes: Sequence[int], codon_use: npt.NDArray[np.float64] | None
) -> Readings:
    """Returns how each sequence is read.

    Args:
        sequences: IUPAC nucleotides without gaps.
        codes: numbers of the genetic codes that may hold, the usual one first.
        codon_use: from ``learn_codon_use``; None where it is not known.
    """
    use = _stops_only(codes) if codon_use is None else codon_use
    parts = [_read_block(codons_of(sequences[b]), codes, use) for b in blocks(sequences)]
    if not parts:
        nothing = np.empty(0, np.int64)
        return Readings(nothing, np.empty(0), [], np.empty(0), nothing)
    return Readings(
        np.concatenate([part.frame_N for part in parts]),
        np.concatenate([part.score_N for part in parts]),
        [stops for part in parts for stops in part.stops_N],
        np.concatenate([part.shift_gain_N for part in parts]),
        np.concatenate([part.shift_place_N for part in parts]),
    )


def _stops_only(codes: Sequence[int]) -> npt.NDArray[np.float64]:
    is_stop = np.all([stop_codons(number) for number in codes], axis=0)
    return np.where(is_stop, _STOP_SCORE, 0.0)


def _read_block(
    codon_NL: npt.NDArray[np.int16], codes: Sequence[int], use_64: npt.NDArray[np.float64]
) -> Readings:
    sums_NFC = _running_sums(codon_NL, use_64)
    total_NF = sums_NFC[:, :, -1]
    frame_N = total_NF.argmax(axis=1)
    best_N = total_NF.max(axis=1)
    gain_N, place_N = np.zeros(len(codon_NL)), np.zeros(len(codon_NL), np.int64)
    for first in range(_FRAMES):
        for second in set(range(_FRAMES)) - {first}:
            both_NC = sums_NFC[:, first] - sums_NFC[:, second] + total_NF[:, second, None]
            place = both_NC.argmax(axis=1)
            gain = both_NC[np.arange(len(place)), place] - best_N
            better = gain > gain_N
            gain_N[better], place_N[better] = gain[better], _FRAMES * place[better] + 1
    stops_N = _stops_in_frame(codon_NL, frame_N, codes)
    return Readings(frame_N.astype(np.int64), best_N, stops_N, gain_N, place_N)


def _running_sums(
    codon_NL: npt.NDArray[np.int16], use_64: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Returns the sum of the scores of the first codons of each frame, float64 (N, 3, C + 1)."""
    score_NL = np.append(use_64, 0.0)[codon_NL]
    codons = -(-score_NL.shape[1] // _FRAMES)
    sums_NFC = np.zeros((len(codon_NL), _FRAMES, codons + 1))
    for frame in range(_FRAMES):
        of_frame = score_NL[:, frame::_FRAMES]
        sums_NFC[:, frame, 1 : of_frame.shape[1] + 1] = of_frame.cumsum(axis=1)
        if of_frame.shape[1] < codons:
            sums_NFC[:, frame, -1] = sums_NFC[:, frame, of_frame.shape[1]]
    return sums_NFC


def _stops_in_frame(
    codon_NL: npt.NDArray[np.int16], frame_N: npt.NDArray[np.int64], codes: Sequence[int]
) -> list[tuple[int, ...]]:
    """Returns the places of the stops in each sequence's frame, under the code that finds fewest."""
    in_frame_NL = (np.arange(codon_NL.shape[1]) - frame_N[:, None]) % _FRAMES == 0
    found: list[tuple[int, ...]] | None = None
    for number in codes:
        is_stop_65 = np.append(stop_codons(number), False)
        stop_NL = is_stop_65[codon_NL] & in_frame_NL
        stops: list[tuple[int, ...]] = [()] * len(codon_NL)
        for row in np.flatnonzero(stop_NL.any(axis=1)).tolist():
            stops[row] = tuple((np.flatnonzero(stop_NL[row]) + 1).tolist())
        found = (
            stops
            if found is None
            else [min(pair, key=len) for pair in zip(found, stops, strict=True)]
        )
    return found or []
