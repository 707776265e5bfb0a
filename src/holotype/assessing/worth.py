"""How much there is to learn from the label of each record: doubt, novelty, rarity, weight on the abundances.

Each is turned into its rank among the records, 0 to 1, so that none outweighs the others by its unit.
N records.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Why(StrEnum):
    """Why a record is worth a label."""

    DOUBT = "doubt"
    NOVELTY = "novelty"
    RARITY = "rarity"
    ABUNDANCE = "abundance"


SHARES: dict[Why, float] = {
    Why.DOUBT: 0.4,
    Why.NOVELTY: 0.2,
    Why.RARITY: 0.2,
    Why.ABUNDANCE: 0.2,
}
"""How much each reason counts; those that answers do not have are left out."""


@dataclass(frozen=True)
class Worth:
    """What there is to learn.

    Attributes:
        worth_N: 0 to 1.
        rank_N: by reason, the rank of each record, 0 to 1.
        words_N: by reason, what it is, in words.
    """

    worth_N: NDArray[np.float64]
    rank_N: dict[Why, NDArray[np.float64]]
    words_N: dict[Why, list[str]]

    def why(self, row: int) -> str:
        """Returns the two strongest reasons of a record in words."""
        strength = {one: float(ranks[row]) for one, ranks in self.rank_N.items()}
        best = sorted(strength, key=lambda one: -strength[one])[:2]
        return "; ".join(self.words_N[one][row] for one in best if strength[one] > 0.5)


def worth(answers: pa.Table) -> Worth:
    """Returns what there is to learn from the label of each answered record.

    Args:
        answers: rows with a best label, in the columns of ``holotype predict``.
    """
    top = [_top(text) for text in answers["top_k"].to_pylist()]
    scores = [_real(v) for v in answers["score"].to_pylist()]
    top = [
        t or [(label, s)]
        for t, label, s in zip(top, answers["label"].to_pylist(), scores, strict=True)
    ]
    stands_N = _stands_for(answers)
    values: dict[Why, NDArray[np.float64]] = {}
    words: dict[Why, list[str]] = {}
    values[Why.DOUBT] = np.asarray([1 - (t[0][1] - (t[1][1] if len(t) > 1 else 0.0)) for t in top])
    words[Why.DOUBT] = [" or ".join(f"{name} ({score:.2f})" for name, score in t[:2]) for t in top]
    labels = answers["label"].to_pylist()
    counts = Counter(labels)
    values[Why.RARITY] = np.asarray([-np.log(counts[name]) for name in labels])
    words[Why.RARITY] = [f"a rare answer: {counts[name]} of {len(labels)}" for name in labels]
    novelty = np.asarray([_real(v) for v in answers["novelty"].to_pylist()])
    if np.isfinite(novelty).all() and len(novelty) and np.ptp(novelty) > 0:
        values[Why.NOVELTY] = novelty
        words[Why.NOVELTY] = [f"unlike what was learnt ({one:.2f})" for one in novelty]
    values[Why.ABUNDANCE], words[Why.ABUNDANCE] = _on_abundances(top, stands_N)
    ranks = {one: _ranks(value) for one, value in values.items()}
    total = sum(SHARES[one] for one in ranks)
    worth_N = sum((SHARES[one] / total * ranks[one] for one in ranks), np.zeros(len(labels)))
    return Worth(np.asarray(worth_N), ranks, words)


def _on_abundances(
    top: list[list[tuple[str, float]]], stands_N: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """Returns by how much each record's doubt may change the abundance of its labels, relative to these."""
    total: defaultdict[str, float] = defaultdict(float)
    for t, stands in zip(top, stands_N.tolist(), strict=True):
        for name, score in t:
            total[name] += score * stands
    value, words = [], []
    for t, stands in zip(top, stands_N.tolist(), strict=True):
        change = {n: s * (1 - s) * stands / total[n] for n, s in t if total[n] > 0}
        most = max(change, key=lambda name: change[name], default="")
        value.append(sum(change.values()))
        words.append(f"weighs on the abundance of {most}")
    return np.asarray(value), words


def _stands_for(answers: pa.Table) -> NDArray[np.float64]:
    """Returns individuals per litre that each record stands for, as a part of the middle one.

    1 where the sample does not say. As in counts, a fraction that is given nowhere is 1.
    """
    names = ("subsample_fraction", "sampled_volume_l")
    columns = [np.asarray([_real(v) for v in answers[name].to_pylist()]) for name in names]
    if np.isnan(columns[0]).all():
        columns[0] = np.ones(len(columns[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 / (columns[0] * columns[1])
    known = found[np.isfinite(found) & (found > 0)]
    usual = float(np.median(known)) if len(known) else 1.0
    return np.where(np.isfinite(found) & (found > 0), found / usual, 1.0)


def _top(text: str | None) -> list[tuple[str, float]]:
    return [(one["label"], float(one["score"])) for one in json.loads(text)] if text else []


def _real(value: object) -> float:
    return float("nan") if value is None else float(str(value))


def _ranks(value_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the share of records below each, ties in the middle, 0 to 1."""
    from scipy.stats import rankdata

    if len(value_N) < 2:
        return np.ones(len(value_N))
    ranks: NDArray[np.float64] = (rankdata(np.nan_to_num(value_N)) - 1) / (len(value_N) - 1)
    return ranks
