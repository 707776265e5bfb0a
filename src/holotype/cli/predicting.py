"""The commands that read what a user brings, by a model: predict, trained-on."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result

ModelAndInputs = Annotated[
    list[str],
    typer.Argument(
        metavar="[RUN] INPUTS...",
        help="A model's folder first, or none: the starter; then whatever import reads, or @LIST of paths.",
    ),
]


def predict(
    inputs: ModelAndInputs,
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet or .json.")],
    max_error: Annotated[
        float, typer.Option(help="Share of answers that may be wrong at the rank answered.")
    ] = 0.05,
    prior: Annotated[
        Optional[list[str]], typer.Option(help="A table of what is known beforehand; repeat.")
    ] = None,
    index: Annotated[
        Optional[Path], typer.Option(help="An index to take the nearest records from.")
    ] = None,
    nearest: Annotated[int, typer.Option(help="How many nearest records are told.")] = 5,
    kind: Annotated[
        Optional[str], typer.Option(help="What the inputs are: ecotaxa, ifcb ... Found by default.")
    ] = None,
    preset: Annotated[Optional[str], typer.Option(help="Column map of tables.")] = None,
    images: Annotated[
        Optional[Path],
        typer.Option(help="Folder or archive that image paths of tables are relative to."),
    ] = None,
    scores: Annotated[
        Optional[Path], typer.Option(help="A .parquet to write with the score of every label.")
    ] = None,
    embeddings: Annotated[
        Optional[Path], typer.Option(help="A .parquet to write with the embeddings.")
    ] = None,
    form: Annotated[
        Optional[str],
        typer.Option(
            "--format", help="Write OUT as publish does: pybioclip, sintax, speciesnet ..."
        ),
    ] = None,
    rank: Annotated[
        str, typer.Option(help="Of --format pybioclip: species, genus ... or label.")
    ] = "species",
    k: Annotated[int, typer.Option(help="Names a record, of --format pybioclip.")] = 5,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, whatever is done already.")
    ] = False,
    as_json: Json = False,
) -> Result:
    """Name images and barcodes, by a model of yours or the starter: one row each; a killed run goes on."""
    import holotype
    from holotype.identify.answers import AnswerSettings

    run, given = parted(inputs)
    settings = AnswerSettings(
        max_error=max_error,
        priors=tuple(prior or ()),
        index=None if index is None else str(index),
        nearest=nearest,
    )
    answers = out if form is None else out.with_name(f"{out.name}.answers.parquet")
    if form is not None and scores is None:
        scores = out.with_name(f"{out.name}.scores.parquet")
    report = holotype.predict(
        run,
        given,
        out=answers,
        preset=preset,
        kind=kind,
        images=images,
        settings=settings,
        scores=scores,
        embeddings=embeddings,
        restart=restart,
    )
    counts = ", ".join(f"{count:,} {decision}" for decision, count in report.decisions.items())
    lines = [
        f"{report.out}: {report.rows:,} rows ({counts}), {report.failures:,} with a failure",
        f"{report.sidecar}: how they were made",
    ]
    if form is not None:
        published = holotype.publish(
            answers, to=form, out=out, scores=scores, model=run, rank=rank, k=k
        )
        lines.append(f"{published.out}: {published.written:,} of them as {published.form}")
    return Result(report, "\n".join(lines), as_json, report.failures)


def trained_on(
    inputs: ModelAndInputs,
    as_json: Json = False,
) -> Result:
    """Say whether images and barcodes were in the training of a model, by hash."""
    import holotype

    report = holotype.trained_on(*parted(inputs))
    lines = [f"{count:8,}  {seen}" for seen, count in report.counts.items()]
    lines += [
        f"{row['seen']}: {row['input']} is {row['record_id']} ({row['role']}, {row['bits']} bits differ)"
        for row in report.rows
        if row["record_id"]
    ]
    return Result(report, "\n".join(lines), as_json, report.counts["failed"])


def parted(given: list[str]) -> tuple[str, list[str]]:
    """Returns the model and the inputs: the first word is the model, if it is one or nothing else.

    A first word that is neither a file nor a list of files, with others behind it, is a model that is not
    there.
    """
    from holotype.models.places import STARTER, is_bundle

    first, *others = given
    is_input = Path(first).exists() or first.startswith("@")
    if is_bundle(first) or (others and not is_input):
        return first, others
    return STARTER, given
