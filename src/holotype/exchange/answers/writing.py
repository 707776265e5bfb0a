"""What a writer of answers is given, and what it says it has done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from holotype._version import __version__
from holotype.collection.store import Collection
from holotype.exchange.answers.identifiers import Identifiers
from holotype.taxonomy.lineage import Rank

USUAL_K = 5
"""Names a record, for ``pybioclip``, where no number is asked for."""
HUMAN = "ValidatedByHuman"
"""What ``status`` of a row says that a person validated (the term of OBIS)."""


class Grouping(StrEnum):
    """What one occurrence is."""

    TAXON = "taxon"
    """All individuals of one taxon and status in one sample: what abundance is stated of."""
    EACH = "each"
    """One image or barcode."""


@dataclass(frozen=True)
class Beside:
    """What some formats take beside the answers.

    Attributes:
        scores: the scores of all labels, by input; None: those of the five best.
        thresholds: score by label; None: the safe answers decide.
        lineages: label -> rank -> name; None: those that the answers show.
        rank: at which ``pybioclip`` names; None for labels.
        k: how many names a record, for ``pybioclip``.
    """

    scores: pa.Table | None = None
    thresholds: Mapping[str, float] | None = None
    lineages: Mapping[str, Mapping[str, str]] | None = None
    rank: Rank | None = Rank.SPECIES
    k: int = USUAL_K


@dataclass(frozen=True)
class Request:
    """What a writer is asked for beside the answers.

    Attributes:
        out: the file or folder to write.
        dated: when the answers were made, with its zone.
        version: of the Holotype that made them.
        collection: the records that the answers are of; None where none was named.
        identifiers: what taxa and labels are called at WoRMS and EcoTaxa.
        counts: the table of ``holotype count``; None where none was named.
        dataset: the file that describes the data set (TOML); None where none was named.
        grouping: what one occurrence is.
        beside: what some formats take.
    """

    out: Path
    dated: datetime
    version: str = __version__
    collection: Collection | None = None
    identifiers: Identifiers = field(default_factory=Identifiers)
    counts: pa.Table | None = None
    dataset: Path | None = None
    grouping: Grouping = Grouping.TAXON
    beside: Beside = field(default_factory=Beside)

    @property
    def software(self) -> str:
        """What named the organisms: name and version."""
        return f"Holotype {self.version}"


@dataclass(frozen=True)
class Written:
    """What a writer did; ``answers`` and ``left_out`` add up to the rows that it was given.

    Attributes:
        answers: how many answers are in what was written.
        left_out: how many are not, by reason.
        rows: rows by the name of the table or file that they went to.
        notes: what is worth knowing beside that, counted.
    """

    answers: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)


Writer = Callable[[pa.Table, Request], Written]
"""Writes answers (``ANSWER_SCHEMA``) as one format, whole or not at all.

The rows are those of ``holotype.identify.columns``, with the context filled in. A row that a person validated
has status ``ValidatedByHuman``, the person's name in ``labelled_by``, and no scores.
"""


@dataclass(frozen=True)
class Form:
    """One format that answers can be published in.

    Attributes:
        about: one line: what it is, and who takes it.
        write: its writer.
        takes: which options of ``publish`` mean something for it, beside those that all formats take.
    """

    about: str
    write: Writer
    takes: frozenset[str] = frozenset()
