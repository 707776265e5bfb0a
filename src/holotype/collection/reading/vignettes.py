"""Vignettes that a table names ``<scan>_<item>``: where they lie in the input, and in which class folder."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from holotype.collection.sources.item import Item
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import Location
from holotype.media.members import Member

_NO_CLASSES = frozenset({"", "_work", "work", "vignettes", "images", "_raw", "raw"})
"""Folders, in lower case, that hold vignettes and are no class."""


@dataclass(frozen=True)
class Vignette:
    """One vignette.

    Attributes:
        at: its bytes.
        name: path in the input.
        label: the class folder it lies in, or "".
    """

    at: Location
    name: str
    label: str


@dataclass
class Vignettes:
    """The vignettes of an input by their name without ending; memory grows with their number.

    Attributes:
        table_folders: the folders that hold tables: they are no classes.
        by_stem: name without folder and ending -> the vignette.
        copies: further copies of the same vignette: why they are no record, or what is wrong.
        taken: the names that a table named.
    """

    table_folders: frozenset[str] = frozenset()
    by_stem: dict[str, Vignette] = field(default_factory=dict)
    copies: list[Item] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def add(self, member: Member) -> bool:
        """Takes a member that is an image; returns whether it is one."""
        if member.suffix not in IMAGE_SUFFIXES or member.at is None:
            return False
        stem = posixpath.splitext(posixpath.basename(member.name))[0]
        new = Vignette(member.at, member.name, _class_of(member.name, stem, self.table_folders))
        old = self.by_stem.setdefault(stem, new)
        if old is new:
            return True
        if old.label and new.label and old.label != new.label:
            self.copies.append(
                Item(
                    new.name,
                    error=f"{new.name}: the vignette lies in the folders '{old.label}' and '{new.label}'. "
                    "Leave it in the one class that it belongs to.",
                )
            )
        else:
            kept, other = (new, old) if new.label and not old.label else (old, new)
            self.by_stem[stem] = kept
            self.copies.append(Item(other.name, skip_reason=f"a second copy of {kept.name}"))
        return True

    def take(self, stem: str) -> Vignette | None:
        """Returns the vignette of that name, or None; it is accounted for then."""
        found = self.by_stem.get(stem)
        if found is not None:
            self.taken.add(stem)
        return found

    def left_over(self) -> Iterator[Item]:
        """Yields the images that no table named, and the further copies."""
        for stem, vignette in self.by_stem.items():
            if stem not in self.taken:
                yield Item(vignette.name, skip_reason="an image that no table names")
        yield from self.copies


def _class_of(name: str, stem: str, table_folders: frozenset[str]) -> str:
    """Returns the class folder: the one an image lies in, unless tables lie there or it is the scan's own."""
    above = posixpath.dirname(name)
    folder = posixpath.basename(above)
    scan = stem.rpartition("_")[0]
    own = above in table_folders or folder in {scan, scan.partition("+")[0]}
    return "" if own or folder.lower() in _NO_CLASSES else folder
