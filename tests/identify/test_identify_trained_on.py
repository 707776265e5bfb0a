"""Was this in training? Equal files and barcodes are found, look-alikes are told as near, others are not."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import BundleError
from holotype.files import sha256_bytes
from holotype.media.barcodes import clean_barcode
from holotype.media.images import read_pixels
from holotype.media.measures import measure
from holotype.models.bundle import TRAINING_RECORDS
from holotype.splits.plan import Role, read_split
from holotype.training.provenance import write_provenance


def crop(seed):
    """A round thing with a texture of its own, 96 px."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96]
    texture = cv2.resize(rng.integers(0, 160, (7, 7)).astype(np.uint8), (96, 96))
    inside = (y - 48) ** 2 + (x - 44) ** 2 < 36**2
    return np.where(inside, texture, 235).astype(np.uint8)


@pytest.fixture
def run(tmp_path):
    for name in ("A", "B"):
        (tmp_path / "in" / name).mkdir(parents=True)
    for number in range(10):
        path = tmp_path / "in" / ("A" if number % 2 else "B") / f"{number}.png"
        cv2.imwrite(str(path), crop(number))
    holotype.import_("image-folder", [tmp_path / "in"], into=tmp_path / "c")
    holotype.split(tmp_path / "c", out=tmp_path / "s.parquet", fractions=(0.6, 0.2, 0.2))
    (tmp_path / "run").mkdir()
    split = read_split(tmp_path / "s.parquet")
    write_provenance(tmp_path / "run", open_collection(tmp_path / "c"), split, name="a model")
    return tmp_path


def test_equal_files_of_train_and_val_are_found_and_those_of_test_are_not(run):
    split = read_split(run / "s.parquet")
    report = holotype.trained_on(run / "run", [str(run / "in")])
    found = {row["input"].rpartition("/")[2]: row for row in report.rows}
    for record_id, role in zip(split.record_id, split.role_N, strict=True):
        row = found[record_id.rpartition("/")[2]]
        if role in {Role.TRAIN, Role.VAL}:
            assert (row["seen"], row["role"], row["record_id"]) == ("same", role, record_id)
        else:
            assert row["seen"] == "no"
    assert report.counts == {"same": 8, "near": 0, "no": 2, "failed": 0}


def test_another_encoding_is_near_and_something_else_is_not(run):
    split = read_split(run / "s.parquet")
    trained = split.record_id[split.rows(Role.TRAIN)[0]]
    pixels = cv2.imread(str(run / trained))
    cv2.imwrite(str(run / "again.jpg"), cv2.resize(pixels, (120, 120)))
    cv2.imwrite(str(run / "other.png"), crop(99))
    (run / "broken.png").write_bytes(b"nothing")
    inputs = [str(run / name) for name in ("again.jpg", "other.png", "broken.png")]
    rows = holotype.trained_on(run / "run", inputs).rows
    assert [row["seen"] for row in rows] == ["near", "no", "failed"]
    assert rows[0]["record_id"] == trained
    assert rows[0]["bits"] <= 6
    assert "not an image" in rows[2]["detail"]


def test_a_run_without_the_hashes_cannot_say(tmp_path):
    with pytest.raises(BundleError, match="it cannot be said"):
        holotype.trained_on(tmp_path, ["x.png"])


def test_the_credits_lie_beside_the_model(run):
    text = (run / "run" / "ATTRIBUTION.md").read_text()
    assert text.startswith("# Sources that a model learnt from\n")
    assert "8 records; licence not stated" in text


SEQUENCE = "AACATTATATTTTATTTTTGGAGCATGATCAGGAATAGTAGGAACTTC"
TURNED = "GAAGTTCCTACTATTCCTGATCATGCTCCAAAAATAAAATATAATGTT"


@pytest.fixture
def ledger(tmp_path):
    """A run whose records of one barcode and one image are in val first, then in train."""
    content = cv2.imencode(".png", crop(1))[1].tobytes()
    (tmp_path / "x.png").write_bytes(content)
    look = measure(read_pixels(content)).phash
    barcode, image, same_look = (
        clean_barcode(SEQUENCE).haplotype,
        sha256_bytes(content),
        f"{look:016x}",
    )
    rows = [
        {"record_id": name, "role": role, **keys}
        for keys in ({"haplotype": barcode}, {"image_sha256": image, "image_phash": same_look})
        for name, role in (("v", "val"), ("t1", "train"), ("t2", "train"))
    ]
    names = ("record_id", "role", "haplotype", "image_sha256", "image_phash")
    table = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    pq.write_table(pa.table(table), tmp_path / TRAINING_RECORDS)
    return tmp_path


@pytest.mark.parametrize(
    ("written", "detail"), [(SEQUENCE, None), (TURNED, "as its reverse complement")]
)
def test_a_barcode_is_found_on_both_strands(ledger, written, detail):
    (ledger / "b.fasta").write_text(f">b\n{written}\n")
    (row,) = holotype.trained_on(ledger, [str(ledger / "b.fasta")]).rows
    assert (row["seen"], row["role"], row["record_id"]) == ("same", "train", "t1")
    assert row["detail"] == detail


def test_training_wins_over_validation_and_the_first_record_is_named(ledger):
    cv2.imwrite(str(ledger / "y.png"), crop(1), [cv2.IMWRITE_PNG_COMPRESSION, 0])
    rows = holotype.trained_on(ledger, [str(ledger / "x.png"), str(ledger / "y.png")]).rows
    assert [row["seen"] for row in rows] == ["same", "near"]
    assert {(row["role"], row["record_id"]) for row in rows} == {("train", "t1")}
