"""Camtrap DP: camera-trap packages with deployments, media and observations, versions 0.1 to 1.0.

Each observation of a file is a record: the box where it has one, else the whole picture. A file without
observations of its own takes the label of its event, if all observations of that event agree. Pictures that
lie at a URL are records with the URL.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holotype.collection.reading.joined import Joined
from holotype.collection.reading.pictures import picture_finder
from holotype.collection.reading.tabular import Row, present
from holotype.collection.sources.camtrap_dp.observations import (
    Observations,
    add_observations,
    left_over,
)
from holotype.collection.sources.camtrap_dp.package import Package, open_package
from holotype.collection.sources.camtrap_dp.records import Surroundings, items_of_file
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.media.images import IMAGE_SUFFIXES

_FILE = "file"


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields the items of a package, files in the order of its table of media.

    Raises:
        SourceError: when it has no descriptor or no table of media.
    """
    package = open_package(path, options.spool)
    deployments: dict[str, Row] = {}
    with Joined(options.spool) as joined:
        yield from _add_deployments(package, deployments)
        yield from add_observations(package, joined)
        around = Surroundings(
            package,
            deployments,
            Observations(joined),
            picture_finder(package.members, package.used, options.images, options.spool),
            package_fields(package.said),
            taxa_of(package.said),
        )
        file = package.tables["media"].member.name
        for row in package.rows("media"):
            where = f"{file}, line {row.line}"
            media = present(row.values.get("mediaID", ""))
            before = joined.claim(media, row.line, kind=_FILE) if media else None
            if row.error is not None:
                error = f"{where}: {row.error}"
                yield Item(where, row.line, error=error)
            elif not media or before is not None:
                wrong = f"is the id of line {before} too" if media else "is blank"
                said = f"{where}, column mediaID: '{media}' {wrong}."
                yield Item(where, row.line, error=f"{said} Give each file its own id.")
            else:
                yield from items_of_file(around, media, row)
        yield from left_over(package, joined, _FILE)
    yield from package.items
    for name, member in package.members.items():
        if name not in package.used:
            image = member.suffix in IMAGE_SUFFIXES
            shown = "an image that no row names" if image else "no table of the package"
            yield Item(name, skip_reason=shown)


def _add_deployments(package: Package, deployments: dict[str, Row]) -> Iterator[Item]:
    for row in package.rows("deployments"):
        where = f"{package.tables['deployments'].member.name}, line {row.line}"
        name = present(row.values.get("deploymentID", ""))
        if row.error is not None:
            error = f"{where}: {row.error}"
            yield Item(where, row.line, error=error)
        elif not name or name in deployments:
            wrong = "is the id of an earlier line too" if name else "is blank"
            said = f"{where}, column deploymentID: '{name}' {wrong}."
            yield Item(where, row.line, error=f"{said} Give each deployment its own id.")
        else:
            deployments[name] = row


def package_fields(said: Mapping[str, Any]) -> dict[str, str]:
    """Returns the columns that the descriptor gives every record: licence, rights holder, citation, project.

    A licence with scope ``data`` is not one of the pictures; it is kept as ``extra:data_licence``.
    """
    fields: dict[str, str] = {}
    for licence in _dicts(said.get("licenses")):
        stated = str(licence.get("name") or licence.get("path") or "")
        scope = str(licence.get("scope") or "")
        if scope == "data":
            fields.setdefault("extra:data_licence", stated)
        else:
            fields.setdefault("licence", stated)
            fields.setdefault("extra:licence_of", scope or "package")
    for person in _dicts(said.get("contributors")):
        if person.get("role") == "rightsHolder":
            fields.setdefault("rights_holder", str(person.get("title") or ""))
    fields["citation"] = str(said.get("bibliographicCitation") or "")
    project = said.get("project")
    if isinstance(project, dict):
        fields["cruise"] = str(project.get("acronym") or project.get("title") or "")
    if title := str(said.get("title") or ""):
        fields["extra:dataset_title"] = title
    return {name: text for name, text in fields.items() if text}


def taxa_of(said: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Returns the taxa of the descriptor by scientific name."""
    return {
        str(t["scientificName"]): t
        for t in _dicts(said.get("taxonomic"))
        if t.get("scientificName")
    }


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


SOURCE = Source(
    "camtrap-dp", "Camtrap DP packages of camera traps: deployments, media and observations", read
)
