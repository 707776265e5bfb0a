"""Is this another instrument? A classifier is asked to tell the user's embeddings from known ones.

Lopez-Paz and Oquab 2017 (arXiv 1610.06545). What two sets of images show differs too, so known ones are drawn
with the labels of the user's answers. AUROC 0.5: they cannot be told apart. S user's vectors, V known ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

FOLDS = 5
LEAST = 30
"""Vectors on either side that the test needs."""
MOST_COMPONENTS = 20
SAME, OTHER = 0.65, 0.8
"""AUROC whose interval lies below: as in training; above: another instrument (see docs/why/assessment.md)."""


@dataclass(frozen=True)
class TwoSample:
    """How well two sets of vectors are told apart.

    Attributes:
        instrument: of the known ones; None for all.
        auroc: of a cross-validated classifier, mean over folds; 0.5 or a little less for alike sets.
        low: lower end of the 95 % interval.
        high: upper end.
        n: user's vectors.
        n_known: known ones.
    """

    instrument: str | None
    auroc: float
    low: float
    high: float
    n: int
    n_known: int


@dataclass(frozen=True)
class Domain:
    """Whether the user's images are like those the model learnt from.

    Attributes:
        verdict: ``same``, ``somewhat``, ``other`` or ``unknown``.
        overall: the test against all known records; None where there are too few.
        by_instrument: against each instrument, the hardest to tell apart first.
        sentence: in words.
    """

    verdict: str
    overall: TwoSample | None
    by_instrument: tuple[TwoSample, ...]
    sentence: str


def domain_of(
    z_SD: NDArray[np.float32],
    answer_S: Sequence[str | None],
    known_z_VD: NDArray[np.float32],
    label_V: Sequence[str | None],
    instrument_V: Sequence[str | None],
    *,
    seed: int,
) -> Domain:
    """Returns whether the user's images could be of the instruments that the model knows.

    Args:
        z_SD: the user's vectors, unit rows.
        answer_S: their labels, true where known, else as the model says.
        known_z_VD: vectors of records that the model did not learn from.
        label_V: their labels.
        instrument_V: their instruments.
        seed: of draws and folds.
    """
    if len(z_SD) < LEAST or len(known_z_VD) < LEAST:
        few = f"{len(z_SD)} records and {len(known_z_VD)} known ones; {LEAST} of each are needed"
        return Domain(
            "unknown", None, (), f"Whether this is another instrument is not known: {few}."
        )
    rows = _matched(answer_S, label_V, seed=seed)
    overall = two_sample(z_SD, known_z_VD[rows], instrument=None, seed=seed)
    found = []
    instrument_of = np.asarray([one or "" for one in instrument_V])
    for name in sorted(set(instrument_of.tolist()) - {""}):
        own = np.flatnonzero(instrument_of == name)
        if len(own) >= LEAST:
            labels = [label_V[at] for at in own.tolist()]
            chosen = own[_matched(answer_S, labels, seed=seed)]
            found.append(two_sample(z_SD, known_z_VD[chosen], instrument=name, seed=seed))
    found.sort(key=lambda one: one.auroc)
    nearest = min([overall, *found], key=lambda one: one.auroc)
    verdict = "same" if nearest.high < SAME or nearest.low <= 0.5 else "somewhat"
    verdict = "other" if nearest.low > OTHER else verdict
    return Domain(verdict, overall, tuple(found), _sentence(verdict, nearest, found))


def two_sample(
    z_SD: NDArray[np.float32],
    known_z_VD: NDArray[np.float32],
    *,
    instrument: str | None,
    seed: int,
) -> TwoSample:
    """Returns how well a linear classifier tells the two sets apart, on records it did not see."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.concatenate([z_SD, known_z_VD]).astype(np.float64)
    y = np.r_[np.ones(len(z_SD)), np.zeros(len(known_z_VD))]
    found = []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed & 0x7FFFFFFF)
    for train, test in folds.split(x, y):
        components = min(MOST_COMPONENTS, len(train) // 10, x.shape[1])
        model = make_pipeline(
            PCA(components, random_state=0),
            StandardScaler(),
            LogisticRegression(C=0.1, class_weight="balanced", max_iter=500),
        )
        score = model.fit(x[train], y[train]).decision_function(x[test])
        found.append(float(roc_auc_score(y[test], score)))
    auroc = float(np.mean(found))
    spread = 1.959964 * _deviation(auroc, len(z_SD), len(known_z_VD))
    low, high = max(0.0, auroc - spread), min(1.0, auroc + spread)
    return TwoSample(instrument, auroc, low, high, len(z_SD), len(known_z_VD))


def _deviation(auroc: float, first: int, second: int) -> float:
    """Returns the deviation of an AUROC (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747)."""
    one, two = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    variance = (
        auroc * (1 - auroc) + (first - 1) * (one - auroc**2) + (second - 1) * (two - auroc**2)
    ) / (first * second)
    return float(np.sqrt(max(variance, 0.0)))


def _matched(
    answer_S: Sequence[str | None], label_V: Sequence[str | None], *, seed: int
) -> NDArray[np.int64]:
    """Returns known rows drawn so that their labels have the shares of the answers, where they have them.

    Rows are drawn without repeats, at most three for each answer; a set without common labels is taken whole.
    """
    rows_of: dict[str, list[int]] = {}
    for row, label in enumerate(label_V):
        if label is not None:
            rows_of.setdefault(label, []).append(row)
    wanted: dict[str, int] = {}
    for answer in answer_S:
        if answer is not None and answer in rows_of:
            wanted[answer] = wanted.get(answer, 0) + 3
    chosen = [
        generator(seed, "domain", label).choice(
            rows_of[label], min(count, len(rows_of[label])), replace=False
        )
        for label, count in sorted(wanted.items())
    ]
    rows = np.concatenate(chosen) if chosen else np.zeros(0, np.int64)
    if len(rows) < LEAST:
        return np.arange(len(label_V), dtype=np.int64)
    return np.sort(rows).astype(np.int64)


def _sentence(verdict: str, nearest: TwoSample, found: Sequence[TwoSample]) -> str:
    name = nearest.instrument or (found[0].instrument if found else None)
    of = f"those of {name}" if name else "the ones it was validated on"
    figure = f"AUROC {nearest.auroc:.2f}, {nearest.low:.2f} to {nearest.high:.2f}"
    return {
        "same": f"Your images cannot be told from {of} ({figure}): figures of the model's report may hold.",
        "somewhat": f"Your images differ somewhat from {of} ({figure}): trust the figures here, not the "
        "model's report.",
        "other": f"To the model this is another instrument, even from {of} ({figure}): its promises do not "
        "hold here. Adapt it to your labels.",
    }[verdict]
