"""Collections on disk: whole, of a known version, or refused."""

import json

import numpy as np
import pytest

import holotype
from holotype.collection.store import concepts_of, open_collection, rows_of
from holotype.errors import CollectionError, SplitError
from holotype.taxonomy.labels import Kind


@pytest.fixture
def collection(crops, tmp_path):
    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    return tmp_path / "c"


def test_columns_and_images_are_in_one_order(collection, crops):
    opened = open_collection(collection)
    names = opened.columns(["record_id"])["record_id"].to_pylist()
    assert [name for name, _ in opened.images()] == names
    assert "image" not in opened.columns().column_names
    for name, content in opened.images():
        assert content == (crops / name.removeprefix("crops/")).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "format version 1; this Holotype reads version 2"),
        ({"format": "holotype-bundle"}, "this is a holotype-bundle, not a holotype-collection"),
    ],
)
def test_other_formats_and_versions_are_refused(collection, change, message):
    path = collection / "collection.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CollectionError, match=message):
        open_collection(collection)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_a_broken_manifest_is_refused(collection, content):
    (collection / "collection.json").write_text(content)
    with pytest.raises(
        CollectionError, match=r"collection\.json: not a holotype-collection manifest"
    ):
        open_collection(collection)


def test_a_lost_shard_is_named(collection):
    (shard,) = open_collection(collection).shard_paths()
    shard.unlink()
    with pytest.raises(CollectionError, match=f"{shard.name} missing"):
        open_collection(collection)


def test_a_stray_shard_does_not_belong(collection):
    opened = open_collection(collection)
    (shard,) = opened.shard_paths()
    (shard.parent / "stray.parquet").write_bytes(shard.read_bytes())
    assert open_collection(collection).columns().num_rows == len(opened) == 11


def test_rows_of_finds_records_in_any_order(collection):
    opened = open_collection(collection)
    names = opened.columns(["record_id"])["record_id"].to_pylist()
    order = np.random.default_rng(0).permutation(len(names))
    assert rows_of(opened, [names[i] for i in order]) == order.tolist()
    with pytest.raises(SplitError, match="no records strange"):
        rows_of(opened, ["strange"])


def test_concepts_of_simulated_records(tiny_collection):
    table = open_collection(tiny_collection).columns()
    concepts = concepts_of(table)
    for row, concept in zip(table.to_pylist(), concepts, strict=True):
        named = next(
            (row[r] for r in ("species", "genus", "family", "order", "class") if row[r]), None
        )
        if concept is not None and named is not None:
            assert concept.lineage.name == named
            assert concept.kind in set(Kind)
    assert len({id(concept) for concept in concepts}) == len({*map(str, concepts)})
