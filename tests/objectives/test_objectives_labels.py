"""Cross-entropy of labels in a tree, against closed forms, slow sums over leaves and the laws it keeps."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.objectives.labels import agreeing_labels_loss, rank_softmax_loss, weighted_mean
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


def nodes_by_rank() -> Tensor:
    tree = build_tree(LINEAGES)
    return torch.from_numpy(np.stack([tree.node_at_rank_L(rank) for rank in RANKS], axis=1))


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


def slow_ranks(logit_BL: Tensor, node_LR: Tensor, node_BR: Tensor, weights: list[float]) -> float:
    """Every record, every rank it is known to: the sum of its leaves."""
    losses = []
    for logit_L, node_R in zip(logit_BL, node_BR, strict=True):
        p_L = functional.softmax(logit_L, dim=0).tolist()
        terms = []
        for rank, weight in enumerate(weights):
            leaves = [
                p
                for p, node in zip(p_L, node_LR[:, rank], strict=True)
                if node >= 0 and node == node_R[rank]
            ]
            if leaves and weight:
                terms.append((weight, -math.log(sum(leaves))))
        if terms:
            losses.append(sum(w * loss for w, loss in terms) / sum(w for w, _ in terms))
    return sum(losses) / len(losses) if losses else 0.0


@settings(deadline=None)
@given(seeds, st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=4, max_size=4))
def test_ranks_loss_agrees_with_a_slow_loop(seed: int, weights: list[float]) -> None:
    node_LR = nodes_by_rank()
    label_B = torch.randint(0, 5, (7,), generator=torch.Generator().manual_seed(seed))
    logit_BL, node_BR = draw(seed, 7, 5), node_LR[label_B].clone()
    node_BR[0] = -1  # a record without a name
    node_BR[1, 3] = 99  # a species that no label has
    weight_R = torch.tensor(weights, dtype=torch.float64)
    found = rank_softmax_loss(logit_BL, node_LR, node_BR, weight_R=weight_R)
    assert float(found) == pytest.approx(slow_ranks(logit_BL, node_LR, node_BR, weights), abs=1e-10)


def test_ranks_loss_by_hand() -> None:
    # p: family only 0.1, glacialis 0.2, hyperboreus 0.3, cristatus 0.15, longa 0.25; the record is of
    # glacialis: class 1, family 0.75, genus 0.5, species 0.2.
    logit_BL = torch.tensor([[0.1, 0.2, 0.3, 0.15, 0.25]], dtype=torch.float64).log()
    node_LR = nodes_by_rank()
    weight_R = torch.tensor([1.0, 1.0, 2.0, 4.0], dtype=torch.float64)
    found = rank_softmax_loss(logit_BL, node_LR, node_LR[1:2], weight_R=weight_R)
    expected = -(math.log(1) + math.log(0.75) + 2 * math.log(0.5) + 4 * math.log(0.2)) / 8
    assert float(found) == pytest.approx(expected)


def test_the_narrowest_rank_alone_is_the_loss_of_agreeing_labels() -> None:
    node_LR, logit_BL = nodes_by_rank(), draw(3, 4, 5)
    species = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    found = rank_softmax_loss(logit_BL, node_LR, node_LR[1:], weight_R=species)
    assert float(found) == pytest.approx(
        float(functional.cross_entropy(logit_BL, torch.arange(1, 5)))
    )
    family = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    coarse = rank_softmax_loss(logit_BL[:1], node_LR, node_LR[:1], weight_R=family)
    agrees_BL = torch.from_numpy(build_tree(LINEAGES).leaf_mask_LL())[:1]
    assert float(coarse) == pytest.approx(float(agreeing_labels_loss(logit_BL[:1], agrees_BL)))


def test_ranks_gradients_are_right_and_stay_finite() -> None:
    node_LR = nodes_by_rank()
    node_BR, weight_R = node_LR.clone(), torch.tensor([1.0, 1, 1, 1], dtype=torch.float64)
    node_BR[2] = -1

    def loss(logit_BL: Tensor) -> Tensor:
        return rank_softmax_loss(logit_BL, node_LR, node_BR, weight_R=weight_R)

    assert torch.autograd.gradcheck(loss, (draw(2, 5, 5).requires_grad_(),))
    extreme_BL = (1e4 * draw(6, 5, 5)).float().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(extreme_BL), extreme_BL)
    assert torch.isfinite(gradient).all()
    assert float(gradient[2].abs().max()) == 0.0
