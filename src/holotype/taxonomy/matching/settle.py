"""Hits of a label -> one taxon, or the candidates among which a person has to choose.

A homonym is decided by what is known around it: the source's lineage, the kingdoms that the source can
hold, the other words of the label. What is left open stays open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holotype.taxonomy.backbone.store import Backbone, Taxon
from holotype.taxonomy.lineage import Lineage, Rank, common_ancestor_of
from holotype.taxonomy.matching.hit import Hit
from holotype.taxonomy.matching.outcome import How, Query
from holotype.taxonomy.matching.vocabulary import canonical_kingdom
from holotype.taxonomy.names import name_key

WIDEST_COMMON = Rank.CLASS
"""Several names in one label stand for their common ancestor down from this rank."""

_COMPARED = (Rank.KINGDOM, Rank.PHYLUM, Rank.CLASS, Rank.ORDER, Rank.FAMILY, Rank.GENUS)


@dataclass(frozen=True)
class Verdict:
    """What the hits come to: a taxon, or several candidates and why.

    Attributes:
        taxon: the one, or None where a person has to choose.
        hit: the hit that it comes from; None for a common ancestor.
        candidates: all that it might be.
        reason: in words.
        how: how it was found.
        is_homonym: whether the candidates are all that one word may stand for.
    """

    taxon: Taxon | None
    hit: Hit | None
    candidates: tuple[Taxon, ...]
    reason: str
    how: How | None = None
    is_homonym: bool = False


def same_line(first: Taxon, second: Taxon) -> bool:
    """Returns whether one of two taxa is the other or lies above it."""
    return is_above(first, second) or is_above(second, first)


def is_above(wider: Taxon, narrower: Taxon) -> bool:
    """Returns whether a taxon is another one or lies above it."""
    if wider.row == narrower.row:
        return True
    if wider.rank is None or narrower.rank is None or not wider.rank.is_above(narrower.rank):
        return False
    return narrower.lineage.name_at(wider.rank) == wider.name and not _contradict(
        wider.lineage, narrower.lineage
    )


def _contradict(first: Lineage, second: Lineage) -> bool:
    """Returns whether two lineages name different kingdoms or phyla."""
    for rank in (Rank.KINGDOM, Rank.PHYLUM):
        here, there = first.name_at(rank), second.name_at(rank)
        if here and there and canonical_kingdom(here) != canonical_kingdom(there):
            return True
    return False


def agrees(taxon: Taxon, given: Lineage) -> bool:
    """Returns whether a taxon can be of a lineage that a source gives.

    One shared name at phylum or below outweighs a kingdom in another wording; what differs below it is told
    by ``contradiction`` and makes the answer one to check.
    """
    shared = differing = 0
    for rank in _COMPARED:
        here, there = taxon.lineage.name_at(rank), given.name_at(rank)
        if here and there:
            same = canonical_kingdom(here) == canonical_kingdom(there)
            shared, differing = shared + same, differing + (not same)
            if same and rank is not Rank.KINGDOM:
                return True
    return differing == 0


def contradiction(taxon: Taxon, given: Lineage, *, but: frozenset[Rank] = frozenset()) -> str:
    """Returns the widest rank at which a taxon and a source's lineage differ, in words; "" for none.

    Kingdoms are left out, as their wordings differ most. A rank in ``but`` is not looked at.
    """
    for rank in _COMPARED[1:]:
        here, there = taxon.lineage.name_at(rank), given.name_at(rank)
        if here and there and rank not in but and name_key(here) != name_key(there):
            return f"{rank.value} {here} in the backbone, {there} in the source"
    return ""


def in_kingdoms(taxon: Taxon, kingdoms: frozenset[str]) -> bool:
    """Returns whether a taxon is of one of the kingdoms; a taxon without one may be of any."""
    kingdom = taxon.lineage.name_at(Rank.KINGDOM)
    if not kingdoms or kingdom is None:
        return True
    return canonical_kingdom(kingdom) in {canonical_kingdom(name) for name in kingdoms}


def under_context(hit: Hit, query: Query) -> Hit:
    """Returns the hit with only the candidates that the query's context allows; none may be left."""
    kept = [
        t for t in hit.candidates if in_kingdoms(t, query.kingdoms) and agrees(t, query.lineage)
    ]
    if query.rank is not None and any(t.rank is query.rank for t in kept):
        kept = [t for t in kept if t.rank is query.rank]
    whole = [t for t in kept if not contradiction(t, query.lineage)]
    return replace(hit, candidates=tuple(_without_namesakes_below(whole or kept)))


def _without_namesakes_below(taxa: Sequence[Taxon]) -> list[Taxon]:
    """A name and its namesake inside itself (a subgenus of its genus) are one for a label: the wider."""
    return [
        taxon
        for taxon in taxa
        if not any(
            o.row != taxon.row and is_above(o, taxon) and name_key(o.name) == name_key(taxon.name)
            for o in taxa
        )
    ]


def narrowed(hits: Sequence[Hit], beside: Sequence[Hit] = ()) -> list[Hit]:
    """Returns hits whose homonyms the other hits decide: only candidates on one line with those stay."""
    found = list(hits)
    for place in range(len(found)):
        hit = found[place]
        others = [o for i, o in enumerate(found) if i != place] + list(beside)
        for other in others:
            if len(hit.candidates) < 2:
                break
            kept = [t for t in hit.candidates if any(same_line(t, o) for o in other.candidates)]
            hit = replace(hit, candidates=tuple(kept)) if kept else hit
        found[place] = hit
    return found


def settle(hits: Sequence[Hit], beside: Sequence[Hit], backbone: Backbone) -> Verdict:
    """Returns what the hits of one segment come to.

    Args:
        hits: at least one, each with at least one candidate.
        beside: hits of the wider segments ("part<Crustacea"): they decide homonyms, they do not answer.
        backbone: for the common ancestor of several names.
    """
    hits = narrowed(hits, beside)
    open_hits = [hit for hit in hits if len(hit.candidates) > 1]
    if open_hits:
        taxa = open_hits[0].candidates
        listed = "; ".join(taxon.label for taxon in taxa[:4])
        reason = f"'{open_hits[0].written}' may be {listed}"
        return Verdict(None, open_hits[0], taxa, reason, is_homonym=True)
    hits = _without_genera_of_binomials(hits)
    sure = [hit for hit in hits if hit.how not in (How.FUZZY, How.DERIVED)]
    names = [hit for hit in sure if hit.how is not How.WORD]
    for chosen in (hits, sure, names):
        deepest = _deepest(chosen)
        if deepest is not None:
            return _checked(deepest, beside)
    return _common(sure or hits, backbone)


def _without_genera_of_binomials(hits: Sequence[Hit]) -> list[Hit]:
    """A genus said again beside its species ("Neoceratium furca_Neoceratium") says nothing more."""
    genera = {hit.written.split(" ")[0].lower() for hit in hits if " " in hit.written}
    return [hit for hit in hits if hit.written.lower() not in genera] or list(hits)


def _deepest(hits: Sequence[Hit]) -> Hit | None:
    """Returns the hit whose taxon lies under all others, or None where they are not on one line."""
    for hit in hits:
        if all(is_above(other.candidates[0], hit.candidates[0]) for other in hits):
            return hit
    return None


def _checked(hit: Hit, beside: Sequence[Hit]) -> Verdict:
    taxon = hit.candidates[0]
    for other in beside:
        if other.candidates and all(
            _contradict(taxon.lineage, wider.lineage) for wider in other.candidates
        ):
            taxa = (taxon, *other.candidates)
            return Verdict(
                None,
                hit,
                taxa,
                f"'{hit.written}' is {taxon.label}, but it stands under '{other.written}'",
            )
    if hit.doubt:
        return Verdict(None, hit, hit.candidates, hit.doubt)
    return Verdict(taxon, hit, hit.candidates, "", hit.how)


def _common(hits: Sequence[Hit], backbone: Backbone) -> Verdict:
    """Several names that are not on one line: their common ancestor, where it is narrow enough."""
    taxa = tuple(hit.candidates[0] for hit in hits)
    names = ", ".join(hit.written for hit in hits)
    shared = common_ancestor_of([taxon.lineage for taxon in taxa])
    taxon = _taxon_of(shared, taxa[0], backbone)
    if taxon is None or taxon.rank is None or taxon.rank.is_above(WIDEST_COMMON):
        return Verdict(None, None, taxa, f"several names that share no class: {names}")
    return Verdict(
        taxon,
        None,
        taxa,
        f"several names, {names}: the narrowest taxon above all of them",
        How.COMMON,
    )


def _taxon_of(lineage: Lineage, below: Taxon, backbone: Backbone) -> Taxon | None:
    """Returns the taxon at the end of a lineage, climbing from one below it, else by name."""
    if not lineage:
        return None
    at = below.row
    for _ in range(200):
        taxon = backbone.taxon(at)
        if (taxon.rank, taxon.name) == (lineage.rank, lineage.name):
            return taxon
        at = int(backbone.parent_row[at])
        if at < 0:
            break
    for row in backbone.rows_of(name_key(str(lineage.name))):
        found = backbone.accepted_taxon(row)
        if (
            found is not None
            and found.rank is lineage.rank
            and not _contradict(found.lineage, lineage)
        ):
            return found
    return None
