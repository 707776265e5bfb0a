"""When an image was taken, from its file name: six conventions of plankton imagers, read strictly.

The conventions and their examples (Planktonzilla's list, arXiv 2606.00080, checked against real names of the
first three; for the last three the example below is what is known of them, and only names of just that
shape are read):

- Scripps Plankton Camera: ``SPC-EAWAG-0P5X-1570543372901157-3725350526242-001629-055-1224-2176-84-64.jpeg``:
  camera, microseconds since 1970 (UTC), camera clock, frame, region, x, y, width, height
- IFCB, old: ``IFCB5_2012_028_081515_00003.png``: year, day of the year, time (UTC), region
- IFCB, new: ``D20130526T095207_IFCB013_00014.png``: date, time (UTC), region
- ISIIS: ``20140602073348.076.0131_000_crop_463.jpg``: date and time, milliseconds, frame, part, region
- CPICS: ``20151103_102539.630.0.png``: date, time, milliseconds, region
- PlanktoScope: ``2024-03-12_11-55-35-346253_1.jpg``: date, time, microseconds, region

A name of any other shape gives nothing; a number that is an object's id is never read as a time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_TOLERANCE = timedelta(seconds=60)
_SECONDS_PER_DAY = timedelta(days=1)


class Convention(StrEnum):
    """Who names files so."""

    SPC = "spc"
    IFCB_DAY_OF_YEAR = "ifcb_day_of_year"
    IFCB_ISO = "ifcb_iso"
    ISIIS = "isiis"
    CPICS = "cpics"
    PLANKTOSCOPE = "planktoscope"


@dataclass(frozen=True)
class CaptureTime:
    """What a file name says of the moment and the place in a run.

    Attributes:
        moment: ISO 8601, to the second or finer; with an offset where the clock is known to run on UTC,
            else without one: the clock's zone is not known.
        convention: whose names look so.
        camera: the instrument, as the name has it ("IFCB013", "SPC-EAWAG-0P5X"), or None.
        bin_id: the IFCB bin, or None.
        roi_number: number of the region of interest, as the name counts, or None.
    """

    moment: str
    convention: Convention
    camera: str | None = None
    bin_id: str | None = None
    roi_number: int | None = None


_Parts = dict[str, str | None]


def _epoch(parts: _Parts) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(parts["epoch"] or ""))


def _day_of_year(parts: _Parts) -> datetime:
    written = f"{parts['year']} {parts['day']} {parts['clock']}"
    found = datetime.strptime(written, "%Y %j %H%M%S").replace(tzinfo=UTC)
    if str(found.year) != parts["year"]:
        raise ValueError(f"{parts['year']} has no day {parts['day']}")
    return found


def _compact_utc(parts: _Parts) -> datetime:
    return datetime.strptime(f"{parts['date']} {parts['clock']}", "%Y%m%d %H%M%S").replace(
        tzinfo=UTC
    )


def _compact(parts: _Parts) -> datetime:
    written = f"{parts['date']} {parts['clock']} {parts['fraction']}"
    return datetime.strptime(written, "%Y%m%d %H%M%S %f")  # noqa: DTZ007 - the zone is not known


def _dashed(parts: _Parts) -> datetime:
    written = f"{parts['date']} {parts['clock']} {parts['fraction']}"
    return datetime.strptime(written, "%Y-%m-%d %H-%M-%S %f")  # noqa: DTZ007


_END = r"(?=[._]|$)"
_CONVENTIONS: tuple[tuple[Convention, re.Pattern[str], Callable[[_Parts], datetime]], ...] = (
    (
        Convention.SPC,
        re.compile(
            r"(?P<camera>SPC[A-Z0-9]*(?:-[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)+)-(?P<epoch>\d{16})-\d{10,16}-\d{6}"
            r"-(?P<roi>\d{3})-\d{1,5}-\d{1,5}-\d{1,5}-\d{1,5}\.[A-Za-z]+"
        ),
        _epoch,
    ),
    (
        Convention.IFCB_DAY_OF_YEAR,
        re.compile(
            r"(?P<bin>(?P<camera>IFCB\d{1,3})_(?P<year>\d{4})_(?P<day>\d{3})_(?P<clock>\d{6}))"
            r"(?:_(?P<roi>\d{5}))?" + _END
        ),
        _day_of_year,
    ),
    (
        Convention.IFCB_ISO,
        re.compile(
            r"(?P<bin>D(?P<date>\d{8})T(?P<clock>\d{6})_(?P<camera>IFCB\d{3}))(?:_(?P<roi>\d{5}))?"
            + _END
        ),
        _compact_utc,
    ),
    (
        Convention.ISIIS,
        re.compile(
            r"(?P<date>\d{8})(?P<clock>\d{6})\.(?P<fraction>\d{3})\.\d{4}_\d{3}_crop_(?P<roi>\d{1,6})\.[A-Za-z]+"
        ),
        _compact,
    ),
    (
        Convention.CPICS,
        re.compile(
            r"(?P<date>\d{8})_(?P<clock>\d{6})\.(?P<fraction>\d{3})\.(?P<roi>\d{1,6})\.[A-Za-z]+"
        ),
        _compact,
    ),
    (
        Convention.PLANKTOSCOPE,
        re.compile(
            r"(?P<date>\d{4}-\d{2}-\d{2})_(?P<clock>\d{2}-\d{2}-\d{2})-(?P<fraction>\d{6})_(?P<roi>\d{1,6})"
            r"\.[A-Za-z]+"
        ),
        _dashed,
    ),
)


def capture_time(file_name: str, *, now: datetime | None = None) -> CaptureTime | None:
    """Returns what a file name says of its capture, or None where it is of none of the conventions.

    The times lie between 1990 and a day from now; anything else is no capture time.

    Args:
        file_name: a name or a path; only its last part is read.
        now: the present, with an offset.

    >>> capture_time("IFCB5_2012_028_081515_00003.png").moment
    '2012-01-28T08:15:15+00:00'
    >>> capture_time("257738613.png") is None
    True
    """
    name = file_name.replace("\\", "/").rpartition("/")[2]
    for convention, pattern, moment_of in _CONVENTIONS:
        if found := pattern.match(name):
            parts = found.groupdict()
            try:
                moment = moment_of(parts)
            except (ValueError, OverflowError):
                return None
            latest = (now or datetime.now(UTC)) + _SECONDS_PER_DAY
            if not EARLIEST <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= latest:
                return None
            roi = parts.get("roi")
            return CaptureTime(
                moment.isoformat(),
                convention,
                parts.get("camera"),
                parts.get("bin"),
                int(roi) if roi else None,
            )
    return None


class Reconciled(NamedTuple):
    """A collection time with how it is known: ``record``, ``file_name`` or ``not_given``, and what is odd."""

    value: str | None
    known_from: str
    note: str | None


def reconciled(collected_on: str | None, from_name: CaptureTime | None) -> Reconciled:
    """Returns one time of what the source says and what the file name says.

    A missing time is filled from the name, a date is refined by a name of the same day, and a time that
    contradicts the name is kept, with a note.
    """
    if from_name is None:
        return Reconciled(collected_on or None, "record" if collected_on else "not_given", None)
    if not collected_on:
        return Reconciled(from_name.moment, "file_name", None)
    if len(collected_on) == 10 and collected_on == from_name.moment[:10]:
        return Reconciled(from_name.moment, "file_name", None)
    note = (
        None
        if _agree(collected_on, from_name.moment)
        else (
            f"collected_on is {collected_on}, but the file name says {from_name.moment}: the former is kept; "
            "check which is right"
        )
    )
    return Reconciled(collected_on, "record", note)


def _agree(collected_on: str, from_name: str) -> bool:
    """Returns whether two times may be the same; clocks of unknown zones may be 14 hours apart."""
    named = datetime.fromisoformat(from_name)
    try:
        if len(collected_on) == 10:
            day = date.fromisoformat(collected_on)
            zone_known = named.tzinfo is not None
            return day == named.date() if zone_known else abs((day - named.date()).days) <= 1
        said = datetime.fromisoformat(collected_on)
    except ValueError:
        return len(collected_on) in {4, 7} and from_name.startswith(collected_on)
    if (said.tzinfo is None) != (named.tzinfo is None):
        difference = said.replace(tzinfo=None) - named.replace(tzinfo=None)
        return abs(difference) <= timedelta(hours=14) + _TOLERANCE
    return abs(said - named) <= _TOLERANCE
