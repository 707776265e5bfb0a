"""The command that checks a collection, and mends what is safe to mend."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from holotype.cli.options import Json, Result

if TYPE_CHECKING:
    from holotype.collection.quality.check import CheckCount

EXAMPLE_LETTERS = 110


def check(
    collection: Annotated[Path, typer.Argument(help="Folder of the collection.")],
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Mend what is safe and can be taken back; the ledger has it all."
        ),
    ] = False,
    out: Annotated[
        Optional[Path], typer.Option(help="Folder for a page with examples to look at.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Find duplicates, contradictions and faults of images and barcodes; say what to do about each."""
    from holotype.collection.quality.check import Fix
    from holotype.collection.quality.check import check as check_collection

    report = check_collection(collection, fix=Fix.SAFE if fix else Fix.NOTHING, out=out)
    found = ", ".join(f"{count:,} {severity}s" for severity, count in report.findings.items())
    lines = [f"{report.collection}: {report.records:,} records: {found}"]
    lines += [f"mended: {count:,} {repair}" for repair, count in report.mended.items()]
    lines += _table(report.counts)
    lines += [f"not judged: {what}: {count:,} records" for what, count in report.not_judged.items()]
    if not fix and (fixable := sum(one.fixable for one in report.counts)):
        lines.append(f"{fixable:,} findings are safe to mend: holotype check {collection} --fix")
    lines.append(report.report or report.table)
    return Result(report, "\n".join(lines), as_json)


def _table(counts: Sequence["CheckCount"]) -> list[str]:
    width = max((len(one.check) for one in counts), default=0)
    sources = max((len(one.source or "") for one in counts), default=0)
    return [
        f"  {one.severity:8}{one.check:{width}}  {one.source or '':{sources}}{one.findings:8,}  "
        f"{shorten(one.example, EXAMPLE_LETTERS, placeholder=' ...')}"
        for one in counts
    ]
