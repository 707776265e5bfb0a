"""The scores of all labels, for formats that need them: of a table, else of the five best labels."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.collection.sources.ifcb.classes import read_thresholds
from holotype.errors import SourceError, did_you_mean, first_few
from holotype.exchange.answers.answered import Row, answer_rows, best_labels
from holotype.media.locations import FileAt
from holotype.media.members import Member

ONLY_BEST = "only the five best labels of each record have a score; all others are written as 0"
UNREACHABLE = 1.0
"""The threshold of a label without a promise."""
INPUT_LABEL = "input (label)"
"""The column of a label that is called ``input``."""
NOT_SCORED = "it is not in the table of scores"


@dataclass(frozen=True)
class Scores:
    """Scores by label.

    Attributes:
        labels: in the order of the columns.
        row_by_input: row of each scored input in ``score_NL``; None where only the best labels are known.
        score_NL: float32, 0 to 1; no rows where only the best labels are known.
    """

    labels: tuple[str, ...]
    row_by_input: Mapping[str, int] | None = None
    score_NL: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @property
    def remark(self) -> str | None:
        """What a reader of these scores should know, if anything."""
        return None if self.row_by_input is not None else ONLY_BEST

    def notes(self, rows: int) -> dict[str, int]:
        """Returns that as a note on so many rows."""
        return {} if self.remark is None else {self.remark: rows}

    def of(self, row: Row) -> NDArray[np.float32] | None:
        """Returns the score of each label, or None where the table of scores lacks the input."""
        if self.row_by_input is not None:
            at = self.row_by_input.get(row["input"])
            return None if at is None else self.score_NL[at]
        best = dict(best_labels(row))
        return np.asarray([best.get(label, 0.0) for label in self.labels], np.float32)


def read_scores(path: Path) -> pa.Table:
    """Returns the table of scores that ``holotype predict --scores`` wrote.

    Raises:
        SourceError: when it is no Parquet file.
    """
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as reason:
        raise SourceError(
            f"{path}: cannot be read as a table of scores ({reason}). Give the Parquet file that "
            "'holotype predict --scores' wrote."
        ) from reason


def read_threshold_file(path: Path) -> dict[str, float]:
    """Returns score by label of the CSV of ``holotype thresholds``, or of ``label threshold`` lines.

    A label without a promise gets a threshold that no score reaches.

    Raises:
        SourceError: when it is missing, or names the line that is none.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Give a file with 'label threshold' on each line.")
    if path.suffix.lower() == ".csv":
        return _thresholds_of_csv(path)
    return read_thresholds(Member(path.name, None, FileAt(str(path)), path.stat().st_size))


def _thresholds_of_csv(path: Path) -> dict[str, float]:
    found: list[tuple[bool, str, float]] = []
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            for row in reader:
                line = reader.line_num
                if row.get("of") == "label":
                    limit = float(row["threshold"] or UNREACHABLE)
                    found.append((row.get("channel") == "image", row["name"], limit))
    except (KeyError, TypeError, ValueError, csv.Error) as reason:
        said = f"no column {reason}" if isinstance(reason, KeyError) else str(reason)
        raise SourceError(
            f"{path}, line {line}: {said}. Give the file that 'holotype thresholds' wrote."
        ) from reason
    return {name: limit for _, name, limit in sorted(found, key=lambda one: one[0])}  # images win


def scores_of(answers: pa.Table, table: pa.Table | None = None) -> Scores:
    """Returns the scores that go with a table of answers.

    Args:
        answers: the answers.
        table: a column ``input`` and one of numbers for each label; without it, the five best labels of each
            answer are all that is known.

    Raises:
        SourceError: when the table has no inputs, no labels, an input twice, or what is no score.
    """
    if table is None:
        named = {label for row in answer_rows(answers) for label, _ in best_labels(row)}
        return Scores(tuple(sorted(named)))
    columns = tuple(name for name in table.column_names if name != "input")
    if "input" not in table.column_names or not columns:
        found = first_few(table.column_names) or "no column"
        raise SourceError(
            f"scores: a column 'input' and one for each label are expected, not {found}. "
            "Give the file that 'holotype predict --scores' wrote."
        )
    if not pa.types.is_string(table["input"].type):
        kind = table["input"].type
        raise SourceError(f"scores, column 'input': {kind}, not text. Give those of one run.")
    score_NL = _matrix(table, columns)
    rows: dict[str, int] = {}
    for at, name in enumerate(table["input"].to_pylist()):
        known = rows.setdefault(name, at)
        if name is None or not np.array_equal(score_NL[known], score_NL[at], equal_nan=True):
            wrong = "blank" if name is None else f"'{name}' is there twice, with other scores"
            raise SourceError(
                f"scores, row {at + 1}, column input: {wrong}. Give those of one run."
            )
    scored = {name: at for name, at in rows.items() if not np.isnan(score_NL[at]).any()}
    labels = tuple("input" if name == INPUT_LABEL else name for name in columns)
    return Scores(labels, scored, score_NL)


def _matrix(table: pa.Table, columns: tuple[str, ...]) -> NDArray[np.float32]:
    """Returns the scores; a row that was not scored is NaN throughout."""
    score_NL = np.empty((table.num_rows, len(columns)), np.float32)
    for place, name in enumerate(columns):
        column = table.column(name)
        if not pa.types.is_floating(column.type):
            raise SourceError(f"scores, column '{name}': {column.type}, not numbers. Check it.")
        score_NL[:, place] = column.to_numpy()
    is_score_NL = (score_NL >= 0) & (score_NL <= 1)
    bad_NL = ~is_score_NL & ~np.isnan(score_NL).all(axis=1, keepdims=True)
    if bad_NL.any():
        row, place = (int(at[0]) for at in np.nonzero(bad_NL))
        found = score_NL[row, place]
        raise SourceError(
            f"scores, row {row + 1}, column '{columns[place]}': {found} is no score from 0 to 1. "
            "Give the scores of the same run."
        )
    return score_NL


def thresholds_of(labels: tuple[str, ...], thresholds: Mapping[str, float]) -> NDArray[np.float64]:
    """Returns the threshold of each label, 0 where none is given.

    Raises:
        SourceError: when one is of no label, or is not from 0 to 1.
    """
    for name, limit in thresholds.items():
        if name not in labels:
            raise SourceError(f"thresholds: '{name}' is no label.{did_you_mean(name, labels)}")
        if not 0 <= limit <= 1:
            raise SourceError(f"thresholds: {limit} of '{name}' is not from 0 to 1. Correct it.")
    return np.asarray([thresholds.get(label, 0.0) for label in labels], np.float64)
