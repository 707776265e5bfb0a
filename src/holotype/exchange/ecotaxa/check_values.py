"""What EcoTaxa takes in one cell."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

IMAGE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_LETTERS = 250
_NONE = frozenset({"", "nan", "na"})
_DEGREES = re.compile(r"-?\d{1,3}°\d{1,2}( \d{1,2})?")
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_TIME = re.compile(r"\d{1,6}(\.\d+)?|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")
_STATUSES = frozenset({"predicted", "dubious", "validated", "discarded"})


def _within(limit: float) -> Callable[[str], str]:
    def fault(cell: str) -> str:
        number = float(cell.partition("°")[0]) if _DEGREES.fullmatch(cell) else _number(cell)
        if number is None:
            return "is no number"
        return "" if -limit <= number <= limit else f"is not within -{limit:g} and {limit:g}"

    return fault


def _is_date(cell: str) -> str:
    found = _DATE.fullmatch(cell)
    try:
        date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        found = None
    return "" if found else "is no date: YYYYMMDD or YYYY-MM-DD"


def _is_time(cell: str) -> str:
    plain = cell.partition(".")[0].replace(":", "")
    padded = plain.zfill(6 if len(plain) > 4 else 4).ljust(6, "0")
    fits = padded.isdecimal() and int(padded[:2]) < 24 and int(padded[2:4]) < 60
    right = _TIME.fullmatch(cell) and fits and int(padded[4:6]) < 60
    return "" if right else "is no time: HHMM, HHMMSS or HH:MM:SS"


def _is_status(cell: str) -> str:
    known = cell.lower() in _STATUSES
    return "" if known else f"is none of {', '.join(sorted(_STATUSES))}"


def _is_whole(cell: str) -> str:
    return "" if re.fullmatch(r"\d+(\.0)?", cell) else "is no whole number"


def _is_path(cell: str) -> str:
    return "" if all(part.strip() for part in cell.split(">")) else "has a blank name in A>B>C"


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


_RULES: Mapping[str, Callable[[str], str]] = {
    "object_lat": _within(90),
    "object_lon": _within(180),
    "object_date": _is_date,
    "object_annotation_date": _is_date,
    "object_time": _is_time,
    "object_annotation_time": _is_time,
    "object_annotation_status": _is_status,
    "object_annotation_category_id": _is_whole,
    "object_annotation_hierarchy": _is_path,
    "img_rank": _is_whole,
}
_NUMBERS = frozenset({"object_depth_min", "object_depth_max"})


def cell_faults(column: str, cell: str, types: Mapping[str, str]) -> Iterator[str]:
    """Yields what is wrong with one cell, as the end of a sentence.

    Args:
        column: its name, lower case.
        cell: its text.
        types: column -> ``[t]`` or ``[f]``.
    """
    text, shown = cell.strip(), cell.strip()[:40]
    if len(text) > _LETTERS:
        yield f"{len(text)} letters; EcoTaxa takes {_LETTERS}."
    if "\0" in cell:
        yield "a zero byte."
    if text.lower() in _NONE:
        return
    rule = _RULES.get(column)
    if rule is not None:
        if said := rule(text):
            yield f"'{shown}' {said}."
        return
    numeric = types.get(column) == "[f]" and column.startswith("object_")
    if (numeric or column in _NUMBERS) and _number(text) is None:
        yield f"'{shown}' is no number, and the column is one of numbers."
