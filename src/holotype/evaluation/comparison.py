"""One question asked of several models on the same queries: figures, and their paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holotype.evaluation.exam import Exam
from holotype.evaluation.metrics import Estimate, difference, micro_accuracy, nearest
from holotype.models.towers import Modality
from holotype.splits.plan import Role, Status


@dataclass(frozen=True)
class Comparison:
    """Two models side by side.

    Attributes:
        first, second: the models' figures.
        gain: second minus first, with the interval of the paired difference.
    """

    first: Estimate
    second: Estimate
    gain: Estimate


def retrieval_accuracy(
    exam: Exam,
    query: Modality,
    key: Modality,
    *,
    rank: str,
    status: Status,
    roles: Sequence[Role] = (Role.TEST,),
) -> Estimate:
    """Returns how often the nearest key bears the query's name, over queries whose name has a key."""
    asked, keyed = exam.encoded[query], exam.encoded[key]
    keys = exam.among(keyed, *exam.key_roles)
    key_names = np.asarray(exam.names_of(rank, keyed.row_R[keys]), dtype=object)
    known = set(key_names.tolist()) - {None}
    tested = np.concatenate([exam.among(asked, role) for role in roles])
    rows = asked.row_R[tested]
    names = exam.names_of(rank, rows)
    use = np.asarray([n in known for n in names], dtype=bool)
    use &= exam.status_N[rows] == status.value
    index_QK, _ = nearest(asked.z_RD[tested[use]], keyed.z_RD[keys], k=1)
    truth = np.asarray(names, dtype=object)[use]
    hit_Q = key_names[index_QK[:, 0]] == truth
    return micro_accuracy(hit_Q, exam.group_N[rows[use]], seed=exam.seed)


def compare_retrieval(
    first: Exam,
    second: Exam,
    query: Modality,
    key: Modality,
    *,
    rank: str,
    status: Status,
    roles: Sequence[Role] = (Role.TEST,),
) -> Comparison:
    """Returns two models' accuracy on the same queries and keys, and the paired difference.

    Queries of the validation part may join (``roles``) where nothing was chosen by them.
    """
    a = retrieval_accuracy(first, query, key, rank=rank, status=status, roles=roles)
    b = retrieval_accuracy(second, query, key, rank=rank, status=status, roles=roles)
    return Comparison(a, b, difference(b, a))


def as_row(name: str, estimate: Estimate) -> dict[str, Any]:
    """Returns an estimate as a row of a report's question."""
    return {
        "name": name,
        **{
            name: round(figure, 4) if np.isfinite(figure) else None
            for name, figure in (
                ("value", estimate.value),
                ("low", estimate.low),
                ("high", estimate.high),
            )
        },
        "n": estimate.n,
    }
