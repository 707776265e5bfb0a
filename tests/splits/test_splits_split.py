"""Splits of whole collections: their files, their audit, and whether they fit."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import SplitError
from holotype.splits.audit import audit_split
from holotype.splits.plan import Role, Split, Status, check_fits, read_split, write_split


def same(first, second):
    return (
        first.record_id == second.record_id
        and first.reason_N == second.reason_N
        and first.made_by == second.made_by
        and first.audit == second.audit
        and all(
            np.array_equal(getattr(first, name), getattr(second, name))
            for name in ("role_N", "status_N", "group_N")
        )
    )


def hand_split(roles, statuses=None):
    count = len(roles)
    return Split(
        record_id=tuple(f"r{i}" for i in range(count)),
        role_N=np.array(roles),
        status_N=np.array(statuses or ["seen"] * count),
        group_N=np.arange(count),
        reason_N=tuple("left" if role == "unused" else None for role in roles),
        made_by={"method": "by hand"},
    )


@pytest.mark.parametrize("method", ["stratified", "seen-unseen"])
def test_every_record_has_a_role_and_nothing_crosses(tiny_collection, tmp_path, method):
    report = holotype.split(tiny_collection, out=tmp_path / "s.parquet", method=method)
    made = read_split(tmp_path / "s.parquet")
    collection = open_collection(tiny_collection)
    assert list(made.record_id) == collection.columns()["record_id"].to_pylist()
    assert sum(report.counts.values()) == len(collection)
    assert report.audit["clean"] is True
    assert report.audit == audit_split(made, collection.columns())
    assert set(made.role_N.tolist()) >= {"train", "val", "test"}


def test_the_seed_decides_and_nothing_else(tiny_collection, tmp_path):
    made = []
    for number, seed in enumerate((0, 0, 1)):
        out = tmp_path / f"{number}.parquet"
        holotype.split(tiny_collection, out=out, method="seen-unseen", seed=seed)
        made.append(read_split(out))
    assert same(made[0], made[1])
    assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()
    assert not np.array_equal(made[0].role_N, made[2].role_N)
    assert np.array_equal(made[0].group_N, made[2].group_N)


def test_require_leaves_out_what_lacks_something(tiny_collection, tmp_path):
    table = open_collection(tiny_collection).columns()
    barcodes, images = table["barcode"].to_pylist(), table["image_sha256"].to_pylist()
    holotype.split(tiny_collection, out=tmp_path / "s.parquet", require=["barcode", "image"])
    made = read_split(tmp_path / "s.parquet")
    for row, (barcode, image) in enumerate(zip(barcodes, images, strict=True)):
        if barcode is None:
            assert made.reason_N[row] in {"barcode is required", "image is required"}
        if barcode is None or image is None:
            assert made.role_N[row] == "unused"
        else:
            assert made.role_N[row] != "unused"
    assert None in barcodes


def test_require_a_value(tiny_collection, tmp_path):
    table = open_collection(tiny_collection).columns()
    wanted = next(name for name in table["instrument"].to_pylist() if name)
    holotype.split(tiny_collection, out=tmp_path / "s.parquet", require=[f"instrument={wanted}"])
    made = read_split(tmp_path / "s.parquet")
    used = {
        table["instrument"][int(row)].as_py() for row in np.flatnonzero(made.role_N != "unused")
    }
    assert used == {wanted}


@pytest.mark.parametrize(
    ("require", "message"),
    [
        (["barcod"], "no column 'barcod'. Did you mean 'barcode'"),
        (["marker=18S"], "no record has what is required: marker=18S"),
    ],
)
def test_require_what_is_not_there(tiny_collection, tmp_path, require, message):
    with pytest.raises(SplitError, match=message):
        holotype.split(tiny_collection, out=tmp_path / "s.parquet", require=require)


def test_an_unknown_method_is_told_the_nearest(tiny_collection, tmp_path):
    with pytest.raises(SplitError, match=r"no method 'stratifed'. Did you mean 'stratified'"):
        holotype.split(tiny_collection, out=tmp_path / "s.parquet", method="stratifed")


def test_a_simulated_collection_has_no_upstream_parts(tiny_collection, tmp_path):
    with pytest.raises(SplitError, match="upstream_split is null"):
        holotype.split(tiny_collection, out=tmp_path / "s.parquet", method="upstream")


def test_file_round_trip(tiny_split, tmp_path):
    made = read_split(tiny_split)
    write_split(made, tmp_path / "copy.parquet")
    assert same(read_split(tmp_path / "copy.parquet"), made)
    assert (tmp_path / "copy.parquet").read_bytes() == tiny_split.read_bytes()


def test_rows_and_counts():
    made = hand_split(
        ["train", "key", "train", "test", "unused"], ["seen", "unseen", "unnamed", "seen", "seen"]
    )
    assert made.rows(Role.TRAIN).tolist() == [0, 2]
    assert made.rows(Role.TRAIN, Status.UNNAMED).tolist() == [2]
    assert made.has_keys
    assert made.counts() == {
        "key unseen": 1, "test seen": 1, "train seen": 1, "train unnamed": 1, "unused seen": 1,
    }  # fmt: skip
    assert not hand_split(["train"]).has_keys


def test_files_that_are_no_split(tmp_path):
    with pytest.raises(SplitError, match=r"no such file. Make it with: holotype split"):
        read_split(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(SplitError, match="not a split file"):
        read_split(tmp_path / "text.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(SplitError, match="not a split file"):
        read_split(tmp_path / "other.parquet")


def test_another_version_is_refused(tiny_split, tmp_path):
    table = pq.read_table(tiny_split)
    described = json.loads(table.schema.metadata[b"holotype"]) | {"version": 1}
    pq.write_table(
        table.replace_schema_metadata({"holotype": json.dumps(described)}), tmp_path / "new.parquet"
    )
    with pytest.raises(
        SplitError, match="format version 1; this Holotype reads holotype-split version 2"
    ):
        read_split(tmp_path / "new.parquet")


def test_a_split_fits_the_collection_it_was_made_from_and_no_other(
    tiny_collection, tiny_split, tmp_path
):
    made = read_split(tiny_split)
    check_fits(made, open_collection(tiny_collection))
    (tmp_path / "in.fasta").write_text(">a\nACGT\n")
    holotype.import_("fasta", [tmp_path / "in.fasta"], into=tmp_path / "c")
    with pytest.raises(
        SplitError, match=r"was made from collection 'collection' .*Make the split again"
    ):
        check_fits(made, open_collection(tmp_path / "c"))


def test_a_good_split_that_is_changed_is_found_out(tiny_collection, tiny_split):
    made, table = read_split(tiny_split), open_collection(tiny_collection).columns()
    groups, counts = np.unique(made.group_N[made.role_N == "train"], return_counts=True)
    several = groups[counts > 1]
    role_N = made.role_N.copy()
    role_N[np.flatnonzero(made.group_N == several[0])[0]] = "test"
    assert not audit_split(Split(**{**vars(made), "role_N": role_N}), table)["clean"]
    role_N = made.role_N.copy()
    role_N[made.rows(Role.KEY, Status.UNSEEN)[0]] = "train"
    assert audit_split(Split(**{**vars(made), "role_N": role_N}), table)["unseen_in_train"]


def test_barcodes_of_several_markers_are_noted(tmp_path, capsys):
    rows = [f"r{i},{'ACGT' * (i + 3)},{'COI-5P' if i % 2 else '18S'},Aus bus" for i in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["record_id,barcode,marker,species", *rows]) + "\n")
    holotype.import_("table", [tmp_path / "t.csv"], into=tmp_path / "c")
    capsys.readouterr()
    holotype.split(tmp_path / "c", out=tmp_path / "s.parquet", method="stratified")
    told = capsys.readouterr().err
    assert "several markers (18S, COI-5P)" in told
    holotype.split(tmp_path / "c", out=tmp_path / "t.parquet", require=["marker=18S"])
    assert "several markers" not in capsys.readouterr().err
