"""The command that compares: several recipes, seeds and splits -> one report."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result


def compare(
    recipes: Annotated[
        list[str], typer.Argument(help="Recipes, or one comparison file (TOML with [[arm]]).")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of the report; runs that lie there are gone on with.")
    ],
    collection: Annotated[
        Optional[Path], typer.Option(help="Folder of the collection; else the file's.")
    ] = None,
    split: Annotated[
        Optional[list[Path]], typer.Option(help="The split file; repeat for several.")
    ] = None,
    seeds: Annotated[
        Optional[str], typer.Option(help="Of training, as 0,1,2; else the file's.")
    ] = None,
    set_: Annotated[
        Optional[list[str]],
        typer.Option("--set", help="Change of every recipe, as schedule.epochs=10."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs at a time, one thread each.")] = 1,
    unequal: Annotated[
        bool, typer.Option("--unequal", help="Compare though budgets or towers differ; marked.")
    ] = False,
    accelerator: Annotated[str, typer.Option(help="cpu, cuda, mps or auto.")] = "cpu",
    as_json: Json = False,
) -> Result:
    """Train several recipes alike, examine them alike, and say who wins what and which claims hold."""
    import holotype
    from holotype.errors import RecipeError

    try:
        chosen = [int(seed) for seed in seeds.split(",")] if seeds else []
    except ValueError:
        raise RecipeError(f"--seeds {seeds}: write whole numbers, as 0,1,2.") from None
    report = holotype.compare(
        recipes, collection=collection, splits=split or [], out=out, seeds=chosen,
        overrides=set_ or [], jobs=jobs, unequal=unequal, accelerator=accelerator,
    )  # fmt: skip
    return Result(report, report.text, as_json, len(report.failures))
