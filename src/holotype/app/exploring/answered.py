"""What a model decided of the records: the answers of the last job that named the whole collection."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.app.exploring.facts import Facts
from holotype.app.exploring.record_rows import RecordRows
from holotype.errors import HolotypeError
from holotype.identify.read_answers import read_answers
from holotype.jobs import Job, Jobs, State

PREDICT, OUT = "predict", "--out"


@dataclass(frozen=True)
class Answers:
    """A file of answers as it was when it was looked at."""

    path: Path
    modified_ns: int


def latest_answers(workspace: Path, collection: Path) -> Answers | None:
    """Returns the file of the last job that is done and named the records of a collection; None for none."""
    wanted = collection.resolve()
    for job in Jobs(workspace / "jobs").all():
        if job.state is State.DONE and job.words[:1] == (PREDICT,) and _names(job, wanted):
            path = _written(job)
            if path is not None and path.is_file():
                return Answers(path, path.stat().st_mtime_ns)
    return None


def _names(job: Job, collection: Path) -> bool:
    return any((job.folder / word).resolve() == collection for word in job.words[1:])


def _written(job: Job) -> Path | None:
    for word, value in zip(job.words, [*job.words[1:], ""], strict=True):
        if word == OUT or word.startswith(f"{OUT}="):
            return job.folder / (value if word == OUT else word.removeprefix(f"{OUT}="))
    return None


def with_answers(facts: Facts, rows: RecordRows, answers: Answers) -> Facts:
    """Returns the facts with the decisions of a file; as they are where it cannot be read or is of others."""
    try:
        table = _read(answers.path)
    except (HolotypeError, OSError, pa.ArrowException):
        return facts
    ids = table["record_id"].combine_chunks().cast(pa.large_string())
    row_A = pc.index_in(ids, value_set=rows.ids)
    known = pc.and_(pc.is_valid(row_A), pc.is_valid(ids))
    found = row_A.filter(known).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(found):
        return facts
    return facts.with_decisions(found, table["decision"].combine_chunks().filter(known))


def _read(path: Path) -> pa.Table:
    """Returns ids and decisions; of Parquet only these columns are read."""
    columns = ["record_id", "decision"]
    if path.suffix.lower() == ".parquet":
        return pq.read_table(path, columns=columns)
    return read_answers(path).select(columns)
