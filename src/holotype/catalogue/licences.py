"""What may be done under the licences of a collection, and which of them a user allows.

Place in the path: beside the catalogue of sources; collections and models enforce licences with these
functions. A licence that is unknown allows nothing, and one written for programs opens neither images nor
sequences. This is a reading of identifiers, not legal advice.

Source of what each allows: the licence texts (for Creative Commons, the deeds at
https://creativecommons.org/licenses).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from holotype.catalogue.licence_table import TERMS, Terms
from holotype.catalogue.licence_text import Licence, Standing, parse_licence
from holotype.errors import SourceError, did_you_mean

__all__ = [
    "GBIF_ACCEPTS",
    "Answer",
    "Licence",
    "Standing",
    "Terms",
    "Use",
    "Verdict",
    "allows",
    "common_licence",
    "licence_filter",
    "may",
    "parse_licence",
]

GBIF_ACCEPTS = frozenset({"CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"})
"""The licences under which GBIF and OBIS take data."""


# What may be done -----------------------------------------------------------------------------------


class Use(StrEnum):
    """What somebody wants to do with a data set, or with a model made from it."""

    SHARE = "share"
    """Give the records on as they are."""
    ADAPT = "adapt"
    """Crop, merge or change the records and give the outcome on. On the careful reading, which is the
    one taken here, publishing a model trained on them is this."""
    COMMERCIAL = "commercial"
    """Do so in a product or a paid service."""


class Answer(StrEnum):
    """Whether a use is allowed."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done with a work made of several licences, and why.

    Attributes:
        use: what was asked.
        answer: ``no`` as soon as one licence forbids it; else ``unknown`` as soon as one is unknown.
        blocked_by: the licences that stand in the way, sorted.
        reasons: one sentence for each of them.
        conditions: what must be done if the use is allowed (give credit, same licence).
    """

    use: Use
    answer: Answer
    blocked_by: tuple[str, ...]
    reasons: tuple[str, ...]
    conditions: tuple[str, ...]


_NEEDED: dict[Use, tuple[tuple[str, str], ...]] = {
    Use.SHARE: (("redistribution", "does not let others pass the content on"),),
    Use.ADAPT: (
        ("redistribution", "does not let others pass the content on"),
        ("derivatives", "does not allow changed versions"),
    ),
    Use.COMMERCIAL: (
        ("redistribution", "does not let others pass the content on"),
        ("derivatives", "does not allow changed versions"),
        ("commercial", "does not allow commercial use"),
    ),
}


def may(licences: Iterable[Licence], use: Use) -> Verdict:
    """Returns what may be done with a data set or model made of content under all of these licences.

    The most restrictive licence decides. A licence that is unknown, or one written for programs, blocks
    with ``unknown``. Licences that each ask for "the same licence" and differ cannot be met together.
    """
    distinct = sorted({str(licence): licence for licence in licences}.items())
    forbidden: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for name, licence in distinct:
        terms = licence.terms
        if terms is None:
            unknown[name] = f"{name}: what it allows is not known; ask the source."
        elif licence.is_for_code:
            unknown[name] = f"{name}: a licence of programs; it says nothing about this content."
        else:
            lacking = [words for need, words in _NEEDED[use] if not getattr(terms, need)]
            if lacking:
                forbidden[name] = f"{name}: {lacking[-1]}."
    if use is not Use.SHARE and not forbidden and not unknown:
        clash = _share_alike_clash([licence for _, licence in distinct])
        forbidden.update({name: f"{name}: {reason}" for name, reason in clash.items()})
    blocked = {**forbidden, **unknown}
    answer = Answer.NO if forbidden else Answer.UNKNOWN if unknown else Answer.YES
    conditions = _conditions([licence for _, licence in distinct], use)
    return Verdict(use, answer, tuple(sorted(blocked)), tuple(blocked.values()), conditions)


def common_licence(licences: Iterable[Licence]) -> Licence | None:
    """Returns the freest licence under which a work adapted from all of these may be published.

    None where there is none: no licences, an unknown one, one that forbids changes, or two that each ask
    for their own.
    """
    held = list(licences)
    if not held or may(held, Use.ADAPT).answer is not Answer.YES:
        return None
    terms = [licence.terms for licence in held if licence.terms]
    alike = [licence for licence in held if licence.terms and licence.terms.share_alike]
    if alike:
        return max(alike, key=lambda licence: licence.version or "")
    if not all(term.commercial for term in terms):
        return parse_licence("CC-BY-NC-4.0")
    return parse_licence("CC-BY-4.0" if any(term.attribution for term in terms) else "CC0-1.0")


def _share_alike_clash(licences: Sequence[Licence]) -> dict[str, str]:
    alike = [licence for licence in licences if licence.terms and licence.terms.share_alike]
    clash: dict[str, str] = {}
    for licence in alike:
        others = sorted({str(o) for o in alike if o.family != licence.family})
        if licence.terms and licence.terms.commercial:
            others += [str(o) for o in licences if o.terms and not o.terms.commercial]
            others = sorted(set(others))
        if others:
            clash[str(licence)] = f"asks for the same licence, against {', '.join(others)}."
    return clash


def _conditions(licences: Sequence[Licence], use: Use) -> tuple[str, ...]:
    terms = [licence.terms for licence in licences if licence.terms]
    found = []
    if any(term.attribution for term in terms):
        found.append("give credit to the source and name its licence")
    if use is not Use.SHARE and any(term.share_alike for term in terms):
        found.append("publish under the same licence")
    if use is not Use.COMMERCIAL and not all(term.commercial for term in terms):
        found.append("non-commercial use only")
    return tuple(found)


# Which licences a user allows -----------------------------------------------------------------------

_GROUPS: dict[str, Callable[[Licence], bool]] = {
    "open": lambda licence: licence.is_open,
    "non-commercial": lambda licence: may([licence], Use.ADAPT).answer is Answer.YES,
    "gbif": lambda licence: licence.id in GBIF_ACCEPTS,
    "not-stated": lambda licence: licence.standing is Standing.NOT_STATED,
}


def licence_filter(patterns: Sequence[str]) -> Callable[[Licence], bool]:
    """Returns a function that says whether a licence is one of those allowed.

    A pattern is an exact licence (``CC-BY-4.0``, ``CC BY 4.0``), a family in any version (``CC-BY`` or
    ``CC-BY*``, which is not ``CC-BY-NC``), or a group: ``open`` (any use), ``non-commercial`` (may at least
    be changed and shared without payment; takes the open ones in), ``gbif`` (the three that GBIF takes),
    ``not-stated``. Unknown licences pass no pattern but ``not-stated``.

    Raises:
        SourceError: a pattern is none of these; the message names the nearest one.
    """
    tests = [_pattern(pattern) for pattern in patterns]
    return lambda licence: any(test(licence) for test in tests)


def allows(patterns: Sequence[str], licence: Licence) -> bool:
    """Returns whether one licence passes at least one pattern (see ``licence_filter``)."""
    return licence_filter(patterns)(licence)


def _pattern(pattern: str) -> Callable[[Licence], bool]:
    word = pattern.strip()
    if word.lower() in _GROUPS:
        return _GROUPS[word.lower()]
    families = {family.lower(): family for family in TERMS}
    family = families.get(word.rstrip("*").rstrip("-").lower())
    if family is not None:
        return lambda licence: licence.family == family
    named = parse_licence(word)
    if named.id is None or "*" in word:
        known = [*_GROUPS, *sorted(TERMS), "CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0"]
        raise SourceError(f"--allow-licence {pattern}: no such licence.{did_you_mean(word, known)}")
    return lambda licence: licence.id == named.id
