"""A session: what is to be reviewed, in pages of look-alikes, with the labels that may be given.

A session is a folder: ``items.parquet``, ``labels.parquet``, ``log.jsonl`` and ``session.json``, written
last. All but the log stays as it was made. Format: docs/formats/review.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.schema import Column
from holotype.errors import SourceError
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.labels import LabelBook, from_table

FORMAT, VERSION = "holotype-review", 1
MANIFEST, ITEMS, LABELS = "session.json", "items.parquet", "labels.parquet"

_TEXT, _REAL, _COUNT = pa.string(), pa.float64(), pa.int32()
ITEM_COLUMNS: tuple[Column, ...] = (
    Column("record_id", _TEXT, "the record; unique in the session"),
    Column("page", _COUNT, "the page it is on, from 0; pages follow one another by likeness"),
    Column("place", _COUNT, "its place in the session, from 0; alike records stand together"),
    Column("look_alikes", _COUNT, "its group of look-alikes, from 0"),
    Column("proposal", _TEXT, "the label that confirming gives; null where there is none"),
    Column("label", _TEXT, "the model's best label, safe or not"),
    Column("score", _REAL, "its score, 0 to 1"),
    Column("answer", _TEXT, "the model's safe answer; null where none is"),
    Column("answer_level", _TEXT, "`label`, or the rank of the answer"),
    Column("answer_score", _REAL, "probability that the answer is right, 0 to 1"),
    Column("novelty", _REAL, "probability that it is of a taxon that was not learnt, 0 to 1"),
    Column("decision", _TEXT, "`named`, `ambiguous`, `novel`, `unplaced` or `failed`"),
    Column("decision_reason", _TEXT, "why the answer stops where it does, in words"),
    Column("top_k", _TEXT, "the best labels with their scores, JSON"),
    Column("current", _TEXT, "what the collection called it when the session was made"),
    Column("label_status", _TEXT, "likewise, the status of that label"),
    Column("labelled_by", _TEXT, "likewise, who gave it"),
    Column("content_hash", _TEXT, "of the record, as the collection has it"),
    Column("image_sha256", _TEXT, "of its image; null where it has none"),
    Column("image_width_px", _COUNT, "upright, as decoded"),
    Column("image_height_px", _COUNT, "upright, as decoded"),
    Column("pixel_size_um", _REAL, "micrometres per pixel"),
    Column("instrument", _TEXT, "the imaging system"),
    Column("sample_id", _TEXT, "the sample it was taken in"),
)
ITEMS_SCHEMA = pa.schema([(column.name, column.type) for column in ITEM_COLUMNS])


class Order(StrEnum):
    """In what order pages come, and the records within them."""

    GROUP = "group"
    DOUBT = "doubt"
    NOVELTY = "novelty"


class Proposal(StrEnum):
    """What confirming a record gives it."""

    LABEL = "label"
    """The model's best label, safe or not."""
    ANSWER = "answer"
    """The model's safe answer, which may be a wider taxon."""
    COLLECTION = "collection"
    """What the collection calls it."""


@dataclass(frozen=True)
class Session:
    """An open session.

    Attributes:
        path: its folder.
        manifest: the content of ``session.json``.
        items: of ``ITEMS_SCHEMA``, in the order of ``place``.
        book: the labels that may be given.
    """

    path: Path
    manifest: dict[str, Any]
    items: pa.Table
    book: LabelBook

    def __len__(self) -> int:
        return int(self.items.num_rows)

    def __bool__(self) -> bool:
        return True  # also without a record

    @property
    def id(self) -> str:
        """What tells this session from all others."""
        return str(self.manifest["id"])

    @property
    def name(self) -> str:
        """The session's name: that of its folder."""
        return self.path.name

    @property
    def collection(self) -> Path:
        """Folder of the collection that the records are in."""
        return Path(self.manifest["collection"]["path"])

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return int(self.manifest["pages"])

    @cached_property
    def record_ids(self) -> list[str]:
        """The records, in the order of ``place``."""
        found: list[str] = self.items["record_id"].to_pylist()
        return found

    @cached_property
    def content_hashes(self) -> dict[str, str | None]:
        """The content of each record as it was when the session was made."""
        hashes = self.items["content_hash"].to_pylist()
        return dict(zip(self.record_ids, hashes, strict=True))

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each record."""
        return {record: row for row, record in enumerate(self.record_ids)}

    @cached_property
    def rows_of_page(self) -> list[NDArray[np.int64]]:
        """The rows of each page, in their order."""
        page_N = self.items["page"].to_numpy()
        cuts = np.flatnonzero(np.diff(page_N)) + 1
        return np.split(np.arange(len(page_N)), cuts) if len(page_N) else []

    def column(self, name: str) -> NDArray[np.float64]:
        """Returns a column of numbers, NaN where there is none; float64 (N,)."""
        found: NDArray[np.float64] = pc.cast(self.items[name], pa.float64()).to_numpy()
        return found

    def page_order(self, order: Order) -> list[int]:
        """Returns the pages in an order; the most doubtful, or the most novel, first."""
        if order is Order.GROUP:
            return list(range(self.pages))
        weight_N = self.weight(order)
        means = [float(weight_N[rows].mean()) for rows in self.rows_of_page]
        return sorted(range(self.pages), key=lambda page: (-means[page], page))

    def rows(self, page: int, order: Order) -> list[int]:
        """Returns the rows of a page in an order."""
        rows = self.rows_of_page[page]
        if order is Order.GROUP:
            return [int(row) for row in rows]
        weight = self.weight(order)[rows]
        return [int(row) for row in rows[np.argsort(-weight, kind="stable")]]

    def weight(self, order: Order) -> NDArray[np.float64]:
        """Returns how doubtful or how novel each record is, 0 to 1; what has no answer is wholly so."""
        if order is Order.NOVELTY:
            return np.nan_to_num(self.column("novelty"), nan=1.0)
        return 1 - np.nan_to_num(self.column("score"), nan=0.0)


def open_session(path: Path | str) -> Session:
    """Returns the session in a folder.

    Raises:
        ReviewError: when it is missing, incomplete, damaged or of another version.
    """
    folder = Path(path)
    manifest = files.read_manifest(
        folder / MANIFEST, format_name=FORMAT, version=VERSION, error=ReviewError
    )
    try:
        items = pq.read_table(folder / ITEMS, schema=ITEMS_SCHEMA)
        labels = pq.read_table(folder / LABELS)
        found = Session(folder.resolve(), manifest, items, from_table(labels))
    except (OSError, pa.ArrowException, ValueError, KeyError) as reason:
        raise ReviewError(
            f"{folder}: damaged ({' '.join(str(reason).split())}). Make it again."
        ) from reason
    if items.num_rows != manifest["records"]:
        raise ReviewError(
            f"{folder / ITEMS}: {items.num_rows:,} records, but session.json says {manifest['records']:,}."
        )
    return found


def sessions_in(folder: Path) -> list[Path]:
    """Returns the folders of all complete sessions in a folder, by name."""
    if not folder.is_dir():
        return []
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))


def session_name(written: str) -> str:
    """Returns a name for a session that is safe as the name of a folder.

    Raises:
        SourceError: when nothing is left of it.
    """
    kept = "".join(c if c.isalnum() or c in "-_. " else "-" for c in written)
    name = "-".join(kept.split()).strip(".-")[:80]
    if not name:
        raise SourceError("a session needs a name of letters or digits.")
    return name
