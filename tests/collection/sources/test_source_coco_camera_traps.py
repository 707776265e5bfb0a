"""COCO Camera Traps and SpeciesNet JSON: boxes, sequences, corrupt and missing pictures, large files."""

import json
import zipfile

import pytest
from PIL import Image

from holotype.collection.sources import coco_camera_traps, speciesnet
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import CropAt, FileAt
from holotype.testing import check_source

CATALOGUE = {
    "info": {"version": "1", "description": "Traps", "contributor": "Zoo"},
    "images": [
        {
            "id": "i1", "file_name": "s1/a.jpg", "width": 200, "height": 100, "seq_id": "q1", "frame_num": 1,
            "datetime": "2019-06-24 10:09:38", "location": 26.0,
        },
        {"id": "i2", "file_name": "s1/b.jpg", "width": 200, "height": 100, "seq_id": "q1", "corrupt": True},
        {"id": "i3", "file_name": "s1/gone.jpg", "datetime": "24/06/2019"},
        {"id": "i4", "file_name": "s1/c.jpg"},
        {"id": "i1", "file_name": "s1/c.jpg"},
    ],
    "categories": [{"id": 0, "name": "empty"}, {"id": 5, "name": "vulpes vulpes"}],
    "annotations": [
        {"id": "a1", "image_id": "i1", "category_id": 5, "bbox": [10, 20.4, 30.6, 40], "count": 2},
        {"id": "a2", "image_id": "i1", "category_id": 0, "sequence_level_annotation": True},
        {"id": "a3", "image_id": "i2", "category_id": 5},
        {"id": "a4", "image_id": "i4", "category_id": 5, "bbox_relative": [0.5, 0.5, 0.25, 0.5]},
        {"id": "a5", "image_id": "i4", "category_id": 9, "bbox": [90, 0, 30, 10]},
        {"id": "a6", "image_id": "zz", "category_id": 5},
        {"id": "a1", "image_id": "i4", "category_id": 5},
        {"id": "a7", "category_id": 5},
    ],
}  # fmt: skip


def write_catalogue(folder, said, indent=1):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "traps.json").write_text(json.dumps(said, indent=indent), encoding="utf-8")
    return folder / "traps.json"


@pytest.fixture
def traps(tmp_path):
    """A catalogue of five images, three of which are there."""
    path = write_catalogue(tmp_path / "t", CATALOGUE)
    (path.parent / "s1").mkdir()
    for name, size in (("a", (200, 100)), ("b", (200, 100)), ("c", (100, 40))):
        Image.new("L", size).save(path.parent / f"s1/{name}.jpg")
    return path


def items(path, options=None, source=coco_camera_traps.SOURCE):
    return {item.name: item for item in check_source(source, path, options).items}


def test_boxes_are_cut_in_pixels_absolute_or_relative(traps):
    found = items(traps)
    first = found["i1/a1"]
    assert first.image == CropAt(FileAt(str(traps.parent / "s1/a.jpg")), 10, 20, 31, 40)
    assert found["i4/a4"].image == CropAt(FileAt(str(traps.parent / "s1/c.jpg")), 50, 20, 25, 20)
    outside = found["i4/a5"]
    assert outside.image == FileAt(str(traps.parent / "s1/c.jpg"))
    notes = dict(outside.notes)
    assert (
        "'90 0 30 10': the box x 90 to 120, y 0 to 10 leaves the picture of 100 x 40 px"
        in notes["box"]
    )
    assert "key bbox" in notes["box"]
    assert "'9' is the id of no category" in notes["category"]


def test_fields_by_hand(traps):
    fields = items(traps)["i1/a1"].fields
    wanted = {
        "written_label": "vulpes vulpes",
        "collected_on": "2019-06-24T10:09:38",
        "site": "26",
        "specimen_id": "q1",
        "acquisition_id": "q1",
        "rights_holder": "Zoo",
        "extra:count": "2",
        "extra:frame_num": "1",
        "extra:bbox": "10 20.4 30.6 40",
        "extra:dataset_title": "Traps",
    }
    assert {name: fields[name] for name in wanted} == wanted
    assert "licence" not in fields


def test_empty_is_a_group_and_sequence_labels_are_marked(traps):
    fields = items(traps)["i1/a2"].fields
    assert (fields["group"], fields["kind"], fields["written_label"]) == ("empty", "inert", "empty")
    assert fields["extra:sequence_level_annotation"] == "true"


def test_what_is_corrupt_missing_or_twice(traps):
    checked = check_source(coco_camera_traps.SOURCE, traps)
    assert (checked.records, checked.skipped, checked.errors) == (5, 2, 4)
    found = {item.name: item for item in checked.items}
    assert found["i2"].skip_reason.startswith("corrupt")
    assert found["i2/a3"].skip_reason
    notes = dict(found["i3"].notes)
    assert "'s1/gone.jpg' lies not here: give --images" in notes["image"]
    assert "'24/06/2019' is no date" in notes["date"]
    lines = traps.read_text().splitlines()
    errors = [item.error for item in checked.items if item.error]
    assert "key id: 'a1' is the id of the annotation on line" in errors[0]
    assert "annotation 'a7', key image_id: missing" in errors[1]
    assert "key id: 'i1' is the id of the image on line 8 too" in errors[2]
    assert lines[8 - 1].strip() == "{"
    assert '"i1"' in lines[8]
    assert "annotation 'a6', key image_id: 'zz' is the id of no image" in errors[3]


def test_with_a_folder_of_images_a_missing_one_is_an_error(traps):
    found = items(traps, SourceOptions(images=traps.parent))
    assert found["i3"].error.endswith(
        "key file_name: 's1/gone.jpg' is not there. Put it there, or correct --images."
    )
    assert found["i1/a1"].image is not None


def test_a_zip_of_json_and_pictures_gives_the_same(traps, tmp_path):
    wanted = {n: dict(i.fields) for n, i in items(traps).items() if not i.error or "/" in i.name}
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as packed:
        for path in sorted(traps.parent.rglob("*.*")):
            packed.write(path, f"top/{path.relative_to(traps.parent).as_posix()}")
        packed.writestr("top/read.txt", "x")
    found = items(tmp_path / "t.zip")
    assert {n: dict(i.fields) for n, i in found.items() if n in wanted} == wanted
    assert {n for n, i in found.items() if not i.error and n not in wanted} == {"read.txt"}
    assert isinstance(found["i1/a1"].image, CropAt)


def test_a_file_of_many_pieces_reads_as_one(tmp_path, monkeypatch, traps):
    wanted = [(i.name, i.row, dict(i.fields), i.error) for i in items(traps).values()]
    for chunk in (1, 7, 64):
        monkeypatch.setattr("holotype.collection.reading.json_elements.CHUNK_CHARS", chunk)
        assert [(i.name, i.row, dict(i.fields), i.error) for i in items(traps).values()] == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", r"traps\.json, line 1: no JSON object"),
        ('{"images": [\n{"id": 1},\n{"id": }]}', r"traps\.json, line 3: not JSON"),
        ('{"images": [{"id": "1"}', r"line 1: the end where one of , \] must stand"),
        ('{"images" 3}', r"'3' where one of : must stand"),
        ('{"annotations": []}', "no list 'images' at the top"),
        ("", "no JSON object"),
    ],
)
def test_wrong_files(tmp_path, text, message):
    (tmp_path / "traps.json").write_text(text)
    with pytest.raises(SourceError, match=message):
        list(coco_camera_traps.SOURCE.read(tmp_path / "traps.json", SourceOptions()))


def test_a_folder_must_hold_one_json_file(traps):
    (traps.parent / "other.json").write_text("{}")
    with pytest.raises(
        SourceError, match=r"2 JSON files where one must be: other\.json, traps\.json"
    ):
        list(coco_camera_traps.SOURCE.read(traps.parent, SourceOptions()))


def test_predictions_of_speciesnet_are_labels(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.jpg")
    said = {
        "predictions": [
            {
                "filepath": "far/away/a.jpg",
                "prediction": "1;mammalia;carnivora;canidae;vulpes;vulpes;red fox",
                "prediction_score": 0.83,
                "model_version": "4.0.1a",
                "failures": ["GEOLOCATION"],
            },
            {"filepath": "https://x.org/b.jpg", "prediction": "2;;;;;;blank"},
            {"filepath": "https://x.org/c.jpg", "prediction": "fox"},
        ]
    }
    path = write_catalogue(tmp_path, said)
    fox, blank, odd = items(path, source=speciesnet.SOURCE).values()
    assert fox.image == FileAt(str(tmp_path / "a.jpg"))
    wanted = {
        "class": "Mammalia",
        "genus": "Vulpes",
        "species": "Vulpes vulpes",
        "vernacular_name": "red fox",
        "label_status": "predicted",
        "labelled_by": "4.0.1a",
        "extra:prediction_score": "0.83",
        "extra:failures": '["GEOLOCATION"]',
    }
    assert {name: fox.fields[name] for name in wanted} == wanted
    assert (blank.fields["group"], blank.fields["kind"]) == ("blank", "inert")
    assert dict(odd.notes)["names"].endswith(
        "has not 7 parts: left out; write uuid;class;...;common name"
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("instances.json", (4, 0, 12)),
        ("instances_with_errors.json", (6, 0, 13)),
        ("local_instances.json", (2, 0, 12)),
    ],
)
def test_real_instances_of_speciesnet(real_data, name, counts):
    found = check_source(speciesnet.SOURCE, real_data / "formats/camera_trap_json" / name)
    assert (found.records, found.skipped, found.errors) == counts
    bear = next(item for item in found.items if item.name.endswith("american_black_bear.jpg"))
    assert bear.image_name == "american_black_bear.jpg"
    missing = [item.error for item in found.items if "missing.jpg" in item.name and item.error]
    if name == "instances_with_errors.json":
        (error,) = missing
        assert error.startswith(
            "instances_with_errors.json, line 3, key filepath: 'test_data/missing.jpg'"
        )
