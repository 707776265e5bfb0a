"""Shares from scores: worked by hand, against slow oracles, and by the laws that they keep."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from holotype.counting.quantifiers import (
    adjusted_count,
    chosen_strength,
    classify_and_count,
    em_prior_shift,
    mean_features,
    on_simplex,
    probabilistic_adjusted_count,
    shifted,
    simplex_least_squares,
    votes,
)

PLACES = np.asarray([[0.0, 0.0], [1.6, 0.0], [0.0, 1.6]])


def posteriors(label_N, prior_L, rng):
    """Exact posteriors of points about three places."""
    x_ND = PLACES[label_N] + rng.normal(size=(len(label_N), 2))
    density = np.exp(-((x_ND[:, None] - PLACES) ** 2).sum(axis=2) / 2) * prior_L
    return density / density.sum(axis=1, keepdims=True)


def test_adjusted_count_by_hand():
    # 80 % of A and 10 % of B are called A; 45 % of the sample are called A: 0.8 a + 0.1 (1 - a) = 0.45.
    rate = np.asarray([[0.8, 0.1], [0.2, 0.9]])
    np.testing.assert_allclose(
        simplex_least_squares(rate, np.asarray([0.45, 0.55])), [0.5, 0.5], atol=1e-6
    )
    # Fewer A than the false ones alone would make: none, not a number below 0.
    np.testing.assert_allclose(
        simplex_least_squares(rate, np.asarray([0.02, 0.98])), [0, 1], atol=1e-9
    )


def test_rates_are_drawn_to_the_mean_by_half_a_record():
    held_out = votes(np.asarray([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.3, 0.7, 0], [0.6, 0.4, 0]]))
    rate = mean_features(held_out, np.asarray([0, 0, 1, 1]), num_labels=3)
    # Votes: A A B A. Of label A (2 records): (2 + 0.5 * 3/4) / 2.5; label C has none: the mean of all.
    np.testing.assert_allclose(rate[0], [(2 + 0.375) / 2.5, (1 + 0.375) / 2.5, 0.75])
    np.testing.assert_allclose(rate.sum(axis=0), 1)


def test_least_squares_on_the_simplex_agrees_with_a_grid():
    rng = np.random.default_rng(0)
    steps = np.linspace(0, 1, 101)
    grid = np.asarray([(a, b, 1 - a - b) for a, b in itertools.product(steps, steps) if a + b <= 1])
    for _ in range(10):
        rate, seen = rng.dirichlet(np.ones(4), 3).T, rng.dirichlet(np.ones(4))
        found = simplex_least_squares(rate, seen)
        loss = np.square(grid @ rate.T - seen).sum(axis=1)
        assert np.square(rate @ found - seen).sum() <= loss.min() + 1e-9
        assert np.abs(found - grid[loss.argmin()]).max() < 0.05


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_nearest_point_of_the_simplex(point):
    found = on_simplex(np.asarray(point))
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    # No corner lies on the further side: (point - found) . (corner - found) <= 0 for all of them.
    away = np.asarray(point) - found
    assert (away - away @ found <= 1e-9).all()


def test_em_finds_the_most_likely_shares():
    rng = np.random.default_rng(1)
    prior = np.asarray([0.6, 0.3, 0.1])
    scores = posteriors(rng.choice(3, 400, p=[0.1, 0.2, 0.7]), prior, rng)
    found = em_prior_shift(scores, prior, most_steps=5000, tolerance=1e-12)

    def loss(logit):
        share = np.exp(logit) / np.exp(logit).sum()
        return -np.log((scores / prior) @ share).sum()

    slow = np.exp(minimize(loss, np.zeros(3), method="BFGS").x)
    np.testing.assert_allclose(found, slow / slow.sum(), atol=1e-4)
    # At the most likely shares the mean of the shifted probabilities is the shares themselves.
    np.testing.assert_allclose(shifted(scores, prior, found).mean(axis=0), found, atol=1e-6)


@pytest.mark.parametrize("method", ["acc", "pacc", "em"])
def test_other_shares_are_found_where_only_they_differ(method):
    rng = np.random.default_rng(2)
    prior, true = np.asarray([0.6, 0.3, 0.1]), np.asarray([0.1, 0.2, 0.7])
    label_V = rng.choice(3, 4000, p=prior)
    held, sample = (
        posteriors(label_V, prior, rng),
        posteriors(rng.choice(3, 6000, p=true), prior, rng),
    )
    found = {
        "acc": lambda: adjusted_count(sample, held, label_V),
        "pacc": lambda: probabilistic_adjusted_count(sample, held, label_V),
        "em": lambda: em_prior_shift(sample, prior),
    }[method]()
    raw = np.abs(classify_and_count(sample) - true).sum()
    assert np.abs(found - true).sum() < raw / 3
    order = [2, 0, 1]
    if method == "em":  # names of labels do not matter
        again = em_prior_shift(sample[:, order], prior[order])
        np.testing.assert_allclose(again, found[order], atol=1e-9)


def test_shares_are_drawn_to_the_prior_as_far_as_the_sample_is_like_it():
    rng = np.random.default_rng(3)
    prior = np.asarray([0.6, 0.3, 0.1])
    like = posteriors(rng.choice(3, 300, p=prior), prior, rng)
    other = posteriors(rng.choice(3, 300, p=[0.02, 0.03, 0.95]), prior, rng)
    assert chosen_strength(like, prior, np.random.default_rng(0)) >= 80
    assert chosen_strength(other, prior, np.random.default_rng(0)) <= 5
    # 100 specimens certain to be A, 100 further ones as the prior has it.
    certain = np.tile([1.0, 0.0, 0.0], (100, 1))
    drawn = em_prior_shift(certain, prior, strength=100.0)
    np.testing.assert_allclose(drawn, (np.asarray([1.0, 0, 0]) + prior) / 2, atol=1e-6)
