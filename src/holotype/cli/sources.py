"""The commands on public sources: list, show, check, get."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from holotype.cli.options import Json, Result

app = typer.Typer(
    help="Public collections: which there are, under which terms, and how to get them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Catalogue = Annotated[
    list[Path] | None,
    typer.Option("--catalogue", help="Own TOML file of a source, or a folder of them; repeat."),
]
Name = Annotated[str, typer.Argument(help="Name of the source, as in the list.")]


@app.command("list")
def list_(catalogue: Catalogue = None, as_json: Json = False) -> Result:
    """List the public sources with their kind, size, licence and instrument."""
    from holotype.catalogue.listing import list_sources
    from holotype.catalogue.sizes import told_bytes

    report = list_sources(catalogue=catalogue or ())
    rows = [("name", "kind", "images", "classes", "licence", "instrument", "size", "how")]
    rows += [
        (
            row.name,
            row.kind.value.replace("_", " "),
            "?" if row.images is None else f"{row.images:,}",
            "?" if row.classes is None else f"{row.classes:,}",
            row.licence,
            ", ".join(row.instruments) or "-",
            told_bytes(row.bytes),
            row.how.value.replace("_", " "),
        )
        for row in report.sources
    ]
    return Result(report, _table(rows, right=(2, 3, 6)), as_json)


@app.command("show")
def show(name: Name, catalogue: Catalogue = None, as_json: Json = False) -> Result:
    """Show all that the catalogue knows of one source, its traps among it."""
    from holotype.catalogue.listing import show_source

    report = show_source(name, catalogue=catalogue or ())
    lines = [f"{report.name}: {report.source['title']}"]
    skipped = {"name", "title", "licences", "instruments", "notes", "files"}
    lines += _lines({key: value for key, value in report.source.items() if key not in skipped})
    for row in report.licences:
        known = row["id"] or row["standing"].replace("_", " ")
        lines.append(f"licence of the {row['of']}: {known} (stated at: {row['stated_at']})")
    lines += [
        f"instrument: {row['title']}, {row['l22'] or 'no L22 term'}" for row in report.instruments
    ]
    lines += [_file_line(row) for row in report.source["files"]]
    lines += [f"note: {text}" for text in report.source["notes"]]
    return Result(report, "\n".join(lines), as_json)


@app.command("check")
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Names of sources.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Check every source.")] = False,
    root: Annotated[
        Path | None, typer.Option(help="Folder of fetched sources: is there room, what is here?")
    ] = None,
    catalogue: Catalogue = None,
    as_json: Json = False,
) -> Result:
    """Ask the hosts whether the files can be had, how large they are, and whether there is room."""
    from holotype.catalogue.check import check_sources
    from holotype.catalogue.sizes import told_bytes
    from holotype.errors import SourceError

    if bool(names) == all_:
        raise SourceError("Name the sources to check, or say --all.")
    report = check_sources(names or (), root=root, catalogue=catalogue or ())
    lines = []
    for row in report.sources:
        told = [row.state.value.replace("_", " "), told_bytes(row.bytes)]
        if row.room is not None:
            told.append(
                "room for it" if row.room else f"too little room ({told_bytes(row.free_bytes)})"
            )
        if row.folder is not None:
            told.append(f"folder {row.folder.value}")
        lines.append(f"{row.source}: {', '.join(told)}")
        lines += [
            f"  {found.file} {found.state.value.replace('_', ' ')}: {found.detail} ({found.url})"
            for found in row.addresses
            if found.detail
        ]
    failures = len(report.not_available) + len(report.check_failed)
    return Result(report, "\n".join(lines), as_json, failures)


@app.command("get")
def get(
    name: Name,
    into: Annotated[
        Path, typer.Option(help="Folder of fetched sources; the files go into INTO/NAME.")
    ],
    file: Annotated[
        list[str] | None,
        typer.Option(help="Fetch this file only; repeat. Optional files are named so."),
    ] = None,
    max_bytes: Annotated[
        str | None, typer.Option(help="Fetch no more than this, as 5GB or 500MB.")
    ] = None,
    mirror: Annotated[
        int | None, typer.Option(help="Use this address of each file only, from 1.")
    ] = None,
    url: Annotated[
        list[str] | None, typer.Option(help="FILE=URL: another address of a file; repeat.")
    ] = None,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Follow redirects from https to http.")
    ] = False,
    catalogue: Catalogue = None,
    as_json: Json = False,
) -> Result:
    """Fetch a source: resumed after a break, checked, complete only when its manifest is there."""
    from holotype.catalogue.get import get_source
    from holotype.catalogue.get_report import Outcome
    from holotype.catalogue.sizes import parse_bytes, told_bytes
    from holotype.catalogue.web_settings import Downgrade, WebSettings
    from holotype.errors import SourceError

    pairs = [text.partition("=") for text in url or []]
    if bad := [first for first, equals, _ in pairs if not equals]:
        raise SourceError(f"--url {bad[0]}: write it as FILE=URL.")
    report = get_source(
        name,
        into,
        catalogue=catalogue or (),
        files=file or (),
        mirror=mirror,
        urls={first: address for first, _, address in pairs},
        max_bytes=None if max_bytes is None else parse_bytes(max_bytes),
        settings=WebSettings(downgrade=Downgrade.ALLOW if allow_http else Downgrade.REFUSE),
    )
    if report.outcome is Outcome.BY_HAND:
        text = f"{report.source} has to be fetched by hand into {report.folder}:\n{report.instructions}"
        return Result(report, text, as_json, to_mend=True)
    lines = [
        f"{report.folder}: {report.outcome.value}, {len(report.files):,} files, {told_bytes(report.bytes)}",
        f"licence: {report.licence}",
        *([f"  {report.licence_conflict}"] if report.licence_conflict else []),
        *([f"terms: {report.terms}"] if report.terms else []),
        f"cite: {report.citation}",
        *([f"before reading: {report.reading_hint}"] if report.reading_hint else []),
        f"next: {report.next_command}",
    ]
    return Result(report, "\n".join(lines), as_json)


def _table(rows: Sequence[tuple[str, ...]], right: tuple[int, ...]) -> str:
    """Returns columns of equal width; those of the numbers given are aligned to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _lines(content: dict[str, Any], prefix: str = "") -> list[str]:
    """Returns nested keys and values, one line each."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines += _lines(value, f"{prefix}{key}.")
        elif value not in ([], ""):
            told = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"{prefix}{key}: {told}")
    return lines


def _file_line(row: dict[str, Any]) -> str:
    from holotype.catalogue.sizes import told_bytes

    about = [
        told_bytes(row.get("bytes") or row.get("about_bytes")),
        "optional" if row["optional"] else "",
        row.get("holds", ""),
        " or ".join(row["urls"]),
    ]
    return f"file: {row['name']} ({', '.join(part for part in about if part)})"
