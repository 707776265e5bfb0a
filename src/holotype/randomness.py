"""One seed, many named streams: the same seed and names give the same numbers on every machine."""

import hashlib

import numpy as np


def stream_seed(seed: int, *names: str | int) -> int:
    """Returns a 63-bit seed for the stream that the names describe, stable across processes."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Returns NumPy's generator of the named stream."""
    return np.random.default_rng(stream_seed(seed, *names))
