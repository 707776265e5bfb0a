"""Side tables of a package, found by key: rows on disk, so that tables larger than memory can be joined.

The rows lie in a private temporary SQLite file; memory holds a cache of a few MiB whatever their number.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_CACHE_KIB = 32 << 10


@dataclass(frozen=True)
class KeyedRow:
    """One row of a side table.

    Attributes:
        key: the value that joins it.
        line: of its file.
        values: text by column name.
    """

    key: str
    line: int
    values: Mapping[str, str]


class Joined:
    """Rows by (table, key), and the names that were given so far.

    Use it in a ``with`` statement: leaving it removes the file.
    """

    def __init__(self, spool: Path | None = None) -> None:
        """Opens an empty file, in the spool folder where there is one."""
        self._place: Path | None = None
        if spool is not None:
            spool.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=spool, suffix=".joined", delete=False) as handle:
                self._place = Path(handle.name)
        self._file = sqlite3.connect(str(self._place or ""), check_same_thread=False)
        for setting in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._file.execute(f"PRAGMA {setting}")
        self._file.execute("CREATE TABLE rows (tab TEXT, key TEXT, line INTEGER, row TEXT)")
        self._file.execute(
            "CREATE TABLE names (kind TEXT, name TEXT, line INTEGER, PRIMARY KEY (kind, name)) "
            "WITHOUT ROWID"
        )
        self._indexed = True

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes and removes the file."""
        self._file.close()
        if self._place is not None:
            self._place.unlink(missing_ok=True)

    def add(self, table: str, rows: Iterable[KeyedRow]) -> int:
        """Adds rows to a side table; returns how many."""
        self._file.execute("DROP INDEX IF EXISTS by_key")
        self._indexed = False
        before = self._file.total_changes
        self._file.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?)",
            (
                (table, row.key, row.line, json.dumps(dict(row.values), separators=(",", ":")))
                for row in rows
            ),
        )
        return self._file.total_changes - before

    def rows(self, table: str, key: str) -> list[KeyedRow]:
        """Returns the rows of a key, in the order of their file."""
        self._index()
        found = self._file.execute(
            "SELECT line, row FROM rows WHERE tab = ? AND key = ? ORDER BY rowid", (table, key)
        )
        return [KeyedRow(key, line, json.loads(row)) for line, row in found]

    def claim(self, name: str, line: int, *, kind: str = "") -> int | None:
        """Notes that a line bears a name; returns the line that bore it before, or None where it is new."""
        taken = self._file.execute(
            "INSERT OR IGNORE INTO names VALUES (?, ?, ?)", (kind, name, line)
        )
        if taken.rowcount:
            return None
        found = self._file.execute(
            "SELECT line FROM names WHERE kind = ? AND name = ?", (kind, name)
        )
        return int(found.fetchone()[0])

    def orphans(self, table: str, *kinds: str) -> Iterator[KeyedRow]:
        """Yields the rows of a table whose key is no claimed name of any of the kinds."""
        self._index()
        marks = ", ".join("?" * len(kinds))
        found = self._file.execute(
            "SELECT key, line, row FROM rows WHERE tab = ? AND NOT EXISTS (SELECT 1 FROM names "  # noqa: S608
            f"WHERE kind IN ({marks}) AND name = key) ORDER BY rowid",
            (table, *kinds),
        )
        for key, line, row in found:
            yield KeyedRow(key, line, json.loads(row))

    def known(self, name: str, *, kind: str = "") -> bool:
        """Returns whether a name was claimed."""
        found = self._file.execute("SELECT 1 FROM names WHERE kind = ? AND name = ?", (kind, name))
        return found.fetchone() is not None

    def all_rows(self, table: str) -> Iterator[KeyedRow]:
        """Yields the rows of a table."""
        self._index()
        found = self._file.execute(
            "SELECT key, line, row FROM rows WHERE tab = ? ORDER BY rowid", (table,)
        )
        for key, line, row in found:
            yield KeyedRow(key, line, json.loads(row))

    def claimed(self, table: str, kind: str) -> Iterator[KeyedRow]:
        """Yields the rows of a table whose key is a claimed name of the kind."""
        self._index()
        found = self._file.execute(
            "SELECT key, line, row FROM rows WHERE tab = ? AND EXISTS (SELECT 1 FROM names "
            "WHERE kind = ? AND name = key) ORDER BY rowid",
            (table, kind),
        )
        for key, line, row in found:
            yield KeyedRow(key, line, json.loads(row))

    def _index(self) -> None:
        if not self._indexed:
            self._file.execute("CREATE INDEX by_key ON rows (tab, key)")
            self._indexed = True
