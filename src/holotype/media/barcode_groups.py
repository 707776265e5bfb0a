"""Barcodes -> groups of like ones: operational taxonomic units, whatever the names say.

Place in the path: before training, where records without a species' name have a barcode. A group is near to
what BOLD calls a BIN (Ratnasingham & Hebert 2013, doi:10.1371/journal.pone.0066213): reads within a few per
cent of a centre. Groups are made greedily, longest and commonest reads first, as VSEARCH does (Rognes et al.
2016, doi:10.7717/peerj.2584). Deviation: likeness is the share of the shorter read's words that the centre
has, which neither a lost base nor another start spoils, instead of an alignment.

Shapes: N barcodes, H different ones, C centres.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from holotype.media.kmers import distinct_words

WORD_BP = 8
LEAST_WORDS = 60
"""A read of fewer words is too short to be put into a group."""
BLOCK = 256


def barcode_groups(
    barcodes: Sequence[str | None], markers: Sequence[int], *, identity: float = 0.98
) -> NDArray[np.int64]:
    """Returns the group of each barcode, int64 (N,), numbered from 0; -1 for none and for groups of one.

    Args:
        barcodes: cleaned, on one strand; None where a record has none.
        markers: equal for barcodes of one locus; other loci never share a group.
        identity: share of equal bases that a member has with its centre, or nearly: what is compared is the
            share of common words, ``identity ** 8``.
    """
    keys = [
        (barcode, marker) if barcode else None
        for barcode, marker in zip(barcodes, markers, strict=True)
    ]
    counts = Counter(key for key in keys if key is not None)
    different = sorted(counts, key=lambda key: (-len(key[0]), -counts[key], key))
    group_of: dict[tuple[str, int], int] = {}
    for marker in sorted({marker for _, marker in different}):
        reads = [key for key in different if key[1] == marker]
        found = _greedy([read for read, _ in reads], identity**WORD_BP)
        first = len(set(group_of.values()) - {-1})
        for key, group in zip(reads, found, strict=True):
            group_of[key] = group + first if group >= 0 else -1
    group_N = np.asarray([-1 if key is None else group_of[key] for key in keys], dtype=np.int64)
    return _without_singles(group_N)


def _greedy(reads: Sequence[str], bound: float) -> list[int]:
    """Returns the group of each read, -1 for reads that are too short; longer reads come first."""
    row_M, word_M = distinct_words(reads, WORD_BP)
    words = csr_array(
        (np.ones(len(row_M), np.float32), (row_M, word_M)), shape=(len(reads), 4**WORD_BP)
    )
    size_H = np.asarray(words.sum(axis=1)).ravel()
    group = [-1] * len(reads)
    centres: list[int] = []
    for start in range(0, len(reads), BLOCK):
        block = list(range(start, min(start + BLOCK, len(reads))))
        known = len(centres)
        shared = (words[block] @ words[centres + block].T).toarray()
        for place, read in enumerate(block):
            if size_H[read] < LEAST_WORDS:
                continue
            among = centres[:known] + centres[known:]
            columns = list(range(known)) + [known + centre - start for centre in centres[known:]]
            if among:
                share = shared[place, columns] / np.minimum(size_H[read], size_H[among])
                best = int(share.argmax())
                if share[best] >= bound:
                    group[read] = best
                    continue
            group[read] = len(centres)
            centres.append(read)
    return group


def _without_singles(group_N: NDArray[np.int64]) -> NDArray[np.int64]:
    numbers, count = np.unique(group_N[group_N >= 0], return_counts=True)
    kept = {number: place for place, number in enumerate(numbers[count > 1].tolist())}
    return np.asarray([kept.get(group, -1) for group in group_N.tolist()], dtype=np.int64)
