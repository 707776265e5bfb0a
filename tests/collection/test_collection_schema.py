"""The columns of a collection: their types on disk, and as other programs see them."""

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.schema import (
    BOUNDS,
    COLUMN_NAMES,
    COLUMNS,
    IMAGE_TYPE,
    LEDGER_SCHEMA,
    REAL_COLUMNS,
    RECORDS_SCHEMA,
)
from holotype.collection.store import open_collection
from holotype.media.images import read_pixels


def test_columns_are_unique_and_say_what_they_mean():
    assert len(set(COLUMN_NAMES)) == len(COLUMNS)
    assert all(column.meaning for column in COLUMNS)
    assert [field.name for field in RECORDS_SCHEMA] == list(COLUMN_NAMES)


def test_units_are_in_the_names_of_numbers():
    counts = {column.name for column in COLUMNS if column.type == pa.int32()}
    unitless = {"grey_mean", "grey_sd", "subsample_fraction"}
    for name in (REAL_COLUMNS | counts) - unitless:
        assert re.search(r"_(um|px|deg|m|l)$", name), name
    assert set(BOUNDS) == REAL_COLUMNS


def test_every_shard_has_exactly_these_columns(tiny_collection):
    for path in open_collection(tiny_collection).shard_paths():
        schema = pq.read_schema(path)
        assert schema.equals(RECORDS_SCHEMA)
        for key in (b"huggingface", b"holotype"):
            assert json.loads(schema.metadata[key]) == json.loads(RECORDS_SCHEMA.metadata[key])
        assert schema.field("image").type == IMAGE_TYPE
    (ledger,) = (tiny_collection / "ledger").glob("*.parquet")
    assert pq.read_schema(ledger).equals(LEDGER_SCHEMA)


def test_formats_of_the_columns(tiny_collection):
    collection = open_collection(tiny_collection)
    rows = collection.columns().to_pylist()
    patterns = {
        "record_id": r"[^/]+/.+",
        "image_sha256": r"[0-9a-f]{64}",
        "haplotype": r"[0-9a-f]{16}",
        "barcode": r"[ACGTRYSWKMBDHV]|[ACGTRYSWKMBDHV][ACGTRYSWKMBDHVN]*[ACGTRYSWKMBDHV]",
        "species": r"[A-Z]\S* \S.*",
        "genus": r"[A-Z]\S*",
        "kind": r"living|detritus|artefact|inert",
        "collected_on": r"\d{4}-\d\d-\d\d.*",
    }
    for name, pattern in patterns.items():
        values = [row[name] for row in rows if row[name] is not None]
        assert values, name
        assert all(re.fullmatch(pattern, value) for value in values), name
    for name, (low, high) in BOUNDS.items():
        assert all(low <= row[name] <= high for row in rows if row[name] is not None), name
    assert len({row["record_id"] for row in rows}) == len(rows) == len(collection)
    texts = [value for row in rows for value in row.values() if isinstance(value, str)]
    assert not {"", "unknown", "None", "nan"} & set(texts)


def test_sizes_and_hashes_are_those_of_the_images(tiny_collection):
    from hashlib import sha256

    collection = open_collection(tiny_collection)
    columns = collection.columns(["record_id", "image_width_px", "image_height_px", "image_sha256"])
    seen = 0
    for row, (name, content) in zip(columns.to_pylist(), collection.images(), strict=True):
        assert row["record_id"] == name
        if content is None:
            assert row["image_sha256"] is None
        elif seen < 40:
            seen += 1
            assert row["image_sha256"] == sha256(content).hexdigest()
            size = (row["image_height_px"], row["image_width_px"])
            assert read_pixels(content).shape[:2] == size
    assert seen == 40


def test_hugging_face_datasets_shows_images(crops, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    from PIL import Image

    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    shards = [str(path) for path in open_collection(tmp_path / "c").shard_paths()]
    found = datasets.load_dataset(
        "parquet", data_files=shards, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert found.column_names == list(COLUMN_NAMES)
    assert len(found) == 11
    assert isinstance(found.features["image"], datasets.Image)
    for row in found:
        assert isinstance(row["image"], Image.Image)
        assert row["image"].size == (row["image_width_px"], row["image_height_px"]) == (8, 6)
    expected = read_pixels((crops / "copepod" / "1.png").read_bytes())[..., 0]
    (one,) = [row for row in found if row["source_item"] == "copepod/1.png"]
    np.testing.assert_array_equal(np.asarray(one["image"]), expected)


def test_schema_metadata_names_the_format():
    described = json.loads(RECORDS_SCHEMA.metadata[b"holotype"])
    assert described == {"format": "holotype-collection", "version": 2}
