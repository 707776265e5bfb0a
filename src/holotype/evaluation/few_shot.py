"""Naming from a handful of examples: SimpleShot, without training."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.baselines import kmer_features, pixel_features
from holotype.evaluation.evidence import Score
from holotype.evaluation.exam import Exam, present_ranks
from holotype.media.kmers import unit_rows
from holotype.models.bundle import Bundle
from holotype.models.towers import Modality
from holotype.randomness import generator
from holotype.splits.plan import Role

SHOTS = (1, 5)
NUM_SEEDS = 5


def few_shot_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns the mean accuracy over five draws of the support, with the range over draws as interval.

    Centre by the mean of the support, scale to length one, take the nearest class mean (CL2N of Wang et al.
    2019, arXiv 1911.04623). The support comes from the keys (or the training part), never from the test
    part; classes are those with enough support and a query; every draw is made anew from its own seed.
    """
    del bundle
    scores: list[Score] = []
    rank = _rank_in_question(exam)
    for modality, encoded in exam.encoded.items():
        tested = exam.among(encoded, Role.TEST)
        pool = exam.among(encoded, *exam.key_roles)
        features = {"model": encoded.z_RD}
        if modality is Modality.IMAGE:
            pixels = pixel_features(exam.materials.pixels_MSSC, exam.materials.size_M2)
            features["nearest class mean by pixels"] = pixels[exam.materials.image_N[encoded.row_R]]
        else:
            written = [exam.materials.barcode_N[row] or "" for row in encoded.row_R.tolist()]
            features["nearest class mean by 5-mers"] = kmer_features(written)
        names = exam.names_of(rank, encoded.row_R)
        for shots in SHOTS:
            by_class: dict[str, list[int]] = defaultdict(list)
            for place in pool.tolist():
                name = names[place]
                if name is not None:
                    by_class[name].append(place)
            classes = sorted(name for name, places in by_class.items() if len(places) >= shots)
            queries = np.asarray([p for p in tested.tolist() if names[p] in set(classes)], np.int64)
            if len(classes) < 2 or not len(queries):
                continue
            status = exam.status_N[encoded.row_R[queries]]
            scores.append(
                Score(
                    "few_shot", "chance", modality.value, rank, "all", f"{shots}_shot",
                    1 / len(classes), None, None, len(queries), len(tested) - len(queries),
                )
            )  # fmt: skip
            for method, values in features.items():
                right = np.stack(
                    [
                        _one_draw(values, names, by_class, classes, queries, shots, exam.seed + s)
                        for s in range(NUM_SEEDS)
                    ]
                )
                parts = sorted(set(status.tolist()))
                for part in ["all", *parts] if len(parts) > 1 else ["all"]:
                    use = status == part if part != "all" else np.ones(len(queries), dtype=bool)
                    by_seed = right[:, use].mean(axis=1)
                    scores.append(
                        Score(
                            "few_shot", method, modality.value, rank, part, f"{shots}_shot",
                            float(by_seed.mean()), float(by_seed.min()), float(by_seed.max()),
                            int(use.sum()), len(tested) - len(queries),
                        )
                    )  # fmt: skip
    return scores


def _rank_in_question(exam: Exam) -> str:
    """Returns what is to be named: species where the test part has them, else the label."""
    rows = np.flatnonzero(exam.role_N == Role.TEST.value)
    return "species" if "species" in present_ranks(exam, rows, with_label=False) else "label"


def _one_draw(
    values: NDArray[np.float32],
    names: list[str | None],
    by_class: dict[str, list[int]],
    classes: list[str],
    queries: NDArray[np.int64],
    shots: int,
    seed: int,
) -> NDArray[np.bool_]:
    rng = generator(seed, "few-shot", shots)
    support = np.stack([rng.choice(by_class[name], size=shots, replace=False) for name in classes])
    centre = values[support.ravel()].mean(axis=0)
    support_CSD = unit_rows((values[support.ravel()] - centre).astype(np.float32)).reshape(
        *support.shape, -1
    )
    query_QD = unit_rows((values[queries] - centre).astype(np.float32))
    mean_CD = support_CSD.mean(axis=1)
    distance_QC = -2 * query_QD @ mean_CD.T + (mean_CD**2).sum(axis=1)
    found = distance_QC.argmin(axis=1)
    right: NDArray[np.bool_] = np.asarray(
        [classes[f] == names[q] for f, q in zip(found.tolist(), queries.tolist(), strict=True)]
    )
    return right
