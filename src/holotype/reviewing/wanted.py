"""Which of the answers are to be reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import SourceError, first_few
from holotype.identify.columns import Decision

NOT_IN_COLLECTION = "answer to no record of the collection"
NOT_ASKED_FOR = "not asked for"


@dataclass(frozen=True)
class Wanted:
    """Which records are to be reviewed; what is empty asks for all.

    Attributes:
        record_ids: these alone, as from a selection on a map.
        labels: whose best label, or label in the collection, is one of these.
        decisions: that the model decided so on: ``ambiguous``, ``novel`` ...
    """

    record_ids: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, Any]:
        """Returns plain values for ``session.json``; null for what asks for all."""
        return {
            "record_ids": len(self.record_ids) or None,
            "labels": sorted(self.labels) or None,
            "decisions": sorted(self.decisions) or None,
        }


def asked_for(
    said: pa.Table, records: pa.Table, names: Sequence[str | None], wanted: Wanted, answers: Path
) -> tuple[pa.Array, pa.Array, dict[str, int]]:
    """Returns the rows of the answers to review, those of their records, and what is left out by reason."""
    place = pc.index_in(said["record_id"], value_set=records["record_id"].combine_chunks())
    place = place.combine_chunks() if isinstance(place, pa.ChunkedArray) else place
    there = np.asarray(pc.is_valid(place))
    ids = said["record_id"].filter(pa.array(there))
    if len(ids) > len(ids.unique()):
        raise SourceError(f"{answers}: answers some record twice. Predict the collection once.")
    kept = there.copy()
    row_N = np.nan_to_num(pc.cast(place, pa.float64()).to_numpy(zero_copy_only=False)).astype(
        np.int64
    )
    if wanted.record_ids:
        kept &= np.asarray(
            pc.is_in(said["record_id"], value_set=pa.array(sorted(wanted.record_ids)))
        )
    if wanted.decisions:
        if unknown := sorted(wanted.decisions - {*Decision}):
            raise SourceError(f"no decision '{unknown[0]}'. Known: {first_few([*Decision])}.")
        kept &= np.asarray(pc.is_in(said["decision"], value_set=pa.array(sorted(wanted.decisions))))
    if wanted.labels:
        best = np.asarray(pc.is_in(said["label"], value_set=pa.array(sorted(wanted.labels))))
        held = np.asarray(
            [bool(t) and names[row] in wanted.labels for t, row in zip(there, row_N, strict=True)]
        )
        kept &= best | held
    if not kept.any():
        raise SourceError(
            f"{answers}: none of its {said.num_rows:,} answers is to be reviewed. It must be made of this "
            "collection (holotype predict COLLECTION), and the filter must leave some."
        )
    left_out = {NOT_IN_COLLECTION: int((~there).sum()), NOT_ASKED_FOR: int((there & ~kept).sum())}
    found = np.flatnonzero(kept)
    return pa.array(found), pa.array(row_N[found]), {n: c for n, c in left_out.items() if c}
