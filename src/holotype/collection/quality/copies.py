"""Image files that come more than once, byte for byte: within a source, across sources, under two labels."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from holotype.collection.quality.agreement import exclude_each_other, written_name
from holotype.collection.quality.finding import Check, Finding, Repair, Severity
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import HEAVY_COLUMNS, Collection

OWN_COLUMNS = frozenset({"record_id", "source_item", "image", "image_url", "extra"})
"""What may differ between two records of one image that say the same."""
_LIGHT = [name for name in RECORDS_SCHEMA.names if name not in HEAVY_COLUMNS]


def identical_images(collection: Collection) -> Iterator[Finding]:
    """Yields a finding for each record whose image file another record has too.

    Where labels exclude each other, every record of the set gets one; otherwise every record but the first.
    One that agrees with the first of its source in all columns (but ids and ``extra``) may be set aside.
    """
    for copies in repeated(collection, "image_sha256"):
        if any(exclude_each_other(copies[0], copy) for copy in copies[1:]):
            yield from _conflicts(copies)
        else:
            yield from _repeats(copies)


def repeated(collection: Collection, key: str) -> Iterator[list[dict[str, Any]]]:
    """Yields the records (without images) that share a value of a column, set after set, in their order."""
    values = collection.columns([key])[key]
    counts = pc.value_counts(values.drop_null().combine_chunks())
    several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if not len(several):
        return
    table = pads.dataset(collection.shard_paths(), schema=RECORDS_SCHEMA).to_table(
        columns=_LIGHT, filter=pc.field(key).isin(several)
    )
    place = pa.array(range(table.num_rows), pa.int64())
    order = table.append_column("place", place).sort_by(
        [(key, "ascending"), ("place", "ascending")]
    )
    rows = (row for batch in order.to_batches(max_chunksize=10_000) for row in batch.to_pylist())
    for _, group in groupby(rows, key=lambda row: row[key]):
        yield list(group)


def _conflicts(copies: list[dict[str, Any]]) -> Iterator[Finding]:
    for copy in copies:
        other = next((o for o in copies if exclude_each_other(copy, o)), copies[0])
        yield Finding(
            Check.CONFLICTING_IMAGES,
            Severity.ERROR,
            copy["source"],
            f"'{written_name(copy)}' here, '{written_name(other)}' in {other['source']}: the same file.",
            copy["record_id"],
            other["record_id"],
            float(len(copies)),
        )


def _repeats(copies: list[dict[str, Any]]) -> Iterator[Finding]:
    first_of: dict[str, dict[str, Any]] = {}
    for copy in copies:
        first = first_of.setdefault(copy["source"], copy)
        if copy is copies[0]:
            continue
        across = copy is first
        other = copies[0] if across else first
        same = not across and _says_the_same(copy, other)
        where = f"the same file as in {other['source']}" if across else "the same file again"
        agree = "; all columns agree" if same else ""
        yield Finding(
            Check.IDENTICAL_ACROSS_SOURCES if across else Check.IDENTICAL_IMAGES,
            Severity.WARNING if across else Severity.REMARK,
            copy["source"],
            f"'{written_name(copy)}': {where}{agree}.",
            copy["record_id"],
            other["record_id"],
            float(len(copies)),
            Repair.SET_ASIDE if same else None,
        )


def _says_the_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return all(first[name] == second[name] for name in _LIGHT if name not in OWN_COLUMNS)
