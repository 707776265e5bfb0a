"""What a kill at any moment leaves: the states of a folder between the calls of an operation that change it.

A process that is killed leaves exactly what the calls before made, and perhaps a part of the one at hand.
So an operation is run once, traced, and the folder is copied before each call; a write also half done. Each
state is then put back, read with the readers of the package, and the operation is run again.
"""

import hashlib
import importlib
import multiprocessing
import os
import random
import re
import shutil
import signal
import stat
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import faults_tracing
from faults_server import SERVER
from faults_tracing import Call, KillError, Point

Given = Mapping[str, Path]
"""What operations read and never change, by name."""
ACKNOWLEDGED = "acknowledged"
"""The file, beside the artefact, in which an operation notes what it was told is safe."""
SEED = 7


@dataclass(frozen=True)
class Entry:
    """A file, folder or link: what is in it; None for a folder."""

    content: bytes | None
    mode: int
    time_ns: int
    is_link: bool = False


Tree = dict[str, Entry]


def tree_of(place: Path, known: dict[bytes, bytes] | None = None) -> Tree:
    """Returns all that is below a folder; equal contents are one object."""
    known = {} if known is None else known
    found: Tree = {}
    folders = [place]
    while folders:
        for one in os.scandir(folders.pop()):
            about = one.stat(follow_symlinks=False)
            if one.is_symlink():
                content: bytes | None = os.fsencode(Path(one.path).readlink())
            elif one.is_dir():
                folders.append(Path(one.path))
                content = None
            else:
                content = Path(one.path).read_bytes()
                content = known.setdefault(content, content)
            name = os.path.relpath(one.path, place)
            mode = stat.S_IMODE(about.st_mode)
            found[name] = Entry(content, mode, about.st_mtime_ns, one.is_symlink())
    return dict(sorted(found.items()))


def put_back(tree: Tree, place: Path) -> None:
    """Makes a folder hold a tree and nothing else."""
    for one in list(os.scandir(place)):
        if one.is_dir(follow_symlinks=False):
            shutil.rmtree(one.path)
        else:
            Path(one.path).unlink()
    for name, entry in tree.items():
        path = place / name
        if entry.is_link:
            path.symlink_to(os.fsdecode(entry.content or b""))
        elif entry.content is None:
            path.mkdir()
        else:
            path.write_bytes(entry.content)
            path.chmod(entry.mode)
    for name, entry in reversed(tree.items()):
        if not entry.is_link:
            os.utime(place / name, ns=(entry.time_ns, entry.time_ns))


def contents(tree: Tree) -> dict[str, bytes | None]:
    """Returns what is in each file, without times and modes."""
    return {name: entry.content for name, entry in tree.items()}


@dataclass(frozen=True)
class Crash:
    """The folder as a kill leaves it.

    Attributes:
        number: of the point, from 0.
        point: the call that was not made; None after the last one.
        is_half: whether half of that call was made.
        tree: the folder.
    """

    number: int
    point: Point | None
    is_half: bool
    tree: Tree

    def __str__(self) -> str:
        if self.point is None:
            return "after the last call"
        how = "half-way through" if self.is_half else "before"
        target = f" to {self.point.target}" if self.point.target else ""
        return f"{how} call {self.number}, {self.point.call} {self.point.path}{target}"


@dataclass(frozen=True)
class Operation:
    """Something that writes, and what must hold of what it wrote.

    Attributes:
        run: does it: the folder, and what is given.
        read: returns what the readers of the package find, None where they find nothing whole; they may raise
            errors of ours alone.
        prepare: makes what is there before.
        is_log: whether it grows: what was acknowledged is there, and all of it is the beginning of the whole.
        again: how it is done again; by default as the first time.
        volatile: names, as a regular expression, of files that hold times and the like, and are not compared.
        plain: what is compared of a file of that name, in the place of its bytes.
        differs_twice: whether done twice it leaves something else: a further note, another name.
        quick: how many states the quick tests try; 0 for none of it.
        most: how many the slow tests try, where each takes long; None for all.
    """

    run: Callable[[Path, Given], None]
    read: Callable[[Path, Given], Any]
    prepare: Callable[[Path, Given], None] | None = None
    is_log: bool = False
    again: Callable[[Path, Given], None] | None = None
    volatile: str = r"(?!)"
    plain: Callable[[str, bytes], Any] | None = None
    differs_twice: bool = False
    quick: int = 0
    most: int | None = None


@dataclass
class Campaign:
    """What became of all states of an operation.

    Attributes:
        points: the calls that change the disk, in order.
        states: how many states differ.
        tried: how many of them were put back.
        found: by what the readers found.
        faults: what should not have been.
        unflushed: files that got their name before they were safe on disk.
        blind: files that were mapped to be written, which is not seen.
    """

    points: list[Point] = field(default_factory=list)
    states: int = 0
    tried: int = 0
    found: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unflushed: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)


def crashes_of(run: Callable[[], None], place: Path) -> tuple[int, list[Crash]]:
    """Returns the exit status of a run, and the folder before each call and half-way through writes."""
    known: dict[bytes, bytes] = {}
    found: list[Crash] = []

    def see(point: Point) -> None:
        tree = tree_of(place, known)
        number = sum(not one.is_half for one in found)
        found.append(Crash(number, point, False, tree))
        if half := _half_written(tree, point):
            found.append(Crash(number, point, True, half))

    status = faults_tracing.traced(run, place, see)
    found.append(Crash(len(found), None, False, tree_of(place, known)))
    return status, found


def _half_written(tree: Tree, point: Point) -> Tree | None:
    """Returns a tree with half of a write in it; None where there is no half."""
    if point.call is not Call.WRITE or len(point.content or b"") < 2 or point.path not in tree:
        return None
    assert point.content is not None
    entry = tree[point.path]
    before = entry.content or b""
    start = len(before) if point.offset is None else point.offset
    half = point.content[: len(point.content) // 2]
    content = before[:start].ljust(start, b"\0") + half + before[start + len(half) :]
    return {**tree, point.path: replace(entry, content=content)}


def distinct(crashes: list[Crash]) -> list[Crash]:
    """Returns the crashes that leave other contents than those before them."""
    seen: set[str] = set()
    found = []
    for crash in crashes:
        digest = hashlib.sha256()
        for name, content in contents(crash.tree).items():
            told = b"folder" if content is None else hashlib.sha256(content).digest()
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + told)
        if digest.hexdigest() not in seen:
            seen.add(digest.hexdigest())
            found.append(crash)
    return found


def telling(crashes: list[Crash], volatile: str) -> list[Crash]:
    """Returns the crashes without most of those in the middle of a file that nobody reads.

    Of the writes, one after the other, to one file that has no name of its own yet, or is not compared, the
    first, one in the middle and the last are kept.
    """
    unread = re.compile(rf"\.part|{volatile}").search

    def path_of(crash: Crash) -> str | None:
        point = crash.point
        return point.path if point and point.call is Call.WRITE and unread(point.path) else None

    found: list[Crash] = []
    for path, group in groupby(crashes, key=path_of):
        one = list(group)
        found += one if path is None or len(one) < 4 else [one[0], one[len(one) // 2], one[-1]]
    return found


def campaign(operation: Operation, place: Path, given: Given, *, most: int | None) -> Campaign:
    """Runs an operation undisturbed, then from each state that a kill may leave; in a process of its own.

    Args:
        operation: what is done.
        place: an empty folder.
        given: what it reads.
        most: so many states are tried, drawn by a seed; None for all.
    """
    found = SERVER.ask(_campaign, operation, place, given, most)
    assert isinstance(found, Campaign)
    return found


def _campaign(operation: Operation, place: Path, given: Given, most: int | None) -> Campaign:
    log = place.with_name(f"{place.name}.log")
    if operation.prepare is not None:
        _in_child(lambda: operation.prepare(place, given), log)
    before = tree_of(place)

    def first() -> Any:
        old = operation.read(place, given)
        operation.run(place, given)
        return old, operation.read(place, given), sorted(sys.modules)

    old, new, modules = _in_child(first, log)
    for name in modules:  # so that no child has to
        if name.partition(".")[0] in {*_known_packages(), "holotype"}:
            with _quiet():
                importlib.import_module(name)
    whole = tree_of(place)
    put_back(before, place)
    with _said_in(log):
        status, crashes = crashes_of(lambda: operation.run(place, given), place)
    made = Campaign([one.point for one in crashes if one.point is not None and not one.is_half])
    if status:
        made.faults.append(f"the traced run ended with {status}: {_tail(log)}")
        return made
    made.blind = sorted({one.path for one in made.points if one.call is Call.MAP})
    made.unflushed = unflushed(made.points)
    made.faults += differences(operation, whole, crashes[-1].tree, "traced, not killed")
    states = telling(distinct(crashes), operation.volatile)
    made.states = len(states)
    chosen = states
    if most is not None and most < len(states):
        at = sorted(random.Random(SEED).sample(range(len(states)), most))
        chosen = [states[one] for one in at]
    made.tried = len(chosen)
    for crash in chosen:
        try:
            found, faults = _tried(operation, place, given, crash, (old, new), whole, log)
        except ChildError as reason:
            made.faults.append(f"{crash}: {reason}")
            continue
        made.found[found] = made.found.get(found, 0) + 1
        made.faults += [f"{crash}: {one}" for one in faults]
    return made


def _tried(
    operation: Operation, place: Path, given: Given, crash: Crash, ends: tuple[Any, Any], whole: Tree,
    log: Path,
) -> tuple[str, list[str]]:  # fmt: skip
    """Returns what the readers find after a crash, and what is wrong with it or with going on from there."""
    put_back(crash.tree, place)
    old, new = ends
    is_new = False

    def go_on() -> tuple[Any, str | None]:
        from holotype.errors import HolotypeError

        found = operation.read(place, given)
        try:
            (operation.again or operation.run)(place, given)
        except HolotypeError as reason:
            if found != new:
                raise
            return found, str(reason)  # it is whole, and is not written over
        return found, None

    found, refused = _in_child(go_on, log)
    faults = []
    if operation.is_log:
        name, wrong = _of_log(found, new, crash.tree)
        faults += wrong
    else:
        is_new = found == new
        name = "new" if is_new else "old" if found == old else "absent" if found is None else "half"
        if name == "half":
            faults.append(f"the readers take this for whole: {str(found)[:300]}")
        elif name == "absent":
            faults.append("what was there before is gone")
    if refused is None:
        other = differences(operation, whole, tree_of(place), "done again")
        # what is done may note that it was done twice; what was left unfinished goes all the same
        lost = "" if operation.differs_twice else r"is missing$|"
        unfinished = re.compile(rf"{lost}\.part[ /].*left over$").search
        faults += [one for one in other if not is_new or unfinished(one)]
    return name, faults


def _of_log(found: Any, new: Any, tree: Tree) -> tuple[str, list[str]]:
    entry = tree.get(ACKNOWLEDGED)
    told = (entry.content or b"").count(b"\n") if entry is not None else 0
    rows = list(found or [])
    faults = []
    if rows != list(new)[: len(rows)]:
        faults.append(f"the log holds what nobody wrote: {rows[-2:]}"[:400])
    if len(rows) < told:
        faults.append(f"{told} were acknowledged, {len(rows)} are there")
    return f"{len(rows)} of {len(new)}", faults


def differences(operation: Operation, whole: Tree, made: Tree, when: str) -> list[str]:
    """Returns what of an artefact is not as an undisturbed run left it."""
    is_volatile = re.compile(operation.volatile).search
    plain = operation.plain or (lambda name, content: content)
    ours, theirs = (
        {n: plain(n, c) if c is not None else None for n, c in contents(tree).items() if not is_volatile(n)}
        for tree in (whole, made)
    )  # fmt: skip
    missing = sorted(ours.keys() - theirs.keys())
    more = sorted(theirs.keys() - ours.keys())
    other = sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])
    return [
        f"{when}: {name} {what}"
        for what, names in (("is missing", missing), ("is left over", more), ("has other bytes", other))
        for name in names
    ]  # fmt: skip


def unflushed(points: list[Point]) -> list[str]:
    """Returns the files that were renamed with bytes that nobody had flushed to disk."""
    dirty: set[str] = set()
    found = []
    for point in points:
        if point.call in (Call.MAKE, Call.WRITE, Call.CUT):
            dirty.add(point.path)
        elif point.call is Call.FLUSH:
            dirty.discard(point.path)
        elif point.call is Call.REMOVE:
            dirty -= {one for one in dirty if f"{one}/".startswith(f"{point.path}/")}
        elif point.call is Call.RENAME:
            if ".part" in (point.target or ""):
                continue  # of a library: it is flushed under that name
            moved = {one for one in dirty if f"{one}/".startswith(f"{point.path}/")}
            found += [f"{one} as {point.target}" for one in sorted(moved)]
            dirty -= moved
    return found


class ChildError(Exception):
    """What went wrong in a child, in its own words."""


def _in_child(act: Callable[[], Any], log: Path) -> Any:
    """Returns what a function returns in a fork of this process; what it prints goes to a file."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        ours.close()
        try:
            with _said_in(log):
                theirs.send((True, act()))
        except BaseException:  # noqa: BLE001 - the end of a process: its parent raises what is said
            theirs.send((False, traceback.format_exc(limit=-4)))
        finally:
            os._exit(0)
    theirs.close()
    try:
        is_fine, found = ours.recv()
    except EOFError:
        is_fine, found = False, f"the process died: {_tail(log)}"
    os.waitpid(child, 0)
    if not is_fine:
        raise ChildError(found)
    return found


class _said_in:  # noqa: N801 - reads as a with statement
    """Sends what this process prints into a file, for a while."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __enter__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._kept = [os.dup(number) for number in (1, 2)]
        into = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number in (1, 2):
            os.dup2(into, number)
        os.close(into)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, number)
            os.close(kept)


class _quiet:  # noqa: N801 - reads as a with statement
    """Passes over modules that can only be imported by others."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, Exception)


def _known_packages() -> Iterator[str]:
    yield from (
        "torch",
        "pyarrow",
        "sklearn",
        "scipy",
        "numpy",
        "cv2",
        "PIL",
        "safetensors",
        "faiss",
    )
    yield from ("h5py", "plotly", "mlcroissant", "rapidfuzz", "edlib", "dnaio", "pandas")


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-1500:] if log.is_file() else ""


def killed_everywhere(operation: Operation, place: Path, given: Given) -> int:
    """Kills an operation with SIGKILL at each of its calls in turn; returns how many there are.

    Raises:
        AssertionError: where a kill leaves something else than what is kept at that call.
    """
    log = place.with_name(f"{place.name}.log")
    if operation.prepare is not None:
        _in_child(lambda: operation.prepare(place, given), log)
    before = tree_of(place)

    def run() -> None:
        operation.run(place, given)

    with _said_in(log):
        _, crashes = crashes_of(run, place)
        whole = [one for one in crashes if not one.is_half and one.point is not None]
        for number, crash in enumerate(whole):
            put_back(before, place)
            status = killed_at(run, place, number)
            assert os.WIFSIGNALED(status), crash
            assert os.WTERMSIG(status) == signal.SIGKILL, crash
            assert _comparable(tree_of(place)) == _comparable(crash.tree), crash
    return len(whole)


def _comparable(tree: Tree) -> list[tuple[str, Any]]:
    """Returns what is in a tree, without the process and the moment."""
    moment = rb"\d{4}-\d\d-\d\dT[0-9:.+]+"
    return sorted(
        (re.sub(r"\d{24}\.part", "part", name), content and re.sub(moment, b"", content))
        for name, content in contents(tree).items()
    )


def killed_at(run: Callable[[], None], place: Path, number: int) -> int:
    """Kills a traced run with SIGKILL before its call of a number; returns the exit status."""
    seen = iter(range(1 << 30))

    def see(point: Point) -> None:
        if next(seen) == number:
            raise KillError

    return faults_tracing.traced(run, place, see)
