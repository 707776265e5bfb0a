"""The commands on sources: what they print, what they return, when they fail."""

import json
from dataclasses import asdict

import pytest
from hostile_host import good, page, status
from typer.main import get_command

from holotype.cli.options import Result
from holotype.cli.sources import app
from holotype.errors import SourceError

OWN = """
name = "lab"
title = "Crops"
kind = "images"
how = "{how}"
page = "{base}/about"
citation = "The laboratory (2026)"
instructions = "Ask for a.zip."
[[licences]]
of = "images"
written = "CC BY 4.0"
stated_at = "README"
[[files]]
name = "a.zip"
urls = ["{base}/a.zip"]
[layout]
reads_as = "image-folder"
"""


def run(*words: object) -> Result:
    return get_command(app).main([str(word) for word in words], standalone_mode=False)


@pytest.fixture
def own(hostile, tmp_path):
    path = tmp_path / "lab.toml"
    path.write_text(OWN.format(how="direct", base=hostile.base))
    return path


def test_the_list_is_a_table():
    lines = run("list").text.splitlines()
    assert lines[0].split() == [
        "name",
        "kind",
        "images",
        "classes",
        "licence",
        "instrument",
        "size",
        "how",
    ]
    (row,) = [line for line in lines if line.startswith("zoolake ")]
    assert row.split() == [
        "zoolake",
        "images",
        "17,942",
        "35",
        "CC0-1.0",
        "DSPC",
        "492.0",
        "MB",
        "direct",
    ]
    json.dumps(asdict(run("list", "--json").report))


def test_a_source_is_shown_with_its_traps():
    text = run("show", "whoi").text
    assert "licence of the images: not stated" in text
    assert "licence of the code: MIT" in text
    assert "L22/current/TOOL1588" in text
    assert text.count("file: ") == 9
    with pytest.raises(SourceError, match="Did you mean 'whoi'"):
        run("show", "whio")


def test_a_check_counts_what_failed(own, hostile, archive):
    hostile.at("/a.zip", good(archive))
    assert run("check", "lab", "--catalogue", own).failures == 0
    hostile.at("/a.zip", status(404))
    result = run("check", "lab", "--catalogue", own)
    assert (result.failures, "not available" in result.text) == (1, True)
    with pytest.raises(SourceError, match="or say --all"):
        run("check")
    with pytest.raises(SourceError, match="or say --all"):
        run("check", "lab", "--all", "--catalogue", own)


def test_get_prints_the_next_command(own, hostile, archive, tmp_path):
    hostile.at("/a.zip", good(archive))
    result = run("get", "lab", "--into", tmp_path, "--catalogue", own, "--max-bytes", "1MB")
    assert f"next: holotype import image-folder {tmp_path}/lab/a.zip" in result.text
    assert "cite: The laboratory (2026)" in result.text
    assert not result.to_mend
    with pytest.raises(SourceError, match="over the limit"):
        run("get", "lab", "--into", tmp_path / "x", "--catalogue", own, "--max-bytes", "1kB")
    with pytest.raises(SourceError, match="write it as FILE=URL"):
        run("get", "lab", "--into", tmp_path / "x", "--catalogue", own, "--url", "a.zip")


def test_what_a_person_has_to_do_is_said(own, hostile, tmp_path):
    own.write_text(OWN.format(how="manual", base=hostile.base))
    result = run("get", "lab", "--into", tmp_path, "--catalogue", own)
    assert (result.to_mend, "Ask for a.zip." in result.text) == (True, True)
    hostile.at("/about", page())
    assert run("check", "lab", "--catalogue", own).failures == 0
