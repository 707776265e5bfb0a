"""The internal table of CRABS: one sequence a line, no header.

Jeunen et al. 2023 (doi:10.1111/1755-0998.13741). Columns by its definition: seqID, name, NCBI taxid,
superkingdom, phylum, class, order, family, genus, species, sequence; older versions have no name.
"""

import re

from holotype.collection.reading.fields import whole_number
from holotype.collection.reading.tabular import present
from holotype.collection.sources.fasta.lineages import DOMAIN, LINNAEAN, Fields, clean_name

_RANKS = (DOMAIN, *LINNAEAN[1:])
_WITH_NAME = 3 + len(_RANKS) + 1
_WITHOUT_NAME = _WITH_NAME - 1
_LETTERS = re.compile(r"[A-Za-z*.~-]{10,}")


def is_crabs(line: str) -> bool:
    """Returns whether a line is a row of such a table."""
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) not in {_WITH_NAME, _WITHOUT_NAME} or not _LETTERS.fullmatch(cells[-1]):
        return False
    taxid = cells[len(cells) - len(_RANKS) - 2]
    return whole_number(taxid) is not None or not present(taxid)


def crabs_row(line: str) -> tuple[str, Fields] | None:
    """Returns the id of a row and its columns, or None where it has not 10 or 11 cells."""
    cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
    if len(cells) not in {_WITH_NAME, _WITHOUT_NAME}:
        return None
    name, *ranked, letters = cells[-len(_RANKS) - 2 :]
    fields: Fields = {"barcode": letters}
    if taxid := present(name):
        fields["ncbi_id"] = taxid
    if len(cells) == _WITH_NAME and (label := present(cells[1])):
        fields["written_label"] = label.replace("_", " ")
    for rank, written in zip(_RANKS, ranked, strict=True):
        if cleaned := clean_name(present(written), rank):
            fields[rank] = cleaned
    return cells[0], fields
