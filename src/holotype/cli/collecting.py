"""The commands that build and look after a collection."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import AllowLicence, Json, Result

CollectionArgument = Annotated[Path, typer.Argument(help="Folder of the collection.")]
Engine = Annotated[str, typer.Option(help="local, ray or ray://host:port.")]


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            help="ecotaxa, ifcb, image-folder, table, fasta ...: see docs/reference/sources.md."
        ),
    ],
    inputs: Annotated[list[Path], typer.Argument(help="Folders, archives or files.")],
    into: Annotated[Path, typer.Option(help="Folder of the collection, new or existing.")],
    source: Annotated[Optional[str], typer.Option(help="Name of the data set.")] = None,
    labels: Annotated[
        Optional[Path], typer.Option(help="Label table: what the written labels mean.")
    ] = None,
    preset: Annotated[Optional[str], typer.Option(help="Named column map of a table.")] = None,
    column: Annotated[
        Optional[list[str]], typer.Option(help="collection column=table column; repeat for each.")
    ] = None,
    images: Annotated[
        Optional[Path], typer.Option(help="Folder or archive of a table's images.")
    ] = None,
    annotations: Annotated[
        Optional[Path], typer.Option(help="File or folder of labels that lie elsewhere.")
    ] = None,
    label_folder: Annotated[
        int, typer.Option(help="Of class folders: which folder above an image is its label.")
    ] = 1,
    inside: Annotated[
        Optional[str],
        typer.Option(help="Of class folders: folder of the input that alone is read."),
    ] = None,
    constant: Annotated[
        Optional[list[str]],
        typer.Option(help="column=text where the source gives none, as licence=CC-BY-4.0; repeat."),
    ] = None,
    existing: Annotated[
        str, typer.Option(help="Records of the same source: keep or replace.")
    ] = "keep",
    engine: Engine = "local",
    as_json: Json = False,
) -> Result:
    """Read what laboratories have into a collection, with a ledger that adds up."""
    import holotype

    report = holotype.import_(
        kind, list(inputs), into=into, source=source, labels=labels, preset=preset,
        columns=_pairs(column, "--column"), images=images, annotations=annotations,
        label_folder=label_folder, inside=inside,
        constants=_pairs(constant, "--constant"), existing=existing, engine=engine,
    )  # fmt: skip
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


def drop(
    collection: CollectionArgument,
    source: Annotated[str, typer.Option(help="Name of the data set to take out.")],
    as_json: Json = False,
) -> Result:
    """Take one source out of a collection, as if it had never been there."""
    import holotype

    report = holotype.drop(collection, source=source)
    text = f"{report.collection}: {report.dropped:,} records dropped, {report.records:,} are left"
    return Result(report, text, as_json)


def environment(
    collection: CollectionArgument,
    grid: Annotated[list[Path], typer.Option(help="NetCDF file or Zarr folder; repeat for each.")],
    variable: Annotated[
        list[str], typer.Option(help="name=variable of the grid, as temperature=thetao; repeat.")
    ],
    max_distance_km: Annotated[float, typer.Option(help="How far a cell may be.")] = 25.0,
    max_depth_m: Annotated[float, typer.Option(help="How far a depth may be.")] = 50.0,
    max_hours: Annotated[float, typer.Option(help="How far a time may be.")] = 384.0,
    as_json: Json = False,
) -> Result:
    """Join temperature, salinity and other grids to the records, nearest in place, depth and time."""
    import holotype
    from holotype.collection.environment.join import Limits

    report = holotype.environment(
        collection, grids=list(grid), variables=_pairs(variable, "--variable"),
        limits=Limits(max_distance_km, max_depth_m, max_hours),
    )  # fmt: skip
    lines = []
    for name, joined in report.joined.items():
        lines.append(f"{name}: {joined:,} of {report.records:,} records")
        lines += [f"  {count:8,}  {reason}" for reason, count in report.missing[name].items()]
    return Result(report, "\n".join(lines), as_json)


def licences(
    collection: CollectionArgument,
    allow_licence: AllowLicence = None,
    attribution: Annotated[
        Optional[Path], typer.Option(help="File of credits to write (Markdown).")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Say under which licences the records are and what that allows; set aside what is not allowed."""
    import holotype

    report = holotype.licences(collection, allow=allow_licence or [], attribution=attribution)
    lines = [f"{count:8,}  {name}" for name, count in report.licences.items()]
    if report.set_aside:
        lines.append(f"{report.set_aside:,} records set aside: their licence is not allowed")
    for use, verdict in report.may.items():
        said = [*_texts(verdict["reasons"]), *_texts(verdict["conditions"])]
        lines.append(f"{use}: {verdict['answer']}{'. ' + ' '.join(said) if said else ''}")
    return Result(report, "\n".join(lines), as_json)


def _pairs(written: Optional[list[str]], option: str) -> dict[str, str]:
    """Returns what ``name=value`` options say."""
    from holotype.errors import SourceError

    pairs = [text.partition("=") for text in written or []]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise SourceError(f"{option} {bad[0]}: write it as name=value.")
    return {name: value for name, _, value in pairs}


def _texts(words: object) -> list[str]:
    return [str(word) for word in words] if isinstance(words, list) else []
