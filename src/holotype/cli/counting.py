"""The command that counts."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result


def count(
    answers: Annotated[Path, typer.Argument(help="File that holotype predict wrote.")],
    out: Annotated[Path, typer.Option(help="The file to write: .parquet, .csv or .json.")],
    evidence: Annotated[
        Optional[Path], typer.Option(help="The model that answered: corrects for its confusion.")
    ] = None,
    scores: Annotated[
        Optional[Path], typer.Option(help="File of predict --scores; needed with --evidence.")
    ] = None,
    embeddings: Annotated[
        Optional[Path], typer.Option(help="File of predict --embeddings; needed with --evidence.")
    ] = None,
    collection: Annotated[
        Optional[Path], typer.Option(help="Fills volumes and sizes that the answers lack.")
    ] = None,
    level: Annotated[str, typer.Option(help="taxon, label, or a rank as order.")] = "taxon",
    per: Annotated[str, typer.Option(help="sample_id or acquisition_id.")] = "sample_id",
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: Json = False,
) -> Result:
    """Count the answers of each sample, corrected for the model's confusion, and per volume of water."""
    import holotype

    report = holotype.count(
        answers, out=out, evidence=evidence, scores=scores, embeddings=embeddings,
        collection=collection, level=level, per=per, seed=seed,
    )  # fmt: skip
    lines = [f"{report.out}: {report.images:,} specimens of {report.samples:,} samples"]
    if evidence is not None:
        lines.append(f"  {report.corrected:,} samples corrected for confusion")
    told = {
        "samples not corrected: they do not look like the held-out records": report.refused,
        "samples not corrected: too few specimens": report.too_small,
        "specimens failed: counted as such": report.failures,
    }
    lines += [f"  {number:,} {what}" for what, number in told.items() if number]
    return Result(report, "\n".join(lines), as_json)
