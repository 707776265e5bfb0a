"""The command ``queue``: answers -> the records whose labels would teach most, in visual groups."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.assessing.choosing import Choice, choose, choose_without_vectors
from holotype.assessing.worth import Worth, worth
from holotype.assessing.writing import check_ending, write_rows
from holotype.errors import SourceError
from holotype.identify.read_answers import read_answers

COLUMNS: dict[str, str] = {
    "place": "from 1; look-alikes stand together, the group most worth labelling first",
    "group": "visual group, from 1; answers where there are no embeddings",
    "input": "the record, as in the answers",
    "record_id": "its id, where the answers have one",
    "label": "blank: write what it is",
    "best_guess": "what the model thinks",
    "score": "how sure it is",
    "worth": "0 to 1: what there is to learn from its label",
    "alike": "how many records look like it",
    "why": "in words",
}
"""The columns of the table."""


@dataclass(frozen=True)
class QueueReport:
    """What was chosen: the file, how many of how many records, visual groups, records without an answer."""

    out: str
    chosen: int
    records: int
    groups: int
    without_answer: int


def queue(
    answers: Path | str,
    *,
    out: Path | str,
    embeddings: Path | str | None = None,
    n: int = 100,
    seed: int = 0,
) -> QueueReport:
    """Writes the records to label next, each with the reason; the same seed gives the same table.

    Args:
        answers: what ``holotype predict`` wrote.
        out: the table to write: CSV or Parquet.
        embeddings: what ``holotype predict --embeddings`` or ``holotype embed`` wrote of the same records.
        n: how many.
        seed: of the choice.

    Raises:
        SourceError: when a file cannot be read, the embeddings lack a record, or n is below 1.
    """
    if n < 1:
        raise SourceError(f"--n {n}: choose at least one record.")
    check_ending(Path(out))
    table = read_answers(answers)
    answered = np.flatnonzero([one is not None for one in table["label"].to_pylist()])
    if not len(answered):
        raise SourceError(f"{answers}: no record has an answer. See its column 'failure'.")
    table_of = table.take(pa.array(answered))
    value = worth(table_of)
    if embeddings is None:
        chosen = choose_without_vectors(value.worth_N, table_of["label"].to_pylist(), n=n)
    else:
        chosen = choose(value.worth_N, vectors_of(Path(embeddings), table_of), n=n, seed=seed)
    write_rows(_rows(table_of, chosen, value), Path(out), list(COLUMNS))
    return QueueReport(
        str(out), len(chosen.row_K), len(answered), len(np.unique(chosen.group_K)),
        table.num_rows - len(answered),
    )  # fmt: skip


def _rows(table: pa.Table, chosen: Choice, value: Worth) -> list[dict[str, object]]:
    answers = table.take(pa.array(chosen.row_K)).to_pylist()
    rows: list[dict[str, object]] = []
    for place, (n, group, alike, answer) in enumerate(
        zip(
            chosen.row_K.tolist(),
            chosen.group_K.tolist(),
            chosen.alike_K.tolist(),
            answers,
            strict=True,
        ),
        start=1,
    ):
        reasons = [value.why(n), f"stands for {alike} that look alike" if alike > 1 else ""]
        rows.append({
            "place": place, "group": group + 1, "input": answer["input"],
            "record_id": answer["record_id"], "label": None, "best_guess": answer["label"],
            "score": answer["score"], "worth": float(value.worth_N[n]), "alike": alike,
            "why": "; ".join(filter(None, reasons)) or "unlike the others chosen",
        })  # fmt: skip
    return rows


def vectors_of(path: Path, answers: pa.Table) -> NDArray[np.float32]:
    """Returns the embedding of each answered record, float32 (N, D), matched by ``input`` or ``record_id``.

    Raises:
        SourceError: when the file is no table of embeddings or lacks one of the records.
    """
    try:
        held = pq.read_schema(path).names
        wanted = [name for name in ("input", "record_id", "embedding") if name in held]
        table = pq.read_table(path, columns=wanted)
    except (OSError, pa.ArrowException) as reason:
        raise SourceError(f"{path}: cannot be read as Parquet ({reason}).") from reason
    key = next((name for name in ("input", "record_id") if name in table.column_names), None)
    if key is None or "embedding" not in table.column_names:
        raise SourceError(f"{path}: no columns 'input' (or 'record_id') and 'embedding' in it.")
    row_of: dict[str, int] = {}
    place = 0
    is_there = table["embedding"].is_valid().to_pylist()
    for name, there in zip(table[key].to_pylist(), is_there, strict=True):
        if there:
            row_of.setdefault(str(name), place)
            place += 1
    names = [str(name) for name in answers[key].to_pylist()]
    missing = [name for name in names if name not in row_of]
    if missing:
        raise SourceError(
            f"{path}: lacks {len(missing)} of the answered records, as {missing[0]}. Embed the same inputs."
        )
    flat = pc.list_flatten(table["embedding"].drop_null()).to_numpy()
    if not np.isfinite(flat).all() or len(flat) % place:
        raise SourceError(
            f"{path}: embeddings that are no numbers, or of several lengths. Write it again with holotype "
            "embed."
        )
    vector_VD = flat.reshape(place, -1).astype(np.float32)
    return np.asarray(vector_VD[[row_of[name] for name in names]])
