"""An index on disk: whole or absent, mapped, of one model; what is damaged is named."""

import json

import numpy as np
import pyarrow as pa
import pytest

from holotype import files
from holotype.errors import CollectionError
from holotype.index import cells, writing
from holotype.index.by_identity import barcode_library
from holotype.index.records import RECORDS_SCHEMA, as_records
from holotype.index.store import MANIFEST, Index, Vectors, open_index
from holotype.index.writing import write_index


@pytest.fixture
def table():
    return pa.table(
        {
            "record_id": [f"r{n}" for n in range(2500)],
            "species": [None, "Calanus finmarchicus"] * 1250,
            "barcode": [None, "ACGT" * 50] * 1250,
            "latitude_deg": np.linspace(-90, 90, 2500),
            "depth_min_m": np.zeros(2500),
        }
    )


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2500, 16))
    return {"image": Vectors.of(z / np.linalg.norm(z, axis=1, keepdims=True))}


@pytest.fixture
def written(tmp_path, table, vectors):
    write_index(tmp_path / "i", table, vectors, model="model-a")
    return tmp_path / "i"


def test_what_is_written_is_read(written, table, vectors):
    opened = open_index(written, model="model-a")
    assert len(opened) == 2500
    assert opened.modalities == ("image",)
    assert opened.dim == 16
    assert opened.columns(RECORDS_SCHEMA.names).equals(as_records(table))
    assert opened.records["species"][1].as_py() == "Calanus finmarchicus"
    assert "depth_min_m" not in opened.records.column_names
    np.testing.assert_array_equal(opened.vectors["image"].z_VD, vectors["image"].z_VD)
    assert np.abs(opened.vectors["image"].row_V - np.arange(2500)).max() == 0


def test_vectors_are_mapped_not_read(written):
    opened = open_index(written)
    assert isinstance(opened.vectors["image"].z_VD, np.memmap)
    assert not opened.vectors["image"].z_VD.flags.writeable


def test_some_records_in_any_order(written, table, vectors):
    rows = np.asarray([2499, 0, 1024, 1023, 0])
    for index in (open_index(written), Index.of(table, vectors, model="m")):
        taken = index.taken(["record_id", "barcode"], rows)
        assert taken["record_id"].to_pylist() == ["r2499", "r0", "r1024", "r1023", "r0"]
        assert taken["barcode"].to_pylist() == ["ACGT" * 50, None, None, "ACGT" * 50, None]
        assert index.taken(["record_id"], rows[:0]).num_rows == 0


def test_barcodes_are_kept_as_a_library_whose_rows_are_the_records(written, table, vectors):
    stored = barcode_library(open_index(written))
    made = barcode_library(Index.of(table, vectors, model="m"))
    for library in (stored, made):
        assert library.references.row_N.tolist() == [1]
        assert library.references.records_N.tolist() == [1250]


def test_another_model_is_refused(written):
    with pytest.raises(CollectionError, match="model-a, not model-b"):
        open_index(written, model="model-b")


def test_an_index_is_replaced_in_one_step(written, table, vectors, monkeypatch):
    before = (written / MANIFEST).read_bytes()

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_json", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_index(written, table.slice(0, 10), {}, model="model-b")
    monkeypatch.undo()
    assert (written / MANIFEST).read_bytes() == before
    assert len(open_index(written, model="model-a")) == 2500
    write_index(written, table.slice(0, 10), {}, model="model-b")
    assert len(open_index(written, model="model-b")) == 10
    assert sorted(path.name for path in written.iterdir()) == ["data-2", "index.json"]


def test_who_opened_it_before_it_was_replaced_is_told(written, table):
    opened = open_index(written)
    write_index(written, table.slice(0, 10), {}, model="model-b")
    assert opened.nearest("image", np.eye(16, dtype=np.float32)[:1], k=1)[0].shape == (1, 1)
    with pytest.raises(CollectionError, match="was changed by another command"):
        opened.records  # noqa: B018


def test_a_folder_without_a_manifest_is_no_index(tmp_path):
    with pytest.raises(CollectionError, match=r"no index\.json"):
        open_index(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("data-1/image.npy", lambda p: p.unlink(), "image.npy: cannot be read"),
        ("data-1/image.npy", lambda p: p.write_bytes(p.read_bytes()[:-9]), "cannot be read"),
        ("data-1/image.rows.npy", lambda p: p.write_bytes(b"no"), "cannot be read"),
        ("data-1/image.npy", lambda p: np.save(p, np.zeros((2500, 8), np.float16)), "says <f2"),
        ("data-1/image.npy", lambda p: np.save(p, np.zeros((2500, 16), np.float32)), "float32"),
        ("data-1/records.parquet", lambda p: p.unlink(), "records.parquet: missing"),
        ("index.json", lambda p: p.write_text("{}"), "not a holotype-index manifest"),
    ],
)
def test_damage_is_named(written, name, damage, says):
    damage(written / name)
    with pytest.raises(CollectionError, match=says):
        open_index(written)


@pytest.mark.parametrize(("key", "value"), [("version", 2), ("format", "holotype-bundle")])
def test_another_format_is_refused(written, key, value):
    manifest = json.loads((written / MANIFEST).read_text())
    (written / MANIFEST).write_text(json.dumps(manifest | {key: value}))
    with pytest.raises(CollectionError, match=str(value)):
        open_index(written)


@pytest.mark.parametrize(
    ("ids", "says"),
    [(["a", "b", "a"], "a repeated"), (["a", None, "b"], "is null")],
)
def test_records_need_ids_of_their_own(tmp_path, ids, says):
    with pytest.raises(CollectionError, match=says):
        write_index(tmp_path, pa.table({"record_id": ids}), {}, model="m")
    with pytest.raises(CollectionError, match="no column record_id"):
        write_index(tmp_path, pa.table({"id": ids}), {}, model="m")


def test_one_process_writes_at_a_time(written, table):
    with files.only_one(written), pytest.raises(CollectionError, match="another process"):
        write_index(written, table, {}, model="m")


def test_cells_that_are_gone_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "RECALL_QUERIES", 10)
    z = np.random.default_rng(0).standard_normal((10_001, 8))
    ids = pa.table({"record_id": [f"r{n}" for n in range(len(z))]})
    vectors = {"image": Vectors.of(z / np.linalg.norm(z, axis=1, keepdims=True))}
    write_index(tmp_path, ids, vectors, model="m", exact_up_to=0)
    (tmp_path / "data-1" / writing.cells_name("image")).unlink()
    with pytest.raises(CollectionError, match=r"image\.cells\.faiss: missing"):
        open_index(tmp_path)
