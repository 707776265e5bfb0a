"""Records that somebody chose, kept as a small file so that a link can name them.

``selections/KEY.json`` of the workspace: ``{"collection": path, "record_ids": [...]}``. Equal choices have
equal keys.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from holotype import files
from holotype.app.exploring.record_rows import RecordRows
from holotype.errors import CollectionError

FOLDER = "selections"
MOST_RECORDS = 100_000
"""A selection of more is no selection but a collection."""
_KEPT = 16


@dataclass(frozen=True)
class Selection:
    """Chosen records of a collection."""

    collection: str
    record_ids: tuple[str, ...]


def keep_selection(workspace: Path, collection: Path, record_ids: Sequence[str]) -> str:
    """Writes a selection and returns its key, 20 letters and digits.

    Raises:
        CollectionError: when it is empty or has more than ``MOST_RECORDS``.
    """
    if not record_ids:
        raise CollectionError("nothing is selected.")
    if len(record_ids) > MOST_RECORDS:
        raise CollectionError(
            f"{len(record_ids):,} records are selected; at most {MOST_RECORDS:,} can be kept. "
            "Narrow them first."
        )
    content = {"collection": str(collection), "record_ids": list(record_ids)}
    key = _key_of(str(collection), record_ids)
    path = workspace / FOLDER / f"{key}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, content)
    return key


def _key_of(collection: str, record_ids: Sequence[str]) -> str:
    """Returns the same key for the same records, in whatever order they were chosen."""
    said = json.dumps({"collection": collection, "record_ids": sorted(set(record_ids))})
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def selection_of(workspace: Path, key: str) -> Selection:
    """Returns a kept selection.

    Raises:
        CollectionError: when there is none of that key, or it is damaged.
    """
    if not (key.isascii() and key.isalnum()):
        raise CollectionError(f"'{key}' is no key of a selection.")
    path = workspace / FOLDER / f"{key}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ids = tuple(str(one) for one in content["record_ids"])
        return Selection(str(content["collection"]), ids)
    except FileNotFoundError:
        raise CollectionError(
            f"selection {key} is not kept here. Select the records again."
        ) from None
    except (ValueError, KeyError, TypeError) as reason:
        raise CollectionError(f"{path}: damaged ({reason}). Select the records again.") from None


class SelectionRows:
    """The rows of kept selections, each found once for each content of the collection.

    Safe to share between threads.

    Args:
        workspace: where the selections are kept.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._lock = Lock()
        self._found: OrderedDict[tuple[str, str, str], NDArray[np.int64]] = OrderedDict()

    def rows(self, key: str, rows: RecordRows) -> NDArray[np.int64]:
        """Returns the rows of the records of a selection that are in the collection, int64.

        Raises:
            CollectionError: as ``selection_of``.
        """
        of = (key, str(rows.collection.path), rows.collection.fingerprint)
        with self._lock:
            found = self._found.get(of)
            if found is not None:
                self._found.move_to_end(of)
                return found
        all_S = rows.places(selection_of(self._workspace, key).record_ids)
        found = all_S[all_S >= 0]
        with self._lock:
            self._found[of] = found
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found
