"""What the records are narrowed to, as a value: in a link, as masks, as words."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

import numpy as np
from numpy.typing import NDArray

from holotype.app.exploring.box import Box, number_text
from holotype.app.exploring.facts import FACETS, Facts
from holotype.app.exploring.lineages import Path

Mask = NDArray[np.bool_]

TAXON, SINCE, UNTIL, MONTH = "taxon", "since", "until", "month"
DEPTH_FROM, DEPTH_TO, DEPTH_UNDER = "depth_from", "depth_to", "depth_under"
BOX, HAS, SELECTION = "box", "has", "selection"
HAS_WHAT = ("image", "barcode", "place", "date", "depth")
_SAFE = " .,()'-_"


@dataclass(frozen=True)
class Filters:
    """What is asked of a record; all of it must hold.

    Attributes:
        chosen: facet and value; of several values of one facet any will do. None stands for no value.
        taxon: the node of the tree that it is at or under.
        since: least ``YYYY`` or ``YYYY-MM``.
        until: greatest, inclusive.
        months: of the year, 1 to 12; any by default.
        depth_from: metres, inclusive.
        depth_to: metres, inclusive.
        depth_under: metres, exclusive, as the layers of depth end.
        box: where.
        has: what must be there, of ``HAS_WHAT``.
        selection: key of a kept selection.
    """

    chosen: frozenset[tuple[str, str | None]] = frozenset()
    taxon: Path = ()
    since: str | None = None
    until: str | None = None
    months: frozenset[int] = frozenset()
    depth_from: float | None = None
    depth_to: float | None = None
    depth_under: float | None = None
    box: Box | None = None
    has: frozenset[str] = frozenset()
    selection: str | None = None

    def __bool__(self) -> bool:
        return self != Filters()

    def values(self, facet: str) -> set[str | None]:
        """Returns the values of a facet that are chosen."""
        return {value for name, value in self.chosen if name == facet}

    def toggled(self, facet: str, value: str | None) -> "Filters":
        """Returns the filters with a value chosen, or no longer chosen."""
        return replace(self, chosen=self.chosen ^ {(facet, value)})

    def query(self) -> str:
        """Returns the filters as the query of a link; ``read_filters`` gives them back."""
        pairs: list[tuple[str, str]] = sorted((name, value or "") for name, value in self.chosen)
        pairs += [(TAXON, path_text(self.taxon))] if self.taxon else []
        single = {
            SINCE: self.since, UNTIL: self.until,
            DEPTH_FROM: _number(self.depth_from), DEPTH_TO: _number(self.depth_to),
            DEPTH_UNDER: _number(self.depth_under),
            BOX: self.box.text() if self.box else None, SELECTION: self.selection,
        }  # fmt: skip
        pairs += [(name, text) for name, text in single.items() if text is not None]
        pairs += [(MONTH, str(month)) for month in sorted(self.months)]
        pairs += [(HAS, what) for what in sorted(self.has)]
        return urlencode(pairs)


def path_text(path: Path) -> str:
    """Returns a path of the tree as one text.

    >>> path_text((("kingdom", "Animalia"), ("phylum", "a>b")))
    'kingdom:Animalia>phylum:a%3Eb'
    """
    return ">".join(f"{rank}:{quote(name, safe=_SAFE)}" for rank, name in path)


def path_of(text: str) -> Path:
    """Returns the path that a text says.

    Raises:
        ValueError: for what is none.

    >>> path_of("kingdom:Animalia>phylum:a%3Eb")
    (('kingdom', 'Animalia'), ('phylum', 'a>b'))
    """
    nodes = []
    for part in text.split(">"):
        rank, colon, name = part.partition(":")
        if not (rank and colon and name):
            raise ValueError(text)
        nodes.append((rank, unquote(name)))
    return tuple(nodes)


def read_filters(pairs: Iterable[tuple[str, str]]) -> tuple[Filters, tuple[str, ...]]:
    """Returns the filters of the query of a link, and what in it could not be read, in words.

    Names that are no filter are left to others.
    """
    found = Filters()
    problems = []
    for name, text in pairs:
        if name in FACETS:
            found = replace(found, chosen=found.chosen | {(name, text or None)})
        elif name in _READERS:
            try:
                found = _READERS[name](found, text)
            except ValueError:
                problems.append(f"{name}={text}")
    return found, tuple(problems)


def _read_date(text: str) -> str:
    year, dash, month = text.partition("-")
    if len(year) != 4 or not year.isdecimal() or not year.isascii():
        raise ValueError(text)
    if dash and not (len(month) == 2 and month.isdecimal() and 1 <= int(month) <= 12):
        raise ValueError(text)
    return text


def _read_number(text: str) -> float:
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _read_month(text: str) -> int:
    if not 1 <= int(text) <= 12:
        raise ValueError(text)
    return int(text)


def _what(text: str) -> str:
    if text not in HAS_WHAT:
        raise ValueError(text)
    return text


def _key(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= 64):
        raise ValueError(text)
    return text


_READERS: dict[str, Any] = {
    TAXON: lambda found, text: replace(found, taxon=path_of(text)),
    SINCE: lambda found, text: replace(found, since=_read_date(text)),
    UNTIL: lambda found, text: replace(found, until=_read_date(text)),
    MONTH: lambda found, text: replace(found, months=found.months | {_read_month(text)}),
    DEPTH_FROM: lambda found, text: replace(found, depth_from=_read_number(text)),
    DEPTH_TO: lambda found, text: replace(found, depth_to=_read_number(text)),
    DEPTH_UNDER: lambda found, text: replace(found, depth_under=_read_number(text)),
    BOX: lambda found, text: replace(found, box=Box.read(text)),
    HAS: lambda found, text: replace(found, has=found.has | {_what(text)}),
    SELECTION: lambda found, text: replace(found, selection=_key(text)),
}


def _number(value: float | None) -> str | None:
    return None if value is None else number_text(value)


def masks(
    facts: Facts, filters: Filters, *, selected: NDArray[np.int64] | None = None
) -> dict[str, Mask]:
    """Returns for each filter that is set which records pass it.

    Args:
        facts: of the records.
        filters: what is asked.
        selected: rows of the kept selection, where one is asked for.
    """
    found: dict[str, Mask] = {}
    for facet in sorted({name for name, _ in filters.chosen}):
        found[facet] = _has_value(facts, facet, filters.values(facet))
    if filters.taxon:
        found[TAXON] = facts.lineages.under(filters.taxon)[facts.lineage_N]
    if filters.since or filters.until:
        found["time"] = _in_time(facts, filters.since, filters.until)
    if filters.months:
        found[MONTH] = np.isin(facts.month_N, sorted(filters.months))
    if (filters.depth_from, filters.depth_to, filters.depth_under) != (None, None, None):
        found["depth"] = _in_depth(facts, filters)
    if filters.box is not None:
        found[BOX] = _in_box(facts, filters.box)
    for what in sorted(filters.has):
        found[f"{HAS} {what}"] = known(facts)[what]
    if filters.selection is not None:
        inside = np.zeros(len(facts), dtype=np.bool_)
        inside[np.zeros(0, np.int64) if selected is None else selected] = True
        found[SELECTION] = inside
    return found


def known(facts: Facts) -> Mapping[str, Mask]:
    """Returns for each of ``HAS_WHAT`` which records have it."""
    return {
        "image": facts.image_N,
        "barcode": facts.barcode_N,
        "place": ~np.isnan(facts.latitude_N) & ~np.isnan(facts.longitude_N),
        "date": facts.year_N > 0,
        "depth": ~np.isnan(facts.depth_N),
    }


def _has_value(facts: Facts, facet: str, values: set[str | None]) -> Mask:
    coded = facts.coded.get(facet)
    if coded is None:
        return np.full(len(facts), None in values)
    wanted_V = np.zeros(len(coded.values), dtype=np.bool_)
    for value in values:
        code = coded.code(value)
        if code is not None:
            wanted_V[code] = True
    found: Mask = wanted_V[coded.code_N]
    return found


def _in_depth(facts: Facts, filters: Filters) -> Mask:
    """Returns what was taken in a layer; what has no depth is in none."""
    ends = (
        (np.greater_equal, filters.depth_from), (np.less_equal, filters.depth_to),
        (np.less, filters.depth_under),
    )  # fmt: skip
    inside: Mask = ~np.isnan(facts.depth_N)
    for compared, end in ends:
        if end is not None:
            inside &= compared(facts.depth_N, end)
    return inside


def _in_time(facts: Facts, since: str | None, until: str | None) -> Mask:
    """Returns what was collected in a span; of a month unknown, the whole year must be in it."""
    month = facts.month_N.astype(np.int32)
    year = facts.year_N.astype(np.int32) * 12
    first = year + np.where(month > 0, month, 1)
    last = year + np.where(month > 0, month, 12)
    inside: Mask = facts.year_N > 0
    if since is not None:
        inside &= first >= int(since[:4]) * 12 + int(since[5:7] or 1)
    if until is not None:
        inside &= last <= int(until[:4]) * 12 + int(until[5:7] or 12)
    return inside


def _in_box(facts: Facts, box: Box) -> Mask:
    east_of = facts.longitude_N >= box.west
    west_of = facts.longitude_N <= box.east
    inside = east_of & west_of if box.west <= box.east else east_of | west_of
    found: Mask = inside & (facts.latitude_N >= box.south) & (facts.latitude_N <= box.north)
    return found
