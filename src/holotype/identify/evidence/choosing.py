"""Which answers get a card, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.errors import SourceError
from holotype.identify.columns import RANKS, Decision


class Order(StrEnum):
    """What comes first."""

    DOUBT = "doubt"
    NOVELTY = "novelty"
    ANSWER = "answer"


ORDERS: dict[Order, str] = {
    Order.DOUBT: "contradictions of image and barcode first, then the lowest score of the best label",
    Order.NOVELTY: "the least like anything learnt first",
    Order.ANSWER: "by the lineage of the answer, the least sure of each first",
}
_UP, _DOWN = "ascending", "descending"
_FAILED = ("failed", _UP)
_KEYS: dict[Order, list[tuple[str, str]]] = {
    Order.DOUBT: [_FAILED, ("contradicts", _DOWN), ("score", _UP)],
    Order.NOVELTY: [_FAILED, ("novelty", _DOWN)],
    Order.ANSWER: [_FAILED, *((rank, _UP) for rank in RANKS), ("answer", _UP), ("score", _UP)],
}
"""Columns to sort by; what is null comes last, and what failed after that."""


@dataclass(frozen=True)
class Chosen:
    """What is shown.

    Attributes:
        row_S: int64, the rows of the answers, in order.
        matching: how many answers have one of the decisions asked for.
    """

    row_S: NDArray[np.int64]
    matching: int


def chosen(answers: pa.Table, *, most: int, decisions: Sequence[Decision], order: Order) -> Chosen:
    """Returns at most so many answers, those of some decisions alone; equal ones keep their order.

    Args:
        answers: in the columns of ``holotype predict``.
        most: how many, at least 1.
        decisions: which; all where none is named.
        order: what comes first.

    Raises:
        SourceError: when no answer has one of the decisions, or ``most`` is below 1.
    """
    if most < 1:
        raise SourceError(f"--most {most}: show at least one answer.")
    said = answers["decision"]
    keys = pa.table(
        {
            **{name: answers[name] for name in (*RANKS, "answer", "score", "novelty")},
            "failed": pc.equal(said, Decision.FAILED.value).cast(pa.int8()),
            "contradicts": pc.coalesce(answers["conflict"], pa.scalar(value=False)).cast(pa.int8()),
        }
    )
    ordered = pc.sort_indices(keys, sort_keys=_KEYS[order]).to_numpy()
    if decisions:
        wanted = pc.is_in(said, value_set=pa.array([one.value for one in decisions]))
        ordered = ordered[np.asarray(wanted.to_numpy(), dtype=np.bool_)[ordered]]
    if not len(ordered):
        raise SourceError(_none(said, decisions))
    return Chosen(ordered[:most].astype(np.int64), len(ordered))


def _none(said: pa.ChunkedArray, decisions: Sequence[Decision]) -> str:
    if not len(said):
        return "no answer in the file. Give the answers of holotype predict."
    counted = sorted((one["values"], one["counts"]) for one in pc.value_counts(said).to_pylist())
    there = ", ".join(f"{count:,} {name}" for name, count in counted)
    return f"no answer is {' or '.join(decisions)}; there are {there}. Name another --decision."
