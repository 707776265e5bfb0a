"""Written values -> fields of an item: numbers, positions, dates, with faults named by line and column.

A value that cannot be read is left out with a note that says where it stands, what was found and what was
expected; the rest of the row is used.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from holotype.collection.reading.tabular import present
from holotype.collection.schema import BOUNDS, KnownFrom

_DEGREES = re.compile(
    r"^(-?[0-9]{1,3})\s*°\s*(\d+(?:[.,]\d+)?)(?:\s*['\s]\s*(\d+(?:[.,]\d+)?))?\s*['\"]*\s*([NSEW]?)$"
)
_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"^(\d{4})-?(\d{2})-?(\d{2})$", re.ASCII)
_PERIOD = re.compile(r"(1[5-9]|20)\d\d(-(0[1-9]|1[0-2]))?", re.ASCII)
_TIME = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$", re.ASCII)
_COUNTRY_CODES = frozenset({"countryCode", "countrycode", "country_iso", "country_code"})
_COUNTRY_NAMES = ("country", "country/ocean", "country_ocean")

_ORIGINS = {
    "latitude_deg": "extra:place_from",
    "longitude_deg": "extra:place_from",
    "depth_min_m": "extra:depth_from",
    "depth_max_m": "extra:depth_from",
    "collected_on": "extra:time_from",
}


@dataclass
class RowFields:
    """Collects the fields of one row.

    Attributes:
        where: file and line, as "ecotaxa_a.tsv, line 3".
        values: the row: text by column name.
        sentinels: further texts, lower case, that mean "missing" in this format.
        fields: what was understood.
        notes: (code, sentence) for what was not.
        used: the columns that were asked for; the others go to ``extra:``.
    """

    where: str
    values: Mapping[str, str]
    sentinels: frozenset[str] = frozenset()
    fields: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def written(self, column: str) -> str:
        """Returns the text of a column, "" where it is missing, and marks the column as used."""
        self.used.add(column)
        written = self.values.get(column)
        if not written:
            return ""
        text = present(written)
        if not text and column in _COUNTRY_CODES and is_namibia(column, self.values):
            return "NA"
        return "" if text.lower() in self.sentinels else text

    def first(self, *columns: str) -> str:
        """Returns the text of the first of several columns (aliases) that has one."""
        found = [self.written(column) for column in columns]
        return next((text for text in found if text), "")

    def text(self, target: str, *columns: str) -> str:
        """Puts the text of the first filled column under a target, and returns it."""
        if found := self.first(*columns):
            self.fields[target] = found
        return found

    def number(self, target: str, *columns: str, scale: float = 1.0) -> float | None:
        """Puts a number (times a scale) under a target; out of bounds or no number gives a note."""
        column = next((name for name in columns if self.written(name)), None)
        if column is None:
            return None
        return self._put_number(target, column, parse_number(self.written(column)), scale)

    def position(self, target: str, *columns: str) -> float | None:
        """Puts a latitude or longitude under a target: decimal degrees, or ``12°34.5 N``."""
        column = next((name for name in columns if self.written(name)), None)
        if column is None:
            return None
        return self._put_number(target, column, parse_degrees(self.written(column)), 1.0)

    def _put_number(
        self, target: str, column: str, found: float | None, scale: float
    ) -> float | None:
        low, high = BOUNDS[target]
        if found is None:
            self._lose(target)
            self.note("number", column, "is no number", f"write a number from {low:g} to {high:g}")
            return None
        if not low <= found * scale <= high:
            self._lose(target)
            self.note(
                "bounds",
                column,
                f"gives {target} {found * scale:g}",
                f"it must be {low:g} to {high:g}",
            )
            return None
        self.fields[target] = repr(found * scale)
        return found * scale

    def _lose(self, target: str) -> None:
        """Says that a place, depth or time is missing because what is written cannot be read."""
        if target in _ORIGINS:
            self.fields.setdefault(_ORIGINS[target], KnownFrom.UNREADABLE.value)

    def moment(self, target: str, date_column: str, time_column: str | None = None) -> str:
        """Puts a date, and the time where there is one, under a target as ISO 8601.

        Where only the year or the month is known, that is kept, without a time.
        """
        day = self.written(date_column)
        if not day:
            return ""
        if (found := parse_date(day) or parse_period(day)) is None:
            self._lose(target)
            self.note("date", date_column, "is no date", "write YYYY-MM-DD or YYYYMMDD")
            return ""
        clock = self.written(time_column) if time_column else ""
        if clock and (known := parse_clock(clock)) is None:
            self.note("time", str(time_column), "is no time", "write HH:MM:SS or HHMMSS")
        elif clock and len(found) == len("YYYY-MM-DD"):
            found = f"{found}T{known}"
        self.fields[target] = found
        return found

    def note(self, code: str, column: str, found: str, remedy: str) -> None:
        """Adds a note on a column: what was found there, and what to do."""
        said = self.values.get(column, "")
        shown = said if len(said) <= 60 else said[:57] + "..."
        place = f"{self.where}, column {column}"
        self.notes.append((code, f"{place}: '{shown}' {found}: left out; {remedy}"))

    def keep_extra(self, columns: Iterable[str] | None = None) -> None:
        """Puts what no target took under ``extra:``, column by column."""
        for column in columns or self.values:
            if column not in self.used and column.strip():
                text = present(self.values.get(column) or "")
                if not text and is_namibia(column, self.values):
                    text = "NA"
                if text and text.lower() not in self.sentinels:
                    self.fields[f"extra:{column}"] = text


def is_namibia(column: str, values: Mapping[str, str]) -> bool:
    """Returns whether a column of country codes says NA, Namibia, which elsewhere means "not available".

    It does not where the country's name is written NA too: then the writer left both out.

    >>> is_namibia("countryCode", {"countryCode": "NA"}), is_namibia("class", {"class": "NA"})
    (True, False)
    """
    if column not in _COUNTRY_CODES or (values.get(column) or "").strip() != "NA":
        return False
    return all((values.get(name) or "").strip() != "NA" for name in _COUNTRY_NAMES)


def filled(values: Mapping[str, str]) -> dict[str, str]:
    """Returns the columns of a row that are not missing, as written."""
    return {
        column: text
        for column, text in values.items()
        if present(text) or is_namibia(column, values)
    }


def whole_number(written: str, *, most: int = 10**18 - 1) -> int | None:
    """Returns a whole number from 0 to ``most``, written in at most 18 of the digits 0 to 9, or None.

    >>> whole_number("042"), whole_number("²"), whole_number("-1"), whole_number("300", most=255)
    (42, None, None, None)
    """
    number = int(written) if _WHOLE.fullmatch(written) else None
    return number if number is not None and number <= most else None


def parse_number(written: str) -> float | None:
    """Returns a finite number, with a decimal point or comma, or None.

    >>> parse_number("3,5"), parse_number("1,234.5"), parse_number("nan")
    (3.5, None, None)
    """
    text = written.strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def parse_degrees(written: str) -> float | None:
    """Returns decimal degrees of a decimal number or of degrees, minutes and seconds, or None.

    >>> parse_degrees("43°41.5 N"), parse_degrees("7°30 00 W"), parse_degrees("abc")
    (43.69166666666667, -7.5, None)
    """
    if (plain := parse_number(written)) is not None:
        return plain
    found = _DEGREES.match(written.strip())
    if found is None:
        return None
    degrees, minutes, seconds, side = found.groups()
    size = abs(int(degrees)) + (parse_number(minutes) or 0) / 60
    size += (parse_number(seconds) or 0) / 3600 if seconds else 0
    return -size if degrees.startswith("-") or side in {"S", "W"} else size


def parse_date(written: str) -> str | None:
    """Returns an ISO 8601 date or date and time, or None; day and month are never guessed.

    Read are YYYYMMDD, YYYY-MM-DD and whatever ``datetime.fromisoformat`` reads.

    >>> parse_date("20120502"), parse_date("2024-06-24T14:54:00Z"), parse_date("03/04/2020")
    ('2012-05-02', '2024-06-24T14:54:00+00:00', None)
    """
    text = written.strip()
    try:
        if plain := _DATE.match(text):
            return date(*(int(part) for part in plain.groups())).isoformat()
        if len(text) < 10 or whole_number(text[:4]) is None:
            return None
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None


def parse_period(written: str) -> str | None:
    """Returns a year or a month as ISO 8601 where that is all that is written, or None.

    >>> parse_period("2020"), parse_period("2020-07"), parse_period("2020-13"), parse_period("7")
    ('2020', '2020-07', None, None)
    """
    text = written.strip()
    return text if _PERIOD.fullmatch(text) else None


def parse_clock(written: str) -> str | None:
    """Returns a time as HH:MM:SS, or None; zeros that a spreadsheet ate are put back.

    >>> parse_clock("81200"), parse_clock("08:28:00.000"), parse_clock("7"), parse_clock("2561")
    ('08:12:00', '08:28:00', '00:07:00', None)
    """
    text = written.strip().removesuffix(".0")
    if found := _TIME.match(text):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
    elif whole_number(text) is not None and len(text) <= 6:
        padded = text.zfill(6 if len(text) > 4 else 4).ljust(6, "0")
        hours, minutes, seconds = int(padded[:2]), int(padded[2:4]), int(padded[4:])
    else:
        return None
    valid = hours < 24 and minutes < 60 and seconds < 60
    return f"{hours:02}:{minutes:02}:{seconds:02}" if valid else None
