"""Confidence of nodes, the pool of evidence, and novelty: fitted on worlds whose truth is known."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from small_tree import evidence_of, node, small_tree

from holotype.decisions.answer_tree import LABEL_LEVEL, LEVELS, RIGHT, WRONG
from holotype.decisions.channels import fit_pool, pooled
from holotype.decisions.confidence import Confidence, falling, fit_confidence, spread_over_tree
from holotype.decisions.evidence import Evidence, Neighbours, Way, way_down
from holotype.decisions.logistic import Logistic, fit_logistic
from holotype.decisions.novelty import Novelty, ScaledBy, fit_novelty
from holotype.decisions.reading import Reading
from holotype.decisions.verdicts import common_ancestor, contradict


def test_logistic_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 2)) * [1.0, 5.0] + [3.0, -1.0]
    right = rng.random(20_000) < expit(0.7 * (x[:, 0] - 3) - 0.2 * (x[:, 1] + 1) + 0.4)
    found = fit_logistic(x, right)
    assert (found.weight / found.spread) == pytest.approx([0.7, -0.2], abs=0.05)
    again = Logistic.from_json(found.as_json())
    assert np.array_equal(again(x[:9]), found(x[:9]))


def test_rising_weights_are_never_below_zero():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 2))
    right = x[:, 0] - x[:, 1] > 0
    assert (fit_logistic(x, right, rising=True).weight >= 0).all()
    assert fit_logistic(x, right).weight[1] < 0


def test_a_pool_of_one_part_is_a_temperature():
    rng = np.random.default_rng(2)
    logit = rng.normal(size=(4_000, 5)) * 2
    label = [rng.choice(5, p=p) for p in softmax(logit, axis=1)]
    found = fit_pool({"image model": 3 * logit}, np.eye(5, dtype=bool)[label])
    assert found["image model"] == pytest.approx(1 / 3, rel=0.08)


def test_a_part_that_says_nothing_gets_no_weight():
    rng = np.random.default_rng(3)
    logit, noise = rng.normal(size=(4_000, 5)) * 2, rng.normal(size=(4_000, 5))
    label = [rng.choice(5, p=p) for p in softmax(logit, axis=1)]
    parts = {"a": logit, "b": noise}
    found = fit_pool(parts, np.eye(5, dtype=bool)[label])
    assert found["b"] < 0.06 < found["a"]
    assert pooled(parts, found).shape == (4_000, 5)


def test_neighbours_within_and_outside_a_node():
    tree = small_tree()
    evidence = evidence_of([[0.1, 0.5, 0.2, 0.1, 0.1]], [[1, 3, 4]], [[0.9, 0.7, 0.2]])
    way = way_down(tree, evidence)
    genus = way.feature_BKF[0, LEVELS.index("genus")]
    assert genus[1:].tolist() == pytest.approx([0.9, 0.9 - 0.7])
    kingdom = way.feature_BKF[0, 0]
    assert kingdom[1:].tolist() == pytest.approx([0.9, 0.9 - 0.2])
    assert np.isnan(way.feature_BKF[0, LEVELS.index("order")]).all()


def test_hidden_labels_are_as_if_they_had_not_been_learnt():
    given = evidence_of([[0.1, 0.6, 0.1, 0.1, 0.1]], [[1, 1, 3]], [[0.9, 0.8, 0.7]])
    parts = {"image model": given.logit_BL, "image references": np.zeros((1, 5))}
    reading = Reading(np.asarray([0]), parts, given.near)
    hidden = reading.nearer(np.asarray([[False, True, False, False, False]]))
    found = hidden.evidence({"image model": 1.0, "image references": 0.0})
    assert found.probability_BL[0].tolist() == pytest.approx([0.25, 0, 0.25, 0.25, 0.25])
    assert found.near["image"].label_BV[0, 0] == 3
    assert found.near["image"].closeness_BV[0, 0] == pytest.approx(0.7)
    assert reading.nearer().parts["image references"][0].tolist() == [0.7, 0.9, 0.7, 0.7, 0.7]


def test_confidence_is_calibrated_and_falls_down_the_tree():
    rng = np.random.default_rng(4)
    tree = small_tree()
    logit = rng.normal(size=(3_000, 5)) * 1.5
    label = np.asarray([rng.choice(5, p=p) for p in softmax(logit, axis=1)])
    concepts = [tree.labels.labels[one].concept for one in label]
    truth = tree.truths(concepts, [tree.labels.names[one] for one in label])
    sharp = Evidence(3 * logit, {}, {})  # three times too sure
    way = way_down(tree, sharp)
    right = np.take_along_axis(truth, np.maximum(way.node_BK, 0), axis=1)
    right = np.where(way.node_BK >= 0, right, -1).astype(np.int8)
    half = Way(way.node_BK[:1_500], way.feature_BKF[:1_500])
    confidence = fit_confidence(half, right[:1_500])
    found = confidence(way)[1_500:]
    judged = (way.node_BK[1_500:, LABEL_LEVEL] >= 0) & (right[1_500:, LABEL_LEVEL] >= 0)
    said, was = found[judged, LABEL_LEVEL], right[1_500:][judged, LABEL_LEVEL]
    assert said.mean() == pytest.approx((was == RIGHT).mean(), abs=0.05)
    filled = np.where(np.isnan(found), np.inf, found)
    assert (np.minimum.accumulate(filled, axis=1) == filled)[~np.isnan(found)].all()
    again = Confidence.from_json(confidence.as_json())
    assert np.array_equal(again(way), confidence(way), equal_nan=True)


def test_falling_keeps_gaps():
    given = np.asarray([[0.9, np.nan, 0.95, 0.4]])
    assert falling(given)[0, [0, 2, 3]].tolist() == [0.9, 0.9, 0.4]
    assert np.isnan(falling(given)[0, 1])


def test_calibrated_children_never_add_up_to_more_than_their_parent():
    rng = np.random.default_rng(5)
    tree = small_tree()
    evidence = Evidence(rng.normal(size=(200, 5)) * 2, {}, {})
    way, mass = way_down(tree, evidence), tree.mass(evidence.probability_BL)
    confidence = falling(np.where(way.node_BK >= 0, rng.random(way.node_BK.shape), np.nan))
    found = spread_over_tree(tree, mass, way, confidence)
    assert (found >= 0).all()
    for parent, children in tree.families:
        above = 1.0 if parent < 0 else found[:, parent]
        assert (found[:, children].sum(axis=1) <= above + 1e-9).all()
    rows, levels = np.nonzero(way.node_BK >= 0)
    assert found[rows, way.node_BK[rows, levels]] == pytest.approx(confidence[rows, levels])


def test_novelty_is_learnt_from_stand_ins_and_tells_what_was_never_seen():
    rng = np.random.default_rng(6)
    centres = rng.normal(size=(8, 16))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)

    def drawn(classes, count):
        label = rng.integers(0, classes, count)
        z = centres[label] + 0.12 * rng.normal(size=(count, 16))
        return label, z / np.linalg.norm(z, axis=1, keepdims=True)

    def evidence(z, references, reference_label):
        cosine = z @ references.T
        order = np.argsort(-cosine, axis=1)
        near = Neighbours(reference_label[order], np.take_along_axis(cosine, order, axis=1), -1.0)
        logit = 20 * z @ centres[:6].T
        parts = {"image model": logit, "image references": np.zeros_like(logit)}
        return Reading(np.arange(len(z)), parts, {"image": near})

    pool = {"image model": 1.0}

    def said(z):
        return evidence(z, references, reference_label).nearer().evidence(pool)

    reference_label, references = drawn(6, 240)
    label, z = drawn(6, 300)
    wide = evidence(z, references, reference_label)
    examined, own = wide.nearer().evidence(pool), np.eye(6, dtype=bool)[label]
    stand_ins = wide.nearer(own).evidence(pool)
    known, none = np.ones(300, bool), np.zeros(300, bool)
    novelty = fit_novelty(examined, known_B=known, unseen_B=none, stand_ins=stand_ins)
    assert novelty.scaled_by is ScaledBy.STAND_INS
    unseen = centres[6:][rng.integers(0, 2, 200)] + 0.12 * rng.normal(size=(200, 16))
    unseen /= np.linalg.norm(unseen, axis=1, keepdims=True)
    known_again = novelty(said(drawn(6, 200)[1]))
    novel = novelty(said(unseen))
    assert np.median(novel) > 0.9 > 0.3 > np.median(known_again)
    assert (novelty(examined) > novelty.alarm).mean() == pytest.approx(0.05, abs=0.01)
    again = Novelty.from_json(novelty.as_json())
    assert again(examined) == pytest.approx(novelty(examined), abs=1e-4)


def test_answers_contradict_where_neither_holds_the_other():
    tree = small_tree()
    genus, species = node(tree, "Calanus"), node(tree, "Calanus glacialis")
    other, family = node(tree, "Neocalanus cristatus"), node(tree, "Calanidae")
    assert not contradict(tree, genus, species)
    assert contradict(tree, other, species)
    assert common_ancestor(tree, other, species) == family
    assert common_ancestor(tree, node(tree, "detritus", label=True), species) == -1
    assert not contradict(tree, -1, species)
    assert WRONG == 0
