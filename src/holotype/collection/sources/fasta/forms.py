"""FASTA headers: which of the forms in use a file has.

The form is found once a file, from its first headers, so no record is ever guessed at by itself.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum

from holotype.collection.sources.fasta.lineages import is_prefixed

SAMPLED_HEADERS = 500


class HeaderForm(StrEnum):
    """How the headers of a FASTA file are written."""

    SINTAX = "SINTAX (>id;tax=k:...,s:...;)"
    PR2 = "PR2 (>id|gene|...|Eukaryota|...|species)"
    UNITE = "UNITE (>name|accession|...|k__...;s__...)"
    MIDORI = "MIDORI2 (>id###root_1;...;species_taxid)"
    BOLD = "BOLD (>processid|species|marker|accession)"
    MKCOINR = "mkCOInr (>id taxid;kingdom;...;species)"
    RDP = "RDP (>id<tab>Root;kingdom;...)"
    IDTAXA = "IDTAXA (>id;Root;...)"
    SPACED = "SILVA (>id Kingdom;...;species)"
    DADA2 = "DADA2 (>Kingdom;Phylum;...;)"
    BINOMIAL = "DADA2 species (>id Genus species)"
    PLAIN = "plain (>id description)"


_BINOMIAL = re.compile(r"^\S+ [A-Z][a-z-]+ [a-z][a-z-]{2,}( subsp\.? [a-z-]+| \(T\))?$")
_NO_GENUS = frozenset({"Uncultured", "Unidentified", "Unclassified", "Unknown", "Predicted"})
_NCBI = re.compile(r"^(gi|gb|emb|dbj|ref|lcl|sp|tr)\|")
PR2_LEVELS = (9, 8)
_BY_CHANCE = {HeaderForm.BOLD, HeaderForm.SPACED, HeaderForm.DADA2, HeaderForm.BINOMIAL}


def find_form(headers: Sequence[str]) -> HeaderForm:
    """Returns the form of a file's headers.

    A form that no other text looks like is taken wherever it is met (plain headers among it are odd); a form
    that a description may look like by chance is taken when at least half of the headers have it.
    """
    counts = dict.fromkeys(_FITS, 0)
    for header in headers:
        form = form_of(header)
        if form is not HeaderForm.PLAIN:
            counts[form] += 1
    best = max(counts, key=lambda form: counts[form])
    needed = 1 if best not in _BY_CHANCE else len(headers) / 2
    return best if counts[best] >= max(needed, 1) else HeaderForm.PLAIN


def form_of(header: str) -> HeaderForm:
    """Returns the form that a header has by itself."""
    return next((form for form, fits in _FITS.items() if fits(header)), HeaderForm.PLAIN)


def pr2_start(header: str) -> int | None:
    """Returns at which part between bars the levels of PR2 start, or None where there are none."""
    parts = header.split("|")
    starts = [len(parts) - number for number in PR2_LEVELS if len(parts) > number + 1]
    known = {"Eukaryota", "Bacteria", "Archaea"}
    found = (start for start in starts if parts[start].split("-")[0].split(":")[0] in known)
    return next(found, None)


def _is_dada2(header: str) -> bool:
    names = header.strip().strip(";").split(";")
    named = all(re.fullmatch(r"[^\s|=]+( [^\s|=]+){0,4}", name) for name in names if name)
    return len(names) > 1 and named and (is_prefixed(header) or header.strip().endswith(";"))


_FITS: dict[HeaderForm, Callable[[str], bool]] = {
    HeaderForm.SINTAX: lambda header: ";tax=" in header,
    HeaderForm.MIDORI: lambda header: "###" in header and ";" in header,
    HeaderForm.PR2: lambda header: pr2_start(header) is not None,
    HeaderForm.UNITE: lambda header: "|" in header and is_prefixed(header.rpartition("|")[2]),
    HeaderForm.RDP: lambda header: bool(
        re.match(r"^[^\t]+\t(Root;|([^;]*;){3})", header, re.IGNORECASE)
    ),
    HeaderForm.IDTAXA: lambda header: bool(re.match(r"^[^;\s]+;?\s*Root;", header, re.IGNORECASE)),
    HeaderForm.MKCOINR: lambda header: bool(re.match(r"^\S+ \d+(;[^;]*){7}$", header)),
    HeaderForm.BOLD: lambda header: "|" in header and not _NCBI.match(header),
    HeaderForm.SPACED: lambda header: bool(re.match(r"^[^\s;]+ [^;]+(;[^;]*){3,}$", header)),
    HeaderForm.DADA2: _is_dada2,
    HeaderForm.BINOMIAL: lambda header: (
        _BINOMIAL.match(header) is not None and header.split()[1] not in _NO_GENUS
    ),
}
