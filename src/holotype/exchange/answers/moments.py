"""ISO 8601 dates, times and intervals as Darwin Core takes them."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?")
Span = tuple[datetime, datetime]


@lru_cache(maxsize=10_000)
def span_of(written: str) -> Span | None:
    """Returns the first and last moment that a date, time or interval may mean, None where it is none.

    A moment without a zone is taken for UTC, for comparing only.

    >>> [str(end)[:19] for end in span_of("2024-02")]
    ['2024-02-01 00:00:00', '2024-02-29 23:59:59']
    >>> span_of("2024-13-01"), span_of("2024-05-02/2024-05-01")
    (None, None)
    """
    start, slash, end = written.partition("/")
    first = _one(start)
    if first is None or not slash:
        return first
    last = _one(end)
    return (first[0], last[1]) if last is not None and first[0] <= last[1] else None


def _one(written: str) -> Span | None:
    try:
        if period := _PERIOD.fullmatch(written):
            year, month = int(period[1]), int(period[2] or 1)
            last = (int(period[2] or 12), monthrange(year, int(period[2] or 12))[1])
            end = datetime(year, *last, 23, 59, 59, tzinfo=UTC)
            return datetime(year, month, 1, tzinfo=UTC), end
        if _DAY.fullmatch(written) is None:
            return None
        moment = datetime.fromisoformat(written)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    whole = timedelta(days=1) if len(written) == len("2024-01-01") else timedelta(seconds=1)
    return moment, moment + whole - timedelta(seconds=1)


def together(first: str, second: str) -> str:
    """Returns the shortest interval that holds two dates, times or intervals, as they are written.

    >>> together("2024-05-02", "2024-05-01"), together("2024-05-01/2024-05-03", "2024-05-02")
    ('2024-05-01/2024-05-02', '2024-05-01/2024-05-03')

    Raises:
        ValueError: when one is none of these.
    """
    if first == second:
        return first
    ends = []
    for text in (first, second):
        span = span_of(text)
        if span is None:
            raise ValueError(text)
        start, _, end = text.partition("/")
        ends += [(span, start, end or start)]
    begin = min(ends, key=lambda one: one[0][0])[1]
    finish = max(ends, key=lambda one: one[0][1])[2]
    return begin if begin == finish else f"{begin}/{finish}"
