"""CLIBD's HDF5: groups that are unions give no doubles; padded values; what is too large is refused."""

import io

import h5py
import numpy as np
import pytest
from PIL import Image

from holotype.collection.sources.clibd import SOURCE
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import read_location
from holotype.testing import check_source

WIDTH = 900


def jpeg(number):
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    handle = io.BytesIO()
    Image.fromarray(pixels).save(handle, "JPEG")
    return handle.getvalue()


def add_group(file, name, ids, *, mask_2d=True, species="Megaselia scalaris"):
    group = file.create_group(name)
    images = np.zeros((len(ids), WIDTH), np.uint8)
    mask = np.zeros((len(ids), WIDTH), bool)
    for row, number in enumerate(ids):
        if number >= 0:
            content = np.frombuffer(jpeg(number), np.uint8)
            images[row, : content.size] = content
            mask[row, : content.size] = True
    group["image"] = images
    group["image_mask"] = mask if mask_2d else mask.sum(axis=1)
    group["processid"] = np.array([f"P{abs(number)}".encode() for number in ids], "S12")
    group["sampleid"] = [f"S{abs(number)}" for number in ids]
    group["barcode"] = np.array([b"ACGTACGTNN  "] * len(ids), "S20")
    group["order"] = np.array([b"Diptera"] * len(ids), "S20")
    group["family"] = np.array([b"Phoridae"] * len(ids), "S20")
    group["genus"] = np.array([b"Megaselia"] * len(ids), "S20")
    group["species"] = np.array([species.encode()] * len(ids), "S30")
    group["language_tokens_input_ids"] = np.zeros((len(ids), 20), np.int64)


def test_a_sample_in_several_groups_is_one_record(tmp_path):
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        add_group(file, "all_keys", [3, 4, 5], mask_2d=False)
        add_group(file, "seen_keys", [3])
        add_group(file, "val_unseen_keys", [4, 5])
        add_group(file, "no_split", [6, 7, 8], species="not_classified")
        add_group(file, "train_seen", [1, 2])
        add_group(file, "no_split_and_seen_train", [6, 7, 8, 1, 2])
        file.create_group("notes")
    done = check_source(SOURCE, tmp_path / "b.hdf5")
    assert (done.records, done.skipped, done.errors) == (8, 8 + 1, 0)
    records = {item.name: item for item in done.items if item.skip_reason is None}
    assert {name: item.fields["upstream_split"] for name, item in records.items()} == {
        "P3": "seen_keys", "P4": "val_unseen_keys", "P5": "val_unseen_keys", "P1": "train_seen",
        "P2": "train_seen", "P6": "no_split", "P7": "no_split", "P8": "no_split",
    }  # fmt: skip
    assert records["P4"].fields == {
        "specimen_id": "S4", "kingdom": "Animalia", "phylum": "Arthropoda", "order": "Diptera",
        "family": "Phoridae", "genus": "Megaselia", "species": "Megaselia scalaris",
        "barcode": "ACGTACGTNN", "marker": "COI-5P", "upstream_split": "val_unseen_keys",
        "extra:clibd_groups": "all_keys;val_unseen_keys", "written_label": "Megaselia scalaris",
    }  # fmt: skip
    assert records["P6"].fields["written_label"] == "Megaselia"
    assert "species" not in records["P6"].fields
    for name, item in records.items():
        assert read_location(item.image) == jpeg(int(name[1:]))
    skipped = {item.name: item.skip_reason for item in done.items if item.skip_reason}
    assert skipped["all_keys/0"] == "the same sample as in group seen_keys"
    assert skipped["no_split_and_seen_train/3"] == "the same sample as in group train_seen"
    assert skipped["notes"] == "a group without processid and sampleid"


def test_members_of_a_union_that_no_other_group_has_are_records(tmp_path):
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        add_group(file, "all_keys", [3, 9, 9])
        add_group(file, "seen_keys", [3, -4])
    done = check_source(SOURCE, tmp_path / "b.hdf5")
    records = {item.name: item for item in done.items if item.skip_reason is None}
    assert records["P9"].fields["upstream_split"] == "all_keys"
    assert "extra:clibd_groups" not in records["P9"].fields
    assert records["P4"].image is None
    assert "group seen_keys, row 2: no image in the file" in records["P4"].notes[0][1]
    assert [item.skip_reason for item in done.items if item.skip_reason] == [
        "the same sample as in group seen_keys",
        "twice in its group",
    ]


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (
            lambda g: g.create_dataset("barcode", (1 << 30,), "S700", chunks=(64,)),
            "barcode declares 1,073,741,824 rows of 700 bytes. Get the file from its authors again.",
        ),
        (
            lambda g: g.create_dataset("barcode", (1 << 25,), "S700", chunks=(64,)),
            "barcode declares 23,488,102,400 bytes and stores 1. Get",
        ),
        (
            lambda g: g.create_dataset("barcode", (2,), "S700"),
            "its data sets have [2, 3] rows. They must",
        ),
        (
            lambda g: g.__setitem__("barcode", h5py.ExternalLink("/etc/passwd", "/x")),
            "barcode is a link to somewhere else. Put the data",
        ),
        (lambda g: g.__delitem__("image_mask"), "image and image_mask belong together"),
    ],
    ids=["rows", "bomb", "lengths", "link", "mask"],
)
def test_a_group_that_cannot_be_trusted_costs_only_itself(tmp_path, plant, said):
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        add_group(file, "seen_keys", [1])
        add_group(file, "val_seen", [2, 3, 4])
        del file["val_seen"]["barcode"]
        plant(file["val_seen"])
    done = check_source(SOURCE, tmp_path / "b.hdf5")
    (bad,) = [item for item in done.items if item.error]
    assert f"b.hdf5, group val_seen: {said}" in bad.error
    assert [item.name for item in done.items if not item.error] == ["P1"]


def test_what_is_no_such_file(tmp_path):
    (tmp_path / "x.hdf5").write_bytes(b"not hdf")
    with pytest.raises(SourceError, match="not a whole HDF5 file"):
        list(SOURCE.read(tmp_path / "x.hdf5", SourceOptions()))
    with h5py.File(tmp_path / "y.hdf5", "w") as file:
        file.create_group("a")["x"] = [1]
    with pytest.raises(SourceError, match="not a file of CLIBD"):
        list(SOURCE.read(tmp_path / "y.hdf5", SourceOptions()))
