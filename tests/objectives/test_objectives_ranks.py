"""Weights of pairs by the narrowest rank that two records share."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from holotype.objectives.contrast import rank_weights

# Class, family, genus, species; -1 where it is not known.
GLACIALIS = (1, 10, 100, 1000)
HYPERBOREUS = (1, 10, 100, 1001)
CRISTATUS = (1, 10, 101, 1002)
NO_GENUS = (1, 10, -1, 1000)
CALANIDAE = (1, 10, -1, -1)
METRIDIA = (1, 11, 102, -1)
OSTRACOD = (2, 20, 200, 2000)
NAMELESS = (-1, -1, -1, -1)
WEIGHT_R = torch.tensor([0.0, 0.25, 0.5, 1.0])

paths = st.lists(
    st.tuples(*[st.integers(-1, 1)] * 4).map(
        # a taxon's number holds those above it, so that equal numbers are equal taxa
        lambda names: tuple(
            -1 if name < 0 else int("1" + "".join(str(max(n, 0)) for n in names[: r + 1]))
            for r, name in enumerate(names)
        )
    ),
    min_size=1,
    max_size=5,
)


def slow_weight(
    first: tuple[int, ...], second: tuple[int, ...], weights: list[float]
) -> float | None:
    """The weight of one pair, None where it is not known: every way in which gaps may be filled."""
    shared, known_to_differ = -1, False
    for rank, (one, other) in enumerate(zip(first, second, strict=True)):
        if -1 in (one, other):
            continue
        if one == other:
            shared = rank
        else:
            known_to_differ = True
    least = weights[shared] if shared >= 0 else 0.0
    if known_to_differ or shared == len(weights) - 1:
        return least
    possible = {least, *weights[shared + 1 :]}
    return least if len(possible) == 1 else None


def pair(
    first: tuple[int, ...], second: tuple[int, ...], weight_R: Tensor = WEIGHT_R
) -> float | None:
    weight_PQ, ignored_PQ = rank_weights(torch.tensor([first]), torch.tensor([second]), weight_R)
    if bool(ignored_PQ):
        assert float(weight_PQ) == 0.0
        return None
    return float(weight_PQ)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (GLACIALIS, GLACIALIS, 1.0),
        (GLACIALIS, HYPERBOREUS, 0.5),
        (GLACIALIS, CRISTATUS, 0.25),
        (GLACIALIS, METRIDIA, 0.0),  # of one class, and known to differ at family
        (GLACIALIS, OSTRACOD, 0.0),
        (GLACIALIS, NO_GENUS, 1.0),  # a gap in the middle settles nothing anew
        (HYPERBOREUS, NO_GENUS, 0.25),  # known to differ; the narrowest rank that both show
        (GLACIALIS, CALANIDAE, None),
        (CALANIDAE, CALANIDAE, None),
        (METRIDIA, CALANIDAE, 0.0),
        (OSTRACOD, CALANIDAE, 0.0),
        (GLACIALIS, NAMELESS, None),
        (NAMELESS, NAMELESS, None),
    ],
)
def test_pairs_by_hand(
    first: tuple[int, ...], second: tuple[int, ...], expected: float | None
) -> None:
    assert pair(first, second) == pair(second, first) == expected


def test_a_coarse_name_settles_what_its_rank_decides() -> None:
    family_counts = torch.tensor([0.0, 1.0, 1.0, 1.0])
    assert pair(GLACIALIS, CALANIDAE, family_counts) == 1.0
    assert pair(CALANIDAE, CALANIDAE, family_counts) == 1.0
    assert pair(NAMELESS, CALANIDAE, family_counts) is None
    assert pair(NAMELESS, CALANIDAE, torch.zeros(4)) == 0.0


@settings(deadline=None)
@given(paths, paths, st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4))
def test_all_pairs_agree_with_a_slow_loop(
    first: list[tuple[int, ...]], second: list[tuple[int, ...]], weights: list[float]
) -> None:
    weight_R = torch.tensor(weights)
    weight_PQ, ignored_PQ = rank_weights(torch.tensor(first), torch.tensor(second), weight_R)
    assert weight_PQ.shape == ignored_PQ.shape == (len(first), len(second))
    for p, one in enumerate(first):
        for q, other in enumerate(second):
            expected = slow_weight(one, other, weights)
            assert bool(ignored_PQ[p, q]) == (expected is None)
            assert float(weight_PQ[p, q]) == (expected or 0.0)
