"""The commands that learn and are examined: split, audit, train, evaluate."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import CollectionOption, Json, Result, Run, SplitOption


def split(
    collection: Annotated[Path, typer.Argument(help="Folder of the collection.")],
    out: Annotated[Path, typer.Option(help="The split file to write; a folder for leave-one-out.")],
    method: Annotated[
        str,
        typer.Option(
            help="stratified, seen-unseen, held-out-taxa, leave-out, leave-one-out, upstream, by-record."
        ),
    ] = "stratified",
    seed: Annotated[int, typer.Option(help="Of the dealing.")] = 0,
    fractions: Annotated[str, typer.Option(help="Train, val and test.")] = "0.7,0.1,0.2",
    by: Annotated[
        Optional[str],
        typer.Option(help="What is left out: instrument, site, cruise, year, source ..."),
    ] = None,
    rank: Annotated[Optional[str], typer.Option(help="Of held-out-taxa: genus, family ...")] = None,
    held_out: Annotated[
        Optional[list[str]], typer.Option(help="A value or taxon to test on; repeat for several.")
    ] = None,
    blank: Annotated[
        str, typer.Option(help="Records without a value of --by: leave-out or train.")
    ] = "leave-out",
    coarse: Annotated[
        str, typer.Option(help="Records that might be of a held-out taxon: leave-out or train.")
    ] = "leave-out",
    keep_together: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Column whose values never cross: acquisition_id, sample_id ...; repeat."
        ),
    ] = None,
    near_duplicates: Annotated[
        Optional[int], typer.Option(help="Images alike within so many bits never cross.")
    ] = None,
    min_class: Annotated[int, typer.Option(help="Smaller classes go whole to training.")] = 1,
    per_class: Annotated[
        Optional[int], typer.Option(help="Training keeps at most so many records of a class.")
    ] = None,
    require: Annotated[
        Optional[list[str]],
        typer.Option(help="What a record must have: barcode, image, marker=COI-5P."),
    ] = None,
    allow_licence: Annotated[
        Optional[list[str]],
        typer.Option("--allow-licence", help="CC-BY-4.0, CC-BY*, open, non-commercial; repeat."),
    ] = None,
    as_json: Json = False,
) -> Result:
    """Part a collection into train, val, test and keys that share nothing; with an audit."""
    import holotype
    from holotype.errors import SplitError
    from holotype.splits.findings import told

    try:
        shares = [float(share) for share in fractions.split(",")]
    except ValueError:
        raise SplitError(f"--fractions {fractions}: write three numbers, as 0.7,0.1,0.2.") from None
    report = holotype.split(
        collection, out=out, method=method, seed=seed, fractions=shares, by=by, rank=rank,
        held_out=held_out, blank=blank, coarse=coarse, keep_together=keep_together or (),
        near_duplicates=near_duplicates, min_class=min_class, per_class=per_class,
        require=require or [], allow_licence=allow_licence or [],
    )  # fmt: skip
    if report.folds:
        lines = [
            f"{fold.value}: {fold.split or fold.reason}  "
            + ", ".join(f"{count:,} {name}" for name, count in fold.counts.items())
            for fold in report.folds
        ]
        return Result(report, "\n".join([report.split, *lines]), as_json)
    counts = "\n".join(f"  {count:8,}  {name}" for name, count in report.counts.items())
    return Result(report, f"{report.split}\n{counts}\n{told(report.audit, method=method)}", as_json)


def audit(
    collection: Annotated[Path, typer.Argument(help="Folder of the collection.")],
    split: Annotated[
        str, typer.Argument(help="Split file, CSV of roles, folder of lists, or upstream.")
    ],
    as_json: Json = False,
) -> Result:
    """Count what crosses the lines of any split of a collection, also one made elsewhere."""
    import holotype
    from holotype.splits.findings import told

    report = holotype.audit(collection, split)
    counts = "\n".join(f"  {count:8,}  {name}" for name, count in report.counts.items())
    text = f"{report.split}\n{counts}\n{told(report.audit, method=report.method)}"
    return Result(report, text, as_json, to_mend=not report.audit["clean"])


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe (TOML), or the name of a shipped one.")],
    collection: CollectionOption,
    split: SplitOption,
    out: Annotated[
        Path, typer.Option(help="Folder of the run; an unfinished one is gone on with.")
    ],
    set_: Annotated[
        Optional[list[str]],
        typer.Option("--set", help="Change of the recipe, as schedule.epochs=10."),
    ] = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    devices: Annotated[str, typer.Option(help="How many, or auto.")] = "auto",
    strategy: Annotated[
        str, typer.Option(help="How several devices share a model: auto, ddp or fsdp.")
    ] = "auto",
    as_json: Json = False,
) -> Result:
    """Train a model by a recipe; the run folder is a bundle."""
    import holotype

    report = holotype.train(
        recipe, collection=collection, split=split, out=out, overrides=set_ or [],
        accelerator=accelerator, devices=int(devices) if devices.isdigit() else devices,
        strategy=strategy,
    )  # fmt: skip
    text = (
        f"{report.run}: {report.labels} labels from {report.records:,} records, "
        f"{report.epochs} epochs, {report.seconds:.0f} s"
    )
    return Result(report, text, as_json)


def evaluate(
    run: Run,
    collection: CollectionOption,
    split: SplitOption,
    out: Annotated[Path, typer.Option(help="Folder of the report.")],
    seed: Annotated[int, typer.Option(help="Of intervals, few-shot draws and the map.")] = 0,
    as_json: Json = False,
) -> Result:
    """Examine a model on the test part: every figure with an interval, beside baselines."""
    import holotype

    report = holotype.evaluate(run, collection=collection, split=split, out=out, seed=seed)
    figures = "\n".join(f"  {value:.4f}  {name}" for name, value in report.headline.items())
    return Result(report, f"{figures}\n{report.report}/index.html", as_json)
