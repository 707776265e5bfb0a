"""What makes an answer less than sure: a guessed author, a denied name, a classification that differs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.matching.hit import Hit, Reading
from holotype.taxonomy.matching.outcome import SCORES, SURE, How, MatchStatus, NameMatch
from holotype.taxonomy.matching.settle import contradiction
from holotype.taxonomy.names import JOINING, NEGATIONS, joins_another, read_name

AUTHOR_ABBREVIATIONS = frozenset(
    ("L", "Linn", "Lam", "Cuv", "Ehr", "Ehrenb", "Kütz", "Grun", "Hust", "Ag", "Müll", "Clap", "Lachm",
     "Lohm", "Ostenf", "Pavill", "Perag", "Schütt", "Rabenh", "Greg", "Bréb", "Fabr", "Gunn", "Lmk", "Stimps")
)  # fmt: skip
"""Authors as they are abbreviated with a full stop (after Brummitt and Powell 1992 and usage in zoology)."""

_OF_NAMING = frozenset(
    ("id", "ided", "identified", "identifiable", "determined", "sure", "certain", "specified", "assigned",
     "sorted", "classified", "named", "known", "visible")
)  # fmt: skip
"""What "not" may deny without denying a name: "copepod not identified"."""


def without_authors(reading: Reading, written: str) -> Reading:
    """Returns a reading whose unknown names are no authors ("Calanus finmarchicus (Gunnerus)").

    Brackets, a year or a known abbreviation make an author. A capitalised word that only follows a
    species may be one: it goes to ``maybe_authors``. What is joined by "/", "&", "," or a word
    for that is another name.
    """
    if not reading.unknown_names or not reading.hits or re.search(r"[_<>]", written):
        return reading
    name = read_name(written)
    if name is None or not name.authorship or joins_another(written, name.authorship):
        return reading
    of_authors = [word for word in reading.unknown_names if word in name.authorship]
    other = [word for word in reading.unknown_names if word not in name.authorship]
    joined = re.search(r"[&,+/]", name.authorship) or JOINING & set(_small_words(name.authorship))
    of_species = " " in reading.hits[-1].written
    if _is_told(name.authorship) and (of_species or name.year is not None or not joined):
        return replace(reading, unknown_names=other)
    if other or joined or not of_species:
        return reading
    return replace(reading, unknown_names=[], maybe_authors=of_authors)


def _small_words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


def _is_told(authorship: str) -> bool:
    """Returns whether brackets, a year or a known abbreviation say that words are an authorship."""
    if authorship.startswith("(") or re.search(r"\b1[5-9]\d\d\b|\b20\d\d\b", authorship):
        return True
    return all(word in AUTHOR_ABBREVIATIONS for word in re.findall(r"[^\W\d_]+", authorship))


def denial(
    segments: Sequence[Sequence[str]], read: Callable[[tuple[str, ...]], Reading]
) -> tuple[str, Reading] | None:
    """Returns the word of a label that denies a name ("not Acartia"), and what is denied; None for none.

    A denial of something else ("no tentacles", "not identified") denies no name.
    """
    for segment in segments:
        words = tuple(part for word in segment for part in _parted(word))
        for place, word in enumerate(words):
            if word.lower() not in NEGATIONS:
                continue
            after = words[place + 1 :]
            if after and after[0].lower() in _OF_NAMING:
                continue
            denied = read(after if after else words[:place])
            if denied.hits or denied.unknown_names:
                return word, denied
    return None


def _parted(word: str) -> list[str]:
    """Returns the parts of "non-Acartia"; other hyphens belong to the name."""
    parts = [part for part in word.split("-") if part]
    return parts if parts and parts[0].lower() in NEGATIONS else [word]


def denied(answer: NameMatch, word: str, what: Reading) -> NameMatch:
    """Returns the answer to a label that denies a name: for a person, or nothing where it is unknown."""
    if what.hits:
        hit: Hit = what.hits[0]
        reason = f"'{word}' in the label denies '{hit.written}'"
        return replace(
            answer, status=MatchStatus.AMBIGUOUS, reason=reason, candidates=hit.candidates
        )
    name = what.unknown_names[0]
    reason = f"'{word}' in the label denies '{name}', which is not in the backbone"
    return replace(answer, reason=reason, unknown=name)


def doubted(answer: NameMatch) -> NameMatch:
    """Returns a sure answer as one to check, where the source's classification differs from the backbone's.

    A synonym leads to another genus by its nature, so the genus is not compared there.
    """
    if answer.taxon is None or answer.how not in SURE:
        return answer
    but = frozenset((Rank.GENUS,)) if answer.how is How.SYNONYM else frozenset()
    differs = contradiction(answer.taxon, answer.query.lineage, but=but)
    if not differs:
        return answer
    return as_doubted(answer, f"{answer.reason}, but {differs}")


def as_doubted(answer: NameMatch, reason: str) -> NameMatch:
    """Returns an answer that a person should check, and why."""
    score = min(answer.score, SCORES[How.DOUBTED])
    return replace(answer, how=How.DOUBTED, score=score, reason=reason)
