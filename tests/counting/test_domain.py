"""The shift test: other shares pass, other looks do not."""

import numpy as np
import pytest

from holotype.counting.domain import domain_test, energy_distance, share_weights

LABELS = 6


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def places():
    return np.random.default_rng(0).normal(size=(LABELS, 8)) * 2


def embedded(label, places, rng, *, moved=0.0):
    x = places[label] + rng.normal(size=(len(label), 8))
    x[:, 0] += moved
    return unit(x)


def test_energy_distance_agrees_with_its_definition():
    rng = np.random.default_rng(1)
    one, other = unit(rng.normal(size=(5, 3))), unit(rng.normal(size=(4, 3)) + 1)
    weight = np.asarray([0.1, 0.2, 0.3, 0.4])

    def far(a, b):
        return float(np.linalg.norm(a - b))

    between = 2 * sum(w * far(x, y) for x in one for w, y in zip(weight, other, strict=True)) / 5
    within = sum(far(a, b) for a in one for b in one) / 20
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    total = sum(weight[i] * weight[j] for i, j in pairs)
    other_within = sum(weight[i] * weight[j] * far(other[i], other[j]) for i, j in pairs) / total
    expected = (between - within - other_within) / between
    assert energy_distance(one, other, weight) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("moved", "passes"), [(0.0, True), (4.0, False)])
def test_other_shares_pass_and_other_looks_do_not(places, moved, passes):
    rng = np.random.default_rng(2)
    label = rng.choice(LABELS, 900, p=[0.5, 0.3, 0.1, 0.05, 0.03, 0.02])
    held = embedded(label, places, rng)
    passed = 0
    for _ in range(20):
        share = rng.dirichlet(np.ones(LABELS))
        sample = embedded(rng.choice(LABELS, 150, p=share), places, rng, moved=moved)
        found = domain_test(sample, share, held, label, lambda _, share=share: share, rng)
        passed += found.is_same
    assert passed >= 18 if passes else passed <= 1


def test_without_weights_other_shares_would_look_like_another_domain(places):
    rng = np.random.default_rng(3)
    label = rng.choice(LABELS, 900)
    held = embedded(label, places, rng)
    sample = embedded(np.zeros(200, dtype=np.int64), places, rng)
    assert energy_distance(sample, held, np.ones(900)) > 0.1
    share = np.eye(LABELS)[0]
    assert abs(energy_distance(sample, held, share_weights(label, share))) < 0.01


def test_chance_is_asked_only_in_between(places):
    rng = np.random.default_rng(4)
    label = rng.choice(LABELS, 600)
    held = embedded(label, places, rng)
    asked = []

    def shares(rows):
        asked.append(len(rows))
        return np.full(LABELS, 1 / LABELS)

    def test(moved):
        sample = embedded(rng.choice(LABELS, 100), places, rng, moved=moved)
        return domain_test(sample, np.full(LABELS, 1 / LABELS), held, label, shares, rng)

    near, far = test(0.0), test(8.0)
    assert near.is_same
    assert not far.is_same
    assert (near.p_value, far.p_value, asked) == (None, None, [])
    between = next(found for moved in np.linspace(1, 4, 13) if (found := test(moved)).p_value)
    assert set(asked) == {100}
    assert not between.is_same
