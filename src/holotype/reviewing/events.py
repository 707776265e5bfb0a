"""One thing that a reviewer did, as one line of the log.

Format: docs/formats/review.md.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from holotype.errors import first_few
from holotype.reviewing.errors import ReviewError

MAX_NAME = 80
"""Letters of a reviewer's name."""
MAX_LABEL = 300
MAX_NOTE = 4_000
MAX_RECORDS = 10_000
"""Records of one event."""


class Kind(StrEnum):
    """What was done."""

    CONFIRM = "confirm"
    RELABEL = "relabel"
    UNCLASSIFY = "unclassify"
    NOTE = "note"
    UNDO = "undo"


DECIDING = frozenset({Kind.CONFIRM, Kind.RELABEL, Kind.UNCLASSIFY})
"""Kinds that say what a record is, or that it has no name."""


def new_id() -> str:
    """Returns the id of a new event."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Event:
    """One line of the log.

    Attributes:
        id: of the event; a line whose id is there already is not written again.
        time: ISO 8601, UTC.
        reviewer: name of the person.
        kind: what was done.
        records: ids of the records it is about; empty for an undo.
        labels: the label of each, None where it has none (unclassify, note, undo).
        replaces: what the same reviewer had said of each before, None where nothing.
        new_labels: labels among these that the session did not know.
        text: of a note.
        undoes: id of the event that is taken back.
    """

    id: str
    time: str
    reviewer: str
    kind: Kind
    records: tuple[str, ...] = ()
    labels: tuple[str | None, ...] = ()
    replaces: tuple[str | None, ...] = ()
    new_labels: tuple[str, ...] = ()
    text: str | None = None
    undoes: str | None = None

    def as_line(self) -> bytes:
        """Returns the event as one line of JSON with its end of line, UTF-8."""
        row: dict[str, Any] = {
            "id": self.id,
            "time": self.time,
            "reviewer": self.reviewer,
            "kind": self.kind.value,
            "records": list(self.records),
            "labels": list(self.labels),
            "replaces": list(self.replaces),
        }
        row |= {"new_labels": list(self.new_labels)} if self.new_labels else {}
        row |= {"text": self.text} if self.text is not None else {}
        row |= {"undoes": self.undoes} if self.undoes is not None else {}
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Event":
        """Returns the event of a line.

        Raises:
            ValueError: when it is not one.
        """
        row = json.loads(line)
        if not isinstance(row, Mapping):
            raise ValueError("no JSON object")
        try:
            event = cls(
                _text(row["id"]), _text(row["time"]), _text(row["reviewer"]), Kind(row["kind"]),
                tuple(_text(one) for one in row["records"]), _texts(row["labels"]), _texts(row["replaces"]),
                tuple(_text(one) for one in row.get("new_labels", ())),
                row.get("text"), row.get("undoes"),
            )  # fmt: skip
        except (KeyError, TypeError) as reason:
            raise ValueError(f"no event: {reason}") from None
        if not len(event.records) == len(event.labels) == len(event.replaces):
            raise ValueError("records, labels and replaces are not of one length")
        return event


@dataclass(frozen=True)
class Asked:
    """What a reviewer asks to be written; id, time and what it replaces are given when it is.

    Attributes:
        kind: any but ``undo``.
        records: ids.
        labels: the label of each record; for ``unclassify`` and ``note`` nothing.
        new_labels: labels among these that the session does not know.
        text: of a note.
        id: of the event.
    """

    kind: Kind
    records: tuple[str, ...]
    labels: tuple[str | None, ...] = ()
    new_labels: tuple[str, ...] = ()
    text: str | None = None
    id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        labels = self.labels or (None,) * len(self.records)
        object.__setattr__(self, "labels", labels)
        _check(self)


def reviewer_name(written: str) -> str:
    """Returns a reviewer's name without needless blanks.

    Raises:
        ReviewError: when nothing is left, it is too long, or has the sign that stands between names.
    """
    name = " ".join("".join(c if c.isprintable() else " " for c in written).split())
    if not name or len(name) > MAX_NAME:
        raise ReviewError(f"a reviewer's name has 1 to {MAX_NAME} letters, not {len(name)}.")
    if ";" in name:
        raise ReviewError(
            f"reviewer '{name}': a name has no ';'. Everybody decides under one name."
        )
    return name


def label_name(written: str) -> str:
    """Returns a label without needless blanks.

    Raises:
        ReviewError: when nothing is left, or it is too long.
    """
    name = " ".join("".join(c if c.isprintable() else " " for c in written).split())
    if not name or len(name) > MAX_LABEL:
        raise ReviewError(f"a label has 1 to {MAX_LABEL} letters, not {len(name)}.")
    return name


def _check(asked: Asked) -> None:
    if asked.kind is Kind.UNDO:
        raise ReviewError("an undo names no records. Ask the log to undo.")
    if not 1 <= len(asked.records) <= MAX_RECORDS:
        raise ReviewError(
            f"{len(asked.records):,} records: decide on 1 to {MAX_RECORDS:,} at a time."
        )
    if len(set(asked.records)) < len(asked.records):
        raise ReviewError(f"records named twice: {first_few(_twice(asked.records))}.")
    if len(asked.labels) != len(asked.records):
        raise ReviewError(f"{len(asked.labels)} labels for {len(asked.records)} records.")
    needs = asked.kind in {Kind.CONFIRM, Kind.RELABEL}
    if any((label is not None) != needs for label in asked.labels):
        raise ReviewError(
            f"{asked.kind.value}: " + ("a record has no label." if needs else "takes no label.")
        )
    if asked.kind is Kind.NOTE and not 0 < len(asked.text or "") <= MAX_NOTE:
        raise ReviewError(f"a note has 1 to {MAX_NOTE:,} letters.")


def _twice(records: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return [one for one in records if one in seen or seen.add(one)]  # type: ignore[func-returns-value]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(values: Any) -> tuple[str | None, ...]:
    return tuple(None if one is None else _text(one) for one in values)
