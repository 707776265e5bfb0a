"""Answers -> class scores of Imaging FlowCytobot bins: one ``<bin>_class.h5`` of version 3 for each bin.

Layout: ``output_scores`` (regions x classes), ``class_labels``, ``roi_numbers``, and, as laboratories
around the Baltic add them, ``class_name_auto`` (the winner), ``class_name`` (``unclassified`` below its
threshold), ``thresholds`` and ``classifier_name``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype import files
from holotype._version import __version__
from holotype.errors import SourceError
from holotype.exchange.answers.answered import (
    Row,
    answer_rows,
    shown,
    why_no_scores,
    written,
)
from holotype.exchange.answers.scores import NOT_SCORED, Scores, scores_of, thresholds_of
from holotype.exchange.answers.writing import Written
from holotype.media.capture_times import capture_time

UNCLASSIFIED = "unclassified"


class Region(NamedTuple):
    """One region of a bin: its number, the score of each label, the label that is safe or None."""

    number: int
    score_L: NDArray[np.float32]
    safe: str | None


def write_ifcb(
    answers: pa.Table,
    out: Path,
    *,
    scores: pa.Table | None = None,
    thresholds: Mapping[str, float] | None = None,
    classifier: str | None = None,
) -> Written:
    """Writes one file for each bin into a folder.

    Args:
        answers: of regions of interest, named ``D20130526T095207_IFCB013_00014`` or
            ``IFCB5_2012_028_081515_00014`` by source item, record id or input.
        out: the folder.
        scores: the scores of all labels, by input; without it those of the five best, and 0 for the rest.
        thresholds: score by label below which ``class_name`` is ``unclassified``; without it, it is so where
            the answer is not the label.
        classifier: its name; the model's fingerprint where none is given.

    Raises:
        SourceError: when scores or thresholds do not fit, or a label cannot be written.
    """
    known = scores_of(answers, scores)
    check_labels(known.labels)
    limit_L = None if thresholds is None else thresholds_of(known.labels, thresholds)
    left_out: Counter[str] = Counter()
    bins = bins_of(answers, known, left_out)
    named = classifier or classifier_name(answers)
    with files.folder_written_whole(out) as folder:
        for bin_id, regions in bins.items():
            _write_bin(folder / f"{bin_id}_class.h5", regions, known, limit_L, named)
    count = sum(len(regions) for regions in bins.values())
    return written(answers, left_out, {"regions": count}, {"bins": len(bins), **known.notes(count)})


def check_labels(labels: tuple[str, ...]) -> None:
    """Checks that labels can stand in an HDF5 file and in the head of a table.

    Raises:
        SourceError: for a label with a zero byte or a line end.
    """
    for label in labels:
        if "\0" in label or len(label.splitlines()) != 1:
            raise SourceError(
                f"label '{shown(label)}': a blank name, a zero byte or a line end cannot be written as a "
                "class. Rename the label and train again, or choose another format."
            )


def classifier_name(answers: pa.Table) -> str:
    """Returns the name under which the models of a table of answers go into other people's files."""
    models = sorted({str(model) for model in answers["model"].to_pylist() if model})
    return " ".join(["holotype", *models])


def bins_of(answers: pa.Table, scores: Scores, left_out: Counter[str]) -> dict[str, list[Region]]:
    """Returns the bins by name, each with its regions by number; counts the answers that are in none."""
    bins: dict[str, dict[int, Region]] = {}
    for row in answer_rows(answers):
        place = _bin_and_region(row)
        score_L = scores.of(row)
        if reason := why_no_scores(row):
            left_out[reason] += 1
        elif place is None:
            left_out["no bin and region in its name, as D20130526T095207_IFCB013_00014"] += 1
        elif score_L is None:
            left_out[NOT_SCORED] += 1
        elif place[1] in bins.get(place[0], {}):
            left_out["an earlier answer is of the same region"] += 1
        else:
            safe = row["answer"] if row["answer_level"] == "label" else None
            bins.setdefault(place[0], {})[place[1]] = Region(place[1], score_L, safe)
    return {
        bin_id: [bins[bin_id][number] for number in sorted(bins[bin_id])] for bin_id in sorted(bins)
    }


def _bin_and_region(row: Row) -> tuple[str, int] | None:
    for name in _names(row):
        found = capture_time(name)
        if found is not None and found.bin_id is not None and found.roi_number is not None:
            return found.bin_id, found.roi_number
    return None


def _names(row: Row) -> Iterator[str]:
    yield from (str(row[name]) for name in ("source_item", "record_id", "input") if row[name])


def _write_bin(
    path: Path,
    regions: list[Region],
    scores: Scores,
    limit_L: NDArray[np.float64] | None,
    classifier: str,
) -> None:
    import h5py

    score_NL = np.stack([region.score_L for region in regions])
    best_N = score_NL.argmax(axis=1)
    winners = [scores.labels[place] for place in best_N]
    if limit_L is None:
        is_safe = [region.safe == winner for region, winner in zip(regions, winners, strict=True)]
    else:
        is_safe = (score_NL.max(axis=1) >= limit_L[best_N]).tolist()
    names = [
        winner if safe else UNCLASSIFIED for winner, safe in zip(winners, is_safe, strict=True)
    ]
    text = h5py.string_dtype()
    content: dict[str, tuple[Any, Any]] = {
        "output_scores": (score_NL, np.float32),
        "class_labels": (list(scores.labels), text),
        "roi_numbers": ([region.number for region in regions], np.int32),
        "classifier_name": ([classifier], text),
        "class_name_auto": (winners, text),
        "class_name": (names, text),
    }
    if limit_L is not None:
        content["thresholds"] = (limit_L, np.float64)
    with files.written_whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["written_by"] = f"holotype {__version__}"
        for name, (values, kind) in content.items():
            file.create_dataset(name, data=values, dtype=kind, compression="gzip")
        if scores.remark is not None:
            file["output_scores"].attrs["remark"] = scores.remark
