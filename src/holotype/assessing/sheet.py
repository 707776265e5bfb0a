"""The table that a person fills in, and a page with the pictures beside their numbers."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holotype import files
from holotype.collection.reading.tabular import open_table
from holotype.errors import SourceError, did_you_mean, first_few
from holotype.page.document import document
from holotype.page.layout import Section, paragraph
from holotype.page.words import count, plain, some

TO_LABEL, SHEET = "to-label.csv", "sheet.html"
COLUMNS = ("number", "input", "label", "comment")
MOST_DIGITS = 9
"""Of the number of a record."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = """
.to-label { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
.to-label img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--band); }
.to-label figure { margin: 0; }
.to-label figcaption { font-size: .75rem; overflow-wrap: anywhere; }
.to-label code { overflow-wrap: anywhere; font-size: .7rem; }
"""


@dataclass(frozen=True)
class Drawn:
    """One record to label: number from 1, input, picture as a ``data:`` address, or barcode."""

    number: int
    input: str
    picture: str | None
    barcode: str | None


def write_sheet(out: Path, drawn: Sequence[Drawn], label_names: Sequence[str]) -> None:
    """Writes ``to-label.csv`` and ``sheet.html``; answers are not shown, so that they lead nobody.

    Raises:
        SourceError: when the table is there already with labels in it.
    """
    path = out / TO_LABEL
    check_unfilled(out)
    with (
        files.written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8-sig") as handle,
    ):
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in drawn:
            name = "'" + one.input if one.input.startswith(_FORMULA) else one.input
            writer.writerow((one.number, name, "", ""))
    files.write_text(out / SHEET, sheet(drawn, label_names))


def check_unfilled(out: Path) -> None:
    """Raises ``SourceError`` where the table of an earlier draw has labels in it."""
    path = out / TO_LABEL
    if path.is_file() and any(read_labels(path).values()):
        raise SourceError(f"{path}: has labels already. Give another --out, or move it away.")


def sheet(drawn: Sequence[Drawn], label_names: Sequence[str]) -> str:
    """Returns the page as HTML."""
    cards = "".join(
        f"<li><figure>{_shown(one)}<figcaption><b>{count(one.number)}</b> {plain(one.input)}"
        "</figcaption></figure></li>"
        for one in drawn
    )
    names = "".join(f"<li>{plain(name)}</li>" for name in sorted(label_names, key=str.lower))
    top = (
        f"<h1>{some(len(drawn), 'record')} to label</h1>"
        + paragraph(
            f"Write what each is into the column 'label' of {TO_LABEL}: a label of the model, or the name of "
            "any taxon, as narrow as you are sure of. Write ? where you cannot tell."
        )
    )  # fmt: skip
    sections = [
        Section("records", "Records", "In a random order.", f'<ul class="to-label">{cards}</ul>'),
        Section("labels", "Labels of the model", "Other names are read too.", f"<ul>{names}</ul>"),
    ]
    return document("Records to label", top, sections, style=_STYLE)


def _shown(one: Drawn) -> str:
    if one.picture is not None:
        return f'<img src="{one.picture}" alt="Record {one.number}" loading="lazy">'
    return f"<code>{plain(one.barcode or 'no picture')}</code>"


def read_labels(path: Path) -> dict[int, str]:
    """Returns what a person wrote, by number; rows may be in any order, further columns are well.

    Raises:
        SourceError: names the file and lines whose number is missing, no number, or there twice with
            different labels.
    """
    table = open_table(path)
    plain_names = {name.strip().lower(): name for name in table.header}
    missing = [name for name in ("number", "label") if name not in plain_names]
    if missing:
        hint = did_you_mean(missing[0], list(table.header))
        raise SourceError(f"{path}, line 1: no column '{missing[0]}'.{hint}")
    found: dict[int, str] = {}
    problems = []
    for row in table.rows:
        text = row.values.get(plain_names["number"], "").strip().removesuffix(".0")
        if row.error is not None or not text.isdecimal() or len(text) > MOST_DIGITS:
            problems.append(f"line {row.line}: {row.error or f'number {text!r}'}")
            continue
        label = " ".join(row.values.get(plain_names["label"], "").split())
        label = label.removeprefix("'")
        if found.setdefault(int(text), label) != label:
            problems.append(f"line {row.line}: number {text} has another label further up")
    if problems:
        raise SourceError(f"{path}: {first_few(problems)}. Mend these lines.")
    return found
