"""What is brought to an assessment: pictures for several people at once, and gone when nobody needs it."""

import os
import threading
import time

import cv2
import numpy as np
import pytest

from holotype.app.pages.assess_brought import forget_old
from holotype.app.pages.assess_folder import Started, begin, new_folder
from holotype.app.pages.assess_written import Written


def large(number):
    """Returns an encoded image that takes a while to be made smaller."""
    grey = np.random.default_rng(number).integers(0, 256, (900, 900), dtype=np.uint8)
    return cv2.imencode(".png", grey)[1].tobytes()


@pytest.fixture
def found(tmp_path):
    folder = new_folder(tmp_path)
    for number in range(12):
        (folder / "brought" / f"{number}.png").write_bytes(large(number))
    return begin(folder, Started("000001-assess", "crops", (str(folder / "brought"),), 10, "Ada"))


def drawn(found):
    (found.folder / "draw").mkdir()
    (found.folder / "draw" / "assessment.json").write_text("{}")


def numbers(found):
    return {str(found.folder / "brought" / f"{at}.png"): at for at in range(12)}


def test_two_people_open_one_assessment_at_once(found):
    drawn(found)
    wanted, faults = numbers(found), []

    def look():
        try:
            found.make_pictures(wanted)
        except Exception as reason:  # noqa: BLE001
            faults.append(repr(reason))

    people = [threading.Thread(target=look) for _ in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert not faults
    assert all(found.picture(at) for at in range(12))
    assert not (found.folder / "brought").exists()
    found.make_pictures(wanted)  # another visitor, later


def test_what_was_brought_stays_until_the_draw_is_whole(found):
    found.make_pictures(numbers(found))
    assert len(list((found.folder / "brought").iterdir())) == 12


def test_pictures_that_cannot_be_made_large_need_nothing(found):
    drawn(found)
    (found.folder / "brought" / "3.png").write_bytes(b"no image")
    found.make_pictures(numbers(found))
    assert found.picture(3) is None
    assert found.picture(4)
    found.make_pictures(numbers(found))
    assert found.picture(3) is None


def aged(folder, days):
    then = time.time() - days * 86_400
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def test_what_was_brought_is_forgotten_after_seven_days(found, tmp_path):
    place = found.folder.parent
    found.write(1, "Calanus")
    drawn(found)
    never = new_folder(tmp_path)  # files came, and nobody began
    (never / "upload-1.png").write_bytes(b"x")
    aged(found.folder, 6)
    aged(never, 8)
    new = new_folder(tmp_path)
    assert not never.exists()
    assert (found.folder / "brought").is_dir()
    aged(found.folder, 8)
    assert forget_old(place) == 1
    assert not (found.folder / "brought").exists()
    assert found.labels() == {1: "Calanus"}
    assert found.is_drawn
    assert new.is_dir()
    found.make_pictures(numbers(found))  # the small ones of the draw are shown
    assert found.picture(1) is None


def test_a_draw_that_is_at_work_keeps_what_it_reads(found):
    aged(found.folder, 8)
    (found.folder / "draw" / "answers.parquet.partial").mkdir(parents=True)
    aged(found.folder, 8)
    os.utime(found.folder / "draw" / "answers.parquet.partial")
    assert forget_old(found.folder.parent) == 0
    assert (found.folder / "brought").is_dir()
    (found.folder.parent / "other").mkdir()  # no assessment
    aged(found.folder.parent, 8)
    assert forget_old(found.folder.parent) == 1
    assert (found.folder.parent / "other").is_dir()


def test_a_label_tells_what_stood_there_and_is_written_once(found):
    assert found.write(1, "Calanus", by="Ada") is None
    before = found.written.state()
    assert found.write(1, " Calanus ", by="Bo") == Written("Calanus", "Ada")
    assert found.written.state() == before
    assert found.write(1, "", by="Bo") == Written("Calanus", "Ada")
    assert found.write(2, "", by="Bo") is None
    assert found.labels() == {1: ""}
    with (found.folder / "labels.jsonl").open("a") as torn:
        torn.write('[]\n{"number": 1, "lab')
    assert found.write(1, "Oithona", by="Ada") == Written("", "Bo")
    assert found.labels() == {1: "Oithona"}
    assert found.written.state() != before
