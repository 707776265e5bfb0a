"""Recalibration: weights are repeats, what a label's scores look like is learnt, groups are not seen."""

import numpy as np

from holotype.counting.recalibration import cross_fitted, fit_recalibration


def scored(count, rng):
    """Three labels; records of the third are scored as the second, as a coarse label of a tree is."""
    label = rng.choice(3, count, p=[0.5, 0.25, 0.25])
    logit = rng.normal(size=(count, 3))
    logit[:, 2] = -4
    logit[label == 0, 0] += 3
    logit[label == 1, 1] += 5
    logit[label == 2, 1] += 2.5
    probability = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    return label, probability


def likelihood(found, label):
    return np.log(found[np.arange(len(label)), label]).mean()


def test_a_label_that_is_never_said_is_found():
    rng = np.random.default_rng(0)
    label, probability = scored(600, rng)
    new_label, new = scored(600, rng)
    found = fit_recalibration(probability, label, penalty=1.0).apply(new)
    assert not (new.argmax(axis=1) == 2).any()
    assert (found.argmax(axis=1) == new_label).mean() > (
        new.argmax(axis=1) == new_label
    ).mean() + 0.05
    assert likelihood(found, new_label) > likelihood(new, new_label) + 0.3
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_weight_of_two_is_a_record_twice():
    label, probability = scored(80, np.random.default_rng(1))
    weight = np.random.default_rng(2).integers(0, 3, 80).astype(float)
    weight[:3] = 1
    start = fit_recalibration(probability, label, penalty=3.0)
    by_weight = fit_recalibration(probability, label, penalty=3.0, weight_V=weight, start=start)
    rows = np.repeat(np.arange(80), weight.astype(int))
    by_rows = fit_recalibration(probability[rows], label[rows], penalty=3.0, start=start)
    np.testing.assert_allclose(by_weight.apply(probability), by_rows.apply(probability), atol=0.02)


def test_labels_without_records_get_no_probability():
    label, probability = scored(200, np.random.default_rng(3))
    kept = label != 0
    found = fit_recalibration(probability[kept], label[kept], penalty=3.0)
    assert found.known_K.tolist() == [1, 2]
    assert found.apply(probability).shape == (200, 2)


def test_a_group_does_not_teach_itself():
    """Ten copies of each record: who saw one copy knows the label of the others."""
    rng = np.random.default_rng(4)
    probability = np.repeat(rng.dirichlet(np.ones(12), 20), 10, axis=0)
    label = np.repeat(rng.choice(2, 20), 10)
    group = np.repeat(np.arange(20), 10)
    draws = lambda: np.random.default_rng(5)  # noqa: E731
    _, by_group = cross_fitted(probability, label, group, draws())
    _, by_record = cross_fitted(probability, label, np.arange(200), draws())
    assert likelihood(by_record, label) > -0.5 > likelihood(by_group, label)
