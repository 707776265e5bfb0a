"""Scores of labels -> rows that people read: the contract of ``holotype predict``.

Columns, in order: ``input, label, kingdom..species, rank, score, score_kingdom..score_species, taxon,
taxon_rank, taxon_score, top_k, failure``. Scores are probabilities, rounded to six digits, calibrated by a
temperature where the model has a head; the score of a rank is the sum over all labels within the lineage's
taxon at that rank. ``taxon`` is the narrowest taxon with a score above one half: such taxa contain one
another, so there is one narrowest. What is not known is null (an empty cell in CSV).
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.models.labels import LabelSpace
from holotype.taxonomy.lineage import LINNAEAN_RANKS
from holotype.taxonomy.tree import linnaean_columns

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
TOP_K = 5
MORE_LIKELY_THAN_NOT = 0.5
DIGITS = 6

ANSWER_SCHEMA = pa.schema(
    [
        ("input", pa.string()),
        ("label", pa.string()),
        *((rank, pa.string()) for rank in RANKS),
        ("rank", pa.string()),
        ("score", pa.float64()),
        *((f"score_{rank}", pa.float64()) for rank in RANKS),
        ("taxon", pa.string()),
        ("taxon_rank", pa.string()),
        ("taxon_score", pa.float64()),
        ("top_k", pa.string()),
        ("failure", pa.string()),
    ]
)


def failed(input_: str, reason: str) -> dict[str, Any]:
    """Returns the row of an input that could not be named."""
    return {**dict.fromkeys(ANSWER_SCHEMA.names), "input": input_, "failure": reason}


@dataclass(frozen=True)
class AnswerSheet:
    """A label space made ready to write rows from.

    Attributes:
        labels: what is scored.
        node_LR: int64, the node of each label at each Linnaean rank, -1 where it has none.
    """

    labels: LabelSpace
    node_LR: NDArray[np.int64]

    @classmethod
    def of(cls, labels: LabelSpace) -> "AnswerSheet":
        """Returns the sheet of a label space."""
        columns = [labels.tree.node_at_rank_L(rank) for rank in LINNAEAN_RANKS]
        return cls(labels, np.stack(columns, axis=1))

    def rows(self, inputs: list[str], probability_BL: NDArray[np.float64]) -> list[dict[str, Any]]:
        """Returns one row for each input."""
        node_BN = self.labels.tree.node_probability(probability_BL)
        best_BK = np.argsort(-probability_BL, axis=1, kind="stable")[:, :TOP_K]
        return [
            self._row(name, probability_BL[b], node_BN[b], best_BK[b])
            for b, name in enumerate(inputs)
        ]

    def _row(
        self,
        input_: str,
        probability_L: NDArray[np.float64],
        node_N: NDArray[np.float64],
        best_K: NDArray[np.int64],
    ) -> dict[str, Any]:
        label = self.labels.labels[int(best_K[0])]
        nodes = self.node_LR[int(best_K[0])].tolist()
        top = [
            {"label": self.labels.names[k], "score": _rounded(probability_L[k])}
            for k in best_K.tolist()
        ]
        lineage = label.concept.lineage
        return {
            "input": input_,
            "label": label.name,
            **linnaean_columns(lineage),
            "rank": lineage.rank.value if lineage.rank is not None else None,
            "score": _rounded(probability_L[best_K[0]]),
            **{
                f"score_{rank}": _rounded(node_N[node]) if node >= 0 else None
                for rank, node in zip(RANKS, nodes, strict=True)
            },
            **self._narrowest(node_N),
            "top_k": json.dumps(top, ensure_ascii=False),
            "failure": None,
        }

    def _narrowest(self, node_N: NDArray[np.float64]) -> dict[str, Any]:
        """Returns the narrowest taxon that is more likely than not, with its score; nulls for none."""
        likely = np.flatnonzero(node_N > MORE_LIKELY_THAN_NOT)
        if not len(likely):
            return dict.fromkeys(("taxon", "taxon_rank", "taxon_score"))
        node = int(likely[-1])  # parents come before children
        lineage = self.labels.tree.nodes[node]
        assert lineage.rank is not None
        return {
            "taxon": lineage.name,
            "taxon_rank": lineage.rank.value,
            "taxon_score": _rounded(node_N[node]),
        }


def _rounded(value: float | np.floating[Any]) -> float:
    return min(1.0, round(float(value), DIGITS))
