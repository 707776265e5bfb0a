"""Files in which a user names classes: a list of them, a table of classes and their bins. Without torch."""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from holotype.errors import SourceError, first_few

_LISTS = (".txt", ".csv", ".tsv")


def read_classes(given: str) -> tuple[str, ...]:
    """Returns the classes of a list with commas, or of a text file with one a line.

    >>> read_classes("cat, bird,bear")
    ('cat', 'bird', 'bear')

    Raises:
        SourceError: when there is no such file, no class in it, or one twice.
    """
    path = Path(given)
    if os.path.isfile(given):  # noqa: PTH113 - any text, also one that is no path
        names = _text(path).splitlines()
    elif path.suffix.lower() in _LISTS:
        raise SourceError(f"--cls {given}: no such file. Name one with a class a line, or a,b,c.")
    else:
        names = given.split(",")
    return _distinct([name.strip() for name in names], f"--cls {given}")


def read_bins(path: Path) -> dict[str, str]:
    """Returns class -> bin of a table with a header, whatever its first two columns are called.

    Raises:
        SourceError: names the line that lacks one of them, or a class that is there twice.
    """
    (_, header), *rows = read_rows(path, f"--bins {path}")
    if len(header) < 2:
        raise SourceError(
            f"--bins {path}: one column. Write two, a class and its bin: 'cls,bin', 'cat,pets'."
        )
    found: list[tuple[str, str]] = []
    for line, row in rows:
        name, *others = [one.strip() for one in row]
        if not name or not others or not others[0]:
            raise SourceError(f"--bins {path}, line {line}: {row}: write a class and its bin.")
        found.append((name, others[0]))
    _distinct([name for name, _ in found], f"--bins {path}")
    return dict(found)


def read_rows(path: Path, asked: str) -> list[tuple[int, list[str]]]:
    """Returns the rows of a CSV with the line where each ends, blank ones left out, the header first.

    Raises:
        SourceError: when it is missing, no text, or empty.
    """
    reader = csv.reader(_text(path).splitlines(keepends=True))
    rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    if not rows:
        raise SourceError(f"{asked}: nothing in it. Write a header and a row for each name.")
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as reason:
        raise SourceError(f"{path}: cannot be read as UTF-8 text ({reason}).") from reason


def _distinct(names: Sequence[str], asked: str) -> tuple[str, ...]:
    found = tuple(name for name in names if name)
    if not found:
        raise SourceError(f"{asked}: no class. Write at least one name.")
    if twice := [name for name, count in Counter(found).items() if count > 1]:
        raise SourceError(
            f"{asked}: {first_few(twice)} twice: each would get half of the score. Write it once."
        )
    return found
