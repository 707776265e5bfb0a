"""How figures and names are written: escaped, in per cent, with a dash for what is missing."""

import html
import math
from collections.abc import Sequence
from typing import Any

DASH = "\u2013"
RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
ROW_ORDER = (*RANKS, "label")
PARTS = ("seen", "unseen", "harmonic", "all")
METRICS = ("top1_micro", "top1_macro", "top5_micro", "top5_macro")

METRIC_NAMES = {
    "top1_micro": "top-1, micro",
    "top1_macro": "top-1, macro",
    "top5_micro": "top-5, micro",
    "top5_macro": "top-5, macro",
    "macro_f1": "macro-F1",
    "1_shot": "1 example",
    "5_shot": "5 examples",
    "10_shot": "10 examples",
}
PART_NAMES = {
    "seen": "seen species",
    "unseen": "unseen species",
    "harmonic": "harmonic mean",
    "all": "all records",
}


def plain(value: object) -> str:
    """Returns a value as escaped HTML text; None and NaN as a dash.

    >>> plain('"><img'), plain(None) == DASH
    ('&quot;&gt;&lt;img', True)
    """
    return DASH if is_missing(value) else html.escape(str(value), quote=True)


def plot_text(value: object) -> str:
    """Returns a value as text for a figure, where ``<b>`` and links would otherwise come alive."""
    return DASH if is_missing(value) else html.escape(str(value), quote=False)


def is_missing(value: object) -> bool:
    """Returns whether a value is None, NaN or infinite."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def finite(value: Any) -> float | None:
    """Returns a number, or None for what is missing or no number."""
    if is_missing(value) or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def percent(value: object) -> str:
    """Returns a share as per cent with one decimal.

    >>> percent(0.0869), percent(None) == DASH
    ('8.7', True)
    """
    number = finite(value)
    return DASH if number is None else f"{100 * number:.1f}"


def with_unit(value: object) -> str:
    """Returns a share as per cent with its sign, after a thin space."""
    return DASH if finite(value) is None else f"{percent(value)}\u202f%"


def interval(low: object, high: object) -> str:
    """Returns an interval in per cent, or a dash.

    >>> interval(0.1, 0.25) == f"10.0{DASH}25.0", interval(-0.1, 0.25)
    (True, '-10.0 to 25.0')
    """
    first, last = finite(low), finite(high)
    if first is None or last is None:
        return DASH
    return f"{percent(first)}{' to ' if first < 0 else DASH}{percent(last)}"


def measured(value: object, low: object, high: object) -> str:
    """Returns a figure and its interval as HTML; one dash where there is no figure."""
    if finite(value) is None:
        return DASH
    return f"<b>{percent(value)}</b> <small>{interval(low, high)}</small>"


def count(value: object) -> str:
    """Returns a count with thin spaces between thousands."""
    number = finite(value)
    return DASH if number is None else f"{number:,.0f}".replace(",", "\u202f")


def sum_of_counts(counts: dict[str, Any]) -> int:
    """Returns the sum of the counts of a table of counts."""
    return int(sum(finite(value) or 0 for value in counts.values()))


def some(number: int, one: str, many: str | None = None) -> str:
    """Returns a count with its noun.

    >>> some(1, "record"), some(2, "record"), some(2, "query", "queries")
    ('1 record', '2 records', '2 queries')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def pair_name(pair: str) -> str:
    """Returns what is compared with what, query first.

    >>> pair_name("image-barcode"), pair_name("image")
    ('image → barcode', 'image')
    """
    return " → ".join(pair.split("-"))


def metric_name(metric: str) -> str:
    """Returns the written name of a metric, or its key in words."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def part_name(part: str) -> str:
    """Returns the written name of a part of the queries."""
    return PART_NAMES.get(part, part)


def capital(text: str) -> str:
    """Returns a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def ordered(found: Sequence[str], order: Sequence[str]) -> list[str]:
    """Returns the different names found: those of ``order`` first, in that order, then the others."""
    unique = list(dict.fromkeys(found))
    return [n for n in order if n in unique] + [n for n in unique if n not in order]


def wilson(right: float, asked: float) -> tuple[float | None, float | None]:
    """Returns the 95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Weighted records need not be whole numbers.

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    if asked <= 0:
        return None, None
    z = 1.959964
    share = right / asked
    centre = (share + z * z / (2 * asked)) / (1 + z * z / asked)
    half = z / (1 + z * z / asked) * math.sqrt(share * (1 - share) / asked + (z / (2 * asked)) ** 2)
    return max(0.0, centre - half), min(1.0, centre + half)
