"""The commands that bring answers to other programs: publish them, and check what is to be sent."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Json, Result


def publish(
    answers: Annotated[Path, typer.Argument(help="The answers of 'holotype predict'.")],
    to: Annotated[str, typer.Option(help="The format: ecotaxa, ecotaxa-update, darwin-core ...")],
    out: Annotated[Path, typer.Option(help="The new file or folder to write.")],
    collection: Annotated[
        Optional[Path], typer.Option(help="The records: fills in context by record id, has images.")
    ] = None,
    validated: Annotated[
        Optional[Path], typer.Option(help="Rows that a person validated: a table or collection.")
    ] = None,
    counts: Annotated[
        Optional[Path], typer.Option(help="The table of 'holotype count', for abundances.")
    ] = None,
    dataset: Annotated[
        Optional[Path], typer.Option(help="What describes the data set (TOML), for darwin-core.")
    ] = None,
    labels: Annotated[
        Optional[list[Path]], typer.Option(help="Label table with ids of taxa; repeat.")
    ] = None,
    backbone: Annotated[
        Optional[Path], typer.Option(help="Reference taxonomy with AphiaIDs (Parquet).")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="One occurrence an image or barcode, not a taxon.")
    ] = False,
    dated: Annotated[
        Optional[str], typer.Option(help="When the answers were made; else the time of their file.")
    ] = None,
    scores: Annotated[
        Optional[Path],
        typer.Option(help="The file of predict --scores, for ifcb, syke, pybioclip."),
    ] = None,
    thresholds: Annotated[
        Optional[Path],
        typer.Option(help="Score by label: of 'holotype thresholds', or a text file."),
    ] = None,
    model: Annotated[
        Optional[Path],
        typer.Option(help="The model that answered: the lineages of all its labels."),
    ] = None,
    rank: Annotated[
        str, typer.Option(help="At which pybioclip names; label for labels.")
    ] = "species",
    k: Annotated[int, typer.Option(help="Names a record, for pybioclip.")] = 5,
    as_json: Json = False,
) -> Result:
    """Write answers as EcoTaxa, OBIS and others take them; what stays out is counted."""
    from holotype.exchange.answers.publish import publish as publish_answers
    from holotype.exchange.answers.writing import Grouping

    report = publish_answers(
        answers,
        to=to,
        out=out,
        collection=collection,
        validated=validated,
        counts=counts,
        dataset=dataset,
        labels=labels or (),
        backbone=backbone,
        grouping=Grouping.EACH if each else Grouping.TAXON,
        dated=dated,
        scores=scores,
        thresholds=thresholds,
        model=model,
        rank=rank,
        k=k,
    )
    lines = [f"{report.out}: {report.written:,} of {report.answers:,} answers ({report.form})"]
    lines += [f"  {count:8,}  left out: {reason}" for reason, count in report.left_out.items()]
    lines += [f"  {count:8,}  rows of {name}" for name, count in list(report.rows.items())[:20]]
    if len(report.rows) > 20:
        lines.append(f"  and {len(report.rows) - 20:,} more tables")
    lines += [f"  {count:8,}  note: {said}" for said, count in report.notes.items()]
    return Result(report, "\n".join(lines), as_json)


def check_archive(
    path: Annotated[Path, typer.Argument(help="Darwin Core Archive, or EcoTaxa folder or zip.")],
    as_json: Json = False,
) -> Result:
    """Check an archive against the rules of OBIS and GBIF, or those of EcoTaxa's import."""
    from holotype.exchange.check import check_archive as check

    report = check(path)
    lines = [f"{path}: {report.form}: {report.errors:,} errors, {report.warnings:,} warnings"]
    lines += [f"  {count:8,}  rows of {name}" for name, count in list(report.rows.items())[:20]]
    lines += [f"  {count:8,}  {kind}" for kind, count in report.kinds.items()]
    lines += [f"{severity}: {said}" for severity, said in report.examples]
    return Result(report, "\n".join(lines), as_json, to_mend=report.errors > 0)


def references(
    collection: Annotated[Path, typer.Argument(help="Folder of the collection.")],
    to: Annotated[str, typer.Option(help="sintax, qiime, rdp, dada2 or dada2-species.")],
    out: Annotated[Path, typer.Option(help="The new folder to write.")],
    allow_licence: Annotated[
        Optional[list[str]], typer.Option(help="Licences that may go out; repeat. All by default.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Write the barcodes of a collection as the reference library of a DNA classifier."""
    import holotype

    report = holotype.write_references(
        collection, out=out, form=to, allow_licence=allow_licence or ()
    )
    lines = [f"{report.out}: {report.records:,} barcodes ({report.form})"]
    lines += [f"  {count:8,}  left out: {reason}" for reason, count in report.left_out.items()]
    lines += [f"  {count:8,}  note: {said}" for said, count in report.notes.items()]
    return Result(report, "\n".join(lines), as_json)
