"""A part of a file on disk and the mark that says of which version it is a part.

``NAME.part`` grows; ``NAME.part.json`` says where it is from and by which mark (ETag or Last-Modified) the
host tells one version from another. A part is gone on with only under the same mark.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from holotype.catalogue.web import Answer, Trouble, WebTrouble
from holotype.files import write_json

_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Mark:
    """What a part on disk is a part of."""

    identity: str
    etag: str | None = None
    last_modified: str | None = None
    total: int | None = None

    @property
    def condition(self) -> str | None:
        """What If-Range is set to; None where the host gives no strong mark."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return None if self.etag else self.last_modified


def after_416(answer: Answer, part: Path, held: Mark, start: int) -> Mark:
    """The host says that there is nothing after the part: it is whole, or of another version."""
    match = _CONTENT_RANGE.match(answer.headers.get("content-range", ""))
    if match and match[3] == str(start) and held.total in {None, start}:
        return held
    discard(part)
    raise WebTrouble(Trouble.CUT, "the file has changed at the host")


def goes_on(answer: Answer, held: Mark, mark: Mark, start: int) -> bool:
    """Returns whether a 206 answer goes on where the part ends, in the same version."""
    match = _CONTENT_RANGE.match(answer.headers.get("content-range", ""))
    if match is None or match[1] is None or int(match[1]) != start:
        return False
    same = held.etag is None or mark.etag in {None, held.etag}
    return same and (held.total is None or mark.total in {None, held.total})


def mark_of(answer: Answer, identity: str) -> Mark:
    """Returns the mark of what an answer brings; its total is that of the whole file."""
    total = answer.length
    if answer.status == 206:
        match = _CONTENT_RANGE.match(answer.headers.get("content-range", ""))
        total = int(match[3]) if match and match[3] != "*" else None
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        total = None
    return Mark(identity, answer.headers.get("etag"), answer.headers.get("last-modified"), total)


def mark_path(part: Path) -> Path:
    """Returns where the mark of a part is kept."""
    return part.with_name(part.name + ".json")


def read_mark(part: Path) -> Mark:
    """Returns the mark of a part; one of nowhere when there is none that can be read."""
    try:
        content = json.loads(mark_path(part).read_text(encoding="utf-8"))
        return Mark(**content)
    except (OSError, ValueError, TypeError):
        return Mark("")


def discard(part: Path) -> None:
    """Removes a part and its mark."""
    part.unlink(missing_ok=True)
    mark_path(part).unlink(missing_ok=True)


def size_of(part: Path) -> int:
    """Returns the bytes that have come; 0 where there is no part."""
    return part.stat().st_size if part.is_file() else 0


def flush(part: Path) -> None:
    """Makes sure that a part is on the disk."""
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())


def write_mark(part: Path, mark: Mark) -> None:
    """Writes the mark of a part beside it."""
    write_json(mark_path(part), asdict(mark))
