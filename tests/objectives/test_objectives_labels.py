"""Cross-entropy of labels in a tree, against closed forms, slow sums over leaves and the laws it keeps."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.objectives.labels import agreeing_labels_loss, weighted_mean
from holotype.taxonomy.lineage import Lineage, Rank
from holotype.taxonomy.tree import build_tree

seeds = st.integers(0, 2**31)
# Labels: the family itself, its two genera's three species, and a species of another family.
LINEAGES = [
    Lineage.from_names({"class": "Copepoda", **names})
    for names in (
        {"family": "Calanidae"},
        {"family": "Calanidae", "genus": "Calanus", "species": "Calanus glacialis"},
        {"family": "Calanidae", "genus": "Calanus", "species": "Calanus hyperboreus"},
        {"family": "Calanidae", "genus": "Neocalanus", "species": "Neocalanus cristatus"},
        {"family": "Metridinidae", "genus": "Metridia", "species": "Metridia longa"},
    )
]
RANKS = (Rank.CLASS, Rank.FAMILY, Rank.GENUS, Rank.SPECIES)


def draw(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def agreeing(seed: int, rows: int, columns: int) -> Tensor:
    kind = torch.randint(0, 4, (rows, columns), generator=torch.Generator().manual_seed(seed))
    return (kind == 0) | functional.one_hot(torch.arange(rows) % columns, columns).bool()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_one_agreeing_label_is_cross_entropy(smoothing: float) -> None:
    logit_BL, label_B = draw(0, 9, 5), torch.arange(9) % 5
    agrees_BL = functional.one_hot(label_B, 5).bool()
    found = agreeing_labels_loss(logit_BL, agrees_BL, smoothing=smoothing)
    expected = functional.cross_entropy(logit_BL, label_B, label_smoothing=smoothing)
    assert float(found) == pytest.approx(float(expected), abs=1e-12)


def test_weights_are_those_of_a_weighted_cross_entropy() -> None:
    logit_BL, label_B, weight_L = draw(0, 9, 5), torch.arange(9) % 5, draw(1, 5).exp()
    agrees_BL = functional.one_hot(label_B, 5).bool()
    found = agreeing_labels_loss(logit_BL, agrees_BL, weight_B=weight_L[label_B])
    expected = functional.cross_entropy(logit_BL, label_B, weight=weight_L)
    assert float(found) == pytest.approx(float(expected), abs=1e-12)


def test_no_weight_at_all_is_no_loss() -> None:
    assert float(weighted_mean(torch.ones(3), torch.zeros(3))) == 0.0


def test_a_coarse_record_is_judged_by_the_sum_of_its_leaves() -> None:
    # Probabilities 0.1, 0.2, 0.3, 0.4; the record agrees with the first two: -log 0.3.
    logit_BL = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64).log()
    agrees_BL = torch.tensor([[True, True, False, False]])
    assert float(agreeing_labels_loss(logit_BL, agrees_BL)) == pytest.approx(-math.log(0.3))


def test_it_is_the_cross_entropy_of_the_nodes_of_a_tree() -> None:
    tree, logit_BL = build_tree(LINEAGES), draw(4, 5, 5)
    agrees_BL = torch.from_numpy(tree.leaf_mask_LL())  # record b has label b
    p_BN = tree.node_probability(functional.softmax(logit_BL, dim=1).numpy())
    own = [p_BN[record, tree.node_of_label_L[record]] for record in range(5)]
    expected = -np.log(own).mean()
    assert float(agreeing_labels_loss(logit_BL, agrees_BL)) == pytest.approx(expected, abs=1e-12)
    assert agrees_BL[0].tolist() == [True, True, True, True, False]


def test_a_record_that_agrees_with_all_teaches_nothing() -> None:
    logit_BL = draw(1, 3, 4).requires_grad_()
    loss = agreeing_labels_loss(logit_BL, torch.ones(3, 4, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss, logit_BL)
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-12)
    assert float(gradient.abs().max()) < 1e-12


def test_children_of_a_coarse_record_are_no_rivals() -> None:
    # The gradient within the agreeing labels only scales them together, as they share one target.
    logit_BL = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    agrees_BL = torch.tensor([[True, True, False, False]])
    (gradient,) = torch.autograd.grad(agreeing_labels_loss(logit_BL, agrees_BL), logit_BL)
    # softmax - posterior over the agreeing: 1/4 - 1/2 for them, 1/4 for the others.
    assert gradient.flatten().tolist() == pytest.approx([-0.25, -0.25, 0.25, 0.25])


@settings(deadline=None)
@given(seeds)
def test_labels_loss_follows_permutations(seed: int) -> None:
    logit_BL, agrees_BL = draw(seed, 6, 5), agreeing(seed, 6, 5)
    rows = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    columns = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    before = agreeing_labels_loss(logit_BL, agrees_BL, smoothing=0.2)
    after = agreeing_labels_loss(
        logit_BL[rows][:, columns], agrees_BL[rows][:, columns], smoothing=0.2
    )
    assert float(before) == pytest.approx(float(after), abs=1e-10)


def test_labels_gradients_are_right() -> None:
    agrees_BL = agreeing(5, 4, 6)

    def loss(logit_BL: Tensor) -> Tensor:
        return agreeing_labels_loss(logit_BL, agrees_BL, smoothing=0.1)

    assert torch.autograd.gradcheck(loss, (draw(2, 4, 6).requires_grad_(),))
