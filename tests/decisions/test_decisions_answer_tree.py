"""The tree of answers: masses, the way down, and what is right of a record that is known well or badly."""

import numpy as np
import pytest
from small_tree import ANIMAL, CONCEPTS, NAMES, node, small_tree

from holotype.decisions.answer_tree import LEVELS, OPEN, RIGHT, WRONG
from holotype.models.labels import Target
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage


def test_the_mass_of_a_taxon_is_that_of_the_labels_in_it():
    tree = small_tree()
    mass_BN = tree.mass(np.asarray([[0.1, 0.4, 0.2, 0.2, 0.1]]))
    assert mass_BN[0, node(tree, "Calanus")] == pytest.approx(0.7)
    assert mass_BN[0, node(tree, "Calanidae")] == pytest.approx(0.9)
    assert mass_BN[0, node(tree, "Calanus", label=True)] == pytest.approx(0.1)


def test_the_way_down_takes_the_likeliest_child_not_the_likeliest_label():
    tree = small_tree()
    # detritus is the likeliest label, but the animals together are likelier
    path = tree.descend(tree.mass(np.asarray([[0.0, 0.3, 0.27, 0.05, 0.38]])))[0]
    assert [tree.name(n) for n in path if n >= 0] == [
        "Animalia", "Calanidae", "Calanus", "Calanus finmarchicus", "Calanus finmarchicus",
    ]  # fmt: skip
    assert path[LEVELS.index("order")] == -1


def test_a_label_that_is_no_taxon_is_a_way_of_one_step():
    tree = small_tree()
    path = tree.descend(tree.mass(np.asarray([[0.0, 0.1, 0.1, 0.1, 0.7]])))[0]
    assert [tree.name(n) for n in path if n >= 0] == ["detritus"]


@pytest.mark.parametrize(
    ("truth", "label", "answer", "is_label", "expected"),
    [
        ("Calanus glacialis", "Calanus glacialis", "Calanus", False, RIGHT),
        ("Calanus glacialis", "Calanus glacialis", "Calanus finmarchicus", False, WRONG),
        ("Calanus glacialis", "Calanus glacialis", "Neocalanus", False, WRONG),
        ("Calanus glacialis", "Calanus glacialis", "Calanus", True, RIGHT),
        ("Calanus", "Calanus", "Calanus finmarchicus", False, OPEN),
        ("Calanus", "Calanus", "Calanus finmarchicus", True, OPEN),
        ("Calanus", "Calanus", "Neocalanus cristatus", True, WRONG),
        ("detritus", "detritus", "Animalia", False, WRONG),
        ("detritus", "detritus", "detritus", True, RIGHT),
    ],
)
def test_what_is_right_of_a_known_record(truth, label, answer, is_label, expected):
    tree = small_tree()
    found = tree.truths([CONCEPTS[truth]], [label])[0]
    assert found[node(tree, answer, label=is_label)] == expected


def test_a_record_of_an_unseen_species_makes_its_genus_right_and_its_sisters_wrong():
    tree = small_tree()
    unseen = Concept(Lineage.from_names({"genus": "Calanus", "species": "Calanus hyperboreus"}))
    found = tree.truths([unseen], [None])[0]
    assert found[node(tree, "Calanus")] == RIGHT
    assert found[node(tree, "Calanidae")] == RIGHT, "completed from the labels' lineages"
    assert found[node(tree, "Calanus glacialis")] == WRONG
    assert found[node(tree, "Calanus glacialis", label=True)] == WRONG


def test_a_record_without_a_name_leaves_everything_open():
    assert (small_tree().truths([None], [None]) == OPEN).all()


def test_written_labels_of_one_taxon_are_rivals():
    family = Concept(Lineage.from_names(ANIMAL))
    tree = small_tree(Target.WRITTEN_LABEL)
    found = tree.truths([CONCEPTS["Calanus glacialis"], family], ["Calanus glacialis", "other"])
    assert found[0, node(tree, "Calanus", label=True)] == RIGHT, "a wider label is not wrong"
    assert found[1, node(tree, "Calanus", label=True)] == WRONG, "a narrower one was not chosen"
    assert NAMES[0] == "Calanus"
