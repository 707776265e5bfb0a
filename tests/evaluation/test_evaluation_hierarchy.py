"""Whether neighbours follow the tree, against brute force."""

import numpy as np
import pytest

from holotype.evaluation.evidence import pick
from holotype.evaluation.exam import Exam
from holotype.evaluation.hierarchy import hierarchy_scores
from holotype.splits.plan import Role


def test_four_queries_by_hand(examined, exam_of) -> None:
    # Keys: a1 and a2 of genus A, b1 of genus B, one known to genus A alone.
    names = {
        "genus": ["A", "A", "B", "A", "A", "A", "B"],
        "species": ["a1", "a2", "b1", None, "a1", "a2", "b1"],
    }
    role = ["key"] * 4 + ["test"] * 3
    degrees = np.deg2rad([0, 20, 90, 5, 1, 80, 60])
    z_ND = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    (model, chance) = hierarchy_scores(examined, exam_of(z_ND, names, role))
    # a1 (1 deg) may find a2 and b1: a2, genus A, right. a2 (80 deg) may find a1 and b1: b1, wrong.
    # b1 (60 deg) may find a1 and a2: a2, wrong. The nameless key is barred to all.
    assert (model.rank, model.metric) == ("genus", "neighbour_of_another_species")
    assert model.value == pytest.approx(1 / 3)
    assert (model.n, model.left_out) == (3, 0)
    # By chance: one of two, one of two, none of two.
    assert (chance.method, chance.value) == ("chance", pytest.approx(1 / 3))


def slowly(exam: Exam, modality, rank: str) -> tuple[float, float]:
    """The share of neighbours that agree, and the share of all allowed keys that do."""
    encoded = exam.encoded[modality]
    roles, species, names = exam.role_N, exam.names["species"], exam.names[rank]
    places = range(len(encoded))
    keys = [p for p in places if roles[encoded.row_R[p]] in exam.key_roles]
    agreed, by_chance = [], []
    for query in places:
        row = encoded.row_R[query]
        if roles[row] != Role.TEST.value or species[row] is None or names[row] is None:
            continue
        others = [k for k in keys if species[encoded.row_R[k]] not in (None, species[row])]
        cosines = [float(encoded.z_RD[query] @ encoded.z_RD[k]) for k in others]
        nearest = others[int(np.argmax(cosines))]
        agreed.append(names[encoded.row_R[nearest]] == names[row])
        by_chance.append(np.mean([names[encoded.row_R[k]] == names[row] for k in others]))
    return float(np.mean(agreed)), float(np.mean(by_chance))


def test_figures_agree_with_brute_force(examined, tiny_exam: Exam) -> None:
    scores = hierarchy_scores(examined, tiny_exam)
    checked = 0
    for modality in tiny_exam.encoded:
        for rank in ("kingdom", "class", "family", "genus"):
            for score in pick(scores, pair=modality.value, rank=rank, method="model"):
                (chance,) = pick(scores, pair=modality.value, rank=rank, method="chance")
                value, expected = slowly(tiny_exam, modality, rank)
                assert score.value == pytest.approx(value)
                assert chance.value == pytest.approx(expected)
                checked += 1
    assert checked >= 4


def test_wider_ranks_agree_at_least_as_often(examined, tiny_exam: Exam) -> None:
    for modality in tiny_exam.encoded:
        values = [
            s.value
            for s in pick(
                hierarchy_scores(examined, tiny_exam), pair=modality.value, method="chance"
            )
        ]
        assert values == sorted(values, reverse=True)


def test_a_single_rank_has_no_tree(examined, exam_of) -> None:
    exam = exam_of(np.eye(4), {"species": ["a", "b", "a", "b"]}, ["key", "key", "test", "test"])
    assert hierarchy_scores(examined, exam) == []
