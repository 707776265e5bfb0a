"""Naming from a handful of examples: SimpleShot, without training."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.baselines import kmer_features, pixel_features
from holotype.evaluation.evidence import Score
from holotype.evaluation.exam import Beside, Exam, present_ranks
from holotype.evaluation.metrics import REPLICATES, Estimate
from holotype.media.kmers import unit_rows
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded
from holotype.models.towers import Modality
from holotype.randomness import generator
from holotype.splits.plan import Role

SHOTS = (1, 5, 10)
NUM_DRAWS = 5


@dataclass(frozen=True)
class _Task:
    """One question: C classes with enough support, and the queries of these classes.

    Attributes:
        places_of: by class, the places in ``encoded`` that its support is drawn from.
        query_Q: int64, places in ``encoded``.
        class_Q: int64, the class of each query.
    """

    shots: int
    places_of: tuple[tuple[int, ...], ...]
    query_Q: NDArray[np.int64]
    class_Q: NDArray[np.int64]


def few_shot_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns the mean accuracy over five draws of 1, 5 and 10 examples of each class.

    Centre by the mean of the support, scale to length one, take the nearest class mean (CL2N of Wang et al.
    2019, arXiv 1911.04623). The support comes from the keys (or the training part), never from the test
    part; classes are those with enough support and a query. Every draw has a generator of its own. The
    interval draws both anew, the draws of the support and the groups of queries.
    """
    del bundle
    scores: list[Score] = []
    rank = _rank_in_question(exam)
    for modality, encoded in exam.encoded.items():
        features = {"model": encoded.z_RD, **_bare_features(exam, modality, encoded)}
        num_tested = len(exam.among(encoded, Role.TEST))
        for task in _tasks(exam, encoded, rank):
            row_Q = encoded.row_R[task.query_Q]
            left_out, num_classes = num_tested - len(row_Q), len(task.places_of)
            metric = f"{task.shots}_shot"
            scores.append(
                Score(
                    "few_shot", "chance", modality.value, rank, "all", metric,
                    1 / num_classes, None, None, len(row_Q), left_out,
                )
            )  # fmt: skip
            for method, values in features.items():
                right_SQ = np.stack(
                    [_one_draw(values, task, exam.seed, draw) for draw in range(NUM_DRAWS)]
                )
                for part, use in _parts(exam.status_N[row_Q]):
                    groups = exam.group_N[row_Q[use]]
                    found = mean_over_draws(right_SQ[:, use], groups, seed=exam.seed)
                    scores.append(
                        Score(
                            "few_shot", method, modality.value, rank, part, metric,
                            found.value, found.low, found.high, found.n, left_out, found.replicate_R,
                        )
                    )  # fmt: skip
    return scores


def _rank_in_question(exam: Exam) -> str:
    """Returns what is to be named: species where the test part has them, else the label."""
    rows = np.flatnonzero(exam.role_N == Role.TEST.value)
    return "species" if "species" in present_ranks(exam, rows, with_label=False) else "label"


def _bare_features(
    exam: Exam, modality: Modality, encoded: Encoded
) -> dict[str, NDArray[np.float32]]:
    if exam.beside is Beside.NOTHING:
        return {}
    if modality is Modality.IMAGE:
        pixels = pixel_features(exam.materials.pixels_MSSC, exam.materials.size_M4[:, :2])
        return {"nearest class mean by pixels": pixels[exam.materials.image_N[encoded.row_R]]}
    barcodes = [exam.materials.barcode_N[row] or "" for row in encoded.row_R.tolist()]
    return {"nearest class mean by 5-mers": kmer_features(barcodes)}


def _tasks(exam: Exam, encoded: Encoded, rank: str) -> Iterator[_Task]:
    names = exam.names_of(rank, encoded.row_R)
    tested = exam.among(encoded, Role.TEST).tolist()
    pool: dict[str, list[int]] = defaultdict(list)
    for place in exam.among(encoded, *exam.key_roles).tolist():
        name = names[place]
        if name is not None:
            pool[name].append(place)
    for shots in SHOTS:
        classes = sorted(name for name, places in pool.items() if len(places) >= shots)
        index = {name: number for number, name in enumerate(classes)}
        asked = [(place, index[name]) for place in tested if (name := names[place]) in index]
        if len(classes) > 1 and asked:
            query_Q, class_Q = np.asarray(asked, dtype=np.int64).T
            yield _Task(shots, tuple(tuple(pool[name]) for name in classes), query_Q, class_Q)


def _parts(status_Q: NDArray[np.str_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    yield "all", np.ones(len(status_Q), dtype=np.bool_)
    kinds = sorted(set(status_Q.tolist()))
    for kind in kinds if len(kinds) > 1 else []:
        yield kind, np.asarray(status_Q == kind, dtype=np.bool_)


def _one_draw(values: NDArray[np.float32], task: _Task, seed: int, draw: int) -> NDArray[np.bool_]:
    """Returns whether each query is named right by one draw of the support, bool (Q,).

    The generator belongs to this draw alone: no draw depends on how many were made before it.
    """
    rng = generator(seed, "few-shot", task.shots, draw)
    support_CS = np.stack(
        [rng.choice(places, size=task.shots, replace=False) for places in task.places_of]
    )
    centre_D = values[support_CS.ravel()].mean(axis=0)
    support_CSD = unit_rows((values[support_CS.ravel()] - centre_D).astype(np.float32)).reshape(
        *support_CS.shape, -1
    )
    query_QD = unit_rows((values[task.query_Q] - centre_D).astype(np.float32))
    mean_CD = support_CSD.mean(axis=1)
    distance_QC = -2 * query_QD @ mean_CD.T + (mean_CD**2).sum(axis=1)
    right: NDArray[np.bool_] = distance_QC.argmin(axis=1) == task.class_Q
    return right


def mean_over_draws(
    right_SQ: NDArray[np.bool_], group_Q: NDArray[np.int64], *, seed: int
) -> Estimate:
    """Returns the mean over draws S and queries Q, with its 95 % interval.

    Each of the replicates takes draws with replacement and, by itself, groups of queries with replacement: a
    few queries are as uncertain as a few examples. NaN without queries.
    """
    if not right_SQ.shape[1]:
        nothing = float("nan")
        return Estimate(nothing, nothing, nothing, 0, np.full(REPLICATES, np.nan))
    groups, group_index = np.unique(group_Q, return_inverse=True)
    size_G = np.bincount(group_index).astype(np.float64)
    right_SG = np.stack(
        [np.bincount(group_index, one, minlength=len(groups)) for one in right_SQ.astype(float)]
    )
    rng = generator(seed, "few-shot interval")
    draw_RS = rng.multinomial(len(right_SQ), np.full(len(right_SQ), 1 / len(right_SQ)), REPLICATES)
    drawn_RG = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), REPLICATES)
    right_R = ((draw_RS @ right_SG) * drawn_RG).sum(axis=1) / len(right_SQ)
    replicate_R = right_R / (drawn_RG @ size_G)
    low, high = np.percentile(replicate_R, [2.5, 97.5])
    value = float(right_SQ.mean())
    return Estimate(value, float(low), float(high), right_SQ.shape[1], replicate_R)
