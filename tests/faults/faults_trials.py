"""Operations where they may not write, two at once, and when the clock goes back: in forks of the server."""

import ctypes
import datetime
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults_states import (
    ChildError,
    Given,
    Operation,
    Tree,
    _in_child,
    contents,
    differences,
    put_back,
    tree_of,
)

_CAPABILITIES = 0x20080522


def as_anybody() -> None:
    """Makes this process obey modes of files, as that of any user does: root without the rights of root."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    if libc.capset(head, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")


def is_kept_out(folder: Path) -> bool:
    """Returns whether a process without rights is kept from writing into a folder of mode 555."""
    folder.mkdir()
    folder.chmod(0o555)

    def act() -> bool:
        as_anybody()
        try:
            (folder / "x").touch()
        except PermissionError:
            return True
        return False

    return bool(_in_child(act, folder.with_name("log")))


def _undisturbed(
    operation: Operation, place: Path, given: Given, log: Path
) -> tuple[Tree, Tree, Any]:
    """Returns the folder before and after, and what the readers find after."""
    if operation.prepare is not None:
        _in_child(lambda: operation.prepare(place, given), log)
    before = tree_of(place)

    def act() -> Any:
        operation.run(place, given)
        return operation.read(place, given)

    new = _in_child(act, log)
    whole = tree_of(place)
    put_back(before, place)
    return before, whole, new


def read_only(operation: Operation, place: Path, given: Given) -> tuple[str, list[str]]:
    """Returns what an operation says where it may not write, and what is wrong with that or afterwards."""
    log = place.with_name(f"{place.name}.log")
    before, whole, _ = _undisturbed(operation, place, given, log)
    folders = [place, *(place / name for name, entry in before.items() if entry.content is None)]
    names = [place / name for name, entry in before.items() if entry.content is not None]
    for path in (*names, *folders):
        path.chmod(path.stat().st_mode & 0o555)

    def act() -> str:
        from holotype.errors import HolotypeError

        as_anybody()
        try:
            operation.run(place, given)
        except (HolotypeError, OSError) as reason:
            return f"{type(reason).__name__}: {reason}"
        return "done"

    said = _in_child(act, log)
    faults = []
    if said == "done":
        faults.append("it says that it is done")
    if str(place) not in said:
        faults.append(f"it does not say where: {said}")
    if contents(tree_of(place)) != contents(before):
        faults.append("the folder is changed")
    for path in (*folders, *names):
        path.chmod(path.stat().st_mode | 0o200)
    _in_child(lambda: operation.run(place, given), log)
    return said, faults + differences(operation, whole, tree_of(place), "done afterwards")


def together(operation: Operation, place: Path, given: Given) -> tuple[list[str], list[str]]:
    """Returns what became of two processes that begin at once, and what is wrong with what they leave."""
    log = place.with_name(f"{place.name}.log")
    _, whole, new = _undisturbed(operation, place, given, log)
    ready, go = os.pipe()
    pids, outs = [], []
    for number in range(2):
        out = place.with_name(f"{place.name}.{number}")
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)  # until the other end is closed
            out.write_text(_outcome(operation, place, given, log))
            os._exit(0)
        pids.append(child)
        outs.append(out)
    os.close(go)
    os.close(ready)
    for pid in pids:
        os.waitpid(pid, 0)
    told = [out.read_text() if out.exists() else "died" for out in outs]
    faults = [one for one in told if not one.startswith(("done", "refused"))]
    if not any(one == "done" for one in told):
        faults.append("neither of them was done")
    found, left = _in_child(lambda: operation.read(place, given), log), tree_of(place)
    if operation.differs_twice and told == ["done", "done"]:  # one after the other
        put_back(whole, place)
        _in_child(lambda: operation.run(place, given), log)
        new, whole = _in_child(lambda: operation.read(place, given), log), tree_of(place)
    if found != new:
        faults.append(f"the readers find something else: {str(found)[:200]}")
    return told, faults + differences(operation, whole, left, "at once")


def _outcome(operation: Operation, place: Path, given: Given, log: Path) -> str:
    from faults_states import _said_in

    from holotype.errors import HolotypeError

    try:
        with _said_in(log):
            operation.run(place, given)
    except HolotypeError as reason:
        return f"refused: {reason}"
    except BaseException:  # noqa: BLE001 - what it is, is told
        return traceback.format_exc(limit=-5)
    return "done"


class BackwardClock:
    """A clock of which each look is an hour before the last one."""

    def __init__(self) -> None:
        self._at = 2_000_000_000.0

    def __call__(self) -> float:
        self._at -= 3_600
        return self._at


def clock_goes_back(operation: Operation, place: Path, given: Given) -> list[str]:
    """Returns what is wrong with an operation, done in two goes, while the clock goes back."""
    log = place.with_name(f"{place.name}.log")
    _, whole, new = _undisturbed(operation, place, given, log)

    def act() -> Any:
        _set_clock(BackwardClock())
        operation.run(place, given)
        return operation.read(place, given)

    found = _in_child(act, log)
    faults = [] if found == new else [f"the readers find something else: {str(found)[:300]}"]
    return faults + differences(operation, whole, tree_of(place), "by that clock")


def _set_clock(look: Callable[[], float]) -> None:
    """Sets the clock of this process, for all modules that look at it."""
    import sys

    class Moment(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(look(), tz)

    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("holotype") and hasattr(module, "datetime"):
            module.datetime = Moment  # type: ignore[attr-defined]
    time.time = look
    time.time_ns = lambda: int(look() * 1e9)


__all__ = ["ChildError", "clock_goes_back", "is_kept_out", "read_only", "together"]
