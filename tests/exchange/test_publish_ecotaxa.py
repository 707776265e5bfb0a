"""What is written for EcoTaxa is what its import asks for, reads back as the same, and faults are found."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import holotype
from exchange.net_answers import (
    CALANUS,
    DATED,
    FIN,
    NET,
    OITHONA,
    SPOT,
    ambiguous,
    answer,
    answers_of_ecotaxa,
    table,
)
from holotype._version import __version__
from holotype.collection.sources import ecotaxa
from holotype.collection.sources.item import SourceOptions
from holotype.collection.store import open_collection
from holotype.errors import SourceError
from holotype.exchange.answers.publish import publish_table
from holotype.exchange.ecotaxa.check import check_ecotaxa
from holotype.exchange.ecotaxa.ids import Ids
from holotype.exchange.ecotaxa.writer import IMPORT_COLUMNS
from holotype.media.locations import read_location

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "publish"


def publish(rows, out, to="ecotaxa", **given):
    return publish_table(table(*rows), to=to, out=out, dated=DATED, **given)


def read_rows(path):
    """The rows of an EcoTaxa table of a folder, without the line of types."""
    text = path.read_bytes().decode("utf-8-sig")
    header, _, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def folder(tmp_path, png):
    for name in ("a", "b", "c", "d", "e", "f", "g"):
        (tmp_path / f"{name}.png").write_bytes(png(ord(name)))
    return tmp_path


def rows_of_every_kind(folder):
    def at(name):
        of_sample = {"site": "Åland", "sampled_volume_l": 124_500.0, "instrument": "ZooScan"}
        of_run = {"pixel_size_um": 10.6, "subsample_fraction": 0.125}
        return {**NET, **of_sample, **of_run, "input": str(folder / f"{name}.png")}

    return [
        answer("a", FIN, **at("a")),
        ambiguous("b", **at("b"), novelty=0.1),
        answer("c", CALANUS[:4], **at("c"), decision="novel", novelty=0.9, novelty_rank="order"),
        answer("d", FIN, **at("d"), conflict=True, image_answer="x", barcode_answer="y"),
        answer("e", **at("e"), decision="unplaced"),
        answer("f", OITHONA, **at("f"), answer="Oithona similis (part_head)"),
        answer("g", **at("g"), decision="failed", failure="truncated"),
        answer("h", FIN, **{**at("a"), "input": str(folder / "nowhere.png")}),
    ]


def test_status_category_and_what_is_left_out(folder):
    report = publish(rows_of_every_kind(folder), folder / "out")
    assert report.written == 6
    assert report.left_out == {"could not be read: see failure": 1, "no image was found": 1}
    assert report.answers == 8
    assert check_ecotaxa(folder / "out") == []
    found = {row["object_id"]: row for row in read_rows(folder / "out/net1/ecotaxa_net1.tsv")}
    kinds = {name: row["object_annotation_status"] for name, row in found.items()}
    assert kinds == dict(
        zip("abcdef", ("predicted", *["dubious"] * 3, "", "predicted"), strict=True)
    )
    names = {name: row["object_annotation_category"] for name, row in found.items()}
    assert names["b"] == "Calanus"
    assert names["c"] == "Calanoida"
    assert names["f"] == "part head<Oithona similis"
    assert found["a"]["object_annotation_hierarchy"] == ">".join(FIN)
    assert found["b"]["object_annotation_hierarchy"] == ">".join(CALANUS)
    assert found["a"]["object_annotation_date"] == "20260501"
    assert found["a"]["object_annotation_time"] == "123000"
    assert found["a"]["object_annotation_person_name"] == f"Holotype {__version__} model f00d"
    assert found["e"]["object_annotation_person_name"] == ""
    assert report.notes["without a safe answer: objects to sort"] == 1


def test_golden_table(folder):
    publish(rows_of_every_kind(folder)[:4], folder / "out")
    text = (folder / "out/net1/ecotaxa_net1.tsv").read_bytes().decode("utf-8-sig")
    assert text.replace(__version__, "VERSION") == (GOLDEN / "ecotaxa.tsv").read_text("utf-8")


@pytest.mark.parametrize("out", ["out", "out.zip"])
def test_our_reader_gets_the_same_values_back(folder, out):
    rows = rows_of_every_kind(folder)[:6]
    publish(rows, folder / out)
    holotype.import_("ecotaxa", [folder / out], into=folder / "c", source="back")
    records = open_collection(folder / "c").columns().to_pylist()
    back = {record["specimen_id"]: record for record in records}
    assert set(back) == set("abcdef")
    for row in rows:
        record = back[row["specimen_id"]]
        for name in (
            *NET,
            "site",
            "pixel_size_um",
            "sampled_volume_l",
            "subsample_fraction",
            "instrument",
        ):
            assert record[name] == row[name], (row["specimen_id"], name)
        assert record["image_width_px"] == 8
    assert back["a"]["written_label"] == FIN[-1]
    assert back["a"]["label_status"] == "predicted"
    assert back["b"]["label_status"] == "dubious"
    assert back["e"]["written_label"] is None


def test_several_images_of_one_object_have_ranks_and_the_surest_answer(folder):
    rows = [
        ambiguous("x", **NET, answer_score=0.6) | {"input": str(folder / "a.png")},
        answer("x", FIN, **NET, answer_score=0.9) | {"input": str(folder / "b.png")},
    ]
    report = publish(rows, folder / "out")
    first, second = read_rows(folder / "out/net1/ecotaxa_net1.tsv")
    assert [row["img_rank"] for row in (first, second)] == ["0", "1"]
    assert {row["object_annotation_category"] for row in (first, second)} == {FIN[-1]}
    assert first["img_file_name"] != second["img_file_name"]
    assert report.notes["further images or answers of one object: the surest answer stands"] == 1
    assert check_ecotaxa(folder / "out") == []


def test_ids_are_told_apart_where_two_samples_share_them(folder):
    rows = [
        answer("x", FIN, **NET) | {"input": str(folder / "a.png")},
        answer("x", FIN, **{**NET, "sample_id": "net2"}) | {"input": str(folder / "b.png")},
    ]
    publish(rows, folder / "out")
    assert check_ecotaxa(folder / "out") == []
    (second,) = read_rows(folder / "out/net2/ecotaxa_net2.tsv")
    assert (second["object_id"], second["acq_id"]) == ("net2_x", "net2_net1_a")


def test_other_formats_become_png_and_names_cannot_lead_out(folder):
    Image.new("L", (5, 4), 77).save(folder / "t.tif")
    odd = answer("../../x", FIN, **{**NET, "sample_id": "../net"}) | {
        "input": str(folder / "t.tif")
    }
    report = publish([odd], folder / "out")
    (made,) = folder.glob("out/*/*.png")
    with Image.open(made) as image:
        assert (image.size, image.getpixel((0, 0))) == ((5, 4), 77)
    assert report.notes["images written as PNG"] == 1
    assert check_ecotaxa(folder / "out") == []
    assert {path.parent.parent.name for path in folder.rglob("ecotaxa*.tsv")} == {"out"}


def test_rows_of_a_sample_agree_on_what_it_is(folder):
    volumes = (None, 2000.0, None)
    rows = [
        answer(name, FIN, **NET, sampled_volume_l=volume, pixel_size_um=size)
        | {"input": str(folder / f"{name}.png")}
        for name, volume, size in zip("abc", volumes, (1.0, 2.0, None), strict=True)
    ]
    report = publish(rows, folder / "out")
    found = read_rows(folder / "out/net1/ecotaxa_net1.tsv")
    assert [row["sample_tot_vol"] for row in found] == ["2.0"] * 3
    assert [row["process_particle_pixel_size_mm"] for row in found] == ["0.001", "0.002", ""]
    said = (
        "values of samples or acquisitions that differ between their rows: EcoTaxa keeps the first"
    )
    assert report.notes[said] == 1


def test_objects_without_a_sample_have_no_columns_of_one(folder):
    publish([answer("x", FIN, **SPOT) | {"input": str(folder / "a.png")}], folder / "out")
    (row,) = read_rows(folder / "out/objects/ecotaxa_objects.tsv")
    assert not [name for name in row if name.startswith(("sample_", "acq_", "process_"))]
    assert check_ecotaxa(folder / "out") == []


def test_long_texts_are_shortened_and_told_of(folder):
    row = answer("x", FIN, **NET, decision_reason="tab\there " * 60)
    report = publish([row | {"input": str(folder / "a.png")}], folder / "out")
    (found,) = read_rows(folder / "out/net1/ecotaxa_net1.tsv")
    assert len(found["object_decision_reason"]) <= 250
    assert found["object_decision_reason"].endswith(" ...")
    assert report.notes["texts shortened to 250 characters"] == 1


def test_images_and_category_ids_come_from_the_collection(folder):
    lines = ["file,label,id,genus", "a.png,Calanus,80152,Calanus", "b.png,Oithona,,Oithona"]
    (folder / "t.csv").write_text("\n".join(lines))
    columns = {"image": "file", "written_label": "label", "ecotaxa_id": "id", "genus": "genus"}
    holotype.import_("table", [folder / "t.csv"], into=folder / "c", source="s", columns=columns)
    ids = open_collection(folder / "c").columns(["record_id"])["record_id"].to_pylist()
    rows = [
        answer("gone1", CALANUS, **NET, record_id=ids[0]),
        answer("gone2", (*OITHONA[:6],), **NET, record_id=ids[1]),
    ]
    report = publish(rows, folder / "out", collection=folder / "c")
    found = read_rows(folder / "out/net1/ecotaxa_net1.tsv")
    assert [row["object_annotation_category_id"] for row in found] == ["80152", ""]
    assert report.notes["no category id: EcoTaxa asks which of its names is meant"] == 1
    assert (folder / "out/net1/gone1.png").read_bytes() == (folder / "a.png").read_bytes()


def test_an_update_names_objects_only_and_keeps_what_people_validated(tmp_path):
    rows = [
        answer("a", FIN, **NET),
        ambiguous("b", **NET),
        answer("c", **NET, decision="unplaced"),
        answer("d", FIN, **NET, label_status="validated"),
        answer("e", **NET, decision="failed", failure="x"),
    ]
    report = publish(rows, tmp_path / "u.zip", to="ecotaxa-update")
    assert (report.written, sum(report.left_out.values())) == (2, 3)
    with zipfile.ZipFile(tmp_path / "u.zip") as archive:
        assert archive.namelist() == ["ecotaxa_update.tsv"]
        header = archive.read("ecotaxa_update.tsv").decode().partition("\n")[0].split("\t")
    assert {name.partition("_")[0] for name in header} == {"object"}
    assert "object_lat" not in header
    assert check_ecotaxa(tmp_path / "u.zip") == []
    items = list(ecotaxa.SOURCE.read(tmp_path / "u.zip", SourceOptions()))
    assert [item.fields["label_status"] for item in items] == ["predicted", "dubious"]


def test_nothing_is_there_where_nothing_could_be_written(tmp_path):
    with pytest.raises(SourceError, match="no answer is left"):
        publish([answer("x", decision="failed")], tmp_path / "out.zip")
    assert list(tmp_path.iterdir()) == []


def test_equal_answers_give_equal_bytes(folder):
    rows = rows_of_every_kind(folder)
    publish(rows, folder / "one.zip")
    publish(rows, folder / "two.zip")
    assert (folder / "one.zip").read_bytes() == (folder / "two.zip").read_bytes()


def test_the_format_page_has_every_column():
    text = (ROOT / "docs/formats/exchange-ecotaxa.md").read_text(encoding="utf-8")
    said = [f"| `{c.name}` | `{c.type}` | {c.meaning} |" for c in IMPORT_COLUMNS]
    assert [line for line in said if line not in text] == []


HEADER = (
    "img_file_name\tobject_id\tobject_lat\tobject_date\tobject_time\tobject_annotation_status\t"
)
HEADER += "object_annotation_category\tsample_id\tacq_id\tobject_area"
TYPES = "\t".join(["[t]", "[t]", "[f]", *["[t]"] * 6, "[f]"])
GOOD = "a.png\to1\t18.5\t20240502\t080509\tpredicted\tCalanus\ts1\ta1\t3.5"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("18.5", "100", "line 3, column object_lat: '100' is not within -90 and 90"),
        ("18.5", "18,5", "column object_lat: '18,5' is no number"),
        ("20240502", "20241302", "column object_date: '20241302' is no date"),
        ("080509", "9999", "column object_time: '9999' is no time"),
        ("predicted", "guessed", "column object_annotation_status: 'guessed' is none of"),
        ("predicted", "", "column object_annotation_status: blank, with category 'Calanus'"),
        ("Calanus", "", "column object_annotation_category: blank, with status 'predicted'"),
        ("\to1", "\t", "column object_id: blank"),
        ("a.png", "b.png", "column img_file_name: 'b.png' is not beside the table"),
        ("a.png", "../a.png", "column img_file_name: '../a.png' is not beside the table"),
        ("a.png", "t.txt", "'t.txt' is neither PNG, JPEG nor GIF"),
        ("3.5", "big", "column object_area: 'big' is no number"),
        ("Calanus", "C" * 251, "251 letters; EcoTaxa takes 250"),
        ("3.5", "3.5\tx", "11 cells under 10 columns"),
        ("object_area", "objectarea", "'objectarea': not of the form prefix_field"),
        ("object_area", "thing_area", "prefix 'thing' is none of"),
        ("object_area", "object_lat", "column object_lat: there 2 times"),
        ("\tsample_id", "\tsample_name", "column sample_id: not there, and it must be"),
        ("[f]\n", "[x]\n", "line 2, column object_area: '[x]' is neither [t] nor [f]"),
        (GOOD, GOOD + "\n" + GOOD, "'o1' with image 'a.png' is in ecotaxa_x.tsv, line 3 too"),
        (
            GOOD,
            GOOD + "\n" + GOOD.replace("s1", "s2").replace("o1", "o2"),
            "column acq_id: 'a1' is of",
        ),
        (GOOD, "", "line 3: no row"),
        ("Calanus", "Calånus", "UTF-8 without a byte order mark"),
    ],
)
def test_planted_faults_are_found(tmp_path, png, old, new, said):
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "t.txt").write_text("no image")
    whole = f"{HEADER}\n{TYPES}\n{GOOD}\n"
    (tmp_path / "ecotaxa_x.tsv").write_text(whole, encoding="utf-8")
    assert check_ecotaxa(tmp_path) == []
    assert whole.count(old) >= 1
    (tmp_path / "ecotaxa_x.tsv").write_text(whole.replace(old, new, 1), encoding="utf-8")
    found = check_ecotaxa(tmp_path)
    assert [sentence for sentence in found if said in sentence], found


def test_a_table_of_another_name_and_too_many_columns_are_faults(tmp_path):
    (tmp_path / "Ecotaxa_x.tsv").write_text("object_id\n[t]\no1\n")
    assert "no table" in check_ecotaxa(tmp_path)[0]
    names = "\t".join(["object_id", *(f"object_t{number}" for number in range(21))])
    (tmp_path / "ecotaxa_y.tsv").write_text(f"{names}\n" + "\t".join(["[t]"] * 22) + "\no1\n")
    assert check_ecotaxa(tmp_path) == [
        "ecotaxa_y.tsv, line 1: 21 free columns of object [t]; EcoTaxa takes 20."
    ]


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("import_test", 0),
        ("import_test.zip", 0),
        ("import_various_states", 0),
        ("import_issues/duplicate_in_tsv", 1),
        ("import_issues/classif_without_state", 1),
        ("import_issues/predicted_but_what", 1),
        ("import_issues/empty_tsv2", 1),
        ("import_issues/extra_data_without_header", 1),
        ("import_issues/tsv_too_many_cols", 3),
        ("import_issues/no_relevant_file", 1),
    ],
)
def test_the_check_agrees_with_ecotaxa_on_its_own_files(real_data, name, faults):
    assert len(check_ecotaxa(real_data / "formats/ecotaxa_qa" / name)) == faults


@pytest.mark.real
@pytest.mark.parametrize("name", ["import_test", "import_test.zip", "import_various_states"])
def test_a_real_sample_comes_back_with_its_images_and_context(real_data, tmp_path, name):
    path = real_data / "formats/ecotaxa_qa" / name
    rows = answers_of_ecotaxa(path)
    report = publish(rows, tmp_path / "back.zip")
    assert report.written + sum(report.left_out.values()) == len(rows)
    assert report.written >= 1
    assert check_ecotaxa(tmp_path / "back.zip") == []
    before = {
        i.fields["specimen_id"]: i for i in ecotaxa.SOURCE.read(path, SourceOptions()) if i.image
    }
    back = [i for i in ecotaxa.SOURCE.read(tmp_path / "back.zip", SourceOptions()) if i.fields]
    assert len(back) == report.written
    same = (
        "sample_id",
        "latitude_deg",
        "longitude_deg",
        "depth_min_m",
        "collected_on",
        "cruise",
        "site",
    )
    for item in back:
        old = before[item.fields["specimen_id"]]
        for column in same:
            left, right = old.fields.get(column, ""), item.fields.get(column, "")
            assert left == right or float(left) == float(right), (item.name, column)
        assert read_location(item.image)[:4] == read_location(old.image)[:4]


def test_names_of_many_objects_that_look_alike_on_disk_are_given_in_linear_time():
    ids = Ids()
    given = [ids.file_name("\u6d77\u6c34" + "\u661f" * (at % 7), ".png") for at in range(20_000)]
    assert len({*given}) == len(given)
    assert (given[0], given[1], given[-1]) == ("unnamed.png", "unnamed_2.png", "unnamed_20000.png")


def test_an_input_whose_name_is_no_path_costs_no_other_answer(folder, tmp_path):
    rows = [
        answer("a", FIN, **SPOT) | {"input": str(folder / "a.png")},
        answer("b", FIN, **SPOT) | {"input": f"reads.fasta/{'x' * 400}"},
        answer("c", FIN, **SPOT) | {"input": "nul\0inside.png"},
    ]
    report = publish(rows, folder / "out")
    assert (report.written, report.left_out) == (1, {"no image was found": 2})
