"""Answers in the format that a client wants: JSON, tables, and those of ``holotype publish``."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from starlette.responses import Response

from holotype.app.identifications import ENDINGS_OF, TABLES, WITH_IMAGES
from holotype.app.uploads import Refused, scratch_folder
from holotype.errors import SourceError
from holotype.exchange.answers.container import container
from holotype.exchange.answers.forms import FORMS
from holotype.exchange.answers.publish import publish_table
from holotype.identify import sidecar
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.writers import JSON_COLUMNS, write_tables

NOT_OFFERED = WITH_IMAGES | {"darwin-core"}
"""Formats that need more than answers: images, or who publishes them under which licence."""
OFFERED = ("json", "csv", "parquet", *(name for name in FORMS if name not in NOT_OFFERED))
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
    left_out = 0
    with scratch_folder(root) as folder:
        out = folder / f"answers{ENDINGS_OF.get(form, '')}"
        if form in TABLES:
            write_tables([table], ANSWER_SCHEMA, out, temporary=folder / "whole")
        else:
            done = publish_table(table, to=form, out=out, dated=sidecar.now())
            left_out = sum(done.left_out.values())
            if not done.written:
                raise SourceError(
                    f"no answer can be written as {form}: {'; '.join(done.left_out)}."
                )
        if out.is_dir():
            out = _packed(out, folder / "answers.zip")
        content = out.read_bytes()
    headers = {
        "Content-Disposition": f'attachment; filename="{form}-{out.name}"',
        "Holotype-Refused": str(len(refused)),
        "Holotype-Left-Out": str(left_out),
    }
    return Response(content, media_type=_MEDIA_TYPES[out.suffix], headers=headers)


def _packed(folder: Path, out: Path) -> Path:
    with container(out) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.add_file(path.relative_to(folder).as_posix(), path)
    return out
