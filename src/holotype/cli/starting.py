"""The commands that show the whole: demo and doctor."""

from pathlib import Path
from typing import Annotated

import typer

from holotype.cli.options import Json, Result


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes.")] = Path("demo"),
    as_json: Json = False,
) -> Result:
    """Run the whole path on a simulated collection and write a report."""
    import holotype

    report = holotype.demo(out=out)
    return Result(report, report.text, as_json)


def doctor(as_json: Json = False) -> Result:
    """Say what this machine has, and whether Holotype will run on it."""
    import holotype

    report = holotype.doctor()
    lines = [
        f"{'ok ' if check.good else 'NO '} {check.name}: {check.found}" for check in report.checks
    ]
    return Result(report, "\n".join(lines), as_json, to_mend=not report.healthy)
