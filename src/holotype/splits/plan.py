"""A split as a value, and its file.

Format: docs/formats/split.md. One Parquet: record id -> role, status of the species, group and reason;
how it was made and its audit are in the schema's metadata.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.store import Collection
from holotype.errors import SplitError

FORMAT = "holotype-split"
VERSION = 2
"""2: leave-out and held-out taxa; the audit has more lines; ``held_out`` is a list."""


class Role(StrEnum):
    """What a record may be used for."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    KEY = "key"
    UNUSED = "unused"


class Status(StrEnum):
    """Whether the record's species (or wider taxon) was held out of training; unnamed records have none."""

    SEEN = "seen"
    UNSEEN = "unseen"
    UNNAMED = "unnamed"


SPLIT_SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("role", pa.string()),
        ("status", pa.string()),
        ("group", pa.int64()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class Split:
    """Which record plays which role; rows in the order of the collection.

    Attributes:
        record_id: N ids.
        role_N, status_N, reason_N: values of ``Role`` and ``Status``, and why a record is unused.
        group_N: int64, records with one number are never parted.
        made_by: method, its settings, and the collection's name and fingerprint.
        audit: what ``holotype.splits.audit`` found.
    """

    record_id: tuple[str, ...]
    role_N: NDArray[np.str_]
    status_N: NDArray[np.str_]
    group_N: NDArray[np.int64]
    reason_N: tuple[str | None, ...]
    made_by: dict[str, Any]
    audit: dict[str, Any] = field(default_factory=dict)

    def rows(self, role: Role, status: Status | None = None) -> NDArray[np.int64]:
        """Returns the rows with a role (and a status), int64."""
        wanted = self.role_N == role.value
        if status is not None:
            wanted &= self.status_N == status.value
        return np.flatnonzero(wanted)

    @property
    def has_keys(self) -> bool:
        """Whether the split has keys, that is, was made for retrieval."""
        return bool((self.role_N == Role.KEY.value).any())

    def counts(self) -> dict[str, int]:
        """Returns the number of records by "role status"."""
        pairs = zip(self.role_N.tolist(), self.status_N.tolist(), strict=True)
        return {f"{r} {s}": n for (r, s), n in sorted(Counter(pairs).items())}


def write_split(split: Split, path: Path) -> None:
    """Writes a split to one Parquet file, whole or not at all."""
    described = {"format": FORMAT, "version": VERSION, **split.made_by, "audit": split.audit}
    table = pa.table(
        {
            "record_id": list(split.record_id),
            "role": split.role_N.tolist(),
            "status": split.status_N.tolist(),
            "group": split.group_N,
            "reason": list(split.reason_N),
        },
        schema=SPLIT_SCHEMA.with_metadata({"holotype": json.dumps(described)}),
    )
    with files.written_whole(path) as temporary:
        pq.write_table(table, temporary)


def read_split(path: Path) -> Split:
    """Returns the split in a file.

    Raises:
        SplitError: when it is missing, is no split, or is of another version.
    """
    if not path.is_file():
        raise SplitError(
            f"{path}: no such file. Make it with: holotype split COLLECTION --out {path}"
        )
    try:
        table = pq.read_table(path)
        described = dict(json.loads((table.schema.metadata or {})[b"holotype"]))
    except (
        pa.ArrowException,
        LookupError,
        TypeError,
        ValueError,
        OSError,
        RecursionError,
    ) as reason:
        raise SplitError(f"{path}: not a split file ({reason}). Make it again.") from reason
    found = described.pop("format", None), described.pop("version", None)
    if found != (FORMAT, VERSION):
        raise SplitError(
            f"{path}: {found[0]} format version {found[1]}; this Holotype reads {FORMAT} version {VERSION}. "
            "Use the Holotype that wrote it, or make the split again."
        )
    with files.read_whole(path, SplitError, remedy="Make the split again."):
        table = table.select(SPLIT_SCHEMA.names).cast(SPLIT_SCHEMA)
        columns = table.to_pydict()
        if table["record_id"].null_count or table["role"].null_count or table["status"].null_count:
            raise SplitError(f"{path}: a record without id, role or status. Make the split again.")
        return Split(
            record_id=tuple(columns["record_id"]),
            role_N=np.asarray(columns["role"], dtype=np.str_),
            status_N=np.asarray(columns["status"], dtype=np.str_),
            group_N=np.asarray(columns["group"], dtype=np.int64),
            reason_N=tuple(columns["reason"]),
            audit=dict(described.pop("audit")),
            made_by=described,
        )


def check_fits(split: Split, collection: Collection) -> None:
    """Raises ``SplitError`` when a split was made from another collection, or an older state of it."""
    if split.made_by.get("fingerprint") != collection.fingerprint:
        raise SplitError(
            f"the split was made from collection '{split.made_by.get('collection')}' "
            f"({split.made_by.get('fingerprint')}), not from {collection.path} "
            f"({collection.fingerprint}). Make the split again."
        )


def fractions_or_raise(fractions: Sequence[float]) -> None:
    """Raises ``SplitError`` unless there are three fractions that add up to 1."""
    if len(fractions) != 3 or abs(sum(fractions) - 1) > 1e-9 or min(fractions) < 0:
        raise SplitError(
            f"fractions {list(fractions)}: give train, val and test that add up to 1, as 0.7 0.1 0.2."
        )
