"""Camera-trap formats: SpeciesNet, MegaDetector, Camtrap DP; what is written, and what our readers read."""

import csv
import json
import re
import shutil
from datetime import datetime

import pytest
from machine_answers import (
    BEAR,
    BEST,
    DATED,
    NASTY,
    answer,
    camera_rows,
    failed,
    golden,
    table,
)

from holotype.collection.sources.camtrap_dp import read as read_camtrap_dp
from holotype.collection.sources.item import SourceOptions
from holotype.collection.sources.speciesnet import read as read_speciesnet
from holotype.errors import SourceError
from holotype.exchange.answers.camtrap_dp import NO_ANIMAL, OBSERVATION_COLUMNS, write_camtrap_dp
from holotype.exchange.answers.camtrap_package import DEPLOYMENT_COLUMNS, MEDIA_COLUMNS
from holotype.exchange.answers.megadetector import write_megadetector
from holotype.exchange.answers.speciesnet import write_speciesnet

TRAP = {
    "sample_id": "dep1",
    "latitude_deg": 51.5,
    "longitude_deg": -0.1,
    "collected_on": "2020-05-30T04:57:37+02:00",
}


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


# --- SpeciesNet


def test_speciesnet_is_the_golden_file(tmp_path):
    done = write_speciesnet(table(*camera_rows()), tmp_path / "p.json")
    golden("speciesnet.json", (tmp_path / "p.json").read_text(encoding="utf-8"))
    assert done.answers == 7
    assert sum(done.left_out.values()) == 2


def test_speciesnet_predictions_have_the_keys_of_the_format(tmp_path):
    rows = camera_rows(latitude_deg=1.5, longitude_deg=-2.0, country="KEN")
    write_speciesnet(table(*rows), tmp_path / "p.json")
    by_path = {each["filepath"]: each for each in load(tmp_path / "p.json")["predictions"]}
    sure, genus, blank, unplaced, lost = (by_path[f"in/{name}.jpg"] for name in "abcdf")
    assert list(sure) == [
        "filepath", "country", "latitude", "longitude", "classifications", "prediction",
        "prediction_score", "prediction_source", "model_version",
    ]  # fmt: skip
    assert lost == {"filepath": "in/f.jpg", "failures": ["CLASSIFIER"], "model_version": "f00d"}
    for each in (sure, genus, blank, unplaced):
        known = each["classifications"]
        assert known["scores"] == sorted(known["scores"], reverse=True)
        for text in (*known["classes"], each["prediction"]):
            number, *names = text.split(";")
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", number)
            assert len(names) == 6
            assert text == text.lower()
    assert sure["prediction"].endswith(";mammalia;carnivora;ursidae;ursus;arctos;ursus arctos")
    assert sure["prediction_source"] == "classifier"
    assert genus["prediction"].endswith(";mammalia;carnivora;ursidae;ursus;;ursus")
    assert (genus["prediction_score"], genus["prediction_source"]) == (
        0.98,
        "classifier+rollup_to_genus",
    )
    assert blank["prediction"] == "f1856211-cfb7-4a5b-9158-c0f72fd09ee6;;;;;;blank"
    assert unplaced["prediction_source"] == "unknown"
    assert unplaced["prediction"].split(";")[1:] == ["no cv result"] * 6


def test_the_same_class_has_the_same_id_and_another_class_another(tmp_path):
    write_speciesnet(table(*camera_rows()), tmp_path / "p.json")
    classes = [
        text
        for each in load(tmp_path / "p.json")["predictions"]
        if "classifications" in each
        for text in each["classifications"]["classes"]
    ]
    number_by_names = dict(text.partition(";")[::2][::-1] for text in classes)
    assert len(set(number_by_names.values())) == len(number_by_names) == len(set(classes))


def test_only_what_is_a_vehicle_is_a_vehicle(tmp_path):
    said = {
        "van": "vehicle",
        "rock": "rock",
        "Quercus": "quercus",
        "empty": "blank",
        "person": "human",
    }
    given = {"van": "vehicle", "person": "Human"}
    rows = [
        answer(name, answer=given.get(name, name), best=((given.get(name, name), 0.9),))
        for name in said
    ]
    people = ("Animalia", "Chordata", "Mammalia", "Primates", "Hominidae", "Homo", "Homo sapiens")
    rows.append(answer("us", lineage=people, best=(("Homo sapiens", 0.9),)))
    write_speciesnet(table(*rows), tmp_path / "p.json")
    found = [each["prediction"] for each in load(tmp_path / "p.json")["predictions"]]
    assert [text.rpartition(";")[2] for text in found] == [*said.values(), "human"]
    numbers = [text.partition(";")[0] for text in found]
    assert len(set(numbers)) == 5
    assert numbers[-2] == numbers[-1] == "990ae9dd-7a59-4344-afcb-1b7b21368000"
    assert numbers[0] == "e2895ed5-780b-48f6-8a11-9e27cb594511"


def test_our_reader_reads_the_predictions_back(tmp_path):
    rows = camera_rows(latitude_deg=1.5, longitude_deg=-2.0)
    folder = tmp_path / "pictures"
    (folder / "in").mkdir(parents=True)
    for row in rows:
        (folder / row["input"]).write_bytes(b"x")
    write_speciesnet(table(*rows), tmp_path / "p.json")
    items = {
        item.name: item
        for item in read_speciesnet(tmp_path / "p.json", SourceOptions(images=folder))
        if item.fields
    }
    assert not [item.error for item in items.values() if item.error]
    fields = items["in/a.jpg"].fields
    assert [fields[rank] for rank in ("class", "order", "family", "genus", "species")] == [
        *BEAR[2:]
    ]
    assert (fields["label_status"], fields["labelled_by"]) == ("predicted", "f00d")
    assert (fields["latitude_deg"], fields["longitude_deg"]) == ("1.5", "-2.0")
    assert "species" not in items["in/b.jpg"].fields
    assert items["in/b.jpg"].fields["genus"] == "Ursus"
    assert items["in/c.jpg"].fields["group"] == "blank"


# --- MegaDetector


def check_megadetector(said):
    """The sentences of the format's page, as checks."""
    assert isinstance(said["info"]["format_version"], str)
    assert float(said["info"]["format_version"]) == 1.6
    for part in ("detection_categories", "classification_categories"):
        assert all(key.isdecimal() and name.strip() for key, name in said[part].items())
    assert {*said["classification_category_descriptions"]} == {*said["classification_categories"]}
    assert len({image["file"] for image in said["images"]}) == len(said["images"])
    for image in said["images"]:
        if image.get("failure") is not None:
            assert isinstance(image["failure"], str)
            assert image["detections"] is None
            continue
        for each in image["detections"]:
            assert each["category"] in said["detection_categories"]
            assert 0 <= each["conf"] <= 1
            assert len(each["bbox"]) == 4
            assert each["bbox"][0] + each["bbox"][2] <= 1
            scores = [score for _, score in each.get("classifications", [])]
            assert scores == sorted(scores, reverse=True)
            for key, _ in each.get("classifications", []):
                assert key in said["classification_categories"]


def test_megadetector_is_the_golden_file_and_keeps_the_format(tmp_path):
    done = write_megadetector(table(*camera_rows()), tmp_path / "md.json", classified_at=DATED)
    golden("megadetector.json", (tmp_path / "md.json").read_text(encoding="utf-8"))
    check_megadetector(load(tmp_path / "md.json"))
    assert (done.answers, sum(done.left_out.values())) == (7, 2)


def test_megadetector_has_the_whole_picture_as_box_and_the_safe_answer_first(tmp_path):
    write_megadetector(table(*camera_rows()), tmp_path / "md.json")
    said = load(tmp_path / "md.json")
    names = said["classification_categories"]
    images = {image["file"]: image for image in said["images"]}
    (box,) = images["in/b.jpg"]["detections"]
    assert (box["bbox"], box["conf"]) == ([0.0, 0.0, 1.0, 1.0], 0.98)
    assert said["detection_categories"][box["category"]] == "unknown"
    assert [(names[key], score) for key, score in box["classifications"]] == [
        ("Ursus", 0.98),
        ("Ursus arctos", 0.6),
        ("Ursus americanus", 0.38),
    ]
    genus = box["classifications"][0][0]
    described = said["classification_category_descriptions"][genus]
    assert described == "animalia;chordata;mammalia;carnivora;ursidae;ursus;"
    assert images["in/c.jpg"]["detections"] == []
    assert "classifications" not in images["in/d.jpg"]["detections"][0]
    assert images["in/f.jpg"] == {"file": "in/f.jpg", "failure": "truncated", "detections": None}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "run/in.jpg"),
        ({"source_item": "in.jpg", "record_id": "in.jpg"}, "run/in.jpg"),
        ({"source_item": "x/in.jpg", "record_id": "mine/x/in.jpg"}, "x/in.jpg"),
        (
            {"source_item": "12", "record_id": "mine/12", "image_url": "https://x.org/y"},
            "https://x.org/y",
        ),
        ({"source_item": "12", "record_id": "mine/12"}, "12"),
    ],
)
def test_a_picture_is_called_as_its_owner_knows_it(given, path, tmp_path):
    rows = table(answer("run/in.jpg", lineage=BEAR, best=BEST, **given))
    write_megadetector(rows, tmp_path / "md.json")
    assert [image["file"] for image in load(tmp_path / "md.json")["images"]] == [path]


@pytest.mark.parametrize("write", [write_speciesnet, write_megadetector])
def test_odd_names_survive_in_json_or_are_left_out_with_the_reason(write, tmp_path):
    rows = [answer(name, lineage=(*BEAR[:6], name), best=((name, 0.9),)) for name in NASTY]
    done = write(table(*rows), tmp_path / "x.json")
    assert done.answers + sum(done.left_out.values()) == len(NASTY)
    said = load(tmp_path / "x.json")
    paths = [each.get("filepath") or each.get("file") for each in next(reversed(said.values()))]
    if write is write_speciesnet:
        assert paths == [name for name in NASTY if ";" not in name]
        assert list(done.left_out) == [
            "a name with a semicolon, which SpeciesNet writes between names"
        ]
    else:
        assert paths == list(NASTY)
        assert [*said["classification_categories"].values()] == list(NASTY)


# --- Camtrap DP

REQUIRED = {
    "observations.csv": (
        "observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel",
        "observationType",
    ),
    "deployments.csv": ("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"),
    "media.csv": ("mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"),
}  # fmt: skip
ALLOWED = {
    "observationLevel": {"media", "event"},
    "observationType": {"animal", "human", "vehicle", "blank", "unknown", "unclassified"},
    "classificationMethod": {"", "human", "machine"},
    "filePublic": {"true", "false"},
}
MOMENTS = ("eventStart", "eventEnd", "timestamp", "deploymentStart", "deploymentEnd")


def check_camtrap_dp(folder):
    """The constraints of the tables of version 1.0: what is required, unique, allowed, and points where."""
    tables = {name: rows_of(folder / name) for name in REQUIRED}
    for name, columns in REQUIRED.items():
        for row in tables[name]:
            assert all(row[column] for column in columns), (name, row)
            for column, allowed in ALLOWED.items():
                assert row.get(column, "") in allowed | {""}
            for column in MOMENTS:
                if column in row:
                    assert datetime.strptime(row[column], "%Y-%m-%dT%H:%M:%S%z")
    for name, columns in REQUIRED.items():
        ids = [row[columns[0]] for row in tables[name]]
        assert len(ids) == len(set(ids))
    deployments = {row["deploymentID"] for row in tables["deployments.csv"]}
    media = {row["mediaID"]: row for row in tables["media.csv"]}
    for row in tables["observations.csv"]:
        assert row["deploymentID"] in deployments
        assert media[row["mediaID"]]["deploymentID"] == row["deploymentID"]
        assert 0 <= float(row["classificationProbability"] or 0) <= 1
    for row in tables["media.csv"]:
        assert re.fullmatch(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$", row["filePath"])
        assert re.fullmatch(r"(image|video|audio)/.*", row["fileMediatype"])
    said = load(folder / "datapackage.json")
    assert [each["name"] for each in said["resources"]] == ["deployments", "media", "observations"]
    for each in said["resources"]:
        assert each["profile"] == "tabular-data-resource"
        assert each["schema"].endswith(f"/1.0.2/{each['name']}-table-schema.json")
    names = {row["scientificName"] for row in tables["observations.csv"]} - {""}
    assert {each["scientificName"] for each in said["taxonomic"]} == names
    assert {"start", "end"} == {*said["temporal"]}
    return tables


def test_a_package_keeps_the_constraints_and_is_that_of_the_golden_files(tmp_path):
    done = write_camtrap_dp(table(*camera_rows(**TRAP)), tmp_path / "out", classified_at=DATED)
    check_camtrap_dp(tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        golden(f"camtrap_dp/{path.name}", path.read_text(encoding="utf-8"))
    assert done.left_out == {NO_ANIMAL: 1}
    assert dict(done.rows) == {"observations.csv": 8, "deployments.csv": 1, "media.csv": 7}
    assert any("contributors" in note for note in done.notes)


def test_each_kind_of_answer_is_an_observation_of_its_type(tmp_path):
    write_camtrap_dp(table(*camera_rows(**TRAP)), tmp_path / "out", classified_at=DATED)
    seen = {row["observationID"]: row for row in rows_of(tmp_path / "out" / "observations.csv")}
    kinds = {name: row["observationType"] for name, row in seen.items()}
    assert kinds == {
        "in/a.jpg_1": "animal", "in/a.jpg_2": "animal", "in/b.jpg_1": "animal",
        "in/c.jpg_1": "blank", "in/d.jpg_1": "unknown", "in/e.jpg_1": "animal",
        "in/f.jpg_1": "unclassified", "in/g.jpg_1": "animal",
    }  # fmt: skip
    machine, person, lost = seen["in/b.jpg_1"], seen["in/g.jpg_1"], seen["in/f.jpg_1"]
    assert (machine["scientificName"], machine["classificationProbability"]) == ("Ursus", "0.98")
    assert machine["classificationMethod"] == "machine"
    assert machine["classifiedBy"] == "holotype f00d"
    assert machine["classificationTimestamp"] == "2026-05-01T12:30:00+00:00"
    assert (person["classificationMethod"], person["classifiedBy"]) == ("human", "Ada")
    assert person["classificationProbability"] == person["classificationTimestamp"] == ""
    assert (lost["classificationMethod"], lost["observationComments"]) == ("", "truncated")
    assert (
        seen["in/d.jpg_1"]["scientificName"]
        == seen["in/d.jpg_1"]["classificationProbability"]
        == ""
    )


def test_a_deployment_lasts_from_its_first_to_its_last_picture_in_whatever_zone(tmp_path):
    times = ("2020-05-30T04:57:37+02:00", "2020-05-30T03:00:00+00:00", "2020-05-30T02:00:00Z")
    rows = [
        answer(
            f"{n}.jpg", lineage=BEAR, best=(("Ursus arctos", 0.9),), **TRAP | {"collected_on": t}
        )
        for n, t in enumerate(times)
    ]
    write_camtrap_dp(table(*rows), tmp_path / "out", classified_at=DATED)
    (deployment,) = rows_of(tmp_path / "out" / "deployments.csv")
    assert deployment["deploymentStart"] == "2020-05-30T02:00:00+00:00"
    assert deployment["deploymentEnd"] == "2020-05-30T03:00:00+00:00"
    assert load(tmp_path / "out" / "datapackage.json")["temporal"]["start"] == "2020-05-30"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sample_id": None}, "no sample_id"),
        ({"latitude_deg": None}, "no position"),
        ({"collected_on": None}, "no time of day"),
        ({"collected_on": "2020-05-30"}, "no time of day"),
        ({"collected_on": "2020-05-30T04:57:37"}, "no time of day with an offset"),
        ({"longitude_deg": 5.0}, "another position"),
        ({"source_item": "/abs/b.jpg"}, "neither a URL nor one inside"),
        ({"source_item": "a/../b.jpg"}, "neither a URL nor one inside"),
    ],
)
def test_records_that_no_package_can_hold_are_left_out_with_the_reason(change, reason, tmp_path):
    rows = [answer("a.jpg", lineage=BEAR, **TRAP), answer("b.jpg", lineage=BEAR, **TRAP | change)]
    done = write_camtrap_dp(table(*rows), tmp_path / "out", classified_at=DATED)
    ((why, count),) = done.left_out.items()
    assert reason in why
    assert (count, done.answers) == (1, 1)


def test_a_package_without_a_single_observation_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no sample_id"):
        write_camtrap_dp(
            table(answer("a.jpg", lineage=BEAR)), tmp_path / "out", classified_at=DATED
        )
    assert list(tmp_path.iterdir()) == []


def test_our_reader_reads_a_package_with_odd_names(tmp_path):
    rows = [
        answer(f"c/{n}", lineage=(*BEAR[:6], name), best=((name, 0.9),), source_item=name,
               image_url=f"https://x.org/{n}", **TRAP)
        for n, name in enumerate(NASTY)
    ]  # fmt: skip
    done = write_camtrap_dp(table(*rows), tmp_path / "out", classified_at=DATED)
    assert done.answers == len(NASTY)
    check_camtrap_dp(tmp_path / "out")
    items = list(read_camtrap_dp(tmp_path / "out", SourceOptions()))
    assert [item.error for item in items if item.error] == []
    labels = [item.fields["written_label"] for item in items if item.fields]
    normal = [name.replace("\r", "\n").strip() for name in NASTY]
    assert [label.replace("\r", "\n").strip() for label in labels] == normal
    assert {item.fields["label_status"] for item in items if item.fields} == {"predicted"}


@pytest.mark.real
def test_columns_are_those_of_the_example_of_the_standard(real_data):
    folder = real_data / "formats" / "camtrap_dp"
    for name, columns in (
        ("observations", OBSERVATION_COLUMNS),
        ("deployments", DEPLOYMENT_COLUMNS),
        ("media", MEDIA_COLUMNS),
    ):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            assert tuple(next(csv.reader(handle))) == columns


@pytest.mark.real
def test_observations_go_back_into_the_package_that_the_records_came_from(real_data, tmp_path):
    """Real package -> records -> answers -> new observations in that package -> records: the same labels."""
    folder = tmp_path / "package"
    shutil.copytree(real_data / "formats" / "camtrap_dp", folder)
    items = [item for item in read_camtrap_dp(folder, SourceOptions()) if item.fields]
    rows = [
        answer(
            f"collection/{item.name}",
            source_item=item.name,
            lineage=(*BEAR[:6], item.fields.get("written_label") or "Ursus arctos"),
            best=(("Ursus arctos", 0.75),),
        )
        for item in items
    ]
    rows.append(answer("elsewhere.jpg", lineage=BEAR, source_item="no such file"))
    done = write_camtrap_dp(table(*rows), tmp_path / "new", classified_at=DATED, package=folder)
    assert done.left_out == {"it is no file of the package": 1}
    assert done.answers == len(items)
    made = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert made == ["datapackage.json", "observations.csv"]
    old_rows = rows_of(folder / "observations.csv")
    for path in (tmp_path / "new").iterdir():
        shutil.copy(path, folder / path.name)
    kept = [row for row in old_rows if not row["mediaID"] or row["classificationMethod"] == "human"]
    assert 500 < len(kept) < len(old_rows)
    assert rows_of(folder / "observations.csv")[: len(kept)] == kept
    again = [item for item in read_camtrap_dp(folder, SourceOptions()) if item.fields]
    assert not [item.error for item in again if item.error]
    new = [item for item in again if item.fields.get("labelled_by") == "holotype f00d"]
    assert places(new) == places(items)
    said = load(folder / "datapackage.json")
    old = load(real_data / "formats" / "camtrap_dp" / "datapackage.json")
    assert {**said, "created": "", "taxonomic": []} == {**old, "created": "", "taxonomic": []} | {
        "resources": said["resources"]
    }
    assert said["taxonomic"][: len(old["taxonomic"])] == old["taxonomic"]


def places(items):
    """Which file each record is of, what it is called and where its picture (or box) lies."""
    return sorted(
        (
            item.name.partition("/")[0],
            item.fields.get("written_label") or "Ursus arctos",
            str(item.image),
        )
        for item in items
    )


def test_what_people_observed_stays_and_what_a_machine_said_gives_way(tmp_path):
    write_camtrap_dp(table(*camera_rows(**TRAP)), tmp_path / "own", classified_at=DATED)
    rows = rows_of(tmp_path / "own" / "observations.csv")
    with (tmp_path / "own" / "observations.csv").open("a", encoding="utf-8") as handle:
        handle.write(
            "e1,dep1,,ev,2020-05-30T04:57:37+02:00,2020-05-30T04:57:37+02:00,event,animal"
            + "," * 20
            + "\n"
        )
    given = {"source_item": "in/a.jpg"}
    one = [answer("x/in/a.jpg", lineage=BEAR[:5], best=BEST, answer_level="family", **given)]
    one.append(answer("x/in/g.jpg", lineage=BEAR, best=BEST, source_item="in/g.jpg"))
    done = write_camtrap_dp(
        table(*one), tmp_path / "new", classified_at=DATED, package=tmp_path / "own"
    )
    found = {row["observationID"]: row for row in rows_of(tmp_path / "new" / "observations.csv")}
    gone = {"in/a.jpg_1", "in/a.jpg_2"}
    kept = [row["observationID"] for row in rows if row["observationID"] not in gone]
    assert [*found] == [*kept, "e1", "in/a.jpg_1", "in/g.jpg_2"]
    assert found["in/a.jpg_1"]["scientificName"] == "Ursidae"
    assert found["in/g.jpg_1"]["classificationMethod"] == "human"
    assert done.answers == 2


def test_an_early_package_is_refused(tmp_path):
    write_camtrap_dp(table(*camera_rows(**TRAP)), tmp_path / "own", classified_at=DATED)
    path = tmp_path / "own" / "datapackage.json"
    path.write_text(path.read_text().replace("1.0.2/camtrap-dp-profile", "0.6/camtrap-dp-profile"))
    with pytest.raises(SourceError, match="not of version 1"):
        write_camtrap_dp(
            table(*camera_rows()), tmp_path / "new", classified_at=DATED, package=tmp_path / "own"
        )


@pytest.mark.real
def test_failures_of_real_instances_are_failures_again(real_data, tmp_path):
    """SpeciesNet's own list of instances with faults: what we could not read is a failure of its format."""
    told = load(real_data / "formats" / "camera_trap_json" / "instances_with_errors.json")
    rows = [
        failed(each["filepath"]) if at % 2 else answer(each["filepath"], lineage=BEAR)
        for at, each in enumerate(told["instances"])
    ]
    done = write_speciesnet(table(*rows), tmp_path / "p.json")
    said = load(tmp_path / "p.json")["predictions"]
    given = dict.fromkeys(each["filepath"] for each in told["instances"])
    assert [each["filepath"] for each in said] == list(given)
    assert done.answers + sum(done.left_out.values()) == len(rows)
    assert any(each.get("failures") == ["CLASSIFIER"] for each in said)
