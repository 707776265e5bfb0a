"""The command embed: images and barcodes as vectors."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from holotype.cli.options import (
    BATCH_SIZE,
    BatchSize,
    Device,
    ImagesOfTables,
    Json,
    Kind,
    Model,
    ModelAndInputs,
    Preset,
    RecordsOfInputs,
    Result,
    parted,
)

if TYPE_CHECKING:
    from holotype.identify.inputs import Reading


def embed(
    inputs: ModelAndInputs,
    collection: Annotated[
        Optional[Path], typer.Option("--collection", help="A collection, in place of inputs.")
    ] = None,
    out: Annotated[Optional[Path], typer.Option(help="The Parquet file to write.")] = None,
    output: Annotated[
        Optional[Path],
        typer.Option(help="A .json to write as pybioclip does; without --out it goes to stdout."),
    ] = None,
    kind: Kind = None,
    preset: Preset = None,
    images: ImagesOfTables = None,
    records: RecordsOfInputs = None,
    model: Model = None,
    device: Device = "cpu",
    batch_size: BatchSize = BATCH_SIZE,
    as_json: Json = False,
) -> Result:
    """Write the embedding of images and barcodes: of a collection, or of whatever predict reads."""
    import holotype
    from holotype.errors import SourceError
    from holotype.identify.inputs import Reading

    reading = Reading(
        kind, preset, *(None if one is None else str(one) for one in (images, records))
    )
    if out is not None and output is not None:
        raise SourceError("--out and --output: the same embeddings twice. Give one of them.")
    if collection is None:
        run, given = parted(inputs, model)
        how = {"device": device, "batch_size": batch_size, "form": ".json" if output else None}
        return _of_inputs(run, given, out or output, reading, as_json=as_json, **how)
    run, *others = inputs if model is None else [model, *inputs]
    of_inputs = {
        "kind": kind,
        "preset": preset,
        "images": images,
        "records": records,
        "output": output,
    }
    told = [f"--{name}" for name, value in of_inputs.items() if value is not None]
    told += ["--device"] * (device != "cpu") + ["--batch-size"] * (batch_size != BATCH_SIZE)
    if others or told or out is None:
        what = ", ".join([*others, *told]) or "no --out"
        raise SourceError(
            f"--collection, with {what}: of a collection name the model and --out alone."
        )
    report = holotype.embed(run, collection=collection, out=out)
    rows = ", ".join(f"{count:,} {name}s" for name, count in report.rows.items())
    return Result(report, f"{report.embeddings}: {rows}, {report.dim} numbers each", as_json)


def _of_inputs(
    run: str,
    given: list[str],
    out: Path | None,
    reading: "Reading",
    *,
    as_json: bool,
    **how: Any,
) -> Result:
    """Embeds inputs into a file, or prints the object that the file would hold."""
    from holotype.errors import SourceError
    from holotype.identify.embedding import embed_inputs

    if out is not None:
        report = embed_inputs(run, given, out=out, reading=reading, **how)
        text = f"{report.embeddings}: {report.specimens:,} embeddings of {report.dim} numbers"
        failed = [f"  {name}: {why}" for name, why in report.failures.items()]
        return Result(report, "\n".join([text, *failed]), as_json, len(report.failures))
    if as_json:
        raise SourceError(
            "--json prints a report, and the embeddings go there too: add --output FILE."
        )
    with tempfile.TemporaryDirectory(prefix="holotype-") as passing:
        path = Path(passing) / "embeddings.json"
        report = embed_inputs(run, given, out=path, reading=reading, **how)
        text = path.read_bytes().decode("utf-8")
    for name, why in report.failures.items():
        sys.stderr.write(f"{name}: {why}\n")
    return Result(report, text, as_json, len(report.failures))
