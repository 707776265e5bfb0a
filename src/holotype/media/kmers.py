"""k-mer counts of DNA barcodes in NumPy alone.

Shape legend: N sequences, S = 4**k distinct k-mers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_AMBIGUOUS = 4
_CODE_OF_BYTE = np.full(256, _AMBIGUOUS, dtype=np.int64)
for _code, _letters in enumerate((b"Aa", b"Cc", b"Gg", b"TtUu")):
    for _byte in _letters:
        _CODE_OF_BYTE[_byte] = _code


def kmer_counts(sequences: Sequence[str], k: int) -> npt.NDArray[np.float32]:
    """Counts of every k-mer in each sequence, (N, 4**k) float32.

    Columns are in lexicographic order of the k-mers (A < C < G < T). A window that holds anything
    but A, C, G, T or U (an ambiguity code, a gap, a question mark) is left out, so that a row
    sums to the number of unambiguous windows; a sequence shorter than `k` gives a row of zeros.

    Example:
        >>> kmer_counts(["AAAC", "ANAA"], 2)[:, :2].tolist()
        [[2.0, 1.0], [1.0, 0.0]]
    """
    num_kmers = 4**k
    row_M, word_M = _clean_windows(sequences, k)
    flat = np.bincount(row_M * num_kmers + word_M, minlength=len(sequences) * num_kmers)
    return flat.reshape(len(sequences), num_kmers).astype(np.float32)


def shared_words(
    first: Sequence[str], second: Sequence[str], k: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Distinct k-mers that each pair of sequences shares, and that each sequence has.

    Returns:
        float32 (P, Q) shared by each pair, (P,) of the first, (Q,) of the second; whole numbers.

    Example:
        >>> shared_words(["AAAC"], ["AACC", "GGG"], 2)[0].tolist()
        [[2.0, 0.0]]
    """
    row_M, word_M = _clean_windows([*first, *second], k)
    words, column_M = np.unique(word_M, return_inverse=True)
    has_NW = np.zeros((len(first) + len(second), len(words)), dtype=np.float32)
    has_NW[row_M, column_M] = 1.0
    first_PW, second_QW = has_NW[: len(first)], has_NW[len(first) :]
    return first_PW @ second_QW.T, first_PW.sum(axis=1), second_QW.sum(axis=1)


def distinct_words(
    sequences: Sequence[str], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The distinct unambiguous k-mers of each sequence: rows and codes, int64 (M,) each, in order."""
    row_M, word_M = _clean_windows(sequences, k)
    pair_M = np.unique(row_M * 4**k + word_M)
    return pair_M // 4**k, pair_M % 4**k


def _clean_windows(
    sequences: Sequence[str], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The row and the code of every unambiguous window, int64 (M,) each."""
    if not 1 <= k <= 12:
        raise ValueError(f"k is {k}; must be in [1, 12].")
    # One separator after each sequence, so that no window reaches into the next.
    joined = "".join(f"{sequence}-" for sequence in sequences)
    code = _CODE_OF_BYTE[np.frombuffer(joined.encode("ascii", errors="replace"), dtype=np.uint8)]
    length = np.fromiter((len(s) + 1 for s in sequences), dtype=np.int64, count=len(sequences))
    row = np.repeat(np.arange(len(sequences), dtype=np.int64), length)
    num_windows = max(0, len(code) - k + 1)
    index = np.zeros(num_windows, dtype=np.int64)
    is_clean = np.ones(num_windows, dtype=bool)
    for offset in range(k):
        base = code[offset : offset + num_windows]
        index = index * 4 + (base & 3)
        is_clean &= base != _AMBIGUOUS
    return row[:num_windows][is_clean], index[is_clean]


def unit_rows(x_NS: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Returns the rows at length one; a row of zeros stays so."""
    norm_N1 = np.linalg.norm(x_NS, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = x_NS / np.maximum(norm_N1, np.float32(1e-12))
    return unit
