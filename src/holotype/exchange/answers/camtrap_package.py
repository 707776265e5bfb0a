"""The package around observations of Camtrap DP: the user's own, or deployments and media made of records."""

import json
import mimetypes
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from holotype.collection.reading.tabular import present
from holotype.collection.sources.camtrap_dp.package import open_package
from holotype.errors import SourceError
from holotype.exchange.answers.answered import Row, item_name, picture_path
from holotype.identify.columns import RANKS

VERSION = "1.0.2"
_HOME = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
DEPLOYMENT_COLUMNS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty",
    "deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay",
    "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance",
    "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups", "deploymentTags",
    "deploymentComments",
)  # fmt: skip
MEDIA_COLUMNS = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName",
    "fileMediatype", "exifData", "favorite", "mediaComments",
)  # fmt: skip
_EVENT = (
    *("bboxX", "bboxY", "bboxWidth", "bboxHeight"),
    *("eventID", "eventStart", "eventEnd"),
)
SPAN = "the deployment lasts from its first to its last picture"
TO_FILL_IN = (
    "datapackage.json lacks contributors, project.samplingDesign, project.captureMethod: add them"
)
_PATH = re.compile(r"(?![./~])(?!.*\.\.)[^\r\n]+")
_FIRST_VERSION = re.compile(r"[/@]v?1\.\d")


class Media(NamedTuple):
    """One picture: its ids, when it was taken, and, of the user's own package, the box and event it has."""

    media_id: str
    deployment_id: str
    timestamp: str
    event: Mapping[str, str] = {}


@dataclass(frozen=True)
class Own:
    """The user's own package.

    Attributes:
        said: its descriptor.
        media: by id.
        observed: its observations, in their order.
        events: box and event by ``mediaID/observationID``.
    """

    said: Mapping[str, Any]
    media: Mapping[str, Media]
    observed: Sequence[Mapping[str, str]]
    events: Mapping[str, Mapping[str, str]]

    def find(self, row: Row) -> Media | str:
        """Returns the picture that a row is of, or why there is none."""
        item = item_name(row)
        for name in (item, item.rpartition("/")[0]):
            if name in self.media:
                found = self.media[name]
                if not (found.deployment_id and found.timestamp):
                    return "its file has no deployment or no time in the package"
                return found._replace(event=self.events.get(item, {}))
        return "it is no file of the package"

    def kept(self, answered: Collection[str]) -> list[Mapping[str, str]]:
        """Returns the observations that stay beside new ones of some pictures.

        What a machine said of these pictures, and what nobody classified in them, gives way.
        """
        return [
            row
            for row in self.observed
            if row.get("mediaID") not in answered
            or (
                row.get("classificationMethod") != "machine"
                and row.get("observationType") != "unclassified"
            )
        ]


def read_own(path: Path) -> Own:
    """Returns the user's own package, of version 1.

    Raises:
        SourceError: when it cannot be read, or is of an earlier version.
    """
    package = open_package(path, None)
    if not _FIRST_VERSION.search(str(package.said.get("profile") or "")):
        raise SourceError(
            f"{path}: profile '{package.said.get('profile')}' is not of version 1 of Camtrap DP. Convert it "
            "first."
        )
    media: dict[str, Media] = {}
    for row in package.rows("media"):
        of = {name: present(text) for name, text in row.values.items()}
        if row.error is None and of.get("mediaID"):
            at = of.get("deploymentID", ""), of.get("timestamp", "")
            media[of["mediaID"]] = Media(of["mediaID"], *at)
    observed, events = [], {}
    for row in package.rows("observations"):
        if row.error is not None:
            raise SourceError(
                f"{path}, observations, line {row.line}: {row.error}: it would be lost. Correct it."
            )
        observed.append(row.values)
        of = {name: present(text) for name, text in row.values.items()}
        if of.get("mediaID"):
            event = {name: of[name] for name in _EVENT if of.get(name)}
            events[f"{of['mediaID']}/{of.get('observationID', '')}"] = event
    return Own(package.said, media, observed, events)


@dataclass
class Made:
    """Deployments and media made of records.

    Attributes:
        deployments: rows by id, in the order in which they came.
        media: rows by id.
    """

    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)

    def find(self, row: Row) -> Media | str:
        """Returns the picture that a row is of, which is taken in, or why it cannot be in a package."""
        moment = moment_of(row["collected_on"])
        path = picture_path(row)
        if not row["sample_id"]:
            return "no sample_id, which names its deployment"
        if row["latitude_deg"] is None or row["longitude_deg"] is None:
            return "no position, which its deployment must have"
        if moment is None:
            return "no time of day with an offset from UTC (2020-05-30T04:57:37+02:00)"
        if not _PATH.fullmatch(path):
            return "the path of its picture is neither a URL nor one inside the package"
        at = {"latitude": row["latitude_deg"], "longitude": row["longitude_deg"]}
        start = moment.isoformat()
        known = self.deployments.setdefault(
            row["sample_id"],
            {
                "deploymentID": row["sample_id"],
                "locationName": row["site"],
                **at,
                "deploymentStart": start,
                "deploymentEnd": start,
                "cameraModel": row["instrument"],
                "deploymentComments": SPAN,
            },
        )
        if any(known[name] != value for name, value in at.items()):
            return "its deployment has another position"
        for name, pick in (("deploymentStart", min), ("deploymentEnd", max)):
            known[name] = pick(known[name], start, key=datetime.fromisoformat)
        media_id = item_name(row)
        event = {"eventID": row["acquisition_id"]} if row["acquisition_id"] else {}
        self.media.setdefault(media_id, _media_row(row, media_id, start, path))
        return Media(media_id, row["sample_id"], start, event)


def _media_row(row: Row, media_id: str, timestamp: str, path: str) -> dict[str, Any]:
    is_url = bool(re.match(r"https?://", path))
    rights = [("licence", row["licence"]), ("rights holder", row["rights_holder"])]
    return {
        "mediaID": media_id,
        "deploymentID": row["sample_id"],
        "timestamp": timestamp,
        "filePath": path,
        "filePublic": "true" if is_url else "false",
        "fileName": path.rpartition("/")[2],
        "fileMediatype": mimetypes.guess_type(path)[0] or "image/*",
        "mediaComments": "; ".join(f"{what}: {text}" for what, text in rights if text) or None,
    }


def moment_of(written: str | None) -> datetime | None:
    """Returns a time with its offset, to the second, or None where it lacks either."""
    try:
        moment = datetime.fromisoformat(written or "").replace(microsecond=0)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def taxonomic(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Returns the taxa of observations, each once, with rank and lineage, by name."""
    found: dict[str, dict[str, str]] = {}
    for lineage in rows:
        rank, name = list(lineage.items())[-1]
        above = {r: n for r, n in lineage.items() if r in RANKS[: RANKS.index("species")]}
        found.setdefault(name, {"scientificName": name, "taxonRank": rank, **above})
    return [found[name] for name in sorted(found)]


def descriptor(
    made: Made, taxa: Sequence[Mapping[str, str]], *, created: datetime, project: str | None
) -> dict[str, Any]:
    """Returns ``datapackage.json`` of a package made of records; what only its owner knows is not in it."""
    places = [(row["longitude"], row["latitude"]) for row in made.deployments.values()]
    west, east = min(x for x, _ in places), max(x for x, _ in places)
    south, north = min(y for _, y in places), max(y for _, y in places)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    days = [
        str(row[name])[:10]
        for row in made.deployments.values()
        for name in ("deploymentStart", "deploymentEnd")
    ]
    return {
        "resources": [resource(name) for name in ("deployments", "media", "observations")],
        "profile": f"{_HOME}/camtrap-dp-profile.json",
        "name": "holotype-observations",
        "created": created.isoformat(timespec="seconds"),
        "project": {
            **({"title": project} if project else {}),
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": {"type": "Polygon", "coordinates": [ring]},
        "temporal": {"start": min(days), "end": max(days)},
        "taxonomic": list(taxa),
    }


def renewed(
    said: Mapping[str, Any], taxa: Sequence[Mapping[str, str]], *, created: datetime
) -> dict[str, Any]:
    """Returns the descriptor of the user's own package with its new table of observations and new taxa."""
    resources = [
        {**each, "path": "observations.csv", "encoding": "utf-8"}
        if isinstance(each, dict) and each.get("name") == "observations"
        else each
        for each in said["resources"]
    ]
    if not any(isinstance(each, dict) and each.get("name") == "observations" for each in resources):
        resources.append(resource("observations"))
    for each in resources:
        if isinstance(each, dict) and each.get("name") == "observations":
            each.pop("dialect", None)
    old = list(said.get("taxonomic") or ())
    known = {each.get("scientificName") for each in old if isinstance(each, dict)}
    new = [each for each in taxa if each["scientificName"] not in known]
    at = created.isoformat(timespec="seconds")
    return {**said, "resources": resources, "created": at, "taxonomic": [*old, *new]}


def resource(name: str) -> dict[str, str]:
    """Returns the entry of a table in the list of resources, with the reference to its schema."""
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": f"{_HOME}/{name}-table-schema.json",
    }


def as_json(said: Mapping[str, Any]) -> str:
    """Returns a descriptor as text."""
    return json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
