"""Where a job may write: into nothing that is kept, and over nothing that its own command did not write."""

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype import files
from holotype.collection.manifest import OURS as OF_A_COLLECTION
from holotype.errors import first_few
from holotype.identify.sidecar import ENDING, sidecar_path
from holotype.jobs.allowed import Allowed
from holotype.jobs.job import JobError

ARTEFACTS = {
    "collection.json": "a collection",
    "bundle.json": "a model",
    "index.json": "an index",
    "session.json": "a review",
    "assessment.json": "an assessment",
    "export.json": "an export",
    "job.json": "a job",
    "decisions.json": "the decisions of a model",
    "barcode-library.json": "a barcode library",
    "fetched.json": "a fetched data set",
    "fetching.json": "a data set that is being fetched",
}
"""The manifests of folders in which nothing but their own commands writes."""
UNFINISHED = {
    ".building": "an index that is being built",
    ".export-unfinished": "an export that was stopped",
    ".intake": "a collection that is being imported",
    "journal.jsonl": "a run that is not finished",
}
KEPT = frozenset(("jobs", "people", "uploads", "selections", "assessments", "reviews"))
"""Folders of the workspace that the server alone writes into."""
FORMATS = "holotype-"
MOST_MANIFEST_BYTES = 64 << 20
MOST_SIDECARS = 1_000


class Made(StrEnum):
    """What a command writes."""

    ANSWERS = "answers"
    EMBEDDINGS = "embeddings"
    SPLIT = "split"
    TABLE = "table"
    COLLECTION = "collection"
    INDEX = "index"
    REPORT = "report"
    SUMMARY = "summary"
    PAGE = "page"
    MODEL = "model"
    REVIEW = "review"
    DRAW = "draw"


def check_file(path: Path, text: str, made: Made, allowed: Allowed) -> None:
    """Checks that a file may be written: a new one, or one that the same command wrote.

    Args:
        path: the file.
        text: how a person named it.
        made: what is written.
        allowed: says what the workspace is.

    Raises:
        JobError: says what is there, and what to do.
    """
    _check_place(path, path.parent, text, allowed)
    beside = sidecar_path(path)
    if made is Made.ANSWERS and beside.exists() and not _is_ours(beside):
        raise JobError(
            f"{text}: {beside.name} would be replaced, which no Holotype wrote. Name a new file."
        )
    if path.exists() and not _is_own(made, path):
        raise JobError(
            f"{text}: is there already, and is not what this command wrote there. Name a new file, or "
            "move that one away."
        )


def check_folder(path: Path, text: str, made: Made, allowed: Allowed, *, home: str = "") -> None:
    """Checks that a folder may be written: a new or empty one, or one that the same command wrote.

    Args:
        path: the folder.
        text: how a person named it.
        made: what is written.
        allowed: says what the workspace is.
        home: a place among what the server keeps in the workspace where it may lie all the same.

    Raises:
        JobError: says what is there, and what to do.
    """
    is_own = path.is_dir() and _is_own(made, path)
    _check_place(path, path.parent if is_own else path, text, allowed, home=home)
    held = _names(path)
    if held and not is_own:
        raise JobError(
            f"{text}: holds {first_few(held)}. Name a new or empty folder; where a job was broken off, press "
            "Go on."
        )


def _check_place(path: Path, first: Path, text: str, allowed: Allowed, *, home: str = "") -> None:
    """Raises where a path lies in what is kept; folders are looked at from ``first`` upwards."""
    place = allowed.workspace
    if place is not None and path.is_relative_to(place):
        inside = path.relative_to(place)
        if inside.parts[:1] and inside.parts[0] in KEPT and not _is_home(inside, home):
            raise JobError(
                f"{text}: the server keeps {inside.parts[0]}/ of the workspace for itself. Name another "
                "folder."
            )
    for folder in (first, *first.parents):
        if folder.is_file():
            raise JobError(f"{text}: {folder.name} is a file, no folder. Name another place.")
        if (kind := artefact(folder)) is not None:
            raise JobError(
                f"{text}: lies in {kind}, {allowed.told(folder)}, where nothing else is written. Name a "
                "place outside of it."
            )
        if folder == place:
            return


def _is_home(inside: Path, home: str) -> bool:
    return len(inside.parts) == len(Path(home).parts) and inside.match(home)


def artefact(folder: Path) -> str | None:
    """Returns what a folder is, whole or not, as ``a collection``; None for any other folder."""
    for name, kind in ARTEFACTS.items():
        if (folder / name).is_file() and _is_ours(folder / name):
            return kind
    for name, kind in UNFINISHED.items():
        if (folder / name).exists() and (name[0] == "." or folder.suffix == ".partial"):
            return kind
    return None


def _is_ours(path: Path) -> bool:
    """Returns whether JSON says that it is of a format of ours; what cannot be read may be."""
    try:
        if path.stat().st_size > MOST_MANIFEST_BYTES:
            return True
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return isinstance(told, dict) and str(told.get("format", "")).startswith(FORMATS)


def _names(folder: Path) -> list[str]:
    """Returns what a folder holds; files that were being written when a process ended do not count."""
    held = folder.iterdir() if folder.is_dir() else ()
    return sorted(one.name for one in held if not one.name.endswith(".part"))


def _is_own(made: Made, path: Path) -> bool:
    known = _OWN.get(made)
    return known is not None and known(path)


def _told(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_of(path: Path, name: str) -> bool:
    return _told(path).get("format") == FORMATS + name


def _is_answers(path: Path) -> bool:
    """Answers that are as their sidecar says, or those of a run that is not finished."""
    journal = path.with_name(path.name + ".partial") / "journal.jsonl"
    return journal.is_file() or _is_named(sidecar_path(path), path, "answers")


def _is_embeddings(path: Path) -> bool:
    """Embeddings that are as the sidecar of answers beside them says."""
    told = sorted(path.parent.glob(f"*{ENDING}"))[:MOST_SIDECARS]
    return any(_is_named(one, path, "embeddings") for one in told)


def _is_named(sidecar: Path, path: Path, table: str) -> bool:
    """Returns whether a sidecar names a file, and the file is still as it was written."""
    told = _told(sidecar)
    if told.get("format") != "holotype-run":
        return False
    outputs = [one for one in told.get("outputs") or [] if isinstance(one, dict)]
    return any(
        (one.get("table"), one.get("path")) == (table, path.name)
        and one.get("bytes") == path.stat().st_size
        and one.get("sha256") == files.sha256_file(path)
        for one in outputs
    )


def _is_split(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        told = json.loads((pq.read_schema(path).metadata or {}).get(b"holotype", b"{}"))
    except (OSError, ValueError, pa.ArrowException):
        return False
    return isinstance(told, dict) and told.get("format") == FORMATS + "split"


def _is_collection(folder: Path) -> bool:
    if (folder / "collection.json").exists():
        return _is_of(folder / "collection.json", "collection")
    return artefact(folder) in (None, UNFINISHED[".intake"]) and OF_A_COLLECTION.issuperset(
        _names(folder)
    )


def _is_index(folder: Path) -> bool:
    """One that is being built; a finished one is added to by another command."""
    return (folder / ".building").is_dir() and not (folder / "index.json").exists()


def _is_report(folder: Path) -> bool:
    names = {"report.json", "index.html"}
    return names.issuperset(_names(folder)) and _is_of(folder / "report.json", "report")


def _is_summary(folder: Path) -> bool:
    names = {"summary.json", "index.html"}
    return names.issuperset(_names(folder)) and _is_of(folder / "summary.json", "summary")


_OWN: dict[Made, Callable[[Path], bool]] = {
    Made.ANSWERS: _is_answers,
    Made.EMBEDDINGS: _is_embeddings,
    Made.SPLIT: _is_split,
    Made.COLLECTION: _is_collection,
    Made.INDEX: _is_index,
    Made.REPORT: _is_report,
    Made.SUMMARY: _is_summary,
}
"""How it is known that a command wrote what is there. What is not in it is never replaced."""
