"""Folders, zips and tars: every member accounted for, nothing unsafe read."""

import io
import os
import struct
import tarfile
import warnings
import zipfile

import pytest

from holotype.errors import MediaError, SourceError
from holotype.media.location_text import parsed_location, written_location
from holotype.media.locations import read_location
from holotype.media.members import is_archive, members, nested_members

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


def bad_bzip2(path):
    """Returns a zip of three bzip2 members, the second of which is damaged."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for name in ("a.png", "b.png", "c.png"):
            archive.writestr(name, name.encode() * 100)
        start = archive.getinfo("b.png").header_offset + 30 + len("b.png")
    content = bytearray(path.read_bytes())
    content[start + 12 : start + 40] = bytes(28)
    path.write_bytes(bytes(content))
    return path


def with_method(path, name, method):
    """Sets the method that a zip gives for a member, in its header and directory."""
    content = bytearray(path.read_bytes())
    header = content.index(name.encode()) - 30
    directory = content.rindex(name.encode()) - 46
    for place in (header + 8, directory + 10):
        content[place : place + 2] = struct.pack("<H", method)
    path.write_bytes(bytes(content))
    return path


def test_a_damaged_bzip2_member_is_an_error_that_costs_no_other(tmp_path):
    found = {m.name: m for m in members(bad_bzip2(tmp_path / "x.zip"), tmp_path / "spool")}
    assert found["a.png"].read() == b"a.png" * 100
    assert found["c.png"].read() == b"c.png" * 100
    assert found["b.png"].error.startswith("damaged in the zip (")
    assert "packed by 12 (bzip2)" in found["b.png"].error
    with pytest.raises(MediaError, match="damaged in the zip"):
        found["b.png"].read()


def test_a_method_that_is_not_read_is_named_with_its_remedy(tmp_path):
    path = with_method(make_zip(tmp_path / "x.zip", {"a.png": b"a", "b.png": b"b"}), "a.png", 9)
    bad, good = members(path, tmp_path / "spool")
    assert bad.error == (
        "packed by method 9 (deflate64), which is not read. Unpack the zip with the program that made it, "
        "and give the folder."
    )
    assert good.read() == b"b"


def lzma_zip(path, *pairs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one name twice
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            for name, body in pairs:
                archive.writestr(name, body)
    return path


def test_members_of_one_name_and_replaced_archives_do_not_share_a_spool_file(tmp_path):
    spool = tmp_path / "spool"
    path = lzma_zip(tmp_path / "x.zip", ("a.png", b"one"), ("a.png", b"two"))
    assert [m.read() for m in members(path, spool)] == [b"one", b"two"]
    lzma_zip(tmp_path / "new.zip", ("a.png", b"eno"), ("a.png", b"owt")).replace(path)
    assert [m.read() for m in members(path, spool)] == [b"eno", b"owt"]


def test_an_inner_archive_that_was_replaced_is_unpacked_anew(tmp_path):
    for body in (b"old", b"new"):
        inner = make_tar(tmp_path / "inner.tar", {"a.png": body})
        outer = make_tar(tmp_path / "new.tar", {"inner.tar": inner.read_bytes()})
        outer.replace(tmp_path / "x.tar")
        (member,) = members(tmp_path / "x.tar")
        (part,) = nested_members(member, tmp_path / "spool")
        assert (part.name, part.read()) == ("inner.tar/a.png", body)


def test_long_names_are_spooled_under_short_ones(tmp_path):
    name = "é" * 125 + ".png"
    (member,) = members(lzma_zip(tmp_path / "x.zip", (name, b"one")), tmp_path / "spool")
    assert (member.name, member.read()) == (name, b"one")
    (spooled,) = (tmp_path / "spool").iterdir()
    assert len(spooled.name) < 40


def entry_ends(path):
    """Returns the byte at which each entry of a tar ends."""
    with tarfile.open(path) as archive:
        return [entry.offset_data + -(-entry.size // 512) * 512 for entry in archive]


@pytest.mark.parametrize(
    ("cut", "kept", "said"),
    [(0, 3, "without its end mark"), (100, 3, "without its end mark"), (-600, 3, "unexpected end")],
)
def test_a_tar_that_was_cut_gives_what_is_left_and_an_error(tmp_path, cut, kept, said):
    path = make_tar(tmp_path / "x.tar", {f"{i}.png": bytes([i]) * 1000 for i in range(5)})
    end = entry_ends(path)[3]  # of the folder and three files
    path.write_bytes(path.read_bytes()[: end + cut])
    *found, last = members(path)
    assert [m.name for m in found] == [f"{i}.png" for i in range(kept)]
    assert found[0].read() == bytes(1000)
    assert last.name == "x.tar"
    assert said in last.error
    assert "the first 4 are lost" in last.error


def test_a_tar_with_one_end_block_is_whole(tmp_path):
    path = make_tar(tmp_path / "x.tar", {"a.png": b"a"})
    path.write_bytes(path.read_bytes()[: entry_ends(path)[-1] + 512])
    assert all_read(path) == {"a.png": b"a"}


def test_a_tar_with_a_damaged_header_tells_where_it_stops(tmp_path):
    path = make_tar(tmp_path / "x.tar", {f"{i}.png": b"x" for i in range(3)})
    content = bytearray(path.read_bytes())
    start = entry_ends(path)[1]
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(bytes(content))
    *found, last = members(path)
    assert [m.name for m in found] == ["0.png"]
    assert f"no entry starts at byte {start:,}" in last.error


def test_a_cut_tar_inside_an_archive_is_named_by_its_place(tmp_path):
    inner = make_tar(tmp_path / "inner.tar", {"a.png": b"a"})
    content = inner.read_bytes()[: entry_ends(inner)[-1]]
    (member,) = members(make_zip(tmp_path / "x.zip", {"d/inner.tar": content}))
    good, bad = nested_members(member, tmp_path / "spool")
    assert (good.name, good.read()) == ("d/inner.tar/a.png", b"a")
    assert bad.name == "d/inner.tar"
    assert "without its end mark" in bad.error


LATIN = os.fsdecode("copépode/é.png".encode("latin-1"))


def test_names_that_are_no_utf_8_are_readable_and_their_files_found(tmp_path):
    (tmp_path / "in" / LATIN).parent.mkdir(parents=True)
    (tmp_path / "in" / LATIN).write_bytes(b"one")
    with tarfile.open(
        tmp_path / "x.tar", "w", encoding="latin-1", format=tarfile.GNU_FORMAT
    ) as tar:
        tar.add(tmp_path / "in" / LATIN, "copépode/é.png")
    for path in (tmp_path / "in", tmp_path / "x.tar"):
        (member,) = members(path)
        assert member.name == "copépode/é.png"
        text = written_location(member.at)
        assert read_location(parsed_location(text.encode().decode())) == b"one"


def test_pipes_in_a_folder_are_told_and_never_opened(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    os.mkfifo(tmp_path / "b.png")
    assert all_read(tmp_path) == {"a.png": b"a", "b.png": "no ordinary file"}


@pytest.mark.real
def test_the_real_archive_is_read_whole(real_data):
    path = real_data / "plankton" / "isiis" / "planktonset1.zip"
    found = list(members(path))
    assert len(found) == 18_200
    assert not [member for member in found if member.skip_reason]
