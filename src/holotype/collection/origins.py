"""Where a record's place, depth, time and licence are known from, or why they are not.

A missing position may mean that the source gives none, that it cannot be read, or that it makes no sense (a
culture): these are different, and a record says which.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from holotype.catalogue.licences import parse_licence
from holotype.collection.known_sources import instrument_id
from holotype.collection.schema import KnownFrom
from holotype.media.capture_times import capture_time, reconciled

_MEASURED: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("place_from", "extra:place_from", ("latitude_deg", "longitude_deg")),
    ("depth_from", "extra:depth_from", ("depth_min_m", "depth_max_m")),
)
_RECORD, _SOURCE = KnownFrom.RECORD.value, KnownFrom.SOURCE.value
_UNREADABLE, _NOT_GIVEN = KnownFrom.UNREADABLE.value, KnownFrom.NOT_GIVEN.value
ORIGIN_FIELDS = frozenset({"extra:place_from", "extra:depth_from", "extra:time_from"})
"""Fields by which a source says that a value is of the sample, of the file name or a constant, or why it is
missing; their values are those of ``KnownFrom``."""


def fill_origins(
    record: dict[str, Any],
    fields: Mapping[str, str],
    notes: list[tuple[str, str]],
    *,
    given: Mapping[str, str],
    constants: Mapping[str, str],
) -> None:
    """Fills in the time from the file name, the licence as SPDX, and where all of these are known from.

    Args:
        record: the record so far; changed in place.
        fields: all fields, whoever said them.
        notes: what is odd; appended to.
        given: the fields that the source gives for this record.
        constants: those that the user gives for all.
    """
    for column, said_by, measured in _MEASURED:
        said = fields.get(said_by)
        first, second = measured
        if first in record or second in record:
            own = first in given or second in given
            found = _RECORD if own else _SOURCE
            record[column] = said if said and said != _UNREADABLE else found
        elif fields.get(first) or fields.get(second):
            record[column] = _UNREADABLE
        else:
            record[column] = said or _NOT_GIVEN
    if record.get("latitude_deg") == 0 and record.get("longitude_deg") == 0:
        notes.append(("place", "latitude and longitude are both 0: most likely never filled in"))
    _fill_time(record, fields, notes, given)
    _fill_licence(record, fields.get("licence", ""), given, constants)
    if "instrument" in record and "instrument_id" not in record:
        term = instrument_id(record["instrument"])
        if term is not None:
            record["instrument_id"] = term


def _fill_time(
    record: dict[str, Any],
    fields: Mapping[str, str],
    notes: list[tuple[str, str]],
    given: Mapping[str, str],
) -> None:
    written = fields.get("collected_on") or None
    said = fields.get("extra:time_from")
    if written is not None and not _is_iso_8601(written):
        notes.append(("date", f"collected_on '{written}' is no date: left out; write YYYY-MM-DD"))
        written, said = None, _UNREADABLE
    name = record["image"][1] if "image" in record else None
    value, known_from, odd = reconciled(written, capture_time(name) if name else None)
    if odd is not None:
        notes.append(("time", odd))
    if value is None:
        record["time_from"] = said or _NOT_GIVEN
        return
    record["collected_on"] = value
    own = _RECORD if "collected_on" in given else _SOURCE
    of_record = said if said and said != _UNREADABLE else own
    record["time_from"] = of_record if known_from == _RECORD else str(known_from)


@lru_cache(maxsize=10_000)
def _is_iso_8601(written: str) -> bool:
    """Whether a text is a year, a month, a date or a time of ISO 8601."""
    if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", written):
        return True
    try:
        datetime.fromisoformat(written)
    except ValueError:
        return False
    return written[4:5] == "-"


def _fill_licence(
    record: dict[str, Any], written: str, given: Mapping[str, str], constants: Mapping[str, str]
) -> None:
    if not written:
        return
    record["licence"] = _spdx(written)
    from_all = "user" if "licence" in constants else "source"
    record["licence_from"] = "record" if "licence" in given else from_all


@lru_cache(maxsize=10_000)
def _spdx(written: str) -> str:
    return parse_licence(written).id or written
