"""The commands that make a new model of one that is there: adapt, shrink."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result, Run


def adapt(
    model: Annotated[str, typer.Argument(help="A model: its folder, starter, published:NAME ..")],
    inputs: Annotated[
        list[Path],
        typer.Argument(help="Class folders, a folder of images (with --labels), or a collection."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new model.")],
    labels: Annotated[
        Optional[Path], typer.Option(help="A table with an image and a label a row.")
    ] = None,
    method: Annotated[str, typer.Option(help="auto, prototypes, probe, lora or full.")] = "auto",
    epochs: Annotated[
        Optional[int], typer.Option(help="Of full and lora: passes over the images.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of folds and training.")] = 0,
    as_json: Json = False,
) -> Result:
    """Teach a model your own labels, from a few images or many; says how good it is."""
    import holotype
    from holotype.adapting.card import sureness_told

    report = holotype.adapt(
        model, inputs, out=out, labels=labels, method=method, epochs=epochs, seed=seed
    )
    made = f"{report.bundle}: {report.labels:,} labels from {report.images:,} images, by {report.method}"
    lines = [f"{made}; {report.parent} knew {report.known_labels:,} of the labels"]
    if report.accuracy is None:
        lines.append(
            f"how good it is cannot be said: {report.examined:,} images could be held out, and fewer than "
            "30 say nothing. Label more, and adapt again."
        )
    told = {
        "accuracy": report.accuracy,
        "accuracy, mean over labels": report.macro_accuracy,
        f"accuracy of {report.parent} before": report.before,
    }
    lines += [
        f"  {found[0]:.3f} ({found[1]:.3f} to {found[2]:.3f})  {title}"
        for title, found in told.items()
        if found is not None
    ]
    if report.accuracy is not None:
        lines.append(f"  on {report.examined:,} images that were held out; 95 % intervals")
    lines.append(f"  {sureness_told(report.sure)}")
    return Result(report, "\n".join(lines), as_json)


def shrink(
    run: Run,
    out: Annotated[Path, typer.Option(help="Folder of the smaller model.")],
    compare_on: Annotated[
        Optional[list[Path]],
        typer.Option("--compare-on", help="Images to compare both models on; repeat for several."),
    ] = None,
    as_json: Json = False,
) -> Result:
    """Write a model again with weights in 8 bits: a quarter of the size."""
    import holotype

    report = holotype.shrink(run, out=out, inputs=compare_on or [])
    lines = [
        f"{report.bundle}: {report.bytes_before:,} bytes of weights became {report.bytes_after:,}"
    ]
    if report.agreement is not None:
        found = report.agreement
        lines.append(
            f"  on {found.specimens:,} specimens: same label for {found.same_label:.4f}, cosine of "
            f"embeddings {found.mean_cosine:.5f} on average, {found.least_cosine:.5f} at least"
        )
    return Result(report, "\n".join(lines), as_json)
