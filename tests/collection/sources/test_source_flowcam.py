"""FlowCam runs: crops of collages, volumes, classes, and faults named by line and column."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from holotype.collection.sources.flowcam import SOURCE
from holotype.collection.sources.item import Item, SourceOptions
from holotype.errors import SourceError
from holotype.media.images import read_pixels
from holotype.media.locations import read_location
from holotype.testing import check_source

RUN = "day7 2x"
FIELDS = [
    "id",
    "image_x",
    "image_y",
    "image_w",
    "image_h",
    "cal_const",
    "timestamp",
    "collage_file",
    "ppc",
]
ROWS = (
    f"1|0|0|4|2|0.5544|2025-04-11T15:53:46.806|{RUN}_000001.tif|1",
    f"2|4|3|5|3|0.5544|2025-04-11T15:53:47.396|{RUN}_000001.tif|2",
)
CLA = "v3\n1\nprotists_2\n2\nJunk\nOR\n1\nC:\\junk.flt\n1\n1\nby hand\nOR\n0\n1\n2\n"


def _list(rows: tuple[str, ...] = ROWS, fields: list[str] = FIELDS) -> str:
    named = "".join(f"{name}|int32\n" for name in fields)
    return f"017\nnum-fields|{len(fields)}\n{named}" + "".join(f"{row}\n" for row in rows)


def _run(folder: Path, text: str | None = None, name: str = RUN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.lst").write_text(text or _list(), encoding="cp1252")
    collage = np.arange(8 * 10 * 3, dtype=np.uint8).reshape(8, 10, 3)
    Image.fromarray(collage).save(folder / f"{name}_000001.tif")
    return folder


def _items(path: Path, **options: Path) -> dict[str, Item]:
    return {item.name: item for item in check_source(SOURCE, path, SourceOptions(**options)).items}


def _pixels(item: Item) -> np.ndarray:
    assert item.image is not None
    return read_pixels(read_location(item.image))


def test_a_bare_run(tmp_path: Path) -> None:
    items = _items(_run(tmp_path / "run"))
    assert list(items) == [f"{RUN}/1", f"{RUN}/2"]
    collage = np.arange(8 * 10 * 3, dtype=np.uint8).reshape(8, 10, 3)
    assert (_pixels(items[f"{RUN}/1"]) == collage[0:2, 0:4]).all()
    assert (_pixels(items[f"{RUN}/2"]) == collage[3:6, 4:9]).all()
    fields = items[f"{RUN}/2"].fields
    assert fields["acquisition_id"] == RUN
    assert fields["pixel_size_um"] == "0.5544"
    assert fields["extra:imaged_on"] == "2025-04-11T15:53:47.396000"
    assert fields["extra:Particles Per Chain"] == "2"
    assert "collected_on" not in fields, "when a sample was run is not when it was taken"


def test_what_lies_beside_the_list(tmp_path: Path) -> None:
    folder = _run(tmp_path / "run")
    (folder / f"{RUN}.csv").write_text("Particle ID,Area (ABD),Filter Score\n1,2.382,0\n2,1.7,0\n")
    (folder / f"{RUN}.cla").write_text(CLA)
    (folder / f"{RUN}_summary.csv").write_text("Count,2\nSample Volume Imaged ml,0.1418\n")
    (folder / f"{RUN}.ctx").write_text(
        "[General]\nCameraMagnification=10\nLocationName=Kosterfjord\nLocationLatitude=58.9\n"
        "LocationLongitude=11.1\nFluidVolumeImaged_ml=0.0000\n"
    )
    for name in (f"{RUN}_000001_bin.tif", "cal_image_000001.tif", f"{RUN}.edg"):
        (folder / name).write_bytes(b"")
    items = _items(folder)
    junk, by_hand = items[f"{RUN}/1"].fields, items[f"{RUN}/2"].fields
    assert (junk["written_label"], junk["label_status"]) == ("Junk", "predicted")
    assert junk["labelled_by"] == "protists_2"
    assert by_hand["written_label"] == "by hand"
    assert "label_status" not in by_hand, "no filter gave it; the file does not say who did"
    assert float(junk["sampled_volume_l"]) == pytest.approx(0.0001418)
    assert (junk["extra:magnification"], junk["site"]) == ("10", "Kosterfjord")
    assert (junk["latitude_deg"], junk["extra:place_from"]) == ("58.9", "sample")
    assert junk["extra:Area (ABD)"] == "2.382"
    reasons = {name: item.skip_reason for name, item in items.items() if item.skip_reason}
    assert reasons[f"{RUN}_000001_bin.tif"] == "mask of a collage"
    assert reasons["cal_image_000001.tif"] == "calibration image"
    assert len(items) == 2 + 7


@pytest.mark.parametrize(
    ("name", "content", "litres"),
    [
        (f"{RUN}_summary.csv", "Sample Volume Imaged ml,0,1418\n", 0.0001418),
        (f"{RUN}_run_summary.txt", "\tFluid Volume Imaged: 0.1418 ml\n", 0.0001418),
        (f"{RUN}.ctx", "[Fluid]\nFluidVolumeImaged_ml=2.5\n", 0.0025),
        (f"{RUN}.ctx", "[Fluid]\nFluidVolumeImaged_ml=0.0000\n", None),
    ],
)
def test_volume(tmp_path: Path, name: str, content: str, litres: float | None) -> None:
    folder = _run(tmp_path / "run")
    (folder / name).write_text(content)
    found = _items(folder)[f"{RUN}/1"].fields.get("sampled_volume_l")
    assert (float(found) if found else None) == (pytest.approx(litres) if litres else None)


def test_in_a_zip(tmp_path: Path) -> None:
    folder = _run(tmp_path / "run")
    with zipfile.ZipFile(tmp_path / "run.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"a/{path.name}")
    item = _items(tmp_path / "run.zip")[f"a/{RUN}/2"]
    assert (_pixels(item) == _pixels(_items(folder)[f"{RUN}/2"])).all()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "2|6|3|5|3|0.5|t|{}|1",
            "line 13, columns image_x to image_h: the box x 6 to 11, y 3 to 6",
        ),
        ("2|6|3|5|0|0.5|t|{}|1", "line 13, columns image_w, image_h: a box of 5 x 0 px"),
        ("2|-6|3|5|2|0.5|t|{}|1", "line 13, column image_x: '-6' is no whole number"),
        ("2|4|-3|5|2|0.5|t|{}|1", "line 13, column image_y: '-3' is no whole number"),
        ("2|4|3|-5|3|0.5|t|{}|1", "line 13, column image_w: '-5' is no whole number"),
        ("2|4|3|5|-3|0.5|t|{}|1", "line 13, column image_h: '-3' is no whole number"),
        ("2|4|6|5|3|0.5|t|{}|1", "line 13, columns image_x to image_h: the box x 4 to 9, y 6 to 9"),
        ("2|90|90|5|3|0.5|t|{}|1", "line 13, columns image_x to image_h: the box x 90 to 95"),
        ("2|4|3|\xb2|3|0.5|t|{}|1", "line 13, column image_w: '\xb2' is no whole number"),
        (f"2|4|3|5|{'9' * 5000}|0.5|t|{{}}|1", "line 13, column image_h: '9999"),
        ("1|4|3|5|3|0.5|t|{}|1", "line 13, column id: '1' is blank or there twice"),
        ("2|4|3|5|3|0.5|t|{}", "line 13: 8 fields where 9 are named"),
        ("2|4|3|5|3|0.5|t|other.tif|1", "line 13, column collage_file: 'other.tif' is not beside"),
        ("2|4|3|5|3|0.5|t|bad.tif|1", "line 13, column collage_file: 'bad.tif': no TIFF"),
    ],
)
def test_a_faulty_row_is_named_and_the_others_read(tmp_path: Path, row: str, said: str) -> None:
    folder = _run(tmp_path / "run", _list((ROWS[0], row.format(f"{RUN}_000001.tif"))))
    (folder / "bad.tif").write_bytes(b"nothing")
    items = _items(folder)
    (error,) = [item.error for item in items.values() if item.error]
    assert f"{RUN}.lst, {said}" in error
    assert items[f"{RUN}/1"].image is not None


def test_a_faulty_calibration_is_a_note(tmp_path: Path) -> None:
    folder = _run(tmp_path / "run", _list((ROWS[0].replace("0.5544", "none"),)))
    item = _items(folder)[f"{RUN}/1"]
    assert "pixel_size_um" not in item.fields
    assert "line 12, column cal_const: 'none'" in item.notes[0][1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,x\n1,2\n", "line 1: 'id,x' is no format version"),
        ("\xb2\n1|2\n", "line 1: '\xb2' is no format version"),
        ("017\nnum-fields|\xb2\n", "line 2: 'num-fields|\xb2' where num-fields|N is expected"),
        (f"017\nnum-fields|{'9' * 5000}\n", "line 2: 'num-fields|9999"),
        ("017\n1|2\n", "line 2: '1|2' where num-fields|N is expected"),
        ("017\nnum-fields|3\nid|int32\n5|6\n", "line 5: no name|type of one of 3 fields"),
        (_list(fields=[*FIELDS[:-2], "picture", "ppc"]), "no field 'collage_file'"),
        (_list(rows=()), "line 12: fields and no particle"),
    ],
)
def test_a_faulty_list_does_not_cost_the_next_run(tmp_path: Path, text: str, said: str) -> None:
    _run(tmp_path / "a", text)
    _run(tmp_path / "b")
    items = _items(tmp_path)
    assert said in str(items[f"a/{RUN}.lst"].error)
    assert "no readable .lst names" in str(items[f"a/{RUN}_000001.tif"].error)
    assert sum(item.image is not None for item in items.values()) == 2


@pytest.mark.parametrize(
    ("ending", "content", "said"),
    [
        (".cla", "v9\n", "line 1: 'v9' where v3 is expected"),
        (".cla", CLA.replace("1\n1\nby hand", "many\n1\nby hand"), "line 9: 'many' where a count"),
        (".cla", CLA.replace("1\n1\nby hand", "\xb2\n1\nby hand"), "line 9: '\xb2' where a count"),
        (".cla", CLA.replace("\n0\n1\n2\n", "\n0\n3\n2\n"), "class 'by hand' has 1 of 3 particles"),
        (".csv", "Name,Area (ABD)\n1,2\n", "line 1: no column 'Particle ID'"),
        (".csv", "Particle ID,Area (ABD)\n1\n", "line 2: 1 columns where the header has 2"),
    ],
)
def test_a_faulty_file_beside_does_not_cost_the_run(
    tmp_path: Path, ending: str, content: str, said: str
) -> None:
    folder = _run(tmp_path / "run")
    (folder / f"{RUN}{ending}").write_text(content, encoding="cp1252")
    items = _items(folder)
    assert said in str(items[f"{RUN}{ending}"].error)
    assert sum(item.image is not None for item in items.values()) == 2


def test_no_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no \.lst file"):
        list(SOURCE.read(tmp_path, SourceOptions()))


@pytest.mark.real
def test_real_runs(real_data: Path) -> None:
    found = check_source(SOURCE, real_data / "formats" / "flowcam_raw")
    assert (found.records, found.skipped, found.errors) == (1506, 10, 0)
    records = [item for item in found.items if item.image is not None]
    labels = [item.fields.get("written_label") for item in records]
    assert (labels.count("Junk"), labels.count("protist"), labels.count(None)) == (87, 2, 1417)
    by_name = {item.name.rpartition("/")[2]: item for item in records[506:]}
    assert by_name["54"].fields["written_label"] == "protist"
    first = by_name["1"].fields
    assert (first["pixel_size_um"], first["sampled_volume_l"]) == ("0.5544", "0.0001418")
    assert first["extra:Diameter (ESD)"] == "8.5624"
    assert first["extra:magnification"] == "10"
    old = records[0].fields
    assert old["acquisition_id"] == "flowcam_COMICS_DY086_20171118_MSC019_t0_4x"
    assert old["pixel_size_um"] == "1.813"
    assert "collected_on" not in old, "run in 2019, sampled in 2017"
    widths = {item.image_name: _pixels(item).shape[1] for item in records[:3]}
    assert list(widths.values()) == [59, 45, 55]
