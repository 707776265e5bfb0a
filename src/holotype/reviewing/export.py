"""What the reviewers decided, for others: a table, or an update for EcoTaxa."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype import files
from holotype.collection.reading.cells import escaped
from holotype.collection.store import Collection, open_collection
from holotype.errors import SourceError, first_few
from holotype.exchange.answers.container import container
from holotype.exchange.answers.identifiers import Identifiers, known_identifiers
from holotype.exchange.answers.writing import HUMAN
from holotype.exchange.ecotaxa.columns import ANSWER_TABLE_COLUMNS, category_of, cells_of
from holotype.exchange.ecotaxa.ids import object_id_of
from holotype.exchange.ecotaxa.table import table_bytes, used_columns
from holotype.identify.columns import ANSWER_SCHEMA, RANKS, Decision
from holotype.reviewing.left import DIFFER, NOT_DECIDED, why_not_the_same
from holotype.reviewing.review import Review
from holotype.reviewing.settle import Settle, Settled, all_settled

UNCLASSIFIED = "unclassified: EcoTaxa keeps what it has"
FURTHER = "further records of one object: the newest decision stands"
DAMAGED = "lines of log.jsonl are no events: what they said is not in the file"
NO_ID = "no category id: EcoTaxa asks which of its names is meant"
CSV_COLUMNS: dict[str, str] = {
    "record_id": "the record",
    "outcome": "`validated`, `unclassified`, `disputed` or `not decided`",
    "label": "the label that the reviewers settled on",
    **{rank: f"{rank} of that label" for rank in RANKS},
    "qualifier": "what of the organism is shown",
    "kind": "living, detritus, artefact or inert",
    "label_status": "`validated` where a label was settled on",
    "labelled_by": "the reviewers who say so",
    "decided_at": "when the last of these said so, UTC",
    "new_label": "whether the label was unknown to the session",
    "proposal": "what the model proposed",
    "score": "its score",
    "current": "what the collection called it when the session was made",
    "decisions": "what each reviewer says, `name: label`, `;` between them",
    "notes": "likewise, the notes",
}
"""The columns of the table."""


class Form(StrEnum):
    """What a review can be written as."""

    CSV = "csv"
    ECOTAXA = "ecotaxa-update"


@dataclass(frozen=True)
class ReviewExportReport:
    """What was written.

    Attributes:
        out: the file.
        form: the format.
        records: of the session.
        written: how many are in the file.
        left_out: how many are not, by reason.
        notes: what is worth knowing beside that, counted.
    """

    out: str
    form: str
    records: int
    written: int
    left_out: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


def export_review(
    session: Path | str,
    *,
    to: Form | str,
    out: Path | str,
    collection: Path | str | None = None,
    settle: Settle | str = Settle.AGREED,
    reviewers: Sequence[str] = (),
) -> ReviewExportReport:
    """Writes what the reviewers decided.

    Args:
        session: folder of the session.
        to: ``csv``, every record with every decision; or ``ecotaxa-update``, a table that EcoTaxa's
            *Import > Update metadata* takes, with the status ``validated``.
        out: the file; it must not be there. ``.zip`` or a folder for EcoTaxa.
        collection: the collection's folder, where it has moved since.
        settle: whose word counts where reviewers differ.
        reviewers: whose decisions count; everybody's by default.

    Raises:
        SourceError: for an unknown format, when ``out`` is there, or no record can be written.
        ReviewError, CollectionError: when one cannot be opened.
    """
    if str(to) not in {*Form}:
        raise SourceError(f"--to {to}: no such format. Known: {first_few([*Form])}.")
    path = Path(out)
    if path.exists():
        raise SourceError(f"{path}: is there already. Name a new file, or remove it.")
    review = Review.open(session)
    found, open_ = all_settled(review.state, Settle(settle), reviewers=reviewers)
    opened = open_collection(
        Path(collection) if collection is not None else review.session.collection
    )
    report = _WRITERS[Form(to)](review, found, set(open_), opened, path)
    told = {DAMAGED: len(review.damaged)} if review.damaged else {}
    return replace(report, notes={**told, **report.notes})


def rows_of(
    review: Review, found: Mapping[str, Settled], disputed: set[str]
) -> list[dict[str, Any]]:
    """Returns a row of ``CSV_COLUMNS`` for each record of the session, in its order."""
    wanted = ["record_id", "proposal", "score", "current"]
    return [
        {**item, **_said(review, item["record_id"], found.get(item["record_id"]), disputed)}
        for item in review.session.items.select(wanted).to_pylist()
    ]


def _said(review: Review, record: str, one: Settled | None, disputed: set[str]) -> dict[str, Any]:
    decisions = review.decisions(record)
    row: dict[str, Any] = {
        "decisions": "; ".join(f"{n}: {d.label or 'unclassified'}" for n, d in decisions.items()) or None,
        "notes": "; ".join(f"{n.reviewer}: {n.text}" for n in review.state.notes(record)) or None,
        "outcome": "disputed" if record in disputed else NOT_DECIDED,
    }  # fmt: skip
    if one is None:
        return row
    row |= {"labelled_by": "; ".join(one.by), "decided_at": one.time, "outcome": "unclassified"}
    if one.label is None:
        return row
    return row | {
        "outcome": "validated", "label": one.label, "label_status": "validated",
        "new_label": one.is_new, **_lineage(review, one.label),
    }  # fmt: skip


def _lineage(review: Review, label: str) -> dict[str, str | None]:
    known = review.session.book.known(label)
    if known is None or known.concept is None:
        return {}
    names = {rank.value: name for rank, name in known.concept.lineage}
    concept = known.concept
    return {rank: names.get(rank) for rank in RANKS} | {
        "qualifier": concept.qualifier, "kind": concept.kind.value,
    }  # fmt: skip


def _write_csv(
    review: Review, found: Mapping[str, Settled], disputed: set[str], opened: Collection, out: Path
) -> ReviewExportReport:
    rows = rows_of(review, found, disputed)
    now = _records(opened, review)
    decided = [one for one in review.session.record_ids if one in found]
    changed = Counter(why_not_the_same(review.session, one, now.get(one)) for one in decided)
    with (
        files.written_whole(out) as temporary,
        temporary.open("w", newline="", encoding="utf-8-sig") as handle,
    ):
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in CSV_COLUMNS])
    notes = {f"decided, but {why}": number for why, number in changed.items() if why is not None}
    return ReviewExportReport(str(out), Form.CSV.value, len(rows), len(rows), notes=notes)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escaped(value) if isinstance(value, str) else value


def _write_ecotaxa(
    review: Review, found: Mapping[str, Settled], disputed: set[str], opened: Collection, out: Path
) -> ReviewExportReport:
    left_out, notes = Counter[str](), Counter[str]()
    ids = known_identifiers(opened)
    for label in review.session.book.labels:
        if label.concept is not None:
            ids.learn(label.concept, dict(label.ids))
    records = _records(opened, review)
    objects: dict[str, tuple[str, dict[str, Any]]] = {}
    written = 0
    for record in review.session.record_ids:
        one = found.get(record)
        why = why_not_the_same(review.session, record, records.get(record))
        if why is not None or one is None or one.label is None:
            left_out[why or _why_open(record, one, disputed)] += 1
            continue
        written += 1
        cells = _validated_cells(review, records[record], one, ids)
        notes[NO_ID] += int(cells["object_annotation_category_id"] is None)
        name = object_id_of(_as_answer(records[record]))
        notes[FURTHER] += int(name in objects)
        if name not in objects or objects[name][0] <= one.time:
            objects[name] = (one.time, {**cells, "object_id": name})
    if not objects:
        reasons = "; ".join(f"{number:,} {reason}" for reason, number in left_out.items())
        raise SourceError(
            f"{review.session.path}: no record can be written for EcoTaxa: {reasons}."
        )
    rows = [cells for _, cells in objects.values()]
    with container(out) as into:
        columns = used_columns(ANSWER_TABLE_COLUMNS, rows)
        into.add("ecotaxa_update.tsv", table_bytes(columns, rows, notes))
    return ReviewExportReport(
        str(out), Form.ECOTAXA.value, len(review.session), written, dict(left_out),
        {name: count for name, count in notes.items() if count},
    )  # fmt: skip


def _why_open(record: str, one: Settled | None, disputed: set[str]) -> str:
    """Returns why a record has no label to write."""
    if one is not None:
        return UNCLASSIFIED
    return DIFFER if record in disputed else NOT_DECIDED


def _records(opened: Collection, review: Review) -> dict[str, dict[str, Any]]:
    table = opened.columns(["record_id", "content_hash", "specimen_id", "source_item"])
    known = pa.array(review.session.record_ids, pa.string())
    kept = table.filter(pc.is_in(table["record_id"], value_set=known)).to_pylist()
    return {row["record_id"]: row for row in kept}


def _as_answer(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(ANSWER_SCHEMA.names), "input": record["record_id"], **record}


def _validated_cells(
    review: Review, record: Mapping[str, Any], one: Settled, ids: Identifiers
) -> dict[str, Any]:
    """Returns the annotation of a record as EcoTaxa takes it: validated, by whom and when."""
    label = one.label or ""
    answer = _as_answer(record) | {
        **dict.fromkeys(RANKS), **_lineage(review, label), "answer": label, "status": HUMAN,
        "decision": Decision.NAMED.value, "labelled_by": "; ".join(one.by),
    }  # fmt: skip
    moment = datetime.fromisoformat(one.time)
    number = ids.ecotaxa_id(label) or ids.ecotaxa_id(category_of(label))
    cells = dict(cells_of(answer, dated=moment, software="", category_id=number))
    return cells | {
        "object_annotation_date": moment.strftime("%Y%m%d"),
        "object_annotation_time": moment.strftime("%H%M%S"),
        "object_decision": None,
        "object_annotation_category_id": number,
    }


_WRITERS: dict[
    Form,
    Callable[[Review, Mapping[str, Settled], set[str], Collection, Path], ReviewExportReport],
] = {Form.CSV: _write_csv, Form.ECOTAXA: _write_ecotaxa}
