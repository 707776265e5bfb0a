"""The figures of a run's epochs: on stderr, as metrics.csv, and for TensorBoard."""

import csv
import io
from pathlib import Path
from typing import Any

from holotype import files
from holotype.progress import marked, note
from holotype.training.checkpoint import Progress


class EpochLog:
    """Writes the figures of each epoch.

    Args:
        folder: the run's.
        progress: what a resumed run repeats is purged.
        active: whether this process writes; others do nothing.
    """

    def __init__(self, folder: Path, progress: Progress, *, active: bool) -> None:
        self._folder = folder
        self._writer: Any = None
        if active:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(
                str(folder / "tensorboard"), purge_step=progress.step - progress.done + 1
            )

    def __enter__(self) -> "EpochLog":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, progress: Progress, epochs: int) -> None:
        """Writes the figures of the latest epoch."""
        if self._writer is None:
            return
        row = progress.history[-1]
        note(told(row, epochs))
        marked("train (epochs)", done=row["epoch"], total=epochs)
        files.write_text(self._folder / "metrics.csv", as_csv(progress.history))
        for name, value in row.items():
            if isinstance(value, float):
                self._writer.add_scalar(name, value, progress.step)


def told(row: dict[str, Any], epochs: int) -> str:
    """Returns the line of an epoch."""
    shown = [f"{k} {v:.4f}" for k, v in row.items() if isinstance(v, float) and k != "rate"]
    return f"epoch {row['epoch']}/{epochs}: " + ", ".join(shown)


def as_csv(history: list[dict[str, Any]]) -> str:
    """Returns the figures of all epochs as CSV, a column for each that any epoch has."""
    names = list(dict.fromkeys(name for row in history for name in row))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return written.getvalue()
