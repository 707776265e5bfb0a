"""A Camtrap DP package on disk: its tables by name, with the column names of every version as one.

Source: Bubnicki J. W. et al. 2023, Camtrap DP, doi:10.1002/rse2.374; https://camtrap-dp.tdwg.org.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holotype.collection.reading.streams import large_members, stream_table
from holotype.collection.reading.tabular import Row
from holotype.collection.sources.item import Item, left_out
from holotype.errors import MediaError, SourceError, first_few
from holotype.media.members import Member

DESCRIPTOR = "datapackage.json"
_TABLES = {
    "deployments": ("deployments",),
    "media": ("media", "multimedia"),
    "observations": ("observations",),
}
_COLUMNS = (
    "deploymentID", "mediaID", "eventID", "observationID", "sequenceID", "locationID",
    "locationName", "latitude", "longitude", "cameraModel", "cameraDepth", "timestamp", "filePath",
    "filePublic", "fileName", "fileMediatype", "eventStart", "eventEnd", "observationLevel",
    "observationType", "scientificName", "vernacularName", "classificationMethod", "classifiedBy",
    "classificationTimestamp", "classificationProbability", "bboxX", "bboxY", "bboxWidth",
    "bboxHeight", "individualID", "count", "lifeStage", "sex", "behavior",
)  # fmt: skip
_ALIASES = {
    **{name.lower(): name for name in _COLUMNS},
    "multimediaid": "mediaID",
    "mediaurl": "filePath",
    "cameraname": "cameraModel",
    "behaviour": "behavior",
    "classificationconfidence": "classificationProbability",
}
"""A column in lower case and without "_" -> its name in version 1.0."""


@dataclass(frozen=True)
class Table:
    """One table of a package: its file, and how that is written."""

    name: str
    member: Member
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass
class Package:
    """An open package.

    Attributes:
        path: folder or archive.
        members: its files by name, relative to the descriptor.
        tables: deployments, media and observations.
        said: the descriptor.
        items: what is unused or wrong beside the tables.
        used: names of files that are accounted for.
    """

    path: Path
    members: dict[str, Member]
    tables: dict[str, Table]
    said: Mapping[str, Any]
    items: list[Item] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def rows(self, name: str) -> Iterator[Row]:
        """Yields the rows of a table, columns named as in version 1.0; none where it has no such table."""
        if name not in self.tables:
            return
        table = self.tables[name]
        rows = stream_table(
            self.path, table.member, delimiter=table.delimiter, encoding=table.encoding
        )
        known: dict[str, str] = {}
        for row in rows:
            if row.error is None and not known:
                known = {written: _canonical(written, name) for written in row.values}
            yield Row(row.line, {known[n]: text for n, text in row.values.items()}, row.error)


def _canonical(written: str, table: str) -> str:
    folded = written.replace("_", "").lower()
    if folded in {"id", "comments"}:
        return f"{table.removesuffix('s')}{'Row' if folded == 'id' else 'Comments'}"
    return _ALIASES.get(folded, written)


def open_package(path: Path, spool: Path | None) -> Package:
    """Opens a package: a folder, archive, or its ``datapackage.json``; the files may lie one folder down.

    Raises:
        SourceError: when there is no descriptor, it is no JSON, or it names no table of media.
    """
    root = path.parent if path.name == DESCRIPTOR and path.is_file() else path
    found, refused = large_members(root, spool)
    places = sorted(
        (n for n in found if n.rpartition("/")[2] == DESCRIPTOR), key=lambda n: n.count("/")
    )
    if not places or places[0].count("/") > 1:
        raise SourceError(
            f"{path}: no {DESCRIPTOR} in it: there are {first_few(sorted(found))}. "
            "Give the folder that holds it."
        )
    prefix = places[0].removesuffix(DESCRIPTOR)
    members = {name.removeprefix(prefix): m for name, m in found.items() if name.startswith(prefix)}
    said = _descriptor(members[DESCRIPTOR], f"{path.name}: {DESCRIPTOR}")
    package = Package(root, members, {}, said, [left_out(m) for m in refused])
    package.items += [
        Item(name, skip_reason=f"lies outside {prefix}")
        for name in found
        if not name.startswith(prefix)
    ]
    package.used.add(DESCRIPTOR)
    _find_tables(package)
    return package


def _descriptor(member: Member, called: str) -> Mapping[str, Any]:
    try:
        said = json.loads(member.read().decode("utf-8-sig"))
    except json.JSONDecodeError as reason:
        raise SourceError(
            f"{called}, line {reason.lineno}, column {reason.colno}: not JSON ({reason.msg}). Correct it."
        ) from reason
    except (UnicodeDecodeError, MediaError, RecursionError) as reason:
        raise SourceError(
            f"{called}: cannot be read ({reason}). Fetch the package again."
        ) from reason
    if not isinstance(said, dict) or not isinstance(said.get("resources"), list):
        raise SourceError(
            f"{called}: no list 'resources', so it names no tables. Give a Camtrap DP package."
        )
    return said


def _find_tables(package: Package) -> None:
    resources = [r for r in package.said["resources"] if isinstance(r, dict)]
    by_name = {str(resource.get("name")): resource for resource in resources}
    for name, words in _TABLES.items():
        resource = next((by_name[word] for word in words if word in by_name), None)
        if resource is not None:
            package.tables[name] = _table(package, name, resource)
    if "media" not in package.tables:
        raise SourceError(
            f"{package.path}: {DESCRIPTOR}: no resource 'media' among {first_few(sorted(by_name))}, so no "
            "image is named. Give a Camtrap DP package."
        )
    for name, resource in by_name.items():
        if name not in {word for words in _TABLES.values() for word in words}:
            package.items.append(Item(f"resource {name}", skip_reason="no table of Camtrap DP"))
            if resource.get("path") in package.members:
                package.used.add(str(resource["path"]))


def _table(package: Package, name: str, resource: Mapping[str, Any]) -> Table:
    place = resource.get("path")
    place = place[0] if isinstance(place, list) and len(place) == 1 else place
    member = package.members.get(place.removeprefix("./")) if isinstance(place, str) else None
    if member is None:
        raise SourceError(
            f"{package.path}: {DESCRIPTOR}: the table '{name}' should be '{place}', which is not there. "
            f"Put it beside {DESCRIPTOR}, and give its path there."
        )
    package.used.add(str(place).removeprefix("./"))
    dialect = resource.get("dialect")
    delimiter = dialect.get("delimiter", ",") if isinstance(dialect, dict) else ","
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
        raise SourceError(
            f"{package.path}: {DESCRIPTOR}: the delimiter of '{name}' is {str(delimiter)[:40]!r}. Give one "
            "character there, as ','."
        )
    return Table(name, member, delimiter, str(resource.get("encoding", "utf-8")))
