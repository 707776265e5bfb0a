"""``holotype names``: backbones, matching, review and application; each calls one public function."""

from pathlib import Path
from typing import Annotated, Any

import typer

from holotype.cli.options import Json, Result

naming_app = typer.Typer(
    name="names",
    help="Match the names of a collection against a reference taxonomy, review them, apply them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

CollectionArgument = Annotated[Path, typer.Argument(help="Folder of the collection.")]
ReviewArgument = Annotated[Path, typer.Argument(help="The review (CSV), edited or not.")]


@naming_app.command("backbone")
def backbone(
    kind: Annotated[str, typer.Argument(help="worms, gbif, dwca, coldp, ncbi, bold or lineages.")],
    snapshot: Annotated[Path, typer.Argument(help="File or folder, as its publisher gives it.")],
    out: Annotated[Path, typer.Option(help="The backbone to write (Parquet).")],
    version: Annotated[
        str | None, typer.Option(help="Of the snapshot; by default its file's date.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What records say; by default the kind.")] = None,
    as_json: Json = False,
) -> Result:
    """Turn a snapshot of a reference taxonomy into one local table."""
    from holotype.taxonomy.backbone.build import build_backbone

    report = build_backbone(kind, snapshot, out=out, version=version, name=name)
    lines = [f"{report.backbone}: {report.names:,} names of {report.kind} {report.snapshot}"]
    lines += _counts(report.statuses)
    if report.problems:
        lines += ["problems, counted by row:", *_counts(report.problems)]
    return Result(report, "\n".join(lines), as_json)


@naming_app.command("match")
def match(
    collection: CollectionArgument,
    backbone: Annotated[Path, typer.Option(help="The backbone (Parquet).")],
    out: Annotated[Path, typer.Option(help="The review to write (CSV).")],
    kingdom_hint: Annotated[
        str | None, typer.Option(help="Kingdoms the sources can hold, as Animalia,Chromista.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Match each different name once and write a table to review; records stay as they are."""
    from holotype.collection.naming import match_names

    kingdoms = [name.strip() for name in (kingdom_hint or "").split(",") if name.strip()]
    report = match_names(collection, backbone=backbone, out=out, kingdoms=kingdoms)
    lines = [
        f"{report.names:,} names of {report.records:,} records against {report.backbone}",
        *_counts(report.statuses),
    ]
    if report.hows:
        lines += ["matched how:", *_counts(report.hows)]
    lines.append(f"{report.review}: {report.to_decide:,} names wait for a decision")
    return Result(report, "\n".join(lines), as_json, report.statuses.get("service_failed", 0))


@naming_app.command("review")
def review(
    review: ReviewArgument,
    backbone: Annotated[
        Path | None, typer.Option(help="Look up the taxa that a reviewer named.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Check an edited review and say what is left to decide."""
    from holotype.collection.naming import review_names

    report = review_names(review, backbone=backbone)
    lines = [f"{report.review}: {report.rows:,} names", *_counts(report.decisions)]
    if report.open_rows:
        lines.append(
            f"{len(report.open_rows):,} names of {report.open_records:,} records to decide:"
        )
        lines += [
            f"  {records:8,}  {source}: {label[:60]}: {reason[:160]}"
            for source, label, records, reason in report.open_rows[:20]
        ]
        if len(report.open_rows) > 20:
            lines.append(f"  and {len(report.open_rows) - 20:,} more")
    return Result(report, "\n".join(lines), as_json)


@naming_app.command("apply")
def apply(
    collection: CollectionArgument,
    review: ReviewArgument,
    backbone: Annotated[Path, typer.Option(help="The backbone that the review was made with.")],
    as_json: Json = False,
) -> Result:
    """Write the matched and the decided names into the records."""
    from holotype.collection.naming import apply_names

    report = apply_names(collection, review, backbone=backbone)
    lines = [f"{report.collection}: {report.records:,} records", *_counts(report.outcomes)]
    if report.undecided_names:
        lines.append(f"{report.undecided_names:,} names are undecided and stay as they were")
    lines += [
        f"row {row}: the decision on '{label}' of {source} fits no record"
        for row, source, label in report.decisions_without_records
    ]
    return Result(report, "\n".join(lines), as_json)


def _counts(counted: Any) -> list[str]:
    return [f"  {count:8,}  {name}" for name, count in counted.items()]
