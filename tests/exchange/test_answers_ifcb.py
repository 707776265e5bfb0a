"""Class scores of IFCB bins, in the two layouts: what is written, and what our reader reads of it."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from machine_answers import answer, golden, region_rows, table, validated

from holotype.collection.sources.ifcb import read as read_bins
from holotype.collection.sources.ifcb.classes import read_class_file, read_thresholds
from holotype.collection.sources.ifcb.labels import class_file_of, is_thresholds
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.exchange.answers.ifcb import write_ifcb
from holotype.exchange.answers.scores import read_scores, read_threshold_file
from holotype.exchange.answers.syke import write_syke
from holotype.media.members import members

NEW, OLD = "D20130526T095207_IFCB013", "IFCB5_2012_028_081515"
LIMITS = {"Ciliates": 0.95, "detritus": 0.5}


def scores(**more):
    inputs = [row["input"] for row in region_rows()]
    columns = {
        "Ditylum": [0.0, 0.1, 0.45, 0.2, 0.3, 0.0],
        "Ciliates": [0.9, 0.2, 0.5, 0.5, 0.5, 0.0],
        "detritus": [0.1, 0.7, 0.05, 0.3, 0.2, 0.0],
    } | more
    kinds = {name: pa.array(values, pa.float32()) for name, values in columns.items()}
    return pa.table({"input": inputs, **kinds})


def layout(path: Path) -> dict[str, list]:
    with h5py.File(path) as file:
        return {
            name: [str(file[name].dtype), list(file[name].shape), file[name].compression]
            for name in file
        }


def content(path: Path) -> dict[str, list]:
    with h5py.File(path) as file:
        return {
            name: (
                file[name].asstr()[()] if file[name].dtype == object else file[name][()]
            ).tolist()
            for name in file
        }


def test_bins_have_the_layout_of_version_3(tmp_path):
    done = write_ifcb(table(*region_rows()), tmp_path / "out", scores=scores(), thresholds=LIMITS)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{NEW}_class.h5",
        f"{OLD}_class.h5",
    ]
    assert layout(tmp_path / "out" / f"{NEW}_class.h5") == {
        "class_labels": ["object", [3], "gzip"],
        "class_name": ["object", [2], "gzip"],
        "class_name_auto": ["object", [2], "gzip"],
        "classifier_name": ["object", [1], "gzip"],
        "output_scores": ["float32", [2, 3], "gzip"],
        "roi_numbers": ["int32", [2], "gzip"],
        "thresholds": ["float64", [3], "gzip"],
    }
    assert done.answers == 3
    assert sum(done.left_out.values()) == 3
    assert len(done.left_out) == 3


def test_bins_are_those_of_the_golden_file(tmp_path):
    write_ifcb(table(*region_rows()), tmp_path / "out", scores=scores(), thresholds=LIMITS)
    found = {path.name: content(path) for path in sorted((tmp_path / "out").iterdir())}
    golden("ifcb.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def test_our_reader_reads_the_bins_as_they_were(tmp_path):
    write_ifcb(
        table(*region_rows()),
        tmp_path / "out",
        scores=scores(),
        thresholds=LIMITS,
        classifier="net 5",
    )
    one, _ = members(tmp_path / "out")
    assert class_file_of(one.name) == NEW
    read = read_class_file(one, {})
    assert read.classifier == "net 5"
    assert {n: (a.label, a.winner, a.score) for n, a in read.automatic.items()} == {
        3: ("detritus", "detritus", "0.7"),
        14: ("unclassified", "Ciliates", "0.9"),
    }


def test_without_scores_the_best_labels_are_filled_in_and_the_file_says_so(tmp_path):
    done = write_ifcb(table(*region_rows()), tmp_path / "out")
    with h5py.File(tmp_path / "out" / f"{NEW}_class.h5") as file:
        assert file["class_labels"].asstr()[()].tolist() == ["Ciliates", "Ditylum", "detritus"]
        assert np.allclose(file["output_scores"][()], [[0.2, 0.1, 0.7], [0.9, 0.0, 0.1]])
        assert "five best labels" in file["output_scores"].attrs["remark"]
        assert "thresholds" not in file
    assert any("five best labels" in note for note in done.notes)


def test_without_thresholds_only_safe_labels_are_classes(tmp_path):
    write_ifcb(table(*region_rows()), tmp_path / "out", scores=scores())
    assert content(tmp_path / "out" / f"{NEW}_class.h5")["class_name"] == ["detritus", "Ciliates"]
    assert content(tmp_path / "out" / f"{OLD}_class.h5")["class_name"] == ["unclassified"]


def test_scores_keep_all_bits_of_a_float(tmp_path):
    third = np.float32(1) / np.float32(3)
    rows = table(answer(f"{NEW}_00001.png", best=(("a", float(third)),)))
    given = pa.table({"input": rows["input"], "a": pa.array([third], pa.float32())})
    write_ifcb(rows, tmp_path / "out", scores=given)
    with h5py.File(tmp_path / "out" / f"{NEW}_class.h5") as file:
        assert file["output_scores"][0, 0] == third


def test_regions_without_scores_or_that_a_person_named_are_counted(tmp_path):
    rows = table(
        answer(f"{NEW}_00001.png", best=(("Ciliates", 0.9),)), validated(f"{NEW}_00002.png")
    )
    done = write_ifcb(rows, tmp_path / "out", scores=scores())
    assert done.answers == 0
    assert sorted(done.left_out) == [
        "a person named it, and the format holds what a classifier says",
        "it is not in the table of scores",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scores": pa.table({"a": [0.5]})}, "column 'input'"),
        ({"scores": pa.table({"input": ["x", "x"], "a": [0.5, 0.4]})}, "'x' is there twice"),
        ({"scores": pa.table({"input": ["x"], "a": ["0.5"]})}, "column 'a': string, not numbers"),
        ({"scores": pa.table({"input": ["x", "y"], "a": [0.5, 1.5]})}, "row 2, column 'a': 1.5"),
        (
            {"scores": pa.table({"input": ["x"], "a": [None], "b": [0.5]})},
            "column 'a': null, not numbers",
        ),
        (
            {"scores": pa.table({"input": ["x", "y"], "a": [None, 0.5], "b": [0.5, 0.5]})},
            "row 1, column 'a': nan",
        ),
        ({"thresholds": {"Ciliate": 0.5}}, "Did you mean 'Ciliates'"),
        ({"thresholds": {"Ciliates": 50}}, "50 of 'Ciliates' is not from 0 to 1"),
    ],
)
@pytest.mark.parametrize("write", [write_ifcb, write_syke])
def test_scores_and_thresholds_that_do_not_fit_are_refused_and_nothing_is_written(
    write, given, said, tmp_path
):
    with pytest.raises(SourceError, match=said):
        write(table(*region_rows()), tmp_path / "out", **given)
    assert list(tmp_path.iterdir()) == []


def test_scores_and_thresholds_are_read_from_their_files(tmp_path):
    pq.write_table(scores(), tmp_path / "scores.parquet")
    (tmp_path / "limits.txt").write_text("Ciliates 0.95\ndetritus 0.5\n", encoding="utf-8")
    assert read_scores(tmp_path / "scores.parquet").equals(scores())
    assert read_threshold_file(tmp_path / "limits.txt") == LIMITS
    (tmp_path / "limits.txt").write_text("Ciliates high\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 1: 'Ciliates high'"):
        read_threshold_file(tmp_path / "limits.txt")
    with pytest.raises(SourceError, match="cannot be read as a table of scores"):
        read_scores(tmp_path / "limits.txt")
    with pytest.raises(SourceError, match="no such file"):
        read_threshold_file(tmp_path / "nowhere.txt")


def test_rows_without_scores_and_a_label_called_input_are_as_predict_writes_them(tmp_path):
    rows = table(*(answer(f"{NEW}_{n:05d}.png", best=(("input", 0.5),)) for n in (1, 2, 3)))
    inputs = [*rows["input"].to_pylist(), f"{NEW}_00001.png"]
    kinds = {
        "input (label)": pa.array([0.5, None, 0.25, 0.5], pa.float32()),
        "b": pa.array([0.25, None, 0.75, 0.25], pa.float32()),
    }
    done = write_ifcb(rows, tmp_path / "out", scores=pa.table({"input": inputs, **kinds}))
    found = content(tmp_path / "out" / f"{NEW}_class.h5")
    assert found["class_labels"] == ["input", "b"]
    assert found["roi_numbers"] == [1, 3]
    assert done.left_out == {"it is not in the table of scores": 1}


@pytest.mark.parametrize("label", ["zero\0byte", "two\nlines"])
def test_labels_that_are_no_class_are_refused(label, tmp_path):
    rows = table(answer(f"{NEW}_00001.png", best=((label, 0.9),)))
    with pytest.raises(SourceError, match="cannot be written as a class"):
        write_ifcb(rows, tmp_path / "out")


def test_odd_labels_survive_both_formats(tmp_path):
    labels = ["O'Brien", 'say "hi"', "a,b", "a;b", "=cmd()", "\u202ertl", "x" * 10_000, "a b 0.5"]
    rows = table(
        *(answer(f"{NEW}_{n:05d}.png", best=((label, 0.9),)) for n, label in enumerate(labels, 1))
    )
    write_ifcb(rows, tmp_path / "h5")
    write_syke(rows, tmp_path / "syke")
    (bin_file,) = members(tmp_path / "h5")
    (table_file,) = members(tmp_path / "syke")
    of_bin = read_class_file(bin_file, {}).automatic
    of_table = read_class_file(table_file, {}).automatic
    assert [of_bin[n].winner for n in range(1, 9)] == labels
    assert [of_table[n].label for n in range(1, 9)] == labels
    with pytest.raises(SourceError, match="'a,b': a file of thresholds cannot hold a comma"):
        write_syke(rows, tmp_path / "limits", thresholds={"=cmd()": 0.25})


def test_thresholds_of_odd_labels_survive(tmp_path):
    labels = ["O'Brien", 'say "hi"', "a;b", "=cmd()", "\u202ertl", "x" * 10_000, "a b 0.5"]
    rows = table(answer(f"{NEW}_00001.png", best=tuple((label, 0.1) for label in labels)))
    limits = {label: at / 10 for at, label in enumerate(labels)}
    write_syke(rows, tmp_path / "out", thresholds=limits)
    (file,) = (member for member in members(tmp_path / "out") if is_thresholds(member.name))
    assert read_thresholds(file) == limits


def test_syke_tables_are_those_of_the_golden_files(tmp_path):
    done = write_syke(table(*region_rows()), tmp_path / "out", scores=scores(), thresholds=LIMITS)
    for path in (tmp_path / "out").iterdir():
        golden(f"syke/{path.name}", path.read_text(encoding="utf-8"))
    assert len(list((tmp_path / "out").iterdir())) == 3
    assert (done.answers, sum(done.left_out.values())) == (3, 3)


def test_our_reader_reads_the_tables_with_their_thresholds(tmp_path):
    write_syke(table(*region_rows()), tmp_path / "out", scores=scores(), thresholds=LIMITS)
    files = {member.name: member for member in members(tmp_path / "out")}
    assert is_thresholds("thresholds.txt")
    limits = read_thresholds(files["thresholds.txt"])
    assert limits == {"Ditylum": 0.0, "Ciliates": 0.95, "detritus": 0.5}
    read = read_class_file(files[f"{OLD}.prob.csv"], limits).automatic
    assert (read[1].label, read[1].winner, read[1].score) == ("Ditylum", "Ciliates", "0.50000")


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "classipyr_bin_png_manual_auto/D20220522T000439_IFCB134_class.h5",
        "irfcb_test_data/class/class2022_h5/D20220522T003051_IFCB134_class.h5",
    ],
)
def test_the_layout_is_that_of_real_files(name, real_data, tmp_path):
    """The answers of a real file, written again, are the same file: names, ranks, text, numbers."""
    real = real_data / "formats" / "ifcb_bins" / name
    bin_id = real.name.removesuffix("_class.h5")
    there = content(real)
    inputs = [f"{bin_id}_{n:05d}.png" for n in there["roi_numbers"]]
    rows = [
        answer(each, best=(("any", 0.5),), answer="any", answer_level="label") for each in inputs
    ]
    columns = zip(*there["output_scores"], strict=True)
    given = pa.table(
        {"input": inputs}
        | {
            n: pa.array(c, pa.float64())
            for n, c in zip(there["class_labels"], columns, strict=True)
        }
    )
    limits = dict(zip(there["class_labels"], there["thresholds"], strict=True))
    name_of_net = there["classifier_name"][0]
    write_ifcb(
        table(*rows), tmp_path / "out", scores=given, thresholds=limits, classifier=name_of_net
    )
    written = tmp_path / "out" / real.name
    ours, theirs = layout(written), layout(real)
    assert ours.pop("output_scores") == ["float32", *theirs.pop("output_scores")[1:]]
    assert ours == theirs
    again = content(written)
    assert np.allclose(again.pop("output_scores"), there.pop("output_scores"), atol=1e-7)
    assert again == there


@pytest.mark.real
def test_a_real_bin_is_imported_with_the_labels_that_we_wrote(real_data, tmp_path):
    """Bin -> its regions -> answers -> class file beside the bin -> its regions, labelled."""
    folder = real_data / "formats" / "ifcb_bins" / "irfcb_test_data" / "data"
    bin_id = "D20220522T003051_IFCB134"
    for end in (".hdr", ".adc", ".roi"):
        shutil.copy(folder / f"{bin_id}{end}", tmp_path)
    regions = [item.name for item in read_bins(tmp_path, SourceOptions()) if item.image]
    rows = [
        answer(f"bins/{name}", source_item=name, best=(("Ciliates", 0.75),), answer="Ciliates",
               answer_level="label")
        for name in regions
    ]  # fmt: skip
    done = write_ifcb(table(*rows), tmp_path / "classes", classifier="net 5")
    assert done.answers == len(regions) > 0
    options = SourceOptions(annotations=tmp_path / "classes")
    items = [item for item in read_bins(tmp_path, options) if item.image]
    assert [item.name for item in items] == regions
    assert {item.fields["written_label"] for item in items} == {"Ciliates"}
    assert {item.fields["labelled_by"] for item in items} == {"net 5"}
    assert {item.fields["extra:label_score"] for item in items} == {"0.75"}
