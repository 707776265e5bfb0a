"""Which concepts are of one taxon: integers against lineages compared one by one."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.inputs.relations import concept_paths, is_within, same_taxon
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Lineage, Rank

RANKS = (Rank.DOMAIN, Rank.KINGDOM, Rank.CLASS, Rank.FAMILY, Rank.GENUS, Rank.SPECIES, Rank.FORM)


@st.composite
def concepts(draw: st.DrawFn) -> Concept:
    """A concept of a small world in which names and gaps often coincide."""
    qualifier = draw(st.sampled_from(["full_body", "egg"]))
    if draw(st.integers(0, 4)) == 0:
        group = draw(st.sampled_from(["bubble", "fibre"]))
        return Concept(Lineage(), qualifier, Kind.ARTEFACT, group)
    names = {rank: draw(st.sampled_from([None, "A", "B"])) for rank in RANKS}
    lineage = Lineage.from_names(names)
    return Concept(lineage, qualifier, group=None if lineage else "bubble")


def slowly_whole(taxon: Lineage, world: list[Lineage]) -> Lineage:
    """The one fullest lineage of the world that holds all of the taxon's names and ends as it does."""
    ends = [lineage.truncate(r) for lineage in world for r, _ in lineage]
    fuller = {o for o in ends if o.taxa[-1] == taxon.taxa[-1] and set(taxon.taxa) < set(o.taxa)}
    fullest = [o for o in fuller if not any(set(o.taxa) < set(m.taxa) for m in fuller)]
    return fullest[0] if len(fullest) == 1 else taxon


def slowly_completed(world: list[Concept]) -> list[Concept]:
    """The concepts with what other ones say about their taxa, again and again until nobody learns more."""
    while True:
        lineages = [concept.lineage for concept in world]
        after = []
        for concept in world:
            names = dict(concept.lineage.taxa)
            for rank, _ in concept.lineage:
                more = dict(slowly_whole(concept.lineage.truncate(rank), lineages).taxa)
                if not any(names.get(at, name) != name for at, name in more.items()):
                    names.update(more)
            after.append(replace(concept, lineage=Lineage.from_names(names)))
        if after == world:
            return world
        world = after


def slowly_within(inner: Concept, outer: Concept) -> bool:
    """Whether one completed concept is within another."""
    if not inner.lineage or not outer.lineage:
        return not inner.lineage and not outer.lineage and inner.group == outer.group
    assert outer.lineage.rank is not None
    return inner.lineage.truncate(outer.lineage.rank) == outer.lineage


def test_a_species_without_its_phylum_is_the_same_species() -> None:
    full = {"kingdom": "Animalia", "phylum": "Arthropoda", "species": "Calanus glacialis"}
    short = {"kingdom": "Animalia", "species": "Calanus glacialis"}
    world = [Concept(Lineage.from_names(names)) for names in (full, short)]
    surely, _ = same_taxon(concept_paths(world), np.arange(2), np.arange(2))
    assert surely.all()
    # a homonym under another phylum: the short one may be either, so it is neither
    other = Concept(Lineage.from_names({**full, "phylum": "Mollusca"}))
    surely, _ = same_taxon(concept_paths([*world, other]), np.arange(3), np.arange(3))
    assert surely.tolist() == np.eye(3, dtype=bool).tolist()


def slowly_species(concept: Concept) -> bool:
    rank = concept.lineage.rank
    return rank is not None and not rank.is_above(Rank.SPECIES)


@settings(deadline=None)
@given(st.lists(concepts(), min_size=1, max_size=12))
def test_is_within_agrees_with_lineages(world: list[Concept]) -> None:
    everyone = np.arange(len(world))
    found = is_within(concept_paths(world), everyone, everyone)
    whole = slowly_completed(world)
    assert found.tolist() == [[slowly_within(i, o) for o in whole] for i in whole]


@settings(deadline=None)
@given(st.lists(concepts(), min_size=1, max_size=12))
def test_same_taxon_agrees_with_lineages(world: list[Concept]) -> None:
    everyone = np.arange(len(world))
    surely, maybe = same_taxon(concept_paths(world), everyone, everyone)
    whole = slowly_completed(world)
    for p, first in enumerate(whole):
        for q, second in enumerate(whole):
            one_taxon = slowly_within(first, second) and slowly_within(second, first)
            compatible = slowly_within(first, second) or slowly_within(second, first)
            assert surely[p, q] == (one_taxon and slowly_species(first))
            assert maybe[p, q] == (compatible and not surely[p, q])


@given(st.lists(concepts(), min_size=2, max_size=10), st.integers(0, 2**31))
def test_relations_follow_a_permutation(world: list[Concept], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(world))
    everyone = np.arange(len(world))
    before = same_taxon(concept_paths(world), everyone, everyone)
    after = same_taxon(concept_paths([world[i] for i in order]), everyone, everyone)
    for one, other in zip(before, after, strict=True):
        assert one[np.ix_(order, order)].tolist() == other.tolist()


def test_six_concepts_by_hand() -> None:
    names = {"kingdom": "Animalia", "family": "Calanidae"}
    family = Concept(Lineage.from_names(names))
    genus = Concept(Lineage.from_names({**names, "genus": "Calanus"}))
    species = Concept(
        Lineage.from_names({**names, "genus": "Calanus", "species": "Calanus glacialis"})
    )
    egg = Concept(species.lineage, "egg")
    plant = Concept(Lineage.from_names({"kingdom": "Plantae", "family": "Calanidae"}))
    bubble = Concept(Lineage(), kind=Kind.ARTEFACT, group="bubble")
    paths = concept_paths([family, genus, species, egg, plant, bubble])
    everyone = np.arange(6)
    # Rows: inner; columns: outer.
    expected = [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0, 0],  # a qualifier plays no part
        [0, 0, 0, 0, 1, 0],  # one name under another kingdom is another taxon
        [0, 0, 0, 0, 0, 1],
    ]
    assert is_within(paths, everyone, everyone).astype(int).tolist() == expected
    surely, maybe = same_taxon(paths, everyone, everyone)
    assert np.argwhere(surely).tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    assert maybe[0].tolist() == [True, True, True, True, False, False]
    assert maybe[5].tolist() == [False] * 5 + [True]  # two bubbles are no two of one species
    assert paths.depth_C.tolist() == [
        Rank.FAMILY.depth, Rank.GENUS.depth, Rank.SPECIES.depth, Rank.SPECIES.depth,
        Rank.FAMILY.depth, 0,
    ]  # fmt: skip


def test_rows_and_columns_may_be_different_records() -> None:
    wide = Concept(Lineage.from_names({"class": "Copepoda"}))
    narrow = Concept(Lineage.from_names({"class": "Copepoda", "order": "Calanoida"}))
    paths = concept_paths([wide, narrow])
    found = is_within(paths, np.asarray([1, 1, 0]), np.asarray([0]))
    assert found.shape == (3, 1)
    assert found[:, 0].tolist() == [True, True, True]
    assert is_within(paths, np.asarray([0]), np.asarray([1])).tolist() == [[False]]
