"""Image to image across instruments: keys that the query's own instrument took are barred.

A space that sorts images by camera finds the same camera first; here it must find the organism. Queries
and keys whose instrument is not known are left out.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation import baselines
from holotype.evaluation.evidence import Answers, Score, score_answers
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.metrics import nearest, numbered_names
from holotype.models.bundle import Bundle
from holotype.models.towers import Modality
from holotype.splits.plan import Role

TASK = "cross_instrument"
PAIR = "image-image"


def cross_instrument_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns how often the nearest image of another instrument bears the query's name, at every rank.

    Asked of each query whose name some other instrument has among the keys. Beside the model: the nearest
    image by pixels under the same bar, and ``chance``, an allowed key drawn at random. Empty where the
    test images and keys come from fewer than two instruments.
    """
    del bundle
    encoded = exam.encoded.get(Modality.IMAGE)
    if encoded is None or "instrument" not in exam.table.column_names:
        return []
    instruments, _ = numbered_names(exam.table["instrument"].to_pylist())
    known_R = instruments[encoded.row_R] >= 0
    tested, keys = (
        places[known_R[places]]
        for places in (exam.among(encoded, Role.TEST), exam.among(encoded, *exam.key_roles))
    )
    rows, key_rows = encoded.row_R[tested], encoded.row_R[keys]
    instrument_Q, instrument_K = instruments[rows], instruments[key_rows]
    if not len(rows) or not len(keys) or len(set(instruments[encoded.row_R].tolist()) - {-1}) < 2:
        return []
    ranks = present_ranks(exam, rows, with_label=True)
    allowed = {
        one: np.flatnonzero(instrument_K != one) for one in sorted(set(instrument_Q.tolist()))
    }
    names_Q = {rank: exam.names_of(rank, rows) for rank in ranks}
    names_K = {rank: np.asarray(exam.names_of(rank, key_rows), dtype=object) for rank in ranks}
    open_by_rank, chance_by_rank = {}, {}
    for rank in ranks:
        share_Q = _shares(names_Q[rank], names_K[rank], instrument_Q, allowed)
        open_by_rank[rank], chance_by_rank[rank] = share_Q > 0, share_Q
    answerable = {rank: set(names_K[rank].tolist()) - {None} for rank in ranks}
    questions = exam.questions(rows, answerable)
    questions = replace(questions, open_by_rank=open_by_rank)
    materials = exam.materials
    thumbnails = baselines.pixel_features(materials.pixels_MSSC, materials.size_M4[:, :2])
    pixels_RD = thumbnails[materials.image_N[encoded.row_R]]
    scores: list[Score] = []
    for method, value_RD in (("model", encoded.z_RD), ("nearest image by pixels", pixels_RD)):
        index = _nearest_allowed(value_RD[tested], value_RD[keys], instrument_Q, allowed)
        found = {
            rank: [[names_K[rank][key] for key in found.tolist()] for found in index]
            for rank in ranks
        }
        scores += score_answers(Answers(TASK, method, PAIR, found), questions)
    for rank in ranks:
        asked = open_by_rank[rank]
        chance = float(chance_by_rank[rank][asked].mean()) if asked.any() else float("nan")
        place = (TASK, "chance", PAIR, rank, "all", "top1_micro")
        scores.append(Score(*place, chance, None, None, int(asked.sum())))
    return scores


def _shares(
    names_Q: list[str | None],
    names_K: NDArray[np.object_],
    instrument_Q: NDArray[np.int64],
    allowed: dict[int, NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Returns for each query the share of its allowed keys that bear its name, 0 where it has none."""
    share_Q = np.zeros(len(names_Q))
    for one, places in allowed.items():
        names, counts = np.unique(
            [name for name in names_K[places].tolist() if name is not None], return_counts=True
        )
        count = dict(zip(names.tolist(), counts.tolist(), strict=True))
        for query in np.flatnonzero(instrument_Q == one).tolist():
            share_Q[query] = count.get(names_Q[query], 0) / max(1, len(places))
    return share_Q


def _nearest_allowed(
    query_QD: NDArray[np.float32],
    key_KD: NDArray[np.float32],
    instrument_Q: NDArray[np.int64],
    allowed: dict[int, NDArray[np.int64]],
) -> list[NDArray[np.int64]]:
    """Returns the nearest allowed keys of each query, best first."""
    found: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(query_QD)
    for one, places in allowed.items():
        queries = np.flatnonzero(instrument_Q == one)
        if not len(places):
            continue
        index_QK, _ = nearest(query_QD[queries], key_KD[places], k=baselines.CANDIDATES)
        for query, row in zip(queries.tolist(), index_QK, strict=True):
            found[query] = places[row]
    return found
