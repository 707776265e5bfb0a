"""Answers against what a person wrote: right, wrong, or open where the person's label is too coarse to tell.

S records, N nodes of the tree of answers, H strata.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.assessing.written import JUDGED, Written
from holotype.decisions.answer_tree import LEVELS, OPEN, RIGHT, WRONG, AnswerTree
from holotype.models.labels import LabelSpace
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage

RANKS = LEVELS[:-1]


@dataclass(frozen=True)
class Judged:
    """The drawn records that could be judged.

    Attributes:
        row_S: int64, their rows in the draw.
        truth_S: what each is, in the model's words where it has one, else as written.
        said_S: the best label.
        label_S: int8, whether the best label is right, wrong or open.
        answer_S: int8, the same of the safe answer; open where there is none.
        answered_S: whether there is a safe answer.
        rank_SR: int8, the same of the safe lineage at each Linnaean rank; open where it is not given.
        given_SR: whether the safe lineage is given at each rank.
        score_S: score of the best label.
        sure_S: score of the safe answer, NaN where there is none.
        weight_S: float64, how many records each stands for.
        stratum_S: int64.
    """

    row_S: NDArray[np.int64]
    truth_S: tuple[str, ...]
    said_S: tuple[str, ...]
    label_S: NDArray[np.int8]
    answer_S: NDArray[np.int8]
    answered_S: NDArray[np.bool_]
    rank_SR: NDArray[np.int8]
    given_SR: NDArray[np.bool_]
    score_S: NDArray[np.float64]
    sure_S: NDArray[np.float64]
    weight_S: NDArray[np.float64]
    stratum_S: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row_S)


def judge(
    answers: pa.Table,
    written: Sequence[Written],
    labels: LabelSpace,
    *,
    weight_S: NDArray[np.float64],
    stratum_S: Sequence[str],
) -> Judged:
    """Returns the judgement of every drawn record whose label was understood.

    Records of one stratum whose labels are missing are stood for by the others of it.

    Args:
        answers: of the drawn records, in the columns of ``holotype predict``.
        written: what the person wrote of each.
        labels: of the model.
        weight_S: how many records each stands for.
        stratum_S: the stratum of each.
    """
    tree = AnswerTree.of(labels)
    kept = [
        row
        for row, (one, label) in enumerate(zip(written, answers["label"].to_pylist(), strict=True))
        if one.how in JUDGED and label is not None
    ]
    rows = answers.take(pa.array(kept, pa.int64())).to_pylist()
    truths = [written[row] for row in kept]
    verdict_SN = tree.truths([t.concept for t in truths], [t.label for t in truths])
    node_of = {tree.lineage(node): node for node in range(tree.num_taxa)}
    names = labels.index_of([row["label"] for row in rows])
    label_S = np.asarray(
        [
            _of_label(at, verdict_SN[s], tree, is_taught=truths[s].label is not None)
            for s, at in enumerate(names.tolist())
        ],
        dtype=np.int8,
    )
    rank_SR = np.full((len(rows), len(RANKS)), OPEN, dtype=np.int8)
    given_SR = np.zeros(rank_SR.shape, dtype=np.bool_)
    answer_S = np.full(len(rows), OPEN, dtype=np.int8)
    for s, row in enumerate(rows):
        path = _nodes(row, node_of)
        for level, node in path.items():
            given_SR[s, level], rank_SR[s, level] = True, verdict_SN[s, node]
        if row["answer_level"] == LEVELS[-1]:
            at = int(labels.index_of([row["answer"]])[0])
            taught = truths[s].label is not None
            answer_S[s] = _of_label(at, verdict_SN[s], tree, is_taught=taught)
        elif path:
            answer_S[s] = verdict_SN[s, path[max(path)]]
    number = {name: at for at, name in enumerate(sorted(set(stratum_S)))}
    strata = np.asarray([number[stratum_S[row]] for row in kept], dtype=np.int64)
    return Judged(
        row_S=np.asarray(kept, dtype=np.int64),
        truth_S=tuple(t.label or t.text for t in truths),
        said_S=tuple(row["label"] for row in rows),
        label_S=label_S,
        answer_S=answer_S,
        answered_S=np.asarray([row["answer"] is not None for row in rows], dtype=np.bool_),
        rank_SR=rank_SR,
        given_SR=given_SR,
        score_S=_reals(rows, "score"),
        sure_S=_reals(rows, "answer_score"),
        weight_S=_spread(weight_S, stratum_S, kept, number),
        stratum_S=strata,
    )


def _nodes(row: Mapping[str, Any], node_of: Mapping[Lineage, int]) -> dict[int, int]:
    """Returns the node of the safe lineage at each level where it is given; unknown taxa have none."""
    found: dict[int, int] = {}
    names = {rank: row[rank.value] for rank in LINNAEAN_RANKS}
    for level, rank in enumerate(LINNAEAN_RANKS):
        if names[rank] is not None:
            lineage = Lineage.from_names({r: names[r] for r in LINNAEAN_RANKS[: level + 1]})
            if lineage in node_of:
                found[level] = node_of[lineage]
    return found


def _of_label(at: int, verdict_N: NDArray[np.int8], tree: AnswerTree, *, is_taught: bool) -> int:
    """Returns the verdict on a label; on its taxon where what the person wrote is no label of the model."""
    if at < 0:
        return WRONG
    verdict = int(verdict_N[tree.num_taxa + at])
    node = int(tree.taxa.node_of_label_L[at])
    return int(verdict_N[node]) if verdict == WRONG and not is_taught and node >= 0 else verdict


def _spread(
    weight_S: NDArray[np.float64], stratum_S: Sequence[str], kept: list[int], number: dict[str, int]
) -> NDArray[np.float64]:
    """Returns the weights of those kept, each stratum's adding up to what all of it adds up to."""
    of = np.asarray([number[name] for name in stratum_S], dtype=np.int64)
    whole_H = np.bincount(of, weights=weight_S, minlength=len(number))
    left_H = np.bincount(of[kept], weights=weight_S[kept], minlength=len(number))
    scale_H = np.divide(whole_H, left_H, out=np.ones(len(number)), where=left_H > 0)
    found: NDArray[np.float64] = weight_S[kept] * scale_H[of[kept]]
    return found


def _reals(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    return np.asarray([np.nan if r[name] is None else r[name] for r in rows], dtype=np.float64)


def hits(verdict_S: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Returns whether a verdict is right as far as the person's label goes: open counts as right."""
    found: NDArray[np.bool_] = verdict_S != WRONG
    return found


__all__ = ["OPEN", "RANKS", "RIGHT", "WRONG", "Judged", "hits", "judge"]
