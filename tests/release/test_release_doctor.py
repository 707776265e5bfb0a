"""The command doctor: it looks at all that the package asks for, and says what is wrong and what mends it."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from holotype import diagnosis
from holotype.models import bundle

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


def names(lines):
    return {re.match(r"[\w.-]+", line)[0] for line in lines}


def checks():
    return {check.name: check for check in diagnosis.doctor().checks}


@pytest.fixture
def few(monkeypatch):
    """Looks at two libraries only, which are loaded already."""
    monkeypatch.setattr(diagnosis, "NEEDED", {"numpy": "numpy", "torch": "torch"})


def test_everything_that_is_asked_for_is_looked_at():
    assert set(diagnosis.NEEDED.values()) == names(PROJECT["dependencies"])
    extras = set(PROJECT["optional-dependencies"]) - {"dev"}
    assert set(diagnosis.EXTRAS) == extras
    for extra in extras:
        brought = names(PROJECT["optional-dependencies"][extra])
        assert len(diagnosis.EXTRAS[extra]) == len(brought)


def test_this_machine_is_fit(few):
    found = checks()
    assert [check for check in found.values() if not check.good] == []
    assert re.fullmatch(r"[\da-f]{16} computes what it should", found["the starter"].found)
    assert re.search(r"CPU with \d+ threads", found["devices"].found)


def test_a_library_that_is_too_old_is_told_with_what_mends_it(few, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.9.9")
    found = checks()["numpy"]
    assert not found.good
    assert found.found == "1.9.9, but 2.0 is needed: pip install 'numpy>=2.0'"
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.10.0+cpu")
    assert checks()["numpy"].good


def test_an_extra_that_is_not_there_is_told_and_no_fault(few, monkeypatch):
    monkeypatch.setattr(diagnosis, "EXTRAS", {"fast": ("numpy", "no_such_module")})
    found = checks()["extra fast"]
    assert found.good
    assert found.found == "not installed (no_such_module): pip install 'holotype[fast]'"


def test_a_folder_of_models_that_is_none_is_told(few, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("HOLOTYPE_MODELS", str(tmp_path / "file" / "models"))
    found = checks()["fetched models"]
    assert not found.good
    assert "set HOLOTYPE_MODELS" in found.found


def test_a_machine_that_computes_something_else_is_told(few, monkeypatch):
    monkeypatch.setattr(bundle, "golden_outputs", lambda _: {"image": [[1.0] * 256] * 2})
    found = checks()["the starter"]
    assert not found.good
    assert "its image tower computes something else" in found.found
