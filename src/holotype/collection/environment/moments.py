"""When a record was taken, from the text of its ``collected_on``."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np

NOON = timedelta(hours=12)
_DAY = re.compile(r"\d{4}(-\d\d-\d\d|\d{4}|-?W\d\d-?\d)")
_LONGER = re.compile(r"\d{4}(-?\d\d|-?W\d\d)?")
_MIDNIGHT = re.compile(r"(?<=[T ])24(?=(:?00(:?00([.,]0+)?)?)?([Z+-]|$))")
_NONE = np.datetime64("NaT", "s")


def moment(text: str | None) -> np.datetime64:
    """Returns an ISO 8601 date or time in UTC, datetime64[s]; NaT where there is none.

    A day alone is its noon; a year, month or week alone is no time, nor is one outside of the years 1 to
    9999. The hour 24 is the next day's midnight. A time without an offset is taken as UTC.

    >>> moment("20140420"), moment("2014-04-20T24:00:00"), moment("2014-04")
    (np.datetime64('2014-04-20T12:00:00'), np.datetime64('2014-04-21T00:00:00'), np.datetime64('NaT','s'))
    """
    written = (text or "").strip()
    if not written or _LONGER.fullmatch(written):
        return _NONE
    started, late = _MIDNIGHT.subn("00", written, count=1)
    try:
        found = datetime.fromisoformat(started) + timedelta(days=late)
        if _DAY.fullmatch(written):
            found += NOON
        plain = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        return _NONE
    return np.datetime64(plain, "s")
