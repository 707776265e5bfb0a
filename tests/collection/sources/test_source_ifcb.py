"""IFCB bins: both generations, class files, volumes, and everything that is wrong with real ones."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from holotype.collection.sources.ifcb import SOURCE
from holotype.collection.sources.ifcb.volume import new_volume, old_volume, table_times
from holotype.collection.sources.item import Item, SourceOptions
from holotype.errors import SourceError
from holotype.media.images import read_pixels
from holotype.media.locations import read_location
from holotype.testing import check_source

NEW, OLD = "D20220522T000439_IFCB134", "IFCB5_2012_028_081515"
FORMAT = "trigger#, ADCtime, PMTA, RoiX, RoiY, RoiWidth, RoiHeight, StartByte, S, RunTime, InhibitTime, More"
HEADER = f"sampleType: Normal\nrunTime: 601.0\ninhibitTime: 1.0\nADCFileFormat: {FORMAT}\n"
ROWS = (
    "1,0.1,0.5,0,0,0,0,0,0,0.12,0.2,9\n2,9.1,0.5,10,20,3,2,0,0,9.12,0.4,9\n"
    "3,600.9,0.5,10,20,2,2,6,0,600.92,0.6,9\n"
)


def _bin(
    folder: Path,
    name: str = NEW,
    header: str = HEADER,
    rows: str = ROWS,
    pixels: bytes | None = None,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.hdr").write_text(header)
    (folder / f"{name}.adc").write_text(rows)
    (folder / f"{name}.roi").write_bytes(bytes(range(10)) if pixels is None else pixels)
    return folder


def _items(path: Path, **options: Path) -> dict[str, Item]:
    return {item.name: item for item in check_source(SOURCE, path, SourceOptions(**options)).items}


def _pixels(item: Item) -> list[list[int]]:
    assert item.image is not None
    return read_pixels(read_location(item.image))[:, :, 0].tolist()


def test_a_new_bin(tmp_path: Path) -> None:
    items = _items(_bin(tmp_path / "D2022"))
    assert list(items) == [f"{NEW}_{number:05d}" for number in (1, 2, 3)]
    assert items[f"{NEW}_00001"].skip_reason == "a trigger without an image (0 pixels)"
    assert _pixels(items[f"{NEW}_00002"]) == [[0, 1, 2], [3, 4, 5]], "row by row"
    assert _pixels(items[f"{NEW}_00003"]) == [[6, 7], [8, 9]]
    fields = items[f"{NEW}_00002"].fields
    assert fields["acquisition_id"] == NEW
    assert fields["collected_on"] == "2022-05-22T00:04:39+00:00"
    assert float(fields["sampled_volume_l"]) == pytest.approx(0.0025), "600 s at 0.25 ml/min"
    assert float(fields["pixel_size_um"]) == pytest.approx(1 / 3.4)
    assert "written_label" not in fields


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_in_a_zip_as_in_a_folder(tmp_path: Path, compression: int) -> None:
    folder = _bin(tmp_path / "bins")
    with zipfile.ZipFile(tmp_path / "bins.zip", "w", compression) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"D2022/{path.name}")
    plain, zipped = _items(folder), _items(tmp_path / "bins.zip", spool=tmp_path / "spool")
    assert [_pixels(i) for i in zipped.values() if i.image] == [
        _pixels(i) for i in plain.values() if i.image
    ]
    assert [i.fields for i in zipped.values()] == [i.fields for i in plain.values()]


def test_in_a_tar_and_with_labels_from_inside_the_input(tmp_path: Path) -> None:
    folder = _bin(tmp_path / "in" / "bins").parent
    (folder / "manual").mkdir()
    (folder / "manual" / f"{NEW}.csv").write_text("roi,class\n2,Dinobryon\n")
    plain = _items(folder, annotations=folder / "manual")
    assert plain[f"{NEW}_00002"].fields["written_label"] == "Dinobryon"
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(folder, "in")
    packed = _items(tmp_path / "in.tar")
    for name in (f"{NEW}_00002", f"{NEW}_00003"):
        assert packed[name].fields == plain[name].fields
        assert _pixels(packed[name]) == _pixels(plain[name])


def _edit(folder: Path, ending: str, old: str, new: str) -> None:
    path = folder / f"{NEW}{ending}"
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "3,600.9,0.5,10,20,2,2,6,",
            "3,600.9,0.5,10,20,2,2,7,",
            ("line 3", "startbyte", "'7'", "11", "10"),
        ),
        ("10,20,3,2,0", "10,20,3,x,0", ("line 2", "roiheight (7)", "'x'")),
        ("10,20,3,2,0", "10,20,-3,2,0", ("line 2", "roiwidth", "-3")),
        ("10,20,3,2,0", "10,20,3.5,2,0", ("line 2", "roiwidth (6)", "'3.5'")),
        (
            "2,9.1,0.5,10,20,3,2,0,0,9.12,0.4,9",
            "2,9.1,0.5",
            ("line 2", "roix (4)", "after 3 columns"),
        ),
    ],
)
def test_a_faulty_line_is_named_and_the_others_read(
    tmp_path: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    folder = _bin(tmp_path / "bins")
    _edit(folder, ".adc", old, new)
    items = _items(folder)
    (error,) = [item.error for item in items.values() if item.error]
    for words in (f"{NEW}.adc", *said, "Copy "):
        assert words in error
    assert sum(item.image is not None for item in items.values()) == 1


def _remove(ending: str) -> Callable[[Path], None]:
    return lambda folder: (folder / f"{NEW}{ending}").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_remove(".roi"), f"{NEW}.roi: missing"),
        (_remove(".hdr"), f"{NEW}.hdr: missing"),
        (_remove(".adc"), f"{NEW}.adc: missing"),
        (
            lambda folder: (folder / f"{NEW}.hdr").write_bytes(b""),
            f"{NEW}.hdr, line 1: empty (0 bytes)",
        ),
        (
            lambda folder: _edit(folder, ".hdr", "RoiWidth", "Breite"),
            f"{NEW}.hdr, ADCFileFormat: no column 'roiwidth'",
        ),
    ],
)
def test_a_faulty_bin_is_one_error_and_the_next_is_read(
    tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    folder = _bin(tmp_path / "bins")
    _bin(folder, "D20220523T000000_IFCB134")
    damage(folder)
    items = _items(folder)
    assert said in str(items[NEW].error)
    assert sum(item.image is not None for item in items.values()) == 2


def test_a_bin_twice_is_one_bin_and_a_false_twin_an_error(tmp_path: Path) -> None:
    _bin(tmp_path / "a")
    _bin(tmp_path / "b")
    _bin(tmp_path / "c", pixels=bytes(12))
    items = _items(tmp_path)
    assert items[f"b/{NEW}"].skip_reason == f"the same bin as a/{NEW}"
    assert "other content" in str(items[f"c/{NEW}"].error)
    assert sum(item.image is not None for item in items.values()) == 2


def test_no_bin_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "decoy.adc").write_text("")
    with pytest.raises(SourceError, match="no IFCB bin"):
        list(SOURCE.read(tmp_path, SourceOptions()))


def test_a_position_is_taken_from_a_fresh_fix_only(tmp_path: Path) -> None:
    fix = "gpsLatitude: 58.25\ngpsLongitude: 11.43\ngpsTimeFromFix: {}\n"
    fresh = HEADER + fix.format("May/22/2022 00:10:00.00 UTC")
    stale = HEADER + fix.format("May/21/2022 16:17:39.00 UTC")
    fields = _items(_bin(tmp_path / "fresh", header=fresh))[f"{NEW}_00002"].fields
    assert (fields["latitude_deg"], fields["longitude_deg"]) == ("58.25", "11.43")
    assert fields["extra:place_from"] == "sample"
    items = _items(_bin(tmp_path / "stale", header=stale))
    assert "latitude_deg" not in items[f"{NEW}_00002"].fields
    assert "fixed at 2022-05-21T16:17:39" in str(items[f"{NEW}.hdr"].skip_reason)


# --- class files


def _manual(path: Path, classlist: list[list[float]]) -> None:
    names = np.array(["unclassified", "Dinobryon", "Mesodinium_rubrum"], dtype=object)
    savemat(path, {"class2use_manual": names, "classlist": np.array(classlist)})


def _h5(path: Path, **more: list[object]) -> None:
    with h5py.File(path, "w") as file:
        file["roi_numbers"] = [2, 3]
        file["class_labels"] = ["Ciliophora", "Dinobryon"]
        file["output_scores"] = [[0.9, 0.1], [0.4, 0.6]]
        for name, values in more.items():
            file[name] = values


def test_manual_labels_win_and_automatic_ones_are_kept(tmp_path: Path) -> None:
    folder = _bin(tmp_path / "bins")
    nan = float("nan")
    _manual(folder / f"{NEW}.mat", [[1, nan, nan], [2, 3, nan], [3, 1, nan]])
    _h5(folder / f"{NEW}_class.h5", classifier_name=["ResNet50 V5"], thresholds=[0.5, 0.7])
    (folder / f"{NEW}.csv").write_text(f"file_name,class_name,score\n{NEW}_00002.png,Nauplius,1\n")
    items = _items(folder)
    fields = items[f"{NEW}_00002"].fields
    assert (fields["written_label"], fields["label_status"]) == ("Mesodinium_rubrum", "validated")
    assert fields["extra:automatic_label"] == "Ciliophora"
    assert fields["extra:automatic_score"] == "0.9"
    assert fields["extra:automatic_classifier"] == "ResNet50 V5"
    untouched = items[f"{NEW}_00003"].fields
    assert untouched["written_label"] == "unclassified"
    assert "label_status" not in untouched, "nobody has looked at it"
    assert untouched["extra:automatic_label"] == "unclassified", "0.6 is below the threshold 0.7"
    assert untouched["extra:automatic_winner"] == "Dinobryon"
    assert "not used" in str(items[f"{NEW}.csv"].skip_reason)


def test_automatic_labels_alone_are_predictions(tmp_path: Path) -> None:
    folder = _bin(tmp_path / "bins")
    _h5(
        tmp_path / f"{NEW}_class.h5",
        class_name=["Ciliophora", "unclassified"],
        classifier_name=["V5"],
    )
    items = _items(folder, annotations=tmp_path / f"{NEW}_class.h5")
    fields = items[f"{NEW}_00002"].fields
    assert (fields["written_label"], fields["label_status"]) == ("Ciliophora", "predicted")
    assert (fields["labelled_by"], fields["extra:label_score"]) == ("V5", "0.9")
    assert items[f"{NEW}_00003"].fields["written_label"] == "unclassified"


def _v2(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["roi_numbers"] = [2, 3]
        file["scores"] = [[0.9, 0.1], [0.4, 0.6]]
        file["scores"].attrs["class_labels"] = [b"Ciliophora", b"Dinobryon"]


def _v1(path: Path) -> None:
    one = {"roinum": 3, "TBclass": "Dinobryon", "TBscores": np.array([[0.4, 0.6]])}
    savemat(path, one | {"classifierName": "Z:\\models\\trees.mat"})


def _cell(file: h5py.File, name: str, texts: list[str]) -> None:
    places = []
    for number, text in enumerate(texts):
        letters = file.create_dataset(f"#refs#/{name}{number}", data=[[ord(c)] for c in text])
        letters.attrs["MATLAB_class"] = np.bytes_("char")
        places.append(letters.ref)
    cell = file.create_dataset(name, data=np.array([places], dtype=h5py.ref_dtype))
    cell.attrs["MATLAB_class"] = np.bytes_("cell")


def _v73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        _cell(file, "class2use_manual", ["unclassified", "Dinobryon"])
        file["classlist"] = np.array([[1, 2, 3], [1, 1, 2], [np.nan, np.nan, np.nan]])
    with path.open("r+b") as handle:
        handle.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


@pytest.mark.parametrize(
    ("ending", "write", "status"),
    [
        ("_class_v2.h5", _v2, "predicted"),
        ("_class_v1.mat", _v1, "predicted"),
        (".mat", _v73, "validated"),
        (
            ".csv",
            lambda path: path.write_text(
                f"file_name,class_name,class_name_auto,score\n{NEW}_00003.png,Dinobryon,Dinobryon,0.6\n"
            ),
            "predicted",
        ),
        (".csv", lambda path: path.write_text("roi_number;class\n3;Dinobryon\n"), None),
        (
            ".prob.csv",
            lambda path: path.write_text("roi,Ciliophora,Dinobryon\n3,0.65,0.25\n"),
            "predicted",
        ),
    ],
)
def test_every_kind_of_class_file(
    tmp_path: Path, ending: str, write: Callable[[Path], object], status: str | None
) -> None:
    folder = _bin(tmp_path / "bins")
    (folder / "thresholds.txt").write_text("Ciliophora 0.7\nDinobryon 0.2\n")
    write(folder / f"{NEW}{ending}")
    fields = _items(folder)[f"{NEW}_00003"].fields
    assert fields["written_label"] == "Dinobryon"
    assert fields.get("label_status") == status


def test_measures_go_to_extra(tmp_path: Path) -> None:
    folder = _bin(tmp_path / "bins")
    table = "roi_number,Area,Biovolume,HOG01\n2,5022,204624.5,0.07\n9,1,1,1\n"
    (folder / f"{NEW}_fea_v4.csv").write_text(table)
    items = _items(folder)
    fields = items[f"{NEW}_00002"].fields
    assert (fields["extra:Area"], fields["extra:Biovolume"]) == ("5022", "204624.5")
    assert "extra:HOG01" not in fields
    assert "1 of its regions are not in the bin's 3 lines" in str(
        items[f"{NEW}_fea_v4.csv"].skip_reason
    )


@pytest.mark.parametrize(
    ("ending", "content", "said"),
    [
        (".mat", b"", "empty (0 bytes)"),
        (".mat", b"MATLAB 5.0 MAT-file" + bytes(200), "no class file that can be read"),
        ("_class.h5", b"\x89HDF\r\n\x1a\n", "no class file that can be read"),
        (".csv", b"name,class\na,b\n", "line 1: no column roi_number"),
        (".csv", b"roi,class\n2,a\nx,b\n", "line 3: column roi: 'x' is no number"),
        (".csv", b"roi,class\n2,a\n\xb2,b\n", "line 3: column roi: '\xb2' is no number"),
        (".csv", b"roi,class\n2,a\n" + b"9" * 5000 + b",b\n", "line 3: column roi: '9999"),
        (".csv", b"roi,class\n2,a\n2,b\n", "line 3, column roi: region 2 is there twice"),
        (".prob.csv", b"roi,A\n2,much\n", "region 2, column A: 'much' is no score"),
        ("_features_v4.csv", b"roi_number,Area\n2\n", "line 2: 1 columns where the header has 2"),
    ],
)
def test_a_faulty_class_file_does_not_cost_the_bin(
    tmp_path: Path, ending: str, content: bytes, said: str
) -> None:
    folder = _bin(tmp_path / "bins")
    (folder / f"{NEW}{ending}").write_bytes(content)
    items = _items(folder)
    assert said in str(items[f"{NEW}{ending}"].error)
    assert sum(item.image is not None for item in items.values()) == 2


def test_the_automatic_labels_of_a_manual_file_come_last(tmp_path: Path) -> None:
    nan = float("nan")
    classlist = [[2, 2, 3], [3, nan, 3]]
    alone = _bin(tmp_path / "alone")
    _manual(alone / f"{NEW}.mat", classlist)
    items = _items(alone)
    assert items[f"{NEW}_00003"].fields["written_label"] == "Mesodinium_rubrum"
    assert str(items[f"{NEW}.mat"].skip_reason).endswith(
        ": 1 manual labels; 2 automatic labels beside the manual ones"
    )
    folder = _bin(tmp_path / "both")
    _manual(folder / f"{NEW}.mat", classlist)
    _v1(folder / f"{NEW}_class_v1.mat")
    items = _items(folder)
    fields = items[f"{NEW}_00003"].fields
    assert (fields["written_label"], fields["labelled_by"]) == ("Dinobryon", "trees")
    assert str(items[f"{NEW}_class_v1.mat"].skip_reason).endswith(": 1 automatic labels")
    assert str(items[f"{NEW}.mat"].skip_reason).endswith(
        ": 1 manual labels; not used: 2 automatic labels beside the manual ones, another file of the bin "
        "comes first"
    )


def _declared(path: Path, **shapes: tuple[int, ...]) -> None:
    """A file of a few kilobytes that declares as much as one likes."""
    whole = {"roi_numbers": (2,), "class_labels": (2,), "output_scores": (2, 2)} | shapes
    with h5py.File(path, "w") as file:
        for name, shape in whole.items():
            kind = "S8" if name == "class_labels" else "f8"
            file.create_dataset(name, shape, kind, chunks=tuple(min(n, 1000) for n in shape))


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"output_scores": (10**6, 10**6)}, "1,000,000 x 1,000,000 scores for 2 regions and 2"),
        ({"output_scores": (2,)}, "2 scores for 2 regions and 2 classes"),
        (
            {"output_scores": (10**7, 10), "roi_numbers": (10**7,), "class_labels": (10,)},
            "output_scores of 800,000,000 bytes",
        ),
        ({"roi_numbers": (10**11,)}, "roi_numbers of 800,000,000,000 bytes"),
        ({"classlist": (3, 10**11)}, "classlist of 2,400,000,000,000 bytes"),
    ],
)
def test_an_h5_file_that_declares_too_much_is_not_read(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], said: str
) -> None:
    folder = _bin(tmp_path / "bins")
    _declared(folder / f"{NEW}_class.h5", **shapes)
    items = _items(folder)
    assert said in str(items[f"{NEW}_class.h5"].error)
    assert sum(item.image is not None for item in items.values()) == 2


def test_class_files_of_other_bins_are_told(tmp_path: Path) -> None:
    folder = _bin(tmp_path / "bins")
    _h5(folder / "D20220101T000000_IFCB134_class.h5")
    reason = _items(folder)["D20220101T000000_IFCB134_class.h5"].skip_reason
    assert reason == "class file of D20220101T000000_IFCB134, which is not in the input"
    with pytest.raises(SourceError, match="Check --annotations"):
        list(SOURCE.read(folder, SourceOptions(annotations=_bin(tmp_path / "none"))))


# --- volumes


def test_volume_of_an_old_bin_over_midnight() -> None:
    # two triggers: the second opens 1 s after the first grab; 86,400 s added to times below 0
    plain = old_volume([5.0, 8.0], [7.0, 9.0], processing_s=0.073)
    assert plain.ml == pytest.approx((9.0 - 1.0 - 0.073) * 5 / 1200)
    late = old_volume([5.0, 8.0 - 86_400], [7.0, 9.0 - 86_400], processing_s=0.073)
    assert late.ml == pytest.approx(plain.ml)
    assert old_volume([], [], processing_s=0.073).ml is None


def test_volume_of_a_new_bin_by_header_table_or_neither() -> None:
    times = ([10.0, 20.0, 600.0], [10.02, 20.02, 600.02], [0.1, 0.2, 0.3])
    good = {"runtime": "601", "inhibittime": "1", "syringesamplevolume": "5"}
    assert new_volume(good, *times).ml == pytest.approx(2.5)
    fast = good | {
        "runsamplefast": "1",
        "runfastfactor": "2.0",
        "runtime": "600.5",
        "inhibittime": "0.5",
    }
    assert new_volume(fast, *times).ml == pytest.approx(5.0), "0.5 ml a minute"
    for bad in (
        {},
        good | {"runtime": "300"},
        good | {"runtime": "9000"},
        good | {"inhibittime": "-1"},
    ):
        found = new_volume(bad, *times)
        assert found.ml == pytest.approx((600.02 - 0.3) * 0.25 / 60)
        assert found.found_by == "table"
    assert new_volume({}, [], [], []).ml is None
    sparse = new_volume(good, [1.0, 2.0], [1.0, 2.0], [0.1, 0.2])
    assert sparse.ml == pytest.approx(2.5)
    assert sparse.by_table_ml == pytest.approx(1.8 * 0.25 / 60), "what a dashboard would show"


def test_times_of_faulty_lines() -> None:
    adc = [float(second) for second in range(10, 60, 10)]
    run = [second + 0.02 for second in adc]
    good = [0.1, 0.2, 0.3, 0.4, 0.5]
    found = table_times(adc, run, good)
    assert found is not None
    assert (found.run_s, found.inhibit_s) == pytest.approx((50.02, 0.5))
    leap = table_times(adc, run, [0.1, 0.2, 0.3, 0.4, 99.0])
    assert leap is not None
    assert leap.inhibit_s == pytest.approx(0.5), "the last line counts as the commonest step"
    last = table_times(adc, [*run[:-1], 55.0], good)
    assert last is not None
    assert last.run_s == pytest.approx(50.02), "the last run time does not fit its line"
    offset = table_times(adc, [second + 100 for second in adc], [5.1, 5.2, 5.3, 5.4, 5.5])
    assert offset is not None
    assert (offset.run_s, offset.inhibit_s) == pytest.approx((50.0, 5.5 - 5.2 - 0.2)), (
        "clocks not set back: 100 s, and the second line's inhibit time with two steps"
    )
    assert table_times(adc[:1], run[:1], good[:1]) is None
    assert table_times(adc, run, [0.0] * 5) is None


# --- real bins


@pytest.fixture(scope="module")
def real_items(real_data: Path) -> dict[str, Item]:
    return _items(real_data / "formats" / "ifcb_bins")


@pytest.mark.real
def test_every_real_bin_is_accounted_for(real_items: dict[str, Item]) -> None:
    items = real_items.values()
    per_bin: dict[str, int] = {}
    for item in items:
        if item.image is not None:
            run = item.fields["acquisition_id"]
            per_bin[run] = per_bin.get(run, 0) + 1
    assert per_bin == {
        OLD: 6,
        "D20130526T095207_IFCB013": 19,
        "D20180712T065600_IFCB114": 2,
        "D20220519T124533_IFCB134": 17,
        NEW: 7,
        "D20220522T003051_IFCB134": 2,
    }
    errors = {item.name: item.error for item in items if item.error}
    assert errors.keys() == {
        "pyifcb/data/skip/IFCB5_2006_001_121212",
        "pyifcb/invalid/D20130101T101010_IFCB099",
        "pyifcb/partial/IFCB5_2012_028_081515",
        f"irfcb_test_data/data/{NEW}",
        "irfcb_test_data/data/D20230810T113059_IFCB134",
        "irfcb_exdata/D20220124T144202_IFCB139.mat",
    }
    assert "IFCB5_2012_028_081515.roi: missing" in str(errors[f"pyifcb/partial/{OLD}"])
    skipped = {item.name: item.skip_reason for item in items if item.skip_reason}
    for name in ("D20150411T205456_IFCB012", "IFCB5_2017_001_033645"):
        assert skipped[f"pyifcb/empty/{name}"] == "a bin without a trigger: its table is empty"
    assert "the same bin as pyifcb/" in str(skipped[f"whoi_features_golden/data/{OLD}"])
    assert (
        skipped["pyifcb/data/2012/IFCB5_2012_028/000_decoy/decoy.adc"] == "no file of an IFCB bin"
    )


@pytest.mark.real
def test_real_volumes_are_those_of_the_toolbox(real_items: dict[str, Item]) -> None:
    old = real_items[f"{OLD}_00001"].fields
    assert float(old["sampled_volume_l"]) == pytest.approx(0.003391470833333334e-3)
    new = real_items["D20130526T095207_IFCB013_00007"].fields
    assert float(new["extra:ml_analyzed_by_table"]) == pytest.approx(4.88507, rel=1e-5)
    assert float(new["sampled_volume_l"]) == pytest.approx(0.25e-3 * (1231.024861 - 11.62298) / 60)
    fast = real_items["D20180712T065600_IFCB114_00002"].fields
    assert float(fast["sampled_volume_l"]) == pytest.approx(
        5 * 0.25e-3 * (238.018835 - 1.50005) / 60
    )


@pytest.mark.real
def test_real_labels_and_measures(real_items: dict[str, Item]) -> None:
    labels = [real_items[f"{NEW}_{number:05d}"].fields["written_label"] for number in range(2, 9)]
    assert labels[:4] == ["Mesodinium_rubrum", "Strombidium_like", "unclassified", labels[3]]
    fields = real_items[f"{NEW}_00003"].fields
    assert fields["label_status"] == "validated"
    assert fields["extra:automatic_label"] == "Strombidium-like"
    measured = real_items["D20220522T003051_IFCB134_00002"].fields
    assert measured["extra:Biovolume"] == "204624.4959"
    assert float(real_items[f"{OLD}_00002"].fields["extra:EquivDiameter"]) == pytest.approx(
        94.00827
    )


@pytest.mark.real
def test_overlapping_regions_of_one_trigger_are_one_specimen(real_items: dict[str, Item]) -> None:
    noted = {item.name: item for item in real_items.values() if item.notes}
    assert noted.keys() == {f"{OLD}_00003", f"{OLD}_00004"}
    assert {item.fields["specimen_id"] for item in noted.values()} == {f"{OLD}_00003"}


@pytest.mark.real
def test_published_png_are_the_raw_pixels_stretched(
    real_data: Path, real_items: dict[str, Item]
) -> None:
    folder = real_data / "formats" / "ifcb_bins" / "classipyr_bin_png_manual_auto" / "png" / NEW
    paths = sorted(folder.glob("*.png"))
    assert len(paths) == 7
    for path in paths:
        raw = np.array(_pixels(real_items[path.stem]), dtype=float)
        published = read_pixels(path.read_bytes())[:, :, 0].astype(float)
        stretched = (raw - raw.min()) / (raw.max() - raw.min()) * 255
        assert raw.shape == published.shape
        assert np.abs(stretched - published).max() <= 1


@pytest.mark.real
def test_real_bins_in_a_zip(real_data: Path, tmp_path: Path, real_items: dict[str, Item]) -> None:
    shutil.make_archive(str(tmp_path / "bins"), "zip", real_data / "formats" / "ifcb_bins" / "nodc")
    zipped = _items(tmp_path / "bins.zip", spool=tmp_path / "spool")
    assert len(zipped) == 18
    for name, item in zipped.items():
        assert item.fields == real_items[name].fields
        assert item.image is None or _pixels(item) == _pixels(real_items[name])
