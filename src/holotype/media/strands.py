"""Barcodes as arrays: the codon and the word at every base, the other strand, what words a marker is made of.

Place in the path: quality control learns a marker's words and codons from a sample of the collection, then
compares every barcode with them.

Shape legend: N sequences, L bases, S = 4**6 words.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

WORD_BASES = 6
"""4,096 words: enough to know a marker, few enough to be learnt from some hundred barcodes."""
BLOCK_BASES = 2_000_000
NUM_WORDS = 4**WORD_BASES
_COMPLEMENT = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")
_UNKNOWN = 4
_TCAG = np.full(256, _UNKNOWN, dtype=np.int8)
for _code, _letter in enumerate(b"TCAG"):
    _TCAG[_letter] = _code


def reverse_complement(nucleotides: str) -> str:
    """Returns the other strand, read from its own start; ambiguity codes are complemented too.

    >>> reverse_complement("AACRN")
    'NYGTT'
    """
    return nucleotides.translate(_COMPLEMENT)[::-1]


def blocks(sequences: Sequence[str]) -> Iterator[slice]:
    """Yields slices of the sequences that are small enough to be held as one array."""
    start, longest = 0, 0
    for place, sequence in enumerate(sequences):
        longest = max(longest, len(sequence))
        if (place + 1 - start) * longest > BLOCK_BASES and place > start:
            yield slice(start, place)
            start, longest = place, len(sequence)
    if start < len(sequences):
        yield slice(start, len(sequences))


def codons_of(sequences: Sequence[str]) -> npt.NDArray[np.int16]:
    """Returns the codon that starts at each base, int16 (N, L - 2), numbered in NCBI's order.

    -1 stands where a base is ambiguous or the sequence has ended.
    """
    return _windows(sequences, 3)


def words_of(sequences: Sequence[str]) -> npt.NDArray[np.int16]:
    """Returns the word that starts at each base, int16 (N, L - 5), numbered like codons; -1 as there."""
    return _windows(sequences, WORD_BASES)


def _windows(sequences: Sequence[str], bases: int) -> npt.NDArray[np.int16]:
    longest = max((len(sequence) for sequence in sequences), default=0)
    if longest < bases:
        return np.empty((len(sequences), 0), np.int16)
    padded = "".join(sequence.ljust(longest, "-") for sequence in sequences)
    base_NL = _TCAG[np.frombuffer(padded.encode("ascii"), np.uint8)].reshape(-1, longest)
    width = longest - bases + 1
    window_NL = np.zeros((len(sequences), width), np.int16)
    unknown_NL = np.zeros((len(sequences), width), np.bool_)
    for offset in range(bases):
        base = base_NL[:, offset : offset + width]
        window_NL = window_NL * np.int16(4) + (base & 3)
        unknown_NL |= base == _UNKNOWN
    window_NL[unknown_NL] = -1
    return window_NL


def word_logarithms(sequences: Sequence[str]) -> npt.NDArray[np.float64]:
    """Returns the natural logarithm of each word's share, float64 (S,).

    Half a word is added to each count.
    """
    count_S = np.full(NUM_WORDS, 0.5)
    for block in blocks(sequences):
        word_NL = words_of(sequences[block])
        count_S += np.bincount(word_NL[word_NL >= 0], minlength=NUM_WORDS)
    logarithm_S: npt.NDArray[np.float64] = np.log(count_S / count_S.sum())
    return logarithm_S


def means_of_words(
    sequences: Sequence[str], *value_S: npt.NDArray[np.float64]
) -> list[npt.NDArray[np.float64]]:
    """Returns the mean of each sequence's words under each table of values, float64 (N,) each.

    A sequence without any clear word has 0.
    """
    found: list[list[npt.NDArray[np.float64]]] = [[np.empty(0)] for _ in value_S]
    with_none = [np.append(values, 0.0).astype(np.float32) for values in value_S]
    for block in blocks(sequences):
        word_NL = words_of(sequences[block])
        clear_N = np.maximum((word_NL >= 0).sum(axis=1), 1)
        for means, values in zip(found, with_none, strict=True):
            means.append(values[word_NL].sum(axis=1, dtype=np.float64) / clear_N)
    return [np.concatenate(means) for means in found]


def other_strand_words() -> npt.NDArray[np.int64]:
    """Returns the word that each word is on the other strand, int64 (S,)."""
    word_S = np.arange(NUM_WORDS)
    other_S = np.zeros_like(word_S)
    for _ in range(WORD_BASES):
        other_S = other_S * 4 + (word_S + 2) % 4
        word_S = word_S // 4
    return other_S


def chance_of_words(sequences: Sequence[str]) -> npt.NDArray[np.float64]:
    """Returns the mean logarithm of each sequence's words if its own bases were shuffled, float64 (N,)."""
    found = [np.empty(0)]
    for block in blocks(sequences):
        count_N4 = np.array([[s.count(base) + 0.5 for base in "TCAG"] for s in sequences[block]])
        share_N4 = count_N4 / count_N4.sum(axis=1, keepdims=True)
        found.append(WORD_BASES * (share_N4 * np.log(share_N4)).sum(axis=1))
    return np.concatenate(found)
