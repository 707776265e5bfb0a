"""The one JSON file of an input, and what lies beside it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from holotype.collection.reading.streams import large_members, open_stream
from holotype.collection.sources.item import Item, left_out
from holotype.errors import SourceError, first_few
from holotype.media.members import Member


@dataclass(frozen=True)
class JsonPlace:
    """The JSON file of a folder, archive or path, and what lies beside it."""

    path: Path
    member: Member
    members: Mapping[str, Member]
    unused: tuple[Item, ...]

    def opened(self) -> AbstractContextManager[IO[bytes]]:
        """Opens the file from its start."""
        return open_stream(self.path, self.member)


def find_json(path: Path, spool: Path | None) -> JsonPlace:
    """Returns the one JSON file of a folder or archive, or the file itself.

    Raises:
        SourceError: when there is none, or more than one.
    """
    whole, refused = large_members(path, spool)
    found = {name: member for name, member in whole.items() if member.suffix == ".json"}
    if len(found) != 1:
        raise SourceError(
            f"{path}: {len(found)} JSON files where one must be: "
            f"{first_few(sorted(found)) or 'none'}. Give the file itself, and its pictures by --images."
        )
    name, member = next(iter(found.items()))
    prefix = name.removesuffix(name.rpartition("/")[2])
    members = {n.removeprefix(prefix): m for n, m in whole.items() if n.startswith(prefix)}
    if path.is_file() and len(whole) == 1:
        members = {}
    return JsonPlace(path, member, members, tuple(left_out(m) for m in refused))
