"""Records that must stay together: same specimen, image bytes or barcode, and what else the user names."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError
from holotype.media.likeness import connected
from holotype.progress import note
from holotype.splits.columns import coded
from holotype.splits.near import near_links

TYING_COLUMNS = ("specimen_id", "image_sha256", "haplotype")
"""Records that share a value in any of these are one group, always."""
NEAR_DUPLICATES = "near_duplicates"
"""What the tie by likeness of images is called beside the columns."""
WORTH_A_NOTE = 0.1
"""A group with more of the records is told of."""
TOO_LARGE = 0.5
"""A group with more of the records that was asked for (kept together, near-duplicates) is an error."""


def group_records(
    table: pa.Table,
    columns: Sequence[str] = TYING_COLUMNS,
    *,
    near_bits: int | None = None,
) -> NDArray[np.int64]:
    """Returns the group of each record: the connected parts of "shares a value in a tying column".

    Args:
        table: a collection's columns.
        columns: the tying columns; ids of specimens, samples and acquisitions tie only within a source.
        near_bits: ties near-duplicate images too, within so many bits of their perceptual hash.

    Returns:
        int64 (N,): the row of the group's first record.
    """
    links = [links_of(table, column) for column in columns]
    if near_bits is not None:
        links.append(near_links(table, max_bits=near_bits))
    none = np.empty((0, 2), dtype=np.int64)
    return connected(table.num_rows, np.concatenate([none, *links]))


def links_of(table: pa.Table, column: str) -> NDArray[np.int64]:
    """Returns links from each record to the next with the same value, int64 (P, 2)."""
    code_N = coded(table, column).code_N
    order = np.argsort(code_N, kind="stable")
    same = (code_N[order[:-1]] == code_N[order[1:]]) & (code_N[order[:-1]] >= 0)
    return np.column_stack([order[:-1][same], order[1:][same]]).astype(np.int64)


def tell_of_giants(
    table: pa.Table, group_N: NDArray[np.int64], kept: Sequence[str], near_bits: int | None
) -> None:
    """Notes on stderr when one group holds a tenth of the records, and what ties it.

    Raises:
        SplitError: when columns that were asked for, or near-duplicates, make one group of more than half.
    """
    share = _largest(group_N)
    if share <= WORTH_A_NOTE or table.num_rows < 10:
        return
    ties = {column: _largest(group_records(table, (column,))) for column in (*TYING_COLUMNS, *kept)}
    if near_bits is not None:
        ties[NEAR_DUPLICATES] = _largest(group_records(table, (), near_bits=near_bits))
    told = ", ".join(f"{name} {part:.0%}" for name, part in ties.items() if part >= 0.01)
    text = (
        f"one group holds {share:.0%} of the records, so the parts cannot have the shares asked for. "
        f"Largest group by each tie alone: {told or 'none holds 1 %; together they chain'}."
    )
    basic = _largest(group_records(table))
    if share > TOO_LARGE >= basic:
        raise SplitError(f"{text} Keep fewer columns together, or give fewer bits.")
    note(text)


def _largest(group_N: NDArray[np.int64]) -> float:
    """Returns the share of the records that the largest group holds."""
    return float(np.bincount(group_N).max() / len(group_N)) if len(group_N) else 0.0
