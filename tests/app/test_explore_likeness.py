"""Likeness in a collection, by a real model: the map, the nearest records, and records like words."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from explore_collection import collection_of

from holotype.app.exploring.likeness import Likeness
from holotype.app.exploring.opened import CollectionNow
from holotype.app.identifying import Identifier
from holotype.collection.store import open_collection
from holotype.models.encode import encode_captions


@pytest.fixture(scope="module")
def identifier(tiny_run):
    found = Identifier.open(tiny_run)
    yield found
    found.close()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("likeness")


@pytest.fixture(scope="module")
def explored(tiny_collection):
    return CollectionNow(tiny_collection).explored()


@pytest.fixture(scope="module")
def likeness(identifier, workspace, explored):
    found = Likeness(SimpleNamespace(identifier=identifier, workspace=workspace))
    assert found.plane(explored) is None

    async def both() -> None:
        await asyncio.gather(found.make(explored), found.make(explored))

    asyncio.run(both())
    assert found.progress.failure is None
    return found


def test_the_map_is_of_the_records_with_an_image_and_is_kept(
    likeness, identifier, workspace, explored
):
    plane = likeness.plane(explored)
    there = np.flatnonzero(explored.facts.image_N)
    assert plane.row_P.tolist() == there.tolist()
    assert (plane.modality, plane.among, plane.failed) == ("image", len(there), 0)
    assert np.abs(np.linalg.norm(plane.z_PD, axis=1) - 1).max() < 1e-2
    assert np.isfinite(plane.place_P2).all()
    again = Likeness(SimpleNamespace(identifier=identifier, workspace=workspace)).plane(explored)
    assert np.array_equal(again.place_P2, plane.place_P2)


def test_the_map_outlives_other_names_and_lies_at_the_rows_of_now(
    likeness, identifier, workspace, tiny_collection, tmp_path
):
    """A review writes names, and rows may move: the images are the same."""
    whole = open_collection(tiny_collection)
    table = pa.concat_tables(pq.read_table(path) for path in whole.shard_paths())
    column = table.schema.get_field_index("genus")
    other = table.set_column(column, table.schema.field(column), pa.nulls(len(table), pa.string()))
    named = collection_of(tmp_path / "named", other.take(pa.array(range(len(table))[::-1])))
    now = CollectionNow(named.path).explored()
    plane = likeness.plane(CollectionNow(tiny_collection).explored())
    moved = likeness.plane(now)
    assert np.array_equal(moved.row_P, len(table) - 1 - plane.row_P)
    assert np.array_equal(moved.place_P2, plane.place_P2)
    image = table.schema.get_field_index("image_sha256")
    hashes = pa.array(["0" * 64, *table["image_sha256"].to_pylist()[1:]], pa.string())
    changed = collection_of(
        tmp_path / "changed", table.set_column(image, table.schema.field(image), hashes)
    )
    assert likeness.plane(CollectionNow(changed.path).explored()) is None


def test_nearest_records_are_those_of_the_greatest_cosine(likeness, explored):
    plane = likeness.plane(explored)
    row = int(plane.row_P[5])
    near = asyncio.run(likeness.near_record(explored, row, k=4))
    cosines = plane.z_PD @ plane.z_PD[5]
    cosines[5] = -2
    best = np.sort(cosines)[::-1][:4]
    assert [cosine for _, cosine in near] == pytest.approx(best.tolist(), abs=5e-3)
    assert row not in [found for found, _ in near]
    assert asyncio.run(likeness.near_record(explored, row, k=10_000))


def test_words_find_what_passes_and_best_first(likeness, identifier, explored):
    plane = likeness.plane(explored)
    inside = np.zeros(len(explored.facts), dtype=bool)
    inside[plane.row_P[::2]] = True
    near = asyncio.run(likeness.like_words(explored, "Animalia Arthropoda", inside, k=20))
    assert all(inside[row] for row, _ in near)
    z_D = encode_captions(identifier.bundle.model, ["Animalia Arthropoda"])[0]
    best = np.sort((plane.z_PD @ z_D)[::2])[::-1][:20]
    assert [cosine for _, cosine in near] == pytest.approx(best.tolist(), abs=5e-3)
