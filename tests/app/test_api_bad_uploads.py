"""Whatever is sent: a reason for each file, the good ones answered, never a fault of the server."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from api_asking import Asking, api, problem
from PIL import Image

from holotype.app.settings import ServeSettings
from holotype.app.workbench import Workbench

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def ask(tiny_run, tmp_path_factory):
    settings = ServeSettings(
        requests_per_minute=1_000_000,
        max_files=50,
        max_upload_bytes=8 << 20,
        max_pixels=1_000_000,
        max_members=100,
        max_unpacked_bytes=64 << 20,
        request_seconds=30,
    )
    workspace = tmp_path_factory.mktemp("workspace")
    workbench = Workbench.open(str(tiny_run), settings=settings, workspace=workspace)
    yield Asking(api(workbench))
    assert not list((workspace / "uploads").iterdir())
    workbench.close()


def good(noise=20):
    handle = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (noise, noise), dtype=np.uint8)
    Image.fromarray(pixels).save(handle, "PNG")
    return handle.getvalue()


def bomb_png():
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(4_000_000)))
    return b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")


def zipped(*members):
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return handle.getvalue()


def linked_tar():
    handle = io.BytesIO()
    with tarfile.open(fileobj=handle, mode="w:gz") as archive:
        for name in ("link.png", "hard.png"):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.SYMTYPE if name == "link.png" else tarfile.LNKTYPE
            entry.linkname = "/etc/hostname"
            archive.addfile(entry)
    return handle.getvalue()


def quine():
    """A zip in a zip in a zip ..."""
    content = zipped(("a.png", good()))
    for _ in range(6):
        content = zipped(("deeper.zip", content))
    return content


BAD = {
    "bomb.png": bomb_png(),
    "bomb.zip": zipped(("a.png", bytes(60 << 20))),
    "bomb.tar.gz": gzip.compress(bytes(300 << 20), 9),
    "bomb.fasta.gz": gzip.compress(b"A" * (300 << 20), 9),
    "nested.zip": quine(),
    "many.zip": zipped(*((f"{number}.png", b"") for number in range(5_000))),
    "links.tar.gz": linked_tar(),
    "escape.zip": zipped(("../../up.png", good())),
    "cut.png": good(noise=200)[:-9_000],
    "cut.zip": zipped(("a.png", good()))[:-10],
    "wrong.png": b"<html>no image</html>",
    "wrong.zip": b"no zip",
    "latin.fasta": b">copep\xf6d\nACGT\xff\n",
    "nul.csv": b"record_id,barcode\n\0\0,\0\n",
    "only-header.csv": b"record_id,barcode\n",
    "long-line.csv": b"record_id,barcode\nx," + b"A" * 3_000_000 + b"\n",
    "program.exe": b"MZ",
    "page.svg": b"<svg onload='x()'/>",
    "empty.png": b"",
    "../../../../etc/passwd": b"root:x:0:0",
    "con.fasta": b"",
    "notes.fasta": b"just words, no sequence",
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_file_has_a_reason_and_the_good_one_beside_it_is_answered(ask, name):
    files = [("files", (name, BAD[name])), ("files", ("good.png", good()))]
    reply = ask("POST", "/identify/images", files=files)
    assert reply.status_code == 200, reply.text
    said = reply.json()
    answers = {row["input"]: row for row in said["answers"]}
    assert answers["good.png"]["failure"] is None
    reasons = [one["reason"] for one in said["refused"]]
    reasons += [row["failure"] for row in said["answers"] if row["failure"]]
    assert reasons, said
    assert not [reason for reason in reasons if "upload-" in reason or "workspace" in reason]


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_file_alone_is_4xx_or_a_failed_row(ask, name):
    reply = ask("POST", "/identify/images", files=[("files", (name, BAD[name]))])
    if reply.status_code == 200:
        assert {row["decision"] for row in reply.json()["answers"]} == {"failed"}
    else:
        assert reply.status_code == 422
        assert "upload-" not in problem(reply)["what"]


def test_many_files_are_stored_and_answered_in_order(ask, monkeypatch):
    monkeypatch.setattr("holotype.app.upload_stream.ALL_IN_MEMORY", 3 << 20)
    noisy = good(noise=900)
    assert len(noisy) > 700_000
    files = [("files", (f"{n}.png", noisy if n < 9 else good(noise=20 + n))) for n in range(40)]
    said = ask("POST", "/identify/images", files=files).json()
    assert [row["input"] for row in said["answers"]] == [f"{n}.png" for n in range(40)]
    assert [row["image_width_px"] for row in said["answers"]] == [900] * 9 + list(range(29, 60))


def test_more_archives_at_a_time_than_are_unpacked_at_a_time_are_all_answered(ask):
    packed = zipped(*((f"{n}.png", good(noise=10 + n)) for n in range(5)))
    files = {"files": [("files", ("a.zip", packed))]}
    replies = ask.all([("POST", "/identify/images", files) for _ in range(20)])
    assert [len(reply.json()["answers"]) for reply in replies] == [5] * 20


def test_ten_thousand_files_are_too_many(ask):
    files = [("files", (f"{number}.png", b"x")) for number in range(10_000)]
    reply = ask("POST", "/identify/images", files=files)
    assert reply.status_code == 413
    assert "more than 50 files" in problem(reply)["what"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data; boundary=b"), (b"--b\r\n", "multipart/form-data; boundary=b"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"), (b"junk", "multipart/form-data; boundary=b"),
        (b"x", "multipart/form-data"), (b"x", "text/plain"), (b"{}", "application/json"),
        (b"x", "multipart/form-data; boundary=" + "b" * 5_000), (b"x", "multipart/mixed; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nabc',
         "multipart/form-data; boundary=b"),
        (b"--b\r\n" + b"X-H: y\r\n" * 5_000 + b"\r\nabc\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="elsewhere"; filename="a.png"\r\n\r\nabc\r\n--b--\r\n',
         "multipart/form-data; boundary=b"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/identify/images", "/identify/specimens", "/embed/images"])
def test_a_body_that_is_no_form_is_4xx(ask, path, content, kind):
    reply = ask("POST", path, content=content, headers={"Content-Type": kind})
    assert 400 <= reply.status_code < 500, reply.text
    assert problem(reply)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"null", b"NaN", b"[]", b"{}", b'{"barcodes": NaN}', b'{"barcodes": []}', b"[" * 200_000,
        b'{"a":' * 50_000, b"\xff\xfe{}", b'{"barcodes": [{"id": "a", "sequence": 1e999}]}',
        b'{"barcodes": [{"id": "a", "sequence": "ACGT", "more": 1}]}', b'{"barcodes": [{"id": "a"}]}',
        b'{"barcodes": [{"id": "", "sequence": "ACGT"}]}', '{"barcodes": "é"}'.encode("utf-16"),
        b'{"barcodes": [{"id": "a", "sequence": "' + b"A" * 50_000 + b'"}]}',
        b'{"barcodes": [' + b'{"id": "a", "sequence": "A"},' * 10_001 + b'{"id": "a", "sequence": "A"}]}',
        b'{"barcodes": [{"id": "a", "sequence": "AC\\ud800GT"}]}', b"1" * 100_000,
    ],
)  # fmt: skip
def test_json_that_makes_no_sense_is_4xx(ask, content):
    reply = ask("POST", "/identify/barcodes", content=content, headers=JSON)
    if reply.status_code == 200:  # one barcode that is none
        assert [row["decision"] for row in reply.json()["answers"]] == ["failed"]
        return
    assert 400 <= reply.status_code < 500
    assert problem(reply)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_json_must_be_said_to_be_json(ask, kind):
    content = b'{"barcodes": [{"id": "a", "sequence": "ACGT"}]}'
    reply = ask("POST", "/identify/barcodes", content=content, headers={"Content-Type": kind})
    assert reply.status_code == 415
    assert "application/json" in problem(reply)["remedy"]


@pytest.mark.parametrize(
    "content", [b'{"barcodes": [{"id": "a", "sequence": "ACGT', b"{", b"[1,]", b"\xff\xfe{}"]
)
@pytest.mark.parametrize("kind", ["application/json", "application/problem+json; charset=utf-8"])
def test_json_that_is_not_whole_is_400(ask, content, kind):
    reply = ask("POST", "/identify/barcodes", content=content, headers={"Content-Type": kind})
    assert reply.status_code == 400
    assert problem(reply)


PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (PART + b"abc", "multipart/form-data; boundary=b", 400),
        (PART + b"abc\r\n--b\r\n", "multipart/form-data; boundary=b", 400),
        (b"no form", "multipart/form-data; boundary=b", 400),
        (b"", "multipart/form-data; boundary=b", 400),
        (PART + b"abc\r\n--b--\r\n", "multipart/form-data", 400),
        (PART + b"abc\r\n--b--\r\n", "text/plain", 415),
        (b"files=abc", "application/x-www-form-urlencoded", 415),
        (PART + b"abc\r\n--b--\r\n", "multipart/form-data; boundary=b", 200),
    ],
)
@pytest.mark.parametrize("path", ["/identify/images", "/embed/images"])
def test_a_form_is_whole_and_says_that_it_is_one(ask, path, content, kind, status):
    reply = ask("POST", path, content=content, headers={"Content-Type": kind})
    assert reply.status_code == status
    assert status == 200 or problem(reply)


def test_names_come_back_as_text(ask):
    name = "<img src=x onerror=alert(1)>.png"
    said = ask("POST", "/identify/images", files=[("files", (name, good()))])
    assert said.headers["content-type"] == "application/json"
    assert "<img" not in said.json()["answers"][0]["input"]
    sent = {"barcodes": [{"id": "=cmd|'/c calc'!A1", "sequence": "ACGTTGCA" * 30}]}
    text = ask("POST", "/identify/barcodes?format=csv", json=sent).text
    assert "\n=cmd" not in text
