"""Texts by key on disk: side tables of any size (catalogues, licences, places of images) to join with.

Everything lies in a temporary file that vanishes with the index; memory stays small.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping


class DiskIndex:
    """Several values a key, each with a name, in the order they were put."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=OFF")
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute("CREATE TABLE held (key TEXT, name TEXT, value TEXT)")
        self._base.execute("CREATE INDEX held_key ON held (key)")
        self._base.execute("BEGIN")

    def put(self, key: str, value: str, name: str = "") -> None:
        """Adds a value under a key."""
        self._base.execute("INSERT INTO held VALUES (?, ?, ?)", (key, name, value))

    def put_row(self, key: str, values: Mapping[str, str]) -> None:
        """Adds a row of a table under a key; blank cells are left out."""
        self.put(key, json.dumps({column: text for column, text in values.items() if text}))

    def find(self, key: str) -> list[tuple[str, str]]:
        """Returns (name, value) of everything under a key."""
        found = self._base.execute(
            "SELECT name, value FROM held WHERE key = ? ORDER BY rowid", (key,)
        )
        return list(found)

    def rows(self, key: str) -> list[dict[str, str]]:
        """Returns the table rows under a key."""
        return [json.loads(value) for _, value in self.find(key)]

    def take_rows(self, key: str) -> list[dict[str, str]]:
        """Returns the table rows under a key, and removes them."""
        found = self.rows(key)
        if found:
            self._base.execute("DELETE FROM held WHERE key = ?", (key,))
        return found

    def left(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yields (key, row) of everything that nobody took, in the order it was put."""
        for key, value in self._base.execute("SELECT key, value FROM held ORDER BY rowid"):
            yield key, json.loads(value)
