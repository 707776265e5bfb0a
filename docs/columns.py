"""The columns and words of tables, from the schemas of the code, for the format pages."""

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
from meanings import ENVIRONMENT, KNOWN_FROM, LEDGER, OUTCOMES, SPLIT
from wording import arrow_type, code, table

from holotype.collection.schema import (
    BOUNDS,
    COLUMNS,
    ENVIRONMENT_FIELDS,
    LEDGER_SCHEMA,
    Column,
    KnownFrom,
    Outcome,
)
from holotype.counting.columns import COUNT_COLUMNS
from holotype.identify.columns import ANSWER, CONTEXT, DECISIONS
from holotype.index.barcodes.storage import ARRAYS, RARE_ARRAYS
from holotype.index.records import RECORD_COLUMNS
from holotype.splits.plan import SPLIT_SCHEMA


def columns_of(schema: pa.Schema, meanings: Mapping[str, str]) -> str:
    """Returns the columns of a schema; a column without a meaning is an error."""
    rows = [(code(f.name), arrow_type(f.type), meanings[f.name]) for f in schema]
    return table(("column", "type", "meaning"), rows)


def collection_columns() -> str:
    """Returns the columns of a collection, with the bounds of their values."""
    rows = []
    for column in COLUMNS:
        low, high = BOUNDS.get(column.name, (None, None))
        within = "" if low is None else f"{low:g} to {high:g}"
        rows.append((code(column.name), arrow_type(column.type), within, column.meaning))
    return table(("column", "type", "bounds", "meaning"), rows)


def ledger_columns() -> str:
    """Returns the columns of a ledger."""
    return columns_of(LEDGER_SCHEMA, LEDGER)


def ledger_outcomes() -> str:
    """Returns the outcomes that a ledger may have."""
    rows = [(code(outcome.value), OUTCOMES[outcome.value]) for outcome in Outcome]
    return table(("outcome", "meaning"), rows)


def known_from() -> str:
    """Returns the words of ``place_from``, ``depth_from`` and ``time_from``."""
    rows = [(code(word.value), KNOWN_FROM[word.value]) for word in KnownFrom]
    return table(("word", "meaning"), rows)


def environment_fields() -> str:
    """Returns the parts of a value of the column ``environment``."""
    rows = [(code(name), arrow_type(kind), ENVIRONMENT[name]) for name, kind in ENVIRONMENT_FIELDS]
    return table(("part", "type", "meaning"), rows)


def split_columns() -> str:
    """Returns the columns of a split."""
    return columns_of(SPLIT_SCHEMA, SPLIT)


def meant(columns: Sequence[Column]) -> str:
    """Returns columns that bear their meanings."""
    rows = [(code(column.name), arrow_type(column.type), column.meaning) for column in columns]
    return table(("column", "type", "meaning"), rows)


def answer_columns() -> str:
    """Returns the columns of an answer: what Holotype says."""
    return meant(ANSWER)


def context_columns() -> str:
    """Returns the columns of an answer that say what the input tells of the record."""
    return meant(CONTEXT)


def decisions() -> str:
    """Returns the kinds of answers."""
    rows = [(code(decision.value), meaning) for decision, meaning in DECISIONS.items()]
    return table(("decision", "meaning"), rows)


def count_columns() -> str:
    """Returns the columns of counts."""
    return meant(COUNT_COLUMNS)


def record_columns() -> str:
    """Returns the columns of an index's records."""
    return meant(RECORD_COLUMNS)


def library_arrays() -> str:
    """Returns the arrays of a barcode library; those that not every one has come last."""
    rows = [(code(name), content) for name, content in ARRAYS.items()]
    rows += [(code(name), f"{content}; not always there") for name, content in RARE_ARRAYS.items()]
    return table(("array", "content"), rows)


COLUMN_PARTS: dict[str, Callable[[], str]] = {
    "collection-columns": collection_columns,
    "ledger-columns": ledger_columns,
    "ledger-outcomes": ledger_outcomes,
    "known-from": known_from,
    "environment-fields": environment_fields,
    "split-columns": split_columns,
    "answer-columns": answer_columns,
    "context-columns": context_columns,
    "decisions": decisions,
    "count-columns": count_columns,
    "record-columns": record_columns,
    "library-arrays": library_arrays,
}
"""The parts that are tables of columns, by the name between their comment lines."""
