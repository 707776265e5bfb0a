"""The names of a collection: matched against a backbone, reviewed by a person, then written into the records.

Each different (source, written label, lineage that the source gives) is matched once, however many
records have it. Nothing is written into the records before ``apply_names``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holotype.collection.name_keys import Counted, count_names, given_text, lineage_of, nameless
from holotype.collection.names_apply import ApplyReport, apply_names, resolve
from holotype.collection.names_review import (
    Decision,
    ReviewRow,
    decision_of,
    read_review,
    review_row,
    write_review,
)
from holotype.collection.store import open_collection
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.matching.match import BackboneMatcher, Matcher, match_all
from holotype.taxonomy.matching.outcome import MatchStatus, Query

__all__ = [
    "ApplyReport",
    "MatchReport",
    "ReviewReport",
    "apply_names",
    "match_names",
    "review_names",
]


@dataclass(frozen=True)
class MatchReport:
    """What matching found.

    Attributes:
        review: the table written.
        backbone: name and version of the reference.
        names: how many different names were matched.
        records: how many records the collection has.
        statuses: names by status; they add up to ``names``.
        hows: matched names by how.
        records_by_status: records by status, ``no_name`` for those without a label or lineage.
        to_decide: names that wait for a person.
    """

    review: str
    backbone: str
    names: int
    records: int
    statuses: Mapping[str, int]
    hows: Mapping[str, int]
    records_by_status: Mapping[str, int]
    to_decide: int


@dataclass(frozen=True)
class ReviewReport:
    """Where a review stands.

    Attributes:
        review: its file.
        rows: how many names it has.
        decisions: rows by decision, ``taxon`` where one is named; blank ones by status.
        open_rows: (source, label, records, reason) of the names that still wait, the commonest first.
        open_records: how many records have those names.
    """

    review: str
    rows: int
    decisions: Mapping[str, int]
    open_rows: Sequence[tuple[str, str, int, str]] = field(default_factory=tuple)
    open_records: int = 0


def match_names(
    collection: Path | str, *, backbone: Path | str, out: Path | str, kingdoms: Sequence[str] = (),
    more: Sequence[Matcher] = (),
) -> MatchReport:  # fmt: skip
    """Matches the different names of a collection and writes a review for a person to edit.

    Args:
        collection: its folder; it is not changed.
        backbone: the reference taxonomy.
        out: the review to write (CSV).
        kingdoms: those that the sources can hold, as Animalia; any where none is given.
        more: further matchers, asked where the backbone does not match.

    Raises:
        CollectionError, TaxonomyError: when the collection or the backbone cannot be opened.
    """
    opened, reference = open_collection(Path(collection)), open_backbone(backbone)
    names = count_names(opened)
    queries = [_query(name, frozenset(kingdoms)) for name in names]
    answers = match_all(queries, [BackboneMatcher(reference), *more])
    rows: list[ReviewRow] = []
    per_status: Counter[str] = Counter()
    for name, answer in zip(names, answers, strict=True):
        given = given_text(name.key)
        rows.append(
            review_row(answer, written=name.key[1] or "", given=given, records=name.records)
        )
        per_status[answer.status.value] += name.records
    write_review(rows, Path(out))
    statuses = Counter(answer.status.value for answer in answers)
    return MatchReport(
        review=str(out),
        backbone=reference.name,
        names=len(rows),
        records=len(opened),
        statuses=dict(sorted(statuses.items())),
        hows=dict(sorted(Counter(a.how.value for a in answers if a.how and a.taxon).items())),
        records_by_status=dict(sorted(per_status.items())) | nameless(len(opened), names),
        to_decide=statuses[MatchStatus.AMBIGUOUS.value],
    )


def _query(name: Counted, kingdoms: frozenset[str]) -> Query:
    """Returns the query of a name: its lineage is what the source gave, whatever was applied since."""
    lineage = lineage_of(name.key)
    written = name.key[1] or str(lineage.name)
    return Query(written, source=name.key[0] or "", lineage=lineage, kingdoms=kingdoms)


def review_names(review: Path | str, *, backbone: Path | str | None = None) -> ReviewReport:
    """Checks an edited review and returns where it stands.

    Args:
        review: the table that ``match_names`` wrote.
        backbone: if given, taxa that a reviewer named are looked up too.

    Raises:
        TaxonomyError: names row, column and remedy of everything that is wrong.
    """
    rows = read_review(Path(review))
    if backbone is not None:
        resolve(rows, open_backbone(backbone), Path(review))
    decisions: Counter[str] = Counter()
    for row in rows:
        decision = decision_of(row)
        named = decision.value if isinstance(decision, Decision) else "taxon" if decision else ""
        decisions[named or f"blank, {row.status}"] += 1
    left = sorted(
        (row for row in rows if row.is_open),
        key=lambda row: (-_whole(row.records), row.written_label),
    )
    return ReviewReport(
        review=str(review),
        rows=len(rows),
        decisions=dict(sorted(decisions.items())),
        open_rows=tuple(
            (row.source, row.written_label, _whole(row.records), row.reason) for row in left
        ),
        open_records=sum(_whole(row.records) for row in left),
    )


def _whole(text: str) -> int:
    digits = "".join(letter for letter in text if "0" <= letter <= "9")[:18]
    return int(digits) if digits else 0
