"""TreeOfLife: samples of tars joined with catalogue and licences; tars and catalogue by themselves."""

import csv
import io
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from holotype.collection.sources.item import SourceOptions
from holotype.collection.sources.tree_of_life import SOURCE, tagged_lineage
from holotype.errors import SourceError
from holotype.media.locations import SliceAt, read_location
from holotype.testing import check_source

LINEAGE = "Animalia Chordata Aves Passeriformes Corvidae Pica hudsonia"
TAGGED = (
    "kingdom Animalia phylum Chordata class Aves order Passeriformes family Corvidae genus Pica "
    "species hudsonia"
)
NAME, COMMON = "Pica hudsonia", "black-billed magpie"
TEXTS = {
    "com.txt": f"a photo of {COMMON}.",
    "common_name.txt": COMMON,
    "sci.txt": f"a photo of {NAME}.",
    "sci_com.txt": f"a photo of {NAME} with common name {COMMON}.",
    "scientific_name.txt": NAME,
    "taxon.txt": f"a photo of {LINEAGE}.",
    "taxonTag.txt": f"a photo of {TAGGED}.",
    "taxonTag_com.txt": f"a photo of {TAGGED} with common name {COMMON}.",
    "taxon_com.txt": f"a photo of {LINEAGE} with common name {COMMON}.",
    "taxonomic_name.txt": LINEAGE,
}
RANKS = dict(
    zip(
        ("kingdom", "phylum", "class", "order", "family", "genus", "species"),
        (*LINEAGE.split()[:6], NAME),
        strict=True,
    )
)
CATALOGUE = [
    "split", "treeoflife_id", "eol_content_id", "eol_page_id", "bioscan_part", "bioscan_filename",
    "inat21_filename", "inat21_cls_name", "inat21_cls_num", "kingdom", "phylum", "class", "order",
    "family", "genus", "species", "common",
]  # fmt: skip
LICENCES = [
    "treeoflife_id", "eol_content_id", "eol_page_id", "md5", "medium_source_url",
    "eol_full_size_copy_url", "license_name", "copyright_owner", "license_link", "title",
]  # fmt: skip


def jpeg(number):
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    handle = io.BytesIO()
    Image.fromarray(pixels).save(handle, "JPEG")
    return handle.getvalue()


def write_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            held = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(held)
            archive.addfile(entry, io.BytesIO(held))


def sample(key, number, texts=TEXTS):
    return {
        f"{key}.jpg": jpeg(number),
        **{f"{key}.{ending}": text for ending, text in texts.items()},
    }


def write_csv(path, header, *rows):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, header, restval="")
        writer.writeheader()
        writer.writerows(rows)


def magpie(key, **given):
    return {
        "split": "train", "treeoflife_id": key, "eol_content_id": "123.0", "kingdom": "Animalia",
        "phylum": "Chordata", "class": "Aves", "order": "Passeriformes", "family": "Corvidae",
        "genus": "Pica", "species": "hudsonia", "common": COMMON, **given,
    }  # fmt: skip


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "tol").mkdir()
    write_tar(tmp_path / "tol" / "shard-000.tar", sample("id1", 1) | sample("id2", 2))
    write_tar(tmp_path / "tol" / "shard-001.tar", sample("id3", 3))
    return tmp_path / "tol"


def test_catalogue_licences_and_all_texts_join_by_id(tree):
    write_csv(
        tree / "catalog.csv",
        CATALOGUE,
        magpie("id1"),
        magpie("id1", split="train_small"),
        magpie("id2", split="val", common=NAME),
        magpie("id9"),
    )
    write_csv(
        tree / "licenses.csv",
        LICENCES,
        {
            "treeoflife_id": "id1", "license_name": "cc-by-nc-3.0", "copyright_owner": "A. Smith",
            "medium_source_url": "https://example.org/1.jpg", "title": "A magpie",
        },
    )  # fmt: skip
    done = check_source(SOURCE, tree)
    assert (done.records, done.skipped, done.errors) == (3, 1, 0)
    by_name = {item.name: item for item in done.items}
    first = by_name["id1"]
    expected = RANKS | {
        "vernacular_name": COMMON, "written_label": NAME, "upstream_split": "train;train_small",
        "licence": "cc-by-nc-3.0", "rights_holder": "A. Smith", "extra:title": "A magpie",
        "image_url": "https://example.org/1.jpg", "extra:eol_content_id": "123",
        **{f"extra:{ending}": text for ending, text in TEXTS.items()},
    }  # fmt: skip
    assert first.fields == expected
    assert (first.image_name, isinstance(first.image, SliceAt)) == ("id1.jpg", True)
    assert [read_location(by_name[f"id{n}"].image) for n in (1, 2, 3)] == [
        jpeg(n) for n in (1, 2, 3)
    ]
    assert by_name["id2"].fields["upstream_split"] == "val"
    assert "licence" not in by_name["id2"].fields
    assert (
        by_name["id2"].fields["vernacular_name"] == COMMON
    )  # of the text: the catalogue has the binomial
    assert by_name["id3"].notes == (
        ("catalogue", "id3: no row in the catalogue: named by its texts alone"),
    )
    assert {rank: by_name["id3"].fields[rank] for rank in RANKS} == RANKS
    assert by_name["id9"].skip_reason == "in the catalogue, without a sample in these tars"


def test_tars_without_a_catalogue(tree):
    found = check_source(SOURCE, tree / "shard-000.tar").items
    assert [item.name for item in found] == ["id1", "id2"]
    assert {rank: found[0].fields[rank] for rank in RANKS} == RANKS
    assert (found[0].fields["vernacular_name"], found[0].notes) == (COMMON, ())


def test_a_catalogue_without_tars_and_the_parquet_of_200m(tmp_path):
    row = {
        "uuid": "u1", "source_url": "https://example.org/a.jpg", "kingdom": "Animalia", "genus": "Pica",
        "species": "hudsonia", "scientific_name": "Pica hudsonia (Sabine, 1823)",
        "common": "Animalia Pica hudsonia", "source_id": 12.0, "img_type": "Citizen Science",
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row, {**row, "uuid": None}]), tmp_path / "catalog.parquet")
    bad, item = check_source(SOURCE, tmp_path / "catalog.parquet").items
    assert (item.name, item.row, item.image) == ("u1", 1, None)
    assert item.fields == {
        "kingdom": "Animalia", "genus": "Pica", "species": "Pica hudsonia",
        "written_label": "Pica hudsonia (Sabine, 1823)", "image_url": "https://example.org/a.jpg",
        "extra:source_id": "12", "extra:img_type": "Citizen Science",
    }  # fmt: skip
    assert "catalog.parquet, line 2, column uuid: blank. Write the id of the image." in bad.error


def test_members_that_belong_to_no_sample_and_repeated_ids(tmp_path):
    broken = {"id4.sci.txt": "a photo of Pica."} | {"README": "x", "../up.jpg": jpeg(1)}
    huge = {"id5.jpg": jpeg(5), "id5.com.txt": "x" * 70_000, "id5.npy": b"1"}
    write_tar(tmp_path / "a.tar", broken | huge)
    write_tar(tmp_path / "b.tar", sample("id5", 6))
    done = check_source(SOURCE, tmp_path)
    by_name = {item.name: item for item in done.items}
    assert set(by_name) == {
        "a.tar/README",
        "a.tar/../up.jpg",
        "a.tar/id5.npy",
        "id4",
        "id5",
        "id5#0",
    }
    assert by_name["id4"].image is None
    assert by_name["id4"].notes[0][1] == "id4: texts without an image: kept as names alone"
    assert by_name["id5"].notes[0][1] == "id5.com.txt: 70,000 bytes are no caption: left out"
    assert by_name["a.tar/../up.jpg"].skip_reason == "a path that leaves the archive"


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a photo of family Corvidae genus Pica.", {"family": "Corvidae", "genus": "Pica"}),
        (
            "a photo of kingdom Animalia species Pica pica.",
            {"kingdom": "Animalia", "species": "Pica pica"},
        ),
        ("a photo of a bird.", {}),
        ("", {}),
    ],
)
def test_tagged_captions(caption, expected):
    assert tagged_lineage(caption) == expected


def test_nothing_of_a_tree_of_life(tmp_path):
    (tmp_path / "x.md").write_text("x")
    with pytest.raises(SourceError, match="neither tar nor catalogue"):
        list(SOURCE.read(tmp_path, SourceOptions()))
