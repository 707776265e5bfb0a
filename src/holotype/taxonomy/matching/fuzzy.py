"""Misspelt words: the few words of a backbone that lie within a small edit distance.

Words are kept by first letter and length, with a bit for each letter that occurs once and for each
that occurs twice or more. One edit changes two bits at most, so counting differing bits leaves out
nearly all words and never a right one; rapidfuzz measures the rest. The first letter has to agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from holotype.taxonomy.backbone.store import Backbone

_RANK_ENDINGS = ("idae", "inae", "oidea", "aceae", "ales", "phyceae", "phycidae", "formes", "oida", "ida",
                 "ina", "mycetes", "phyta")  # fmt: skip


def allowed_distance(word: str) -> int:
    """Returns how many edits a word of that length may be away: 0 below six letters, 1 below nine, else 2."""
    return 0 if len(word) < 6 else 1 if len(word) < 9 else 2


def rank_ending(word: str) -> str:
    """Returns the ending that says the rank ("idae"), "" for none: a misspelling keeps it."""
    return next((ending for ending in _RANK_ENDINGS if word.endswith(ending)), "")


@dataclass(frozen=True)
class FuzzyWords:
    """The first words of a backbone's keys, ready to be searched.

    Attributes:
        words: sorted by first letter, then length.
        signatures: one letter mask for each.
        starts: (first letter, length) -> the part of ``words``.
    """

    words: NDArray[np.object_]
    signatures: NDArray[np.uint64]
    starts: dict[tuple[str, int], tuple[int, int]]

    def near(self, word: str) -> list[tuple[int, str]]:
        """Returns (distance, word) of the words within the allowed distance, nearest first."""
        limit = allowed_distance(word)
        if limit == 0:
            return []
        asked = _signature(word)
        ending = rank_ending(word)
        found: list[tuple[int, str]] = []
        first, last = self._block(word[0], len(word) - limit, len(word) + limit)
        differing = np.bitwise_count(self.signatures[first:last] ^ asked)
        for place in np.flatnonzero(differing <= 2 * limit).tolist():
            known = str(self.words[first + place])
            distance = OSA.distance(word, known, score_cutoff=limit)
            if distance <= limit and rank_ending(known) == ending:
                found.append((distance, known))
        return sorted(found)

    def _block(self, letter: str, shortest: int, longest: int) -> tuple[int, int]:
        """Returns the part of ``words`` with a first letter and lengths; lengths lie side by side."""
        parts = [
            self.starts[letter, length]
            for length in range(shortest, longest + 1)
            if (letter, length) in self.starts
        ]
        return (parts[0][0], parts[-1][1]) if parts else (0, 0)


def _signature(word: str) -> np.uint64:
    once = twice = 0
    for letter in word:
        bit = 1 << (ord(letter) - 97) if "a" <= letter <= "z" else 1 << 26
        twice |= once & bit
        once |= bit
    return np.uint64(once | twice << 32)


def fuzzy_words(backbone: Backbone) -> FuzzyWords:
    """Returns the search table of a backbone's first words; made once, kept by the matcher."""
    words = [word for word in backbone.words.to_pylist() if len(word) >= 5]
    words.sort(key=lambda word: (word[0], len(word)))
    signatures = np.fromiter(
        (_signature(word) for word in words), dtype=np.uint64, count=len(words)
    )
    starts: dict[tuple[str, int], tuple[int, int]] = {}
    for place, word in enumerate(words):
        begin, _ = starts.get((word[0], len(word)), (place, place))
        starts[word[0], len(word)] = (begin, place + 1)
    return FuzzyWords(np.array(words, dtype=object), signatures, starts)


def nearest_words(key: str, words: Mapping[str, Sequence[str]]) -> list[tuple[int, str]]:
    """Returns (distance, word) of the words by first letter that lie within the allowed distance."""
    limit = min(allowed_distance(key), 2 if len(key) >= 10 else 1)
    found = [
        (OSA.distance(key, word, score_cutoff=limit), word)
        for word in words.get(key[0], ())
        if abs(len(word) - len(key)) <= limit
    ]
    return sorted(pair for pair in found if pair[0] <= limit)


def nearest_epithet(epithet: str, keys: list[str]) -> tuple[int, list[str]]:
    """Returns the smallest allowed distance from an epithet, and the keys ("genus epithet") there."""
    limit = 0 if len(epithet) < 5 else 1 if len(epithet) < 8 else 2
    found: list[str] = []
    best = limit
    if limit == 0:
        return 0, []
    for key in keys:
        _, _, known = key.partition(" ")
        if (
            not known
            or " " in known
            or known[0] != epithet[0]
            or abs(len(known) - len(epithet)) > best
        ):
            continue
        distance = OSA.distance(epithet, known, score_cutoff=best)
        if distance < best or (distance == best and not found):
            best, found = distance, [key]
        elif distance == best:
            found.append(key)
    return best, found
