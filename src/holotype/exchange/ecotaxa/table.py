"""Rows of cells -> the text of an EcoTaxa table: header, line of types, tabs, quotes, 250 characters."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from holotype.exchange.ecotaxa.columns import MAX_LETTERS, TableColumn

SHORTENED = "texts shortened to 250 characters"
_MORE = " ..."


def table_bytes(
    columns: Sequence[TableColumn], rows: Sequence[Mapping[str, Any]], notes: Counter[str]
) -> bytes:
    """Returns a table as bytes: UTF-8, with a byte order mark where a letter is not ASCII.

    EcoTaxa takes a table without that mark for Latin-1. Tabs and line ends within a cell become blanks, and
    what is too long is shortened and counted in ``notes``.
    """
    written = io.StringIO()
    writer = csv.writer(written, delimiter="\t", quotechar='"', lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerow([column.type for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column.name), notes) for column in columns])
    text = written.getvalue()
    return text.encode("utf-8" if text.isascii() else "utf-8-sig")


def used_columns(
    columns: Sequence[TableColumn], rows: Sequence[Mapping[str, Any]]
) -> list[TableColumn]:
    """Returns the columns that some row fills."""
    filled = {name for row in rows for name, value in row.items() if value not in (None, "")}
    return [column for column in columns if column.name in filled]


def agree(rows: Sequence[dict[str, Any]], key: str, prefixes: tuple[str, ...]) -> int:
    """Fills blank cells of a sample or acquisition with the value that its other rows have.

    EcoTaxa takes these from the first row that it meets. Returns how many values the rows differ in.
    """
    known: dict[tuple[Any, str], set[Any]] = {}
    for row in rows:
        for name, value in row.items():
            if name.startswith(prefixes) and value not in (None, ""):
                known.setdefault((row.get(key), name), set()).add(value)
    for row in rows:
        for name in [name for name in row if name.startswith(prefixes)]:
            found = known.get((row.get(key), name), set())
            if row[name] in (None, "") and len(found) == 1:
                row[name] = next(iter(found))
    return sum(len(values) > 1 for values in known.values())


def _cell(value: Any, notes: Counter[str]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    text = " ".join(value.split()).replace("\0", "")
    if len(text) <= MAX_LETTERS:
        return text
    notes[SHORTENED] += 1
    return text[: MAX_LETTERS - len(_MORE)].rstrip() + _MORE
