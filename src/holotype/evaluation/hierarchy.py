"""Does the space follow the tree? What the nearest record of another species shares with the query."""

import numpy as np

from holotype.evaluation.evidence import Score
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.metrics import micro_accuracy, numbered_names
from holotype.models.bundle import Bundle
from holotype.splits.plan import Role


def hierarchy_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns how often the nearest key of another taxon agrees at each wider rank, and by chance.

    The narrowest rank at which records differ (species, where they have one) is barred: a query may not
    find its own taxon. In a space that follows the tree the neighbour is then of the same genus, else the
    same family, more often than a key drawn at random (BioCLIP's analysis, Stevens et al. 2024, by figures
    rather than by eye).
    """
    del bundle
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
                      found.n, int((~asked).sum()))
            )  # fmt: skip
            scores.append(
                Score(task, "chance", pair, at, part, metric, chance, None, None, found.n)
            )
    return scores


def _numbers(
    exam: Exam,
    rank: str,
    rows: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    key_rows: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> tuple[
    "np.ndarray[tuple[int], np.dtype[np.int64]]", "np.ndarray[tuple[int], np.dtype[np.int64]]"
]:
    names = exam.names_of(rank, rows) + exam.names_of(rank, key_rows)
    numbers, _ = numbered_names(names)
    return numbers[: len(rows)], numbers[len(rows) :]
