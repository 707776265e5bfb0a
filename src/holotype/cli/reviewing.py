"""The commands of a review: make a session, see how far it is, write it back, send it on."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result

app = typer.Typer(
    name="review",
    help="Review answers in groups of look-alikes, several people at once; write labels back.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

SessionArgument = Annotated[Path, typer.Argument(help="Folder of the session.")]
Moved = Annotated[
    Optional[Path], typer.Option("--collection", help="The collection, where it has moved since.")
]
SettleOption = Annotated[
    str,
    typer.Option("--settle", help="Where reviewers differ: agreed (left), majority or newest."),
]
Reviewers = Annotated[
    Optional[list[str]],
    typer.Option("--reviewer", help="Whose decisions count; repeat. Everybody's by default."),
]


@app.command("new")
def new(
    answers: Annotated[Path, typer.Argument(help="The answers of 'holotype predict COLLECTION'.")],
    collection: Annotated[Path, typer.Option(help="Folder of the collection.")],
    embeddings: Annotated[Path, typer.Option(help="The file of 'predict --embeddings'.")],
    out: Annotated[Path, typer.Option(help="The new folder of the session.")],
    model: Annotated[
        Optional[str], typer.Option(help="The model that answered: lineages of all its labels.")
    ] = None,
    label: Annotated[
        Optional[list[str]], typer.Option(help="Only records of this label; repeat.")
    ] = None,
    decision: Annotated[
        Optional[list[str]],
        typer.Option(help="Only records decided so: novel, ambiguous ...; repeat."),
    ] = None,
    records: Annotated[
        Optional[Path], typer.Option(help="Only records of this list of ids, one a line.")
    ] = None,
    propose: Annotated[
        str,
        typer.Option(help="What confirming gives: label (the best), answer (safe) or collection."),
    ] = "label",
    page_size: Annotated[int, typer.Option(help="Records on a page.")] = 40,
    as_json: Json = False,
) -> Result:
    """Make a session: pages of look-alikes of what a model has named."""
    from holotype.identify.record_lists import ids_of_list
    from holotype.page.words import percent
    from holotype.reviewing.make import new_session
    from holotype.reviewing.wanted import Wanted

    wanted = Wanted(
        frozenset(() if records is None else ids_of_list(records)),
        frozenset(label or ()),
        frozenset(decision or ()),
    )
    report = new_session(
        answers, collection=collection, embeddings=embeddings, out=out, model=model, wanted=wanted,
        proposal=propose, page_size=page_size,
    )  # fmt: skip
    lines = [
        f"{report.session}: {report.records:,} records on {report.pages:,} pages of look-alikes"
    ]
    lines += [f"  {count:8,}  left out: {reason}" for reason, count in report.left_out.items()]
    if report.purity is not None:
        one = report.purity
        lines.append(
            f"by the labels that {one.records:,} of them have, {percent(one.of_pages)} % of a page is of one "
            f"label (pages at random: {percent(one.of_random)} %, label by label: {percent(one.of_labels)} %)"
        )
    return Result(report, "\n".join(lines), as_json)


@app.command("status")
def status(session: SessionArgument, as_json: Json = False) -> Result:
    """Say how far a session is, who decided, and how far they agree."""
    from holotype.reviewing.review import review_status

    report = review_status(session)
    found = report.agreement
    done = f"{report.pages_done:,} of {report.pages:,} pages done"
    lines = [f"{report.session}: {report.decided:,} of {report.records:,} records decided, {done}"]
    lines += [f"  {count:8,}  by {name}" for name, count in report.reviewers.items()]
    lines += [f"  {count:8,}  {kind}" for kind, count in report.kinds.items()]
    lines += [f"  {n:8,}  {old} -> {new_label}" for old, new_label, n in report.relabelled[:20]]
    if found.records:
        share, alpha = found.share, found.alpha
        lines.append(
            f"{found.records:,} decided by two or more: the same on {100 * (share.value or 0):.1f} %"
            + ("" if alpha.value is None else f", Krippendorff's alpha {alpha.value:.2f}")
        )
    lines += [f"  differ on {record}" for record in report.disputed[:20]]
    lines += [f"  new label: {name} ({who})" for name, who in report.new_labels.items()]
    if report.torn:
        lines.append(f"{report.torn:,} lines that a crash cut were set aside: log.torn.jsonl")
    lines += [f"log.jsonl, line {at}: left out: {why}" for at, why in report.damaged.items()]
    return Result(report, "\n".join(lines), as_json, to_mend=bool(report.damaged))


@app.command("apply")
def apply(
    session: SessionArgument,
    collection: Moved = None,
    settle: SettleOption = "agreed",
    reviewer: Reviewers = None,
    as_json: Json = False,
) -> Result:
    """Write the labels of a review into its collection; again after more decisions."""
    from holotype.reviewing.apply import apply_review

    report = apply_review(session, collection=collection, settle=settle, reviewers=reviewer or ())
    lines = [f"{report.collection}: {report.changed:,} records changed"]
    lines += [f"  {count:8,}  {outcome}" for outcome, count in report.outcomes.items()]
    lines += [f"  without a lineage: {name} (holotype names match)" for name in report.new_labels]
    return Result(report, "\n".join(lines), as_json)


@app.command("export")
def export(
    session: SessionArgument,
    to: Annotated[str, typer.Option(help="The format: csv or ecotaxa-update.")],
    out: Annotated[Path, typer.Option(help="The new file to write.")],
    collection: Moved = None,
    settle: SettleOption = "agreed",
    reviewer: Reviewers = None,
    as_json: Json = False,
) -> Result:
    """Write the decisions as a table, or as an update of validated objects for EcoTaxa."""
    from holotype.reviewing.export import DAMAGED, export_review

    report = export_review(
        session, to=to, out=out, collection=collection, settle=settle, reviewers=reviewer or ()
    )
    lines = [f"{report.out}: {report.written:,} of {report.records:,} records ({report.form})"]
    lines += [f"  {count:8,}  left out: {reason}" for reason, count in report.left_out.items()]
    lines += [f"  {count:8,}  note: {said}" for said, count in report.notes.items()]
    return Result(report, "\n".join(lines), as_json, to_mend=DAMAGED in report.notes)


@app.command("page")
def page(
    session: SessionArgument,
    out: Annotated[Path, typer.Option(help="The page to write (.html).")],
    collection: Moved = None,
    settle: SettleOption = "agreed",
    as_json: Json = False,
) -> Result:
    """Write a review as one page that opens offline, to send to a colleague."""
    from holotype.reviewing.page import review_page

    report = review_page(session, out=out, collection=collection, settle=settle)
    lines = [f"{report.out}: {report.decided:,} decided, {report.pictures:,} with a picture"]
    lines += [
        f"  {count:8,}  without a picture: {reason}" for reason, count in report.without.items()
    ]
    return Result(report, "\n".join(lines), as_json)
