"""Answers in the format that a client wants: JSON, tables, and those of ``holotype publish``."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from starlette.responses import Response

from holotype.app.identifications import TABLES, WITH_IMAGES, write_form
from holotype.app.uploads import Refused, scratch_folder
from holotype.errors import SourceError
from holotype.exchange.answers.forms import FORMS
from holotype.identify import sidecar
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.writers import JSON_COLUMNS

NOT_OFFERED = WITH_IMAGES | {"darwin-core"}
"""Formats that need more than answers: images, or who publishes them under which licence."""
OFFERED = (*TABLES, *(name for name in FORMS if name not in NOT_OFFERED))
Format = StrEnum("Format", {name.replace("-", "_"): name for name in OFFERED})  # type: ignore[misc]
JSON_FORMAT = Format("json")
JSON_TYPE, ZIP_TYPE = "application/json", "application/zip"
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".json": "application/octet-stream",  # of another programme; JSON is ours
    ".parquet": "application/vnd.apache.parquet",
    ".zip": ZIP_TYPE,
}
MEDIA_TYPES = tuple(sorted(set(_MEDIA_TYPES.values())))


def json_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns rows with what holds JSON as text unpacked."""
    return [
        {**row, **{name: json.loads(row[name]) for name in JSON_COLUMNS if row[name] is not None}}
        for row in rows
    ]


def as_file(
    rows: Sequence[Mapping[str, Any]], form: str, refused: Sequence[Refused], root: Path
) -> Response:
    """Returns answers as a file in a format; what makes a folder is packed as a zip.

    Args:
        rows: of ``ANSWER_SCHEMA``.
        form: one of ``OFFERED``, but for ``json``.
        refused: their number goes into a header, and that of answers that the format does not take.
        root: where to make it.

    Raises:
        SourceError: when the format cannot hold these answers.
    """
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=ANSWER_SCHEMA)
    with scratch_folder(root) as folder:
        out, done = write_form(table, form, folder, dated=sidecar.now())
        left_out = {} if done is None else done.left_out
        if done is not None and not done.written:
            raise SourceError(f"no answer can be written as {form}: {'; '.join(left_out)}.")
        content = out.read_bytes()
    headers = {
        "Content-Disposition": f'attachment; filename="{out.name}"',
        "Holotype-Refused": str(len(refused)),
        "Holotype-Left-Out": str(sum(left_out.values())),
    }
    return Response(content, media_type=_MEDIA_TYPES[out.suffix], headers=headers)
