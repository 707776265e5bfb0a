"""A table of an archive on its way to disk: tab-separated, no quotes, one row a line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from holotype.exchange.darwin_core.tables import ArchiveTable

_BREAKS = re.compile(r"[\t\n\r\x0b\x0c\0\x1c-\x1e\x85\u2028\u2029]+")


def cell(value: Any) -> str:
    r"""Returns a value as a cell: nothing for None, numbers that read back as themselves, text on one line.

    >>> cell(None), cell(12.0), cell(0.1), cell(" a\tb\n"), cell(-5)
    ('', '12', '0.1', 'a b', '-5')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return _BREAKS.sub(" ", str(value)).strip()


class TableFile:
    """Writes rows to a file and counts them; a table without rows has no file."""

    def __init__(self, folder: Path, table: ArchiveTable) -> None:
        self.table, self.path, self.rows = table, folder / table.file, 0
        self._stream: IO[str] | None = None

    def write(self, row: Mapping[str, Any]) -> None:
        """Writes one row, column name -> value."""
        if self._stream is None:
            self._stream = self.path.open("w", encoding="utf-8", newline="\n")
            self._stream.write("\t".join(self.table.terms) + "\n")
        self._stream.write("\t".join(cell(row.get(name)) for name in self.table.terms) + "\n")
        self.rows += 1

    def close(self) -> None:
        """Closes the file."""
        if self._stream is not None:
            self._stream.close()
