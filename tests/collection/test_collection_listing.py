"""Listings: what is written quickly by hand is what the JSON library writes, to the byte."""

import json

import pyarrow.parquet as pq
import pytest

from holotype.collection.listing import Job, list_input, listed_items
from holotype.collection.sources.item import SourceOptions
from holotype.media.location_text import written_location
from holotype.media.locations import FileAt

NAMES = ["plain", 'quoted "twice" \\ here', "tab\there", "bell\x07", "é漢字\U0001f990", ""]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_written_as_json_writes_it(name):
    plain = {"kind": "file", "path": f"/{name}.png"}
    found = written_location(FileAt(f"/{name}.png"))
    assert found == json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def test_a_path_that_is_no_utf_8_is_written_in_ascii():
    assert written_location(FileAt("/\udcff")) == '{"kind":"file","path":"/\\udcff"}'


def test_fields_are_written_as_json_writes_them(tmp_path):
    labels = [name.replace("\\", "-") for name in NAMES if name]  # a backslash parts folders
    for label in labels:
        (tmp_path / "crops" / label).mkdir(parents=True)
        (tmp_path / "crops" / label / "1.png").write_bytes(b"x")
    job = Job("image-folder", tmp_path / "crops", "crops", SourceOptions())
    (chunk,) = list_input(job, tmp_path / "listing")
    written = pq.read_table(chunk)["fields"].to_pylist()
    expected = [json.dumps({"written_label": one}, ensure_ascii=False) for one in labels]
    assert sorted(written) == sorted(expected)
    assert {item.fields["written_label"] for item in listed_items(chunk)} == set(labels)
