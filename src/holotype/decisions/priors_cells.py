"""Cells of a prior table -> edges, depths, months, values; a wrong one is a ``ValueError`` in words."""

import re
from collections.abc import Mapping

from holotype.collection.reading.fields import parse_degrees, parse_number

BOX = ("latitude_min_deg", "latitude_max_deg", "longitude_min_deg", "longitude_max_deg")
BOUNDS = {"latitude": 90.0, "longitude": 180.0}
_TRUTH = {
    **dict.fromkeys(("yes", "y", "true", "1", "present"), True),
    **dict.fromkeys(("no", "n", "false", "0", "absent"), False),
}


def value_of(text: str, says: str) -> float:
    """Returns 1 or 0 for yes or no (blank: yes), else a number, 0 or more."""
    if says == "present":
        if text and text.lower().removesuffix(".0") not in _TRUTH:
            raise ValueError(f"column present: '{text}'; write yes or no")
        return float(_TRUTH[text.lower().removesuffix(".0")]) if text else 1.0
    number = parse_number(text)
    if number is None or number < 0:
        raise ValueError(f"column {says}: '{text}'; write a number, 0 or more")
    return number


def box_of(written: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    """Returns south, north, west and east edge; None where no edge is given."""
    texts = [written.get(name, "") for name in BOX]
    if not any(texts):
        return None
    edges = []
    for name, text in zip(BOX, texts, strict=True):
        limit = BOUNDS[name.partition("_")[0]]
        found = parse_degrees(text)
        if found is None or abs(found) > limit:
            raise ValueError(
                f"column {name}: '{text}'; a box has four edges, here within ±{limit:g}"
            )
        edges.append(found)
    south, north, west, east = edges
    if south > north:
        raise ValueError(f"column latitude_min_deg: {south:g} is north of {north:g}")
    return south, north, west, east


def depth_of(written: Mapping[str, str]) -> tuple[float, float] | None:
    """Returns the upper and lower end of a range of depths in metres; None where neither is given."""
    names = ("depth_min_m", "depth_max_m")
    texts = [written.get(name, "") for name in names]
    if not any(texts):
        return None
    found = [parse_number(text) if text else None for text in texts]
    for name, text, number in zip(names, texts, found, strict=True):
        if text and number is None:
            raise ValueError(f"column {name}: '{text}' is no number of metres")
    top = float("-inf") if found[0] is None else found[0]
    bottom = float("inf") if found[1] is None else found[1]
    if top > bottom:
        raise ValueError(f"column depth_min_m: {top:g} is below depth_max_m {bottom:g}")
    return top, bottom


def months_of(text: str) -> frozenset[int] | None:
    """Returns the months of a text such as "3-5" or "11-2;7"; None for a blank one.

    >>> sorted(months_of("11-2") or ())
    [1, 2, 11, 12]
    """
    if not text:
        return None
    found: set[int] = set()
    for part in re.split(r"[;,\s]+", text.removesuffix(".0").strip()):
        span = re.fullmatch(r"(\d{1,2})(?:[-–](\d{1,2}))?", part)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not (1 <= first <= 12 and 1 <= last <= 12):
            raise ValueError(f"column months: '{text}'; write numbers 1 to 12, as 3-5 or 1;7")
        length = (last - first) % 12 + 1
        found |= {(first - 1 + step) % 12 + 1 for step in range(length)}
    return frozenset(found)
