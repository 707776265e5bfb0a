"""The command ``embed``: records of a collection -> a Parquet of embeddings with their ids and names."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import open_bundle
from holotype.models.encode import encode
from holotype.taxonomy.lineage import LINNAEAN_RANKS


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
    materials = prepare_collection(
        opened,
        pixels=bundle.pixels,
        rows=np.arange(len(opened), dtype=np.int64),
    )
    names = ["record_id", *(rank.value for rank in LINNAEAN_RANKS), "written_label"]
    columns = opened.columns(names)
    parts, rows = [], {}
    for modality, encoded in encode(bundle.model, materials).items():
        vectors = pa.FixedSizeListArray.from_arrays(
            pa.array(encoded.z_RD.ravel(), pa.float32()), encoded.z_RD.shape[1]
        )
        part = columns.take(encoded.row_R).select(names)
        part = part.append_column("modality", pa.array([modality.value] * len(encoded)))
        parts.append(part.append_column("embedding", vectors))
        rows[modality.value] = len(encoded)
    if not parts:
        reads = " or ".join(m for m in bundle.model.modalities if m != "caption")
        raise CollectionError(f"{opened.path}: no record has what this model reads ({reads}).")
    about = {
        "format": "holotype-embeddings",
        "version": 1,
        "model": bundle.fingerprint,
        "collection": opened.fingerprint,
    }
    table = pa.concat_tables(parts).replace_schema_metadata({"holotype": json.dumps(about)})
    with files.written_whole(Path(out)) as temporary:
        pq.write_table(table, temporary)
    return EmbedReport(str(out), rows, bundle.model.embedding_dim)
