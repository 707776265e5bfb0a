"""A run in parts: what is done stays done, whatever ends the process, and the whole is the same in the end.

``OUT.partial/`` holds a Parquet file for each part and table, and ``journal.jsonl``: first what was begun,
then a line for each part that is safe on disk. Parts end after a fixed number of specimens, so that they are
the same whether the run was broken off or not. Format: docs/formats/sidecar.md.
"""

import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.errors import CollectionError, first_few
from holotype.identify.inputs import Specimen

PART_ROWS = 4_096
"""Specimens in a part; a row group in the end."""
FORMAT, VERSION = "holotype-partial", 1
JOURNAL, WHOLE = "journal.jsonl", "whole.part"
_OURS = re.compile(r"\.?(journal\.jsonl|whole\.part|[a-z]+-\d{6}\.parquet)(\.\d+\.part)?")


@dataclass(frozen=True)
class Part:
    """A part that is safe on disk.

    Attributes:
        number: from 0.
        first, end: the specimens from ``first`` up to, not including, ``end``.
        listing: hash of the names and states of these specimens.
        tables: SHA-256 of the file of each table.
        told: what was counted on the way.
    """

    number: int
    first: int
    end: int
    listing: str
    tables: Mapping[str, str]
    told: Mapping[str, Any]


@dataclass(frozen=True)
class Begun:
    """What decides every answer of a run; a run goes on only with the same.

    Attributes:
        what: name -> plain value.
        started: when it was begun, ISO 8601.
    """

    what: Mapping[str, Any]
    started: str


class PartialRun:
    """A run that is being done: its folder, what it was begun with, and its parts so far."""

    def __init__(self, folder: Path, begun: Begun, parts: list[Part]) -> None:
        self.folder, self.begun, self.parts = folder, begun, parts

    @classmethod
    def open(cls, folder: Path, begun: Begun, *, restart: bool) -> "PartialRun":
        """Returns the run in a folder: one that was broken off, or a new one.

        Raises:
            CollectionError: when the one in the folder was begun with something else.
        """
        found = None if restart else _read(folder / JOURNAL)
        if found is None or not found[1]:
            _remove_parts(folder)
            run = cls(folder, begun, [])
        else:
            _check_same(folder, found[0], begun)
            run = cls(folder, found[0], _whole_parts(folder, found[1]))
        run._write_journal()
        return run

    @property
    def done(self) -> int:
        """How many specimens are done."""
        return self.parts[-1].end if self.parts else 0

    def skip_done(self, found: Iterator[Specimen]) -> None:
        """Takes the specimens that are done from a stream.

        Raises:
            CollectionError: when they are others than those that were done.
        """
        for part in self.parts:
            taken = list(itertools.islice(found, part.end - part.first))
            if part.end - part.first < PART_ROWS:
                taken += itertools.islice(found, 1)  # a short part is the last one
            if listing_of(taken) != part.listing:
                raise CollectionError(
                    f"{self.folder}: the inputs have changed since: specimens {part.first + 1:,} to "
                    f"{part.end:,} are others now. Bring them back, or add --restart to begin anew."
                )

    def add(self, tables: Mapping[str, pa.Table], listing: str, told: Mapping[str, Any]) -> None:
        """Makes the next part safe: its tables first, then its line of the journal."""
        number, first = len(self.parts), self.done
        rows = next(iter(tables.values())).num_rows
        hashes = {}
        for name, table in tables.items():
            path = self.path(name, number)
            with files.written_whole(path) as temporary:
                pq.write_table(table, temporary, compression="zstd", row_group_size=max(1, rows))
            hashes[name] = files.sha256_file(path)
        files.flush_folder(self.folder)
        part = Part(number, first, first + rows, listing, hashes, told)
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(asdict(part)) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self.parts.append(part)

    def path(self, name: str, number: int) -> Path:
        """Returns where a part's table lies."""
        return self.folder / f"{name}-{number:06d}.parquet"

    def tables(self, name: str) -> Iterator[pa.Table]:
        """Yields one table of every part, in order."""
        for part in self.parts:
            with pq.ParquetFile(self.path(name, part.number)) as opened:
                yield opened.read()

    def end(self) -> None:
        """Removes the parts, and the folder where nothing else is in it."""
        _remove_parts(self.folder)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _write_journal(self) -> None:
        lines = [
            {"format": FORMAT, "version": VERSION, **asdict(self.begun)},
            *map(asdict, self.parts),
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        files.write_text(self.folder / JOURNAL, text)
        files.flush_folder(self.folder)


def _remove_parts(folder: Path) -> None:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if _OURS.fullmatch(path.name):
            path.unlink()


def listing_of(found: Iterable[Specimen]) -> str:
    """Returns a hash of the names and states of specimens."""
    digest = sha256()
    for one in found:
        digest.update(f"{one.input}\0{one.state}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _read(journal: Path) -> tuple[Begun, list[Part]] | None:
    """Returns what a journal says; a line that was not written to its end is left out."""
    if not journal.is_file():
        return None
    lines = []
    for line in journal.read_text(encoding="utf-8").split("\n")[:-1]:
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    if not lines or (lines[0].get("format"), lines[0].get("version")) != (FORMAT, VERSION):
        return None
    return Begun(lines[0]["what"], lines[0]["started"]), [Part(**line) for line in lines[1:]]


def _whole_parts(folder: Path, parts: list[Part]) -> list[Part]:
    """Returns the parts up to the first one that is not as the journal says."""
    whole: list[Part] = []
    for part in parts:
        for name, known in part.tables.items():
            path = folder / f"{name}-{part.number:06d}.parquet"
            if not path.is_file() or files.sha256_file(path) != known:
                return whole
        whole.append(part)
    return whole


def _check_same(folder: Path, before: Begun, now: Begun) -> None:
    was, told = _flat(before.what), _flat(json.loads(json.dumps(now.what)))
    other = [
        f"{name} ({_shown(was.get(name))} then, {_shown(told.get(name))} now)"
        for name in dict.fromkeys([*was, *told])
        if was.get(name) != told.get(name)
    ]
    if other:
        raise CollectionError(
            f"{folder}: begun with another {first_few(other)}. Run the first command again to go on with it, "
            "or add --restart to begin anew."
        )


def _flat(what: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was decided before a run, with what stands in groups under its own names."""
    found: dict[str, Any] = {}
    for name, value in what.items():
        found |= value if isinstance(value, dict) else {name: value}
    return found


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
