"""Capture times from file names: the six conventions, what is refused, and how two times become one."""

import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holotype.media.capture_times import CaptureTime, Convention, capture_time, reconciled

NOW = datetime(2025, 6, 1, tzinfo=UTC)
SPC = "SPC-EAWAG-0P5X-1570543372901157-3725350526242-001629-055-1224-2176-84-64.jpeg"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            f"images/aphanizomenon/{SPC}",
            CaptureTime(
                "2019-10-08T14:02:52.901157+00:00", Convention.SPC, "SPC-EAWAG-0P5X", None, 55
            ),
        ),
        (
            "IFCB5_2012_028_081515_00003.png",
            CaptureTime(
                "2012-01-28T08:15:15+00:00",
                Convention.IFCB_DAY_OF_YEAR,
                "IFCB5",
                "IFCB5_2012_028_081515",
                3,
            ),
        ),
        (
            "Mesodinium_rubrum\\D20130526T095207_IFCB013_00014.png",
            CaptureTime(
                "2013-05-26T09:52:07+00:00",
                Convention.IFCB_ISO,
                "IFCB013",
                "D20130526T095207_IFCB013",
                14,
            ),
        ),
        (
            "D20130526T095207_IFCB013_class_v1.mat",
            CaptureTime(
                "2013-05-26T09:52:07+00:00",
                Convention.IFCB_ISO,
                "IFCB013",
                "D20130526T095207_IFCB013",
            ),
        ),
        (
            "20140602073348.076.0131_000_crop_463.jpg",
            CaptureTime("2014-06-02T07:33:48.076000", Convention.ISIIS, roi_number=463),
        ),
        (
            "20151103_102539.630.0.png",
            CaptureTime("2015-11-03T10:25:39.630000", Convention.CPICS, roi_number=0),
        ),
        (
            "2024-03-12_11-55-35-346253_1.jpg",
            CaptureTime("2024-03-12T11:55:35.346253", Convention.PLANKTOSCOPE, roi_number=1),
        ),
    ],
)
def test_each_convention(name: str, expected: CaptureTime) -> None:
    assert capture_time(name, now=NOW) == expected


@pytest.mark.parametrize(
    "name",
    [
        "257738613.png",
        "1570543372901157.png",
        "SPC-EAWAG-0P5X-1570543372901157.jpeg",
        SPC.replace("1570543372901157", "0070543372901157"),
        SPC.replace("1570543372901157", "9970543372901157"),
        "IFCB5_2012_367_081515_00003.png",
        "IFCB5_2013_366_081515_00003.png",
        "IFCB5_2012_000_081515.adc",
        "IFCB5_2012_028_251515.adc",
        "IFCB5_2012_028_0815150.adc",
        "D20131326T095207_IFCB013_00014.png",
        "D20300526T095207_IFCB013_00014.png",
        "xD20130526T095207_IFCB013_00014.png",
        "20140602073348.png",
        "20140602073348.076.jpg",
        "20151103_102539.png",
        "2024-03-12_11-55-35.jpg",
        "pia1.2023-05-10.1100+N00005127.tif",
        "",
    ],
)
def test_other_names_give_nothing(name: str) -> None:
    assert capture_time(name, now=NOW) is None


def test_a_day_from_now_is_the_last_moment() -> None:
    name = "D20250601T120000_IFCB013.adc"
    assert capture_time(name, now=datetime(2025, 5, 31, 12, tzinfo=UTC)) is not None
    assert capture_time(name, now=datetime(2025, 5, 31, 11, 59, 59, tzinfo=UTC)) is None


NAMED = capture_time("D20130526T095207_IFCB013_00014.png", now=NOW)
LOCAL = capture_time("20151103_102539.630.0.png", now=NOW)


@pytest.mark.parametrize(
    ("recorded", "named", "value", "known_from", "conflict"),
    [
        (None, None, None, "not_given", False),
        ("", NAMED, "2013-05-26T09:52:07+00:00", "file_name", False),
        ("2013-05-26", NAMED, "2013-05-26T09:52:07+00:00", "file_name", False),
        ("2013-05-27", NAMED, "2013-05-27", "record", True),
        ("2013-05", NAMED, "2013-05", "record", False),
        ("2013-05-26T09:52:40+00:00", NAMED, "2013-05-26T09:52:40+00:00", "record", False),
        ("2013-05-26T11:52:07+02:00", NAMED, "2013-05-26T11:52:07+02:00", "record", False),
        ("2013-05-26T12:52:07+02:00", NAMED, "2013-05-26T12:52:07+02:00", "record", True),
        ("2013-05-26T20:00:00", NAMED, "2013-05-26T20:00:00", "record", False),
        ("2013-05-28T20:00:00", NAMED, "2013-05-28T20:00:00", "record", True),
        ("2015-11-04", LOCAL, "2015-11-04", "record", False),
        ("2015-11-05", LOCAL, "2015-11-05", "record", True),
        ("2015-11-03", None, "2015-11-03", "record", False),
    ],
)
def test_reconciled(
    recorded: str | None,
    named: CaptureTime | None,
    value: str | None,
    known_from: str,
    conflict: bool,
) -> None:
    found = reconciled(recorded, named)
    assert (found.value, found.known_from) == (value, known_from)
    assert (found.note is not None) == conflict
    if found.note is not None:
        assert named is not None
        assert str(recorded) in found.note
        assert named.moment in found.note


def _names(folder: Path) -> list[str]:
    found = [path.name for path in folder.rglob("*") if path.suffix in {".png", ".jpg", ".jpeg"}]
    for archive in folder.rglob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            found += [name for name in opened.namelist() if not name.endswith("/")]
    return found


@pytest.mark.real
def test_names_of_real_images(real_data: Path) -> None:
    understood = {}
    for folder in sorted((real_data / "plankton").iterdir()):
        times = [capture_time(name) for name in _names(folder)]
        understood[folder.name] = Counter(t.convention if t else None for t in times)
    assert understood["zoolake"] == {Convention.SPC: 350}
    assert understood["ifcb"] == {Convention.IFCB_ISO: 40}
    assert understood["isiis"].keys() == {None}, "ids of the Kaggle set are no times"
    assert understood["uvp6"] == {None: 1250}
    assert understood["flowcam"] == {None: 105}


@pytest.mark.real
def test_spc_names_agree_with_the_years_and_sizes_of_zoolake(real_data: Path) -> None:
    names = _names(real_data / "plankton" / "zoolake")
    moments = sorted(time.moment for time in map(capture_time, names) if time)
    assert "2018-05" <= moments[0][:7] <= moments[-1][:7] <= "2020-06"
