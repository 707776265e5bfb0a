"""Splits that people already have: a table of roles, lists of file names, or what a source published.

The same audit as for our own. It does not know how the split was meant, so it promises only what every split
must: that no specimen, image file or barcode is in two roles, and that no unseen taxon is in training.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from holotype.collection.store import Collection, open_collection
from holotype.errors import SplitError, did_you_mean, first_few
from holotype.splits.audit import audit_split
from holotype.splits.columns import SPLIT_COLUMNS
from holotype.splits.groups import group_records
from holotype.splits.plan import Role, Split, Status, check_fits, read_split
from holotype.splits.roles import Roles
from holotype.splits.upstream import UPSTREAM_NAMES, upstream

ID_COLUMNS = ("record_id", "source_item", "path", "filename", "file", "file_name", "image")
ROLE_COLUMNS = ("role", "split", "part", "subset", "partition")
UPSTREAM = "upstream"
"""Instead of a file: the parts that the records' sources published, nothing mended."""
_LISTS = {".txt", ".csv", ".tsv"}
_PRECEDENCE = [Role.UNUSED, Role.TRAIN, Role.KEY, Role.VAL, Role.TEST]

Place = tuple[str, str, str]
"""Where it stands (file:line), what names a record, and the word for its role."""


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        split: the file or folder.
        method: how it was made, as far as it says.
        counts: records by "role status".
        audit: as ``Split.audit``.
        not_in_collection: entries of the split that name no record of the collection.
        examples_not_in_collection: the first of them, with file and line.
    """

    split: str
    method: str
    counts: dict[str, int]
    audit: dict[str, Any]
    not_in_collection: int = 0
    examples_not_in_collection: tuple[str, ...] = ()


def audit(collection: Path | str, split: Path | str) -> AuditReport:
    """Returns what crosses the lines of any split of a collection, counted from its records.

    Args:
        collection: its folder.
        split: a split file of Holotype; a CSV or TSV with a column ``record_id`` (or ``source_item``,
            ``path``, ``filename``) and a column ``role`` (or ``split``); a folder of lists named by role, as
            ``train_filenames.txt``; or the word ``upstream``.

    Raises:
        SplitError, CollectionError: when one of them cannot be read or they have nothing in common.
    """
    opened, path = open_collection(Path(collection)), Path(split)
    if str(split) != UPSTREAM and path.suffix == ".parquet":
        made = read_split(path)
        check_fits(made, opened)
        found = audit_split(made, opened.columns(SPLIT_COLUMNS))
        return AuditReport(str(split), str(made.made_by.get("method")), made.counts(), found)
    table = opened.columns(SPLIT_COLUMNS)
    if str(split) == UPSTREAM:
        alone = np.arange(table.num_rows, dtype=np.int64)
        roles = upstream(table, alone, names=UPSTREAM_NAMES)
        twice, unknown = 0, list[str]()
    else:
        roles, twice, unknown = _roles_of(table, list(_places(path)), path)
    made = Split(
        record_id=tuple(table["record_id"].to_pylist()),
        role_N=roles.role_N,
        status_N=roles.status_N,
        group_N=group_records(table),
        reason_N=tuple(roles.reason_N),
        made_by=_made_by(opened, str(split), twice),
    )
    made = replace(made, audit=audit_split(made, table))
    return AuditReport(
        str(split), "foreign", made.counts(), made.audit, len(unknown), tuple(unknown[:5])
    )


def _made_by(collection: Collection, split: str, twice: int) -> dict[str, Any]:
    return {
        "method": "foreign",
        "from": split,
        "listed_twice": twice,
        "collection": collection.name,
        "fingerprint": collection.fingerprint,
    }


def _roles_of(table: pa.Table, places: list[Place], path: Path) -> tuple[Roles, int, list[str]]:
    """Returns roles, how many records stand in several, and the entries that name no record."""
    rows_of = _names(table)
    named = table["species"].is_valid().to_pylist()
    labelled = table["written_label"].is_valid().to_pylist()
    found: dict[int, set[tuple[Role, Status]]] = defaultdict(set)
    unknown = []
    for place, name, word in places:
        role, status = _meaning(word, place)
        row = rows_of.get(name, rows_of.get(PurePosixPath(name.replace("\\", "/")).name))
        if row is None or row < 0:
            unknown.append(f"{place}: {name}" + (" (names several records)" if row == -1 else ""))
        else:
            unnamed = status is not Status.UNSEEN and not (named[row] or labelled[row])
            found[row].add((role, Status.UNNAMED if unnamed else status))
    if not found:
        raise SplitError(
            f"{path}: names no record of the collection ({first_few(unknown, limit=2)}). "
            f"Give record ids, or the paths that the records have in source_item."
        )
    roles = Roles.unused(table.num_rows)
    for row, pairs in found.items():
        role, status = max(pairs, key=lambda pair: _PRECEDENCE.index(pair[0]))
        roles.give([row], role, status)
    left = [row for row in range(table.num_rows) if row not in found]
    roles.leave_out(left, "the split does not name it")
    several = sum(len({role for role, _ in pairs}) > 1 for pairs in found.values())
    return roles, several, unknown


def _names(table: pa.Table) -> dict[str, int]:
    """Returns the row that each id, item or unambiguous file name means; -1 where it means several."""
    rows_of: dict[str, int] = {}

    def add(names: Iterable[tuple[int, str]]) -> None:
        fresh: dict[str, int] = {}
        for row, name in names:
            fresh[name] = row if fresh.get(name, row) == row else -1
        for name, row in fresh.items():
            rows_of.setdefault(name, row)

    items = table["source_item"].to_pylist()
    add(enumerate(table["record_id"].to_pylist()))
    add((row, item) for row, item in enumerate(items) if item)
    add((row, PurePosixPath(item).name) for row, item in enumerate(items) if item)
    return rows_of


def _meaning(word: str, place: str) -> tuple[Role, Status]:
    plain = word.strip().lower()
    if plain in {Role.UNUSED.value, ""}:
        return Role.UNUSED, Status.UNNAMED
    meaning = UPSTREAM_NAMES.get(plain, f"{Role.KEY} {Status.SEEN}" if plain == Role.KEY else None)
    if meaning is None:
        raise SplitError(
            f"{place}: role '{word}' is none.{did_you_mean(word, [*Role, *UPSTREAM_NAMES])}"
        )
    role, status = meaning.split()
    return Role(role), Status.SEEN if status == Status.UNNAMED else Status(status)


def _places(path: Path) -> Iterator[Place]:
    """Yields the entries of a table of roles, or of the lists in a folder."""
    if path.is_dir():
        lists = sorted(p for p in path.iterdir() if p.suffix in _LISTS and _role_in(p.stem))
        if not lists:
            raise SplitError(f"{path}: no list named by its role, as train_filenames.txt.")
        for found in lists:
            for number, line in enumerate(_lines(found), start=1):
                if name := line.strip().strip('"'):
                    yield f"{found}:{number}", name, _role_in(found.stem)
        return
    if not path.is_file():
        raise SplitError(
            f"{path}: no such file. Give a split, a table of roles, or a folder of lists."
        )
    lines = _lines(path)
    delimiter = "\t" if "\t" in (lines[0] if lines else "") else ","
    table = csv.DictReader(lines, delimiter=delimiter)
    header = [name.strip() for name in table.fieldnames or []]
    ids = next((name for name in ID_COLUMNS if name in header), None)
    role = next((name for name in ROLE_COLUMNS if name in header), None)
    if ids is None or role is None:
        raise SplitError(
            f"{path}:1: columns {first_few(header)}. A table of roles has one of {', '.join(ID_COLUMNS)} "
            f"and one of {', '.join(ROLE_COLUMNS)}."
        )
    table.fieldnames = header
    for entry in table:
        yield f"{path}:{table.line_num}", (entry[ids] or "").strip(), entry[role] or ""


def _role_in(stem: str) -> str:
    """Returns the role that the name of a list begins with, else an empty text."""
    words = sorted([*UPSTREAM_NAMES, Role.KEY.value], key=len, reverse=True)
    return next((word for word in words if stem.lower().startswith(word)), "")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as reason:
        raise SplitError(f"{path}: not UTF-8 ({reason}). Save it as UTF-8.") from None
