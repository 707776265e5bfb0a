"""The best names of whatever was brought, as pybioclip's command line gives them: a CSV or a table.

A run by the model first (``predict``, which a kill does not cost), then its scores are read a part at a time.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.exchange.answers import best_names
from holotype.exchange.answers.answered import lineages_of_model, write_comma
from holotype.exchange.answers.best_names import LABEL, Cells, Names
from holotype.exchange.answers.cells import cell
from holotype.exchange.answers.made import SIDECAR
from holotype.exchange.answers.names_wanted import Shape, Wanted
from holotype.exchange.answers.writing import USUAL_K
from holotype.identify.class_lists import read_bins, read_classes
from holotype.identify.log import check_log, log_of
from holotype.identify.writers import check_places
from holotype.taxonomy.lineage import Rank

if TYPE_CHECKING:
    from holotype.identify.own_classes import ClassSpace
    from holotype.identify.predict import PredictReport
    from holotype.models.bundle import Bundle

SCORES, EMBEDDINGS, ANSWERS = "scores.parquet", "embeddings.parquet", "answers.parquet"
NAMES = "names"
_BATCH = 4_096


@dataclass(frozen=True)
class BestNamesReport:
    """What was named.

    Attributes:
        out: the file; "" where the rows are in ``text``.
        specimens: how many were read.
        failures: how many of them have no row: they could not be read, or nothing that counts has a score.
        rows: how many rows there are.
        text: the rows as text, where no file was named.
        answers: what the run of the model did.
        sidecar: the file that says how the rows were made; "" without a file.
    """

    out: str
    specimens: int
    failures: int
    rows: int
    text: str
    answers: "PredictReport"
    sidecar: str = ""


@dataclass(frozen=True)
class _Plan:
    """How the columns of a run become names.

    Attributes:
        names: the names.
        space: the space of classes; None where the run's own scores count.
    """

    names: Names
    space: "ClassSpace | None" = None

    def scores(self, values_BN: NDArray[np.float32]) -> NDArray[np.floating]:
        return values_BN if self.space is None else self.space.scores(values_BN)


def best_names_of(
    run: Path | str,
    inputs: Sequence[Path | str],
    wanted: Wanted,
    *,
    output: Path | None,
    answers: Path | None = None,
    log: Path | None = None,
    **how: Any,
) -> BestNamesReport:
    """Names every input and writes the best names of each, best first.

    What is wrong with ``wanted`` is said before anything is read.

    Args:
        run: a bundle, or ``starter``.
        inputs: what ``predict`` takes.
        wanted: which names.
        output: the file to write, in place of one that is there; None gives the text in the report.
        answers: where to write the answers of ``predict`` as well; None keeps none.
        log: a file for how it was done; see ``identify.log``.
        how: what ``predict`` takes beside these.

    Raises:
        SourceError, BundleError: when a file or the model cannot be used for what is wanted.
        CollectionError: as ``predict``.
    """
    from holotype.identify.predict import predict
    from holotype.models.bundle import open_bundle

    check_places([output], inputs)
    check_log(log)
    bundle = open_bundle(run)
    plan = _plan(bundle, wanted)
    kind = SCORES if plan.space is None else EMBEDDINGS
    with _work(output) as folder:
        name = kind.partition(".")[0]
        given = how.pop(name, None)
        table = folder / kind if given is None else Path(given)
        told = folder / ANSWERS if answers is None else answers
        asked: dict[str, Any] = {**how, name: table}
        report = predict(run, inputs, out=told, **asked)
        counted = _Counted()
        rows = counted.rows(table, plan, wanted)
        target = folder / NAMES if output is None else output
        _WRITERS[wanted.shape](target, plan.names.header, _cells(rows))
        text = target.read_bytes().decode("utf-8") if output is None else ""
        told_of = _told(target, Path(report.sidecar), wanted)
        log_of(told_of, log)
        made = "" if output is None else str(told_of)
    return BestNamesReport(
        "" if output is None else str(output),
        counted.specimens,
        counted.failures,
        counted.written,
        text,
        report,
        made,
    )


def _plan(bundle: "Bundle", wanted: Wanted) -> _Plan:
    from holotype.identify.own_classes import ClassSpace, check_captions

    if wanted.is_of_classes:
        check_captions(bundle)
        bins = None if wanted.bins is None else read_bins(wanted.bins)
        given = read_classes(wanted.classes or "") if bins is None else tuple(bins)
        return _Plan(best_names.classes(given, bins), ClassSpace.of(bundle, given))
    labels, lineages = bundle.labels.names, lineages_of_model(bundle.path)
    rank = (wanted.rank or Rank.SPECIES.value).lower()
    names = (
        best_names.classes(labels)
        if rank == LABEL
        else best_names.taxa(labels, lineages, Rank(rank))
    )
    if wanted.subset is not None:
        kept_L = best_names.read_subset(wanted.subset, labels, lineages)
        names = best_names.restricted(names, kept_L)
    return _Plan(names)


@contextmanager
def _work(output: Path | None) -> Iterator[Path]:
    """Yields the folder of the run: beside the file, to be gone on with after a kill, else a passing one."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="holotype-") as passing:
            yield Path(passing)
        return
    folder = output.with_name(f"{output.name}.run")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
        for name in (SCORES, EMBEDDINGS, ANSWERS, f"{ANSWERS}{SIDECAR}"):
            (folder / name).unlink(missing_ok=True)
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


@dataclass
class _Counted:
    """How many specimens and rows went by."""

    specimens: int = 0
    failures: int = 0
    written: int = 0

    def rows(self, table: Path, plan: _Plan, wanted: Wanted) -> Iterator[tuple[str, Cells, float]]:
        """Yields name, cells and score of the specimens in a table of scores or embeddings."""
        k = wanted.k if wanted.is_of_classes or wanted.k is not None else USUAL_K
        with pq.ParquetFile(table) as opened:
            for batch in opened.iter_batches(_BATCH):
                inputs = batch.column("input").to_pylist()
                scores = plan.scores(_matrix(batch))
                for name, best in zip(inputs, plan.names.best(scores, k=k), strict=True):
                    self.specimens += 1
                    self.failures += not best
                    self.written += len(best)
                    yield from ((name, cells, score) for cells, score in best)


def _matrix(batch: Any) -> NDArray[np.float32]:
    """Returns all columns but the first, side by side, float32; null is nan."""
    columns = batch.columns[1:]
    if pa.types.is_fixed_size_list(batch.schema.field(1).type):
        values: NDArray[np.float32] = columns[0].flatten().to_numpy(zero_copy_only=False)
        return values.reshape(batch.num_rows, -1)
    found = [column.to_numpy(zero_copy_only=False) for column in columns]
    return np.stack(found, axis=1).astype(np.float32)


def _cells(rows: Iterator[tuple[str, Cells, float]]) -> Iterator[list[str]]:
    for name, cells, score in rows:
        yield [cell(name), *map(cell, cells), cell(score)]


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes a table with borders, to look at: its rows are in memory."""
    shown = [[" ".join(text.split()) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *shown, strict=True)]
    border = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    head, *others = (
        "|" + "|".join(f" {text:^{size}} " for text, size in zip(row, widths, strict=True)) + "|"
        for row in [[*header], *shown]
    )
    files.write_text(path, "\n".join([border, head, border, *others, border]) + "\n")


_WRITERS: dict[Shape, Callable[[Path, Sequence[str], Iterable[Sequence[str]]], None]] = {
    Shape.CSV: write_comma,
    Shape.TABLE: _write_table,
}


def _told(output: Path, of_answers: Path, wanted: Wanted) -> Path:
    """Writes how the rows were made beside them, and returns where."""
    told = json.loads(of_answers.read_text(encoding="utf-8"))
    asked = {name: value for name, value in asdict(wanted).items() if value is not None}
    for name in ("bins", "subset"):
        if name in asked:
            asked[f"{name}_sha256"] = files.sha256_file(Path(asked[name]))
            asked[name] = str(asked[name])
    made = {
        "table": "names",
        "path": output.name,
        "bytes": output.stat().st_size,
        "sha256": files.sha256_file(output),
    }
    path = output.with_name(output.name + SIDECAR)
    files.write_json(path, told | {"outputs": [made], "names": asked})
    return path
