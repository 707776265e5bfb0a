"""The seven names above each taxon, found by climbing its parents, all rows at once."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.taxonomy.backbone.schema import RANK_COLUMNS

MAX_DEPTH = 200
"""No classification is deeper; what climbs longer goes in a circle."""


def lineage_columns(
    raw: pa.Table, names: pa.Array, rank: pa.Array, parent: NDArray[np.int32], accepted: NDArray[np.int32],
    problems: Counter[str],
) -> dict[str, pa.Array]:  # fmt: skip
    """Returns the seven names above (and at) the accepted taxon of each row.

    Climbing the parents comes first; where they say nothing, the source's own columns.
    """
    rank_code = pc.index_in(rank, value_set=pa.array(RANK_COLUMNS)).fill_null(-1).to_numpy()
    count = len(parent)
    start = np.where(accepted >= 0, accepted, -1)
    found = {name: np.full(count, -1, dtype=np.int32) for name in RANK_COLUMNS}
    rows, at = np.arange(count), start.copy()
    for _ in range(MAX_DEPTH):
        going = at >= 0
        rows, at = rows[going], at[going]
        if not len(rows):
            break
        here = rank_code[at]
        for code, name in enumerate(RANK_COLUMNS):
            fits = (here == code) & (found[name][rows] < 0)
            found[name][rows[fits]] = at[fits]
        at = parent[at]
    columns: dict[str, pa.Array] = {}
    for name in RANK_COLUMNS:
        place = found[name]
        climbed = names.take(pa.array(np.maximum(place, 0)))
        own = _capitals(raw[name].combine_chunks())
        of_accepted = own.take(pa.array(np.maximum(start, 0)))
        columns[name] = pc.if_else(
            pa.array(place >= 0), climbed, pc.if_else(pa.array(start >= 0), of_accepted, own)
        )
    placed = sum(
        pc.is_valid(columns[name]).to_numpy(zero_copy_only=False).astype(np.int8)
        for name in RANK_COLUMNS
    )
    if lost := int((np.asarray(placed) == 0).sum()):
        problems["no_lineage"] = lost
    return columns


def _capitals(names: pa.Array) -> pa.Array:
    """Returns names with a capital first letter; blank becomes null."""
    trimmed = pc.utf8_trim_whitespace(names)
    blank = pc.equal(pc.utf8_length(trimmed), 0)
    rest = pc.utf8_slice_codeunits(trimmed, 1)
    head = pc.utf8_upper(pc.utf8_slice_codeunits(trimmed, 0, 1))
    return pc.if_else(
        blank, pa.scalar(None, pa.string()), pc.binary_join_element_wise(head, rest, "")
    )
