"""What taxa and labels are called elsewhere: AphiaIDs of WoRMS and categories of EcoTaxa.

They come from the collection and from label tables. An id belongs to the narrowest name of its record, so it
is given out for that rank alone; a namesake of another lineage never gets it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.store import Collection
from holotype.taxonomy.backbone.schema import NameStatus
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.label_table import Concept, LabelTable
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage

_RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
_KEYS = (*_RANKS, "qualifier", "kind", "group", "aphia_id", "ecotaxa_id")
_Names = tuple[str | None, ...]


@dataclass
class Identifiers:
    """Ids by name.

    Attributes:
        aphia: (rank, name) -> the lineages of that name with their AphiaIDs.
        ecotaxa: label -> ids of EcoTaxa categories.
    """

    aphia: dict[tuple[str, str], set[tuple[_Names, str]]] = field(default_factory=dict)
    ecotaxa: dict[str, set[str]] = field(default_factory=dict)

    def aphia_id(self, rank: str | None, names: Mapping[str, str | None]) -> str | None:
        """Returns the AphiaID of a taxon, None where none or more than one is known.

        Args:
            rank: of the taxon.
            names: its lineage, rank -> name, with the taxon itself.
        """
        known = self.aphia.get((rank or "", names.get(rank or "") or ""), ())
        agreeing = {number for held, number in known if _agree(held, names)}
        return agreeing.pop() if len(agreeing) == 1 else None

    def ecotaxa_id(self, label: str) -> str | None:
        """Returns the EcoTaxa category of a label, None where none or more than one is known."""
        known = self.ecotaxa.get(label, set())
        return next(iter(known)) if len(known) == 1 else None

    def learn(self, concept: Concept, ids: Mapping[str, str | None]) -> None:
        """Takes in what one concept is called."""
        lineage = concept.lineage
        aphia, ecotaxa = ids.get("aphia_id"), ids.get("ecotaxa_id")
        if aphia and aphia.isdecimal() and lineage.rank is not None and lineage.name:
            names = tuple(dict(lineage).get(rank) for rank in LINNAEAN_RANKS)
            self.aphia.setdefault((lineage.rank.value, lineage.name), set()).add((names, aphia))
        if ecotaxa and ecotaxa.isdecimal():
            self.ecotaxa.setdefault(concept.name, set()).add(ecotaxa)


def _agree(held: _Names, names: Mapping[str, str | None]) -> bool:
    """Returns whether two lineages name nothing differently at any rank that both have."""
    pairs = zip(held, (names.get(rank) for rank in _RANKS), strict=True)
    return all(one is None or other is None or one == other for one, other in pairs)


def known_identifiers(
    collection: Collection | None, tables: Iterable[LabelTable] = ()
) -> Identifiers:
    """Returns what a collection and label tables know."""
    known = Identifiers()
    if collection is not None:
        _learn_records(known, collection)
    for table in tables:
        for concept in table.concepts.values():
            known.learn(concept, dict(concept.taxon_ids))
    return known


def _learn_records(known: Identifiers, collection: Collection) -> None:
    records = collection.columns([*_KEYS, "other_ranks"])
    extra = pc.fill_null(pc.greater(pc.list_value_length(records["other_ranks"]), 0), False)  # noqa: FBT003
    named = pc.or_(pc.is_valid(records["aphia_id"]), pc.is_valid(records["ecotaxa_id"]))
    # A further rank below the narrowest Linnaean one is what the id would belong to.
    whole = pc.or_(pc.is_valid(records["species"]), pc.invert(extra))
    kept = records.filter(pc.and_(named, whole)).select(list(_KEYS))
    distinct: pa.Table = kept.group_by(list(_KEYS)).aggregate([])
    for row in distinct.to_pylist():
        lineage = Lineage.from_names({rank: row[rank] for rank in _RANKS})
        kind = Kind(row["kind"] or Kind.LIVING)
        known.learn(Concept(lineage, row["qualifier"] or WHOLE, kind, row["group"]), row)


def learn_backbone(known: Identifiers, path: Path, names: Sequence[str]) -> None:
    """Takes in the AphiaIDs that a backbone (``holotype names backbone``) has for accepted names.

    Raises:
        TaxonomyError: when the file is no backbone.
    """
    table = open_backbone(path).columns
    rows = table.filter(
        pc.is_in(table["name"], value_set=pa.array(sorted(set(names)), pa.string()))
    )
    for row in rows.select(["name", "rank", "status", *_RANKS, "aphia_id"]).to_pylist():
        if row["aphia_id"] and row["rank"] and row["status"] == NameStatus.ACCEPTED:
            held = tuple(row[rank] for rank in _RANKS)
            known.aphia.setdefault((row["rank"], row["name"]), set()).add((held, row["aphia_id"]))
