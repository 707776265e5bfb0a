"""What a fetch did, and the command that comes next."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from holotype.catalogue.fetched import FetchedFile
from holotype.catalogue.public_source import How, Source


class Outcome(StrEnum):
    """How a fetch ended."""

    FETCHED = "fetched"
    """Files came in this run, and all are whole now."""
    COMPLETE = "complete"
    """All were there and are as they were written down; nothing was asked of the network."""
    BY_HAND = "by_hand"
    """A person has to fetch them; ``instructions`` says how."""


@dataclass(frozen=True)
class GetReport:
    """What a fetch did.

    Attributes:
        source: name of the source.
        folder: where its files are.
        outcome: how it ended.
        files: the files that are whole, in the order of the catalogue.
        bytes: their size together.
        came_bytes: of these, fetched in this run.
        licence: of the content, in words.
        licence_conflict: what statements disagree about, or None.
        terms: conditions beside the licence, or None.
        citation: to be given with whatever is made of it.
        instructions: what a person does, or None.
        next_command: the command that reads it into a collection, or None while files are missing.
        reading_hint: what has to be done before that, or None.
    """

    source: str
    folder: str
    outcome: Outcome
    files: tuple[FetchedFile, ...]
    bytes: int
    came_bytes: int
    licence: str
    licence_conflict: str | None
    terms: str | None
    citation: str
    instructions: str | None
    next_command: str | None
    reading_hint: str | None


def get_report(
    source: Source, folder: Path, outcome: Outcome, held: Mapping[str, FetchedFile], came: int
) -> GetReport:
    """Returns the report of a fetch that ended with these files whole."""
    done = outcome is not Outcome.BY_HAND
    return GetReport(
        source=source.name,
        folder=str(folder),
        outcome=outcome,
        files=tuple(held.values()),
        bytes=sum(row.bytes for row in held.values()),
        came_bytes=came,
        licence=str(source.content_licence),
        licence_conflict=source.licence_conflict,
        terms=source.terms,
        citation=source.citation,
        instructions=None if done else source.instructions,
        next_command=next_command(source, folder, list(held)) if done else None,
        reading_hint=source.layout.about,
    )


def next_command(source: Source, folder: Path, held: Sequence[str]) -> str:
    """Returns the ``holotype import`` command that reads the fetched files of a source."""
    inputs = [str(folder / name) for name in source.layout.inputs or held if name in held]
    root = (source.layout.class_root or "").partition("<")[0].strip("/")
    options = [str(folder / word) if word in held else word for word in source.layout.options]
    if source.how is How.HUB:
        inputs = [str(folder / root) if root else str(folder)]
    elif source.layout.reads_as == "image-folder" and root and "*" not in root:
        options += ["--inside", root]
    words = ["holotype", "import", source.layout.reads_as, *inputs]
    words += ["--into", f"{source.name}-collection", "--source", source.name, *options]
    return shlex.join(words)
