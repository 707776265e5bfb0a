"""What a source's written labels mean: a table joined by (source, written label).

The same written label means different things in different collections, and the same name belongs to
different organisms (Ctenophora is a phylum of comb jellies and a genus of diatoms). So the key is
always the pair, never a name alone.
"""

import csv
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from holotype.errors import TaxonomyError, did_you_mean, first_few
from holotype.taxonomy.labels import WHOLE, Kind, parse_label
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank, canonical_name

_NOT_KNOWN = re.compile(
    r"\b(metagenome|unidentified|uncultured|unclassified|environmental samples?|incertae sedis)\b"
)
ID_COLUMNS: dict[str, str] = {
    "wikidata_ID": "wikidata_id",
    "aphia_ID": "aphia_id",
    "NCBI_ID": "ncbi_id",
    "BOLD_ID": "bold_id",
    "ecotaxa_ID": "ecotaxa_id",
}
"""Columns of identifiers in a label table, and their names in a collection."""


@dataclass(frozen=True)
class Concept:
    """What a label means: a taxon (or none), what of it is shown, and of what kind it is.

    Attributes:
        lineage: the taxon; empty where the label is no taxon.
        qualifier: ``full_body``, ``egg``, ``larvae``, ``part`` ...
        kind: living, detritus, artefact or inert.
        group: the name of the class where there is no taxon ("artefact", "feces"); else None.
        taxon_ids: identifiers by authority, strings without ".0".
    """

    lineage: Lineage
    qualifier: str = WHOLE
    kind: Kind = Kind.LIVING
    group: str | None = None
    taxon_ids: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The class as people say it: "Calanoida (egg)", "artefact"."""
        base = self.lineage.name or self.group or "unnamed"
        return base if self.qualifier == WHOLE else f"{base} ({self.qualifier})"


@dataclass(frozen=True)
class LabelTable:
    """Concepts by (source, written label).

    Attributes:
        path: the file that the table was read from.
        concepts: the meaning of each pair.
    """

    path: Path
    concepts: Mapping[tuple[str, str], Concept]

    @property
    def sources(self) -> frozenset[str]:
        """The sources that the table knows."""
        return frozenset(source for source, _ in self.concepts)

    def check_source(self, source: str) -> None:
        """Raises ``TaxonomyError`` when the table has no label of that source."""
        if source not in self.sources:
            raise TaxonomyError(
                f"{self.path}: no labels of source '{source}'."
                f"{did_you_mean(source, sorted(self.sources))} Name it with --source."
            )

    def find(self, source: str, written_label: str) -> Concept | None:
        """Returns what the label means in that source, or None where the table does not say."""
        return self.concepts.get((_composed(source), _composed(written_label)))


def _composed(text: str) -> str:
    """Returns a text in Unicode's composed form: file systems write one and the same name in two."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def read_label_table(path: Path) -> LabelTable:
    """Returns the label table of a CSV with the columns of ``planktonzilla_taxonomy.csv``.

    Needed: ``Dataset``, ``Raw_Labels``, the seven ranks (``Species`` is the epithet or the binomial).
    Read where present: ``qualifier``, ``root_class``, ``proposed_label`` and identifiers.

    Raises:
        TaxonomyError: names the file and the row of a missing column, a blank key, an unknown
            ``root_class``, or one key with two meanings.
    """
    if not path.is_file():
        raise TaxonomyError(f"{path}: no such file. Check the path of the label table.")
    try:
        return LabelTable(path, _read_concepts(path))
    except (UnicodeDecodeError, csv.Error) as reason:
        raise TaxonomyError(f"{path}: not a table in UTF-8 ({reason}). Save it as UTF-8.") from None


def _read_concepts(path: Path) -> dict[tuple[str, str], Concept]:
    """Returns the meaning of each pair in a label table."""
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle, restval="")
        needed = ["Dataset", "Raw_Labels", *(rank.capitalize() for rank in LINNAEAN_RANKS)]
        missing = [column for column in needed if column not in (reader.fieldnames or [])]
        if missing:
            raise TaxonomyError(f"{path}, row 1: no column {first_few(missing)}.")
        concepts: dict[tuple[str, str], Concept] = {}
        problems: list[str] = []
        for row_number, row in enumerate(reader, start=2):
            key = (_composed(row["Dataset"].strip()), _composed(row["Raw_Labels"].strip()))
            try:
                concept = _concept(row)
            except (TaxonomyError, ValueError) as reason:
                problems.append(f"row {row_number}: {reason}")
                continue
            if not all(key):
                problems.append(f"row {row_number}: blank Dataset or Raw_Labels")
            elif concepts.get(key, concept) != concept:
                problems.append(f"row {row_number}: {key} has another meaning further up")
            else:
                concepts[key] = concept
    if problems:
        raise TaxonomyError(f"{path}: {first_few(problems)}. Mend these rows of the table.")
    if not concepts:
        raise TaxonomyError(f"{path}: a header and no rows, so no label has a meaning.")
    return concepts


def _concept(row: Mapping[str, str]) -> Concept:
    lineage = lineage_of_columns({rank: row[rank.capitalize()] for rank in LINNAEAN_RANKS})
    root_class = (row.get("root_class") or "").strip().lower()
    parsed = parse_label(row["Raw_Labels"])
    group = (row.get("proposed_label") or "").strip() or None
    ids = [(name, (row.get(column) or "").strip()) for column, name in ID_COLUMNS.items()]
    return Concept(
        lineage=lineage,
        qualifier=(row.get("qualifier") or "").strip() or WHOLE,
        kind=Kind(root_class) if root_class else parsed.kind,
        group=None if lineage else group or row["Raw_Labels"].strip(),
        taxon_ids=tuple((name, value.removesuffix(".0")) for name, value in ids if value),
    )


def names_no_taxon(rank: Rank, written: str, above: Collection[str]) -> bool:
    """Returns whether a name stands for "not known": family ``Calanoida sp.``, or one that repeats an order.

    >>> names_no_taxon(Rank.GENUS, "Calanoida", ["Copepoda", "Calanoida"])
    True

    Args:
        rank: of the name.
        written: the name.
        above: the names of wider ranks.
    """
    word = written.replace("_", " ").strip().lower()
    if rank in (Rank.FAMILY, Rank.GENUS) and written in above:
        return True
    return bool(_NOT_KNOWN.search(word)) or (rank is not Rank.SPECIES and word.endswith(" sp."))


def lineage_of_columns(columns: Mapping[Rank, str | None]) -> Lineage:
    """Returns the lineage of a table's rank columns: canonical names, without those that stand for none."""
    names: dict[Rank, str] = {}
    for rank in sorted(columns, key=lambda rank: rank.depth):
        written = (columns[rank] or "").strip()
        if written and not names_no_taxon(rank, written, names.values()):
            names[rank] = canonical_name(rank, written, genus=names.get(Rank.GENUS))
    return Lineage(tuple(names.items()))
