"""The table of ``holotype count`` beside the occurrences that it is of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holotype.errors import SourceError, first_few
from holotype.exchange.answers.writing import HUMAN, Grouping, Request
from holotype.exchange.darwin_core.answer import Answer
from holotype.exchange.darwin_core.extensions import count_measurements
from holotype.identify.columns import MACHINE

_NEEDED = ("sample_id", "taxon", "taxon_rank", "count_raw")
_Key = tuple[str | None, str | None, str | None, str]
NO_OCCURRENCE = "rows of counts without an occurrence: in no measurement"
TWICE = "rows of counts of a taxon that has an earlier row: not used"


@dataclass
class Counts:
    """Rows of counts by sample, taxon, rank and status.

    Attributes:
        rows: the rows.
        used: keys that an occurrence took.
        twice: how many rows had a key that another has.
    """

    rows: Mapping[_Key, Mapping[str, Any]] = field(default_factory=dict)
    used: set[_Key] = field(default_factory=set)
    twice: int = 0

    def of(
        self, answer: Answer, event: str, occurrence: str, request: Request
    ) -> Iterator[dict[str, Any]]:
        """Yields the measurements of an occurrence; a row of counts goes to one occurrence alone."""
        status = HUMAN if answer["status"] == HUMAN else MACHINE
        sample = answer["sample_id"] or answer["acquisition_id"]
        key = (sample, answer["taxon"], answer["taxon_rank"], status)
        if key in self.rows and key not in self.used:
            self.used.add(key)
            yield from count_measurements(self.rows[key], event, occurrence, request)

    def unused(self) -> dict[str, int]:
        """Returns how many rows no occurrence took, by reason."""
        return {NO_OCCURRENCE: len(self.rows) - len(self.used), TWICE: self.twice}


def read_counts(request: Request) -> Counts:
    """Returns the counts of a request; none where none were named.

    Raises:
        SourceError: when the table lacks a column, or occurrences are single images.
    """
    if request.counts is None:
        return Counts()
    if request.grouping is Grouping.EACH:
        raise SourceError(
            "--counts are of taxa in samples, and --each makes every image an occurrence. Leave one out."
        )
    missing = [name for name in _NEEDED if name not in request.counts.column_names]
    if missing:
        raise SourceError(
            f"--counts: no column {first_few(missing)}. Give the table of 'holotype count'."
        )
    rows: dict[_Key, Mapping[str, Any]] = {}
    twice = 0
    for row in request.counts.to_pylist():
        if not row["taxon"]:  # specimens that are unplaced or failed: no occurrence has them either
            continue
        status = HUMAN if row.get("status") == HUMAN else MACHINE
        key = (row["sample_id"], row["taxon"], row["taxon_rank"], status)
        twice += int(key in rows)
        rows.setdefault(key, row)
    return Counts(rows, twice=twice)
