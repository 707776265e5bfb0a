"""Uploaded files become specimens; bombs, tricks and damage are refused with a reason, the rest is taken."""

import gzip
import io
import lzma
import os
import struct
import tarfile
import time
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from holotype.app.upload_names import safe_name
from holotype.app.uploads import Refused, Upload, UploadLimits, scratch_folder, specimens_of
from holotype.errors import MediaError
from holotype.identify.loading import load
from holotype.media.preparation import PixelPreparation, PreparationKind

PIXELS = PixelPreparation(PreparationKind.PADDED, side_px=32, channels=1)
LIMITS = UploadLimits(
    files=20, file_bytes=4 << 20, pixels=10_000, members=50, unpacked_bytes=40 << 20
)
BARCODE = "ACGTTGCA" * 60


@pytest.fixture
def scratch(tmp_path):
    with scratch_folder(tmp_path / "scratch") as folder:
        yield folder


@pytest.fixture
def taken(scratch):
    """Uploads (name, content) by path; returns specimens and the refused, and checks what all must keep."""

    def take(*named, limits=LIMITS, stored=True):
        uploads = []
        for number, (name, content) in enumerate(named):
            path = scratch / f"stored-{number}"
            path.write_bytes(content)
            uploads.append(Upload(name, path) if stored else Upload(name, content=content))
        found, refused = specimens_of(uploads, limits, scratch)
        texts = [one.reason + one.name for one in refused]
        texts += [f"{one.input} {one.failure}" for one in found]
        assert not [text for text in texts if str(scratch) in text]
        return found, refused

    return take


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return handle.getvalue()


def tarred(*members, mode="w"):
    handle = io.BytesIO()
    with tarfile.open(fileobj=handle, mode=mode) as archive:
        for name, content in members:
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return handle.getvalue()


def names(found):
    return [one.input for one in found]


def the_reason(refused, name):
    (found,) = [one.reason for one in refused if one.name == name]
    return found


def loaded(specimen):
    return load(specimen, PIXELS)


def fasta(*ids):
    return "".join(f">{one}\n{BARCODE}\n" for one in ids).encode()


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "in memory"])
def test_images_fasta_tables_and_archives_are_taken_in_order(taken, png, stored):
    found, refused = taken(
        ("a.png", png(1)),
        ("crops.zip", zipped(("inner/b.png", png(2)), ("c.png", png(3)))),
        ("d.tar.gz", tarred(("d.png", png(4)), mode="w:gz")),
        ("seqs.fasta", fasta("s1", "s2")),
        ("more.fa.gz", gzip.compress(fasta("s3"))),
        ("table.csv", f"record_id,barcode\nr1,{BARCODE}\nr2,nonsense!\n".encode()),
        stored=stored,
    )
    assert not refused
    assert names(found) == [
        "a.png", "crops.zip/inner/b.png", "crops.zip/c.png", "d.tar.gz/d.png", "seqs.fasta/s1",
        "seqs.fasta/s2", "more.fa.gz/s3", "table.csv/r1", "table.csv/r2",
    ]  # fmt: skip
    assert [loaded(one).square_SSC is not None for one in found] == [True] * 4 + [False] * 5
    assert [one.barcode for one in found[4:8]] == [BARCODE] * 4
    assert "no nucleotide" in found[8].failure
    assert found[0].context["record_id"] == "a.png"


@pytest.mark.parametrize(
    "written",
    [
        "../../../etc/cron.d/a.png", "/etc/a.png", "C:\\windows\\a.png", "..\\..\\a.png", "a.png/",
        "x/../a.png", "\u202ea.png", "a.png\0", "./a.png",
    ],
)  # fmt: skip
def test_no_name_is_a_path(taken, png, scratch, written):
    before = {path for path in scratch.parent.parent.rglob("*") if scratch not in path.parents}
    found, refused = taken((written, png(1)), (f"{written}.fa", fasta("x")))
    assert names(found)[0] == "a.png"
    assert "/" not in refused[0].name if refused else "/" not in names(found)[1].removesuffix("/x")
    after = {path for path in scratch.parent.parent.rglob("*") if scratch not in path.parents}
    assert after == before


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("con.png", "_con.png"), ("", "file"), ("...", "file"), ("\n\t", "file"), ("a\nb.png", "ab.png"),
        ("<script>.png", "_script_.png"), ("é" * 300 + ".png", "é" * 58 + ".png"),
        ("cop\udce9pode.png", "copépode.png"),
    ],
)  # fmt: skip
def test_names_are_plain(written, safe):
    assert safe_name(written) == safe


def test_two_files_of_one_name_are_told_apart(taken, png):
    found, _ = taken(("a.png", png(1)), ("b/a.png", png(2)), ("a.png", png(3)))
    assert names(found) == ["a.png", "a (2).png", "a (3).png"]


def test_a_good_file_beside_bad_ones_is_answered(taken, png):
    found, refused = taken(
        ("empty.png", b""),
        ("large.png", png(1) + bytes(5 << 20)),
        ("run.exe", b"MZ\x90"),
        ("noise.zip", b"PK\x03\x04" + bytes(400)),
        ("noise.tar.gz", b"\x1f\x8b\x08" + bytes(400)),
        ("cut.zip", zipped(("a.png", png(1)))[:-30]),
        ("odd.fasta", b"\xff\xfe\x00\x01"),
        ("good.png", png(2)),
    )
    assert "good.png" in names(found)
    assert {one.name for one in refused} >= {
        "empty.png", "large.png", "run.exe", "noise.zip", "noise.tar.gz", "cut.zip",
    }  # fmt: skip
    assert all(len(one.reason) > 8 for one in refused)
    assert "0 bytes" in the_reason(refused, "empty.png")
    assert "4,194,304" in the_reason(refused, "large.png")
    assert ".fasta" in the_reason(refused, "run.exe")


def test_an_image_without_an_ending_is_known_by_its_bytes(taken, png):
    found, refused = taken(("crop", png(1)), ("noise", b"what is this"))
    assert names(found) == ["crop"]
    assert [one.name for one in refused] == ["noise"]


def bomb_png(side):
    """A PNG whose header says so many pixels; what follows is a few bytes."""

    def chunk(kind, content):
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [101, 50_000, 100_000])
def test_an_image_bomb_is_not_decoded(taken, png, side):
    found, _ = taken(("bomb.png", bomb_png(side)), ("in.zip", zipped(("b.png", bomb_png(side)))))
    started = time.process_time()
    for one in found:
        assert f"at most {LIMITS.pixels:,} px" in loaded(one).failure
    assert time.process_time() - started < 1


def test_a_bomb_in_another_format_is_not_decoded(taken):
    handle = io.BytesIO()
    Image.fromarray(np.zeros((300, 300), np.uint8)).save(handle, "BMP")
    ((one,), _) = taken(("large.bmp", handle.getvalue()))
    assert "300 x 300 px" in loaded(one).failure


def test_a_zip_bomb_is_refused_before_it_is_unpacked(taken, png):
    zeros = bytes(30 << 20)
    found, refused = taken(
        ("ratio.zip", zipped(("a.png", zeros))),
        ("many.zip", zipped(*((f"{n}.png", bytes(9 << 20)) for n in range(5)))),
        ("good.zip", zipped(("a.png", png(1)))),
    )
    assert names(found) == ["good.zip/a.png"]
    assert "200 times" in the_reason(refused, "ratio.zip")
    assert "in all more than 41,943,040" in the_reason(refused, "many.zip")


def test_a_zip_that_lies_about_its_sizes_does_not_unpack_to_more(taken):
    packed = bytearray(zipped(("a.png", bytes(30 << 20))))
    real, lie = struct.pack("<I", 30 << 20), struct.pack("<I", 1_000)
    assert packed.count(real) == 2
    ((one,), refused) = taken(("lie.zip", bytes(packed.replace(real, lie))))
    assert not refused
    assert "wrong length" in loaded(one).failure


@pytest.mark.parametrize(
    ("name", "pack"),
    [("z.tar.gz", gzip.compress), ("z.tar.xz", lzma.compress), ("z.fasta.gz", gzip.compress)],
)
def test_what_is_compressed_as_a_whole_is_unpacked_up_to_a_limit(taken, scratch, name, pack):
    found, refused = taken((name, pack(bytes(100 << 20))))
    assert not found
    assert "unpacks to more than" in the_reason(refused, name)
    assert sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file()) < 1 << 20


def test_archives_in_archives_go_one_deep(taken, png):
    inner = zipped(("deep.png", png(1)))
    deeper = zipped(("inner.zip", inner), ("mid.png", png(2)))
    found, refused = taken(("outer.zip", zipped(("deeper.zip", deeper), ("one.zip", inner))))
    assert names(found) == ["outer.zip/deeper.zip/mid.png", "outer.zip/one.zip/deep.png"]
    assert "3 deep" in the_reason(refused, "outer.zip/deeper.zip/inner.zip")
    assert all(loaded(one).square_SSC is not None for one in found)


def test_links_and_ways_out_of_an_archive_are_not_followed(taken, png, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(7))
    link, hard = tarfile.TarInfo("link.png"), tarfile.TarInfo("hard.png")
    link.type, link.linkname = tarfile.SYMTYPE, str(secret)
    hard.type, hard.linkname = tarfile.LNKTYPE, str(secret)
    found, refused = taken(
        ("a.tar", tarred((link, b""), (hard, b""), ("../../up.png", png(1)), ("ok.png", png(2)))),
        ("b.zip", zipped(("../../up.png", png(1)), ("/abs.png", png(1)), ("ok.png", png(2)))),
    )
    assert names(found) == ["a.tar/ok.png", "b.zip/ok.png"]
    assert "link" in the_reason(refused, "a.tar/link.png")
    assert {one.name for one in refused} == {
        "a.tar/link.png", "a.tar/hard.png", "a.tar/../../up.png", "b.zip/../../up.png", "b.zip//abs.png",
    }  # fmt: skip


def test_a_table_cannot_name_files_of_the_server(taken, png, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(7))
    table = f"record_id,image,barcode\nr1,{secret},\nr2,../../secret.png,{BARCODE}\n"
    found, _ = taken(("table.csv", table.encode()))
    assert [one.read_image for one in found] == [None, None]
    assert [bool(one.failure) for one in found] == [True, True]
    assert [one.barcode for one in found] == [None, BARCODE]


def test_a_reason_names_the_uploaded_file_and_not_what_holds_it(taken):
    table = b"record_id,image\nr1,/etc/passwd\nr2,../x.png\n"
    found, _ = taken(
        ("t.csv", table), ("u.csv.gz", gzip.compress(table)), ("x.zip", zipped(("v.csv", table)))
    )
    shown = ["t.csv"] * 2 + ["u.csv.gz"] * 2 + ["x.zip/v.csv"] * 2
    named = ["/etc/passwd", "../x.png"] * 3
    assert [one.failure for one in found] == [
        f"'{image}' lies outside {name}" for image, name in zip(named, shown, strict=True)
    ]


def test_no_name_inside_a_file_has_tabs_or_turns_the_writing(taken, png):
    found, _ = taken(
        ("x.zip", zipped(("\t=1+1.png", png(1)), ("a\u202egnp.png", png(2)))),
        ("t.csv", f"record_id,barcode\na\t@x,{BARCODE}\n".encode()),
    )
    assert names(found) == ["x.zip/=1+1.png", "x.zip/agnp.png", "t.csv/a@x"]
    assert all(loaded(one).square_SSC is not None for one in found[:2])


def test_a_folder_is_made_when_something_is_unpacked_and_never_where_the_process_is(
    tmp_path, png, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    asked = []

    def scratch():
        asked.append(1)
        (tmp_path / "scratch").mkdir()
        return tmp_path / "scratch"

    images = [Upload("a.png", content=png(1)), Upload("b.png", content=b"")]
    found, refused = specimens_of(images, LIMITS, scratch)
    assert (len(found), len(refused), asked) == (1, 1, [])
    both = [
        Upload("a.fasta", content=fasta("x")),
        Upload("b.zip", content=zipped(("a.png", png(1)))),
    ]
    found, refused = specimens_of(both, LIMITS, scratch)
    assert (len(found), refused, asked) == (2, [], [1])
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]


def test_too_many_members_and_files_are_counted_before_they_are_read(taken, png):
    found, refused = taken(
        ("many.zip", zipped(*((f"{n}.png", b"x") for n in range(51)))),
        ("directory.zip", zipped(*((f"{n}.png", b"") for n in range(2_000)))),
        ("long.fasta", fasta(*map(str, range(60)))),
    )
    assert "51 files" in the_reason(refused, "many.zip")
    assert "50 files" in the_reason(refused, "directory.zip")
    assert len(found) == LIMITS.members
    assert "at most 50 specimens" in the_reason(refused, "long.fasta")
    found, refused = taken(*((f"{n}.png", png(1)) for n in range(25)))
    assert len(found) == LIMITS.files
    assert "this and 4 more" in the_reason(refused, "20.png")


def directory_zip(count, *, disk=b"\0\0\0\0", wide=False):
    """A zip of empty members: a directory alone, with what its end record says chosen freely."""
    entries = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0x21, *[0] * 3, 9, *[0] * 6)
        + b"%05d.png" % number
        for number in range(count)
    )
    size, end = len(entries), b""
    if wide:  # the true size in the wide record, a small one in the other
        end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, 0)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
        size = 46
    end += struct.pack("<4s4s2H2LH", b"PK\5\6", disk, count & 0xFFFF, count & 0xFFFF, size, 0, 0)
    return entries + end


@pytest.mark.parametrize(
    "trick", [{}, {"disk": b"PK\5\6"}, {"wide": True}], ids=["none", "two marks", "two sizes"]
)
def test_a_large_directory_is_not_read_whatever_its_end_says(taken, trick):
    content = directory_zip(2_000, **trick)
    assert len(zipfile.ZipFile(io.BytesIO(content)).infolist()) == 2_000
    found, refused = taken(("directory.zip", content))
    assert not found
    assert the_reason(refused, "directory.zip") == "more than 50 files in it."


def test_zips_whose_end_is_odd_but_honest_are_taken(taken, png):
    with_comment, stored, wide = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(with_comment, "w") as archive:
        archive.writestr("a.png", png(1))
        archive.comment = b"x" * 60_000
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("inner.zip", zipped(("b.png", png(2))))
    with zipfile.ZipFile(wide, "w") as archive, archive.open("c.png", "w", force_zip64=True) as one:
        one.write(png(3))
    found, refused = taken(
        ("comment.zip", with_comment.getvalue()),
        ("stored.zip", stored.getvalue()),
        ("wide.zip", wide.getvalue()),
        ("before.zip", b"#!start" + zipped(("d.png", png(4)))),
    )
    assert names(found)[:3] == ["comment.zip/a.png", "stored.zip/inner.zip/b.png", "wide.zip/c.png"]
    assert not [one for one in refused if one.name != "before.zip"]


def test_no_image_in_an_archive_is_said(taken):
    found, refused = taken(("a.zip", zipped(("readme.md", b"hello"))))
    assert not found
    assert refused == [Refused("a.zip", "no image, FASTA or table in it.")]


def test_encrypted_and_oddly_packed_members_are_refused(taken, png):
    found, refused = taken(
        ("lzma.zip", zipped(("a.png", png(1)), method=zipfile.ZIP_LZMA)), ("ok.png", png(2))
    )
    assert names(found) == ["ok.png"]
    assert "deflate" in the_reason(refused, "lzma.zip")


def test_what_cannot_be_read_later_names_no_folder(taken, scratch):
    ((one,), _) = taken(("a.png", b"not an image at all"))
    os.unlink(scratch / "stored-0")  # noqa: PTH108
    with pytest.raises(MediaError) as raised:
        one.read_image()
    assert str(scratch) not in str(raised.value)


def test_the_scratch_folder_goes_and_takes_old_ones_along(tmp_path):
    old, young = tmp_path / "upload-old", tmp_path / "upload-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    with scratch_folder(tmp_path) as folder:
        (folder / "x").write_text("x")
        assert not old.exists()
        assert young.exists()
    assert not folder.exists()
