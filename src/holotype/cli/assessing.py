"""The commands on one's own records: assess, queue, suspects."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import CollectionOption, Json, Result, Run
from holotype.errors import RecipeError


def assess(
    run: Run,
    inputs: Annotated[
        Optional[list[str]], typer.Argument(help="Images, folders, archives, FASTA, tables.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the draw and of the report.")] = Path(
        "assessment"
    ),
    labels: Annotated[
        Optional[Path], typer.Option(help="The filled table: then the report is written.")
    ] = None,
    n: Annotated[
        Optional[int], typer.Option("--n", help="How many records to draw; 200 by default.")
    ] = None,
    answers: Annotated[
        Optional[Path], typer.Option(help="Answers to these inputs, where they are made already.")
    ] = None,
    max_error: Annotated[
        Optional[float],
        typer.Option(help="The error rate that safe answers are to keep; 0.05 by default."),
    ] = None,
    label_table: Annotated[
        Optional[Path], typer.Option(help="What your labels mean, as for import.")
    ] = None,
    backbone: Annotated[Optional[Path], typer.Option(help="Where synonyms are looked up.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    as_json: Json = False,
) -> Result:
    """Draw records for you to label; with --labels, say how good a model is on them."""
    from holotype.assessing.assess import assess as assessed
    from holotype.assessing.assess import draw_from
    from holotype.assessing.report import told

    only_to_draw = {"inputs": inputs or None, "--n": n, "--answers": answers}
    only_with_labels = {"--label-table": label_table, "--backbone": backbone}
    unused = only_to_draw if labels is not None else only_with_labels
    if given := [name for name, value in unused.items() if value is not None]:
        raise RecipeError(
            f"{', '.join(given)}: only for the draw, which --labels comes after. Leave it away."
            if labels is not None
            else f"{', '.join(given)}: only with --labels, the filled table. Give it then."
        )
    if labels is not None:
        report = assessed(
            run, labels, out=out, max_error=max_error, label_table=label_table, backbone=backbone,
            seed=seed,
        )  # fmt: skip
        return Result(report, f"{told(report.content)}\n{report.page}", as_json)
    drawn = draw_from(
        run,
        inputs or [],
        out=out,
        n=200 if n is None else n,
        answers=answers,
        max_error=max_error,
        seed=seed,
    )
    text = (
        f"{drawn.drawn:,} of {drawn.records:,} answered records drawn from {drawn.strata:,} answers; "
        f"{drawn.failed:,} without an answer\nfill in the column 'label' of {drawn.to_label} "
        f"(pictures: {drawn.sheet}), then:\n"
        f"holotype assess {run} --labels {drawn.to_label} --out {out}"
    )
    return Result(drawn, text, as_json, drawn.failed)


def queue(
    answers: Annotated[Path, typer.Argument(help="Answers of holotype predict.")],
    out: Annotated[Path, typer.Option(help="The table to write: .csv or .parquet.")],
    embeddings: Annotated[
        Optional[Path], typer.Option(help="Embeddings of the same records: look-alikes are told.")
    ] = None,
    n: Annotated[int, typer.Option("--n", help="How many records.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
    as_json: Json = False,
) -> Result:
    """Choose what to label next: unlike one another, doubtful, rare, new, of weight; each says why."""
    from holotype.assessing.queue import queue as queued

    report = queued(answers, out=out, embeddings=embeddings, n=n, seed=seed)
    text = (
        f"{report.out}: {report.chosen:,} of {report.records:,} records in {report.groups:,} groups; "
        f"{report.without_answer:,} without an answer were left out"
    )
    return Result(report, text, as_json)


def suspects(
    run: Run,
    collection: CollectionOption,
    out: Annotated[Path, typer.Option(help="The table to write: .csv or .parquet.")],
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    as_json: Json = False,
) -> Result:
    """List the records of a collection whose written label may be wrong, the most doubtful first."""
    from holotype.assessing.suspects import suspects as suspected

    report = suspected(run, collection=collection, out=out, seed=seed)
    found = ", ".join(f"{count:,} by {name}" for name, count in report.evidence.items())
    text = (
        f"{report.out}: {report.suspects:,} of {report.records:,} labelled records are doubtful"
        f"{f': {found}' if found else ''}; the model was made with {report.in_training:,} of them and "
        "was not asked about these"
    )
    return Result(report, text, as_json)
