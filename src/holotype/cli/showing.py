"""The command that shows a collection."""

from pathlib import Path
from typing import Annotated

import typer

from holotype.cli.options import Json, Result


def summary(
    collection: Annotated[Path, typer.Argument(help="Folder of the collection.")],
    out: Annotated[Path, typer.Option(help="Folder for index.html and summary.json.")],
    as_json: Json = False,
) -> Result:
    """Write one offline page that shows a collection: names, instruments, places, sizes, problems."""
    from holotype.collection.summary.make import summary as summary_of_collection

    report = summary_of_collection(collection, out=out)
    lines = [
        f"{report.records:,} records from {report.sources:,} sources, {report.classes:,} classes",
        "the ledger adds up" if report.adds_up else "the ledger does not add up: see the page",
    ]
    if report.on_one_instrument is not None:
        lines.append(
            f"{report.on_one_instrument:,} of {report.with_instrument:,} classes exist on one instrument only"
        )
    lines.append(
        "not checked: run holotype check"
        if report.errors is None
        else f"{report.errors:,} errors in the last check"
    )
    lines.append(report.page)
    return Result(report, "\n".join(lines), as_json)
