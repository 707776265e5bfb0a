"""Whether a space follows the tree: by hand, by brute force, and in spaces made from a tree."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from holotype.evaluation.evidence import Score, pick
from holotype.evaluation.exam import RANKS, Beside, Exam
from holotype.evaluation.hierarchy import hierarchy_exhibit, hierarchy_scores, neighbour_scores
from holotype.evaluation.lineage_paths import paths_of
from holotype.evaluation.metrics import micro_accuracy
from holotype.evaluation.tree_distance import (
    ceiling,
    height_of,
    kinship,
    mean_of,
    mistakes,
    rank_correlation,
)
from holotype.models.labels import Target, build_label_space
from holotype.splits.plan import Role
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Lineage, common_ancestor


def test_three_queries_by_hand(exam_of) -> None:
    # Keys: a1 and a2 of genus A, b1 of genus B, one known to genus A alone.
    names = {
        "genus": ["A", "A", "B", "A", "A", "A", "B"],
        "species": ["a1", "a2", "b1", None, "a1", "a2", "b1"],
    }
    role = ["key"] * 4 + ["test"] * 3
    degrees = np.deg2rad([0, 20, 90, 5, 1, 80, 60])
    z_ND = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    (model, chance) = neighbour_scores(exam_of(z_ND, names, role))
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


def test_figures_agree_with_brute_force(tiny_exam: Exam) -> None:
    scores = neighbour_scores(tiny_exam)
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


def test_wider_ranks_agree_at_least_as_often(tiny_exam: Exam) -> None:
    scores = neighbour_scores(tiny_exam)
    for modality in tiny_exam.encoded:
        values = [s.value for s in pick(scores, pair=modality.value, method="chance")]
        assert values == sorted(values, reverse=True)


def test_a_single_rank_has_no_tree(examined, exam_of) -> None:
    exam = exam_of(np.eye(4), {"species": ["a", "b", "a", "b"]}, ["key", "key", "test", "test"])
    assert hierarchy_scores(examined, exam) == []
    shown = hierarchy_exhibit(examined, exam)
    assert shown == {"ancestors": ["species", "none"], "curves": [], "mistakes": []}


def test_what_paths_share_by_hand() -> None:
    # Class, family, genus, species.
    glacialis = np.array([0, 0, 0, 0])
    others = np.array(
        [
            [0, 0, 0, 0],  # itself
            [0, 0, 0, 1],  # another species of the genus
            [0, 0, 1, 2],  # another genus of the family
            [0, 1, 2, 3],  # another family
            [1, 2, 3, 4],  # nothing shared
            [0, 0, 0, -1],  # known to genus alone
            [0, -1, 1, 2],  # another genus, of a family that nobody gave
            [1, 2, 0, 5],  # a genus of the same name in another class
            [-1, -1, -1, -1],
        ]
    )
    found = kinship(glacialis, others)
    assert found.height.tolist() == [0, 1, 2, 3, 4, 1, 3, 4, 4]
    assert found.clash.tolist() == [False, True, True, True, True, False, True, True, False]
    assert height_of(others).tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 4]
    assert kinship(others, glacialis).height.tolist() == found.height.tolist()


def test_what_answers_are_worth_by_hand() -> None:
    query_QT = np.array([[0, 0, 0]] * 5 + [[0, 0, -1]] * 3 + [[-1, -1, -1]])
    answer_QT = np.array(
        [
            [0, 0, 0],  # right
            [0, 0, 1],  # right family
            [1, 1, 2],  # all wrong
            [0, 0, -1],  # right, but wider than the query: not judged
            [-1, -1, -1],  # a bubble: all wrong
            [0, 0, 2],  # below the query's own family: right
            [0, 1, 3],  # another family: one rank above the query's own
            [-1, -1, -1],  # no name at all: not judged
            [0, 0, 0],  # the query is no taxon: not judged
        ]
    )
    named_Q = np.array([True] * 7 + [False, True])
    found = mistakes(query_QT, answer_QT, named_Q)
    assert found.judged_Q.tolist() == [True, True, True, False, True, True, True, False, False]
    wrong = [False, True, True, False, True, False, True, False, False]
    assert found.wrong_Q.tolist() == wrong
    assert found.severity_Q[found.wrong_Q].tolist() == [1, 3, 3, 1]
    assert found.severity_Q[~found.wrong_Q].tolist() == [0] * 5


def test_a_mean_has_the_interval_of_accuracy() -> None:
    rng = np.random.default_rng(0)
    hit_Q, group_Q = rng.random(200) < 0.7, rng.integers(60, size=200)
    ours = mean_of(hit_Q.astype(np.float64), group_Q, seed=4)
    theirs = micro_accuracy(hit_Q, group_Q, seed=4)
    assert ours.value == pytest.approx(theirs.value)
    assert ours.replicate_R == pytest.approx(theirs.replicate_R)
    nothing = mean_of(np.zeros(0), np.zeros(0, dtype=np.int64), seed=4)
    assert (nothing.n, np.isnan(nothing.value)) == (0, True)


def test_the_correlation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    distance_QK = np.round(rng.random((30, 20)), 1)  # with ties
    height_QK = rng.integers(5, size=(30, 20)) + (distance_QK > 0.5)
    use_QK = rng.random((30, 20)) < 0.8
    use_QK[7] = False
    found = rank_correlation(distance_QK, height_QK, use_QK, np.arange(30), seed=0)
    expected = spearmanr(distance_QK[use_QK], height_QK[use_QK]).statistic
    assert (found.value, found.n) == (pytest.approx(expected), 29)
    assert found.low < expected < found.high
    assert ceiling(height_QK[use_QK]) == pytest.approx(
        spearmanr(
            np.argsort(np.argsort(height_QK[use_QK], kind="stable")), height_QK[use_QK]
        ).statistic
    )
    flat = rank_correlation(
        np.ones((3, 3)), np.eye(3, dtype=int), np.eye(3) < 2, np.arange(3), seed=0
    )
    assert np.isnan(flat.value)
    assert np.isnan(flat.low)


def grown(exam_of, *, shuffled: bool, noise: float = 0.05, seed: int = 0) -> Exam:
    """Three families of three genera of three species, two keys and two queries each.

    The space is made from the tree: a record is the sum of directions of its family, genus and species,
    each smaller than the one above. Shuffled, the names are dealt out anew.
    """
    rng = np.random.default_rng(seed)
    vectors, names = [], {"family": [], "genus": [], "species": []}
    directions = np.eye(48)
    families, genera, species = directions[:3], directions[3:12], directions[12:39]
    for f, g, s, _ in itertools.product(range(3), range(3), range(3), range(4)):
        genus, kind = 3 * f + g, 9 * f + 3 * g + s
        at = 4 * families[f] + 2 * genera[genus] + species[kind]
        vectors.append(at + noise * rng.normal(size=48))
        names["family"].append(f"F{f}")
        names["genus"].append(f"G{genus}")
        names["species"].append(f"S{kind}")
    role = ["key", "key", "test", "test"] * 27
    order = rng.permutation(108) if shuffled else np.arange(108)
    dealt = {rank: [column[at] for at in order] for rank, column in names.items()}
    return exam_of(np.stack(vectors), dealt, role)


def figure(scores: list[Score], metric: str, *, method: str = "model", rank: str = "tree") -> Score:
    (found,) = pick(
        scores, metric=metric, method=method, rank=rank, part="all", pair="barcode-barcode"
    )
    return found


def test_a_space_grown_from_the_tree_follows_it(examined, exam_of) -> None:
    exact = hierarchy_scores(examined, grown(exam_of, shuffled=False, noise=0))
    assert figure(exact, "tree_distance_spearman").value == pytest.approx(1)
    # With noise no two distances are alike, but heights are: no order of distances can do better.
    scores = hierarchy_scores(examined, grown(exam_of, shuffled=False))
    correlation = figure(scores, "tree_distance_spearman")
    best = figure(scores, "tree_distance_spearman", method="ceiling").value
    assert 0.8 < correlation.value <= best + 1e-9 < 0.9
    assert correlation.value > 0.99 * best
    assert correlation.low > 0.8
    assert figure(scores, "mean_severity").value < 0.05
    by_chance = figure(scores, "tree_distance_spearman", method="random vectors")
    assert abs(by_chance.value) < 0.1
    # A key drawn at random is of the same species 1 time in 27, of the genus 2, of the family 6, and of
    # another one 18: (2 x 1 + 6 x 2 + 18 x 3) / 27 ranks on average.
    chance = figure(scores, "mean_severity", method="chance")
    assert chance.low < 68 / 27 < chance.high


def test_a_shuffled_space_does_not(examined, exam_of) -> None:
    scores = hierarchy_scores(examined, grown(exam_of, shuffled=True))
    assert abs(figure(scores, "tree_distance_spearman").value) < 0.1
    assert figure(scores, "mistake_severity").value > 2.3
    assert figure(scores, "mistakes_agree", rank="family").value < 0.5


def test_without_the_species_direction_mistakes_stay_in_the_genus(examined, exam_of) -> None:
    exam = grown(exam_of, shuffled=False, noise=0.4)
    scores = hierarchy_scores(examined, exam)
    wrong, over_all = figure(scores, "mistake_severity"), figure(scores, "mean_severity")
    assert 0 < wrong.n < over_all.n == 54
    assert over_all.value == pytest.approx(wrong.value * wrong.n / over_all.n)
    assert wrong.value < figure(scores, "mistake_severity", method="chance").value - 0.5
    genus, family = (figure(scores, "mistakes_agree", rank=rank) for rank in ("genus", "family"))
    assert genus.value <= family.value
    assert genus.n == family.n == wrong.n
    # Severity is one rank for what agrees at genus, two at family, three for the rest.
    assert wrong.value == pytest.approx(3 - genus.value - family.value)


def slow_height(exam: Exam, first: int, second: int) -> int | None:
    """The height of the common ancestor by the lineages themselves, None where it is not certain."""
    ranks = [rank for rank in RANKS if any(exam.names[rank])]
    a, b = (
        Lineage.from_names({rank: exam.names[rank][row] for rank in ranks})
        for row in (first, second)
    )
    shared = common_ancestor(a, b)
    if a.is_within(b) or b.is_within(a):
        return 0 if a == b and a.rank is not None and a.rank.value == ranks[-1] else None
    return len(ranks) - 1 - ranks.index(shared.rank.value) if shared.rank else len(ranks)


def test_pairs_agree_with_lineages(tiny_exam: Exam) -> None:
    paths = paths_of(tiny_exam)
    rng = np.random.default_rng(0)
    pairs = rng.integers(len(tiny_exam.role_N), size=(2_000, 2))
    found = kinship(paths.path_NT[pairs[:, 0]], paths.path_NT[pairs[:, 1]])
    for (first, second), height, clash in zip(
        pairs.tolist(), found.height.tolist(), found.clash.tolist(), strict=True
    ):
        certain = height if clash or height == 0 else None
        assert certain == slow_height(tiny_exam, first, second)


def test_the_head_is_judged_like_the_nearest_key(exam_of) -> None:
    concepts = [
        Concept(Lineage.from_names({"family": f, "genus": g, "species": s}))
        for f, g, s in (("F", "G", "G a"), ("F", "G", "G b"), ("F", "H", "H c"))
    ]
    bubble = Concept(Lineage(), kind=Kind.ARTEFACT, group="bubble")
    names = ["a", "b", "c", "bubble"]
    labels = build_label_space(Target.WRITTEN_LABEL, names, [*concepts, bubble])
    exam = exam_of(
        np.eye(6),
        {
            "label": ["key", "key", "a", "a", "a", "a"],
            "family": ["F"] * 6,
            "genus": ["G", "H", "G", "G", "G", "G"],
            "species": ["G a", "H c", "G a", "G a", "G a", "G x"],
        },
        ["key"] * 2 + ["test"] * 4,
        ["seen"] * 5 + ["unseen"],
    )
    called = [
        0,
        0,
        0,
        2,
        labels.names.index("bubble"),
        0,
    ]  # right, another genus, a bubble, its genus
    logit_RL = np.eye(4, dtype=np.float32)[called]
    ((modality, encoded),) = exam.encoded.items()
    exam = dataclasses.replace(
        exam, encoded={modality: dataclasses.replace(encoded, logit_RL=logit_RL)}
    )

    class Named:
        """A bundle's labels."""

    bundle = Named()
    bundle.labels = labels
    order = {name: number for number, name in enumerate(labels.names)}
    assert [order[name] for name in ("a", "b", "bubble", "c")] == [0, 1, 2, 3]
    scores = pick(hierarchy_scores(bundle, exam), pair="barcode")

    def head(metric: str, part: str = "all", rank: str = "tree") -> tuple[float, int]:
        (found,) = pick(scores, metric=metric, part=part, rank=rank)
        return found.value, found.n

    # Labels are alphabetical, so the second query was called a bubble and the third one ... too.
    answers = [labels.names[number] for number in called[2:]]
    assert answers == ["a", "bubble", "bubble", "a"]
    assert head("mistake_severity") == (pytest.approx((3 + 3 + 1) / 3), 3)
    assert head("mean_severity") == (pytest.approx(7 / 4), 4)
    assert head("mean_severity", "unseen") == (1.0, 1)
    assert head("mistakes_agree", rank="genus") == (pytest.approx(1 / 3), 3)


def test_the_tiny_run_has_every_figure_within_its_bounds(examined, tiny_exam: Exam) -> None:
    scores = hierarchy_scores(examined, tiny_exam)
    methods = {s.method for s in scores}
    assert methods == {"model", "chance", "pixels", "5-mers", "random vectors", "ceiling"}
    for score in scores:
        if np.isfinite(score.value) and score.low is not None:
            assert score.low - 1e-9 <= score.value <= score.high + 1e-9
    severe = pick(scores, metric="mistake_severity", method="model", part="all")
    assert {s.pair for s in severe} == {
        "image", "barcode", "image-image", "image-barcode", "barcode-image", "barcode-barcode",
    }  # fmt: skip
    assert all(1 <= s.value <= 7 for s in severe)
    correlations = pick(scores, metric="tree_distance_spearman", pair="barcode-barcode")
    by = {s.method: s.value for s in correlations if s.part == "all"}
    assert by["5-mers"] > 0.5 > abs(by["random vectors"])  # barcodes follow the tree
    bare = hierarchy_scores(examined, dataclasses.replace(tiny_exam, beside=Beside.NOTHING))
    assert {s.method for s in bare} == {"model", "chance", "ceiling"}


def test_the_exhibit_is_plain_and_adds_up(examined, exam_of) -> None:
    exam = grown(exam_of, shuffled=False, noise=0.4)
    shown = hierarchy_exhibit(examined, exam)
    json.dumps(shown, allow_nan=False)
    assert shown["ancestors"] == ["species", "genus", "family", "none"]
    (curve,) = [c for c in shown["curves"] if c["method"] == "model"]
    # 54 queries and keys; of each query's keys 2 are of its species, 4 of its genus, 12 of its family.
    assert curve["pairs"] == [54 * 2, 54 * 4, 54 * 12, 54 * 36]
    assert curve["mean"] == sorted(curve["mean"], reverse=True)
    for quantiles in zip(*(curve[f"q{q}"] for q in (10, 25, 50, 75, 90)), strict=True):
        assert list(quantiles) == sorted(quantiles)
    scores = hierarchy_scores(examined, exam)
    (row,) = [m for m in shown["mistakes"] if m["method"] == "model"]
    assert sum(row["counts"]) == row["wrong"] == figure(scores, "mistake_severity").n
    assert row["judged"] == figure(scores, "mean_severity").n
    assert row["severity"] == pytest.approx(figure(scores, "mistake_severity").value, abs=1e-4)
    assert sum(h * n for h, n in enumerate(row["counts"])) == pytest.approx(
        row["severity"] * row["wrong"], abs=0.01
    )
