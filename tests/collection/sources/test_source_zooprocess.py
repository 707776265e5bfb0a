"""ZooProcess scans: the head of the .pid, its table, the vignettes and what lies beside them."""

import shutil
import zipfile

import pytest

from holotype.collection.sources.item import SourceOptions
from holotype.collection.sources.zooprocess import SOURCE
from holotype.errors import SourceError
from holotype.media.locations import read_location
from holotype.testing import check_source

SCAN = "bay22_st5_n1_d2_1"
HEAD = """PID
[Image]
Scanning_date= 20220401_1130
[VueScan]
[Output]
JPEGFile=0

[Info]
Hardware=  Hydroptic_V3
ImageType=  Zooscan
Resolution=  2400

[Sample]
SampleId= bay22_st5_n1
Ship= cormoran
Scientificprog= baywatch
StationId= 5
Date= 20220305-0640
Latitude= 47.3060
Longitude= 8.1500
Depth= 99999
Zmax= 60
Zmin= 20
Vol= 80.25

[Fraction]
FracId= d2

[Subsample]
SubPart= 2
SubMethod= motoda

[Image_Process]
a line of the macro without a sign of equality
Date=  20220402_1000
Image_process= Zooscan_1asep

[Particules_Process]
PixSize=   0.0106
Date=  20220402_1010

[Data]
"""
COLUMNS = "!Item;Label;Area;Circ.;%Area;Tag"


@pytest.fixture
def scan(tmp_path, png):
    """A scan of three objects, their vignettes and what ZooProcess leaves beside them."""
    folder = tmp_path / "project" / "_work" / SCAN
    folder.mkdir(parents=True)
    for item in (1, 2, 3):
        (folder / f"{SCAN}_{item}.jpg").write_bytes(png(item))
    (folder / f"{SCAN}_msk1.gif").write_bytes(b"GIF89a")
    (folder / f"{SCAN}_log.txt").write_text("log")
    write(folder, "1;{};900;0.5;0.25;1", "2;{};1200;0.75;0;1", "3;{};5400;0.1;0.5;1")
    return folder


def write(folder, *rows, head=HEAD, columns=COLUMNS, name=f"{SCAN}_dat1.pid"):
    lines = [columns, *(row.format(SCAN) for row in rows)]
    (folder / name).write_bytes((head + "\n".join(lines) + "\n").encode("latin-1"))


def records(path, **options):
    checked = check_source(SOURCE, path, SourceOptions(**options))
    return {i.name: i for i in checked.items if not (i.error or i.skip_reason)}


def errors(path):
    return [item.error for item in check_source(SOURCE, path).items if item.error]


def notes(path):
    return [said for item in records(path).values() for _, said in item.notes]


def test_a_scan_becomes_records_with_its_head(scan, png):
    found = records(scan)
    assert list(found) == [f"{SCAN}_{n}" for n in (1, 2, 3)]
    item = found[f"{SCAN}_2"]
    assert read_location(item.image) == png(2)
    fields = dict(item.fields)
    extra = {name: fields.pop(name) for name in list(fields) if name.startswith("extra:")}
    assert fields == {
        "specimen_id": f"{SCAN}_2", "acquisition_id": SCAN, "sample_id": "bay22_st5_n1",
        "cruise": "baywatch", "site": "5", "instrument": "ZooScan",
        "latitude_deg": "47.51", "longitude_deg": "-8.25",
        "depth_min_m": "20.0", "depth_max_m": "60.0", "sampled_volume_l": "80250.0",
        "collected_on": "2022-03-05T06:40:00", "subsample_fraction": "0.5", "pixel_size_um": "10.6",
    }  # fmt: skip
    assert extra["extra:place_from"] == extra["extra:time_from"] == "sample"
    assert (extra["extra:Area"], extra["extra:%Area"]) == ("1200", "0")
    assert extra["extra:sample.ship"] == "cormoran"
    assert extra["extra:image.scanning_date"] == "20220401_1130"
    assert "extra:sample.depth" not in extra
    assert item.notes == ()


def test_every_other_file_is_skipped_with_what_it_is(scan):
    skipped = {i.name: i.skip_reason for i in check_source(SOURCE, scan).items if i.skip_reason}
    assert set(skipped) == {f"{SCAN}_msk1.gif", f"{SCAN}_log.txt"}


def test_class_folders_give_the_label(scan, png):
    copepods = scan.parent.parent / "Sorted_vignettes" / "Copepoda"
    copepods.mkdir(parents=True)
    shutil.copy(scan / f"{SCAN}_1.jpg", copepods)
    shutil.move(scan / f"{SCAN}_3.jpg", copepods)
    checked = check_source(SOURCE, scan.parent.parent)
    labels = {i.name: i.fields.get("written_label") for i in checked.items if i.image}
    assert labels == {f"{SCAN}_1": "Copepoda", f"{SCAN}_2": None, f"{SCAN}_3": "Copepoda"}
    skipped = [i.skip_reason for i in checked.items if i.name.endswith(f"{SCAN}_1.jpg")]
    assert skipped == [f"a second copy of Sorted_vignettes/Copepoda/{SCAN}_1.jpg"]


def test_one_vignette_in_two_classes_is_an_error(scan, png):
    for taxon in ("Copepoda", "Decapoda"):
        (scan.parent / taxon).mkdir()
        shutil.copy(scan / f"{SCAN}_1.jpg", scan.parent / taxon)
    (error,) = errors(scan.parent)
    assert f"Decapoda/{SCAN}_1.jpg: the vignette lies in the folders 'Copepoda' and 'Decap" in error
    assert error.endswith("Leave it in the one class that it belongs to.")


@pytest.mark.parametrize(
    ("column", "status"),
    [("Pred", "predicted"), ("Valid", "validated"), ("pred_valid_Id_20110304", "validated")],
)
def test_labels_of_a_dat1_txt_win_over_the_pid(scan, column, status):
    head = HEAD.replace("[Data]", "[Validation]\nFirst_name= Ada\nLast_name= Lovelace\n[Data]")
    rows = ("1;{};1;0;0;1;egg", "2;{};1;0;0;1;Copepoda", "3;{};1;0;0;1;")
    write(scan, *rows, head=head, columns=f"{COLUMNS};{column}", name=f"{SCAN}_dat1.txt")
    found = records(scan)
    assert [i.fields.get("written_label") for i in found.values()] == ["egg", "Copepoda", None]
    assert found[f"{SCAN}_1"].fields["label_status"] == status
    assert found[f"{SCAN}_1"].fields["labelled_by"] == "Ada Lovelace"
    skipped = {i.name for i in check_source(SOURCE, scan).items if i.skip_reason}
    assert f"{SCAN}_dat1.pid" in skipped


def test_a_table_alone_a_zip_and_images_elsewhere(scan, tmp_path):
    whole = {name: item.fields for name, item in records(scan).items()}
    alone = records(scan / f"{SCAN}_dat1.pid")
    assert {name: item.fields for name, item in alone.items()} == whole
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for path in scan.iterdir():
            archive.write(path, f"{SCAN}/{path.name}")
    assert {n: i.fields for n, i in records(tmp_path / "scan.zip").items()} == whole
    away = tmp_path / "away"
    away.mkdir()
    shutil.move(scan / f"{SCAN}_dat1.pid", away)
    assert {n: i.fields for n, i in records(away, images=scan).items()} == whole


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("Latitude= 47.3060", "Latitude= 47.7560",
         "column sample.latitude: '47.7560' gives 47 degrees and 75.6 minutes: left out; ZooProcess writes"),
        ("Vol= 80.25", "Vol= many", "column sample.vol: 'many' is no number"),
        ("Date= 20220305-0640", "Date= 20221305-0640", "column sample.date: '20221305-0640'"),
        ("SubPart= 2", "SubPart= 0.5", "column subsample.subpart: '0.5' is no number of equal"),
        ("Resolution=  2400", "Resolution=  4800", "4800 dpi is 5.292 um a pixel, but PixSize"),
    ],
)  # fmt: skip
def test_odd_heads_are_told_once_by_line_and_entry(scan, old, new, note):
    write(scan, "1;{};1;0;0;1", "2;{};1;0;0;1", "3;{};1;0;0;1", head=HEAD.replace(old, new))
    (told,) = notes(scan)
    assert note in told
    line = HEAD[: HEAD.index(old)].count("\n") + 1
    assert "dpi" in note or told.startswith(f"{SCAN}_dat1.pid, line {line}, column ")
    assert errors(scan) == []


def test_a_southern_eastern_position_and_a_scan_without_pixel_size(scan):
    head = (
        HEAD.replace("47.3060", "-33.5500").replace("8.1500", "-7.1900").replace("PixSize", "Old")
    )
    write(scan, "1;{};1;0;0;1", "2;{};1;0;0;1", "3;{};1;0;0;1", head=head)
    fields = records(scan)[f"{SCAN}_1"].fields
    assert (fields["latitude_deg"], fields["longitude_deg"]) == ("-33.9166667", "7.3166667")
    assert fields["pixel_size_um"] == "10.583333"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (
            "4;{};1;0;0;1",
            "column Item: no vignette bay22_st5_n1_d2_1_4.jpg or .png in the input",
        ),
        ("1;{};1;0;0;1", "column Item: '1' is there twice. Remove one of the two lines."),
        (";{};1;0;0;1", "column Item: blank. Mend the line."),
        (
            "4;{};1;0",
            "column %Area: 4 cells for 6 columns. Process the scan again, or mend the line.",
        ),
    ],
)
def test_a_bad_line_is_an_error_and_the_others_are_read(scan, row, error):
    write(scan, "1;{};1;0;0;1", "2;{};1;0;0;1", row, "3;{};1;0;0;1")
    (found,) = errors(scan)
    assert found.startswith(f"{SCAN}_dat1.pid, line {HEAD.count(chr(10)) + 4}, column ")
    assert error in found
    assert len(records(scan)) == 3


def test_files_that_are_no_tables(scan, tmp_path):
    write(scan, "1;{};1;0;0;1", columns="!No;Label;Area;Circ.;%Area;Tag", name="other_dat1.pid")
    (scan / "third_dat1.pid").write_text("ZI1\n[Data]\n")
    found = errors(scan)
    assert "section [Data], column Item: not there. Process the scan again." in found[0]
    assert "third_dat1.pid, line 1: 'ZI1' where a ZooProcess table has 'PID'" in found[1]
    (tmp_path / "none").mkdir()
    with pytest.raises(SourceError, match=r"no _dat1\.pid table in it\. Give the folder"):
        list(SOURCE.read(tmp_path / "none", SourceOptions()))
