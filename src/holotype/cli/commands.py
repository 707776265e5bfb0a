"""The commands: each parses, calls one public function of the package, and says what to print."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
CollectionOption = Annotated[Path, typer.Option("--collection", help="Folder of the collection.")]
SplitOption = Annotated[Path, typer.Option("--split", help="The split file.")]
Run = Annotated[Path, typer.Argument(help="Folder of a trained model (a bundle).")]


@dataclass(frozen=True)
class Result:
    """What a command prints, how many of its inputs failed, and whether the user has to mend something."""

    report: Any
    text: str
    as_json: bool
    failures: int = 0
    to_mend: bool = False


def import_(
    kind: Annotated[str, typer.Argument(help="image-folder, table, fasta or simulated.")],
    inputs: Annotated[list[Path], typer.Argument(help="Folders, archives or files.")],
    into: Annotated[Path, typer.Option(help="Folder of the collection, new or existing.")],
    source: Annotated[Optional[str], typer.Option(help="Name of the data set.")] = None,
    labels: Annotated[
        Optional[Path], typer.Option(help="Label table: what the written labels mean.")
    ] = None,
    preset: Annotated[
        Optional[str],
        typer.Option(help="Column map of a table: bioscan-5m, crops, barcodes, dimacs."),
    ] = None,
    column: Annotated[
        Optional[list[str]], typer.Option(help="collection column=table column; repeat for each.")
    ] = None,
    images: Annotated[
        Optional[Path], typer.Option(help="Folder or archive of a table's images.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Read archives, folders, tables or sequences into a collection, with a ledger that adds up."""
    import holotype
    from holotype.errors import SourceError

    pairs = [text.partition("=") for text in column or []]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise SourceError(f"--column {bad[0]}: write it as name=column.")
    report = holotype.import_(
        kind,
        list(inputs),
        into=into,
        source=source,
        labels=labels,
        preset=preset,
        columns={name: table_column for name, _, table_column in pairs},
        images=images,
    )
    outcomes = ", ".join(f"{count:,} {name}" for name, count in report.outcomes.items())
    lines = [
        f"{report.items:,} items read: {outcomes}",
        f"{report.collection}: {report.records:,} records",
    ]
    if report.labels_matched is not None:
        lines.append(f"{report.labels_matched} of {report.labels} labels matched")
    found = report.findings
    if found.identical_images or found.conflicting_barcodes:
        lines.append(
            f"{found.identical_images:,} sets of identical images, "
            f"{len(found.conflicting_images):,} of them under different labels; "
            f"{len(found.conflicting_barcodes):,} barcodes bear several species"
        )
        lines += [
            f"  same image, different labels: {' = '.join(ids)}"
            for ids in found.conflicting_images[:5]
        ]
    return Result(report, "\n".join(lines), as_json, report.failed)


def split(
    collection: Annotated[Path, typer.Argument(help="Folder of the collection.")],
    out: Annotated[Path, typer.Option(help="The split file to write (Parquet).")],
    method: Annotated[
        str, typer.Option(help="stratified, seen-unseen, upstream or instrument.")
    ] = "stratified",
    seed: Annotated[int, typer.Option(help="Of the shuffling.")] = 0,
    fractions: Annotated[str, typer.Option(help="Train, val and test.")] = "0.7,0.1,0.2",
    held_out: Annotated[Optional[str], typer.Option(help="The instrument to test on.")] = None,
    require: Annotated[
        Optional[list[str]],
        typer.Option(help="What a record must have: barcode, image, marker=COI-5P."),
    ] = None,
    as_json: Json = False,
) -> Result:
    """Part a collection into train, val, test and keys that share nothing; with an audit."""
    import holotype
    from holotype.errors import SplitError

    try:
        shares = [float(share) for share in fractions.split(",")]
    except ValueError:
        raise SplitError(f"--fractions {fractions}: write three numbers, as 0.7,0.1,0.2.") from None
    report = holotype.split(
        collection, out=out, method=method, seed=seed, fractions=shares,
        held_out=held_out, require=require or [],
    )  # fmt: skip
    counts = "\n".join(f"  {count:8,}  {name}" for name, count in report.counts.items())
    verdict = "nothing crosses" if report.audit["clean"] else f"LEAKS: {report.audit['crossing']}"
    return Result(report, f"{report.split}\n{counts}\naudit: {verdict}", as_json)


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
    as_json: Json = False,
) -> Result:
    """Train a model by a recipe; the run folder is a bundle."""
    import holotype

    report = holotype.train(
        recipe, collection=collection, split=split, out=out, overrides=set_ or [],
        accelerator=accelerator, devices=int(devices) if devices.isdigit() else devices,
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


def embed(
    run: Run,
    collection: CollectionOption,
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    as_json: Json = False,
) -> Result:
    """Write the embedding of every image and barcode of a collection."""
    import holotype

    report = holotype.embed(run, collection=collection, out=out)
    rows = ", ".join(f"{count:,} {name}s" for name, count in report.rows.items())
    return Result(report, f"{report.embeddings}: {rows}, {report.dim} numbers each", as_json)


def predict(
    run: Run,
    inputs: Annotated[
        list[str], typer.Argument(help="Images, folders, archives, FASTA, tables, collections.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet or .json.")],
    preset: Annotated[Optional[str], typer.Option(help="Column map of tables.")] = None,
    as_json: Json = False,
) -> Result:
    """Name images and barcodes: one scored row for each, failures among them."""
    import holotype

    report = holotype.predict(run, inputs, out=out, preset=preset)
    text = f"{report.out}: {report.rows:,} rows, {report.failures:,} of them failures"
    return Result(report, text, as_json, report.failures)


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
