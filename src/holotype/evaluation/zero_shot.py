"""Naming by captions alone: the nearest caption, among those of every taxon in question."""

import numpy as np

from holotype.evaluation.baselines import commonest_first
from holotype.evaluation.evidence import Answers, Score, score_answers
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.metrics import nearest
from holotype.inputs.captions import caption
from holotype.models.bundle import Bundle
from holotype.models.encode import encode_captions
from holotype.models.towers import Modality
from holotype.splits.plan import Role
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Rank


def zero_shot_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns how well captions name the test records, at each rank, seen and unseen.

    At each rank the candidates are the captions of all its taxa among the test records and keys, whether
    training named them or not (Radford et al. 2021, arXiv 2103.00020; text types of BioCLIP, Stevens et al.
    2024, arXiv 2311.18803: ours is the taxonomic one).
    """
    if Modality.CAPTION not in bundle.model.modalities:
        return []
    scores: list[Score] = []
    searched = np.flatnonzero(np.isin(exam.role_N, exam.key_roles))
    candidates = np.flatnonzero(np.isin(exam.role_N, [Role.TEST.value, *exam.key_roles]))
    for modality, encoded in exam.encoded.items():
        tested = exam.among(encoded, Role.TEST)
        rows = encoded.row_R[tested]
        if not len(rows):
            continue
        found = {}
        answerable = {}
        for rank in present_ranks(exam, rows, with_label=False):
            names, captions = _captions_at(exam, Rank(rank), candidates)
            z_UD = encode_captions(bundle.model, captions)
            index_QK, _ = nearest(encoded.z_RD[tested], z_UD, k=10)
            found[rank] = [[names[key] for key in row] for row in index_QK.tolist()]
            answerable[rank] = set(filter(None, names))
        questions = exam.questions(rows, answerable)
        pair = f"{modality}-caption"
        scores += score_answers(Answers("zero_shot", "model", pair, found), questions)
        commonest: dict[str, list[list[str | None]]] = {
            rank: [[*commonest_first(exam.names_of(rank, searched))[:10]]] * len(rows)
            for rank in found
        }
        scores += score_answers(Answers("zero_shot", "commonest name", pair, commonest), questions)
    return scores


def _captions_at(
    exam: Exam, rank: Rank, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> tuple[list[str | None], list[str]]:
    """Returns the names of all taxa of a rank among some records, and their captions."""
    lineages = {
        concept.lineage.truncate(rank)
        for row in rows.tolist()
        if (concept := exam.materials.concept_N[row]) is not None and concept.lineage.name_at(rank)
    }
    ordered = sorted(lineages, key=lambda lineage: lineage.text())
    return [lineage.name for lineage in ordered], [caption(Concept(one)) for one in ordered]
