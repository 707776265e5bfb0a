"""Collections -> an index: all records, added or at once, gone on with after a kill; what is refused."""

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.index import embedding
from holotype.index.build import BUILDING, add_to_index, build_index, model_of
from holotype.index.records import RECORDS_SCHEMA
from holotype.index.store import Vectors, open_index
from holotype.index.writing import write_index
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import open_bundle
from holotype.models.encode import encode


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """Some 40 specimens of another simulation, ids unlike those of the tiny collection."""
    folder = tmp_path_factory.mktemp("second")
    settings = folder / "simulation.toml"
    settings.write_text("seed = 8\nnum_species = 5\nmedian_specimens_per_species = 8.0\n")
    holotype.import_("simulated", [settings], into=folder / "collection", source="second")
    return folder / "collection"


@pytest.fixture
def in_small_parts(monkeypatch):
    monkeypatch.setattr(embedding, "RECORDS_AT_A_TIME", 60)


def everything(folder):
    index = open_index(folder)
    columns = index.columns(RECORDS_SCHEMA.names).to_pylist()
    arrays = {m: (v.z_VD.tobytes(), v.row_V.tobytes()) for m, v in index.vectors.items()}
    about = {k: v for k, v in index.manifest.items() if k not in ("data", "bundle", "collections")}
    return columns, arrays, about


def test_every_record_is_there_as_the_model_sees_it(
    tiny_collection, tiny_run, tmp_path, in_small_parts
):
    report = build_index(tiny_run, [tiny_collection], out=tmp_path / "i")
    opened, bundle = open_collection(tiny_collection), open_bundle(tiny_run)
    table = opened.columns()
    index = open_index(tmp_path / "i", model=bundle.fingerprint)
    assert report.records == report.added == len(opened) == len(index)
    assert (report.already_there, report.failures) == (0, {})
    names = ["record_id", "species", "instrument", "latitude_deg", "licence", "barcode"]
    assert index.columns(names).equals(table.select(names))
    rows = np.arange(len(opened))
    encoded = encode(bundle.model, prepare_collection(opened, pixels=bundle.pixels, rows=rows))
    assert set(index.modalities) == {"image", "barcode"}
    for modality, one in encoded.items():
        found = index.vectors[modality]
        assert report.vectors[modality] == len(one)
        np.testing.assert_array_equal(found.row_V, one.row_R)
        np.testing.assert_array_equal(found.z_VD, one.z_RD.astype(np.float16))
    assert not (tmp_path / "i" / BUILDING).exists()


def test_adding_is_building_from_both(tiny_collection, second, tiny_run, tmp_path, in_small_parts):
    build_index(tiny_run, [tiny_collection], out=tmp_path / "i", thumbnails_px=24)
    added = add_to_index(tmp_path / "i", [second], model=tiny_run)
    at_once = build_index(tiny_run, [tiny_collection, second], out=tmp_path / "j", thumbnails_px=24)
    assert added.records == at_once.records == added.added + len(open_collection(tiny_collection))
    assert everything(tmp_path / "i") == everything(tmp_path / "j")
    for folder in ("i", "j"):
        told = open_index(tmp_path / folder).manifest["collections"]
        assert [one["records"] for one in told] == [at_once.records - added.added, added.added]


def test_what_is_there_already_is_left_out_and_counted(tiny_collection, second, tiny_run, tmp_path):
    build_index(tiny_run, [second], out=tmp_path / "i")
    before = everything(tmp_path / "i")
    again = add_to_index(tmp_path / "i", [second])
    assert (again.added, again.already_there) == (0, again.records)
    assert everything(tmp_path / "i") == before
    both = add_to_index(tmp_path / "i", [second, tiny_collection])
    assert both.already_there == again.records
    assert both.added == len(open_collection(tiny_collection))


def test_thumbnails_are_small_images_of_their_records(tiny_collection, tiny_run, tmp_path):
    build_index(tiny_run, [tiny_collection], out=tmp_path / "i", thumbnails_px=20)
    shown = open_index(tmp_path / "i").columns(["thumbnail"])["thumbnail"].to_pylist()
    for (_, content), small in zip(open_collection(tiny_collection).images(), shown, strict=True):
        assert (content is None) == (small is None)
        if content is None:
            continue
        whole = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        tiny = cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR)
        assert max(tiny.shape[:2]) <= 20
        assert abs(float(whole.mean()) - float(tiny.mean())) < 12
        assert np.abs(whole.mean(axis=(0, 1)) - tiny.mean(axis=(0, 1))).max() < 14  # blue is blue
    with pytest.raises(CollectionError, match="choose 16 to 512"):
        build_index(tiny_run, [tiny_collection], out=tmp_path / "j", thumbnails_px=4)


KILLED = """
import os, sys
from holotype.index import build, embedding
embedding.RECORDS_AT_A_TIME = 60
left = [int(sys.argv[4])]
write_piece = build.write_piece
def dies(*given):
    if not left[0]:
        os.kill(os.getpid(), 9)
    left[0] -= 1
    write_piece(*given)
build.write_piece = dies
build.build_index(sys.argv[1], [sys.argv[2]], out=sys.argv[3])
"""


def test_a_killed_build_goes_on_and_ends_alike(
    tiny_collection, tiny_run, tmp_path, in_small_parts, monkeypatch, capsys
):
    folder = tmp_path / "i"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tiny_run, tiny_collection, folder, "2"], check=False
    )
    assert done.returncode == -9
    with pytest.raises(CollectionError, match=r"no index\.json"):
        open_index(folder)
    assert sorted(p.name for p in (folder / BUILDING).iterdir()) == [
        "000000",
        "000001",
        "plan.json",
    ]
    (folder / BUILDING / "000002.part").mkdir()  # what a kill within a piece leaves
    asked = []
    made_ready = embedding._made_ready
    monkeypatch.setattr(
        embedding, "_made_ready", lambda *given: asked.append(given[1]) or made_ready(*given)
    )
    build_index(tiny_run, [tiny_collection], out=folder)
    assert "going on" in capsys.readouterr().err
    assert min(stretch.row_S[0] for stretch in asked) == 120
    build_index(tiny_run, [tiny_collection], out=tmp_path / "whole")
    assert everything(folder) == everything(tmp_path / "whole")


def test_pieces_of_another_build_are_not_taken(
    tiny_collection, second, tiny_run, tmp_path, in_small_parts, capsys
):
    folder = tmp_path / "i"
    command = [sys.executable, "-c", KILLED, tiny_run, tiny_collection, folder, "1"]
    subprocess.run(command, check=False)
    build_index(tiny_run, [second], out=folder)
    assert "another build was stopped here" in capsys.readouterr().err
    build_index(tiny_run, [second], out=tmp_path / "j")
    assert everything(folder) == everything(tmp_path / "j")


def test_an_index_that_is_there_is_not_written_over(second, tiny_run, tmp_path):
    build_index(tiny_run, [second], out=tmp_path / "i")
    with pytest.raises(CollectionError, match="an index already"):
        build_index(tiny_run, [second], out=tmp_path / "i")
    (tmp_path / "mine" / "data-2021").mkdir(parents=True)
    (tmp_path / "mine" / "data-2021" / "letters.txt").write_text("dear")
    with pytest.raises(CollectionError, match="holds data-2021"):
        build_index(tiny_run, [second], out=tmp_path / "mine")
    made = open_index(tmp_path / "i")
    vectors = {m: Vectors(v.z_VD, v.row_V) for m, v in made.vectors.items()}
    write_index(tmp_path / "mine", made.records, vectors, model=made.model)
    assert open_index(tmp_path / "mine").manifest["data"] == "data-2022"
    assert (tmp_path / "mine" / "data-2021" / "letters.txt").read_text() == "dear"
    with pytest.raises(CollectionError, match="given twice"):
        build_index(tiny_run, [second, second], out=tmp_path / "j")


def test_another_model_is_refused(second, tiny_run, tmp_path):
    build_index(tiny_run, [second], out=tmp_path / "i")
    with pytest.raises(CollectionError, match="Vectors of two models cannot be compared"):
        add_to_index(tmp_path / "i", [second], model="starter")


def test_the_model_is_found_where_it_was(second, tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    build_index(tmp_path / "run", [second], out=tmp_path / "here" / "i")
    shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved")
    moved = tmp_path.parent / f"{tmp_path.name}-moved" / "here" / "i"
    assert model_of(open_index(moved), None).path.name == "run"
    shutil.rmtree(tmp_path.parent / f"{tmp_path.name}-moved" / "run")
    with pytest.raises(CollectionError, match="by --model"):
        model_of(open_index(moved), None)
    assert model_of(open_index(moved), tiny_run).path == tiny_run


@pytest.mark.parametrize(
    "place", ["references", "decisions/references", "decisions/data-1/references"]
)
def test_the_model_of_a_bundles_references_is_the_bundle(second, tiny_run, tmp_path, place):
    shutil.copytree(tiny_run, tmp_path / "run")
    made = build_index(tiny_run, [second], out=tmp_path / "i")
    index = open_index(tmp_path / "i")
    vectors = {m: Vectors(v.z_VD, v.row_V) for m, v in index.vectors.items()}
    written = write_index(tmp_path / "run" / place, index.records, vectors, model=made.model)
    assert written.manifest["bundle"] is None
    assert model_of(written, None).path == tmp_path / "run"


def test_records_without_anything_the_model_reads(second, tmp_path, tiny_run):
    # The starter reads images alone; a collection of barcodes alone has nothing for it.
    lines = open_collection(second).columns(["record_id", "barcode"]).to_pylist()
    fasta = tmp_path / "x.fasta"
    fasta.write_text("".join(f">{r['record_id']}\n{r['barcode']}\n" for r in lines if r["barcode"]))
    holotype.import_("fasta", [fasta], into=tmp_path / "c", source="letters")
    with pytest.raises(CollectionError, match="no record has what this model reads"):
        build_index("starter", [tmp_path / "c"], out=tmp_path / "i")
    assert not (tmp_path / "i").exists()  # no empty folder that looks like an index
    report = build_index(tiny_run, [tmp_path / "c"], out=tmp_path / "i")
    assert set(report.vectors) == {"barcode"}


def test_an_image_that_cannot_be_read_is_listed_and_costs_no_other(
    second, tiny_run, tmp_path, in_small_parts
):
    broken = tmp_path / "c"
    shutil.copytree(second, broken)
    opened = open_collection(broken)
    shard = opened.shard_paths()[0]
    table = pq.read_table(shard)
    images = table["image"].to_pylist()
    images[3]["bytes"] = images[3]["bytes"][:40]
    at = table.schema.get_field_index("image")
    damaged = table.set_column(at, table.schema.field(at), [images])
    pq.write_table(damaged.cast(table.schema), shard, row_group_size=16)
    report = build_index(tiny_run, [broken], out=tmp_path / "i", thumbnails_px=32)
    name = table["record_id"][3].as_py()
    assert list(report.failures) == [name]
    whole = build_index(tiny_run, [second], out=tmp_path / "j", thumbnails_px=32)
    assert report.records == whole.records
    damaged_index, sound = open_index(tmp_path / "i"), open_index(tmp_path / "j")
    assert 3 not in damaged_index.vectors["image"].row_V
    kept = sound.vectors["image"].row_V != 3
    np.testing.assert_array_equal(
        damaged_index.vectors["image"].z_VD, sound.vectors["image"].z_VD[kept]
    )
