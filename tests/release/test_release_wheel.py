"""The wheel: it holds what it needs and no more, and runs where only its own requirements can be imported."""

import csv
import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from holotype._version import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "holotype"
WITHOUT = '''
import sys
from importlib.machinery import PathFinder
target, refused = sys.argv[1], frozenset(sys.argv[2].split())

class Required(PathFinder):
    """Finds no module of what the wheel does not ask for, as if it were not installed."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in refused else super().find_spec(name, path, target)

sys.meta_path[:] = [*sys.meta_path[:sys.meta_path.index(PathFinder)], Required]
sys.path.insert(0, target)
import holotype
assert holotype.__file__.startswith(target), holotype.__file__
sys.argv = ["holotype", *sys.argv[3:]]
'''
RUN = WITHOUT + "from holotype.cli.app import main; main()"
IMPORT_ALL = WITHOUT + (
    "import importlib, pkgutil\n"
    "found = [m.name for m in pkgutil.walk_packages(holotype.__path__, 'holotype.')]\n"
    "for name in found:\n"
    "    if not name.endswith('__main__'): importlib.import_module(name)\n"
    "print(len(found))"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, ROOT)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", target, wheel)
    return target


def pip(command, *words):
    line = [sys.executable, "-m", "pip", command, "--quiet", "--no-index", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def required(wheel: Path) -> set[str]:
    """Returns the distributions that the wheel needs, and those that they need, without its extras."""
    with zipfile.ZipFile(wheel) as zipped:
        (name,) = (one for one in zipped.namelist() if one.endswith(".dist-info/METADATA"))
        told = importlib.metadata.PathDistribution(zipfile.Path(zipped, name).parent)
        asked = list(wanted(told.requires or (), frozenset()))
    done: set[tuple[str, frozenset[str]]] = set()
    while asked:
        one = asked.pop()
        if one not in done:
            done.add(one)
            name, extras = one
            asked += wanted(importlib.metadata.requires(name) or (), extras)
    return {name for name, _ in done}


def wanted(lines, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in lines:
        needed = Requirement(line)
        if needed.marker is None or any(
            needed.marker.evaluate({"extra": extra}) for extra in (extras or {""})
        ):
            yield canonicalize_name(needed.name), frozenset(needed.extras)


def not_required(wheel: Path) -> list[str]:
    """Returns the modules that are installed here and belong to nothing that the wheel needs."""
    needed = required(wheel)
    tops = importlib.metadata.packages_distributions()
    return [
        top
        for top, owners in sorted(tops.items())
        if top != "holotype" and not needed & {canonicalize_name(owner) for owner in owners}
    ]


def run(installed: Path, wheel: Path, code: str, *words: object, cwd: Path):
    refused = " ".join(not_required(wheel))
    return subprocess.run(
        [sys.executable, "-c", code, str(installed), refused, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as zipped:
        names = set(zipped.namelist())
    ours = {
        f"holotype/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    recipes = {
        f"holotype/recipes/{path.relative_to(ROOT / 'recipes').as_posix()}"
        for path in (ROOT / "recipes").rglob("*.toml")
    }
    of_wheel = {
        f"holotype-{__version__}.dist-info/{name}"
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }
    assert names == ours | recipes | of_wheel
    for needed in ("py.typed", "starter/model.safetensors", "page/page.css", "simulate/taxa.tsv"):
        assert f"holotype/{needed}" in names
    assert wheel.stat().st_size < 15_000_000


@pytest.mark.slow
def test_what_is_needed_for_work_on_it_is_kept_out(wheel):
    refused = not_required(wheel)
    assert {"pytest", "hypothesis", "openvino", "ray", "transformers", "open_clip"} <= set(refused)
    assert not {"torch", "numpy", "pyarrow", "timm", "nicegui", "daft"} & set(refused)


@pytest.mark.slow
def test_every_module_is_imported_with_its_requirements_alone(installed, wheel, tmp_path):
    done = run(installed, wheel, IMPORT_ALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 300


@pytest.mark.slow
def test_the_installed_wheel_says_names_and_answers(installed, wheel, tmp_path, png):
    told = run(installed, wheel, RUN, "--help", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "predict" in told.stdout
    checked = run(installed, wheel, RUN, "doctor", "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert all(check["good"] for check in json.loads(checked.stdout)["checks"])
    (tmp_path / "one.png").write_bytes(png(1))
    named = run(
        installed, wheel, RUN, "predict", "starter", "one.png", "--out", "a.csv", cwd=tmp_path
    )
    assert named.returncode == 0, named.stderr
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert row["label"]
    assert not row["failure"]
    recipe = run(installed, wheel, RUN, "train", "trimodl", "--collection", "c", "--split", "s", "--out", "o",
                 cwd=tmp_path)  # fmt: skip
    assert recipe.returncode == 2
    assert re.search("Did you mean 'trimodal'", recipe.stderr)
