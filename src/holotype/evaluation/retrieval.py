"""Queries against keys: image to image, image to barcode, barcode to barcode; seen and unseen species.

The protocol is CLIBD's (Gong et al. 2024, arXiv 2405.17537): the prediction is the name of the nearest key, a
query of a seen species must be told from seen and unseen keys alike, and the harmonic mean balances the two.
Deviations: the five of top-5 are different names, not keys; keys and queries share no haplotype and no
image; a query whose taxon has no key is left out and counted; every figure has an interval; nearest
neighbours without a model stand beside it.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation import baselines
from holotype.evaluation.evidence import Answers, Score, score_answers
from holotype.evaluation.exam import Beside, Exam, present_ranks
from holotype.evaluation.metrics import nearest
from holotype.models.bundle import Bundle
from holotype.models.towers import Modality
from holotype.splits.plan import Role
from holotype.taxonomy.lineage import Rank

DEPTH = baselines.CANDIDATES
"""Nearest keys whose different names, best first, are the candidates: the same for every method."""

Names = dict[str, list[list[str | None]]]


def retrieval_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns the scores of every pair of modalities that the model embeds, beside baselines."""
    del bundle
    scores: list[Score] = []
    for query, key in itertools.product(exam.encoded, repeat=2):
        asked, keyed = exam.encoded[query], exam.encoded[key]
        tested, keys = exam.among(asked, Role.TEST), exam.among(keyed, *exam.key_roles)
        if not len(tested) or not len(keys):
            continue
        rows = asked.row_R[tested]
        ranks = present_ranks(exam, rows, with_label=query == key and _mostly_wider(exam, rows))
        answerable = {
            rank: set(filter(None, exam.names_of(rank, keyed.row_R[keys]))) for rank in ranks
        }
        questions = exam.questions(rows, answerable)
        pair = f"{query}-{key}"
        index_QK, _ = nearest(asked.z_RD[tested], keyed.z_RD[keys], k=DEPTH)
        found = _names_at(exam, ranks, keyed.row_R[keys], index_QK)
        scores += score_answers(Answers("retrieval", "model", pair, found), questions)
        others: dict[str, Names] = {}
        if query == key:
            others = nearest_names(exam, query, tested, exam.key_roles, ranks)
        commonest: Names = {
            rank: [[*baselines.commonest_first(exam.names_of(rank, keyed.row_R[keys]))[:DEPTH]]]
            * len(rows)
            for rank in ranks
        }
        for method, names in {**others, "commonest name": commonest}.items():
            scores += score_answers(Answers("retrieval", method, pair, names), questions)
    return scores


def _mostly_wider(exam: Exam, rows: NDArray[np.int64]) -> bool:
    """Returns whether most of the records have no species, so that their labels are what is asked for."""
    named = sum(name is not None for name in exam.names_of(Rank.SPECIES.value, rows))
    return 2 * named < len(rows)


def nearest_names(
    exam: Exam,
    modality: Modality,
    tested: NDArray[np.int64],
    key_roles: Sequence[Role],
    ranks: Sequence[str],
) -> dict[str, Names]:
    """Returns the names of the nearest records without a model, by baseline; none where none is asked for.

    Args:
        exam: the records.
        modality: image or barcode.
        tested: places in the modality's ``encoded``.
        key_roles: whose records are searched.
        ranks: at which to name them.
    """
    if exam.beside is Beside.NOTHING:
        return {}
    encoded = exam.encoded[modality]
    rows = encoded.row_R[tested]
    key_rows = encoded.row_R[exam.among(encoded, *key_roles)]
    found: dict[str, NDArray[np.int64]] = {}
    if modality is Modality.IMAGE:
        images = exam.materials.image_N
        features = baselines.pixel_features(
            exam.materials.pixels_MSSC, exam.materials.size_M4[:, :2]
        )
        found["nearest image by pixels"], _ = nearest(
            features[images[rows]], features[images[key_rows]], k=DEPTH
        )
    else:
        queries, keys = (
            [exam.materials.barcode_N[row] or "" for row in some.tolist()]
            for some in (rows, key_rows)
        )
        found["nearest barcode by 5-mers"], _ = nearest(
            baselines.kmer_features(queries), baselines.kmer_features(keys), k=DEPTH
        )
        found["nearest barcode by identity"], _ = baselines.nearest_by_identity(
            queries, keys, k=DEPTH
        )
    return {m: _names_at(exam, ranks, key_rows, index) for m, index in found.items()}


def _names_at(
    exam: Exam, ranks: Sequence[str], key_rows: NDArray[np.int64], index_QK: NDArray[np.int64]
) -> Names:
    names = {rank: exam.names_of(rank, key_rows) for rank in ranks}
    return {r: [[names[r][key] for key in row] for row in index_QK.tolist()] for r in ranks}
