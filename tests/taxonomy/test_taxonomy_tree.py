"""The tree above a list of labels: against a slow loop, and a tree drawn by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank, completed
from holotype.taxonomy.tree import build_tree, linnaean_columns


def lineage(**names):
    return Lineage.from_names({rank.removesuffix("_"): name for rank, name in names.items()})


# Labels:  0 Calanidae   1 Calanus   2 Oithona (its family not given)   3 no taxon   4 Calanus again
LABELS = (
    lineage(order="Calanoida", family="Calanidae"),
    lineage(order="Calanoida", family="Calanidae", genus="Calanus"),
    lineage(order="Cyclopoida", genus="Oithona"),
    Lineage(),
    lineage(order="Calanoida", family="Calanidae", genus="Calanus"),
)
# Nodes:  0 Calanoida  1 Calanidae  2 Calanus  3 Cyclopoida  4 Oithona


def test_tree_drawn_by_hand():
    tree = build_tree(LABELS)
    assert [node.name for node in tree.nodes] == [
        "Calanoida", "Calanidae", "Calanus", "Cyclopoida", "Oithona",
    ]  # fmt: skip
    assert tree.parent_N.tolist() == [-1, 0, 1, -1, 3]
    assert tree.node_of_label_L.tolist() == [1, 2, 4, -1, 2]
    assert tree.nodes_at(Rank.ORDER).tolist() == [0, 3]
    assert tree.nodes_at(Rank.SPECIES).tolist() == []
    assert tree.node_at_rank_L(Rank.ORDER).tolist() == [0, 0, 3, -1, 0]
    assert tree.node_at_rank_L(Rank.FAMILY).tolist() == [1, 1, -1, -1, 1]
    assert tree.node_at_rank_L(Rank.GENUS).tolist() == [-1, 2, 4, -1, 2]


def test_node_probability_by_hand():
    probability = np.array([[0.1, 0.2, 0.3, 0.25, 0.15]], np.float32)
    # Calanoida and Calanidae: labels 0, 1, 4; Calanus: 1, 4; Cyclopoida and Oithona: 2
    expected = [[0.45, 0.45, 0.35, 0.3, 0.3]]
    np.testing.assert_allclose(
        build_tree(LABELS).node_probability(probability), expected, rtol=1e-6
    )


def test_leaf_mask_by_hand():
    mask = build_tree(LABELS).leaf_mask_LL().astype(int).tolist()
    assert mask == [
        [1, 1, 0, 0, 1],  # known to family: agrees with every label below it
        [0, 1, 0, 0, 1],  # Calanus does not agree with "some Calanidae"
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],  # no taxon: itself alone
        [0, 1, 0, 0, 1],
    ]


def test_a_homonym_is_two_nodes():
    tree = build_tree(
        [
            lineage(kingdom="Animalia", phylum="Ctenophora"),
            lineage(kingdom="Chromista", genus="Ctenophora"),
        ]
    )
    assert len(tree.nodes) == 4
    assert tree.parent_N.tolist() == [-1, 0, -1, 2]


def test_a_rank_left_out_makes_no_second_node():
    full = lineage(kingdom="Animalia", phylum="Arthropoda", class_="Copepoda")
    bare = lineage(class_="Copepoda", order="Calanoida")
    tree = build_tree([bare, full])
    assert sorted(node.name for node in tree.nodes) == [
        "Animalia", "Arthropoda", "Calanoida", "Copepoda",
    ]  # fmt: skip
    assert tree.leaf_mask_LL().astype(int).tolist() == [[1, 0], [1, 1]]


def test_no_labels_and_labels_without_taxa():
    tree = build_tree([])
    assert tree.node_probability(np.zeros((2, 0))).shape == (2, 0)
    tree = build_tree([Lineage(), Lineage()])
    assert tree.leaf_mask_LL().tolist() == [[True, False], [False, True]]
    assert tree.node_probability(np.ones((3, 2))).shape == (3, 0)


@st.composite
def labels(draw):
    """Lineages cut from a small complete tree, some with a rank taken out."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        path = draw(st.lists(st.sampled_from("ab"), min_size=0, max_size=4))
        names = {rank: "".join(path[: i + 1]) for i, rank in enumerate(LINNAEAN_RANKS[: len(path)])}
        dropped = draw(st.none() | st.sampled_from(LINNAEAN_RANKS[:3]))
        found.append(Lineage.from_names({r: n for r, n in names.items() if r is not dropped}))
    return found


@given(labels(), st.integers(0, 2**32 - 1))
def test_against_the_slow_loop(lineages, seed):
    tree = build_tree(lineages)
    probability = np.random.default_rng(seed).dirichlet(np.ones(len(lineages)), size=3)
    slow = np.zeros((3, len(tree.nodes)))
    whole = completed(lineages)
    ends = {found.truncate(rank) for found in whole for rank, _ in found}
    assert len(tree.nodes) == len(ends)
    assert set(tree.nodes) == ends
    for n, node in enumerate(tree.nodes):
        for label, found in enumerate(whole):
            if found.taxa[: len(node.taxa)] == node.taxa:
                slow[:, n] += probability[:, label]
    found = tree.node_probability(probability)
    np.testing.assert_allclose(found, slow, atol=1e-12)
    assert (found <= 1 + 1e-12).all()
    for node, parent in enumerate(tree.parent_N.tolist()):
        assert parent < node
        if parent >= 0:
            assert (found[:, parent] >= found[:, node] - 1e-12).all()
            assert tree.nodes[node].taxa[:-1] == tree.nodes[parent].taxa


@given(labels(), st.randoms())
def test_the_order_of_labels_does_not_matter(lineages, rng):
    order = list(range(len(lineages)))
    rng.shuffle(order)
    mask = build_tree(lineages).leaf_mask_LL()
    shuffled = build_tree([lineages[i] for i in order]).leaf_mask_LL()
    assert (shuffled == mask[np.ix_(order, order)]).all()


def test_linnaean_columns_are_null_where_nothing_is_known():
    columns = linnaean_columns(lineage(order="Calanoida", subfamily="X", genus="Calanus"))
    assert list(columns) == [rank.value for rank in LINNAEAN_RANKS]
    assert {name for name, value in columns.items() if value is not None} == {"order", "genus"}


@pytest.mark.parametrize("rank", list(LINNAEAN_RANKS))
def test_nodes_at_a_rank_sum_to_no_more_than_the_row(rank):
    tree = build_tree(LABELS)
    probability = np.full((1, 5), 0.2)
    nodes = tree.nodes_at(rank)
    under = [label for label in LABELS if label.name_at(rank)]
    total = tree.node_probability(probability)[:, nodes].sum()
    assert total == pytest.approx(0.2 * len(under))
