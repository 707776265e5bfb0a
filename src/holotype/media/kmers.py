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
    if not 1 <= k <= 12:
        raise ValueError(f"k is {k}; must be in [1, 12].")
    num_kmers = 4**k
    counts_NS = np.zeros((len(sequences), num_kmers), dtype=np.float32)
    if not sequences:
        return counts_NS
    # One separator after each sequence, so that no window reaches into the next.
    joined = "-".join(sequences) + "-"
    code = _CODE_OF_BYTE[np.frombuffer(joined.encode("ascii", errors="replace"), dtype=np.uint8)]
    length = np.fromiter((len(s) + 1 for s in sequences), dtype=np.int64, count=len(sequences))
    row = np.repeat(np.arange(len(sequences)), length)
    num_windows = len(code) - k + 1
    if num_windows <= 0:
        return counts_NS
    index = np.zeros(num_windows, dtype=np.int64)
    is_clean = np.ones(num_windows, dtype=bool)
    for offset in range(k):
        base = code[offset : offset + num_windows]
        index = index * 4 + (base & 3)
        is_clean &= base != _AMBIGUOUS
    cell = row[:num_windows][is_clean] * num_kmers + index[is_clean]
    flat = np.bincount(cell, minlength=counts_NS.size)
    return flat.reshape(counts_NS.shape).astype(np.float32)


def unit_rows(x_NS: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Returns the rows at length one; a row of zeros stays so."""
    norm_N1 = np.linalg.norm(x_NS, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = x_NS / np.maximum(norm_N1, np.float32(1e-12))
    return unit
