"""Exports open in the programs they are for, hold every record once, and say whose it is."""

import io
import json
import tarfile

import pytest
from PIL import Image

import holotype
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.splits.plan import read_split

TABLE = (
    "Dataset,Raw_Labels,Kingdom,Phylum,Class,Order,Family,Genus,Species,qualifier,root_class\n"
    "net,cal,Animalia,Arthropoda,Copepoda,Calanoida,Calanidae,Calanus,finmarchicus,,living\n"
    "net,fish,Animalia,Chordata,,,,,,,living\n"
)


@pytest.fixture
def collection(tmp_path, png):
    for number in range(20):
        folder = tmp_path / "net" / ("cal" if number % 2 else "fish")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(png(number))
    (tmp_path / "labels.csv").write_text(TABLE)
    given = {"licence": "CC-BY-4.0", "rights_holder": "Ann", "citation": "doi:10.1/net"}
    holotype.import_(
        "image-folder",
        [tmp_path / "net"],
        into=tmp_path / "c",
        labels=tmp_path / "labels.csv",
        constants=given,
    )
    (tmp_path / "b.fasta").write_text(">x\nACGTACGTACGT\n")
    holotype.import_("fasta", [tmp_path / "b.fasta"], into=tmp_path / "c")
    holotype.split(tmp_path / "c", out=tmp_path / "s.parquet", fractions=(0.6, 0.2, 0.2))
    return tmp_path / "c"


def test_hugging_face_datasets_opens_it_part_by_part(collection, tmp_path, monkeypatch):
    from datasets import load_dataset

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    report = holotype.export(collection, out=tmp_path / "hf", split=tmp_path / "s.parquet")
    split = read_split(tmp_path / "s.parquet")
    loaded = load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    by_role = {"train": "train", "validation": "val", "test": "test"}
    assert set(loaded) == set(by_role) == set(report.parts)
    for part, role in by_role.items():
        wanted = {n for n, r in zip(split.record_id, split.role_N, strict=True) if r == role}
        assert set(loaded[part]["record_id"]) == wanted
        assert len(loaded[part]) == report.parts[part]
    first = next(row for row in loaded["train"] if row["image"] is not None)
    assert first["image"].size == (first["image_width_px"], first["image_height_px"])
    assert sum(report.parts.values()) + sum(report.left_out.values()) == 21


def test_the_card_says_whose_it_is(collection, tmp_path):
    holotype.export(collection, out=tmp_path / "hf", allow_licence=["open"])
    card = (tmp_path / "hf" / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    assert "Cite: doi:10.1/net" in card
    assert "- commercial: **yes**" in card
    assert (
        "20 records; CC-BY-4.0; rights holder: Ann; cite: doi:10.1/net"
        in (tmp_path / "hf" / "ATTRIBUTION.md").read_text()
    )
    manifest = json.loads((tmp_path / "hf" / "export.json").read_text())
    assert manifest["left_out"] == {"licence not allowed": 1}


def test_without_a_licence_the_card_promises_nothing(collection, tmp_path):
    holotype.export(collection, out=tmp_path / "hf")
    card = (tmp_path / "hf" / "README.md").read_text()
    assert card.startswith("---\nlicense: other\n")
    assert "- share: **unknown**" in card


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_image_caption_and_record(collection, tmp_path):
    import webdataset

    report = holotype.export(
        collection, out=tmp_path / "wds", form="webdataset", split=tmp_path / "s.parquet"
    )
    tars = sorted((tmp_path / "wds").glob("*/*.tar"))
    assert {path.parent.name for path in tars} == {"train", "validation", "test"}
    seen = {}
    for path in tars:
        for sample in webdataset.WebDataset(str(path), shardshuffle=False):
            record = json.loads(sample["json"])
            assert sample["__key__"] not in seen
            seen[sample["__key__"]] = record["record_id"]
            image = Image.open(io.BytesIO(sample["png"]))
            assert image.size == (record["image_width_px"], record["image_height_px"])
            species = record.get("species")
            caption = sample["txt"].decode()
            lineage = "Animalia Arthropoda Copepoda Calanoida Calanidae Calanus finmarchicus"
            assert caption == (lineage if species else "Animalia Chordata")
    held = open_collection(collection).columns(["record_id", "image_sha256"]).to_pylist()
    with_image = {row["record_id"] for row in held if row["image_sha256"]}
    assert sorted(seen.values()) == sorted(with_image)
    assert sum(report.left_out.values()) == 1


def test_equal_collections_give_equal_tars(collection, tmp_path):
    for name in ("a", "b"):
        holotype.export(collection, out=tmp_path / name, form="webdataset")
    first, second = ((tmp_path / name / "train" / "00000.tar").read_bytes() for name in ("a", "b"))
    assert first == second
    with tarfile.open(tmp_path / "a" / "train" / "00000.tar") as archive:
        assert {member.mtime for member in archive} == {0}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlcroissant.*")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")
def test_croissant_is_valid_and_reads_the_records(collection, tmp_path):
    import mlcroissant

    holotype.export(collection, out=tmp_path / "hf", split=tmp_path / "s.parquet")
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "hf" / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    found = set()
    for part in dataset.metadata.record_sets:
        for record in dataset.records(part.uuid):
            found |= {value for key, value in record.items() if key.endswith("#record_id")}
    ids = open_collection(collection).columns(["record_id"])["record_id"].to_pylist()
    assert found == {name.encode() for name in ids}


def test_what_is_refused(collection, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    with pytest.raises(CollectionError, match="not empty"):
        holotype.export(collection, out=tmp_path / "full")
    with pytest.raises(CollectionError, match="no record is left to export"):
        holotype.export(collection, out=tmp_path / "e", allow_licence=["CC0-1.0"])
    with pytest.raises(CollectionError, match="nothing would be left of part"):
        holotype.export(
            collection,
            out=tmp_path / "f",
            split=tmp_path / "s.parquet",
            allow_licence=["CC0-1.0"],
        )
    assert not (tmp_path / "e").exists()
