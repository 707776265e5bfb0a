"""The files that lie beside a table, found by the name that the table gives them.

A folder is asked file by file, so that nothing is held for its millions of images; an archive has a directory
of its own, which is held. What was asked for is remembered, so that the rest can be accounted for.
"""

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holotype.errors import SourceError
from holotype.media.file_names import composed, readable_name, spellings
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import FileAt, Location
from holotype.media.members import Member, is_archive, members, nested_members

ListMembers = Callable[[], Iterator[Member]]


@dataclass
class Companions:
    """The files of one folder or archive.

    Attributes:
        listing: yields the members, as often as it is called.
        folder: the folder, where it is one; its files are looked up on disk.
        index: name -> place, where the members are those of an archive; filled by ``listed``.
        usual: name in normal form C -> name, of those members that differ from it.
        asked: hashes of the names that ``find`` found.
    """

    listing: ListMembers
    folder: str | None = None
    index: dict[str, Location] = field(default_factory=dict)
    usual: dict[str, str] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    def listed(self) -> Iterator[Member]:
        """Yields the members in a fixed order, and fills the index of an archive."""
        for member in self.listing():
            if self.folder is None and member.at is not None:
                self.index[member.name] = member.at
                if (usual := composed(member.name)) != member.name:
                    self.usual.setdefault(usual, member.name)
            yield member

    def find(self, inside: str) -> Location | None:
        """Returns the place of a member, or None; ``asked_before`` tells of repeats.

        Args:
            inside: its name, as the members have it.
        """
        for name in spellings(inside):
            known = name if self.folder or name in self.index else self.usual.get(name, name)
            at = _file_in(self.folder, known) if self.folder else self.index.get(known)
            if at is not None:
                self.asked.add(hash(readable_name(known)))
                return at
        return None

    def asked_before(self, inside: str) -> bool:
        """Returns whether ``find`` has found that member already."""
        return hash(inside) in self.asked

    def nested(self, member: Member, spool: Path | None) -> "Companions":
        """Returns the files of an archive that lies in this one."""
        return Companions(lambda: nested_members(member, spool))


def companions(path: Path, spool: Path | None) -> Companions:
    """Returns the files of a folder or archive, or of the folder that a file lies in.

    Raises:
        SourceError: when there is nothing at the path.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder. Check the path.")
    if path.is_dir() or not is_archive(path):
        folder = path if path.is_dir() else path.parent
        return Companions(lambda: members(path, spool), folder=os.path.realpath(folder))
    return Companions(lambda: members(path, spool))


def beside(table: str, written: str) -> str | None:
    """Returns the name of the member that a table names, or None where the name leaves the input.

    >>> beside("a/ecotaxa_1.tsv", "img/1.png"), beside("ecotaxa.tsv", "../../etc/passwd")
    ('a/img/1.png', None)
    """
    tidy = written.replace("\\", "/")
    if tidy.startswith("/") or ":" in tidy.partition("/")[0]:
        return None
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(table), tidy))
    return None if inside.startswith("../") or inside in {"..", "."} else inside


def of_other_ending(files: Companions, inside: str) -> str:
    """Returns `` Did you mean 'x.png'?`` where a file differs from that name in its ending only, else ""."""
    stem = posixpath.splitext(inside)[0]
    for suffix in sorted(IMAGE_SUFFIXES):
        for name in (stem + suffix, stem + suffix.upper()):
            if name in files.index or (files.folder and _file_in(files.folder, name)):
                return f" Did you mean '{posixpath.basename(name)}'?"
    return ""


def _file_in(folder: str, inside: str) -> FileAt | None:
    """Returns a file of a folder; links are not followed, as in the folder's listing."""
    path = f"{folder}/{inside}"
    if not os.path.isfile(path) or os.path.realpath(path) != os.path.normpath(path):  # noqa: PTH113
        return None
    return FileAt(path)
