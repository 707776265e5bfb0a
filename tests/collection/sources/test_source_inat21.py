"""iNat21: lineages out of folder names, and what the JSON knows better."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from holotype.collection.sources.inat21 import SOURCE, folder_lineage
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import read_location
from holotype.testing import check_source

FOLDER = "02912_Animalia_Arthropoda_Insecta_Lepidoptera_Nymphalidae_Speyeria_callippe"
LINEAGE = {
    "kingdom": "Animalia", "phylum": "Arthropoda", "class": "Insecta", "order": "Lepidoptera",
    "family": "Nymphalidae", "genus": "Speyeria", "species": "Speyeria callippe",
}  # fmt: skip


def jpeg(number):
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    handle = io.BytesIO()
    Image.fromarray(pixels).save(handle, "JPEG")
    return handle.getvalue()


@pytest.fixture
def inat(tmp_path):
    for number, place in enumerate(
        (f"train/{FOLDER}/a.jpg", f"val/{FOLDER}/b.jpg", "public_test/c.jpg")
    ):
        path = tmp_path / "inat" / place
        path.parent.mkdir(parents=True)
        path.write_bytes(jpeg(number))
    (tmp_path / "inat" / "LICENSE.md").write_text("non-commercial")
    return tmp_path / "inat"


def annotations(**image):
    return {
        "info": {"year": 2021},
        "images": [
            {
                "id": 0, "width": 8, "height": 6, "file_name": f"train/{FOLDER}/a.jpg", "license": 2,
                "rights_holder": "Jos\u00e9", "date": "2011-07-13 00:11:00+00:00", "latitude": 35.1,
                "longitude": -120.5, "location_uncertainty": None, **image,
            },
            {"id": 7, "file_name": f"train/{FOLDER}/gone.jpg"},
        ],
        "categories": [
            {
                "id": 2912, "name": "Speyeria callippe", "common_name": "Callippe Fritillary",
                "supercategory": "Insects", "kingdom": "Animalia", "phylum": "Arthropoda",
                "class": "Insecta", "order": "Lepidoptera", "family": "Nymphalidae", "genus": "Speyeria",
                "specific_epithet": "callippe", "image_dir_name": FOLDER,
            }
        ],
        "annotations": [{"id": 0, "image_id": 0, "category_id": 2912}],
        "licenses": [{"id": 2, "name": "CC BY-NC 4.0", "url": "x"}],
    }  # fmt: skip


def test_folders_alone(inat):
    done = check_source(SOURCE, inat)
    assert (done.records, done.skipped, done.errors) == (3, 1, 0)
    by_name = {item.name: item for item in done.items}
    train = by_name[f"train/{FOLDER}/a.jpg"]
    assert train.fields == LINEAGE | {
        "upstream_split": "train", "written_label": FOLDER, "extra:inat21_class": "02912",
    }  # fmt: skip
    assert read_location(train.image) == jpeg(0)
    assert by_name[f"val/{FOLDER}/b.jpg"].fields["upstream_split"] == "val"
    assert by_name["public_test/c.jpg"].fields == {"upstream_split": "public_test"}


def test_a_tar_of_one_part_named_by_itself(inat, tmp_path):
    with tarfile.open(tmp_path / "val.tar.gz", "w:gz") as archive:
        archive.add(inat / "val", "val")
    (item,) = check_source(SOURCE, tmp_path / "val.tar.gz").items
    assert (item.fields["species"], item.fields["upstream_split"]) == ("Speyeria callippe", "val")


def test_the_json_beside_the_folders_adds_place_date_and_rights(inat):
    (inat / "train.json").write_text(json.dumps(annotations()))
    done = check_source(SOURCE, inat)
    by_name = {item.name: item for item in done.items}
    train = by_name[f"train/{FOLDER}/a.jpg"]
    assert train.notes == ()
    assert train.fields == LINEAGE | {
        "upstream_split": "train", "written_label": FOLDER, "vernacular_name": "Callippe Fritillary",
        "latitude_deg": "35.1", "longitude_deg": "-120.5", "licence": "CC BY-NC 4.0",
        "collected_on": "2011-07-13T00:11:00+00:00", "rights_holder": "Jos\u00e9",
        "extra:inat21_image": "0", "extra:inat21_category": "2912", "extra:supercategory": "Insects",
    }  # fmt: skip
    val = by_name[f"val/{FOLDER}/b.jpg"]
    assert val.fields["vernacular_name"] == "Callippe Fritillary"
    assert val.notes[0][0] == "annotation"
    gone = by_name[f"train.json 7 train/{FOLDER}/gone.jpg"]
    assert gone.skip_reason == "in the annotations, without an image in the input"
    assert by_name["train.json"].skip_reason == "annotations, joined to the images"


def test_faults_of_the_json_are_told(inat, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(annotations(latitude=135.1, date="13/07/2011")))
    done = check_source(SOURCE, inat / "train", SourceOptions(annotations=path))
    (item,) = [item for item in done.items if item.image]
    assert item.fields["upstream_split"] == "train"
    assert (
        "labels.json, image 0, column latitude: '135.1' gives latitude_deg 135.1"
        in item.notes[0][1]
    )
    assert "column date: '13/07/2011' is no date" in item.notes[1][1]
    path.write_text(json.dumps(annotations())[:900])
    with pytest.raises(SourceError, match=r"labels\.json, line 1: "):
        list(SOURCE.read(inat, SourceOptions(annotations=path)))


def test_one_image_in_two_parts_has_the_row_of_each(inat):
    (inat / "train_mini" / FOLDER).mkdir(parents=True)
    (inat / "train_mini" / FOLDER / "a.jpg").write_bytes(jpeg(0))
    for part, place in (("train", 35.1), ("train_mini", 35.25)):
        described = annotations(latitude=place, file_name=f"{part}/{FOLDER}/a.jpg")
        (inat / f"{part}.json").write_text(json.dumps(described))
    by_name = {item.name: item.fields for item in check_source(SOURCE, inat).items}
    assert by_name[f"train/{FOLDER}/a.jpg"]["latitude_deg"] == "35.1"
    assert by_name[f"train_mini/{FOLDER}/a.jpg"]["latitude_deg"] == "35.25"


def test_names_with_more_underscores():
    more = "00001_Plantae_Tracheophyta_Magnoliopsida_Asterales_Asteraceae_Aus_bus_cus"
    fields, odd = folder_lineage(more)
    assert (fields["genus"], fields["species"]) == ("Aus", "Aus bus cus")
    assert odd == f"folder '{more}' has 8 names instead of 7: the lineage may be wrong"
    fields, odd = folder_lineage("00002_Animalia_Chordata_Aves_Incertae_sedis_Corvidae_Pica_pica")
    assert (fields["order"], fields["family"]) == ("Incertae_sedis", "Corvidae")
    assert fields["species"] == "Pica pica"
    assert odd is not None
    assert folder_lineage("00003_Animalia_Chordata")[0] == {"extra:inat21_class": "00003"}


def test_no_image_at_all(tmp_path):
    with pytest.raises(SourceError, match="no image in it"):
        list(SOURCE.read(tmp_path, SourceOptions()))
