"""One file from the web, whole or not at all: resumed after a break, checked, then renamed.

While it grows it is ``NAME.part`` with a mark beside it (see ``parts``). Where the host cannot go on with a
part, or has another version by now, the download starts again at zero.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holotype.catalogue.content import FIRST_BYTES, Expectation, examined, not_the_file
from holotype.catalogue.parts import (
    Mark,
    after_416,
    discard,
    flush,
    goes_on,
    mark_of,
    mark_path,
    read_mark,
    size_of,
    write_mark,
)
from holotype.catalogue.web import Answer, Trouble, WebTrouble, asked, host_of
from holotype.catalogue.web_settings import WebSettings
from holotype.errors import SourceError
from holotype.files import CHUNK_BYTES
from holotype.progress import note
from holotype.randomness import generator

_DISK_LOOK_BYTES = 32 << 20
_NOTE_S = 15.0


@dataclass(frozen=True)
class Address:
    """Where a file can be had.

    Attributes:
        identity: what stays the same from one attempt to the next.
        now: gives the address to ask now; some work only once.
    """

    identity: str
    now: Callable[[], str]


def fixed_address(url: str) -> Address:
    """Returns an address that does not change."""
    return Address(url, lambda: url)


@dataclass(frozen=True)
class Downloaded:
    """A file that is there, and how it came.

    Attributes:
        identity: which of the addresses served it.
        bytes: its size.
        sha256: its checksum.
        verified: what agreed with what was known: ``sha256``, ``md5``, ``size``, ``ending``.
        etag: the host's mark of the version, or None.
        last_modified: as the host says, or None.
    """

    identity: str
    bytes: int
    sha256: str
    verified: tuple[str, ...]
    etag: str | None
    last_modified: str | None


def download_file(
    addresses: Sequence[Address],
    path: Path,
    *,
    expected: Expectation = Expectation(),  # noqa: B008 - a frozen value
    max_bytes: int | None = None,
    settings: WebSettings = WebSettings(),  # noqa: B008 - a frozen value
) -> Downloaded:
    """Fetches a file to ``path`` from the first address that gives it whole.

    Args:
        addresses: the preferred one first; the others are mirrors.
        path: final name; the folder must be there.
        expected: what is known of the file.
        max_bytes: more are not fetched.
        settings: patience and strictness.

    Raises:
        SourceError: no address gave the file, or it does not fit (cap, disk); says why for each address.
    """
    part = path.with_name(path.name + ".part")
    told = []
    for address in addresses:
        try:
            found = _from_address(address, part, path.name, expected, max_bytes, settings)
        except WebTrouble as reason:
            told.append(f"{address.identity}: {reason}")
            note(f"{path.name}: {reason}")
            continue
        mark_path(part).unlink(missing_ok=True)  # first, so that none is left beside a whole file
        part.replace(path)
        return found
    kept = (
        "What has come is kept: run the same command again to go on."
        if size_of(part)
        else ("Run the same command again later, or fetch the file by hand.")
    )
    raise SourceError(f"{path.name} could not be fetched. {'; '.join(told)}. {kept}")


def _from_address(
    address: Address, part: Path, name: str, expected: Expectation,
    max_bytes: int | None, settings: WebSettings,
) -> Downloaded:  # fmt: skip
    """Fetches from one address until the file is whole or patience is at its end."""
    waits = generator(settings.seed, "download", name)
    failures, furthest, fresh_tries = 0, size_of(part), 0
    while True:
        try:
            mark = _one_connection(address, part, name, expected, max_bytes, settings)
        except WebTrouble as reason:
            if reason.kind in {Trouble.GONE, Trouble.REFUSED}:
                raise
            failures = 0 if size_of(part) > furthest else failures + 1
            furthest = max(furthest, size_of(part))
            _wait(reason, failures, waits, settings)
            continue
        found = examined(part, expected, name=name, announced_bytes=mark.total)
        if found.wrong is None:
            flush(part)
            return Downloaded(
                address.identity, found.bytes, found.sha256, found.verified,
                mark.etag, mark.last_modified,
            )  # fmt: skip
        discard(part)
        fresh_tries += 1
        if fresh_tries > 1:
            raise WebTrouble(Trouble.REFUSED, f"what comes is not the file: {found.wrong}")
        note(f"{name}: {found.wrong}; starting again at zero")
        furthest = 0


def _one_connection(
    address: Address, part: Path, name: str, expected: Expectation,
    max_bytes: int | None, settings: WebSettings,
) -> Mark:  # fmt: skip
    """Asks once, from where the part ends, and adds what comes; returns when the file is whole."""
    held = read_mark(part)
    start = size_of(part)
    resumes = start > 0 and held.identity == address.identity and held.condition is not None
    if not resumes:
        discard(part)
        held, start = Mark(address.identity), 0
    headers = {"Range": f"bytes={start}-", "If-Range": held.condition or ""} if resumes else {}
    with asked(address.now(), settings, headers=headers) as answer:
        if answer.status == 416:
            return after_416(answer, part, held, start)
        mark = mark_of(answer, address.identity)
        if answer.status == 206 and not goes_on(answer, held, mark, start):
            discard(part)
            raise WebTrouble(Trouble.CUT, "the host sent another part than was asked for")
        if answer.status == 200:
            start = 0
        _refuse_misfit(name, mark.total, expected, max_bytes, part, start, settings)
        write_mark(part, mark)
        _copy(answer, part, name, start, mark, max_bytes, settings)
    return mark


def _refuse_misfit(
    name: str, total: int | None, expected: Expectation, max_bytes: int | None,
    part: Path, start: int, settings: WebSettings,
) -> None:  # fmt: skip
    if total is not None and expected.bytes is not None and total != expected.bytes:
        told = f"the host announces {total:,} bytes, the catalogue says {expected.bytes:,}"
        raise WebTrouble(Trouble.REFUSED, told)
    needed = total if total is not None else expected.bytes
    if needed is None:
        return
    if max_bytes is not None and needed > max_bytes:
        raise too_large(name, needed, max_bytes)
    free = shutil.disk_usage(part.parent).free - settings.disk_reserve_bytes
    if needed - start > free:
        raise SourceError(
            f"{name}: {needed - start:,} bytes to come, {max(free, 0):,} free in {part.parent} "
            f"(beside a reserve of {settings.disk_reserve_bytes:,}). Make room, or take another folder."
        )


def too_large(name: str, needed: int, max_bytes: int) -> SourceError:
    """Returns the error that a download is over the user's limit."""
    return SourceError(
        f"{name}: at least {needed:,} bytes, over the limit of {max_bytes:,}. Raise --max-bytes."
    )


def _copy(
    answer: Answer, part: Path, name: str, start: int, mark: Mark,
    max_bytes: int | None, settings: WebSettings,
) -> None:  # fmt: skip
    """Adds the body to the part; raises when it ends before its announced end."""
    size, looked, noted = start, start, time.monotonic()
    with part.open("ab" if start else "wb") as handle:
        while mark.total is None or size < mark.total:
            wanted = CHUNK_BYTES if mark.total is None else min(CHUNK_BYTES, mark.total - size)
            chunk = answer.read(wanted)
            if not chunk:
                break
            if size == 0:
                chunk = _first_bytes(answer, chunk, mark.total)
                _refuse_page(answer, name, chunk)
            handle.write(chunk)
            size += len(chunk)
            if max_bytes is not None and size > max_bytes:
                raise too_large(name, size, max_bytes)
            if size - looked >= _DISK_LOOK_BYTES:
                looked = size
                if shutil.disk_usage(part.parent).free < settings.disk_reserve_bytes:
                    raise SourceError(f"{name}: the disk of {part.parent} is full. Make room.")
            if time.monotonic() - noted >= _NOTE_S:
                noted = time.monotonic()
                of = "" if mark.total is None else f" of {mark.total / 1e6:,.0f}"
                note(f"{name}: {size / 1e6:,.0f}{of} MB from {host_of(answer.url)}")
    if mark.total is not None and size < mark.total:
        raise WebTrouble(Trouble.CUT, f"the connection ended at {size:,} of {mark.total:,} bytes")


def _first_bytes(answer: Answer, chunk: bytes, total: int | None) -> bytes:
    """Returns the beginning of a body, long enough to tell a page from a file."""
    enough = FIRST_BYTES if total is None else min(FIRST_BYTES, total)
    while len(chunk) < enough and (more := answer.read(enough - len(chunk))):
        chunk += more
    return chunk


def _refuse_page(answer: Answer, name: str, first: bytes) -> None:
    encoding = answer.headers.get("content-encoding", "identity").lower()
    if encoding != "identity" and not name.lower().endswith((".gz", ".tgz")):
        raise WebTrouble(Trouble.REFUSED, f"the host packs it ({encoding}) though asked not to")
    if told := not_the_file(name, first, answer.headers.get("content-type")):
        raise WebTrouble(Trouble.REFUSED, told)


def _wait(
    reason: WebTrouble, failures: int, waits: np.random.Generator, settings: WebSettings
) -> None:
    """Waits before the next attempt, or gives up."""
    if failures >= settings.attempts:
        raise WebTrouble(Trouble.CUT, f"{reason} ({failures} attempts)") from reason
    if reason.wait_s is not None and reason.wait_s > settings.longest_retry_after_s:
        raise WebTrouble(Trouble.BUSY, f"{reason}; asks to wait {reason.wait_s:,.0f} s") from reason
    grown = settings.first_wait_s * 2 ** max(0, failures - 1) * waits.uniform(0.75, 1.25)
    settings.sleep(max(reason.wait_s or 0.0, min(grown, settings.longest_wait_s)))
