"""What the records say of themselves: null context of answers is filled from their collection."""

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.store import Collection
from holotype.identify.columns import CONTEXT_NAMES

NOT_IN_COLLECTION = "not a record of the collection"


def with_context(answers: pa.Table, collection: Collection) -> tuple[pa.Table, int]:
    """Returns the answers with null context filled by ``record_id``, and how many have no such record.

    What an answer says of its record itself is kept.
    """
    names = [name for name in CONTEXT_NAMES if name != "record_id"]
    records = collection.columns(["record_id", *names])
    place = pc.index_in(answers["record_id"], value_set=records["record_id"].combine_chunks())
    found = records.take(place.combine_chunks())
    filled = answers
    for name in names:
        kind = answers.schema.field(name).type
        column = pc.coalesce(answers[name], found[name].cast(kind))
        filled = filled.set_column(filled.schema.get_field_index(name), name, column)
    return filled, place.null_count
