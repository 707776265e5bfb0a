"""Folders, zips and tars: every member accounted for, nothing unsafe read."""

import io
import os
import tarfile
import zipfile

import pytest

from holotype.errors import MediaError, SourceError
from holotype.media.members import is_archive, members

CONTENT = {
    "a/b/deep/1.png": b"one",
    "a/2.JPG": b"two",
    "top.txt": b"three",
    "a/empty.png": b"",
    "a/ümläut ñ.png": b"four",
}
JUNK = {
    "__MACOSX/a/._2.jpg": b"x",
    "a/._1.png": b"x",
    "a/.DS_Store": b"x",
    "a/Thumbs.db": b"x",
    "desktop.ini": b"x",
}
ESCAPING = {
    "../outside.png": b"x",
    "a/../../outside.png": b"x",
    "/etc/shadow.png": b"x",
    "..\\outside.png": b"x",
    "C:\\windows\\outside.png": b"x",
}


def make_zip(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", b"")
        for name, body in content.items():
            archive.writestr(name, body)
    return path


def make_tar(path, content, mode="w"):
    with tarfile.open(path, mode) as archive:
        folder = tarfile.TarInfo("a")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, body in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return path


def make_folder(path, content):
    for name, body in content.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(body)
    return path


def all_read(path):
    found = {}
    for member in members(path):
        assert member.name not in found
        found[member.name] = member.skip_reason or member.read()
    return found


@pytest.mark.parametrize(
    "kind", ["folder", "x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz"]
)
def test_every_container_gives_the_same_members(tmp_path, kind):
    path = tmp_path / kind
    content = CONTENT | JUNK
    if kind == "folder":
        make_folder(path, content)
    elif kind == "x.zip":
        make_zip(path, content)
    else:
        make_tar(path, content, {"gz": "w:gz", "bz2": "w:bz2", "xz": "w:xz", "tgz": "w:gz"}.get(
            kind.rpartition(".")[2], "w"))  # fmt: skip
    expected = CONTENT | dict.fromkeys(JUNK, "left by an operating system")
    assert all_read(path) == expected


def test_folders_are_read_in_a_fixed_order(tmp_path):
    make_folder(tmp_path, {"b/2.png": b"", "b/1.png": b"", "a/z.png": b"", "c.png": b""})
    names = [member.name for member in members(tmp_path)]
    assert names == ["c.png", "a/z.png", "b/1.png", "b/2.png"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_paths_that_climb_out_are_told_and_never_read(tmp_path, make):
    path = make(tmp_path / ("x.zip" if make is make_zip else "x.tar"), ESCAPING | CONTENT)
    found = all_read(path)
    assert len(found) == len(ESCAPING) + len(CONTENT)
    reasons = {name: value for name, value in found.items() if isinstance(value, str)}
    assert set(reasons) == set(ESCAPING)
    assert set(reasons.values()) == {"a path that leaves the archive"}
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name]


def test_links_and_devices_of_a_tar_are_never_followed(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, kind, target in (
            ("soft.png", tarfile.SYMTYPE, str(secret)),
            ("hard.png", tarfile.LNKTYPE, "../secret.png"),
            ("null.png", tarfile.CHRTYPE, ""),
            ("pipe.png", tarfile.FIFOTYPE, ""),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
    assert all_read(tmp_path / "x.tar") == dict.fromkeys(
        ("soft.png", "hard.png", "null.png", "pipe.png"), "a link or device"
    )


def test_links_of_a_folder_are_never_followed(tmp_path):
    make_folder(tmp_path / "in", {"1.png": b"one"})
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "in" / "2.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    found = all_read(tmp_path / "in")
    assert found == {"1.png": b"one", "2.png": "a link", "loop": "a link"}


def test_encrypted_members_are_told(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a.png": b"aaa", "b.png": b"bbb"})
    content = bytearray(path.read_bytes())
    central = content.rindex(b"PK\x01\x02")  # the last entry of the central directory: b.png
    content[central + 8] |= 1  # bit 0 of the flags: encrypted
    path.write_bytes(bytes(content))
    assert all_read(path) == {"a.png": b"aaa", "b.png": "encrypted"}


def test_a_member_that_unpacks_too_large_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("holotype.media.members.MAX_MEMBER_BYTES", 1000)
    body = {"big.png": b"0" * 1001, "fits.png": b"0" * 1000}
    for path in (make_zip(tmp_path / "x.zip", body), make_tar(tmp_path / "x.tar", body)):
        assert all_read(path) == {"big.png": "1,001 bytes unpacked", "fits.png": b"0" * 1000}


def test_a_member_without_a_name_is_skipped(tmp_path):
    path = make_zip(tmp_path / "x.zip", {".": b"x", "a.png": b"a"})
    assert all_read(path) == {".": "no name", "a.png": b"a"}


def test_one_damaged_member_does_not_cost_the_others(tmp_path):
    bodies = {f"{i}.png": os.urandom(200) + b"0" * 400 for i in range(3)}
    path = make_zip(tmp_path / "x.zip", bodies)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("1.png").header_offset
    content = bytearray(path.read_bytes())
    content[start + 60 : start + 120] = b"\xff" * 60
    path.write_bytes(bytes(content))
    found = {}
    for member in members(path):
        try:
            found[member.name] = member.read()
        except MediaError as reason:
            found[member.name] = str(reason)
    assert found["0.png"] == bodies["0.png"]
    assert found["2.png"] == bodies["2.png"]
    assert found["1.png"].startswith("damaged in the archive: ")


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_a_file_that_is_no_archive_is_a_source_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is text\n" * 80)
    with pytest.raises(
        SourceError, match=rf"{name}: not a whole (zip|tar) \(.+\)\. Fetch it again"
    ):
        list(members(tmp_path / name))


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_a_cut_archive_is_an_error_of_ours_never_silence(tmp_path, name):
    content = {f"{i}.png": os.urandom(3000) for i in range(4)}
    make = make_zip if name == "x.zip" else make_tar
    path = make(tmp_path / name, content, *(["w:gz"] if name.endswith("gz") else []))
    path.write_bytes(path.read_bytes()[:7000])

    def read_all():
        return [member.read() for member in members(path)]

    with pytest.raises((SourceError, MediaError)):
        read_all()


def test_missing_path(tmp_path):
    with pytest.raises(SourceError, match="no such file or folder"):
        list(members(tmp_path / "none.zip"))


def test_a_single_file_is_its_own_member(tmp_path):
    (tmp_path / "crop.PNG").write_bytes(b"x")
    (member,) = members(tmp_path / "crop.PNG")
    assert (member.name, member.suffix, member.skip_reason) == ("crop.PNG", ".png", None)
    assert member.read() == b"x"


def test_is_archive_goes_by_the_whole_ending(tmp_path):
    names = ["a.zip", "a.TAR", "a.tar.gz", "a.tgz", "a.zip.txt", "a.gz", "zip"]
    assert [is_archive(tmp_path / name) for name in names] == [True] * 4 + [False] * 3


@pytest.mark.real
def test_the_real_archive_is_read_whole(real_data):
    path = real_data / "plankton" / "isiis" / "planktonset1.zip"
    found = list(members(path))
    assert len(found) == 18_200
    assert not [member for member in found if member.skip_reason]
