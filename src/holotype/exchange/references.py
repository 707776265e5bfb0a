"""A collection's barcodes as the reference library of a DNA classifier: SINTAX, QIIME 2, RDP, DADA2.

The folder has ``references.fasta``, the table that the classifier wants beside it, and whom to credit.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype import files
from holotype.collection.licensing import CREDIT_COLUMNS, column_allowed, credits_text
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, did_you_mean
from holotype.exchange.answers.answered import line_break, write_tabbed
from holotype.exchange.answers.qiime import qiime_taxon
from holotype.exchange.answers.sintax import LETTERS, sintax_name
from holotype.identify.columns import RANKS

Names = Mapping[str, str]
FASTA, TAXONOMY, TAXIDS = "references.fasta", "taxonomy.tsv", "taxids.txt"
SEPARATOR = "a name with a sign that this format writes between names"
RENAMED = "an id with a blank or one of ; , | > *: these are written as _"
SAME_ID = "an earlier record has the same id in the library"
CUT = "a rank without a name above others: the lineage ends before it"


class ReferenceForm(StrEnum):
    """Whose reference library."""

    SINTAX = "sintax"
    QIIME = "qiime"
    RDP = "rdp"
    DADA2 = "dada2"
    DADA2_SPECIES = "dada2-species"


@dataclass(frozen=True)
class ReferenceReport:
    """What a reference library holds; ``records`` and ``left_out`` add up to the collection.

    Attributes:
        out: its folder.
        form: whose library.
        records: sequences in it.
        left_out: records that are not, by reason.
        notes: what is worth knowing beside that, counted.
    """

    out: str
    form: str
    records: int
    left_out: Mapping[str, int]
    notes: Mapping[str, int]


def write_references(
    collection: Path | str,
    *,
    out: Path | str,
    form: ReferenceForm | str,
    allow_licence: Sequence[str] = (),
) -> ReferenceReport:
    """Writes the barcodes of a collection with their names as a reference library.

    Args:
        collection: its folder.
        out: a new folder.
        form: whose library.
        allow_licence: licences that may go out (``open``, ``CC-BY*``, ...); without any, all may.

    Raises:
        CollectionError: when the form is none, the folder is there, or no record can be a reference.
        SourceError: when a licence pattern is none.
    """
    if form not in set(ReferenceForm):
        raise CollectionError(f"no form '{form}'.{did_you_mean(str(form), [*ReferenceForm])}")
    form, folder = ReferenceForm(form), Path(out)
    if folder.exists():
        raise CollectionError(f"{folder}: is there already. Name a new folder.")
    opened = open_collection(Path(collection))
    everything = opened.columns([*dict.fromkeys(["record_id", "barcode", *RANKS, *CREDIT_COLUMNS])])
    records = everything
    if allow_licence:
        records = everything.filter(column_allowed(everything["licence"], allow_licence))
    left_out = Counter({"licence not allowed": everything.num_rows - records.num_rows})
    notes: Counter[str] = Counter()
    ways = _WAYS[form]
    kept: list[int] = []
    taxa: list[Names] = []
    with files.folder_written_whole(folder) as made:
        with (made / FASTA).open("w", encoding="utf-8", newline="") as handle:
            for at, name, lineage, barcode in _references(records, ways, left_out, notes):
                handle.write(f">{ways.header(name, lineage)}\n{barcode}\n")
                kept.append(at)
                taxa.append({"id": name, **lineage})
        if not kept:
            raise CollectionError(
                f"{opened.path}: no record can be a reference: {dict(+left_out)}."
            )
        ways.beside(made, taxa)
        credited = records.take(pa.array(kept))
        title = f"Sources of the references of {opened.name}"
        files.write_text(made / "ATTRIBUTION.md", credits_text(credited, title=title))
    return ReferenceReport(str(folder), form.value, len(kept), {**+left_out}, {**+notes})


@dataclass(frozen=True)
class _Ways:
    """How one form writes a record.

    Attributes:
        header: of a name and a lineage, without ">".
        refused: signs that no name may have.
        gapless: whether a lineage must have every rank down to its narrowest.
        needs: a rank that a record must have, or None for any.
        beside: writes the table beside the sequences.
    """

    header: Callable[[str, Names], str]
    refused: str
    gapless: bool = True
    needs: str | None = None
    beside: Callable[[Path, list[Names]], None] = lambda _folder, _taxa: None


def _references(
    records: pa.Table, ways: _Ways, left_out: Counter[str], notes: Counter[str]
) -> Iterator[tuple[int, str, Names, str]]:
    """Yields row, name, lineage and barcode of each reference; counts the records that are none."""
    columns = records.select(["record_id", "barcode", *RANKS]).to_pylist()
    taken: set[str] = set()
    for at, row in enumerate(columns):
        name = reference_id(row["record_id"])
        lineage = {rank: row[rank] for rank in RANKS if row[rank]}
        if ways.gapless:
            held = {rank: lineage[rank] for rank in RANKS[: _unbroken(row)]}
            notes[CUT] += len(held) < len(lineage)
            lineage = held
        reason = _why_not(row, lineage, ways) or (SAME_ID if name in taken else None)
        if reason is not None:
            left_out[reason] += 1
            continue
        taken.add(name)
        notes[RENAMED] += name != row["record_id"]
        yield at, name, lineage, row["barcode"]


def reference_id(record_id: str) -> str:
    """Returns an id that no classifier splits: blanks and ``; , | > *`` become ``_``.

    >>> reference_id("bold/GBCB0063-06|COI-5P")
    'bold/GBCB0063-06_COI-5P'
    """
    return re.sub(r"[\s;,|>*]", "_", record_id)


def _unbroken(row: Mapping[str, Any]) -> int:
    """Returns how many ranks from the kingdom down have names without a gap."""
    return next((at for at, rank in enumerate(RANKS) if not row[rank]), len(RANKS))


def _why_not(row: Mapping[str, Any], lineage: Names, ways: _Ways) -> str | None:
    if not row["barcode"]:
        return "no barcode"
    if not lineage or (ways.needs and ways.needs not in lineage):
        return f"no name at rank {ways.needs}" if ways.needs else "no names"
    odd = any(sign in text for text in lineage.values() for sign in ways.refused)
    return SEPARATOR if odd or line_break(*lineage.values()) else None


def _sintax(name: str, lineage: Names) -> str:
    taxa = ",".join(f"{LETTERS[rank]}:{sintax_name(text)}" for rank, text in lineage.items())
    return f"{name};tax={taxa};"


def _rdp(name: str, lineage: Names) -> str:
    return "\t".join([name, ";".join(["Root", *lineage.values()])])


def _dada2(_name: str, lineage: Names) -> str:
    return ";".join(lineage.values()) + ";"


def _qiime_table(folder: Path, taxa: list[Names]) -> None:
    rows = ([each["id"], qiime_taxon(_ranks_of(each)) or ""] for each in taxa)
    write_tabbed(folder / TAXONOMY, [("Feature ID", "Taxon"), *rows])


def _rdp_table(folder: Path, taxa: list[Names]) -> None:
    """Writes ``id*name*parent*depth*rank`` of every taxon, each once under its parent, parents first."""
    number: dict[tuple[str, ...], int] = {(): 0}
    lines = ["0*Root*-1*0*rootrank\n"]
    for each in taxa:
        lineage = _ranks_of(each)
        path: tuple[str, ...] = ()
        for depth, (rank, name) in enumerate(lineage.items(), start=1):
            parent, path = number[path], (*path, name)
            if path not in number:
                number[path] = len(number)
                lines.append(f"{number[path]}*{name}*{parent}*{depth}*{rank}\n")
    files.write_text(folder / TAXIDS, "".join(lines))


def _ranks_of(taxon: Names) -> dict[str, str]:
    return {rank: taxon[rank] for rank in RANKS if rank in taxon}


_WAYS: dict[ReferenceForm, _Ways] = {
    ReferenceForm.SINTAX: _Ways(_sintax, ",;:()", gapless=False),
    ReferenceForm.QIIME: _Ways(lambda name, _: name, ";", gapless=False, beside=_qiime_table),
    ReferenceForm.RDP: _Ways(_rdp, ";*", beside=_rdp_table),
    ReferenceForm.DADA2: _Ways(_dada2, ";"),
    ReferenceForm.DADA2_SPECIES: _Ways(
        lambda name, lineage: f"{name} {lineage['species']}", "", gapless=False, needs="species"
    ),
}
