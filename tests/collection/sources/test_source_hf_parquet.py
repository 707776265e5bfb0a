"""Hugging Face image Parquet: planktonzilla-17M's columns, numbered labels, shards, cells left in place."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from holotype.collection.sources.hf_parquet import SOURCE
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import CellAt, read_location
from holotype.testing import check_source

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
PLANKTONZILLA = {
    "dataset": "planktonset1.0", "original_label": "copepod_calanoid",
    "original_path": "/copepod_calanoid/1.png",
    "Kingdom": "animalia", "Phylum": "arthropoda", "Class": "copepoda", "Order": "calanoida",
    "Family": "calanidae", "Genus": "calanus", "Species": "glacialis", "proposed_label": "calanus glacialis",
    "plankton": True, "root_class": "living", "qualifier": "full_body", "wikidata_ID": "Q1",
    "aphia_ID": "104465.0", "NCBI_ID": "114070", "BOLD_ID": "12", "ecotaxa_ID": "328;45",
    "Latitude": 43.7, "Longitude": 7.3, "Humidity": 81.5, "Temperature": 12.25, "Depth_max": 50.0,
    "Depth_min": 2.5, "ObjID": "D20150101T120000_IFCB102", "timestamp": "2015-01-01", "license": "CC-BY-4.0",
    "license_url": "https://creativecommons.org/licenses/by/4.0/", "instrument": "ISIIS",
    "instrument_id": "L22/TOOL1582", "custom_metadata": '{"a": 1}',
}  # fmt: skip
FLOATS = ("Latitude", "Humidity", "Temperature", "Longitude", "Depth_max", "Depth_min")


def png(number):
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8), dtype=np.uint8)
    handle = io.BytesIO()
    Image.fromarray(pixels).save(handle, "PNG")
    return handle.getvalue()


def cells(*numbers):
    held = [None if n is None else {"bytes": png(n), "path": f"{n}.png"} for n in numbers]
    return pa.array(held, IMAGE)


def planktonzilla(*rows):
    table = pa.Table.from_pylist(list(rows))
    for name in FLOATS:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(pa.float32()))
    return table.append_column("image", cells(*range(len(rows))))


def with_classes(table, **columns):
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in columns.items()}
    described = {"info": {"features": features | {"image": {"_type": "Image"}}}}
    return table.replace_schema_metadata({"huggingface": json.dumps(described)})


def test_the_columns_of_planktonzilla(tmp_path):
    egg = {
        **dict.fromkeys(PLANKTONZILLA), "dataset": "whoi", "original_label": "mix", "ObjID": "12.0",
        "original_path": "/copepod_calanoid/1.png", "plankton": False, "Latitude": 95.0,
    }  # fmt: skip
    table = planktonzilla(PLANKTONZILLA, egg, {**PLANKTONZILLA, "Species": None})
    pq.write_table(table, tmp_path / "train-00003-of-00189.parquet", row_group_size=2)
    done = check_source(SOURCE, tmp_path / "train-00003-of-00189.parquet")
    first, second, third = done.items
    assert first.name == "planktonset1.0/copepod_calanoid/1.png"
    assert first.fields == {
        "written_label": "copepod_calanoid", "kingdom": "animalia", "phylum": "arthropoda",
        "class": "copepoda", "order": "calanoida", "family": "calanidae", "genus": "calanus",
        "species": "calanus glacialis", "kind": "living", "qualifier": "full_body",
        "aphia_id": "104465", "ncbi_id": "114070", "bold_id": "12", "ecotaxa_id": "328;45",
        "wikidata_id": "Q1", "latitude_deg": "43.7", "longitude_deg": "7.3", "depth_min_m": "2.5",
        "depth_max_m": "50.0", "collected_on": "2015-01-01", "licence": "CC-BY-4.0",
        "instrument": "ISIIS", "instrument_id": "L22/TOOL1582", "upstream_split": "train",
        "acquisition_id": "D20150101T120000_IFCB102", "extra:humidity": "81.5",
        "extra:temperature": "12.25", "extra:plankton": "true", "extra:dataset": "planktonset1.0",
        "extra:original_path": "/copepod_calanoid/1.png", "extra:proposed_label": "calanus glacialis",
        "extra:license_url": "https://creativecommons.org/licenses/by/4.0/",
        "extra:custom_metadata": '{"a": 1}',
    }  # fmt: skip
    assert first.image == CellAt(str(tmp_path / "train-00003-of-00189.parquet"), "image", 0, 0)
    assert third.image == CellAt(str(tmp_path / "train-00003-of-00189.parquet"), "image", 1, 0)
    assert [read_location(item.image) for item in done.items] == [png(0), png(1), png(2)]
    assert (second.name, second.fields["extra:objid"]) == ("whoi/copepod_calanoid/1.png", "12")
    assert "row 2, column latitude: '95' gives latitude_deg 95" in second.notes[0][1]
    assert third.name == "planktonset1.0/copepod_calanoid/1.png#3"
    assert "species" not in third.fields


def test_numbered_labels_become_names_and_shards_parts_of_the_split(tmp_path):
    (tmp_path / "data").mkdir()
    for split, numbers in (("train", [0, 1, -1, 7]), ("test", [1])):
        table = pa.table(
            {"image": cells(*range(len(numbers))), "label": pa.array(numbers, pa.int64())}
        )
        table = with_classes(table, label=["copepod", "egg"])
        pq.write_table(table, tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    (tmp_path / "README.md").write_text("card")
    done = check_source(SOURCE, tmp_path)
    assert (done.records, done.skipped, done.errors) == (5, 1, 0)
    found = [item for item in done.items if item.image]
    assert [(item.fields.get("written_label"), item.fields["upstream_split"]) for item in found] == [
        ("egg", "test"), ("copepod", "train"), ("egg", "train"), (None, "train"), (None, "train"),
    ]  # fmt: skip
    assert [item.name for item in found][:3] == ["0.png", "0.png#2", "1.png"]
    assert "row 4, column label: '7' is none of the 2 classes" in found[4].notes[0][1]


@pytest.mark.parametrize("written", ["\xb2", "2", "9" * 5000])
def test_a_label_that_is_the_number_of_no_class(tmp_path, written):
    table = pa.table({"image": cells(1), "label": [written]})
    pq.write_table(with_classes(table, label=["copepod", "egg"]), tmp_path / "t.parquet")
    (item,) = check_source(SOURCE, tmp_path / "t.parquet").items
    assert "written_label" not in item.fields
    assert "is none of the 2 classes" in item.notes[0][1]


def test_numbers_without_names_are_kept_and_told(tmp_path):
    table = pa.table(
        {"img": pa.array([png(1)], pa.large_binary()), "labels": [3], "emb": [[0.5, 1.0]]}
    )
    pq.write_table(table, tmp_path / "validation.parquet")
    (item,) = check_source(SOURCE, tmp_path / "validation.parquet").items
    assert item.name == "validation.parquet#1"
    assert item.fields == {"written_label": "3", "upstream_split": "validation"}
    assert "column labels: '3' is a number without a name" in item.notes[0][1]


def test_cells_without_bytes(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png(5))
    held = [
        {"bytes": png(1), "path": "x/1.png"},
        {"bytes": None, "path": "a.png"},
        {"bytes": None, "path": "https://example.org/b.png"},
        {"bytes": None, "path": None},
        None,
        {"bytes": None, "path": "gone.png"},
    ]
    table = pa.table({"image": pa.array(held, IMAGE), "id": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    pq.write_table(table, tmp_path / "t.parquet")
    options = SourceOptions(images=tmp_path / "images")
    found = check_source(SOURCE, tmp_path / "t.parquet", options).items
    assert [item.name for item in found] == [
        "x/1.png", "a.png", "3", "4", "5", "gone.png",
    ]  # fmt: skip
    assert [read_location(item.image) for item in found[:2]] == [png(1), png(5)]
    assert found[2].fields["image_url"] == "https://example.org/b.png"
    assert [item.image for item in found[2:]] == [None] * 4
    assert "row 4: no image in the cell" in found[3].notes[0][1]
    assert "row 6: no image 'gone.png'" in found[5].notes[0][1]


def test_a_damaged_shard_costs_only_itself(tmp_path):
    table = pa.table({"image": cells(1), "label": ["copepod"]})
    pq.write_table(table, tmp_path / "train-00000-of-00002.parquet")
    (tmp_path / "train-00001-of-00002.parquet").write_bytes(b"PAR1 cut")
    good, bad = check_source(SOURCE, tmp_path).items
    assert good.fields["written_label"] == "copepod"
    assert "train-00001-of-00002.parquet: not Parquet" in bad.error
    pq.write_table(pa.table({"a": [1]}), tmp_path / "plain.parquet")
    with pytest.raises(SourceError, match=r"plain\.parquet: no column of images; it has a\. Use"):
        list(SOURCE.read(tmp_path / "plain.parquet", SourceOptions()))
