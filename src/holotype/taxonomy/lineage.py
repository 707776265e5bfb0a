"""Ranks and lineages as values.

Place in the path: the first thing that everything else speaks in. No files, no torch.
A lineage is the classification of one taxon from the top down. It may be ragged: a rank that nobody
gave is absent, never "unknown". Species are whole binomials ("Calanus finmarchicus").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from holotype.errors import TaxonomyError, did_you_mean


class Rank(StrEnum):
    """Ranks from the widest to the narrowest; compare them with ``is_above``."""

    DOMAIN = "domain"
    KINGDOM = "kingdom"
    SUBKINGDOM = "subkingdom"
    INFRAKINGDOM = "infrakingdom"
    SUPERPHYLUM = "superphylum"
    PHYLUM = "phylum"
    SUBPHYLUM = "subphylum"
    INFRAPHYLUM = "infraphylum"
    PARVPHYLUM = "parvphylum"
    SUPERCLASS = "superclass"
    CLASS = "class"
    SUBCLASS = "subclass"
    INFRACLASS = "infraclass"
    COHORT = "cohort"
    SUPERORDER = "superorder"
    ORDER = "order"
    SUBORDER = "suborder"
    INFRAORDER = "infraorder"
    PARVORDER = "parvorder"
    SECTION = "section"
    SUPERFAMILY = "superfamily"
    FAMILY = "family"
    SUBFAMILY = "subfamily"
    TRIBE = "tribe"
    SUBTRIBE = "subtribe"
    GENUS = "genus"
    SUBGENUS = "subgenus"
    SPECIES = "species"
    SUBSPECIES = "subspecies"
    VARIETY = "variety"
    FORM = "form"

    @property
    def depth(self) -> int:
        """The rank's place from the top, 0 for domain."""
        return _DEPTH[self]

    def is_above(self, other: "Rank") -> bool:
        """Returns whether this rank is wider than the other."""
        return self.depth < other.depth

    @classmethod
    def parse(cls, text: str) -> "Rank":
        """Returns the rank of that name.

        Raises:
            TaxonomyError: for a word that is no rank; says the nearest one.
        """
        word = _RANK_SYNONYMS.get(text.strip().lower(), text.strip().lower())
        try:
            return cls(word)
        except ValueError:
            known = [rank.value for rank in cls]
            raise TaxonomyError(f"'{text}' is not a rank.{did_you_mean(word, known)}") from None


_DEPTH = {rank: depth for depth, rank in enumerate(Rank)}
_RANK_SYNONYMS = {"division": "phylum", "phylum (division)": "phylum", "superkingdom": "domain"}

LINNAEAN_RANKS: tuple[Rank, ...] = (
    Rank.KINGDOM,
    Rank.PHYLUM,
    Rank.CLASS,
    Rank.ORDER,
    Rank.FAMILY,
    Rank.GENUS,
    Rank.SPECIES,
)
"""The seven ranks that every answer carries."""


@dataclass(frozen=True)
class Lineage:
    """The classification of one taxon, widest rank first; empty for what is no taxon at all.

    Attributes:
        taxa: pairs of rank and name, in the order of ranks, each rank at most once.
    """

    taxa: tuple[tuple[Rank, str], ...] = ()

    def __post_init__(self) -> None:
        depths = [rank.depth for rank, _ in self.taxa]
        if depths != sorted(set(depths)):
            ranks = ", ".join(rank for rank, _ in self.taxa)
            raise TaxonomyError(f"ranks must go from wide to narrow, each once; found: {ranks}.")
        if blank := [rank for rank, name in self.taxa if not name.strip()]:
            raise TaxonomyError(f"blank name at rank {blank[0]}: leave an unknown rank out.")

    @classmethod
    def from_names(cls, names: Mapping[str, str | None] | Mapping[Rank, str | None]) -> "Lineage":
        """Returns the lineage of a mapping from rank to name; blank and absent names are left out.

        >>> Lineage.from_names({"genus": "Calanus", "kingdom": "Animalia", "family": ""}).text()
        'Animalia Calanus'
        """
        given = [(Rank.parse(rank), name.strip()) for rank, name in names.items() if name]
        return cls(tuple(sorted(((r, n) for r, n in given if n), key=lambda pair: pair[0].depth)))

    def __iter__(self) -> Iterator[tuple[Rank, str]]:
        return iter(self.taxa)

    def __bool__(self) -> bool:
        return bool(self.taxa)

    @cached_property
    def _by_rank(self) -> dict[Rank, str]:
        return dict(self.taxa)

    def name_at(self, rank: Rank) -> str | None:
        """Returns the name at a rank, or None where the lineage has none."""
        return self._by_rank.get(rank)

    @property
    def rank(self) -> Rank | None:
        """The narrowest rank given, or None for the empty lineage."""
        return self.taxa[-1][0] if self.taxa else None

    @property
    def name(self) -> str | None:
        """The narrowest name given, or None for the empty lineage."""
        return self.taxa[-1][1] if self.taxa else None

    def truncate(self, rank: Rank) -> "Lineage":
        """Returns the lineage down to a rank and no further.

        >>> Lineage.from_names({"class": "Copepoda", "genus": "Calanus"}).truncate(Rank.FAMILY).name
        'Copepoda'
        """
        return Lineage(tuple((r, name) for r, name in self.taxa if not rank.is_above(r)))

    def is_within(self, wider: "Lineage") -> bool:
        """Returns whether every taxon of the wider lineage is in this one."""
        return set(wider.taxa) <= set(self.taxa)

    def gap(self) -> tuple[Rank, ...]:
        """Returns the Linnaean ranks that are missing above the narrowest rank given."""
        if self.rank is None:
            return ()
        above = [rank for rank in LINNAEAN_RANKS if rank.is_above(self.rank)]
        return tuple(rank for rank in above if rank not in self._by_rank)

    def text(self) -> str:
        """Returns the names in order, as BioCLIP's taxonomic text (Stevens et al. 2024) has them.

        The genus is not said twice: "... Corvidae Pica hudsonia".
        """
        words: list[str] = []
        for _, name in self.taxa:
            if words and name.startswith(words[-1] + " "):
                words[-1] = name
            else:
                words.append(name)
        return " ".join(words)


def common_ancestor(first: Lineage, second: Lineage) -> Lineage:
    """Returns the narrowest lineage that both share.

    Ranks that only one of the two gives are kept when a narrower rank proves them shared (both are in
    the same order, one of them says which class). Commutative and idempotent.

    >>> a = Lineage.from_names({"class": "Aves", "family": "Corvidae", "species": "Pica pica"})
    >>> b = Lineage.from_names({"class": "Aves", "family": "Corvidae", "species": "Pica hudsonia"})
    >>> common_ancestor(a, b).name
    'Corvidae'
    """
    shared: list[tuple[Rank, str]] = []
    pending: list[tuple[Rank, str]] = []
    ranks = sorted({rank for rank, _ in (*first, *second)}, key=lambda rank: rank.depth)
    for rank in ranks:
        here, there = first.name_at(rank), second.name_at(rank)
        if here is not None and there is not None:
            if here != there:
                break
            shared += [*pending, (rank, here)]
            pending = []
        else:
            pending.append((rank, here or there or ""))
    return Lineage(tuple(shared))


def common_ancestor_of(lineages: Iterable[Lineage]) -> Lineage:
    """Returns the common ancestor of many lineages, or the empty one for none."""
    result: Lineage | None = None
    for lineage in lineages:
        result = lineage if result is None else common_ancestor(result, lineage)
    return result or Lineage()


def _whole_taxa(lineages: Iterable[Lineage]) -> dict[Lineage, Lineage]:
    """Returns for each taxon (a lineage and all above it) the fullest lineage that is surely the same taxon.

    A source that leaves the phylum out means the same species: its lineage holds nothing that the fuller one
    lacks. Where two fuller ones contradict each other (homonyms), the taxon stays by itself.
    """
    namesakes: dict[tuple[Rank, str], set[Lineage]] = {}
    for lineage in set(lineages):
        for rank, name in lineage:
            namesakes.setdefault((rank, name), set()).add(lineage.truncate(rank))
    found: dict[Lineage, Lineage] = {}
    for group in namesakes.values():
        for taxon in group:
            fuller = [other for other in group if other != taxon and other.is_within(taxon)]
            fullest = [o for o in fuller if not any(o != m and m.is_within(o) for m in fuller)]
            found[taxon] = fullest[0] if len(fullest) == 1 else taxon
    return found


def completed(lineages: Sequence[Lineage]) -> list[Lineage]:
    """Returns the lineages with the ranks that other ones surely fill in, in order.

    One source gives the phylum, another leaves it out: the taxon is the same. Homonyms stay apart.

    >>> full = Lineage.from_names({"phylum": "Arthropoda", "class": "Copepoda"})
    >>> bare = Lineage.from_names({"class": "Copepoda", "order": "Calanoida"})
    >>> completed([full, bare])[1].text()
    'Arthropoda Copepoda Calanoida'
    """
    known = list(lineages)
    while (fuller := _completed_once(known)) != known:
        known = fuller
    return known


def _completed_once(lineages: Sequence[Lineage]) -> list[Lineage]:
    """What one lineage learns here may be what another one needs: see ``completed``."""
    whole = _whole_taxa(lineages)
    done: dict[Lineage, Lineage] = {}
    for lineage in lineages:
        if lineage in done:
            continue
        names = dict(lineage.taxa)
        for rank, _ in lineage:
            fuller = dict(whole[lineage.truncate(rank)].taxa)
            if all(names.get(at, name) == name for at, name in fuller.items()):
                names |= fuller
        done[lineage] = Lineage(tuple(sorted(names.items(), key=lambda pair: pair[0].depth)))
    return [done[lineage] for lineage in lineages]


def canonical_name(rank: Rank, written: str, *, genus: str | None = None) -> str:
    """Returns a name as the codes of nomenclature write it: "Animalia", "Calanus finmarchicus".

    A lower-case uninominal gets its capital; at species rank a bare epithet is joined to its genus.
    Names with capitals inside ("Astraptes SENNOV") are interim names and stay as they are.

    >>> canonical_name(Rank.SPECIES, "finmarchicus", genus="Calanus")
    'Calanus finmarchicus'
    """
    name = " ".join(written.split())
    if rank.depth < Rank.SPECIES.depth:
        return name[:1].upper() + name[1:]
    if genus and not name.lower().startswith(genus.lower() + " "):
        name = f"{genus} {name}"
    return name[:1].upper() + name[1:]
