"""Camtrap DP: boxes are cut, events lend their label, versions agree, and nothing is lost on the way."""

import csv
import gzip
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from holotype.collection.sources.camtrap_dp import SOURCE
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.images import read_pixels
from holotype.media.locations import CropAt, FileAt, read_location
from holotype.testing import check_source


def table(header, *rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [header.split(), *(row.split("~") for row in rows)]
    )
    return out.getvalue().replace("~", "")


def descriptor(**more):
    names = {
        "deployments": "deployments.csv",
        "media": "media.csv",
        "observations": "observations.csv",
    }
    return {
        "resources": [{"name": name, "path": path} for name, path in names.items()],
        "licenses": [
            {"name": "CC0-1.0", "scope": "data"},
            {"path": "https://x.org/by", "scope": "media"},
        ],
        "contributors": [{"title": "Institute", "role": "rightsHolder"}],
        "project": {"acronym": "MICA"},
        "taxonomic": [
            {
                "scientificName": "Vulpes vulpes",
                "taxonRank": "species",
                "family": "Canidae",
                "taxonID": "https://www.gbif.org/species/5219243",
                "vernacularNames": {"eng": "red fox"},
            }
        ],
        **more,
    }


OBSERVED = (
    "observationID deploymentID mediaID eventID eventStart eventEnd observationLevel observationType "
    "scientificName bboxX bboxY bboxWidth bboxHeight classificationMethod classifiedBy "
    "classificationProbability"
)
TAKEN = "mediaID deploymentID timestamp filePath filePublic fileMediatype"
PLACED = "deploymentID locationName latitude longitude cameraModel"


def write_package(
    folder, media, observations, said=None, deployments=("d1~Pond~51.5~4.25~Reconyx",)
):
    (folder / "media").mkdir(parents=True)
    frame = np.zeros((100, 200), np.uint8)
    frame[50:80, 20:60] = 255
    Image.fromarray(frame).save(folder / "media/a.png")
    (folder / "datapackage.json").write_text(json.dumps(said or descriptor()), encoding="utf-8")
    (folder / "deployments.csv").write_text(table(PLACED, *deployments), encoding="utf-8")
    (folder / "media.csv").write_text(table(TAKEN, *media), encoding="utf-8")
    (folder / "observations.csv").write_text(table(OBSERVED, *observations), encoding="utf-8")
    return folder


MEDIA = (
    "m1~d1~2020-05-30T04:00:00+02:00~media/a.png~true~image/png",
    "m2~d1~2020-05-30T02:00:30Z~https://x.org/b.jpg~false~image/jpeg",
    "m3~d1~2020-05-30T05:00:00Z~media/gone.jpg~true~image/jpeg",
    "m4~d9~bad time~https://x.org/c.mp4~true~video/mp4",
)
OBSERVATIONS = (
    "o1~d1~m1~e1~~~media~animal~Vulpes vulpes~0.1~0.5~0.2~0.3~machine~Model 1~0.9",
    "o2~d1~m1~e1~~~media~human~~~~~~human~Ann~",
    "o3~d1~m1~e1~~~media~animal~Vulpes vulpes~0.9~0.5~0.2~0.3~human~Ann~",
    "o4~d1~~e1~2020-05-30T02:00:00Z~2020-05-30T02:01:00Z~event~animal~Vulpes vulpes~~~~~human~Ann~",
    "o5~d1~~e5~2020-05-30T09:00:00Z~2020-05-30T09:01:00Z~event~blank~~~~~~human~Ann~",
    "o6~d1~m3~e6~~~media~blank~~~~~~human~Ann~",
    "o7~d1~m3~e6~~~media~vehicle~~~~~~human~Ann~",
    "o8~d1~m9~e6~~~media~vehicle~~~~~~human~Ann~",
    "o1~d1~m3~e6~~~media~vehicle~~~~~~human~Ann~",
    "o9~d1~m4~e9~~~media~animal~Vulpes vulpes~~~~~human~Ann~",
)


@pytest.fixture
def package(tmp_path):
    """Four files of one trap, ten observations; some are wrong."""
    return write_package(tmp_path / "p", MEDIA, OBSERVATIONS)


def records(path, options=None):
    found = check_source(SOURCE, path, options).items
    return {i.name: i for i in found if not i.skip_reason and not i.error}


def test_a_box_is_cut_from_the_picture(package):
    item = records(package)["m1/o1"]
    assert item.image == CropAt(FileAt(str(package / "media/a.png")), 20, 50, 40, 30)
    assert read_pixels(read_location(item.image)).min() == 255


def test_the_box_of_a_turned_picture_is_of_the_upright_one(package):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (100, 200)).save(package / "media/a.png", exif=exif)
    image = records(package)["m1/o1"].image
    assert (image.left, image.top, image.width, image.height) == (20, 50, 40, 30)


def test_fields_of_a_record_by_hand(package):
    fields = records(package)["m1/o1"].fields
    wanted = {
        "written_label": "Vulpes vulpes",
        "species": "Vulpes vulpes",
        "family": "Canidae",
        "gbif_id": "5219243",
        "vernacular_name": "red fox",
        "kind": "living",
        "label_status": "predicted",
        "labelled_by": "Model 1",
        "extra:classificationProbability": "0.9",
        "extra:bboxX": "0.1",
        "latitude_deg": "51.5",
        "longitude_deg": "4.25",
        "extra:place_from": "sample",
        "site": "Pond",
        "instrument": "Reconyx",
        "sample_id": "d1",
        "specimen_id": "e1",
        "acquisition_id": "e1",
        "collected_on": "2020-05-30T04:00:00+02:00",
        "licence": "https://x.org/by",
        "extra:licence_of": "media",
        "extra:data_licence": "CC0-1.0",
        "rights_holder": "Institute",
        "cruise": "MICA",
    }
    assert {name: fields[name] for name in wanted} == wanted
    assert "group" not in fields


def test_no_taxon_is_a_group_with_its_kind(package):
    found = records(package)
    shown = {
        n: (f["written_label"], f["group"], f["kind"])
        for n, i in found.items()
        if "group" in (f := i.fields)
    }
    assert shown == {
        "m1/o2": ("human", "human", "living"),
        "m3/o6": ("blank", "blank", "inert"),
        "m3/o7": ("vehicle", "vehicle", "artefact"),
    }


def test_an_event_lends_its_label_to_files_without_their_own(package):
    lent = records(package)["m2/o4"]
    assert lent.fields["written_label"] == "Vulpes vulpes"
    assert lent.fields["extra:observationLevel"] == "event"
    assert lent.fields["image_url"] == "https://x.org/b.jpg"
    assert [code for code, _ in lent.notes] == ["not_public"]


def test_an_event_of_two_labels_lends_none(tmp_path):
    other = "p1~d1~~e1~2020-05-30T02:00:00Z~2020-05-30T02:01:00Z~event~animal~Meles meles~~~~~human~Ann~"
    folder = write_package(tmp_path / "p", MEDIA[1:2], (OBSERVATIONS[3], other))
    found = check_source(SOURCE, folder)
    item = found.items[0]
    assert (item.name, item.fields.get("written_label")) == ("m2", None)
    assert item.fields["specimen_id"] == "e1"
    assert [code for code, _ in item.notes] == ["not_public", "event_labels"]


def test_what_is_wrong_or_unused_is_named(package):
    found = check_source(SOURCE, package)
    items = {item.name: item for item in found.items}
    assert [i.error for i in found.items if i.error] == [
        (
            "observations.csv, line 10, column observationID: 'o1' is the id of line 2 too. Give each "
            "observation its own id."
        ),
        (
            "observations.csv, line 9, column mediaID: 'm9' is the id of no file in the table of media. "
            "Correct it, or add the file."
        ),
    ]
    assert items["m1/o3"].image == FileAt(str(package / "media/a.png"))
    assert dict(items["m1/o3"].notes)["box"].startswith(
        "observations.csv, line 4, column bboxX: the box x 180 to 220, y 50 to 80 leaves the picture of"
    )
    notes = dict(items["m3/o6"].notes)
    assert notes["image"].startswith(
        "media.csv, line 4, column filePath: 'media/gone.jpg' is no file"
    )
    assert "several_labels" in notes
    assert items["m4/o9"].skip_reason == "video/mp4: no picture"
    assert "of an event" in items["observation o5"].skip_reason


def test_zip_with_gzip_tables_one_folder_down_gives_the_same(package, tmp_path):
    wanted = {n: dict(i.fields) for n, i in records(package).items()}
    said = descriptor()
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for resource in said["resources"]:
            content = (package / resource["path"]).read_bytes()
            resource["path"] += ".gz"
            packed.writestr(f"top/{resource['path']}", gzip.compress(content))
        packed.write(package / "media/a.png", "top/media/a.png")
        packed.writestr("top/datapackage.json", json.dumps(said))
    found = records(tmp_path / "p.zip", SourceOptions(spool=tmp_path / "spool"))
    assert {n: dict(i.fields) for n, i in found.items()} == wanted
    assert found["m1/o1"].image.width == 40
    assert records(package / "datapackage.json").keys() == wanted.keys()


def test_version_0_has_other_column_names_and_sequences(tmp_path):
    said = descriptor()
    said["resources"][1]["name"] = "multimedia"
    folder = write_package(tmp_path / "p", (), (), said)
    (folder / "media.csv").write_text(
        "multimedia_id,deployment_id,sequence_id,timestamp,file_path,comments\nm1,d1,s1,2020-01-01T00:00:00Z,media/a.png,x\n"
    )
    (folder / "observations.csv").write_text(
        "observation_id,deployment_id,sequence_id,observation_type,scientific_name,classification_confidence,comments\n"
        "o1,d1,s1,animal,Vulpes vulpes,0.5,y\n"
    )
    (item,) = records(folder).values()
    assert item.name == "m1/o1"
    assert item.fields["specimen_id"] == "s1"
    assert item.fields["extra:classificationProbability"] == "0.5"
    assert (item.fields["extra:mediaComments"], item.fields["extra:observationComments"]) == (
        "x",
        "y",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"datapackage\.json, line 1, column 2: not JSON"),
        ("[]", "no list 'resources'"),
        ('{"resources": []}', "no resource 'media'"),
        (
            '{"resources": [{"name": "media", "path": "no.csv"}]}',
            r"the table 'media' should be 'no\.csv'",
        ),
    ],
)
def test_wrong_packages(tmp_path, text, message):
    (tmp_path / "datapackage.json").write_text(text)
    with pytest.raises(SourceError, match=message):
        list(SOURCE.read(tmp_path, SourceOptions()))


def test_a_folder_without_descriptor(tmp_path):
    (tmp_path / "media.csv").write_text("mediaID\n1\n")
    with pytest.raises(SourceError, match=r"no datapackage\.json in it: there are media\.csv"):
        list(SOURCE.read(tmp_path, SourceOptions()))


@pytest.mark.real
def test_real_package(real_data):
    folder = real_data / "formats/camtrap_dp"
    found = check_source(SOURCE, folder)
    assert (found.records, found.skipped, found.errors) == (513, 37, 0)
    crops = [item for item in found.items if isinstance(item.image, CropAt)]
    assert len(crops) == 10
    assert sum("not_public" in dict(item.notes) for item in found.items) == 60
    heron = next(item for item in crops if item.name == "7ab33b3a/7ab33b3a_1")
    with Image.open(folder / "media/20210531082538-RCNX0031.JPG") as picture:
        assert picture.size == (2048, 1440)
    assert heron.image.left == round(0.35947 * 2048)
    assert heron.image.top == round(0.61382 * 1440)
    wanted = {
        "written_label": "Ardea",
        "genus": "Ardea",
        "label_status": "predicted",
        "labelled_by": "Western Europe species model Version 1",
        "vernacular_name": "great herons",
        "collected_on": "2021-04-11T20:43:09+01:00",
        "latitude_deg": "50.699",
        "licence": "http://creativecommons.org/licenses/by/4.0/",
        "extra:classificationProbability": "0.89",
    }
    assert {name: heron.fields[name] for name in wanted} == wanted
