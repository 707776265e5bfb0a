"""Reads changed inputs in a process of its own with bounds, and says what should not have been.

Run as a program: ``python fuzz_running.py READER,READER FOLDER (--inputs N | --seconds S) [--seed K]``. It
writes one file a reader into the folder. The input that is being read lies in ``FOLDER/READER/input``, so
that it is there also where the process ends with it.
"""

import argparse
import base64
import faulthandler
import gc
import importlib
import json
import random
import resource
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_mutations import Files, change_files

MOST_SECONDS = 20.0
"""An input that takes longer ends the process: wall clock, as a machine may be busy."""
MOST_CPU_SECONDS = 4.0
"""Of one input."""
MOST_BYTES = 1280 << 20
"""By which the memory in use may grow while one input is read: an image may have 200 million pixels."""
MOST_ADDRESSES = 6 << 30
"""By which the address space may grow at all: what asks for more gets a ``MemoryError``."""
MOST_POOL = 40


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        name: of the reader.
        seeds: makes good inputs; it may use a folder.
        read: reads an input to its end; ``HolotypeError`` is the only error that it may raise.
        tokens: words of the format.
        most_bytes: by which the memory in use may grow.
        cost: how many inputs the quick run gives it, of the usual number.
        most_cpu_seconds: that one input may take.
        changes: what changes an input.
    """

    name: str
    seeds: Callable[[Path], list[Files]]
    read: Callable[[Path], Any]
    tokens: tuple[bytes, ...] = ()
    most_bytes: int = MOST_BYTES
    cost: float = 1.0
    most_cpu_seconds: float = MOST_CPU_SECONDS
    changes: Callable[[random.Random, Files, Sequence[bytes]], Files] = change_files


def lay(files: Files, folder: Path) -> bool:
    """Writes the files of an input into an empty folder; returns whether their names can be written."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except (OSError, ValueError):
            return False
    return True


def written(folder: Path) -> dict[str, str]:
    """Returns an input as it lies in a folder, in base64."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): base64.b64encode(path.read_bytes()).decode()
        for path in found
    }


def _peak() -> int:
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) << 10
    return 0


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _where(raised: BaseException) -> str:
    """Returns the innermost place in the package, and in all."""
    frames = traceback.extract_tb(raised.__traceback__)
    ours = [f for f in frames if "/holotype/" in f.filename and "/tests/" not in f.filename]
    inner = ours[-1] if ours else frames[-1]
    return f"{inner.filename.rpartition('/holotype/')[2]}:{inner.lineno}"


def one(reader: Reader, folder: Path) -> tuple[str, str, str] | None:
    """Reads one input; returns kind, place and traceback of a fault, ("", "", "") where it was refused."""
    from holotype.errors import HolotypeError

    try:
        _forget_peak()
        before = _peak()
        is_measured = True
    except OSError:
        is_measured, before = False, 0
    began = time.process_time()
    found: tuple[str, str, str] | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(folder)
    except HolotypeError:
        found = ("", "", "")
    except BaseException as raised:
        if isinstance(raised, KeyboardInterrupt):
            raise
        found = (
            type(raised).__name__,
            _where(raised),
            "".join(traceback.format_exception(raised))[-6000:],
        )
    took = time.process_time() - began
    if took > reader.most_cpu_seconds:
        return ("slow", reader.name, f"{took:.1f} s")
    if is_measured and (grown := _peak() - before) > reader.most_bytes:
        return ("memory", reader.name, f"{grown >> 20} MiB")
    return found


def fuzz(
    reader: Reader, folder: Path, *, inputs: int | None, seconds: float | None, seed: int
) -> dict[str, Any]:
    """Returns how many inputs were read and refused, and each fault once, with its input."""
    draw = random.Random(f"{seed}/{reader.name}")
    place = folder / reader.name / "input"
    shutil.rmtree(folder / reader.name, ignore_errors=True)
    (folder / reader.name).mkdir(parents=True)
    began, cpu = time.monotonic(), time.process_time()
    seeds = reader.seeds(folder / reader.name)
    told: dict[str, Any] = {"reader": reader.name, "inputs": 0, "refused": 0, "faults": {}}
    for number, files in enumerate(seeds):
        assert lay(files, place), (reader.name, number)
        one(reader, place)  # what it imports is no part of what an input costs
        if (found := one(reader, place)) is not None:
            reader.read(place)
            raise AssertionError(f"{reader.name}: seed {number} is not read: {found}")
    pool = list(seeds)
    while (inputs is not None and told["inputs"] < inputs) or (
        seconds is not None and time.monotonic() - began < seconds
    ):
        files = draw.choice(pool if draw.random() < 0.5 else seeds)
        changed = reader.changes(draw, files, reader.tokens)
        if not lay(changed, place):
            continue
        faulthandler.dump_traceback_later(MOST_SECONDS, exit=True)
        found = one(reader, place)
        faulthandler.cancel_dump_traceback_later()
        told["inputs"] += 1
        if found is None:
            if len(pool) < MOST_POOL + len(seeds):
                pool.append(changed)
            else:
                pool[draw.randrange(len(seeds), len(pool))] = changed
        elif found[0]:
            key = f"{found[0]} {found[1]}"
            if key not in told["faults"]:
                told["faults"][key] = {"trace": found[2], "files": written(place)}
        else:
            told["refused"] += 1
        if told["inputs"] % 200 == 0:
            gc.collect()
    told["seconds"] = round(time.monotonic() - began, 1)
    told["cpu_seconds"] = round(time.process_time() - cpu, 1)
    shutil.rmtree(folder / reader.name, ignore_errors=True)
    return told


def main() -> None:
    """Reads the command line, and fuzzes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("readers")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inputs", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", default="fuzz_readers")
    asked = parser.parse_args()
    table = importlib.import_module(asked.table).READERS
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + MOST_ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in asked.readers.split(","):
        reader = table[name]
        inputs = None if asked.inputs is None else max(1, int(asked.inputs * reader.cost))
        told = fuzz(reader, asked.folder, inputs=inputs, seconds=asked.seconds, seed=asked.seed)
        (asked.folder / f"{name}.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    faulthandler.enable()
    main()
