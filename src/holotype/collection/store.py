"""A collection on disk: open it, read columns, stream images.

A collection is a folder: ``collection.json`` (written last: its existence means "complete"),
``records/*.parquet`` and ``ledger/*.parquet``. Only files that the manifest names belong to it.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.schema import FORMAT, LEDGER_SCHEMA, RECORDS_SCHEMA, VERSION
from holotype.errors import CollectionError, SplitError, first_few
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage

MANIFEST = "collection.json"
HEAVY_COLUMNS = frozenset({"image"})


@dataclass(frozen=True)
class Collection:
    """An open collection.

    Attributes:
        path: its folder.
        manifest: the content of ``collection.json``.
    """

    path: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """The collection's name."""
        return str(self.manifest["name"])

    @property
    def fingerprint(self) -> str:
        """A hash of the content of all shards; two collections with the same one are the same."""
        shards = "".join(shard["sha256"] for shard in self._shards)
        return files.sha256_bytes(shards.encode())[:16]

    @property
    def _shards(self) -> list[dict[str, Any]]:
        return [shard for one in self.manifest["imports"] for shard in one["shards"]]

    @property
    def sources(self) -> list[str]:
        """The sources in it, in order."""
        return list(dict.fromkeys(one["source"] for one in self.manifest["imports"]))

    def __bool__(self) -> bool:
        return True  # also without a record

    def __len__(self) -> int:
        return int(sum(shard["rows"] for shard in self._shards))

    def shard_paths(self, source: str | None = None) -> list[Path]:
        """The Parquet shards, in order; those of one source, if it is named."""
        imports = [one for one in self.manifest["imports"] if source in (None, one["source"])]
        return [self.path / shard["path"] for one in imports for shard in one["shards"]]

    def columns(self, names: Sequence[str] | None = None) -> pa.Table:
        """Returns the records' columns without the image bytes, in the order of the shards.

        Args:
            names: which columns; all but the image by default. Asking for ``image`` holds all image bytes in
                memory: ``images`` streams them instead.
        """
        wanted = names or [n for n in RECORDS_SCHEMA.names if n not in HEAVY_COLUMNS]
        with files.as_it_was_opened(self.path):
            shards = pads.dataset(self.shard_paths(), schema=RECORDS_SCHEMA)
            return shards.to_table(columns=[*wanted])

    def images(self) -> Iterator[tuple[str, bytes | None]]:
        """Yields the id and the encoded image (or None) of every record, in order, streaming."""
        for path in self.shard_paths():
            whole = files.read_whole(path, CollectionError, remedy="Import the sources again.")
            with files.as_it_was_opened(self.path), whole, pq.ParquetFile(path) as shard:
                for batch in shard.iter_batches(256, columns=["record_id", "image"]):
                    encoded = batch.column("image").field("bytes")
                    ids = batch.column("record_id")
                    yield from zip(ids.to_pylist(), encoded.to_pylist(), strict=True)

    def ledger(self) -> pa.Table:
        """Returns the ledger: one row for each item that intake read."""
        paths = [self.path / one["ledger"]["path"] for one in self.manifest["imports"]]
        with files.as_it_was_opened(self.path):
            return pads.dataset(paths, schema=LEDGER_SCHEMA).to_table()


def open_collection(path: Path) -> Collection:
    """Returns the collection in a folder.

    Raises:
        CollectionError: when it is missing, incomplete, of another version, or lacks a shard.
    """
    manifest = files.read_manifest(
        path / MANIFEST, format_name=FORMAT, version=VERSION, error=CollectionError
    )
    opened = Collection(path, manifest)
    with files.read_whole(path / MANIFEST, CollectionError, remedy="Import the sources again."):
        parts = [part for one in manifest["imports"] for part in (*one["shards"], one["ledger"])]
        missing = [part["path"] for part in parts if not os.path.isfile(path / part["path"])]  # noqa: PTH113
        _ = opened.name, opened.fingerprint, opened.sources, len(opened)
    if missing:
        raise CollectionError(
            f"{path}: {first_few(missing)} missing. Import the sources again, or restore the files."
        )
    return opened


def concepts_of(table: pa.Table) -> list[Concept | None]:
    """Returns what each record is, from the name columns of a collection's table.

    None where the record has no name at all. Equal concepts are one object, so identity is cheap.
    """
    ranks = [rank.value for rank in LINNAEAN_RANKS]
    names = ["qualifier", "kind", "group", "other_ranks", *ranks]
    columns = table.select(names).to_pydict()
    seen: dict[tuple[object, ...], Concept | None] = {}
    found: list[Concept | None] = []
    for row in zip(*(columns[name] for name in names), strict=True):
        extra = tuple((taxon["rank"], taxon["name"]) for taxon in row[3] or ())
        key = (*row[:3], extra, *row[4:])
        if key not in seen:
            seen[key] = _concept(
                row[0], row[1], row[2], dict(extra), dict(zip(ranks, row[4:], strict=True))
            )
        found.append(seen[key])
    return found


def _concept(
    qualifier: str | None,
    kind: str | None,
    group: str | None,
    other_ranks: dict[str, str],
    names: dict[str, str | None],
) -> Concept | None:
    lineage = Lineage.from_names({**names, **other_ranks})
    if not lineage and group is None:
        return None
    return Concept(lineage, qualifier or WHOLE, Kind(kind or Kind.LIVING), group)


def rows_of(collection: Collection, record_ids: Sequence[str]) -> list[int]:
    """Returns the row of each record id in the collection.

    Raises:
        SplitError: when the collection lacks some of them.
    """
    place = {
        name: row
        for row, name in enumerate(collection.columns(["record_id"])["record_id"].to_pylist())
    }
    missing = [name for name in record_ids if name not in place]
    if missing:
        raise SplitError(
            f"{collection.path}: no records {first_few(missing)}. The split was made from another "
            "collection: make it again."
        )
    return [place[name] for name in record_ids]
