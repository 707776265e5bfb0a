"""Exports open in the programs they are for, hold every record once, and say whose it is."""

import io
import json
import tarfile

import pytest
from PIL import Image

import holotype
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.exchange.croissant import address_of
from holotype.exchange.webdataset import image_ending
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


def test_the_ending_is_what_the_bytes_are_not_what_the_file_was_called(tmp_path, png):
    folder = tmp_path / "net" / "cal"
    folder.mkdir(parents=True)
    picture = Image.open(io.BytesIO(png(3)))
    for name, form in (("copepod_id_0.25.png", "JPEG"), ("b.png", "TIFF"), ("c.jpg", "PNG")):
        picture.save(folder / name, format=form)
    holotype.import_("image-folder", [tmp_path / "net"], into=tmp_path / "c")
    holotype.export(tmp_path / "c", out=tmp_path / "wds", form="webdataset")
    with tarfile.open(tmp_path / "wds" / "train" / "00000.tar") as archive:
        names = [name for name in archive.getnames() if name[-4:] not in (".txt", "json")]
    held = open_collection(tmp_path / "c").columns(["record_id"])["record_id"].to_pylist()
    endings = {"b.png": "tif", "c.jpg": "png", "copepod_id_0.25.png": "jpg"}
    wanted = [endings[record.rpartition("/")[2]] for record in held]
    assert names == [f"{row:09d}.{ending}" for row, ending in enumerate(wanted)]


@pytest.mark.parametrize(
    ("form", "ending"),
    [
        ("PNG", "png"),
        ("JPEG", "jpg"),
        ("TIFF", "tif"),
        ("BMP", "bmp"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("JPEG2000", "jp2"),
        ("PPM", "pgm"),
    ],
)
def test_endings_of_what_pillow_writes(form, ending):
    written = io.BytesIO()
    Image.new("L", (20, 20)).save(written, format=form)
    assert image_ending(written.getvalue()) == ending


def test_an_unknown_image_has_a_plain_ending():
    assert image_ending(b"RIFF....AVI ") == "img"
    assert image_ending(b"") == "img"


@pytest.mark.parametrize("form", ["huggingface", "webdataset"])
def test_a_stopped_export_is_written_again(collection, tmp_path, form, monkeypatch):
    holotype.export(collection, out=tmp_path / "whole", form=form, split=tmp_path / "s.parquet")
    out = tmp_path / "out"
    with monkeypatch.context() as patched:

        def stop(*_):
            raise KeyboardInterrupt

        patched.setattr("holotype.exchange.export.dataset_card", stop)
        with pytest.raises(KeyboardInterrupt):
            holotype.export(collection, out=out, form=form)
    assert (out / ".export-unfinished").exists()
    assert not (out / "export.json").exists()
    (out / ".README.md.77.part").write_text("half")
    holotype.export(collection, out=out, form=form, split=tmp_path / "s.parquet")
    held = [
        {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (out, tmp_path / "whole")
    ]
    assert held[0] == held[1]
    assert ".export-unfinished" not in held[0]
    with pytest.raises(CollectionError, match="not empty"):
        holotype.export(collection, out=out, form=form)


def test_a_stopped_export_with_something_of_the_user_in_it_is_left_alone(collection, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".export-unfinished").touch()
    (out / "thesis.tex").write_text("mine")
    with pytest.raises(CollectionError, match=r"thesis\.tex, which no export writes"):
        holotype.export(collection, out=out)
    assert (out / "thesis.tex").read_text() == "mine"


def test_a_form_that_is_none(collection, tmp_path):
    with pytest.raises(CollectionError, match=r"no form 'webdatasets'\. Did you mean 'webdataset'"):
        holotype.export(collection, out=tmp_path / "x", form="webdatasets")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("citations", "address"),
    [
        (["Irisson 2018, no address", "doi:10.17882/55741."], "https://doi.org/10.17882/55741"),
        (["See (https://example.org/a_b)."], "https://example.org/a_b"),
        (["Orenstein 2015, 10.1575/1912/7341; WHOI"], "https://doi.org/10.1575/1912/7341"),
        (["page 10.5/12 mm"], None),
        ([], None),
    ],
)
def test_the_address_of_a_data_set_is_one_that_it_cites(citations, address):
    assert address_of(citations) == address


@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlcroissant.*")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")
def test_croissant_without_an_address_is_valid_and_claims_none(tmp_path):
    import mlcroissant

    (tmp_path / "b.fasta").write_text(">x\nACGTACGTACGT\n")
    holotype.import_("fasta", [tmp_path / "b.fasta"], into=tmp_path / "c")
    holotype.export(tmp_path / "c", out=tmp_path / "hf")
    written = tmp_path / "hf" / "croissant.json"
    assert "url" not in json.loads(written.read_text())
    assert not mlcroissant.Dataset(jsonld=str(written)).metadata.ctx.issues.errors


def test_the_card_holds_no_heading_of_a_record(tmp_path):
    row = 'a,Calanus a,"doi:10.1/a\n## Licence: do what you like"\n'
    (tmp_path / "t.csv").write_text("record_id,species,citation\n" + row)
    holotype.import_("table", [tmp_path / "t.csv"], into=tmp_path / "c")
    holotype.export(tmp_path / "c", out=tmp_path / "hf")
    for name in ("README.md", "ATTRIBUTION.md"):
        assert "\n## Licence:" not in (tmp_path / "hf" / name).read_text()
