"""The columns of an index's records, with types and meaning; the rows that vectors are of."""

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.schema import COLUMNS, Column
from holotype.errors import CollectionError, first_few
from holotype.taxonomy.lineage import LINNAEAN_RANKS

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
OF_A_COLLECTION = (
    "record_id", "source", "written_label", *RANKS, "instrument", "latitude_deg", "longitude_deg",
    "licence", "rights_holder", "marker", "barcode",
)  # fmt: skip
HEAVY_COLUMNS = ("barcode", "thumbnail")

RECORD_COLUMNS: tuple[Column, ...] = (
    *(column for column in COLUMNS if column.name in OF_A_COLLECTION),
    Column(
        "label",
        pa.string(),
        "the name of the record: the narrowest taxon, or the class of no taxon",
    ),
    Column("thumbnail", pa.binary(), "the image made small, JPEG; null where none was asked for"),
)
RECORDS_SCHEMA = pa.schema([(column.name, column.type) for column in RECORD_COLUMNS])


def as_records(table: pa.Table) -> pa.Table:
    """Returns a table as ``RECORDS_SCHEMA``: other columns are left out, absent ones are null.

    Raises:
        CollectionError: when ids are absent, null or repeated.
    """
    if "record_id" not in table.column_names:
        raise CollectionError("records of an index: no column record_id. Give each record its id.")
    count = table.num_rows
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(count, field.type)
        for field in RECORDS_SCHEMA
    ]
    found = pa.Table.from_arrays(columns, schema=RECORDS_SCHEMA)
    ids = found["record_id"]
    if ids.null_count:
        raise CollectionError("records of an index: a record_id is null. Give each record its id.")
    counted = pc.value_counts(ids.combine_chunks())
    twice = counted.filter(pc.greater(counted.field("counts"), 1)).field("values").to_pylist()
    if twice:
        raise CollectionError(
            f"records of an index: {first_few(twice)} repeated. Ids must be unique."
        )
    return found
