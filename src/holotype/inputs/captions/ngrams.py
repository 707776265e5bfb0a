"""A caption -> hashed character n-grams, the tokens of the small text tower.

Words become bags of character n-grams (Bojanowski et al. 2017, doi:10.1162/tacl_a_00051), so that the name
of a species never seen in training still lies near its genus, whose name it begins with.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NUM_BUCKETS = 8_192
NGRAMS_PER_WORD = 24
MAX_WORDS = 16
_ORDERS = (3, 4)


@lru_cache(maxsize=1 << 16)
def _word_buckets(word: str) -> tuple[int, ...]:
    framed = f"<{word.lower()}>"
    grams = [framed] + [
        framed[start : start + order]
        for order in _ORDERS
        for start in range(max(1, len(framed) - order + 1))
    ]
    digests = (hashlib.blake2b(gram.encode(), digest_size=4).digest() for gram in grams)
    buckets = [1 + int.from_bytes(digest, "big") % (NUM_BUCKETS - 1) for digest in digests]
    return tuple(dict.fromkeys(buckets))[:NGRAMS_PER_WORD]


def encode_captions(captions: Sequence[str]) -> NDArray[np.int64]:
    """Returns the n-gram buckets of captions: int64 (B, words, n-grams), 0 for padding.

    Words past the 16th from the end are dropped: the narrow end of a lineage is the one that tells. Commas
    and the full stop at the end are no part of a word.
    """
    words = [_words_of(text)[-MAX_WORDS:] or ["unnamed"] for text in captions]
    longest = max(map(len, words), default=1)
    bucket_BWG = np.zeros((len(captions), longest, NGRAMS_PER_WORD), dtype=np.int64)
    for row, found in enumerate(words):
        for column, word in enumerate(found):
            buckets = _word_buckets(word)
            bucket_BWG[row, column, : len(buckets)] = buckets
    return bucket_BWG


def _words_of(text: str) -> list[str]:
    return text.removesuffix(".").replace(",", " ").split()
