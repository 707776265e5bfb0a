"""Dates of an event -> the moment of a record; an interval gives its start, and is kept beside it."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from holotype.collection.reading.fields import RowFields, parse_date, parse_period, whole_number
from holotype.collection.sources.darwin_core.terms import TIME, said

_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$")
_TOKENS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}


def fill_time(row: RowFields, inherited: Collection[str], date_format: str | None = None) -> None:
    """Fills in ``collected_on`` from eventDate and eventTime, else from year, month and day.

    A year, or a year and month, is kept as that where no day is known.
    """
    written = said(row, "eventDate")
    start = written.partition("/")[0].strip() if date_format is None else written
    found = _formatted(start, date_format) if date_format else parse_date(start)
    parts = [said(row, name).removesuffix(".0") for name in ("year", "month", "day")]
    if found is None and all(whole_number(part) is not None for part in parts):
        found = parse_date("-".join(part.zfill(2) for part in parts))
    elif found is None:
        row.used -= {"year", "month", "day"}
    found = found or parse_period(start) or _period(parts)
    if found is None and written:
        row.note("date", "eventDate", "is no date", "write YYYY-MM-DD, or an interval of two")
    clock = said(row, "eventTime").partition("/")[0].strip()
    if found is not None and clock and len(found) == len("YYYY-MM-DD"):
        found = _with_clock(row, found, clock)
    if found is not None:
        row.fields["collected_on"] = found
    if written and (found is None or "/" in written or not written.startswith(found[:10])):
        row.fields["extra:eventDate"] = written
    if TIME & set(inherited):
        row.fields["extra:time_from"] = "sample"


def _period(parts: Sequence[str]) -> str | None:
    """Returns the year, or year and month, of a row without a day, or None."""
    year, month, _ = parts
    return parse_period(f"{year}-{month.zfill(2)}") or parse_period(year)


def _with_clock(row: RowFields, day: str, clock: str) -> str:
    parsed = _CLOCK.match(clock)
    if parsed is not None:
        hours, minutes, seconds, zone = parsed.groups()
        moment = parse_date(f"{day}T{hours.zfill(2)}:{minutes}:{seconds or '00'}{zone or ''}")
        if moment is not None:
            return moment
    row.note("time", "eventTime", "is no time", "write HH:MM:SS, with Z or an offset if known")
    return day


def _formatted(written: str, date_format: str) -> str | None:
    pattern = date_format.replace("%", "%%")
    for token, directive in _TOKENS.items():
        pattern = pattern.replace(token, directive)
    try:
        found = datetime.strptime(written, pattern)  # noqa: DTZ007 - the format says what is there
    except ValueError:
        return parse_date(written)
    return found.isoformat() if "%H" in pattern else found.date().isoformat()
