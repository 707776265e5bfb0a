"""Whole sources: the manifest is written last, broken runs are gone on with, checks fetch nothing."""

import hashlib
import json
import multiprocessing
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from hostile_host import always, cut, good, in_turn, page, send, slow, status

from holotype.catalogue.check import check_sources
from holotype.catalogue.fetched import FolderState, folder_state, locked, read_fetched
from holotype.catalogue.get import get_source
from holotype.catalogue.get_report import Outcome
from holotype.catalogue.probe import Availability
from holotype.errors import SourceError

HEAD = """
name = "lab"
title = "A laboratory's crops"
kind = "images"
how = "{how}"
page = "{base}/about"
citation = "The laboratory (2026)"
{more}
[[licences]]
of = "images"
written = "CC BY-NC 4.0"
stated_at = "README"
[layout]
reads_as = "image-folder"
class_root = "dataset/<class>/*"
"""


def write_catalogue(folder, hostile, *files, how="direct", more=""):
    """Writes the file of one source; each file is (name, paths, further lines)."""
    text = HEAD.format(base=hostile.base, how=how, more=more)
    for name, paths, lines in files:
        urls = ", ".join(f'"{hostile.base}{path}"' for path in paths)
        text += f'[[files]]\nname = "{name}"\nurls = [{urls}]\n{lines}\n'
    path = folder / "lab.toml"
    path.write_text(text)
    return [path]


@pytest.fixture
def lab(hostile, archive, tmp_path):
    """A source of two files at a good host; returns its catalogue."""
    hostile.at("/a.zip", good(archive))
    hostile.at("/b.tsv", good(b"id\tname\n1\tAcartia\n"))
    sha = hashlib.sha256(archive).hexdigest()
    return write_catalogue(
        tmp_path, hostile,
        ("a.zip", ["/a.zip"], f'sha256 = "{sha}"'), ("b.tsv", ["/b.tsv"], ""),
    )  # fmt: skip


def test_a_source_comes_whole_and_says_what_next(lab, hostile, archive, quick, tmp_path):
    report = get_source("lab", tmp_path / "got", catalogue=lab, settings=quick)
    folder = tmp_path / "got" / "lab"
    assert report.outcome is Outcome.FETCHED
    assert report.came_bytes == report.bytes == len(archive) + 18
    assert report.next_command == (
        f"holotype import image-folder {folder}/a.zip {folder}/b.tsv --into lab-collection "
        "--source lab --inside dataset"
    )
    manifest = json.loads((folder / "fetched.json").read_text())
    assert (manifest["format"], manifest["version"]) == ("holotype-fetched", 1)
    assert manifest["licences"][0]["id"] == "CC-BY-NC-4.0"
    assert manifest["citation"] == "The laboratory (2026)"
    first = manifest["files"][0]
    assert (first["url"], first["bytes"]) == (hostile.base + "/a.zip", len(archive))
    assert first["sha256"] == hashlib.sha256(archive).hexdigest()
    assert sorted(p.name for p in folder.iterdir()) == [
        ".fetching.lock", "a.zip", "b.tsv", "fetched.json",
    ]  # fmt: skip


def test_a_complete_source_asks_nothing_of_the_network(lab, hostile, quick, tmp_path):
    get_source("lab", tmp_path, catalogue=lab, settings=quick)
    hostile.asked.clear()
    again = get_source("lab", tmp_path, catalogue=lab, settings=quick)
    assert (again.outcome, again.came_bytes, hostile.asked) == (Outcome.COMPLETE, 0, [])


@pytest.mark.parametrize("damage", ["other bytes", "cut", "gone"])
def test_a_damaged_file_is_fetched_again_and_only_that(
    lab, hostile, archive, quick, tmp_path, damage
):
    get_source("lab", tmp_path, catalogue=lab, settings=quick)
    path = tmp_path / "lab" / "a.zip"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(archive[:-1] + (b"!" if damage == "other bytes" else b""))
    hostile.asked.clear()
    report = get_source("lab", tmp_path, catalogue=lab, settings=quick)
    assert (report.outcome, report.came_bytes) == (Outcome.FETCHED, len(archive))
    assert [place for _, place, _ in hostile.asked] == ["/a.zip"]
    assert path.read_bytes() == archive


def test_while_a_damaged_file_is_missing_there_is_no_manifest(lab, hostile, quick, tmp_path):
    get_source("lab", tmp_path, catalogue=lab, settings=quick)
    (tmp_path / "lab" / "a.zip").unlink()
    hostile.at("/a.zip", status(404))
    with pytest.raises(SourceError, match="404"):
        get_source("lab", tmp_path, catalogue=lab, settings=quick)
    assert folder_state(tmp_path / "lab") is FolderState.UNFINISHED


def test_a_folder_with_files_is_not_complete(lab, archive, quick, tmp_path):
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "a.zip").write_bytes(archive[:1000])
    (folder / "notes.txt").write_text("mine")
    assert folder_state(folder) is FolderState.ABSENT
    with pytest.raises(SourceError, match=r"a\.zip: a file is here that was not fetched"):
        get_source("lab", tmp_path, catalogue=lab, settings=quick)
    (folder / "a.zip").write_bytes(archive)  # its checksum is in the catalogue: it is taken
    (folder / "b.tsv").write_text("who knows")
    with pytest.raises(SourceError, match="neither its size nor its checksum"):
        get_source("lab", tmp_path, catalogue=lab, settings=quick)
    (folder / "b.tsv").unlink()
    report = get_source("lab", tmp_path, catalogue=lab, settings=quick)
    assert [row.url is None for row in report.files] == [True, False]
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_a_broken_run_had_finished_is_kept(lab, hostile, archive, quick, tmp_path):
    content = b"id\tname\n1\tAcartia\n"
    hostile.at("/b.tsv", cut(content, 5, then=status(500)))
    with pytest.raises(SourceError, match=r"b\.tsv could not be fetched.*What has come is kept"):
        get_source("lab", tmp_path, catalogue=lab, settings=quick)
    folder = tmp_path / "lab"
    assert folder_state(folder) is FolderState.UNFINISHED
    assert read_fetched(folder) is None
    hostile.at("/b.tsv", good(content))
    hostile.asked.clear()
    report = get_source("lab", tmp_path, catalogue=lab, settings=quick)
    assert {place for _, place, _ in hostile.asked} == {"/b.tsv"}
    assert report.outcome is Outcome.FETCHED
    assert folder_state(folder) is FolderState.COMPLETE
    assert not (folder / "fetching.json").exists()


def test_optional_files_come_when_they_are_named(hostile, archive, quick, tmp_path):
    hostile.at("/a.zip", good(archive))
    hostile.at("/big.zip", good(archive))
    own = write_catalogue(
        tmp_path, hostile, ("a.zip", ["/a.zip"], ""), ("big.zip", ["/big.zip"], "optional = true")
    )
    report = get_source("lab", tmp_path, catalogue=own, settings=quick)
    assert [row.file for row in report.files] == ["a.zip"]
    report = get_source("lab", tmp_path, catalogue=own, files=["big.zip"], settings=quick)
    assert [row.file for row in report.files] == ["a.zip", "big.zip"]
    with pytest.raises(SourceError, match=r"no file 'bgi\.zip'. Did you mean 'big\.zip'"):
        get_source("lab", tmp_path, catalogue=own, files=["bgi.zip"], settings=quick)


def test_mirrors_and_other_addresses(hostile, archive, quick, tmp_path):
    hostile.at("/1.zip", status(404))
    hostile.at("/2.zip", good(archive))
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/1.zip", "/2.zip"], ""))
    with pytest.raises(SourceError, match="404"):
        get_source("lab", tmp_path / "1", catalogue=own, mirror=1, settings=quick)
    get_source("lab", tmp_path / "2", catalogue=own, mirror=2, settings=quick)
    assert len(hostile.gets("/1.zip")) == 1
    with pytest.raises(SourceError, match=r"--mirror 3: a\.zip of lab has 2"):
        get_source("lab", tmp_path / "3", catalogue=own, mirror=3, settings=quick)
    elsewhere = {"a.zip": hostile.base + "/2.zip"}
    report = get_source("lab", tmp_path / "4", catalogue=own, urls=elsewhere, settings=quick)
    assert report.files[0].url == hostile.base + "/2.zip"
    with pytest.raises(SourceError, match="is no http"):
        get_source(
            "lab", tmp_path / "5", catalogue=own, urls={"a.zip": "file:///x"}, settings=quick
        )


def test_the_limit_is_of_the_whole_run(hostile, archive, quick, tmp_path):
    hostile.at("/a.zip", good(archive))
    files = [(f"{n}.zip", ["/a.zip"], "") for n in "ab"]
    own = write_catalogue(tmp_path, hostile, *files)
    with pytest.raises(SourceError, match=r"b\.zip: at least .* over the limit"):
        get_source("lab", tmp_path, catalogue=own, max_bytes=len(archive) + 10, settings=quick)
    told = [(name, paths, f"bytes = {len(archive)}") for name, paths, _ in files]
    own = write_catalogue(tmp_path, hostile, *told)
    hostile.asked.clear()
    with pytest.raises(SourceError, match="over the limit"):
        get_source("lab", tmp_path / "x", catalogue=own, max_bytes=len(archive), settings=quick)
    assert hostile.asked == []  # known beforehand


def _hold(folder, ready, done):
    with locked(folder):
        ready.set()
        done.wait(20)


def test_two_processes_do_not_fetch_into_one_folder(lab, quick, tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "lab", ready, done))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(SourceError, match="another process is fetching into this folder"):
            get_source("lab", tmp_path, catalogue=lab, settings=quick)
    finally:
        done.set()
        other.join()
    # It let go when it ended.
    assert get_source("lab", tmp_path, catalogue=lab, settings=quick).outcome is Outcome.FETCHED


def test_a_killed_process_leaves_what_can_be_gone_on_with(hostile, archive, quick, tmp_path):
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/a.zip"], ""))
    hostile.at("/a.zip", in_turn(slow(archive, 8, 0.15), good(archive)))
    code = textwrap.dedent(f"""
        from pathlib import Path
        from holotype.catalogue.get import get_source
        get_source("lab", {str(tmp_path)!r}, catalogue=[Path({str(own[0])!r})])
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    part = tmp_path / "lab" / "a.zip.part"
    deadline = time.monotonic() + 20
    while not (part.is_file() and part.stat().st_size > 5_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert folder_state(tmp_path / "lab") is FolderState.UNFINISHED
    come = part.stat().st_size
    assert get_source("lab", tmp_path, catalogue=own, settings=quick).outcome is Outcome.FETCHED
    assert hostile.gets("/a.zip")[-1]["range"] == f"bytes={come}-"
    assert (tmp_path / "lab" / "a.zip").read_bytes() == archive


def test_a_source_that_a_person_fetches(hostile, archive, quick, tmp_path):
    own = write_catalogue(tmp_path, hostile, how="manual", more='instructions = "Ask for a.zip."\n')
    own[0].write_text(own[0].read_text() + '[[files]]\nname = "a.zip"\n')
    report = get_source("lab", tmp_path, catalogue=own, settings=quick)
    assert (report.outcome, report.instructions) == (Outcome.BY_HAND, "Ask for a.zip.")
    assert report.next_command is None
    folder = tmp_path / "lab"
    (folder / "a.zip").write_bytes(archive[:-30])
    with pytest.raises(SourceError, match="cut off or damaged"):
        get_source("lab", tmp_path, catalogue=own, settings=quick)
    (folder / "a.zip").write_bytes(archive)
    report = get_source("lab", tmp_path, catalogue=own, settings=quick)
    assert (report.outcome, report.files[0].url) == (Outcome.COMPLETE, None)
    assert folder_state(folder) is FolderState.COMPLETE
    assert hostile.asked == []


def test_a_package_that_is_made_on_demand(hostile, archive, quick, waits, tmp_path):
    """Fairdata: no package, ask for one, wait, and an address that works once, cut the first time."""
    sha, tokens = hashlib.sha256(archive).hexdigest(), []
    ready = {
        "package": "p.zip", "size": len(archive), "checksum": f"sha256:{sha}", "status": "SUCCESS",
    }  # fmt: skip
    answers = [{}, {"status": "accepted"}, {**ready, "status": "PENDING"}, ready]
    hostile.at(
        "/api/requests", in_turn(*(always(200, json.dumps(row).encode()) for row in answers))
    )

    def authorize(handler):
        tokens.append(f"/once/{len(tokens)}")
        first = len(tokens) == 1
        hostile.at(tokens[-1], in_turn(cut(archive, 9000) if first else good(archive), status(404)))
        send(handler, 200, json.dumps({"url": hostile.base + tokens[-1]}).encode())

    hostile.at("/api/authorize", authorize)
    more = f'[on_demand]\ndataset = "x-1"\napi = "{hostile.base}/api"\n'
    own = write_catalogue(tmp_path, hostile, how="on_demand", more=more)
    own[0].write_text(own[0].read_text() + '[[files]]\nname = "package.zip"\n')
    report = get_source("lab", tmp_path, catalogue=own, settings=quick)
    assert report.files[0].verified == ("size", "sha256")
    assert tokens == ["/once/0", "/once/1"]
    assert hostile.gets("/once/1")[0]["range"] == "bytes=9000-"
    assert waits.slept.count(0.5) == 2  # asked twice whether it is ready
    assert [method for method, place, _ in hostile.asked if place == "/api/requests"] == [
        "GET", "POST", "GET", "GET",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("requests", "authorize", "told"),
    [
        (always(200, b"{}"), status(404), "not ready after 2 s"),
        (status(404), status(404), "404"),
        (always(200, b"<html>"), status(404), "no JSON"),
        (always(200, b'{"package": "p", "status": "SUCCESS"}'), always(200, b"{}"), "no address"),
    ],
)
def test_a_package_that_cannot_be_had_is_told(hostile, quick, tmp_path, requests, authorize, told):
    hostile.at("/api/requests", requests)
    hostile.at("/api/authorize", authorize)
    more = f'instructions = "By hand."\n[on_demand]\ndataset = "x"\napi = "{hostile.base}/api"\n'
    own = write_catalogue(tmp_path, hostile, how="on_demand", more=more)
    own[0].write_text(own[0].read_text() + '[[files]]\nname = "package.zip"\n')
    with pytest.raises(SourceError, match=told):
        get_source("lab", tmp_path, catalogue=own, settings=quick)


def test_a_data_set_of_the_hub(hostile, archive, quick, tmp_path):
    sha = hashlib.sha256(archive).hexdigest()
    first = [
        {"type": "directory", "path": "dataset"},
        {"type": "file", "path": "README.md", "size": 5},
        {"type": "file", "path": "dataset/a b.zip", "size": len(archive), "lfs": {"oid": sha}},
    ]
    second = [{"type": "file", "path": "dataset/c.csv", "size": 4}]
    link = f'<{hostile.base}/more>; rel="next"'
    place = "/api/datasets/me/set/tree/main"
    hostile.at(place, always(200, json.dumps(first).encode(), link=link))
    hostile.at("/more", always(200, json.dumps(second).encode()))
    hostile.at("/datasets/me/set/resolve/main/dataset/a%20b.zip", good(archive))
    hostile.at("/datasets/me/set/resolve/main/dataset/c.csv", good(b"a,b\n"))
    more = f'[hub]\ndataset = "me/set"\nendpoint = "{hostile.base}"\nonly = ["dataset/*"]\n'
    own = write_catalogue(tmp_path, hostile, how="hub", more=more)
    report = get_source("lab", tmp_path, catalogue=own, settings=quick)
    assert {row.file: row.verified for row in report.files} == {
        "dataset/a b.zip": ("size", "sha256"), "dataset/c.csv": ("size",),
    }  # fmt: skip
    assert f"{tmp_path}/lab/dataset --into" in report.next_command
    hostile.asked.clear()
    again = get_source("lab", tmp_path, catalogue=own, settings=quick)
    assert (again.outcome, hostile.asked) == (Outcome.COMPLETE, [])


# Checks ---------------------------------------------------------------------------------------------


def one_check(own, settings, **more):
    (found,) = check_sources(["lab"], catalogue=own, settings=settings, **more).sources
    return found


def test_a_check_fetches_nothing_and_knows_the_size(lab, hostile, archive, quick, tmp_path):
    found = one_check(lab, quick, root=tmp_path / "not" / "there")
    assert found.state is Availability.AVAILABLE
    assert found.bytes == len(archive) + 18
    assert (found.room, found.folder) == (True, FolderState.ABSENT)
    assert {method for method, _, _ in hostile.asked} == {"HEAD"}
    assert not (tmp_path / "not").exists()
    get_source("lab", tmp_path, catalogue=lab, settings=quick)
    assert one_check(lab, quick, root=tmp_path).folder is FolderState.COMPLETE
    (tmp_path / "lab" / "b.tsv").write_text("")
    assert one_check(lab, quick, root=tmp_path).folder is FolderState.DAMAGED


def without_head(behaviour):
    def behave(handler):
        (status(405) if handler.command == "HEAD" else behaviour)(handler)

    return behave


def test_a_host_that_refuses_head_is_asked_for_the_first_bytes(hostile, archive, quick, tmp_path):
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/a.zip"], ""))
    hostile.at("/a.zip", without_head(good(archive)))
    found = one_check(own, quick)
    assert (found.state, found.bytes) == (Availability.AVAILABLE, len(archive))
    assert found.addresses[0].resumes is True
    assert hostile.gets("/a.zip")[0]["range"] == "bytes=0-1023"


@pytest.mark.parametrize(
    ("behaviour", "state", "told"),
    [
        (status(404), Availability.NOT_AVAILABLE, "404"),
        (status(410), Availability.NOT_AVAILABLE, "410"),
        (without_head(status(404)), Availability.NOT_AVAILABLE, "404"),
        (status(403), Availability.CHECK_FAILED, "403"),
        (status(503), Availability.CHECK_FAILED, "503"),
        (page(), Availability.CHECK_FAILED, "web page"),
        (page(content_type="application/zip"), Availability.CHECK_FAILED, "web page"),
    ],
)
def test_gone_is_told_from_not_known(hostile, quick, tmp_path, behaviour, state, told):
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/a.zip"], ""))
    hostile.at("/a.zip", without_head(behaviour))
    found = one_check(own, quick)
    assert (found.state, told in found.addresses[0].detail) == (state, True)


def test_a_host_that_cannot_be_reached_says_nothing_of_the_file(hostile, quick, tmp_path):
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/a.zip"], ""))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        text = own[0].read_text().replace(hostile.base, f"http://127.0.0.1:{port}")
        own[0].write_text(text)
        report = check_sources(["lab"], catalogue=own, settings=quick)
    assert (report.not_available, report.check_failed) == ((), ("lab",))


def test_one_mirror_is_enough_and_a_size_that_differs_is_told(hostile, archive, quick, tmp_path):
    hostile.at("/2.zip", good(archive))
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/1.zip", "/2.zip"], ""))
    found = one_check(own, quick)
    assert found.state is Availability.AVAILABLE
    assert [row.state for row in found.addresses] == ["not_available", "available"]
    hostile.at("/1.zip", status(503))
    assert one_check(own, quick).state is Availability.AVAILABLE
    hostile.at("/2.zip", status(404))
    assert one_check(own, quick).state is Availability.CHECK_FAILED
    hostile.at("/2.zip", good(archive))
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/2.zip"], "bytes = 12"))
    found = one_check(own, quick)
    assert found.state is Availability.CHECK_FAILED
    assert "the catalogue says 12" in found.addresses[0].detail


def test_the_page_of_a_source_that_a_person_fetches_is_checked(hostile, quick, tmp_path):
    own = write_catalogue(tmp_path, hostile, how="manual", more='instructions = "Ask."\n')
    assert one_check(own, quick).state is Availability.NOT_AVAILABLE
    hostile.at("/about", page())
    assert one_check(own, quick).state is Availability.AVAILABLE


def test_too_little_room_is_told(hostile, quick, tmp_path):
    own = write_catalogue(tmp_path, hostile, ("a.zip", ["/a.zip"], ""))
    hostile.at("/a.zip", always(200, b"", content_length=1 << 60))
    found = one_check(own, quick, root=tmp_path)
    assert (found.state, found.room) == (Availability.AVAILABLE, False)
