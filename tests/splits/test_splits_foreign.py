"""The audit of splits that others made: tables of roles, lists of files, published parts."""

import pytest

import holotype
from holotype.errors import SplitError
from holotype.splits.foreign import audit
from holotype.splits.plan import read_split

LABELS = ["a"] * 6 + ["b"] * 6


@pytest.fixture
def collection(tmp_path):
    """Twelve images in two class folders; the first file of each class is the same file."""
    import cv2
    import numpy as np

    for number, label in enumerate(LABELS):
        (tmp_path / "in" / label).mkdir(parents=True, exist_ok=True)
        seed = 0 if number == 6 else number
        pixels = np.random.default_rng(seed).integers(0, 255, (24, 24), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "in" / label / f"{number:02d}.png"), pixels)
    holotype.import_("image-folder", [tmp_path / "in"], into=tmp_path / "c", source="s")
    return tmp_path / "c"


def rows_of(collection):
    from holotype.collection.store import open_collection

    table = open_collection(collection).columns()
    items = table["source_item"].to_pylist()
    return {item.split("/")[-1]: row for row, item in enumerate(items)}, table


def test_a_table_of_roles(collection, tmp_path):
    place, table = rows_of(collection)
    ids = table["record_id"].to_pylist()
    roles = {f"{n:02d}.png": "train" if n % 3 else "Test" for n in range(12)}
    lines = ["record_id,split", *(f"{ids[place[name]]},{role}" for name, role in roles.items())]
    (tmp_path / "roles.csv").write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    found = audit(collection, tmp_path / "roles.csv")
    assert found.counts == {"test seen": 4, "train seen": 8}
    assert found.audit["clean"]  # 00 and 06 are both tested
    assert found.not_in_collection == 0
    changed = (tmp_path / "roles.csv").read_text("utf-8-sig").replace(
        f"{ids[place['06.png']]},Test", f"{ids[place['06.png']]},train"
    )  # fmt: skip
    (tmp_path / "roles.csv").write_text(changed)
    found = audit(collection, tmp_path / "roles.csv")
    assert not found.audit["clean"]
    assert found.audit["crossing"]["image_sha256"] == 1
    assert found.audit["conflicting_labels"] == 1
    copies = sorted([ids[place["00.png"]], ids[place["06.png"]]])
    assert [sorted(pair) for pair in found.audit["examples"]["image_sha256"]] == [copies]


def test_lists_of_file_names_as_zoolake_has_them(collection, tmp_path):
    lists = {
        "train_filenames.txt": [f"data/zooplankton/a/x/{n:02d}.png" for n in range(1, 5)],
        "val_filenames.txt": ["05.png", "04.png"],
        "test_filenames.txt": ["in\\b\\07.png", "", "nowhere/99.png"],
        "readme.txt": ["not a list"],
    }
    (tmp_path / "lists").mkdir()
    for name, lines in lists.items():
        (tmp_path / "lists" / name).write_text("\n".join(lines) + "\n")
    found = audit(collection, tmp_path / "lists")
    assert found.counts == {"test seen": 1, "train seen": 3, "unused unnamed": 6, "val seen": 2}
    assert found.audit["listed_twice"] == 1
    assert not found.audit["clean"]
    assert found.not_in_collection == 1
    assert found.examples_not_in_collection[0].endswith("test_filenames.txt:3: nowhere/99.png")
    assert found.audit["unused"] == {"the split does not name it": 6}
    assert found.audit["classes_not_in_train"] == 1  # b is tested, only a is taught


def test_a_file_name_of_several_records_is_no_name(tmp_path):
    rows = ["record_id,species,upstream_split", "x/1,Aus bus,train", "y/1,Aus bus,test"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    holotype.import_("table", [tmp_path / "t.csv"], into=tmp_path / "c", source="s")
    _, table = rows_of(tmp_path / "c")
    ids = table["record_id"].to_pylist()
    (tmp_path / "roles.tsv").write_text(f"record_id\trole\n{ids[0]}\ttrain\n{ids[1]}\tkey\n")
    assert audit(tmp_path / "c", tmp_path / "roles.tsv").counts == {"key seen": 1, "train seen": 1}


def test_the_parts_that_a_source_published(tmp_path):
    rows = ["record_id,species,barcode,upstream_split"]
    rows += [f"r{n},Aus bus,{'ACGT' * (20 + n)},{'test' if n == 3 else 'train'}" for n in range(4)]
    rows.append(f"r4,Aus bus,{'ACGT' * 23},train")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    holotype.import_("table", [tmp_path / "t.csv"], into=tmp_path / "c", source="s")
    found = audit(tmp_path / "c", "upstream")
    assert found.audit["crossing"]["haplotype"] == 1
    report = holotype.split(tmp_path / "c", out=tmp_path / "s.parquet", method="upstream")
    assert report.audit["crossing"]["haplotype"] == 0  # the copy has left training
    again = audit(tmp_path / "c", tmp_path / "s.parquet")
    assert again.audit == read_split(tmp_path / "s.parquet").audit == report.audit
    assert again.method == "upstream"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "no such file"),
        ("r.csv", "id,role\n1,train\n", r"r.csv:1: columns id, role. A table of roles has one of record_id"),
        ("r.csv", "record_id,role\n00.png,trian\n", r"r.csv:2: role 'trian' is none. Did you mean 'train'"),
        ("r.csv", "record_id,role\n77.png,train\n", r"names no record of the collection \(.*r.csv:2: 77.png"),
        ("r.csv", b"record_id,role\n\xff\xfe,train\n", "not UTF-8"),
        ("r.csv", "", "r.csv:1: columns "),
    ],
)  # fmt: skip
def test_what_is_no_split(collection, tmp_path, name, content, message):
    if content is not None:
        raw = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(SplitError, match=message):
        audit(collection, tmp_path / name)


def test_a_folder_without_lists(collection, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SplitError, match="no list named by its role"):
        audit(collection, tmp_path / "empty")
