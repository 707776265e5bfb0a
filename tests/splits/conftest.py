"""Tables of records written by hand, with every column that a split looks at."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from holotype.collection.schema import RECORDS_SCHEMA


@pytest.fixture(scope="session")
def records_of() -> Callable[[Sequence[Mapping[str, Any]]], pa.Table]:
    """Returns a collection's table (without images) from rows that give only what matters."""

    def make(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        schema = pa.schema([field for field in RECORDS_SCHEMA if field.name != "image"])
        whole = [
            {"record_id": f"r{number}", "source": "s", **row} for number, row in enumerate(rows)
        ]
        return pa.Table.from_pylist(whole, schema=schema)

    return make
