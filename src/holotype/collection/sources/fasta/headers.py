"""FASTA headers: what a header says, by the form that its file has.

A header of another form than its file's gives its id alone, and a note.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holotype.collection.sources.fasta.forms import PR2_LEVELS, HeaderForm, form_of, pr2_start
from holotype.collection.sources.fasta.lineages import (
    LINNAEAN,
    PREFIXES,
    Fields,
    clean_name,
    is_prefixed,
    lineage_fields,
    pr2_names,
    prefixed_names,
    top_down_names,
)


@dataclass(frozen=True)
class Header:
    """What a header says.

    Attributes:
        name: the id, or "" where the form has none.
        fields: columns of a collection.
        odd: what in it could not be understood, or None.
    """

    name: str
    fields: Fields
    odd: str | None = None


Ranks = Mapping[tuple[str, int], str] | None

_ACCESSION = re.compile(r"^([A-Z]{1,2}\d{5,8}|[A-Z]{4,6}\d{8,10}|[A-Z]{2}_\d{6,9})(\.\d+)?$")
_MARKER = re.compile(
    r"(CO[123]|CO[IX]{1,3}[123]?|CYTB|ND\d|ATP[68]|ITS\d?|1[268]S|2[38]S|5\.8S|rbcLa?|matK|trn[A-Z]|"
    r"psbA|ArgKin|EF1|H[34]|MC1R|RAG[12]|Wnt1|CAD\d*|UPA|tufA|atpF|TPI)([-_.]\w+)*"
)
_COINR_ID = re.compile(r"^BOLD_(?P<marker>[^_]+)_(?P<process>[^_]+)(_BIN[:_](?P<bin>.+))?$")


def read_header(header: str, form: HeaderForm, ranks: Ranks = None) -> Header:
    """Returns what a header of a file of that form says.

    Args:
        header: without ">".
        form: of the file.
        ranks: the library's own table of ranks, for RDP and IDTAXA.
    """
    if form is not HeaderForm.PLAIN and form_of(header) is not form:
        found = Header(plain_id(header), {}, f"'{header[:60]}' is not written as {form.value}")
    else:
        found = _READERS[form](header, ranks)
    fields = found.fields | _fields_of_id(found.name)
    return Header(found.name, {c: text for c, text in fields.items() if text.strip()}, found.odd)


def plain_id(header: str) -> str:
    """Returns a header up to the first blank, bar or semicolon."""
    return re.split(r"[\s|;]", header.strip(), maxsplit=1)[0]


def _sintax(header: str, _ranks: Ranks) -> Header:
    name, _, taxa = header.partition(";tax=")
    taxa, name = taxa.partition(";")[0], name.partition(";")[0]
    fields: Fields = {}
    for taxon in taxa.split(","):
        letter, _, written = taxon.partition(":")
        rank = PREFIXES.get(letter.strip().lower())
        cleaned = clean_name(written, rank or "").replace("_", " ")
        if rank and cleaned:
            fields[rank] = cleaned
    return Header(name.strip(), fields)


def _pr2(header: str, _ranks: Ranks) -> Header:
    parts = [part.strip() for part in header.split("|")]
    start = pr2_start(header) or 0
    fields = pr2_names(parts[start:])
    fields["written_label"] = parts[-1]
    for column, text in zip(
        ("marker", "extra:organelle", "extra:sample"), parts[1:start], strict=False
    ):
        if text:
            fields[column] = text.removesuffix("_rRNA")
    if accession := re.match(r"^[A-Z]+\d+(\.\d+)?", parts[0]):
        fields["insdc_accession"] = accession[0]
    return Header(parts[0], fields)


def _unite(header: str, _ranks: Ranks) -> Header:
    parts = header.split("|")
    fields = prefixed_names(parts[-1].split(";")) | {"extra:lineage": parts[-1]}
    accession = next((part for part in parts[1:-1] if _ACCESSION.match(part)), "")
    hypothesis = next((part for part in parts[1:-1] if part.startswith("SH")), "")
    fields |= {"written_label": parts[0].replace("_", " ")}
    fields |= {"insdc_accession": accession} if accession else {}
    fields |= {"extra:species_hypothesis": hypothesis} if hypothesis else {}
    return Header("|".join(filter(None, (accession, hypothesis))) or parts[0], fields)


def _midori(header: str, ranks: Ranks) -> Header:
    name, _, lineage = header.partition("###")
    fields, odd = lineage_fields(lineage, ranks)
    if accession := re.match(r"^[A-Z]+_?\d+(\.\d+)?", name):
        fields["insdc_accession"] = accession[0]
    return Header(name.strip(), fields, odd)


def _bold(header: str, _ranks: Ranks) -> Header:
    name, *parts = [part.strip() for part in header.split("|")]
    fields: Fields = {}
    for part in parts:
        text = part.replace("_", " ")
        if _ACCESSION.match(part.removesuffix("-SUPPRESSED")):
            fields.setdefault("insdc_accession", part.removesuffix("-SUPPRESSED"))
        elif _MARKER.fullmatch(part):
            fields.setdefault("marker", part)
        elif re.fullmatch(r"BOLD:[A-Z]{3}\d+", part):
            fields.setdefault("bin_uri", part)
        elif "written_label" not in fields and re.match(r"[A-Z][a-z-]+( |$)", text):
            fields |= {"written_label": part, **written_name(text)}
        elif part:
            fields["extra:header"] = header
    return Header(name.partition(" ")[0], fields)


def written_name(written: str) -> Fields:
    """Returns genus and species of what a BOLD header says; "Calanus sp." is a genus.

    A single word is a genus unless it ends as the names of families and orders do.
    """
    genus, _, epithet = written.partition(" ")
    if not epithet:
        higher = re.search(r"(idae|inae|aceae|ales|formes|ptera|phyta|mycota)$", genus)
        return {} if higher else {"genus": genus}
    if re.match(r"(sp|spp|cf|aff|nr)\.?( |$)", epithet):
        return {"genus": genus}
    return {"genus": genus, "species": written}


def _mkcoinr(header: str, _ranks: Ranks) -> Header:
    name, _, description = header.partition(" ")
    taxid, *names = description.split(";")
    fields = {"ncbi_id": taxid}
    for rank, written in zip(LINNAEAN, names, strict=True):
        if written.strip():
            fields[rank] = written.strip().replace("_", " ")
    return Header(name, fields)


def _tabbed(header: str, ranks: Ranks) -> Header:
    name, _, lineage = header.partition("\t")
    return _with_lineage(name, lineage, ranks)


def _idtaxa(header: str, ranks: Ranks) -> Header:
    match = re.match(r"^([^;\s]+);?\s*(Root;.*)$", header, re.IGNORECASE)
    name, lineage = match.groups() if match else (header, "")
    return _with_lineage(name, lineage, ranks)


def _spaced(header: str, ranks: Ranks) -> Header:
    name, _, lineage = header.partition(" ")
    return _with_lineage(name, lineage, ranks)


def _dada2(header: str, ranks: Ranks) -> Header:
    written = {"extra:lineage": header.strip()}
    levels = header.strip().removesuffix(";").split(";")
    if len(levels) in PR2_LEVELS and levels[0] == "Eukaryota":
        return Header("", pr2_names(levels) | written)
    if is_prefixed(header) or ranks is not None or len(levels) > len(LINNAEAN):
        return _with_lineage("", header, ranks)
    return Header("", top_down_names(levels) | written)


def _with_lineage(name: str, lineage: str, ranks: Ranks) -> Header:
    fields, odd = lineage_fields(lineage, ranks)
    return Header(name.strip(), fields, odd and f"{odd}: name the library's table of ranks")


def _binomial(header: str, _ranks: Ranks) -> Header:
    name, _, written = header.partition(" ")
    words = written.split()
    species = " ".join(words[:2])
    fields = {"written_label": written, "genus": words[0], "species": species}
    return Header(name, fields)


def _plain(header: str, _ranks: Ranks) -> Header:
    name, _, description = header.strip().partition(" ")
    described = {"extra:description": description.strip()} if description.strip() else {}
    return Header(name.partition("\t")[0], described)


def _fields_of_id(name: str) -> Fields:
    """Returns what an id of mkCOInr's BOLD records says, or that it is an accession."""
    if found := _COINR_ID.match(name):
        fields = {"marker": found["marker"], "specimen_id": found["process"]}
        bin_uri = (found["bin"] or "").removeprefix("BOLD:")
        return fields | ({"bin_uri": f"BOLD:{bin_uri}"} if bin_uri else {})
    return {"insdc_accession": name} if _ACCESSION.match(name) else {}


_READERS: dict[HeaderForm, Callable[[str, Ranks], Header]] = {
    HeaderForm.SINTAX: _sintax,
    HeaderForm.PR2: _pr2,
    HeaderForm.UNITE: _unite,
    HeaderForm.MIDORI: _midori,
    HeaderForm.BOLD: _bold,
    HeaderForm.MKCOINR: _mkcoinr,
    HeaderForm.RDP: _tabbed,
    HeaderForm.IDTAXA: _idtaxa,
    HeaderForm.SPACED: _spaced,
    HeaderForm.DADA2: _dada2,
    HeaderForm.BINOMIAL: _binomial,
    HeaderForm.PLAIN: _plain,
}
