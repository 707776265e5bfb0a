"""The nearest reference records of an answer, and the thumbnails that an index has of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.errors import MediaError
from holotype.identify.evidence.finding import SIDE_PX, data_address
from holotype.index.embedding import thumbnail
from holotype.index.store import Index, open_index
from holotype.media.images import read_pixels

_JPEG = b"\xff\xd8\xff"
_RECORDS_AT_A_TIME = 256


def nearest_of(text: str | None) -> list[dict[str, Any]] | None:
    """Returns the records of the column ``nearest``, best first; None where it cannot be read."""
    if not text:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return None
    return found


def thumbnails_of(index: Path | str, record_ids: Iterable[str]) -> dict[str, str]:
    """Returns the thumbnails of records by id, as ``data:`` addresses, no side above ``SIDE_PX``.

    Records that the index lacks, or has no thumbnail of, are absent.

    Raises:
        CollectionError: when the index cannot be opened.
    """
    opened = open_index(index)
    rows = _rows_of(opened, record_ids)
    found: dict[str, str] = {}
    for first in range(0, len(rows), _RECORDS_AT_A_TIME):
        found |= _shown(opened, rows[first : first + _RECORDS_AT_A_TIME])
    return found


def barcodes_of(index: Index, record_ids: Iterable[str]) -> dict[str, str]:
    """Returns the barcodes of records of an index by id; those that it lacks are absent."""
    taken = index.taken(["record_id", "barcode"], _rows_of(index, record_ids)).to_pylist()
    return {one["record_id"]: one["barcode"] for one in taken if one["barcode"]}


def _rows_of(index: Index, record_ids: Iterable[str]) -> NDArray[np.int64]:
    """Returns the rows of those records that the index has, in order."""
    wanted = pa.array(sorted(set(record_ids)), pa.string())
    at = pc.index_in(wanted, value_set=index.columns(["record_id"])["record_id"])
    rows: NDArray[np.int64] = np.sort(pc.drop_null(at).to_numpy().astype(np.int64))
    return rows


def _shown(index: Index, rows: Any) -> dict[str, str]:
    taken = index.taken(["record_id", "thumbnail"], rows).to_pylist()
    shown = {one["record_id"]: _address(one["thumbnail"]) for one in taken}
    return {name: address for name, address in shown.items() if address is not None}


def _address(content: bytes | None) -> str | None:
    """Returns a thumbnail as it is where it is small enough, else made smaller; None where it is damaged."""
    if content is None:
        return None
    try:
        pixels_HWC = read_pixels(content)
    except MediaError:
        return None
    is_small = content.startswith(_JPEG) and max(pixels_HWC.shape[:2]) <= SIDE_PX
    return data_address(content if is_small else thumbnail(pixels_HWC, side_px=SIDE_PX))
