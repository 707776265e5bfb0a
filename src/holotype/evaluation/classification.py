"""The head on the test part: top-1 and top-5 of labels and of every rank above them."""

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.baselines import commonest_first
from holotype.evaluation.evidence import Answers, Score, score_answers
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.metrics import macro_f1, numbered_names
from holotype.evaluation.retrieval import Names, nearest_names
from holotype.models.bundle import Bundle, softmax
from holotype.models.encode import Encoded
from holotype.models.towers import Modality
from holotype.splits.plan import Role
from holotype.taxonomy.lineage import Rank

KEPT = 10


def ranked_names(
    bundle: Bundle, probability_BL: NDArray[np.float64], *, keep: int = KEPT
) -> dict[str, list[list[str | None]]]:
    """Returns for ``label`` and each rank the likeliest names of each record, best first.

    The probability of a taxon is the sum over the labels at and below it.
    """
    labels = bundle.labels
    order_BK = np.argsort(-probability_BL, axis=1, kind="stable")[:, :keep]
    found: dict[str, list[list[str | None]]] = {
        "label": [[labels.names[i] for i in row] for row in order_BK.tolist()]
    }
    node_BN = labels.tree.node_probability(probability_BL)
    for rank in Rank:
        nodes = labels.tree.nodes_at(rank)
        if not len(nodes):
            continue
        best_BK = np.argsort(-node_BN[:, nodes], axis=1, kind="stable")[:, :keep]
        names = [labels.tree.nodes[node].name for node in nodes.tolist()]
        found[rank.value] = [[names[i] for i in row] for row in best_BK.tolist()]
    return found


def classification_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns the scores of the head and of the baselines, for images and barcodes."""
    scores: list[Score] = []
    certain = certain_labels(bundle)
    for modality, encoded in exam.encoded.items():
        if encoded.logit_RL is None:
            continue
        tested = exam.among(encoded, Role.TEST)
        rows = encoded.row_R[tested]
        if not len(rows):
            continue
        probability = softmax(
            encoded.logit_RL[tested], temperature=bundle.temperature.get(modality, 1.0)
        )
        answers = ranked_names(bundle, probability)
        ranks = [r for r in present_ranks(exam, rows, with_label=True) if r in answers]
        taught = np.flatnonzero(exam.role_N == Role.TRAIN.value)
        answerable = {rank: set(filter(None, exam.names_of(rank, taught))) for rank in ranks}
        answerable["label"] = certain
        questions = exam.questions(rows, answerable)
        answers = {rank: answers[rank] for rank in ranks}
        scores += score_answers(
            Answers("classification", "model", modality.value, answers), questions
        )
        majority: Names = {
            rank: [[*commonest_first(exam.names_of(rank, taught))[:KEPT]]] * len(rows)
            for rank in ranks
        }
        scores += score_answers(
            Answers("classification", "commonest name", modality.value, majority), questions
        )
        for method, names in nearest_names(exam, modality, tested, (Role.TRAIN,), ranks).items():
            scores += score_answers(
                Answers("classification", method, modality.value, names), questions
            )
        scores.append(_macro_f1(exam, modality, rows, answers["label"], certain))
    return scores


def certain_labels(bundle: Bundle) -> set[str]:
    """Returns the labels that leave no other right: in a tree, those with no label below them.

    A record known only to family cannot say whether a genus is wrong; it is judged at its ranks instead.
    """
    alone = bundle.labels.agrees_LL.sum(axis=1) == 1
    return {name for name, one in zip(bundle.labels.names, alone.tolist(), strict=True) if one}


def _macro_f1(
    exam: Exam,
    modality: Modality,
    rows: NDArray[np.int64],
    candidates: list[list[str | None]],
    known: set[str],
) -> Score:
    asked = [place for place, name in enumerate(exam.names_of("label", rows)) if name in known]
    truth = [exam.names["label"][rows[place]] for place in asked]
    numbers, _ = numbered_names([*truth, *(candidates[place][0] for place in asked)])
    value = macro_f1(numbers[: len(truth)], numbers[len(truth) :])
    return Score(
        "classification", "model", modality.value, "label", "all", "macro_f1",
        value, None, None, len(asked),
    )  # fmt: skip


def confusion(bundle: Bundle, exam: Exam, encoded: Encoded) -> tuple[list[str], NDArray[np.int64]]:
    """Returns the labels and how often each (row) was called each (column), int64 (L, L)."""
    assert encoded.logit_RL is not None
    tested = exam.among(encoded, Role.TEST)
    certain = certain_labels(bundle)
    names = exam.names_of("label", encoded.row_R[tested])
    truth = bundle.labels.index_of([name if name in certain else None for name in names])
    found = encoded.logit_RL[tested].argmax(axis=1)
    counts = np.zeros((len(bundle.labels), len(bundle.labels)), dtype=np.int64)
    asked = truth >= 0
    np.add.at(counts, (truth[asked], found[asked]), 1)
    return bundle.labels.names, counts
