"""ZooImage: .zid files with their .zis, real ones and made ones with faults."""

import zipfile

import pytest

from holotype.collection.sources.item import SourceOptions
from holotype.collection.sources.zooimage import SOURCE
from holotype.errors import SourceError
from holotype.media.locations import read_location
from holotype.testing import check_source

LABEL = "NET.2004-10-20.H1+A1"
HEAD = """ZI1
[Image]
Hardware=EPSON 4870 # on the left table
ImageType=trans_16bits_gray_2400dpi

[Subsample]
SubPart=0.05
CellPart=0.5
Replicates=2
VolIni=1.731

[Process]
PixSize=0.010583

[Data]
"""
ZIS = """ZI1
[Description]
Id=NET

[Stations]
!Code\tLocation\tLatitude\tLongitude
H1\tTulear\t-23.4\t43.6

[Samples]
!Label\tStation\tDate\tTime\tLatitude\tLongitude\tDepthMin\tDepthMax\tSampVol\tNote
NET.2004-10-20.H1\tH1\t2004-10-20\t10:20\t\t\t0\t12.5\t1.731\tafter rain
"""


def zid(folder, png, *rows, head=HEAD, items=(1, 2), zis=ZIS):
    """A folder with one .zid of vignettes, and its .zis."""
    folder.mkdir(exist_ok=True)
    lines = ["!Item\tLabel\tArea\tClass", *(row.format(LABEL) for row in rows)]
    with zipfile.ZipFile(folder / "NET.2004-10-20.H1.zid", "w") as archive:
        table = head + "\n".join(lines) + "\n"
        archive.writestr(f"NET.2004-10-20.H1/{LABEL}_dat1.zim", table)
        archive.writestr("NET.2004-10-20.H1/NET.2004-10-20.H1_dat1.RData", b"RDX2")
        for item in items:
            archive.writestr(f"NET.2004-10-20.H1/{LABEL}_{item}.png", png(item))
    if zis:
        (folder / "Description.zis").write_text(zis, encoding="latin-1")
    return folder


def records(path, **options):
    checked = check_source(SOURCE, path, SourceOptions(**options))
    return {i.name: i for i in checked.items if not (i.error or i.skip_reason)}


def test_a_folder_of_zid_and_zis(tmp_path, png):
    found = records(zid(tmp_path, png, "1\t{}\t0.47\t", "2\t{}\t1.01\t"))
    item = found[f"{LABEL}_2"]
    assert (item.row, read_location(item.image)) == (18, png(2))
    fields = {k: v for k, v in item.fields.items() if not k.startswith("extra:")}
    assert fields == {
        "specimen_id": f"{LABEL}_2", "sample_id": "NET.2004-10-20.H1", "acquisition_id": LABEL,
        "instrument": "EPSON 4870", "subsample_fraction": "0.05", "pixel_size_um": "10.583",
        "sampled_volume_l": "1731.0", "collected_on": "2004-10-20T10:20:00", "site": "H1",
        "latitude_deg": "-23.4", "longitude_deg": "43.6", "depth_min_m": "0.0", "depth_max_m": "12.5",
    }  # fmt: skip
    assert item.fields["extra:Note"] == "after rain"
    assert item.fields["extra:depth_from"] == item.fields["extra:place_from"] == "sample"
    assert item.fields["extra:Area"] == "1.01"
    assert item.notes == ()


def test_a_zid_alone_finds_the_zis_beside_it_or_takes_the_date_of_its_name(tmp_path, png):
    folder = zid(tmp_path, png, "1\t{}\t0.47\t", items=(1,))
    path = folder / "NET.2004-10-20.H1.zid"
    assert records(path)[f"{LABEL}_1"].fields["site"] == "H1"
    (folder / "elsewhere").mkdir()
    (folder / "Description.zis").rename(folder / "elsewhere" / "D.zis")
    fields = records(path)[f"{LABEL}_1"].fields
    assert (fields["collected_on"], fields["extra:time_from"]) == ("2004-10-20", "file_name")
    assert "site" not in fields
    fields = records(path, annotations=folder / "elsewhere")[f"{LABEL}_1"].fields
    assert fields["collected_on"] == "2004-10-20T10:20:00"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (
            "3\t{}\t1\t",
            f"line 18, column Item: '3': no vignette {LABEL}_3.jpg or .png in the input.",
        ),
        ("1\t{}\t1\t", "line 18, column Item: '1' is there twice. Remove one of the two lines."),
        ("3\t{}", "line 18, column Area: 2 cells for 4 columns."),
        ("\t{}\t1\t", "line 18, column Item: blank Item or Label. Mend the line."),
    ],
)
def test_a_bad_line_is_an_error_and_the_others_are_read(tmp_path, png, row, error):
    folder = zid(tmp_path, png, "1\t{}\t0.47\t", row, "2\t{}\t1.01\t")
    checked = check_source(SOURCE, folder)
    found = [item.error for item in checked.items if item.error]
    assert len(found) == 1
    assert error.replace("column Area", "column Label") in found[0].replace(
        "column Area", "column Label"
    )
    assert f"NET.2004-10-20.H1/{LABEL}_dat1.zim" in found[0]
    assert len(records(folder)) == 2


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("SubPart=0.05", "SubPart=20", "column subsample.subpart: '20' gives a part of 20: left out"),
        ("PixSize=0.010583", "PixSize=0.0423", "2400 dpi is 10.58 um a pixel"),
        ("VolIni=1.731", "VolIni=some", "column subsample.volini: 'some' is no number"),
    ],
)  # fmt: skip
def test_odd_heads_are_told_once(tmp_path, png, old, new, note):
    folder = zid(tmp_path, png, "1\t{}\t1\t", "2\t{}\t1\t", head=HEAD.replace(old, new))
    told = [said for item in records(folder).values() for _, said in item.notes]
    assert [note in said for said in told] == [True]


def test_no_resolution_is_no_resolution(tmp_path, png):
    folder = zid(tmp_path, png, "1\t{}\t1\t", items=(1,), head=HEAD.replace("2400dpi", "00dpi"))
    (item,) = records(folder).values()
    assert item.fields["pixel_size_um"] == "10.583"
    assert item.notes == ()


def test_bad_values_of_the_zis_are_told_by_its_line(tmp_path, png):
    folder = zid(tmp_path, png, "1\t{}\t1\t", items=(1,), zis=ZIS.replace("12.5", "deep"))
    (item,) = records(folder).values()
    assert item.notes[0][1].startswith(
        "Description.zis, line 11, column DepthMax: 'deep' is no number"
    )


def test_damaged_and_foreign_files(tmp_path, png):
    folder = zid(tmp_path, png, "1\t{}\t1\t", items=(1,))
    (folder / "broken.zid").write_bytes(b"PK\x03\x04 cut")
    (folder / "odd.zim").write_text("PID\n[Image]\n")
    (folder / "notes.txt").write_text("x")
    checked = check_source(SOURCE, folder)
    errors = sorted(item.error for item in checked.items if item.error)
    assert "broken.zid: not a whole zip" in errors[0]
    assert "odd.zim, line 1: 'PID' where a ZooImage file has ZI1" in errors[1]
    assert (checked.records, checked.errors) == (1, 2)
    (tmp_path / "none").mkdir()
    with pytest.raises(SourceError, match=r"no \.zid and no \.zim in it\. Give a \.zid"):
        list(SOURCE.read(tmp_path / "none", SourceOptions()))


@pytest.mark.real
def test_the_bioman_series(real_data):
    checked = check_source(SOURCE, real_data / "formats" / "zooimage_zid")
    assert (checked.records, checked.skipped, checked.errors) == (292, 4, 0)
    fields = {item.name: item.fields for item in checked.items}
    first = fields["BIO.2000-05-05.p72+A_1"]
    assert (first["pixel_size_um"], first["subsample_fraction"]) == ("42.33", "0.024")
    assert (first["sampled_volume_l"], first["collected_on"]) == ("10560.0", "2000-05-05")
    assert (first["instrument"], first["sample_id"]) == ("HP_Scanjet_8200", "BIO.2000-05-05.p72")
    assert (first["extra:Area"], first["extra:GearType"]) == ("0.4713", "Vertical Net")
    last = fields["BIO.2000-05-08.p123+A_226"]
    assert (last["sampled_volume_l"], last["subsample_fraction"]) == ("10970.0", "0.029")


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("BIO.2000-05-05.p72.zid", (66, 1, 0)),
        ("BIO.2000-05-08.p123.zid", (226, 1, 0)),
        ("ScanCol24-example.zip", (0, 4, 0)),
    ],
)
def test_real_files_alone(real_data, name, counts):
    checked = check_source(SOURCE, real_data / "formats" / "zooimage_zid" / name)
    assert (checked.records, checked.skipped, checked.errors) == counts


def test_class_folders_of_an_unpacked_sample_give_the_label(tmp_path, png):
    folder = zid(tmp_path / "packed", png, "1\t{}\t1\t", "2\t{}\t1\t")
    with zipfile.ZipFile(folder / "NET.2004-10-20.H1.zid") as archive:
        archive.extractall(tmp_path / "plain")
    sample = tmp_path / "plain" / "NET.2004-10-20.H1"
    (sample / "Copepoda").mkdir()
    (sample / f"{LABEL}_1.png").rename(sample / "Copepoda" / f"{LABEL}_1.png")
    labels = {n: i.fields.get("written_label") for n, i in records(tmp_path / "plain").items()}
    assert labels == {f"{LABEL}_1": "Copepoda", f"{LABEL}_2": None}
