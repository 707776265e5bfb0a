"""Whatever is read: damaged and malicious input is refused in words, in bounded time and memory.

The quick run reads some changed inputs a reader; the slow one (``make test-all``) gives each 12 seconds, or
as many as ``HOLOTYPE_FUZZ_SECONDS`` says. ``HOLOTYPE_FUZZ_SEED`` changes the inputs. What was found lies in
test_fuzz_found.py.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fuzz_readers import READERS

from holotype.collection.sources import SHIPPED

HERE = Path(__file__).parent
INPUTS = 200
SEED = os.environ.get("HOLOTYPE_FUZZ_SEED", "0")
SECONDS = os.environ.get("HOLOTYPE_FUZZ_SECONDS", "12")

LEFT: dict[str, str] = {}
"""What is known and not yet mended, by reader."""

Told = Mapping[str, Any]


def run(readers: Sequence[str], folder: Path, *words: str) -> dict[str, Told]:
    """Fuzzes readers in a process of their own; where it ends early, its last reader has a fault."""
    left, found = list(readers), {}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    while left:
        command = [
            sys.executable,
            str(HERE / "fuzz_running.py"),
            ",".join(left),
            str(folder),
            *words,
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        ended = [name for name in left if (folder / f"{name}.json").is_file()]
        found |= {name: json.loads((folder / f"{name}.json").read_text()) for name in ended}
        left = left[len(ended) :]
        if left:
            ending = {"trace": done.stderr[-6000:], "files": str(folder / left[0] / "input")}
            found[left[0]] = {
                "inputs": 0,
                "refused": 0,
                "faults": {f"ended with {done.returncode}": ending},
            }
            left = left[1:]
    return found


def check(told: Told) -> None:
    """Fails with every fault and its input."""
    said = [
        f"{fault}\n{about['trace']}\ninput (base64): {json.dumps(about['files'])[:20_000]}"
        for fault, about in told["faults"].items()
    ]
    assert not said, "\n\n".join(said)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What the quick run found, by reader."""
    return run(
        list(READERS), tmp_path_factory.mktemp("fuzz"), "--inputs", str(INPUTS), "--seed", SEED
    )


ALL = [
    pytest.param(name, marks=pytest.mark.xfail(reason=LEFT[name])) if name in LEFT else name
    for name in READERS
]


@pytest.mark.parametrize("name", ALL)
def test_changed_inputs_are_read_or_refused(name: str, quick: dict[str, Told]) -> None:
    check(quick[name])
    assert quick[name]["inputs"] >= 20
    # changes that are all refused at the door, or all taken, would prove little
    assert quick[name]["refused"] < quick[name]["inputs"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_for_long(name: str, tmp_path: Path) -> None:
    (told,) = run([name], tmp_path, "--seconds", SECONDS, "--seed", SEED).values()
    check(told)


def test_every_kind_of_input_is_fuzzed() -> None:
    assert {f"source-{source.name}" for source in SHIPPED} <= set(READERS)


PLANTED = """
import ctypes, os, sys, time
from pathlib import Path
from holotype.errors import SourceError
from fuzz_running import Reader

def seeds(folder):
    return [{"x": b"1234567890"}]

def reader(name, act):
    def read(folder):
        if {path.name: path.read_bytes() for path in folder.iterdir()} != seeds(folder)[0]:
            act()
    return Reader(name, seeds, read, most_bytes=64 << 20, most_cpu_seconds=0.2)

def refuse():
    raise SourceError("x: bad. Mend it.")

def spin():
    began = time.process_time()
    while time.process_time() - began < 0.4:
        pass

READERS = {r.name: r for r in (
    reader("good", refuse), reader("lacks", lambda: {}["model"]), reader("dies", lambda: os._exit(9)),
    reader("large", lambda: bytearray(b"x" * (128 << 20))), reader("endless", lambda: bytearray(1 << 34)),
    reader("slow", spin),
)}
"""


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("good", None),
        ("lacks", "KeyError"),
        ("dies", "ended with 9"),
        ("large", "memory"),
        ("endless", "MemoryError"),
        ("slow", "slow"),
    ],
)
def test_the_check_can_fail(
    name: str, fault: str | None, tmp_path: Path, planted: Callable[[str], dict[str, Told]]
) -> None:
    faults = list(planted(name)[name]["faults"])
    assert len(faults) == (fault is not None)
    assert fault is None or faults[0].startswith(fault)


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Told]]:
    """Fuzzes one of the planted readers."""
    (tmp_path / "planted_readers.py").write_text(PLANTED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def fuzz(name: str) -> dict[str, Told]:
        return run([name], tmp_path, "--inputs", "3", "--table", "planted_readers")

    return fuzz
