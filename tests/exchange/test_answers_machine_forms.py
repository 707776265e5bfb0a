"""What every machine format keeps: all answers accounted for, the same bytes twice, whole or not at all."""

import pytest
from machine_answers import (
    DATED,
    NASTY,
    answer,
    barcode_rows,
    camera_rows,
    failed,
    region_rows,
    table,
    validated,
)

from holotype.errors import HolotypeError
from holotype.exchange.answers.machine_forms import MACHINE_FORMS
from holotype.exchange.answers.writing import Request

TRAP = {
    "sample_id": "dep1",
    "latitude_deg": 51.5,
    "longitude_deg": -0.1,
    "collected_on": "2020-05-30T04:57:37+02:00",
}
FOLDERS = {"ifcb", "syke", "camtrap-dp"}
PLAIN = [name for name in NASTY if len(name.splitlines()) == 1]


def everything():
    odd = [answer(name, lineage=("Animalia", name), best=((name, 0.5),), **TRAP) for name in PLAIN]
    rows = [*camera_rows(**TRAP), *barcode_rows(), *region_rows(), *odd, validated("v", **TRAP)]
    return table(*rows)


def bytes_of(path):
    inside = sorted(path.iterdir()) if path.is_dir() else [path]
    return {each.name: each.read_bytes() for each in inside}


@pytest.mark.parametrize("name", MACHINE_FORMS)
def test_answers_written_and_left_out_add_up(name, tmp_path):
    answers = everything()
    done = MACHINE_FORMS[name].write(answers, Request(tmp_path / "out", DATED))
    assert done.answers + sum(done.left_out.values()) == answers.num_rows
    assert done.answers > 0
    assert all(count > 0 for count in done.left_out.values())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", MACHINE_FORMS)
def test_the_same_answers_give_the_same_bytes(name, tmp_path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        MACHINE_FORMS[name].write(everything(), Request(tmp_path / place / "out", DATED))
    assert bytes_of(tmp_path / "a" / "out") == bytes_of(tmp_path / "b" / "out")


@pytest.mark.parametrize("name", MACHINE_FORMS)
def test_no_answers_are_an_empty_file_or_refused_with_the_reason(name, tmp_path):
    request = Request(tmp_path / "out", DATED)
    if name == "camtrap-dp":  # a package without a deployment is none
        with pytest.raises(HolotypeError, match="no answer can be"):
            MACHINE_FORMS[name].write(table(failed("a")), request)
        assert list(tmp_path.iterdir()) == []
        return
    done = MACHINE_FORMS[name].write(table(failed("a")), request)
    assert done.answers + sum(done.left_out.values()) == 1
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("name", MACHINE_FORMS)
def test_an_empty_folder_is_filled_or_refused(name, tmp_path):
    request = Request(tmp_path / "out", DATED)
    request.out.mkdir()
    if name in FOLDERS:
        MACHINE_FORMS[name].write(everything(), request)
        assert list(request.out.iterdir())
    else:
        with pytest.raises(HolotypeError, match="this format is one file"):
            MACHINE_FORMS[name].write(everything(), request)
        assert list(request.out.iterdir()) == []


@pytest.mark.parametrize("name", MACHINE_FORMS)
def test_a_write_that_fails_leaves_nothing(name, tmp_path, monkeypatch):
    """The disk is full when the file is to get its name."""

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        MACHINE_FORMS[name].write(everything(), Request(tmp_path / "out", DATED))
    assert list(tmp_path.iterdir()) == []
