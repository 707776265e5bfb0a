"""FASTA: plain, SINTAX and BOLD headers, one record a sequence.

Headers understood, told apart by their form (Edgar 2016, doi:10.1101/074161, for SINTAX):
``>id;tax=k:Animalia,p:Arthropoda,...,s:Calanus_finmarchicus;``, ``>processid|Species name|marker|...``
as BOLD writes it, and a plain ``>id`` with an optional description. mkCOInr's
``>id taxid;kingdom;phylum;class;order;family;genus;species`` is read as well.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import dnaio

from holotype.collection.sources.item import Item, SourceOptions
from holotype.errors import SourceError
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_SINTAX_RANKS = {
    "d": "domain",
    "k": "kingdom",
    "p": "phylum",
    "c": "class",
    "o": "order",
    "f": "family",
    "g": "genus",
    "s": "species",
}


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each sequence; plain, gzip, bzip2 and xz files are read.

    Raises:
        SourceError: when the file is missing, empty, or no FASTA.
    """
    del options
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check the path.")
    number = 0
    try:
        with dnaio.open(path, fileformat="fasta") as records:
            for number, record in enumerate(records, start=1):
                fields = {**header_fields(record.name), "barcode": record.sequence}
                name = fields.pop("record_id") or f"sequence {number}"
                yield Item(name, row=number, fields=fields)
    except (dnaio.FileFormatError, UnicodeDecodeError, OSError, EOFError, ValueError) as reason:
        raise SourceError(
            f"{path}, after sequence {number}: not FASTA ({reason}). Mend or remove that line."
        ) from reason
    if number == 0:
        raise SourceError(f"{path}: no sequence in it.")


def header_fields(header: str) -> dict[str, str]:
    """Returns the columns that a FASTA header gives.

    >>> header_fields("MZ1;tax=k:Animalia,s:Calanus_glacialis;")["species"]
    'Calanus glacialis'
    >>> header_fields("EPAF082-03|Astraptes fulgerator|COI-5P")["marker"]
    'COI-5P'
    """
    if ";tax=" in header:
        name, _, taxa = header.partition(";tax=")
        return {"record_id": name, **_sintax_names(taxa)}
    if "|" in header:
        parts = [part.strip() for part in header.split("|")]
        written = parts[1].replace("_", " ") if len(parts) > 1 else ""
        marker = parts[2] if len(parts) > 2 else ""
        names = _written_name(written)
        return {"record_id": parts[0].partition(" ")[0], "marker": marker, **names}
    name, _, description = header.partition(" ")
    taxa_parts = description.split(";")
    if len(taxa_parts) == 1 + len(LINNAEAN_RANKS) and taxa_parts[0].isdigit():
        names = {
            rank.value: written.replace("_", " ")
            for rank, written in zip(LINNAEAN_RANKS, taxa_parts[1:], strict=True)
        }
        return {"record_id": name, "ncbi_id": taxa_parts[0], **names}
    return {"record_id": name}


def _written_name(written: str) -> dict[str, str]:
    """Returns genus and species of what a BOLD header says, and nothing of what is no name.

    "Calanus sp." is a genus; "COI-5P" and "123" are nothing.
    """
    if not re.fullmatch(r"[A-Z][a-z-]+( [^|]+)?", written):
        return {}
    genus, _, epithet = written.partition(" ")
    if not epithet or re.match(r"(sp|spp|cf|aff|nr)\.?( |$)", epithet):
        return {"genus": genus}
    return {"genus": genus, "species": written}


def _sintax_names(taxa: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for taxon in taxa.strip().rstrip(";").split(","):
        letter, _, name = taxon.partition(":")
        rank = _SINTAX_RANKS.get(letter.strip())
        if rank and name.strip():
            column = rank if rank != "domain" else "rank:domain"
            names[column] = name.strip().replace("_", " ")
    return names
