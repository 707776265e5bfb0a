"""Which strand a barcode is on, learnt from barcodes alone.

No reference and no reading frame is needed: words that are common on one strand of a marker are rare
on the other. What is learnt is one number a word; the tower keeps it with its weights.

Shape legend: N barcodes, S = 4**6 words.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holotype.media.kmers import kmer_counts, unit_rows

WORD_BP = 6
"""4,096 words: enough to know several markers, few enough to be learnt from some hundred barcodes."""
SAMPLE = 2_000
_POWER_ROUNDS = 30
_MOST_ROUNDS = 10
_HALF_A_WORD = 0.5


def learn_strand(sequences: Sequence[str]) -> npt.NDArray[np.float32]:
    """Evidence of each word for the common strand, in nats, float32 (4096,).

    The sum over a barcode's words is positive on the common strand and minus that on the other:
    words are in lexicographic order (A < C < G < T), and a word and its reverse complement have
    opposite numbers. The common strand is that of most of the barcodes; without barcodes, or where
    no word tells, all numbers are zero.

    The strands are told apart by the leading direction of what changes when a barcode is turned
    (so that half of them may be turned), and settled by log-odds of words, oriented anew until nothing
    turns. Of more than 2,000 barcodes 2,000 are taken, evenly spaced. Equal barcodes in equal order give
    equal numbers.

    Args:
        sequences: cleaned barcodes of one or more markers, on either strand.

    Example:
        >>> evidence = learn_strand(["AAAAAAC", "AAAAAAG", "GTTTTTT"])
        >>> float(evidence[0]) > 0, bool(evidence[0] == -evidence[-1])  # AAAAAA and TTTTTT
        (True, True)
    """
    count = min(len(sequences), SAMPLE)
    place = np.linspace(0, max(len(sequences) - 1, 0), count).round().astype(int)
    count_NS = kmer_counts([sequences[row] for row in place], WORD_BP)
    other_S = opposite_words(WORD_BP)
    sign_N = _leading_signs(unit_rows(count_NS - count_NS[:, other_S]))
    evidence_S = _log_odds(count_NS, other_S, sign_N)
    for _ in range(_MOST_ROUNDS):
        settled_N = np.where(count_NS @ evidence_S < 0, -1.0, 1.0).astype(np.float32)
        if np.array_equal(settled_N, sign_N):
            break
        sign_N = settled_N
        evidence_S = _log_odds(count_NS, other_S, sign_N)
    return -evidence_S if 2 * (sign_N < 0).sum() > len(sign_N) else evidence_S


def opposite_words(word_bp: int) -> npt.NDArray[np.int64]:
    """The word that each word is on the opposite strand, int64 (4**word_bp,).

    Example:
        >>> opposite_words(1).tolist()  # A C G T -> T G C A
        [3, 2, 1, 0]
    """
    word_S = np.arange(4**word_bp)
    other_S = np.zeros_like(word_S)
    for _ in range(word_bp):
        other_S = other_S * 4 + (3 - word_S % 4)
        word_S = word_S // 4
    return other_S


def _leading_signs(odd_NS: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The side of each row on the leading direction of rows, +1 or -1, float32 (N,)."""
    weight_N = np.ones(len(odd_NS), dtype=np.float32)
    for _ in range(_POWER_ROUNDS):
        direction_S = weight_N @ odd_NS
        length = float(np.linalg.norm(direction_S))
        if length < 1e-6:  # as many turned as not, each the other's mirror: start from the first
            direction_S, length = (odd_NS[0], 1.0) if len(odd_NS) else (direction_S, 1.0)
        weight_N = odd_NS @ (direction_S / np.float32(length))
    return np.where(weight_N < 0, -1.0, 1.0).astype(np.float32)


def _log_odds(
    count_NS: npt.NDArray[np.float32],
    other_S: npt.NDArray[np.int64],
    sign_N: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Log-odds of words on the common strand, given which rows are turned; opposite words are opposite."""
    kept_S = (count_NS[sign_N > 0]).sum(axis=0) + count_NS[sign_N < 0].sum(axis=0)[other_S]
    logarithm_S = np.log(kept_S + _HALF_A_WORD)
    odds_S: npt.NDArray[np.float32] = (logarithm_S - logarithm_S[other_S]).astype(np.float32)
    return odds_S
