"""The labels that people wrote in one assessment: a journal that several tabs and people write at once.

``labels.jsonl``: one line for each label, on disk before the page says so; the last one of a number holds.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from holotype import journal
from holotype.errors import SourceError

LABELS, TORN = "labels.jsonl", "labels.torn.jsonl"
MOST_LETTERS = 200


@dataclass(frozen=True)
class Written:
    """A label as it stands, "" where it was taken back, and who wrote it."""

    label: str
    by: str


@dataclass(frozen=True)
class WrittenLabels:
    """The labels in the folder of an assessment."""

    folder: Path

    def state(self) -> tuple[int, int]:
        """Returns size and time of the file: equal while nobody writes."""
        try:
            about = (self.folder / LABELS).stat()
        except OSError:
            return 0, 0
        return about.st_size, about.st_mtime_ns

    def read(self) -> dict[int, Written]:
        """Returns what stands, by number. A torn line is left out."""
        try:
            return _last((self.folder / LABELS).read_bytes())
        except OSError:
            return {}

    def write(self, number: int, label: str, *, by: str) -> Written | None:
        """Writes a label where it does not stand so already; when this returns, it is on disk.

        Returns:
            What stood there until then; None where nothing was ever written.

        Raises:
            SourceError: for text that is no label.
        """
        text = " ".join(label.split())
        if len(text) > MOST_LETTERS:
            raise SourceError(f"a label of {len(text)} letters; at most {MOST_LETTERS}.")
        told = {"number": number, "label": text, "by": by, "at": journal.now()}
        line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        with journal.held(self.folder / LABELS) as descriptor:
            whole = journal.whole_lines(descriptor)
            before = _last(whole).get(number)
            if text != (before.label if before is not None else ""):
                journal.append(descriptor, line, end=len(whole), torn=self.folder / TORN)
        return before


def _last(content: bytes) -> dict[int, Written]:
    found: dict[int, Written] = {}
    for line in content.decode("utf-8", errors="replace").split("\n"):
        try:
            told = json.loads(line)
            found[int(told["number"])] = Written(str(told["label"]), str(told.get("by") or ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found
