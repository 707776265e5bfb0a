"""Labels on the test part, by the head and by the labels' captions: top-1 and top-5 at every rank."""

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.baselines import commonest_first
from holotype.evaluation.evidence import Answers, Score, score_answers, score_of
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.metrics import calibration_error, f1_over_classes
from holotype.evaluation.retrieval import Names, nearest_names
from holotype.evaluation.zero_shot import vernaculars
from holotype.inputs.captions.text_types import written_or_next
from holotype.models.bundle import Bundle, softmax
from holotype.models.encode import Encoded, encode_captions
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
    for modality, encoded in exam.encoded.items():
        tested = exam.among(encoded, Role.TEST)
        if encoded.logit_RL is None or not len(tested):
            continue
        temperature = bundle.temperature.get(modality, 1.0)
        probability = softmax(encoded.logit_RL[tested], temperature=temperature)
        scores += _scores_of(bundle, exam, modality, tested, probability, task="classification")
    return scores


def caption_classification_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns the scores of the captions of the labels that were taught, asked like the head.

    The probability of a label is the softmax over the labels' captions at the model's own temperature, so
    that a model without a head answers the same question as one with a head: same queries, same names. The
    captions are of the first text type that it was trained on.
    """
    if Modality.CAPTION not in bundle.model.modalities:
        return []
    text_type = bundle.texts.types[0]
    common = vernaculars(exam)
    texts = [
        written_or_next(concept, text_type, vernacular=common.get(concept.lineage))[0]
        for concept in (label.concept for label in bundle.labels.labels)
    ]
    z_LD = encode_captions(bundle.model, texts)
    scale = float(bundle.model.scale.detach())
    scores: list[Score] = []
    for modality, encoded in exam.encoded.items():
        tested = exam.among(encoded, Role.TEST)
        if not len(tested):
            continue
        logit_BL = (scale * encoded.z_RD[tested] @ z_LD.T).astype(np.float32)
        probability = softmax(logit_BL)
        scores += _scores_of(
            bundle, exam, modality, tested, probability, task="caption_classification"
        )
    return scores


def _scores_of(
    bundle: Bundle,
    exam: Exam,
    modality: Modality,
    tested: NDArray[np.int64],
    probability_BL: NDArray[np.float64],
    *,
    task: str,
) -> list[Score]:
    """Returns the scores of probabilities of labels, and of the baselines, at every rank."""
    certain = certain_labels(bundle)
    rows = exam.encoded[modality].row_R[tested]
    answers = ranked_names(bundle, probability_BL)
    ranks = [r for r in present_ranks(exam, rows, with_label=True) if r in answers]
    taught = np.flatnonzero(exam.role_N == Role.TRAIN.value)
    answerable = {rank: set(filter(None, exam.names_of(rank, taught))) for rank in ranks}
    answerable["label"] = certain
    questions = exam.questions(rows, answerable)
    by_method: dict[str, Names] = {"model": {rank: answers[rank] for rank in ranks}}
    if task == "classification" or bundle.model.head is None:  # the same baselines serve both
        by_method["commonest name"] = {
            rank: [[*commonest_first(exam.names_of(rank, taught))[:KEPT]]] * len(rows)
            for rank in ranks
        }
        by_method |= nearest_names(exam, modality, tested, (Role.TRAIN,), ranks)
    scores: list[Score] = []
    for method, names in by_method.items():
        scores += score_answers(Answers(task, method, modality.value, names), questions)
    asked = np.asarray([name in certain for name in questions.truth_by_rank["label"]])
    truth = bundle.labels.index_of(questions.truth_by_rank["label"])[asked]
    found = probability_BL[asked].argmax(axis=1)
    group_Q = exam.group_N[rows][asked]
    f1 = f1_over_classes(truth, found, group_Q, seed=exam.seed)
    confidence = probability_BL[asked].max(axis=1)
    gap = calibration_error(confidence, truth == found, group_Q, seed=exam.seed)
    for metric, estimate in (("macro_f1", f1), ("calibration_error", gap)):
        place = (task, "model", modality.value, "label", "all", metric)
        scores.append(score_of(place, estimate))
    return scores


def certain_labels(bundle: Bundle) -> set[str]:
    """Returns the labels that leave no other right: in a tree, those with no label below them.

    A record known only to family cannot say whether a genus is wrong; it is judged at its ranks instead.
    """
    alone = bundle.labels.agrees_LL.sum(axis=1) == 1
    return {name for name, one in zip(bundle.labels.names, alone.tolist(), strict=True) if one}


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
