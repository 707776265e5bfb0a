"""Counts over all records in one pass: columns are read a batch at a time, and only counts are kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import Collection

BATCH_ROWS = 65_536
RECORDS = "records"


@dataclass(frozen=True)
class Tally:
    """What is counted.

    Attributes:
        reads: columns of the collection that are needed.
        keys: a batch of these columns -> a table with the keys (and what is summed), a row a record; rows
            that do not count are left out.
        sums: columns of that table that are added up; all others but ``spans`` are keys.
        spans: columns of which the least and the greatest value are kept, as ``x_min`` and ``x_max``.
    """

    reads: tuple[str, ...]
    keys: Callable[[pa.Table], pa.Table]
    sums: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()


def batches(collection: Collection, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yields the columns of all records in order, some ten thousand at a time; one empty table for none."""
    wanted = [name for name in RECORDS_SCHEMA.names if name in set(columns)]
    schema = pa.schema([RECORDS_SCHEMA.field(name) for name in wanted])
    if not len(collection):
        yield schema.empty_table()
    for path in collection.shard_paths():
        with pq.ParquetFile(path) as shard:
            for batch in shard.iter_batches(BATCH_ROWS, columns=wanted):
                yield pa.Table.from_batches([batch]).select(wanted).cast(schema)


def tallied(collection: Collection, tallies: Mapping[str, Tally]) -> dict[str, pa.Table]:
    """Returns for each tally a table of its keys, what is summed, and ``records``, ordered by key."""
    columns = sorted({name for tally in tallies.values() for name in tally.reads})
    parts: dict[str, list[pa.Table]] = {name: [] for name in tallies}
    for table in batches(collection, columns):
        for name, tally in tallies.items():
            found = tally.keys(table)
            ones = pa.repeat(pa.scalar(1, pa.int64()), found.num_rows)
            spans = {f"{span}_{end}": found[span] for span in tally.spans for end in ("min", "max")}
            found = found.drop_columns(list(tally.spans)).append_column(RECORDS, ones)
            for column, values in spans.items():
                found = found.append_column(column, values)
            parts[name].append(added_up(found, tally))
            if sum(part.num_rows for part in parts[name][1:]) > BATCH_ROWS:
                parts[name] = [added_up(pa.concat_tables(parts[name]), tally)]
    return {
        name: _in_order(added_up(pa.concat_tables(parts[name]), tally), tally)
        for name, tally in tallies.items()
    }


def added_up(table: pa.Table, tally: Tally) -> pa.Table:
    """Returns a table with each key once, its counts added up."""
    summed = [name for name in table.column_names if name in (*tally.sums, RECORDS)]
    ends = {f"{span}_{end}": end for span in tally.spans for end in ("min", "max")}
    keys = [name for name in table.column_names if name not in summed and name not in ends]
    asked = [*((name, "sum") for name in summed), *ends.items()]
    found = table.group_by(keys, use_threads=False).aggregate(asked)
    made = {name: name for name in keys} | {name: f"{name}_{how}" for name, how in asked}
    return pa.table({name: found[made[name]] for name in table.column_names})


def _in_order(table: pa.Table, tally: Tally) -> pa.Table:
    counted = {RECORDS, *tally.sums, *(f"{s}_{end}" for s in tally.spans for end in ("min", "max"))}
    return table.sort_by(
        [(name, "ascending") for name in table.column_names if name not in counted]
    )


def by(table: pa.Table, *keys: str, counted: str = RECORDS) -> dict[tuple[object, ...], int]:
    """Returns the counts of a tallied table by some of its keys, the greatest first, then by name."""
    found = table.group_by(list(keys), use_threads=False).aggregate([(counted, "sum")])
    columns = [found[key].to_pylist() for key in keys]
    pairs = list(zip(zip(*columns, strict=True), found[f"{counted}_sum"].to_pylist(), strict=True))
    pairs.sort(key=lambda pair: (-pair[1], [(value is None, str(value)) for value in pair[0]]))
    return dict(pairs)


def by_one(table: pa.Table, key: str, *, counted: str = RECORDS) -> dict[str | None, int]:
    """Returns the counts of a tallied table by one key, the greatest first; None for no value."""
    return {
        None if value is None else str(value): count
        for (value,), count in by(table, key, counted=counted).items()
    }
