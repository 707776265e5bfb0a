"""The tree of names is a tree, real where it can be and plainly interim where not."""

import itertools
import re

import pytest

from holotype.simulate import RANKS, SimulationSettings, TaxonTree, build_tree
from holotype.simulate.tree import check_lineages, read_taxa

ROW = (
    "Animalia",
    "Arthropoda",
    "Copepoda",
    "Calanoida",
    "Calanidae",
    "Calanus",
    "Calanus simillimus",
)


def test_table_counts() -> None:
    rows = read_taxa()
    assert [len({row[column] for row in rows}) for column in range(7)] == [
        3,
        15,
        21,
        31,
        50,
        73,
        191,
    ]
    assert len(rows) == 191


def test_table_species_are_binomials_of_their_genus() -> None:
    for row in read_taxa():
        assert re.fullmatch(re.escape(row[5]) + r" [a-z]+", row[6]), row


def test_default_tree_has_unique_species_and_single_parents(default_tree: TaxonTree) -> None:
    names = [species.name for species in default_tree.species]
    assert len(names) == 215 == len(set(names))
    for parent, child in itertools.pairwise(RANKS):
        links = {(s.true_names()[parent], s.true_names()[child]) for s in default_tree.species}
        assert len(links) == len(default_tree.taxa(child))


def test_invented_species_have_interim_names(default_tree: TaxonTree) -> None:
    interim = [species for species in default_tree.species if species.is_interim]
    assert len(interim) == 215 - 191
    for species in interim:
        assert re.fullmatch(r"[A-Z][a-z-]+ sp\. H\d{4}", species.name)


def test_unnamed_species_are_the_interim_ones_first(default_tree: TaxonTree) -> None:
    unnamed = [species for species in default_tree.species if species.label_rank != "species"]
    assert len(unnamed) == round(0.12 * 215)
    assert sum(species.is_interim for species in unnamed) == 24
    assert {species.label_rank for species in unnamed} == {"family", "order"}
    for species in unnamed:
        assert list(species.label_names()) == list(RANKS[: RANKS.index(species.label_rank) + 1])


def test_small_tree_is_broad() -> None:
    tree = build_tree(SimulationSettings(num_species=50))
    assert len(tree.species) == 50
    assert len(tree.taxa("class")) >= 18
    assert not any(species.is_interim for species in tree.species)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW, "row 2: species 'Calanus simillimus' repeats"),
        ((*ROW[:4], "Metridinidae", "Calanus", "Calanus x"), "row 2: genus 'Calanus' is in 'Calan"),
        ((*ROW[:5], ""), "row 2: found 6 cells"),
    ],
)
def test_rows_that_are_no_tree_are_named(row: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_lineages([ROW, row])
