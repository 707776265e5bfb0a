"""Nearest vectors: exact against an oracle, the same whatever the batch, cells measured against both."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import CollectionError
from holotype.index import cells, exact
from holotype.index.cells import Cells, write_cells
from holotype.index.exact import nearest_exact
from holotype.index.store import Index, Vectors, open_index
from holotype.index.writing import write_index


def unit(seed: int, count: int, dim: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def clustered(seed: int, count: int, *, centres: int = 60, dim: int = 16) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centre_CD = np.random.default_rng(99).standard_normal((centres, dim))
    z = centre_CD[rng.integers(0, centres, count)]
    z = z + 0.5 * rng.standard_normal((count, dim))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


def oracle(query_QD, key_VD, k, allowed_V=None):
    """The k best by float64, equal ones in the order of the keys, each query by itself."""
    places = np.arange(len(key_VD)) if allowed_V is None else np.flatnonzero(allowed_V)
    at_QK = np.full((len(query_QD), k), -1)
    value_QK = np.full((len(query_QD), k), -np.inf, dtype=np.float32)
    for row, query_D in enumerate(query_QD.astype(np.float64)):
        value_V = (key_VD[places].astype(np.float64) * query_D).sum(axis=1).astype(np.float32)
        best = sorted(range(len(places)), key=lambda v: (-value_V[v], places[v]))[:k]
        at_QK[row, : len(best)] = places[best]
        value_QK[row, : len(best)] = value_V[best]
    return at_QK, value_QK


def records(count: int, **columns: list) -> pa.Table:
    return pa.table({"record_id": [f"r{n}" for n in range(count)], **columns})


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 9),
    count=st.integers(1, 90),
    queries=st.integers(0, 9),
    k=st.integers(1, 12),
    dim=st.integers(1, 24),
    share=st.sampled_from([None, 0.0, 0.2, 0.9]),
)
def test_exact_search_is_what_an_oracle_finds(seed, count, queries, k, dim, share):
    rng = np.random.default_rng(seed)
    key_VD = unit(seed, count, dim).astype(np.float16)
    key_VD[count // 2 :] = key_VD[: count - count // 2]  # every vector twice: ties
    query_QD = unit(seed + 1, queries, dim)
    allowed_V = None if share is None else rng.random(count) < share
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exact, "BLOCK_KEYS", 16)
        patched.setattr(exact, "BLOCK_QUERIES", 4)
        patched.setattr(exact, "PAIRS", 7)
        found = nearest_exact(query_QD, key_VD, k=k, allowed_V=allowed_V)
    for mine, true in zip(found, oracle(query_QD, key_VD, k, allowed_V), strict=True):
        np.testing.assert_array_equal(mine, true)


def test_ties_that_a_product_in_float32_would_part():
    # Two keys of equal product in exact arithmetic: 1 x 2^-12 + 1 x 2^-12, and the same beside large
    # terms that cancel. Float32 sums of one of them depend on the order.
    key_VD = np.asarray([[1, -1, 2**-8, 2**-8], [2**-8, 2**-8, 1, -1]], dtype=np.float16)
    query_QD = np.asarray([[1, 1, 1, 1]], dtype=np.float32)
    at_QK, value_QK = nearest_exact(query_QD, key_VD, k=2, longest=1.5)
    assert at_QK.tolist() == [[0, 1]]
    assert value_QK.tolist() == [[2**-7, 2**-7]]


def test_a_query_is_answered_alike_whatever_comes_with_it():
    index = Index.of(records(3000), {"image": Vectors.of(unit(0, 3000, 64))}, model="m")
    query_QD = unit(1, 300, 64)
    together = index.nearest("image", query_QD, k=7)
    for size in (1, 3, 299):
        parts = [
            index.nearest("image", query_QD[at : at + size], k=7) for at in range(0, 300, size)
        ]
        for all_QK, pieces in zip(together, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(all_QK, np.concatenate(pieces))


def test_rows_are_those_of_the_records_not_of_the_vectors(tmp_path):
    z_VD = np.eye(8, dtype=np.float32)[:4]
    vectors = {"image": Vectors.of(z_VD, [9, 2, 5, 0]), "barcode": Vectors.of(z_VD[:1], [7])}
    for index in (
        Index.of(records(10), vectors, model="m"),
        write_index(tmp_path / "i", records(10), vectors, model="m"),
        open_index(tmp_path / "i", model="m"),
    ):
        row_QK, value_QK = index.nearest("image", z_VD[:1], k=5)
        assert row_QK.tolist() == [[9, 0, 2, 5, -1]]
        assert value_QK[0, :2].tolist() == [1, 0]
        assert np.isneginf(value_QK[0, -1])
        among = np.zeros(10, dtype=bool)
        among[[2, 3]] = True
        assert index.nearest("image", z_VD[:1], k=2, among=among)[0].tolist() == [[2, -1]]
        assert index.nearest("barcode", z_VD[:1], k=1)[0].tolist() == [[7]]


def test_cosines_do_not_pass_one():
    z_VD = unit(3, 200, 128)
    index = Index.of(records(200), {"image": Vectors.of(z_VD)}, model="m")
    stored = index.vectors["image"].z_VD.astype(np.float64)
    assert ((stored**2).sum(axis=1) > 1).any(), "the rounding that the limit is for"
    row_QK, value_QK = index.nearest("image", stored.astype(np.float32), k=1)
    assert row_QK[:, 0].tolist() == list(range(200))
    assert value_QK.max() == 1
    assert value_QK.min() > 0.999


@pytest.mark.parametrize(
    ("ask", "kind", "says"),
    [
        (lambda i: i.nearest("caption", np.ones((1, 8)), k=1), CollectionError, "it has image"),
        (lambda i: i.nearest("image", np.ones((1, 9)), k=1), CollectionError, "of 8 numbers"),
        (lambda i: i.nearest("image", np.ones((1, 8)), k=0), ValueError, "k = 0"),
        (lambda i: i.nearest("image", np.full((1, 8), np.nan), k=1), ValueError, "finite"),
    ],
)
def test_what_cannot_be_asked(ask, kind, says):
    index = Index.of(records(8), {"image": Vectors.of(np.eye(8))}, model="m")
    with pytest.raises(kind, match=says):
        ask(index)


@pytest.mark.parametrize(
    ("z", "rows", "says"),
    [
        (2 * np.eye(3), None, "norm 1"),
        (np.eye(3) * np.nan, None, "norm 1"),
        (np.eye(3), [0, 1, 1], "two vectors"),
        (np.eye(3), [0, 1], "do not fit"),
        (np.eye(3), [0, 1, 5], "outside"),
    ],
)
def test_what_are_no_vectors(z, rows, says):
    with pytest.raises(ValueError, match=says):
        Index.of(records(3), {"image": Vectors.of(z, rows)}, model="m")


@pytest.fixture(scope="module")
def with_cells(tmp_path_factory):
    """An index of 12,000 clustered vectors that are searched by cells, and the same in memory."""
    vectors = {"image": Vectors.of(clustered(0, 12_000), np.arange(12_000) * 2)}
    folder = tmp_path_factory.mktemp("cells") / "i"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cells, "RECALL_QUERIES", 300)
        write_index(folder, records(24_000), vectors, model="m", exact_up_to=2000)
    return open_index(folder), Index.of(records(24_000), vectors, model="m")


def test_cells_find_what_exact_search_finds(with_cells):
    by_cells, exactly = with_cells
    about = by_cells.manifest["vectors"]["image"]
    assert about["method"] == "cells"
    assert about["recall"] >= 0.99
    assert about["recall_of_strangers"] >= 0.95
    query_QD = clustered(1, 200)
    found_QK, value_QK = by_cells.nearest("image", query_QD, k=10)
    true_QK, true_value_QK = exactly.nearest("image", query_QD, k=10)
    same = np.mean([len({*a} & {*b}) / 10 for a, b in zip(found_QK, true_QK, strict=True)])
    assert same >= 0.97
    shared = found_QK[:, 0] == true_QK[:, 0]
    assert shared.mean() > 0.97
    np.testing.assert_array_equal(value_QK[shared, 0], true_value_QK[shared, 0])


def test_cells_answer_alike_whatever_the_batch(with_cells):
    by_cells, _ = with_cells
    query_QD = clustered(2, 70)
    together_QK, _ = by_cells.nearest("image", query_QD, k=5)
    alone_QK = [by_cells.nearest("image", query_QD[at : at + 1], k=5)[0] for at in range(70)]
    np.testing.assert_array_equal(together_QK, np.concatenate(alone_QK))


@pytest.mark.parametrize("share", [0.9, 0.02])
def test_cells_keep_to_the_records_allowed(with_cells, share):
    by_cells, exactly = with_cells
    among = np.random.default_rng(0).random(24_000) < share
    query_QD = clustered(3, 50)
    found_QK, _ = by_cells.nearest("image", query_QD, k=10, among=among)
    true_QK, _ = exactly.nearest("image", query_QD, k=10, among=among)
    assert among[found_QK].all()
    same = np.mean([len({*a} & {*b}) / 10 for a, b in zip(found_QK, true_QK, strict=True)])
    assert same == 1 if share == 0.02 else same >= 0.97


def test_more_than_the_cells_hold_is_answered_exactly(with_cells):
    by_cells, _ = with_cells
    few = Cells(by_cells.vectors["image"].cells.path, 1)
    keys = by_cells.vectors["image"].z_VD
    query_QD = clustered(4, 3)
    found = few.nearest(query_QD, keys, k=2000)
    for mine, true in zip(found, nearest_exact(query_QD, keys, k=2000), strict=True):
        np.testing.assert_array_equal(mine, true)


def test_queries_unlike_what_is_stored_find_theirs_too(with_cells):
    by_cells, exactly = with_cells
    query_QD = unit(6, 100, 16)
    found_QK, _ = by_cells.nearest("image", query_QD, k=10)
    true_QK, _ = exactly.nearest("image", query_QD, k=10)
    same = np.mean([len({*a} & {*b}) / 10 for a, b in zip(found_QK, true_QK, strict=True)])
    assert same >= 0.8


def test_recall_is_measured_not_assumed(tmp_path, monkeypatch):
    # Vectors without any order, one short code each, one cell looked into: most neighbours are missed.
    monkeypatch.setattr(cells, "PROBES", (1,))
    monkeypatch.setattr(cells, "_codes_for", lambda dim: 1)
    monkeypatch.setattr(cells, "FEWEST_CANDIDATES", 20)
    monkeypatch.setattr(cells, "CANDIDATES_PER_HIT", 1)
    monkeypatch.setattr(cells, "RECALL_QUERIES", 300)
    measured = write_cells(tmp_path / "x.faiss", unit(5, 12_000, 16).astype(np.float16))
    assert measured.queries == 300
    assert 0 < measured.recall < 0.3
    assert 0 < measured.recall_of_strangers < 0.3


def test_nothing_heavy_is_imported_to_search_vectors():
    code = (
        "import sys, holotype.index.writing, holotype.index.search, holotype.index.build\n"
        "print([name for name in ('torch', 'faiss', 'timm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
