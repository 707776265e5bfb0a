"""EcoTaxa tables: what becomes of each column, of each fault, and of every file of a real import."""

import gzip
import shutil
import zipfile
from pathlib import Path

import pytest

from holotype.collection.sources.ecotaxa import SOURCE
from holotype.collection.sources.item import SourceOptions
from holotype.errors import MediaError, SourceError
from holotype.media.images import read_pixels
from holotype.media.locations import read_location
from holotype.testing import check_source

BASIC = ("img_file_name", "object_id")


def table(folder: Path, columns, *rows, types=None, name="ecotaxa_a.tsv", encoding="utf-8") -> Path:
    """Writes a table with its line of types; "" leaves that out."""
    kinds = ["[t]"] * len(columns) if types is None else types
    lines = [columns, *([kinds] if kinds else []), *rows]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("\n".join("\t".join(line) for line in lines).encode(encoding))
    return folder


def one(folder: Path, **options):
    """The only record of an input, and nothing else in it."""
    checked = check_source(SOURCE, folder, SourceOptions(**options))
    assert (checked.records, checked.skipped, checked.errors) == (1, 0, 0), checked
    return checked.items[0]


def said(path: Path, **options) -> tuple[str, int]:
    """Everything that errors and notes say, one a line, and the number of records."""
    checked = check_source(SOURCE, path, SourceOptions(**options), readable_images=False)
    lines = [item.error for item in checked.items if item.error]
    lines += [note for item in checked.items if not item.error for _, note in item.notes]
    return "\n".join(lines), checked.records


def row_of(tmp_path: Path, png, **cells: str):
    """The record of a table of one row with one image."""
    cells = {"img_file_name": "1.png", "object_id": "o1", **cells}
    (tmp_path / "1.png").write_bytes(png(1))
    return one(table(tmp_path, list(cells), list(cells.values())))


def test_the_smallest_legal_table(tmp_path, png):
    item = row_of(tmp_path, png)
    assert (item.name, item.fields["specimen_id"], item.row) == ("o1", "o1", 3)
    assert read_location(item.image) == png(1)
    assert item.image_name == "1.png"
    assert item.notes == ()


def test_columns_become_columns_and_the_rest_is_kept(tmp_path, png):
    item = row_of(
        tmp_path, png,
        Object_Lat="43°30 0", object_lon="-7,5", object_date="20140420", object_time="81200",
        object_depth_min="5", object_depth_max="20.5",
        object_annotation_status="V", object_annotation_category="other<Biota",
        object_annotation_category_id="85011.0", object_annotation_hierarchy="Biota>other",
        object_annotation_person_name="A. Person", sample_id="s1", sample_tot_vol="124.5",
        sample_cruise="c1", sample_program="p1", sample_stationid="20", acq_id="a1", acq_instrument="zooscan",
        acq_sub_part="8", process_id="p", process_particle_pixel_size_mm="0.0106",
        **{"object_perim.": "384.22", "object_%area": "0.1"},
    )  # fmt: skip
    fields = dict(item.fields)
    extra = {name: fields.pop(name) for name in list(fields) if name.startswith("extra:")}
    assert fields == {
        "specimen_id": "o1", "latitude_deg": "43.5", "longitude_deg": "-7.5", "depth_min_m": "5.0",
        "depth_max_m": "20.5", "collected_on": "2014-04-20T08:12:00", "label_status": "validated",
        "written_label": "other<Biota", "ecotaxa_id": "85011", "labelled_by": "A. Person",
        "sample_id": "s1", "sampled_volume_l": "124500.0", "cruise": "c1", "site": "20",
        "acquisition_id": "a1", "instrument": "ZooScan", "subsample_fraction": "0.125",
        "pixel_size_um": "10.6",
    }  # fmt: skip
    assert extra == {
        "extra:object_annotation_hierarchy": "Biota>other",
        "extra:sample_program": "p1",
        "extra:acq_instrument": "zooscan",
        "extra:process_id": "p",
        "extra:object_perim.": "384.22",
        "extra:object_%area": "0.1",
    }
    assert item.notes == ()


@pytest.mark.parametrize(
    ("word", "status"),
    [("validated", "validated"), ("P", "predicted"), ("Dubious", "dubious"), ("d", "dubious")],
)
def test_status_words(tmp_path, png, word, status):
    item = row_of(tmp_path, png, object_annotation_category="x", object_annotation_status=word)
    assert item.fields["label_status"] == status


def test_a_discarded_label_is_no_status_and_is_told(tmp_path, png):
    item = row_of(tmp_path, png, object_annotation_category="x", object_annotation_status="X")
    assert "label_status" not in item.fields
    assert item.fields["extra:object_annotation_status"] == "discarded"
    assert "was discarded" in item.notes[0][1]


@pytest.mark.parametrize(
    ("cells", "micrometres", "note"),
    [
        ({"process_pixel": "0.75"}, 0.75, None),
        ({"acq_pixel": "73"}, 73.0, None),
        ({"process_pixel": "0.118"}, 118.0, "taken as millimetres, 118 um"),
        ({"process_particle_pixel_size_µm": "0.0106"}, 10.6, "taken as millimetres"),
        ({"acq_resolution_pixels_per_micron": "3.4"}, 0.294118, None),
        ({"process_img_resolution": "2400"}, 10.583333, None),
        (
            {"process_img_resolution": "4800", "process_particle_pixel_size_mm": "0.0106"},
            10.6,
            "resolution gives 5.292 um",
        ),
    ],
)
def test_pixel_sizes_in_all_their_units(tmp_path, png, cells, micrometres, note):
    item = row_of(tmp_path, png, process_id="p", acq_id="a", **cells)
    assert float(item.fields["pixel_size_um"]) == micrometres
    assert [note in said for _, said in item.notes] == ([True] if note else [])


def test_sentinels_are_missing_but_not_in_ids_and_measurements(tmp_path, png):
    item = row_of(
        tmp_path, png, object_lat="99999", object_depth_min="99999.0", sample_id="99999",
        sample_tot_vol="999999", object_area="99999", sample_note="nan", objid="99999",
    )  # fmt: skip
    assert "latitude_deg" not in item.fields
    assert "depth_min_m" not in item.fields
    assert "sampled_volume_l" not in item.fields
    assert item.fields["sample_id"] == "99999"
    assert item.fields["extra:object_area"] == "99999"
    assert item.fields["extra:objid"] == "99999"
    assert item.notes == ()


def test_planktoscope_volumes_are_litres_and_millilitres(tmp_path, png):
    item = row_of(
        tmp_path, png, sample_id="s", acq_id="a", process_id="1", acq_instrument="PlanktoScope v2.6",
        sample_total_volume="0.019", sample_concentrated_sample_volume="50", acq_imaged_volume="2",
        sample_dilution_factor="2", process_pixel="0.75",
    )  # fmt: skip
    assert item.fields["instrument"] == "PlanktoScope"
    assert item.fields["extra:acq_instrument"] == "PlanktoScope v2.6"
    assert float(item.fields["sampled_volume_l"]) == 0.019
    assert float(item.fields["subsample_fraction"]) == 0.02
    assert item.fields["pixel_size_um"] == "0.75"


def test_several_images_are_records_of_one_specimen(tmp_path, png):
    columns = (*BASIC, "img_rank")
    rows = [("1.png", "o1", "0"), ("2.png", "o1", "1"), ("3.png", "o1", "100")]
    for number in (1, 2, 3):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    checked = check_source(SOURCE, table(tmp_path, columns, *rows))
    assert [item.name for item in checked.items] == ["o1", "o1 2.png", "o1 3.png"]
    assert {item.fields["specimen_id"] for item in checked.items} == {"o1"}
    assert checked.items[2].fields["extra:img_rank"] == "100"


def test_encodings_and_quotes_and_line_ends(tmp_path, png):
    columns = (*BASIC, "sample_id", "sample_ship")
    for number, (encoding, end) in enumerate(
        [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("latin-1", "\r"), ("utf-16", "\n")]
    ):
        folder = table(
            tmp_path / str(number),
            columns,
            ("1.png", "o1", "s", '"Thalassa\té"'),
            encoding=encoding,
        )
        path = folder / "ecotaxa_a.tsv"
        path.write_bytes(path.read_bytes().decode(encoding).replace("\n", end).encode(encoding))
        (folder / "1.png").write_bytes(png(1))
        item = one(folder)
        assert item.fields["extra:sample_ship"] == "Thalassa\té"
        assert item.row == 3


def test_an_accent_far_down_a_latin_1_file_is_read(tmp_path, png):
    (tmp_path / "1.png").write_bytes(png(1))
    rows = [("1.png", f"o{n}", "x" * 80) for n in range(2000)] + [("1.png", "last", "é")]
    folder = table(tmp_path, (*BASIC, "object_remark"), *rows, encoding="latin-1")
    last = check_source(SOURCE, folder, readable_images=False).items[-1]
    assert last.fields["extra:object_remark"] == "é"


def test_a_folder_a_zip_and_a_nested_uvp6_zip_are_read_alike(tmp_path, png):
    folder = table(tmp_path / "f", BASIC, ("sub/1.png", "o1"))
    (folder / "sub").mkdir()
    (folder / "sub" / "1.png").write_bytes(png(1))
    inner = tmp_path / "b_1_Images.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        for path in (folder / "ecotaxa_a.tsv", folder / "sub" / "1.png"):
            archive.write(path, path.relative_to(folder).as_posix())
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(inner, inner.name)
    for path in (folder, inner, tmp_path / "all.zip"):
        item = one(path, spool=tmp_path / "spool")
        assert (item.name, read_location(item.image)) == ("o1", png(1))


def test_a_gzip_table_and_a_table_alone(tmp_path, png):
    folder = table(tmp_path, BASIC, ("1.png", "o1"), name="own name.tsv")
    (folder / "1.png").write_bytes(png(1))
    assert one(folder / "own name.tsv").name == "o1"
    (folder / "2").mkdir()
    packed = gzip.compress((folder / "own name.tsv").read_bytes())
    (folder / "2" / "ecotaxa_x.tsv.gz").write_bytes(packed)
    (folder / "2" / "1.png").write_bytes(png(1))
    assert one(folder / "2").name == "o1"


def test_capitals_in_the_prefix_are_an_error_with_the_remedy(tmp_path, png):
    folder = table(tmp_path, BASIC, ("1.png", "o1"), name="EcoTaxa_a.tsv")
    table(tmp_path, BASIC, ("1.png", "o2"))
    (folder / "1.png").write_bytes(png(1))
    checked = check_source(SOURCE, folder)
    assert (checked.records, checked.errors) == (1, 1)
    error = next(item.error for item in checked.items if item.error)
    assert "Call it ecotaxa_EcoTaxa_a.tsv" in error


def test_images_elsewhere(tmp_path, png):
    folder = table(tmp_path / "t", BASIC, ("deep/1.png", "o1"))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(png(1))
    assert "column img_file_name: 'deep/1.png' is not beside the table" in said(folder)[0]
    assert one(folder, images=tmp_path / "images").name == "o1"


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/secret.png", "..\\secret.png", "C:\\x.png"]
)
def test_image_names_that_leave_the_input_are_refused(tmp_path, png, name):
    (tmp_path / "secret.png").write_bytes(png(1))
    text, records = said(table(tmp_path / "in", BASIC, (name, "o1")))
    assert records == 0
    assert "line 3, column img_file_name" in text
    assert "leads out of the input. Put the image beside the table." in text


def test_links_are_not_followed(tmp_path, png):
    (tmp_path / "secret.png").write_bytes(png(1))
    folder = table(tmp_path / "in", BASIC, ("1.png", "o1"))
    (folder / "1.png").symlink_to(tmp_path / "secret.png")
    assert said(folder)[1] == 0


def test_every_file_is_accounted_for(tmp_path, png):
    folder = table(tmp_path, BASIC, ("1.png", "o1"))
    for number in (1, 2):
        (folder / f"{number}.png").write_bytes(png(number))
    (folder / "README").write_text("x")
    (folder / "counts.tsv").write_text("sampleid\tstatus\ttaxonid\tcount\ns\tV\tx\t3\n")
    skipped = {i.name: i.skip_reason for i in check_source(SOURCE, folder).items if i.skip_reason}
    assert set(skipped) == {"2.png", "README", "counts.tsv"}
    assert "summary" in skipped["counts.tsv"]


@pytest.mark.parametrize(
    ("lines", "place", "remedy"),
    [
        ("img_file_name\tacq_id\n1.png\ta\n", "line 1, column object_id", "Add it"),
        ("object_id\tOBJECT_ID\no\to\n", "line 1, column object_id", "Rename one"),
        ("object_id\tobject_x\no1\ta\tb\n", "line 2, column 3: 'b'", "Give the column a name"),
        (
            'object_id\tobject_x\n"o1\ta\no2\tb"\tc\tq\n',
            "line 2, column 3: 'q'",
            "Give the column a name",
        ),
        ('object_id\tobject_x\n"o1\ta\no2\tb\n', "line 2, column object_id", "Remove or double the quote"),
        ("object_id\tobject_x\no1\ta\no1\tb\n", "line 3, column object_id", "Remove one of the two"),
        ("object_id\tobject_x\n\ta\n", "line 2, column object_id: ''", "Write the id"),
        ("object_id\n[t]\n", "line 2, column object_id", "Write one row for each image"),
    ],
)  # fmt: skip
def test_faults_name_line_column_and_remedy(tmp_path, lines, place, remedy):
    (tmp_path / "ecotaxa_bad.tsv").write_text(lines)
    text, _ = said(tmp_path)
    assert f"ecotaxa_bad.tsv, {place}" in text
    assert remedy in text


def test_a_zero_byte_costs_its_row_alone(tmp_path):
    (tmp_path / "ecotaxa_a.tsv").write_bytes(b"object_id\tobject_x\na\t1\nb\t2\0\nb2\t\nc\t4\n")
    checked = check_source(SOURCE, tmp_path)
    assert [item.name for item in checked.items if not item.error] == ["a", "b2", "c"]
    (error,) = [item.error for item in checked.items if item.error]
    assert error.startswith("ecotaxa_a.tsv, line 3, column object_x: a zero byte")


@pytest.mark.parametrize("written", ["\xb2", "1" * 20, "-1"])
def test_an_id_that_is_none_is_not_stored(tmp_path, png, written):
    item = row_of(tmp_path, png, classif_id=written)
    assert "ecotaxa_id" not in item.fields
    assert f"column classif_id: '{written}' is no id" in item.notes[0][1]


def test_a_bad_row_does_not_cost_the_others(tmp_path):
    (tmp_path / "ecotaxa_a.tsv").write_text("object_id\tobject_x\na\t1\nb\t2\t3\n\t\nc\t4\n")
    checked = check_source(SOURCE, tmp_path)
    assert [item.name for item in checked.items if not item.error and not item.skip_reason] == [
        "a",
        "c",
    ]
    assert (checked.errors, checked.skipped) == (1, 1)


def test_no_line_of_types_and_depths_the_wrong_way_round(tmp_path):
    columns = ("object_id", "object_depth_min", "object_depth_max")
    item = one(table(tmp_path, columns, ("o1", "600", "300"), types=""))
    assert (item.row, item.fields["depth_min_m"], item.fields["depth_max_m"]) == (
        2,
        "300.0",
        "600.0",
    )
    assert "line 2, column object_depth_min" in item.notes[0][1]


RULES = ("object_id", "acq_id", "sample_id", "object_annotation_category",
         "object_annotation_category_id", "object_annotation_status")  # fmt: skip


@pytest.mark.parametrize(
    ("second", "note"),
    [
        (("o2", "a1", "s2", "Calanus", "7", "validated"),
         "line 4, column sample_id: 's2': acquisition 'a1' belongs to sample 's1' in ecotaxa_a.tsv"),
        (("o2", "a1", "s1", "Oithona", "7", "validated"),
         "line 4, column object_annotation_category: 'Oithona': category 7 is called 'Calanus' in"),
        (("o2", "a1", "s1", "Calanus", "7", ""),
         "line 4, column object_annotation_status: '': no status though there is a category"),
        (("o2", "a1", "s1", "", "", "predicted"),
         "line 4, column object_annotation_category: '': no category though the status is"),
        (("o2", "a2", "s2", "Calanus", "7", "dubious"), None),
    ],
)  # fmt: skip
def test_rows_that_contradict_one_another_are_kept_with_a_note(tmp_path, second, note):
    folder = table(tmp_path, RULES, ("o1", "a1", "s1", "Calanus", "7", "validated"), second)
    text, records = said(folder)
    assert records == 2
    assert (f"ecotaxa_a.tsv, {note}" in text) if note else text == ""


def test_a_damaged_or_empty_uvp6_zip_does_not_cost_the_others(tmp_path, png):
    (tmp_path / "a_Images.zip").write_bytes(b"PK\x03\x04 cut")
    with zipfile.ZipFile(tmp_path / "b_Images.zip", "w") as archive:
        archive.writestr("readme.md", "x")
    with zipfile.ZipFile(tmp_path / "c_Images.zip", "w") as archive:
        archive.writestr("ecotaxa_c.tsv", "img_file_name\tobject_id\n1.png\to1\n")
        archive.writestr("1.png", png(1))
    text, records = said(tmp_path)
    assert records == 1
    assert "a_Images.zip: not a whole zip" in text
    assert "b_Images.zip: no EcoTaxa table in it. Put ecotaxa_<name>.tsv into the zip." in text


def broken(real_data: Path) -> Path:
    return real_data / "formats" / "ecotaxa_qa"


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "images", "records", "messages"),
    [
        ("import_issues/classif_without_state", "", 1,
         [("_pls.tsv, line 3, column object_annotation_status", "write validated, predicted or dubious")]),
        ("import_issues/corrupted_img", "", 3,
         [("ecotaxa.PS122.txt, line 5, column img_file_name: '20200108 082115  096", "Add the image")]),
        ("import_issues/duplicate_in_tsv", "", 1,
         [("_pls.tsv, line 4, column object_id: 'm106_mn01_n3_sml_1120'", "Remove one of the two rows")]),
        ("import_issues/empty_tsv", "", 0,
         [("_n365_sml.tsv, line 2, column object_id: no object", "Write one row for each image"),
          ("_n365_sml.tsv, line 2, column acq_magnification: 85 types for 89", "none was left out")]),
        ("import_issues/empty_tsv2", "", 0,
         [("_n365_sml.tsv, line 1, column object_id", "Write a header")]),
        ("import_issues/extra_data_without_header", "", 0,
         [("_n1_sml.tsv, line 3, column 89: 'Extra'", "Give the column a name")]),
        ("import_issues/no_classif_id", "", 1,
         [("_n3_sml.tsv, line 3, column object_annotation_category_id: '99999999'", "write the whole")]),
        ("import_issues/predicted_but_what", "", 1,
         [("_pls.tsv, line 3, column object_annotation_category", "write the category")]),
        ("import_issues/tsv_issues", "", 4,
         [("_n3_sml.tsv, line 1, column nounderscorecol, unknown_target", "rename it"),
          ("_n3_sml.tsv, line 2, column nounderscorecol (and 2 more columns)", "write [t]"),
          ("_n3_sml.tsv, line 3, column object_lat: '100'", "it must be -90 to 90"),
          ("_n3_sml.tsv, line 3, column object_lon: '200'", "it must be -180 to 180"),
          ("_n3_sml.tsv, line 3, column object_date: '20140433'", "write YYYYMMDD"),
          ("_n3_sml.tsv, line 3, column object_time: '9920'", "write HHMM"),
          ("_n3_sml.tsv, line 3, column object_annotation_status: 'predit'", "write validated"),
          ("_n3_sml.tsv, line 3, column object_buggy_float: 'a'", "make the type [t]"),
          ("_n3_sml.tsv, line 5, column object_annotation_date: '2015-11-31'", "mend it"),
          ("_n3_sml.tsv, line 6, column img_file_name: 'm106_mn01_n3_sml_1081.jpg2'",
           "Did you mean 'm106_mn01_n3_sml_1081.jpg'?"),
          ("_n3_sml.tsv, line 8, column object_id: ''", "Write the id"),
          ("_n3_sml.tsv, line 8, column img_file_name: 'nada.png'", "Add the image")]),
        ("import_issues/tsv_too_many_cols", "", 1,
         [("_n3_sml.tsv, line 1, column sample_cus61: one of 63 free", "EcoTaxa takes 30: leave some out"),
          ("_n3_sml.tsv, line 1, column acq_cus31: one of 33 free", "EcoTaxa takes 30: leave some out")]),
        ("import_bad_free_data", "", 8,
         [("_n4_sml.tsv, line 6, column sample_tot_vol: 'foo'", "write a number"),
          ("_n4_sml.tsv, line 8, column acq_sub_part: 'hi'", "8 for an eighth"),
          ("_n4_sml.tsv, line 10, column acq_sub_part: 'b'", "8 for an eighth")]),
        ("import_test_weird", "", 4,
         [("_n4_sml.tsv, line 6, column acq_sub_part: 'foo'", "8 for an eighth")]),
        ("import_test_upd_empty", "import_test", 11,
         [("_n255_sml.tsv, line 2, column object_id: no object", "Write one row for each image")]),
        ("import_test_tot_vol_bad_update", "import_test", 6,
         [("_n1_sml.tsv, line 5, column sample_id: 'm106_mn01_n1_sml_typo'", "name another acq_id")]),
        ("merge_test", "", 12,
         [("more_cols/ecotaxa_m106_mn01_n1_sml.tsv, line 3, column object_id", "Remove one of the two")]),
        ("import de categories ambigues", "", 6,
         [("ecotaxa.tsv, line 2, column object_lon (and 1 more columns): '[n]'", "write [t]")]),
        ("import_update", "", 10,
         [("_n2_sml.tsv, line 3, column img_file_name: 'm106_mn01_n2_sml_1333.jpg'", "Add the image"),
          ("_n1_sml.tsv, line 7, column object_annotation_category: 'Oncaeidae': category 85011", "which")]),
        ("import_v_or_d_just_state", "", 2,
         [("_n1_sml.tsv, line 4, column img_file_name", "see that each object has its own")]),
        ("ref_exports/bak_no_image", "", 0,
         [("_n1_sml.tsv, line 3, column img_file_name: 'm106_mn01_n1_sml_409.jpg'", "Add the image")]),
        ("ref_exports/just_annotations", "", 0,
         [("ref.tsv, line 1, column object_id", "Call it ecotaxa_ref.tsv")]),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) and value else "",
)  # fmt: skip
def test_each_broken_input_names_file_line_column_and_remedy(
    real_data, folder, images, records, messages
):
    root = broken(real_data)
    text, found = said(root / folder, images=root / images if images else None)
    assert found == records
    for place, remedy in messages:
        lines = [line for line in text.splitlines() if place in line]
        assert lines, f"{place} is not in:\n{text}"
        assert remedy in lines[0]


@pytest.mark.real
def test_broken_inputs_without_a_table_name_the_remedy(real_data):
    with pytest.raises(SourceError, match=r"no_relevant_file: no EcoTaxa table.*Give a folder"):
        list(SOURCE.read(broken(real_data) / "import_issues/no_relevant_file", SourceOptions()))


@pytest.mark.real
def test_an_acquisition_in_two_samples_is_told(real_data, tmp_path):
    root = broken(real_data)
    for name in ("import_test", "import_issues/breaking_hierarchy"):
        shutil.copytree(root / name, tmp_path / Path(name).name.replace("breaking", "zz"))
    text, records = said(tmp_path)
    assert records == 12
    place = "ecotaxa_breaking_hier.tsv, line 3, column sample_id: 'm106_mn01_n1_sml_brk'"
    line = next(line for line in text.splitlines() if place in line)
    assert "belongs to sample 'm106_mn01_n1_sml' in import_test/m106_mn01_n1_sml/" in line
    assert line.endswith("name another acq_id or mend it")


@pytest.mark.real
def test_damaged_images_are_records_that_intake_refuses(real_data):
    items = SOURCE.read(broken(real_data) / "import_issues/corrupted_img", SourceOptions())
    places = [item.image for item in items if item.image]
    assert len(places) == 3
    for place in places:
        with pytest.raises(MediaError):
            read_pixels(read_location(place))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "counts", "with_image"),
    [
        ("import_test.zip", (8, 1, 0), 8),
        ("import_test_plus_more", (1, 0, 0), 1),
        ("import_sparse", (6, 0, 0), 6),
        ("import_various_states", (9, 0, 0), 9),
        ("UVP6_example.zip", (15, 1, 0), 15),
        ("import_uvp6_zip_in_dir", (15, 1, 0), 15),
        ("ref_exports/doi", (12, 0, 0), 12),
        ("ref_exports/tsv_by_taxon", (12, 0, 0), 12),
        ("ref_exports/tsv_by_acquisition", (13, 0, 0), 13),
        ("ref_exports/bak_all_images", (12, 0, 0), 12),
        ("ref_exports/tsv_with_ids", (12, 0, 0), 0),
        ("ref_exports/tsv_all_entities_no_img_no_ids", (12, 0, 0), 0),
        ("ref_exports/just_annotations/ref.tsv", (15, 0, 0), 0),
        ("ref_exports/abundances_by_subsample", (0, 1, 0), 0),
        ("ref_exports/biovolumes_by_sample", (0, 1, 0), 0),
        ("ref_exports/concentrations_by_sample", (0, 1, 0), 0),
        ("ref_exports/summary_whole", (0, 1, 0), 0),
        ("ref_exports/summary_per_sample", (0, 1, 0), 0),
    ],
)
def test_real_imports_and_exports(real_data, name, counts, with_image):
    checked = check_source(SOURCE, broken(real_data) / name)
    assert (checked.records, checked.skipped, checked.errors) == counts
    assert sum(item.image is not None for item in checked.items) == with_image


@pytest.mark.real
def test_values_of_real_tables(real_data):
    root = broken(real_data)

    def fields(name, item):
        found = {i.name: i.fields for i in SOURCE.read(root / name, SourceOptions())}
        return found[item]

    uvp6 = fields("UVP6_example.zip", "20200205-111823_3")
    assert (uvp6["latitude_deg"], uvp6["longitude_deg"]) == ("43.0", "17.0")
    assert (uvp6["instrument"], uvp6["pixel_size_um"]) == ("UVP6", "73.0")
    assert (uvp6["depth_min_m"], uvp6["collected_on"]) == ("194.63", "2020-02-05T11:18:23")
    commas = fields("ref_exports/tsv_with_ids", "m106_mn01_n1_sml_409")
    assert commas["longitude_deg"] == "-24.4166666666667"
    assert (commas["ecotaxa_id"], commas["written_label"]) == ("85012", "t001")
    assert (commas["depth_min_m"], commas["collected_on"]) == ("600.0", "2014-04-20T04:20:00")
    vpr = fields("import_sparse", "roi.0729931500")
    assert vpr["collected_on"] == "2016-07-19T02:01:39"
    assert vpr["extra:object_time"] == "020139.315"
    doi = fields("ref_exports/doi", "m106_mn01_n3_sml_1111")
    assert doi["extra:object_annotation_hierarchy"] == "Biota>other>egg"


@pytest.mark.real
def test_zooscan_uvp5_and_ifcb_tables_of_another_writer(real_data, tmp_path, png):
    folder = real_data / "formats" / "ifcb_bins" / "irfcb_exdata"

    def first(name, *images):
        place = tmp_path / name
        place.mkdir()
        shutil.copy(folder / name, place / name)
        (place / "images").mkdir()
        for number, image in enumerate(images):
            (place / "images" / image).write_bytes(png(number))
        options = SourceOptions(images=place / "images")
        items = SOURCE.read(place / name, options)
        return next(item for item in items if not item.error)

    scan = "ecotaxa_table_without_classification.tsv"
    item = first(scan, "bongo_3_180_20150711_d2_1_1.jpg", "bongo_3_180_20150711_d2_1_1b.jpg")
    assert (item.fields["instrument"], item.fields["pixel_size_um"]) == ("ZooScan", "10.6")
    assert item.fields["sampled_volume_l"] == "107653.2"
    assert item.fields["subsample_fraction"] == "0.125"
    assert any("column process_particle_pixel_size_µm" in note for _, note in item.notes)
    uvp5 = first("ecotaxa_table_with_classification.tsv", "cce_p1106_cycle2_06_1.jpg")
    assert (uvp5.fields["pixel_size_um"], uvp5.fields["cruise"]) == (
        "118.0",
        "sn002zd_ccelter_2011",
    )
    assert uvp5.fields["collected_on"] == "2011-06-28T09:02:39"
    ifcb = first("example_table_ifcb.tsv", "D20230915T093804_IFCB134_02133.png")
    assert (ifcb.fields["instrument"], ifcb.fields["aphia_id"]) == ("IFCB", "109473")
    assert ifcb.fields["collected_on"] == "2023-09-15T09:38:04"
    assert float(ifcb.fields["pixel_size_um"]) == 0.294118
