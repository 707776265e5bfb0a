"""Every system call that changes the disk, seen from outside: ptrace and a seccomp filter, by ctypes alone.

``traced`` runs a function in a child process. At each call of the child, its threads and its own children
that would change something below a folder, the child stands still and ``see`` is called; so every write of
every library is a point, whatever language it is written in. Calls are let through one at a time.

Not seen: stores into memory that is mapped shared and writable. Such a mapping of a file below the folder is
itself told, as ``Call.MAP``. Neither are io_uring and changes of mode, owner, times and attributes.
"""

import ctypes
import os
import platform
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.restype = ctypes.c_long
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

_TRACEME, _CONT, _SYSCALL, _SETOPTIONS, _CALL_INFO = 0, 7, 24, 0x4200, 0x420E
_SECCOMP_EVENT, _STOPPED_IN_CALL = 7, signal.SIGTRAP | 0x80
# sysgood, fork, vfork, clone, exec, seccomp, and no child outlives its tracer
_OPTIONS = 1 | 2 | 4 | 8 | 16 | 128 | 0x100000
_ALL_CHILDREN = 0x40000000
_HERE = -100
_NO_NEW_RIGHTS, _FILTER = 38, 22
_PAGE_BYTES = 0x1000


class Call(StrEnum):
    """What a call does to the disk."""

    MAKE = "make"
    WRITE = "write"
    FLUSH = "flush"
    CUT = "cut"
    RENAME = "rename"
    REMOVE = "remove"
    FOLDER = "folder"
    LINK = "link"
    MAP = "map"


@dataclass(frozen=True)
class Point:
    """A call that is about to be made.

    Attributes:
        call: what it does.
        path: the file, from the folder that is watched.
        target: the second name of a rename or link.
        offset: byte where a write begins; None for one at the end.
        content: the bytes of a write; None where another file is copied.
    """

    call: Call
    path: str
    target: str | None = None
    offset: int | None = None
    content: bytes | None = None


@dataclass(frozen=True)
class _Shape:
    """Where the arguments of a call are: indices into its six words; -1 is the current folder."""

    call: Call
    number: dict[str, int | None]
    folder: int = -1
    name: int | None = None
    descriptor: int | None = None
    other_folder: int = -1
    other_name: int | None = None
    flags: int | None = None
    buffer: int | None = None
    vector: int | None = None
    at: int | None = None


def _numbers(x86_64: int | None, aarch64: int | None) -> dict[str, int | None]:
    return {"x86_64": x86_64, "aarch64": aarch64}


_SHAPES = (
    _Shape(Call.MAKE, _numbers(2, None), name=0, flags=1),
    _Shape(Call.MAKE, _numbers(257, 56), folder=0, name=1, flags=2),
    _Shape(Call.MAKE, _numbers(85, None), name=0),
    _Shape(Call.WRITE, _numbers(1, 64), descriptor=0, buffer=1),
    _Shape(Call.WRITE, _numbers(18, 68), descriptor=0, buffer=1, at=3),
    _Shape(Call.WRITE, _numbers(20, 66), descriptor=0, vector=1),
    _Shape(Call.WRITE, _numbers(296, 70), descriptor=0, vector=1, at=3),
    _Shape(Call.WRITE, _numbers(328, 287), descriptor=0, vector=1, at=3),
    _Shape(Call.WRITE, _numbers(40, 71), descriptor=0),
    _Shape(Call.WRITE, _numbers(326, 285), descriptor=2),
    _Shape(Call.FLUSH, _numbers(74, 82), descriptor=0),
    _Shape(Call.FLUSH, _numbers(75, 83), descriptor=0),
    _Shape(Call.CUT, _numbers(76, 45), name=0),
    _Shape(Call.CUT, _numbers(77, 46), descriptor=0),
    _Shape(Call.CUT, _numbers(285, 47), descriptor=0),
    _Shape(Call.RENAME, _numbers(82, None), name=0, other_name=1),
    _Shape(Call.RENAME, _numbers(264, 38), folder=0, name=1, other_folder=2, other_name=3),
    _Shape(Call.RENAME, _numbers(316, 276), folder=0, name=1, other_folder=2, other_name=3),
    _Shape(Call.REMOVE, _numbers(87, None), name=0),
    _Shape(Call.REMOVE, _numbers(263, 35), folder=0, name=1),
    _Shape(Call.REMOVE, _numbers(84, None), name=0),
    _Shape(Call.FOLDER, _numbers(83, None), name=0),
    _Shape(Call.FOLDER, _numbers(258, 34), folder=0, name=1),
    _Shape(Call.LINK, _numbers(86, None), name=0, other_name=1),
    _Shape(Call.LINK, _numbers(265, 37), folder=0, name=1, other_folder=2, other_name=3),
    _Shape(Call.LINK, _numbers(88, None), name=1),
    _Shape(Call.LINK, _numbers(266, 36), folder=1, name=2),
    _Shape(Call.MAP, _numbers(9, 222), descriptor=4),
)
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_MAKES = os.O_CREAT | os.O_TRUNC


def why_not() -> str | None:
    """Returns why nothing can be traced on this machine; None where it can."""
    if sys.platform != "linux" or platform.machine() not in _ARCH:
        return "only Linux on x86-64 and ARM is traced"
    try:
        _trace(lambda: None, Path("/nowhere"), lambda point: None)
    except OSError as reason:
        return f"this machine lets nothing be traced ({reason})"
    return None


def traced(run: Callable[[], None], place: Path, see: Callable[[Point], None]) -> int:
    """Runs a function in a child and calls ``see`` before each of its calls that change a folder.

    Must be called by a process that has no other children and no other threads. ``see`` may raise
    ``KillError``: then the child and all of its own die before the call at hand.

    Returns:
        The exit status as ``os.waitpid`` gives it.
    """
    return _trace(run, place, see)


class KillError(Exception):
    """Raised by ``see``: the child and all of its own are killed before the call at hand."""


def _trace(run: Callable[[], None], place: Path, see: Callable[[Point], None]) -> int:
    shapes = {
        number: one for one in _SHAPES if (number := one.number.get(platform.machine())) is not None
    }
    child = os.fork()
    if child == 0:
        _become_traced(run, sorted(shapes))
    return _Tracer(child, place, shapes, see).follow()


def _become_traced(run: Callable[[], None], numbers: list[int]) -> None:
    """In the child: asks to be traced, runs and ends."""
    code = 1
    try:
        _ptrace(_TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _install(numbers)
        run()
        code = 0
    except BaseException:  # noqa: BLE001 - the end of a process: the tracer reads what is said
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _install(numbers: list[int]) -> None:
    """Stops this process, and what it starts, at the calls of these numbers, and at no others."""
    shared, writable = 1, 2
    map_number = next(one.number[platform.machine()] for one in _SHAPES if one.call is Call.MAP)
    load, equal, has, allow, trace = 0x20, 0x15, 0x45, 0x7FFF0000, 0x7FF00000
    code = [(load, 0, 0, 0)]
    plain = [number for number in numbers if number != map_number]
    # 1 + len(plain) tests, then: allow; the mapping's two words; trace
    for at, number in enumerate(plain):
        code.append((equal, len(plain) - at + 5, 0, number))
    code += [
        (equal, 1, 0, map_number),
        (0x06, 0, 0, allow),
        (load, 0, 0, 16 + 8 * 2),
        (has, 0, 3, writable),
        (load, 0, 0, 16 + 8 * 3),
        (has, 0, 1, shared),
        (0x06, 0, 0, trace),
        (0x06, 0, 0, allow),
    ]
    filters = b"".join(struct.pack("HBBI", *one) for one in code)
    buffer = ctypes.create_string_buffer(filters)
    program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(buffer))
    _LIBC.prctl.argtypes = [ctypes.c_int] + [ctypes.c_void_p] * 4
    held = ctypes.create_string_buffer(program)
    for words in ((_NO_NEW_RIGHTS, 1, 0), (_FILTER, 2, ctypes.addressof(held))):
        if _LIBC.prctl(*words, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def _ptrace(request: int, pid: int, address: int, value: int) -> int:
    ctypes.set_errno(0)
    found = _LIBC.ptrace(request, pid, address, value)
    if found == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


class _Tracer:
    """Follows a child, its threads and their children to their ends."""

    def __init__(
        self, child: int, place: Path, shapes: dict[int, _Shape], see: Callable[[Point], None]
    ) -> None:
        self.child, self.place, self.shapes, self.see = child, os.path.realpath(place), shapes, see
        self.known = {child}
        self.status: int | None = None

    def follow(self) -> int:
        _, status = os.waitpid(self.child, _ALL_CHILDREN)
        if not os.WIFSTOPPED(status):
            raise OSError(status, "the child cannot be traced")
        _ptrace(_SETOPTIONS, self.child, 0, _OPTIONS)
        self._go_on(self.child, _CONT, 0)
        while True:
            try:
                pid, status = os.waitpid(-1, _ALL_CHILDREN)
            except ChildProcessError:
                return self.status if self.status is not None else 0
            self._turn(pid, status)

    def _turn(self, pid: int, status: int) -> None:
        if not os.WIFSTOPPED(status):
            if pid == self.child:
                self.status = status
            return
        number, event = os.WSTOPSIG(status), status >> 16
        is_new = pid not in self.known
        self.known.add(pid)
        if event == _SECCOMP_EVENT:
            self._at_call(pid)
        elif event or number == _STOPPED_IN_CALL or (is_new and number == signal.SIGSTOP):
            self._go_on(pid, _CONT, 0)
        else:
            self._go_on(pid, _CONT, number)

    def _at_call(self, pid: int) -> None:
        """Shows a call, and lets it through before any other is shown."""
        point = self._point(pid)
        if point is None:
            self._go_on(pid, _CONT, 0)
            return
        try:
            self.see(point)
        except KillError:
            for one in self.known:
                try:
                    os.kill(one, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            return
        self._go_on(pid, _SYSCALL, 0)
        try:
            _, status = os.waitpid(pid, _ALL_CHILDREN)
        except ChildProcessError:
            return
        self._turn(pid, status)

    def _go_on(self, pid: int, request: int, number: int) -> None:
        try:
            _ptrace(request, pid, 0, number)
        except ProcessLookupError:  # it was killed meanwhile
            return

    def _point(self, pid: int) -> Point | None:
        """Returns what a stopped call would change below the folder; None for anything else."""
        buffer = ctypes.create_string_buffer(88)
        try:
            _ptrace(_CALL_INFO, pid, 88, ctypes.addressof(buffer))
        except ProcessLookupError:
            return None
        number, *words = struct.unpack_from("<7Q", buffer.raw, 24)
        shape = self.shapes.get(number)
        if shape is None:
            return None
        if shape.flags is not None and not words[shape.flags] & _MAKES:
            return None
        path = self._path(pid, shape, words)
        if path is None:
            return None
        target = None
        if shape.other_name is not None:
            target = self._named(pid, shape.other_folder, words[shape.other_name], words)
        call = shape.call
        if call is not Call.WRITE:
            return Point(call, path, target)
        offset = self._offset(pid, shape, words)
        return Point(call, path, None, offset, self._content(pid, shape, words))

    def _path(self, pid: int, shape: _Shape, words: list[int]) -> str | None:
        if shape.descriptor is not None:
            return self._opened(pid, words[shape.descriptor])
        assert shape.name is not None
        return self._named(pid, shape.folder, words[shape.name], words)

    def _opened(self, pid: int, descriptor: int) -> str | None:
        try:
            path = str(Path(f"/proc/{pid}/fd/{ctypes.c_int(descriptor).value}").readlink())
        except OSError:
            return None
        return self._below(path)

    def _named(self, pid: int, folder: int, address: int, words: list[int]) -> str | None:
        at = _HERE if folder == -1 else ctypes.c_int(words[folder]).value
        name = os.fsdecode(next(self._text(pid, address), b""))
        try:
            root = Path(f"/proc/{pid}/{'cwd' if at == _HERE else f'fd/{at}'}").readlink()
        except OSError:
            return None
        head, tail = os.path.split(os.path.normpath(root / name))
        return self._below(str(Path(os.path.realpath(head)) / tail))

    def _below(self, path: str) -> str | None:
        if path == self.place:
            return "."
        return path[len(self.place) + 1 :] if path.startswith(self.place + "/") else None

    def _text(self, pid: int, address: int) -> Iterator[bytes]:
        """Yields the text at an address of the child, up to its zero byte."""
        found = b""
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            while b"\0" not in found and len(found) < 1 << 16:
                start = address + len(found)
                memory.seek(start)
                found += memory.read(_PAGE_BYTES - start % _PAGE_BYTES)
        yield found.partition(b"\0")[0]

    def _offset(self, pid: int, shape: _Shape, words: list[int]) -> int | None:
        if shape.at is not None:
            return words[shape.at]
        told = {}
        at = Path(f"/proc/{pid}/fdinfo/{words[shape.descriptor or 0]}")
        with at.open(encoding="ascii") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                told[name] = value.strip()
        is_at_end = int(told["flags"], 8) & os.O_APPEND
        return None if is_at_end else int(told["pos"])

    def _content(self, pid: int, shape: _Shape, words: list[int]) -> bytes | None:
        """Returns the bytes that a write would write; None for a copy within the system."""
        parts: list[tuple[int, int]] = []
        if shape.buffer is not None:
            parts = [(words[shape.buffer], words[shape.buffer + 1])]
        elif shape.vector is not None:
            table = self._memory(pid, words[shape.vector], 16 * words[shape.vector + 1])
            parts = list(struct.iter_unpack("<QQ", table))
        else:
            return None
        return b"".join(self._memory(pid, *part) for part in parts)

    def _memory(self, pid: int, address: int, size: int) -> bytes:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(size)
