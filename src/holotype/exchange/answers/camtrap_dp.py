"""Answers -> observations of Camtrap DP 1.0: ``observations.csv`` with its package.

With a package of the user's own, its deployments and media stay as they are; the new observations join those
of people, and take the place of what a machine said before. Without one, deployments and media are made of
what the records say of themselves.
Source: Bubnicki et al. 2023, doi:10.1002/rse2.374; https://camtrap-dp.tdwg.org.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype import files
from holotype.errors import SourceError
from holotype.exchange.answers.answered import (
    Row,
    answer_rows,
    is_failed,
    lineage_of,
    write_comma,
    written,
)
from holotype.exchange.answers.camera_labels import Seen, seen_in
from holotype.exchange.answers.camtrap_package import (
    DEPLOYMENT_COLUMNS,
    MEDIA_COLUMNS,
    TO_FILL_IN,
    Made,
    Media,
    Own,
    as_json,
    descriptor,
    read_own,
    renewed,
    taxonomic,
)
from holotype.exchange.answers.ifcb import classifier_name
from holotype.exchange.answers.writing import HUMAN, Written
from holotype.identify.columns import Decision

OBSERVATION_COLUMNS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd",
    "observationLevel", "observationType", "cameraSetupType", "scientificName", "count", "lifeStage",
    "sex", "behavior", "individualID", "individualPositionRadius", "individualPositionAngle",
    "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight", "classificationMethod",
    "classifiedBy", "classificationTimestamp", "classificationProbability", "observationTags",
    "observationComments",
)  # fmt: skip
NO_ANIMAL = "no animal: Camtrap DP has no type of observation for it"


def write_camtrap_dp(
    answers: pa.Table, out: Path, *, classified_at: datetime, package: Path | None = None
) -> Written:
    """Writes a folder with one observation for each answer, at the level of its picture.

    An answer without a safe taxon is of type ``unknown``, one that could not be read ``unclassified``. What a
    person validated has the method ``human``, and no probability.

    Args:
        answers: of pictures. Without a package they need ``sample_id`` (the deployment), a position and
            a time with its offset.
        out: the folder.
        classified_at: when the answers were given, with its zone.
        package: folder, archive or descriptor of the package that the records were imported from; ``out``
            then holds ``observations.csv`` and ``datapackage.json`` alone, to be put into that package. What
            people observed stays; what a machine said of the same pictures gives way.

    Raises:
        SourceError: when the package cannot be read, or no answer can be an observation.
    """
    around = Made() if package is None else read_own(package)
    left_out: Counter[str] = Counter()
    classifier = classifier_name(answers)
    rows, lineages = [], []
    for media, row in _placed(answers, around, left_out):
        rows.append(_observation(media, row, classifier, classified_at))
        lineages += [lineage] if (lineage := lineage_of(row)) else []
    old = around.kept({row["mediaID"] for row in rows}) if isinstance(around, Own) else []
    _number(rows, {row["observationID"] for row in old if row.get("observationID")})
    taxa = taxonomic(lineages)
    notes: dict[str, int] = {}
    if isinstance(around, Made):
        if not rows:
            raise SourceError(f"no answer can be an observation of Camtrap DP: {dict(left_out)}.")
        projects = set(answers["cruise"].to_pylist())
        project = projects.pop() if len(projects) == 1 else None
        said = descriptor(around, taxa, created=classified_at, project=project)
        notes[TO_FILL_IN] = 1
    else:
        said = renewed(around.said, taxa, created=classified_at)
        notes |= {"observations of the package kept": len(old)} if old else {}
    counts = {"observations.csv": len(old) + len(rows)}
    more = dict.fromkeys(name for row in old for name in row if name not in OBSERVATION_COLUMNS)
    with files.folder_written_whole(out) as folder:
        _write(folder / "observations.csv", (*OBSERVATION_COLUMNS, *more), [*old, *rows])
        if isinstance(around, Made):
            _write(folder / "deployments.csv", DEPLOYMENT_COLUMNS, around.deployments.values())
            _write(folder / "media.csv", MEDIA_COLUMNS, around.media.values())
            counts |= {
                "deployments.csv": len(around.deployments),
                "media.csv": len(around.media),
            }
        files.write_text(folder / "datapackage.json", as_json(said))
    return written(answers, left_out, counts, notes)


def _placed(
    answers: pa.Table, around: Made | Own, left_out: Counter[str]
) -> Iterator[tuple[Media, Row]]:
    for row in answer_rows(answers):
        if not is_failed(row) and seen_in(row) is None:
            left_out[NO_ANIMAL] += 1
            continue
        media = around.find(row)
        if isinstance(media, str):
            left_out[media] += 1
        else:
            yield media, row


def _observation(
    media: Media, row: Row, classifier: str, classified_at: datetime
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "deploymentID": media.deployment_id,
        "mediaID": media.media_id,
        "eventStart": media.timestamp,
        "eventEnd": media.timestamp,
        "observationLevel": "media",
        **media.event,
    }
    if is_failed(row):
        return {**said, "observationType": "unclassified", "observationComments": row["failure"]}
    label = row["label"]
    said |= {
        "observationType": (seen_in(row) or Seen.UNKNOWN).value,
        "scientificName": row["taxon"],
        "observationTags": f"label:{label}" if label and "|" not in label else None,
        "observationComments": row["decision_reason"],
    }
    if row["status"] == HUMAN:
        return {**said, "classificationMethod": "human", "classifiedBy": row["labelled_by"]}
    placed = row["decision"] != Decision.UNPLACED.value
    return {
        **said,
        "classificationMethod": "machine",
        "classifiedBy": classifier,
        "classificationTimestamp": classified_at.isoformat(timespec="seconds"),
        "classificationProbability": row["answer_score"] if placed else None,
    }


def _number(rows: list[dict[str, Any]], taken: set[str]) -> None:
    """Gives each observation an id not taken: that of its picture and a number."""
    seen: Counter[str] = Counter()
    for row in rows:
        media = row["mediaID"]
        while True:
            seen[media] += 1
            named = f"{media}_{seen[media]}"
            if named not in taken:
                break
        taken.add(named)
        row["observationID"] = named


def _write(path: Path, columns: Sequence[str], rows: Any) -> None:
    write_comma(path, columns, ([row.get(name) for name in columns] for row in rows))
