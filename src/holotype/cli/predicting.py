"""The commands that read what a user brings, by a model: predict, trained-on."""

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
    from holotype.identify.predict import PredictReport


def predict(
    inputs: ModelAndInputs,
    out: Annotated[
        Optional[Path],
        typer.Option(help="The file for the answers: .csv, .parquet or .json."),
    ] = None,
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
    kind: Kind = None,
    preset: Preset = None,
    images: ImagesOfTables = None,
    records: RecordsOfInputs = None,
    scores: Annotated[
        Optional[Path], typer.Option(help="A .parquet to write with the score of every label.")
    ] = None,
    embeddings: Annotated[
        Optional[Path], typer.Option(help="A .parquet to write with the embeddings.")
    ] = None,
    output: Annotated[
        Optional[Path],
        typer.Option(
            help="A file for the best names of each, in pybioclip's columns; else, without --out, stdout."
        ),
    ] = None,
    form: Annotated[
        Optional[str],
        typer.Option(
            "--format",
            help="Of the best names: csv or table. Or write --out as publish does: sintax, speciesnet ...",
        ),
    ] = None,
    rank: Annotated[
        Optional[str],
        typer.Option(help="Of the best names: species (the usual), genus ... or label."),
    ] = None,
    k: Annotated[
        Optional[int], typer.Option(help="How many best names; five, or all of --cls and --bins.")
    ] = None,
    cls: Annotated[
        Optional[str],
        typer.Option(help="Name by classes of your own: a,b,c or a file with one a line."),
    ] = None,
    bins: Annotated[
        Optional[Path],
        typer.Option(help="Likewise, by a CSV of classes and their bins; scores are of bins."),
    ] = None,
    subset: Annotated[
        Optional[Path],
        typer.Option(
            help="Best names among these alone: a CSV, its first column called by a rank."
        ),
    ] = None,
    model: Model = None,
    device: Device = "cpu",
    batch_size: BatchSize = BATCH_SIZE,
    log: Annotated[
        Optional[Path],
        typer.Option(help="A file for how it was done: a new .json, or text to add to."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, whatever is done already.")
    ] = False,
    as_json: Json = False,
) -> Result:
    """Name images and barcodes, by a model of yours or the starter: one row each; a killed run goes on."""
    from holotype.exchange.answers.as_pybioclip import best_names_of
    from holotype.exchange.answers.names_wanted import FORM, names_wanted
    from holotype.identify.answers import AnswerSettings

    run, given = parted(inputs, model)
    how = {
        "settings": AnswerSettings(
            max_error, tuple(prior or ()), None if index is None else str(index), nearest, batch_size
        ),
        "preset": preset, "kind": kind, "images": images, "scores": scores, "embeddings": embeddings,
        "records": records, "restart": restart, "device": device,
    }  # fmt: skip
    asked = {"rank": rank, "k": k, "cls": cls, "bins": bins, "subset": subset}
    wanted = names_wanted(asked, form, out=out, output=output)
    if wanted is None:
        assert out is not None
        return _answered(run, given, out, form, log, how, as_json=as_json)
    if form == FORM:
        out, output = None, out
    if as_json and output is None:
        raise typer.BadParameter("the names would go to stdout as well: name a file by --output.")
    named = best_names_of(run, given, wanted, output=output, answers=out, log=log, **how)
    if output is None:
        return Result(named, named.text, as_json, named.failures)
    lines = [f"{named.out}: {named.rows:,} names of {named.specimens:,} specimens"]
    lines += [f"  {named.failures:8,}  without a name"] if named.failures else []
    lines += [f"{named.sidecar}: how they were made"]
    lines += _told(named.answers) if out is not None else []
    return Result(named, "\n".join(lines), as_json, named.failures)


def _answered(
    run: str,
    given: list[str],
    out: Path,
    form: str | None,
    log: Path | None,
    how: dict[str, Any],
    *,
    as_json: bool,
) -> Result:
    """Writes the answers, and publishes them where a format of ``publish`` is asked for."""
    import holotype
    from holotype.exchange.answers.publish import check_target, takes
    from holotype.identify.log import check_log, log_of

    check_log(log)
    answers = out
    if form is not None:
        check_target(form, out)
        answers = out.with_name(f"{out.name}.answers.parquet")
        if takes(form, "scores") and how["scores"] is None:
            how["scores"] = out.with_name(f"{out.name}.scores.parquet")
    report = holotype.predict(run, given, out=answers, **how)
    log_of(Path(report.sidecar), log)
    lines = _told(report)
    if form is not None:
        beside = {"scores": how["scores"], "model": run}
        used = {name: value for name, value in beside.items() if takes(form, name)}
        published = holotype.publish(answers, to=form, out=out, **used)
        lines.append(f"{published.out}: {published.written:,} of them as {published.form}")
    return Result(report, "\n".join(lines), as_json, report.failures)


def _told(report: "PredictReport") -> list[str]:
    counts = ", ".join(f"{count:,} {decision}" for decision, count in report.decisions.items())
    return [
        f"{report.out}: {report.rows:,} rows ({counts}), {report.failures:,} with a failure",
        f"{report.sidecar}: how they were made",
    ]


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
