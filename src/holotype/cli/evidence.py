"""The command evidence: answers to look at, with what they rest on."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result


def evidence(
    answers: Annotated[Path, typer.Argument(help="Answers of holotype predict.")],
    out: Annotated[Path, typer.Option(help="The page to write: .html.")],
    index: Annotated[
        Optional[Path], typer.Option(help="An index with thumbnails of the reference records.")
    ] = None,
    images: Annotated[
        Optional[Path],
        typer.Option(help="Folder, archive or collection where the images lie now."),
    ] = None,
    most: Annotated[int, typer.Option(help="How many answers get a card.")] = 300,
    decision: Annotated[
        Optional[list[str]],
        typer.Option(help="Show these alone: named, ambiguous, novel, unplaced, failed; repeat."),
    ] = None,
    sort: Annotated[str, typer.Option(help="First: doubt, novelty, or by answer.")] = "doubt",
    as_json: Json = False,
) -> Result:
    """Show answers as cards on one page: the image, each rank, why it stops there, the nearest records."""
    from holotype.identify.evidence.making import evidence as shown

    report = shown(
        answers,
        out=out,
        index=index,
        images=images,
        most=most,
        decisions=decision or (),
        order=sort,
    )
    missing = "".join(f"; {number:,} {why}" for why, number in report.missing.items())
    text = (
        f"{report.out}: {report.shown:,} of {report.matching:,} answers, {report.images:,} with their image"
        f"{missing}; {report.references - report.without_thumbnail:,} of {report.references:,} references "
        f"with theirs ({report.size_bytes / 1e6:.1f} MB)"
    )
    return Result(report, text, as_json)
