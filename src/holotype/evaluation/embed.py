"""The command ``embed``: records of a collection -> a Parquet of embeddings with their ids and names.

Records are read, embedded and written row group by row group, whatever their number.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import Collection, open_collection
from holotype.errors import CollectionError, MediaError
from holotype.inputs.materials import prepare_loose
from holotype.models.bundle import Bundle, open_bundle
from holotype.models.encode import encode
from holotype.models.towers import Modality
from holotype.progress import tracked
from holotype.taxonomy.lineage import LINNAEAN_RANKS

ROWS = 1_024
"""Records embedded at a time, and rows of a row group."""
_NAMES = ["record_id", *(rank.value for rank in LINNAEAN_RANKS), "written_label"]
_OF_MODALITY = {
    Modality.IMAGE: ["image", "image_sha256", "pixel_size_um"],
    Modality.BARCODE: ["barcode"],
}
"""Columns that a modality is read from, in the order in which the modalities are written."""


@dataclass(frozen=True)
class EmbedReport:
    """What was embedded: the file, rows by modality, and the width of the vectors."""

    embeddings: str
    rows: dict[str, int]
    dim: int


def embed(run: Path | str, *, collection: Path | str, out: Path | str) -> EmbedReport:
    """Writes the unit embedding of every image and barcode of a collection to one Parquet file.

    Columns: ``record_id``, the seven ranks, ``written_label``, ``modality`` and ``embedding`` (a list of
    float32 of fixed length, L2-normalised). The file's metadata names the model.

    Args:
        run: a bundle.
        collection: the collection's folder.
        out: the Parquet file to write.

    Raises:
        BundleError, CollectionError: when one of them cannot be opened.
    """
    bundle, opened = open_bundle(Path(run)), open_collection(Path(collection))
    about = {
        "format": "holotype-embeddings",
        "version": 1,
        "model": bundle.fingerprint,
        "collection": opened.fingerprint,
    }
    vector = pa.list_(pa.float32(), bundle.model.embedding_dim)
    fields = [RECORDS_SCHEMA.field(name) for name in _NAMES]
    schema = pa.schema(
        [*fields, ("modality", pa.string()), ("embedding", vector)],
        metadata={"holotype": json.dumps(about)},
    )
    rows: dict[str, int] = {}
    with files.written_whole(Path(out)) as temporary:
        with pq.ParquetWriter(temporary, schema) as writer:
            for modality in (one for one in _OF_MODALITY if one in bundle.model.modalities):
                parts = _embedded(bundle, opened, modality, schema)
                for part in tracked(parts, title=f"embed {modality.value} (parts)"):
                    writer.write_table(part)
                    rows[modality.value] = rows.get(modality.value, 0) + part.num_rows
        if not rows:
            reads = " or ".join(m for m in bundle.model.modalities if m != "caption")
            raise CollectionError(f"{opened.path}: no record has what this model reads ({reads}).")
    return EmbedReport(str(out), rows, bundle.model.embedding_dim)


def _embedded(
    bundle: Bundle, opened: Collection, modality: Modality, schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yields tables of the records that have one modality, in the order of the collection."""
    pending: list[pa.Table] = []
    for batch in _batches(opened, modality):
        pending.append(batch)
        if sum(part.num_rows for part in pending) >= ROWS:
            whole = pa.concat_tables(pending)
            yield _table(bundle, whole.slice(0, ROWS), modality, schema)
            pending = [whole.slice(ROWS)]
    rest = pa.concat_tables(pending) if pending else None
    if rest is not None and rest.num_rows:
        yield _table(bundle, rest, modality, schema)


def _batches(opened: Collection, modality: Modality) -> Iterator[pa.Table]:
    """Yields the records that have one modality, some at a time, with the columns it is read from."""
    wanted = _OF_MODALITY[modality]
    key = "image_sha256" if modality is Modality.IMAGE else "barcode"
    for path in opened.shard_paths():
        with pq.ParquetFile(path) as shard:
            for batch in shard.iter_batches(256, columns=[*_NAMES, *wanted]):
                table = pa.Table.from_batches([batch])
                yield table.filter(table[key].is_valid()).select([*_NAMES, *wanted])


def _table(bundle: Bundle, records: pa.Table, modality: Modality, schema: pa.Schema) -> pa.Table:
    names = records["record_id"].to_pylist()
    nothing = [None] * len(names)
    given: dict[str, Any] = {"images": nothing, "barcodes": nothing}
    if modality is Modality.IMAGE:
        given["images"] = [cell["bytes"] for cell in records["image"].to_pylist()]
        given["pixel_size_um"] = records["pixel_size_um"].to_pylist()
    else:
        given["barcodes"] = records["barcode"].to_pylist()
    materials, failures = prepare_loose(names, pixels=bundle.pixels, **given)
    for row, reason in failures.items():
        raise MediaError(f"{names[row]}: {reason}. Import the source again.")
    encoded = encode(bundle.model, materials)[modality]
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(encoded.z_RD.ravel(), pa.float32()), encoded.z_RD.shape[1]
    )
    columns = [records[name] for name in _NAMES]
    return pa.table([*columns, pa.array([modality.value] * len(names)), vectors], schema=schema)
