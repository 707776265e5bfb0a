"""Does the space follow the tree? Neighbours, distances and mistakes, against the lineages of the records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.evidence import Score
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.lineage_paths import MODEL, RANDOM, Paths, Space, paths_of, spaces
from holotype.evaluation.metrics import Estimate, micro_accuracy, numbered_names
from holotype.evaluation.tree_distance import (
    Mistakes,
    ceiling,
    height_of,
    kinship,
    mean_of,
    mistakes,
    rank_correlation,
)
from holotype.models.bundle import Bundle
from holotype.randomness import generator
from holotype.splits.plan import Role

SAMPLED = 400
"""Queries, and keys, whose pairs are compared with the tree: at most 160,000 pairs."""

TREE = "tree"
"""In the place of a rank, for figures over the whole tree."""
QUANTILES = (10, 25, 50, 75, 90)


def hierarchy_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns how far the space follows the tree.

    - ``neighbour_of_another_RANK``: how often the nearest key of another taxon agrees at each wider rank.
    - ``tree_distance_spearman``: Spearman's correlation between cosine distance and the height of the
      common ancestor, over pairs of test records and keys.
    - ``mistake_severity``: over mistakes, how many ranks above the query's own taxon the common ancestor
      of query and answer stands (Bertinetto et al. 2020, arXiv 1912.09393); ``mean_severity``: over all
      answers that can be judged. Answers are the nearest key (pair ``image-barcode`` ...) and the head's
      (pair ``image`` ...).
    - ``mistakes_agree``: the share of mistakes that are still right at a wider rank.

    Beside the model: pixels, 5-mers, a key drawn at random (``chance``) and, for the correlation, vectors
    drawn at random and the ``ceiling`` of distances without ties. A record that is no taxon is no query; as
    an answer it is a mistake of the full height.
    """
    paths = paths_of(exam)
    if len(paths.ranks) < 2:
        return []
    scores = neighbour_scores(exam)
    compared = list(spaces(exam, paths))
    for space in compared:
        scores += _correlation_scores(space, exam, paths)
    for answered in _answered(bundle, exam, paths, compared):
        scores += _severity_scores(answered, exam, paths)
    return scores


def neighbour_scores(exam: Exam) -> list[Score]:
    """Returns how often the nearest key of another taxon agrees at each wider rank, and by chance.

    The narrowest rank at which records differ (species, where they have one) is barred: a query may not
    find its own taxon. In a space that follows the tree the neighbour is then of the same genus, else the
    same family, more often than a key drawn at random (BioCLIP's analysis, Stevens et al. 2024, by figures
    rather than by eye).
    """
    scores: list[Score] = []
    for modality, encoded in exam.encoded.items():
        tested, keys = exam.among(encoded, Role.TEST), exam.among(encoded, *exam.key_roles)
        rows, key_rows = encoded.row_R[tested], encoded.row_R[keys]
        ranks = present_ranks(exam, rows, with_label=False)
        if len(ranks) < 2 or not len(keys):
            continue
        *wider, narrowest = ranks
        own_Q, own_K = _numbers(exam, narrowest, rows, key_rows)
        usable = np.flatnonzero(own_Q >= 0)
        if not len(usable):
            continue
        cosine_QK = encoded.z_RD[tested[usable]] @ encoded.z_RD[keys].T
        other_QK = (own_Q[usable][:, None] != own_K[None, :]) & (own_K >= 0)[None, :]
        cosine_QK[~other_QK] = -np.inf
        neighbour_Q = cosine_QK.argmax(axis=1)
        for rank in wider:
            truth_Q, name_K = _numbers(exam, rank, rows[usable], key_rows)
            asked = (truth_Q >= 0) & other_QK.any(axis=1)
            if not asked.any():
                continue
            agrees_QK = (truth_Q[asked][:, None] == name_K[None, :]) & other_QK[asked]
            chance = float((agrees_QK.sum(axis=1) / other_QK[asked].sum(axis=1)).mean())
            hit_Q = name_K[neighbour_Q[asked]] == truth_Q[asked]
            groups = exam.group_N[rows[usable]][asked]
            found = micro_accuracy(hit_Q, groups, seed=exam.seed)
            common = ("hierarchy", modality.value, rank, "all", f"neighbour_of_another_{narrowest}")
            task, pair, at, part, metric = common
            scores.append(
                Score(task, "model", pair, at, part, metric, found.value, found.low, found.high,
                      found.n, int((~asked).sum()), found.replicate_R)
            )  # fmt: skip
            scores.append(
                Score(task, "chance", pair, at, part, metric, chance, None, None, found.n)
            )
    return scores


@dataclass(frozen=True)
class _Answered:
    """What one method answers to the test records, as paths in the tree."""

    pair: str
    method: str
    row_Q: NDArray[np.int64]
    found: Mistakes


def _answered(
    bundle: Bundle, exam: Exam, paths: Paths, compared: Sequence[Space]
) -> Iterator[_Answered]:
    """Yields the answers of the head and of the nearest key, and of a key drawn at random."""
    for modality, encoded in exam.encoded.items():
        tested = exam.among(encoded, Role.TEST)
        if encoded.logit_RL is None or not len(tested):
            continue
        labels = [
            paths.path({rank.value: name for rank, name in label.concept.lineage})
            for label in bundle.labels.labels
        ]
        answer_QT = np.stack(labels)[encoded.logit_RL[tested].argmax(axis=1)]
        rows = encoded.row_R[tested]
        found = mistakes(paths.path_NT[rows], answer_QT, np.ones(len(rows), dtype=np.bool_))
        yield _Answered(modality.value, MODEL, rows, found)
    for space in compared:
        if space.method == RANDOM:
            continue
        yield _by_key(space, space.method, space.nearest_Q(), paths)
        if space.method == MODEL:
            drawn = generator(exam.seed, "chance", space.pair)
            index_Q = drawn.integers(len(space.row_K), size=len(space.row_Q))
            yield _by_key(space, "chance", index_Q, paths)


def _by_key(space: Space, method: str, index_Q: NDArray[np.int64], paths: Paths) -> _Answered:
    row_A = space.row_K[index_Q]
    found = mistakes(paths.path_NT[space.row_Q], paths.path_NT[row_A], paths.named_N[row_A])
    return _Answered(space.pair, method, space.row_Q, found)


def _parts(exam: Exam, row_Q: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yields all queries, and seen and unseen ones where there are both."""
    status_Q = exam.status_N[row_Q]
    yield "all", np.ones(len(row_Q), dtype=np.bool_)
    kinds = sorted(set(status_Q.tolist()))
    for kind in kinds if len(kinds) > 1 else []:
        yield kind, np.asarray(status_Q == kind, dtype=np.bool_)


def _score(
    answered: _Answered | Space, rank: str, part: str, metric: str, found: Estimate, left_out: int
) -> Score:
    return Score(
        "hierarchy", answered.method, answered.pair, rank, part, metric,
        found.value, found.low, found.high, found.n, left_out, found.replicate_R,
    )  # fmt: skip


def _severity_scores(answered: _Answered, exam: Exam, paths: Paths) -> list[Score]:
    scores: list[Score] = []
    found, group_Q = answered.found, exam.group_N[answered.row_Q]
    for part, of_part in _parts(exam, answered.row_Q):
        left_out = int((of_part & ~found.judged_Q).sum())
        for metric, use in (("mistake_severity", found.wrong_Q), ("mean_severity", found.judged_Q)):
            asked = of_part & use
            value = mean_of(found.severity_Q[asked], group_Q[asked], seed=exam.seed)
            scores.append(_score(answered, TREE, part, metric, value, left_out))
    own_Q = height_of(paths.path_NT[answered.row_Q])
    for height, rank in enumerate(paths.ranks[::-1]):
        asked = found.wrong_Q & (own_Q < height)
        if asked.any():
            agrees_Q = (found.height_Q[asked] <= height).astype(np.float64)
            value = mean_of(agrees_Q, group_Q[asked], seed=exam.seed)
            narrow = int((found.wrong_Q & ~asked).sum())
            scores.append(_score(answered, rank, "all", "mistakes_agree", value, narrow))
    return scores


@dataclass(frozen=True)
class _Pairs:
    """Pairs of sampled queries and keys: Q x K."""

    row_Q: NDArray[np.int64]
    distance_QK: NDArray[np.float64]
    height_QK: NDArray[np.int64]
    use_QK: NDArray[np.bool_]


def _pairs(space: Space, exam: Exam, paths: Paths) -> _Pairs:
    """Returns the pairs whose common ancestor is certain: they clash, or are one species."""
    some = space.sampled(SAMPLED, seed=exam.seed)
    found = kinship(paths.path_NT[some.row_Q][:, None], paths.path_NT[some.row_K][None])
    distance = 1 - some.query_QD.astype(np.float64) @ some.key_KD.astype(np.float64).T
    return _Pairs(some.row_Q, distance, found.height, found.clash | (found.height == 0))


def _correlation_scores(space: Space, exam: Exam, paths: Paths) -> list[Score]:
    pairs = _pairs(space, exam, paths)
    scores: list[Score] = []
    for part, of_part in _parts(exam, pairs.row_Q):
        use_QK = pairs.use_QK & of_part[:, None]
        value = rank_correlation(
            pairs.distance_QK, pairs.height_QK, use_QK, exam.group_N[pairs.row_Q], seed=exam.seed
        )
        left_out = int((of_part & ~use_QK.any(axis=1)).sum())
        scores.append(_score(space, TREE, part, "tree_distance_spearman", value, left_out))
    if space.method == MODEL and scores[0].n:
        best = ceiling(pairs.height_QK[pairs.use_QK])
        scores.append(
            replace(scores[0], method="ceiling", value=best, low=None, high=None),
        )
    return [score for score in scores if score.n]


def hierarchy_exhibit(bundle: Bundle, exam: Exam) -> dict[str, Any]:
    """Returns what plots of the tree need, as plain JSON values.

    - ``ancestors``: the ranks of a common ancestor, narrow to wide, and last ``none`` (nothing shared); the
      lists below follow it.
    - ``curves``, one a pair and method: ``pairs`` (how many), ``mean`` and ``q10`` ... ``q90`` of the cosine
      of such pairs, null without any.
    - ``mistakes``, one a pair and method: ``judged`` (answers), ``wrong``, ``severity`` (mean ranks over
      mistakes, null without any) and ``counts`` (mistakes by common ancestor).
    """
    paths = paths_of(exam)
    ancestors = [*paths.ranks[::-1], "none"]
    if len(paths.ranks) < 2:
        return {"ancestors": ancestors, "curves": [], "mistakes": []}
    curves = []
    compared = list(spaces(exam, paths))
    for space in compared:
        pairs = _pairs(space, exam, paths)
        if pairs.use_QK.any():
            curves.append({"pair": space.pair, "method": space.method, **_curve(pairs, ancestors)})
    wrongs = []
    for answered in _answered(bundle, exam, paths, compared):
        wrong_Q = answered.found.wrong_Q
        counts = np.bincount(answered.found.height_Q[wrong_Q], minlength=len(ancestors))
        severity = float(answered.found.severity_Q[wrong_Q].mean()) if wrong_Q.any() else None
        wrongs.append(
            {
                "pair": answered.pair,
                "method": answered.method,
                "judged": int(answered.found.judged_Q.sum()),
                "wrong": int(wrong_Q.sum()),
                "severity": None if severity is None else round(severity, 4),
                "counts": counts.tolist(),
            }
        )
    return {"ancestors": ancestors, "curves": curves, "mistakes": wrongs}


def _curve(pairs: _Pairs, ancestors: list[str]) -> dict[str, list[Any]]:
    cosine_P = 1 - pairs.distance_QK[pairs.use_QK]
    height_P = pairs.height_QK[pairs.use_QK]
    columns: dict[str, list[Any]] = {"pairs": [], "mean": [], **{f"q{q}": [] for q in QUANTILES}}
    for height in range(len(ancestors)):
        here = cosine_P[height_P == height]
        columns["pairs"].append(len(here))
        columns["mean"].append(round(float(here.mean()), 4) if len(here) else None)
        for q in QUANTILES:
            figure = round(float(np.percentile(here, q)), 4) if len(here) else None
            columns[f"q{q}"].append(figure)
    return columns


def _numbers(
    exam: Exam,
    rank: str,
    rows: NDArray[np.int64],
    key_rows: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    names = exam.names_of(rank, rows) + exam.names_of(rank, key_rows)
    numbers, _ = numbered_names(names)
    return numbers[: len(rows)], numbers[len(rows) :]
