"""Contrast with the captions of all taxa, against slow loops, hand-made numbers and the laws it keeps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.errors import TaxonomyError
from holotype.objectives.taxa import taxon_loss

seeds = st.integers(0, 2**31)
SCALE = torch.tensor(5.0, dtype=torch.float64)
RANK_T = torch.tensor([0, 0, 1, 1, 1, 2, 2, 2, 2])
# The path of every taxon, of two classes, three families, four species.
PATHS = torch.tensor(
    [[0, -1, -1], [1, -1, -1], [0, 2, -1], [0, 3, -1], [1, 4, -1],
     [0, 2, 5], [0, 2, 6], [0, 3, 7], [1, 4, 8]]
)  # fmt: skip


def draw(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def unit(seed: int, *shape: int) -> Tensor:
    return functional.normalize(draw(seed, *shape), dim=1)


def records(seed: int, count: int) -> Tensor:
    """Records of random taxa; the first has no name, and some have a gap in theirs."""
    generator = torch.Generator().manual_seed(seed)
    taxon_BR = PATHS[torch.randint(0, len(PATHS), (count,), generator=generator)].clone()
    taxon_BR[torch.rand(count, generator=generator) < 0.3, 1] = -1
    taxon_BR[0] = -1
    return taxon_BR


def slow_taxa(z_BD: Tensor, z_TD: Tensor, taxon_BR: Tensor, weights: list[float]) -> float:
    losses = []
    for z_D, taxon_R in zip(z_BD, taxon_BR.tolist(), strict=True):
        terms = []
        for rank, own in enumerate(taxon_R):
            if own >= 0 and weights[rank]:
                rivals = [t for t in range(len(z_TD)) if RANK_T[t] == rank]
                logits = {t: float(SCALE) * float(z_D @ z_TD[t]) for t in rivals}
                total = math.log(sum(math.exp(logit) for logit in logits.values()))
                terms.append((weights[rank], total - logits[own]))
        if terms:
            losses.append(sum(w * loss for w, loss in terms) / sum(w for w, _ in terms))
    return sum(losses) / len(losses) if losses else 0.0


@settings(deadline=None, max_examples=60)
@given(
    seeds,
    st.integers(1, 6),
    st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=3, max_size=3),
)
def test_it_agrees_with_a_slow_loop(seed: int, count: int, weights: list[float]) -> None:
    z_BD, z_TD, taxon_BR = unit(seed, count, 4), unit(seed + 1, 9, 4), records(seed, count)
    found = taxon_loss(
        z_BD, z_TD, taxon_BR, RANK_T, scale=SCALE, weight_R=torch.tensor(weights).double()
    )
    assert float(found) == pytest.approx(slow_taxa(z_BD, z_TD, taxon_BR, weights), abs=1e-10)


def test_by_hand() -> None:
    # Two classes on opposite sides and two species at right angles; the record points at class 0 and
    # species 2. At scale log 2: class 2 / (2 + 1/2) = 0.8, species 2 / (2 + 1) = 2/3.
    z_TD = torch.tensor([[1.0, 0], [-1, 0], [1, 0], [0, 1]], dtype=torch.float64)
    found = taxon_loss(
        torch.tensor([[1.0, 0]], dtype=torch.float64),
        z_TD,
        torch.tensor([[0, 2]]),
        torch.tensor([0, 0, 1, 1]),
        scale=torch.tensor(2.0, dtype=torch.float64).log(),
        weight_R=torch.tensor([1.0, 3.0]).double(),
    )
    assert float(found) == pytest.approx(-(math.log(0.8) + 3 * math.log(2 / 3)) / 4)


def test_at_one_rank_it_is_a_classifier_whose_weights_are_captions() -> None:
    z_BD, z_TD = unit(0, 8, 4), unit(1, 9, 4)
    label_B = torch.arange(8) % 4
    found = taxon_loss(
        z_BD, z_TD, PATHS[5 + label_B], RANK_T,
        scale=SCALE, weight_R=torch.tensor([0.0, 0.0, 1.0]).double(),
    )  # fmt: skip
    expected = functional.cross_entropy(SCALE * z_BD @ z_TD[5:].T, label_B)
    assert float(found) == pytest.approx(float(expected), abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_neither_the_order_of_records_nor_of_taxa_matters(seed: int) -> None:
    z_BD, z_TD, taxon_BR = unit(seed, 6, 4), unit(seed + 1, 9, 4), records(seed, 6)
    weight_R = torch.tensor([1.0, 2.0, 3.0]).double()
    before = taxon_loss(z_BD, z_TD, taxon_BR, RANK_T, scale=SCALE, weight_R=weight_R)
    rows = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    order_T = torch.randperm(9, generator=torch.Generator().manual_seed(seed))
    place_T = torch.argsort(order_T)  # where each taxon has gone
    moved_BR = torch.where(taxon_BR >= 0, place_T[taxon_BR.clamp(min=0)], -1)[rows]
    after = taxon_loss(
        z_BD[rows], z_TD[order_T], moved_BR, RANK_T[order_T], scale=SCALE, weight_R=weight_R
    )
    assert float(after) == pytest.approx(float(before), abs=1e-10)


def test_the_batch_plays_no_part() -> None:
    z_BD, z_TD, taxon_BR = unit(0, 6, 4), unit(1, 9, 4), PATHS[3:9]
    weight_R = torch.ones(3).double()
    whole = taxon_loss(z_BD, z_TD, taxon_BR, RANK_T, scale=SCALE, weight_R=weight_R)
    each = [
        taxon_loss(
            z_BD[b : b + 1], z_TD, taxon_BR[b : b + 1], RANK_T, scale=SCALE, weight_R=weight_R
        )
        for b in range(6)
    ]
    assert float(torch.stack(each).mean()) == pytest.approx(float(whole), abs=1e-12)


def test_a_coarse_record_says_nothing_of_narrower_ranks() -> None:
    z_BD, z_TD = unit(0, 2, 4), unit(1, 9, 4).requires_grad_()
    taxon_BR = torch.stack([PATHS[2], torch.full((3,), -1)])  # known to family, and not at all
    loss = taxon_loss(
        z_BD.requires_grad_(), z_TD, taxon_BR, RANK_T, scale=SCALE, weight_R=torch.ones(3).double()
    )
    to_records, to_taxa = torch.autograd.grad(loss, (z_BD, z_TD))
    assert float(to_taxa[5:].abs().max()) == 0.0
    assert float(to_taxa[:5].abs().sum(dim=1).min()) > 0.0
    assert float(to_records[1].abs().max()) == 0.0


def test_no_name_at_all_is_no_loss() -> None:
    nameless = torch.full((2, 3), -1)
    loss = taxon_loss(
        unit(0, 2, 4).requires_grad_(), unit(1, 9, 4), nameless, RANK_T,
        scale=SCALE, weight_R=torch.ones(3).double(),
    )  # fmt: skip
    assert float(loss) == 0.0


def test_gradients_are_right_and_stay_finite() -> None:
    taxon_BR, weight_R = records(3, 5), torch.tensor([1.0, 1.0, 2.0]).double()

    def loss(z_BD: Tensor, z_TD: Tensor, scale: Tensor) -> Tensor:
        return taxon_loss(z_BD, z_TD, taxon_BR, RANK_T, scale=scale, weight_R=weight_R)

    leaves = (unit(0, 5, 3), unit(1, 9, 3), torch.tensor(3.0).double())
    assert torch.autograd.gradcheck(loss, tuple(leaf.requires_grad_() for leaf in leaves))
    extreme = loss(leaves[0], leaves[1], torch.tensor(1e6).double())
    for gradient in torch.autograd.grad(extreme, leaves[:2]):
        assert torch.isfinite(gradient).all()


def test_a_taxon_of_another_rank_is_refused() -> None:
    with pytest.raises(TaxonomyError, match="another rank"):
        taxon_loss(
            unit(0, 1, 4), unit(1, 9, 4), torch.tensor([[2, 0, 5]]), RANK_T,
            scale=SCALE, weight_R=torch.ones(3).double(),
        )  # fmt: skip
