"""Damaged archives, odd names and pipes: each is one line of the ledger, and the good images are imported."""

import io
import os
import tarfile
import unicodedata
import zipfile

import numpy as np
import pytest
from PIL import Image

import holotype
from holotype.collection.reading.companions import companions
from holotype.collection.reading.image_index import find_images
from holotype.collection.sources.table import images_of
from holotype.collection.store import open_collection
from holotype.errors import MediaError
from holotype.media.locations import read_location
from holotype.media.members import is_archive

NFC = "Échantillon/crustacé.png"
NFD = unicodedata.normalize("NFD", NFC)
LATIN = os.fsdecode(NFC.encode("latin-1"))


def png(seed):
    handle = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(noise).save(handle, "PNG")
    return handle.getvalue()


def ledger(collection):
    rows = open_collection(collection).ledger().to_pylist()
    return {row["item"]: (row["outcome"], row["detail"]) for row in rows}


def tar_of(path, names):
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(names):
            entry = tarfile.TarInfo(name)
            entry.size = len(png(number))
            archive.addfile(entry, io.BytesIO(png(number)))
    return path


def cut_at_a_member(path):
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    path.write_bytes(path.read_bytes()[: last.offset])
    return path


@pytest.mark.parametrize("inside", [False, True])
def test_a_cut_tar_gives_its_images_and_an_error(tmp_path, inside):
    path = cut_at_a_member(tar_of(tmp_path / "x.tar", ["copepod/1.png", "egg/2.png", "egg/3.png"]))
    given = tmp_path if inside else path
    report = holotype.import_("image-folder", [given], into=tmp_path / "c")
    assert report.outcomes == {"imported": 2, "rejected": 1}
    outcome, details = ledger(tmp_path / "c")["x.tar"]
    assert outcome == "rejected"
    assert details.startswith("x.tar: not a whole tar (it ends at byte ")


def test_members_that_cannot_be_unpacked_are_errors_of_their_own(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for number in range(3):
            archive.writestr(f"copepod/{number}.png", png(number))
        start = archive.getinfo("copepod/1.png").header_offset + 43
    content = bytearray(path.read_bytes())
    content[start + 10 : start + 60] = bytes(50)
    path.write_bytes(bytes(content))
    report = holotype.import_("image-folder", [path], into=tmp_path / "c")
    assert report.outcomes == {"imported": 2, "rejected": 1}
    assert ledger(tmp_path / "c")["copepod/1.png"][1].startswith(
        "copepod/1.png: damaged in the zip ("
    )


def test_names_that_are_no_utf_8_and_pipes_do_not_stop_an_import(tmp_path):
    folder = tmp_path / "in"
    (folder / LATIN).parent.mkdir(parents=True)
    (folder / LATIN).write_bytes(png(0))
    (folder / os.fsdecode(b"gr\xe9le.png")).write_bytes(b"")
    os.mkfifo(folder / "pipe.png")
    report = holotype.import_("image-folder", [folder], into=tmp_path / "c")
    assert report.outcomes == {"imported": 1, "rejected": 1, "skipped": 1}
    found = ledger(tmp_path / "c")
    assert found["pipe.png"] == ("skipped", "no ordinary file")
    assert found["gréle.png"][0] == "rejected"
    (record,) = open_collection(tmp_path / "c").columns().to_pylist()
    assert record["written_label"] == "Échantillon"


def placed(root, name):
    """Puts an image into a folder or a tar under a name."""
    if is_archive(root):
        return tar_of(root, [name])
    (root / name).parent.mkdir(parents=True)
    (root / name).write_bytes(png(0))
    return root


@pytest.mark.parametrize("root", ["in", "in.tar"])
@pytest.mark.parametrize(("lies", "asked"), [(NFC, NFD), (NFD, NFC), (LATIN, NFC), (LATIN, NFD)])
@pytest.mark.parametrize("way", [images_of, find_images, "companions"])
def test_accents_may_be_written_either_way(tmp_path, root, lies, asked, way):
    root = placed(tmp_path / root, lies)
    if way == "companions":
        files = companions(root, tmp_path / "spool")
        (member,) = files.listed()
        found = files.find(asked)
        assert files.asked_before(member.name)
    else:
        found = way(root, tmp_path / "spool")(asked)
    assert read_location(found) == png(0)


def test_the_exact_name_goes_before_the_other_normal_form(tmp_path):
    folder = placed(tmp_path / "in", NFC)
    (folder / NFD).parent.mkdir()
    (folder / NFD).write_bytes(png(1))
    find = images_of(folder, None)
    assert [read_location(find(name)) for name in (NFC, NFD)] == [png(0), png(1)]


@pytest.mark.parametrize("way", [images_of, find_images])
def test_a_link_under_the_other_normal_form_is_not_followed_out(tmp_path, way):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / unicodedata.normalize("NFD", "é.png")).symlink_to(tmp_path / "secret.png")
    with pytest.raises(MediaError, match=r"lies outside|leaves"):
        way(tmp_path / "in", None)("é.png")


@pytest.mark.parametrize("way", [images_of, find_images])
def test_an_image_that_a_cut_archive_lacks_is_told_with_the_damage(tmp_path, way):
    path = cut_at_a_member(tar_of(tmp_path / "x.tar", ["1.png", "2.png"]))
    find = way(path, None)
    assert read_location(find("1.png")) == png(0)
    with pytest.raises(MediaError, match=r"no image '2\.png' in .*\(.*without its end mark"):
        find("2.png")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_LZMA])
def test_names_that_differ_in_capitals_alone_are_two_files(tmp_path, method):
    names = ["Egg/A.png", "egg/a.png", "EGG/a.PNG", "egg/A.png"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        for number, name in enumerate(names):
            archive.writestr(name, png(number))
    report = holotype.import_("image-folder", [tmp_path / "x.zip"], into=tmp_path / "c")
    assert report.outcomes == {"imported": 4}
    collection = open_collection(tmp_path / "c")
    assert sorted(content for _, content in collection.images()) == sorted(map(png, range(4)))
