"""Rows that a person validated take the place of the answers to the same records."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from holotype.collection.store import MANIFEST, open_collection
from holotype.errors import SourceError, first_few
from holotype.exchange.answers.writing import HUMAN
from holotype.identify.columns import ANSWER, ANSWER_SCHEMA, RANKS, Decision

KEYS = ("record_id", "specimen_id", "input")
"""How a validated row is joined to its answer: by the first of these columns that leads to one."""
_NAMING = ("written_label", *RANKS)
_KEPT = frozenset({"input", "barcode_answer", "image_answer", "failure"})
_STATUS = "label_status"
_VALIDATED = "validated"


@dataclass(frozen=True)
class Joined:
    """Answers with what people validated laid over them.

    Attributes:
        answers: all rows, in their order.
        validated: how many a person's name now stands for.
        notes: rows of the table of people that were not used, by reason.
    """

    answers: pa.Table
    validated: int
    notes: Mapping[str, int]


def with_validated(answers: pa.Table, path: Path) -> Joined:
    """Returns the answers, those with a validated row replaced by what the person said.

    Args:
        answers: of ``ANSWER_SCHEMA``.
        path: a collection, or a table (CSV, TSV, Parquet) with ``record_id``, ``specimen_id`` or ``input``;
            ``written_label`` or columns of ranks; ``labelled_by``, and ``label_status`` where not all rows
            are validated.

    Raises:
        SourceError: when the table lacks a key or a name.
    """
    rows = _read(path)
    key = _key(rows, answers)
    if key is None or not set(_NAMING) & set(rows.column_names):
        raise SourceError(
            f"{path}: columns {first_few(rows.column_names)}. A table of validated rows needs record_id, "
            "specimen_id or input, and written_label or names by rank (kingdom ... species)."
        )
    notes: dict[str, int] = {}
    rows = _only(rows, _is_validated(rows), "not validated", notes)
    rows = _only(rows, _is_named(rows), "validated without a name", notes)
    rows = _only(rows, _is_certain(rows, key), "validated twice, under different names", notes)
    place = pc.index_in(answers[key], value_set=rows[key].combine_chunks()).combine_chunks()
    replaced = pc.is_valid(place)
    if unused := len(rows[key].unique()) - len(place.unique().drop_null()):
        notes["validated, but not among the answers"] = unused
    laid = _laid_over(answers, rows.take(place), replaced)
    return Joined(laid, pc.sum(replaced).as_py() or 0, notes)


def _key(rows: pa.Table, answers: pa.Table) -> str | None:
    """Returns the first column of ``KEYS`` that leads to an answer, else the first that is there."""
    there = [name for name in KEYS if name in rows.column_names]
    meeting = (
        name
        for name in there
        if pc.any(
            pc.is_in(answers[name], value_set=rows[name].combine_chunks().drop_null())
        ).as_py()
    )
    return next(meeting, there[0] if there else None)


def _read(path: Path) -> pa.Table:
    """Returns the columns of a collection or table that say who named what, all as text."""
    wanted = [*KEYS, *_NAMING, "labelled_by", _STATUS]
    if (path / MANIFEST).is_file():
        return open_collection(path).columns([name for name in wanted if name != "input"])
    if not path.is_file():
        raise SourceError(f"{path}: no such file or collection.")
    try:
        if path.suffix.lower() == ".parquet":
            table = pq.read_table(path)
        else:
            delimiter = "\t" if path.suffix.lower() in {".tsv", ".txt"} else ","
            parse = pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
            types = pcsv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            )
            table = pcsv.read_csv(path, parse_options=parse, convert_options=types)
    except pa.ArrowInvalid as reason:
        raise SourceError(f"{path}: cannot be read as a table ({reason}).") from reason
    return table.select([name for name in wanted if name in table.column_names])


def _only(rows: pa.Table, kept: pa.ChunkedArray, reason: str, notes: dict[str, int]) -> pa.Table:
    left = rows.filter(kept)
    if left.num_rows < rows.num_rows:
        notes[reason] = rows.num_rows - left.num_rows
    return left


def _is_validated(rows: pa.Table) -> pa.ChunkedArray | pa.Array:
    if _STATUS not in rows.column_names:
        return pa.array([True] * rows.num_rows)
    return pc.equal(pc.utf8_lower(rows[_STATUS]), _VALIDATED)


def _is_named(rows: pa.Table) -> pa.ChunkedArray:
    named = [pc.is_valid(rows[name]) for name in _NAMING if name in rows.column_names]
    found = named[0]
    for more in named[1:]:
        found = pc.or_(found, more)
    return found


def _is_certain(rows: pa.Table, key: str) -> pa.Array:
    """Returns which rows have a key, and agree with the others of that key on the name."""
    names = [name for name in _NAMING if name in rows.column_names]
    distinct = rows.group_by([key, *names]).aggregate([])
    counted = distinct.group_by(key).aggregate([([], "count_all")])
    once = counted.filter(pc.equal(counted["count_all"], 1))[key].combine_chunks().drop_null()
    return pc.is_in(rows[key], value_set=once)


def _laid_over(answers: pa.Table, people: pa.Table, replaced: pa.Array) -> pa.Table:
    """Returns the answers with the columns of what Holotype says replaced, where a person said otherwise."""
    count = answers.num_rows

    def of(name: str) -> Any:
        given = name in people.column_names
        return people[name].cast(pa.string()) if given else pa.nulls(count, pa.string())

    columns: dict[str, Any] = {column.name: pa.nulls(count, column.type) for column in ANSWER}
    columns |= {rank: of(rank) for rank in RANKS}
    narrow = list(reversed(RANKS))
    columns["taxon"] = pc.coalesce(*(of(rank) for rank in narrow))
    columns["taxon_rank"] = pc.coalesce(
        *(
            pc.if_else(pc.is_valid(of(r)), pa.scalar(r), pa.scalar(None, pa.string()))
            for r in narrow
        )
    )
    label = pc.coalesce(of("written_label"), columns["taxon"])
    who = of("labelled_by")
    said = pc.binary_join_element_wise("validated by", who, " ")
    columns |= {
        "answer": label,
        "label": label,
        "answer_level": pa.array(["label"] * count),
        "decision": pa.array([Decision.NAMED.value] * count),
        "decision_reason": pc.coalesce(said, pa.array(["validated by a person"] * count)),
        "status": pa.array([HUMAN] * count),
        "labelled_by": who,
        "written_label": label,
        _STATUS: pa.array([_VALIDATED] * count),
    }
    laid = answers
    for name, column in columns.items():
        if name in _KEPT:
            continue
        kind = ANSWER_SCHEMA.field(name).type
        chosen = pc.if_else(replaced, column.cast(kind), answers[name])
        laid = laid.set_column(laid.schema.get_field_index(name), name, chosen)
    return laid
