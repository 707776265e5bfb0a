"""Records that somebody chose, kept as a small file so that a link can name them.

``selections/KEY.json`` of the workspace: ``{"collection": path, "record_ids": [...]}``. Equal choices have
equal keys.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holotype import files
from holotype.errors import CollectionError

FOLDER = "selections"
MOST_RECORDS = 100_000
"""A selection of more is no selection but a collection."""


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
    key = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]
    path = workspace / FOLDER / f"{key}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, content)
    return key


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
