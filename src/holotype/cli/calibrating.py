"""The commands that say how sure a model may be: calibrate, thresholds."""

from pathlib import Path
from typing import Annotated

import typer

from holotype.cli.options import CollectionOption, Json, Result, Run, SplitOption


def calibrate(
    run: Run,
    collection: CollectionOption,
    split: SplitOption,
    seed: Annotated[int, typer.Option(help="Of references and folds.")] = 0,
    as_json: Json = False,
) -> Result:
    """Fit how sure a model may be, on the validation part of a split; training does it by itself."""
    import holotype

    report = holotype.calibrate(run, collection=collection, split=split, seed=seed)
    lines = [f"{report.run}: {report.references:,} training records are its references"]
    lines += [
        f"  {channel}: calibrated on {count:,} records"
        if channel not in report.without
        else f"  {channel}: not calibrated: {report.without[channel]}"
        for channel, count in report.records.items()
    ]
    return Result(report, "\n".join(lines), as_json)


def thresholds(
    run: Run,
    out: Annotated[Path, typer.Option(help="The CSV file to write.")],
    max_error: Annotated[float, typer.Option(help="Share of answers that may be wrong.")] = 0.05,
    as_json: Json = False,
) -> Result:
    """Write the confidence that keeps an error rate, for every rank and label."""
    import holotype

    report = holotype.thresholds(run, out=out, max_error=max_error)
    text = f"{report.out}: {report.rows:,} thresholds, {report.promised:,} of them with a promise"
    return Result(report, text, as_json)
