"""The commands on indexes of reference records: build, add, search."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from holotype.cli.options import Json, Result, Run

if TYPE_CHECKING:
    from holotype.index.build import IndexReport
    from holotype.taxonomy.lineage import Rank

SHOWN_FAILURES = 20
app = typer.Typer(
    help="Indexes of reference records: what is most like this image, barcode or name?",
    no_args_is_help=True,
    rich_markup_mode=None,
)
IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
Collections = Annotated[
    list[Path], typer.Option("--collection", help="Folder of a collection; repeat for several.")
]
Model = Annotated[
    Optional[Path],
    typer.Option(
        "--model", help="The bundle of the index; found by itself where it has not moved."
    ),
]


@app.command("build")
def build(
    run: Run,
    collection: Collections,
    out: Annotated[
        Path, typer.Option(help="Folder of the index; an unfinished one is gone on with.")
    ],
    thumbnails: Annotated[
        Optional[int], typer.Option(help="Keep each image with its longest side so small, in px.")
    ] = None,
    exact_up_to: Annotated[
        int, typer.Option(help="Search so many vectors exactly; more of them by cells.")
    ] = 1_000_000,
    as_json: Json = False,
) -> Result:
    """Embed the images and barcodes of collections, and make an index of them."""
    from holotype.index.build import build_index

    report = build_index(
        run, collection, out=out, thumbnails_px=thumbnails, exact_up_to=exact_up_to
    )
    return Result(report, _told(report), as_json, len(report.failures))


@app.command("add")
def add(
    index: IndexFolder, collection: Collections, model: Model = None, as_json: Json = False
) -> Result:
    """Add the records of collections to an index; those that it has already are left out and counted."""
    from holotype.index.build import add_to_index

    report = add_to_index(index, collection, model=model)
    return Result(report, _told(report), as_json, len(report.failures))


@app.command("search")
def search(
    index: IndexFolder,
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet or .json.")],
    image: Annotated[
        Optional[list[str]], typer.Option(help="Image file, folder or archive; repeat.")
    ] = None,
    barcode: Annotated[
        Optional[list[str]], typer.Option(help="Nucleotides or a FASTA file; repeat.")
    ] = None,
    text: Annotated[
        Optional[list[str]], typer.Option(help="Words, read by the model's text tower; repeat.")
    ] = None,
    lineage: Annotated[
        Optional[list[str]],
        typer.Option(help="Names as they stand: 'Animalia Arthropoda'; repeat."),
    ] = None,
    record: Annotated[
        Optional[list[str]], typer.Option(help="Id of a record of the index; repeat.")
    ] = None,
    model: Model = None,
    searched: Annotated[
        Optional[str],
        typer.Option(help="image or barcode vectors, or identity (of barcodes, without a model)."),
    ] = None,
    k: Annotated[int, typer.Option("--k", help="Records for each query.")] = 10,
    taxon: Annotated[Optional[str], typer.Option(help="Only records of this taxon.")] = None,
    rank: Annotated[
        Optional[str], typer.Option(help="Rank of --taxon; alone: only records named at it.")
    ] = None,
    place: Annotated[
        Optional[str], typer.Option(help="Only from west,south,east,north, in degrees.")
    ] = None,
    instrument: Annotated[
        Optional[list[str]], typer.Option(help="Only of this instrument; repeat for several.")
    ] = None,
    licence: Annotated[
        Optional[list[str]], typer.Option(help="CC-BY-4.0, CC-BY*, open, non-commercial; repeat.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Find the records of an index that are most like an image, barcode, words, a lineage or a record."""
    from holotype.index.filters import Filters, parse_box
    from holotype.index.search import Ask, Request, search_index

    asked: dict[str, list[str] | None] = {
        Ask.IMAGE: image, Ask.BARCODE: barcode, Ask.TEXT: text, Ask.LINEAGE: lineage, Ask.RECORD: record,
    }  # fmt: skip
    ask, values = _only_one(asked)
    filters = Filters(
        taxon=taxon,
        rank=None if rank is None else _rank(rank),
        place=None if place is None else parse_box(place),
        instruments=tuple(instrument or ()),
        licences=tuple(licence or ()),
    )
    request = Request(Ask(ask), values, model, searched, k, filters)
    report = search_index(index, request, out=out)
    lines = (
        f"{report.out}: {report.hits:,} hits of {report.queries:,} queries, by {report.searched}, among "
        f"{report.among:,} records; {report.failures:,} without a hit"
    )
    return Result(report, lines, as_json, report.failures)


def _only_one(asked: Mapping[str, list[str] | None]) -> tuple[str, tuple[str, ...]]:
    """Returns what is asked with; one kind at a time."""
    from holotype.errors import SourceError

    given = {ask: tuple(values) for ask, values in asked.items() if values}
    if len(given) != 1:
        found = " and ".join(f"--{ask}" for ask in given) or "none of them"
        raise SourceError(
            f"ask with one of {', '.join(f'--{ask}' for ask in asked)}; found {found}."
        )
    return next(iter(given.items()))


def _rank(written: str) -> "Rank":
    from holotype.errors import SourceError, did_you_mean
    from holotype.taxonomy.lineage import LINNAEAN_RANKS

    for rank in LINNAEAN_RANKS:
        if rank.value == written.lower():
            return rank
    known = [rank.value for rank in LINNAEAN_RANKS]
    raise SourceError(f"--rank {written}: no such rank.{did_you_mean(written, known)}")


def _told(report: "IndexReport") -> str:
    vectors = ", ".join(f"{count:,} {name}s" for name, count in report.vectors.items())
    lines = [
        f"{report.index}: {report.records:,} records ({vectors}), {report.added:,} of them new",
        *([f"  {report.already_there:,} were there already"] if report.already_there else []),
        *(f"  {name}: {why}" for name, why in [*report.failures.items()][:SHOWN_FAILURES]),
    ]
    if len(report.failures) > SHOWN_FAILURES:
        lines.append(f"  and {len(report.failures) - SHOWN_FAILURES:,} more that could not be read")
    return "\n".join(lines)
