"""Answers -> batch results of MegaDetector, format 1.6, as Timelapse and other programs read them.

The format hangs classes on detections. There is no detector here, so every picture with an answer has one
box, the whole picture, of category "unknown" and with the confidence of the answer; a blank picture has none.
Format: https://lila.science/megadetector-output-format.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.exchange.answers.answered import (
    PERSON,
    Lineages,
    Row,
    answer_rows,
    best_labels,
    is_failed,
    known_lineages,
    lineage_of,
    picture_path,
    write_json_list,
    written,
)
from holotype.exchange.answers.camera_labels import Seen, seen_in
from holotype.exchange.answers.ifcb import classifier_name
from holotype.exchange.answers.speciesnet import SAME_PICTURE
from holotype.exchange.answers.writing import HUMAN, Written
from holotype.identify.columns import RANKS

VERSION = "1.6"
_WHOLE = [0.0, 0.0, 1.0, 1.0]
_UNKNOWN = "4"
_DETECTIONS = {"1": "animal", "2": "person", "3": "vehicle", _UNKNOWN: "unknown"}


class _Categories:
    """The classes of a file, numbered as they come, each with its lineage."""

    def __init__(self, lineages: Lineages) -> None:
        self._lineages = lineages
        self.ids: dict[str, str] = {}
        self.descriptions: dict[str, str] = {}

    def number(self, name: str, lineage: dict[str, str] | None = None) -> str:
        """Returns the number of a class."""
        if name not in self.ids:
            self.ids[name] = str(len(self.ids))
            of = self._lineages.get(name, {}) if lineage is None else lineage
            self.descriptions[self.ids[name]] = ";".join(of.get(rank, "") for rank in RANKS).lower()
        return self.ids[name]


def write_megadetector(
    answers: pa.Table,
    out: Path,
    *,
    lineages: Lineages | None = None,
    classified_at: datetime | None = None,
) -> Written:
    """Writes one image for each picture.

    Its classes are the safe answer, then the best labels that are less likely, by falling score; a picture
    without a safe answer has a box and no class, and one that could not be read has a ``failure``.

    Args:
        answers: of pictures.
        out: the JSON file.
        lineages: of the labels; without it, those that the answers show.
        classified_at: when the answers were given.
    """
    categories = _Categories(known_lineages(answers) if lineages is None else lineages)
    left_out: Counter[str] = Counter()
    images = list(_images(answers, categories, left_out))
    info = {
        "format_version": VERSION,
        "detector": "none: each box is the whole picture",
        "classifier": classifier_name(answers),
    }
    if classified_at is not None:
        info["classification_completion_time"] = classified_at.strftime("%Y-%m-%d %H:%M:%S")
    head = {
        "info": info,
        "detection_categories": _DETECTIONS,
        "classification_categories": {number: name for name, number in categories.ids.items()},
        "classification_category_descriptions": categories.descriptions,
    }
    count = write_json_list(out, head, "images", images)
    boxes = sum(len(image["detections"] or ()) for image in images)
    notes = {"no detector: each box is the whole picture": boxes}
    return written(answers, left_out, {"images": count}, notes)


def _images(
    answers: pa.Table, categories: _Categories, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    taken: set[str] = set()
    for row in answer_rows(answers):
        path = picture_path(row).replace("\\", "/")
        if path in taken or row["status"] == HUMAN:
            left_out[SAME_PICTURE if path in taken else PERSON] += 1
            continue
        taken.add(path)
        if is_failed(row):
            failure = row["failure"] or "it could not be read"
            yield {"file": path, "failure": failure, "detections": None}
        else:
            yield {"file": path, "detections": _detections(row, categories)}


def _detections(row: Row, categories: _Categories) -> list[dict[str, Any]]:
    if seen_in(row) is Seen.BLANK:
        return []
    score = row["score"] or 0.0
    box: dict[str, Any] = {"category": _UNKNOWN, "conf": score, "bbox": _WHOLE}
    if row["answer"]:
        score = score if row["answer_score"] is None else row["answer_score"]
        classes = [(row["answer"], score)]
        classes += [(n, s) for n, s in best_labels(row) if n != row["answer"] and s <= score]
        numbers = {row["answer"]: categories.number(row["answer"], lineage_of(row))}
        box |= {
            "conf": score,
            "classifications": [[numbers.get(n) or categories.number(n), s] for n, s in classes],
        }
    return [box]
