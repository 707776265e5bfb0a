"""Answers -> tables that EcoTaxa imports: new objects with their images, or updates of objects it has.

A table a sample, its images beside it. One object may have several images: what is said of it is then the
answer that is surest, and each image has its rank.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import MediaError, SourceError
from holotype.exchange.answers.container import Container, container
from holotype.exchange.answers.pictures import Pictures, as_one_of, pictures_of
from holotype.exchange.answers.writing import HUMAN, Request, Written
from holotype.exchange.ecotaxa.columns import (
    ANSWER_TABLE_COLUMNS,
    IMAGE_COLUMNS,
    IMAGES,
    MAX_TABLES,
    PLACE_COLUMNS,
    SAMPLE_COLUMNS,
    category_of,
    cells_of,
)
from holotype.exchange.ecotaxa.ids import Ids, object_id_of
from holotype.exchange.ecotaxa.table import agree, table_bytes, used_columns
from holotype.identify.columns import Decision

FAILED = "could not be read: see failure"
NO_IMAGE = "no image was found"
BAD_IMAGE = "its image cannot be read"
NO_ANSWER = "no safe answer: EcoTaxa keeps what it has"
KEPT = "validated already: EcoTaxa keeps it"
NO_ID = "no category id: EcoTaxa asks which of its names is meant"
UNNAMED = "without a safe answer: objects to sort"
FURTHER = "further images or answers of one object: the surest answer stands"
DIFFER = "values of samples or acquisitions that differ between their rows: EcoTaxa keeps the first"
RENAMED = "ids told apart by their sample"
PNG = "images written as PNG"
_BATCH = 1_000
_UNUSED = ["top_k", "nearest"]
_HEAD, _ANSWER_REST = ANSWER_TABLE_COLUMNS[:1], ANSWER_TABLE_COLUMNS[1:]
IMPORT_COLUMNS = (*IMAGE_COLUMNS, *_HEAD, *PLACE_COLUMNS, *_ANSWER_REST, *SAMPLE_COLUMNS)
Answer = Mapping[str, Any]


@dataclass
class _Tally:
    """What has been written and what left out so far."""

    answers: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    rows: dict[str, int] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)

    def done(self, ids: Ids) -> Written:
        self.notes[RENAMED] += ids.renamed
        return Written(self.answers, dict(self.left_out), self.rows, dict(self.notes))


def write_import(answers: pa.Table, request: Request) -> Written:
    """Writes a folder or zip that EcoTaxa imports as new objects: tables, and the images beside them.

    Raises:
        SourceError: when there are more samples than EcoTaxa takes tables.
    """
    key = pc.coalesce(answers["sample_id"], answers["acquisition_id"], pa.scalar(""))
    if (samples := len(key.unique())) > MAX_TABLES:
        raise SourceError(
            f"{samples:,} samples; EcoTaxa takes {MAX_TABLES:,} tables in one import. "
            "Publish the answers in parts."
        )
    tally, ids, pictures = _Tally(), Ids(), pictures_of(request.collection)
    with container(request.out) as out:
        for sample, rows in groupby(_sorted(answers, key), key=_sample_of):
            _write_sample(out, sample, list(rows), request, (tally, ids, pictures))
        if not tally.answers:
            raise SourceError(f"no answer is left to write: {dict(tally.left_out)}.")
    return tally.done(ids)


def _sample_of(answer: Answer) -> str:
    return answer["sample_id"] or answer["acquisition_id"] or ""


def _sorted(answers: pa.Table, key: pa.ChunkedArray) -> Iterator[Answer]:
    """Yields the answers by sample, in their own order within each."""
    keyed = pa.table({"key": key, "row": pa.array(range(answers.num_rows), pa.int64())})
    used = answers.drop_columns(_UNUSED)
    order = pc.sort_indices(keyed, sort_keys=[("key", "ascending"), ("row", "ascending")])
    for start in range(0, answers.num_rows, _BATCH):
        yield from used.take(order[start : start + _BATCH]).to_pylist()


def _write_sample(
    out: Container,
    sample: str,
    answers: Sequence[Answer],
    request: Request,
    parts: tuple[_Tally, Ids, Pictures],
) -> None:
    tally, ids, pictures = parts
    objects: dict[str, list[Answer]] = {}
    for answer in answers:
        objects.setdefault(object_id_of(answer), []).append(answer)
    folder, inside = ids.file_name(sample or "objects"), Ids()
    rows: list[dict[str, Any]] = []
    for written, of_object in objects.items():
        held = [(one, *found) for one in of_object if (found := _picture(one, pictures, tally))]
        if not held:
            continue
        best = min((answer for answer, _, _ in held), key=_doubt)
        cells = _cells(best, request, tally)
        cells["object_id"] = ids.object(written, sample)
        if sample:
            run = ids.acquisition(best["acquisition_id"] or sample, sample)
            cells |= {"sample_id": sample, "acq_id": run, "process_id": run}
        else:
            cells = {name: cell for name, cell in cells.items() if name.startswith("object_")}
        for rank, (_, content, ending) in enumerate(held):
            stem = cells["object_id"] if rank == 0 else f"{cells['object_id']}_{rank}"
            name = inside.file_name(stem, f".{ending}")
            out.add(f"{folder}/{name}", content)
            rows.append({**cells, "img_file_name": name, "img_rank": rank})
        tally.notes[FURTHER] += len(held) - 1
    if rows:
        tally.notes[DIFFER] += agree(rows, "sample_id", ("sample_",))
        tally.notes[DIFFER] += agree(rows, "acq_id", ("acq_", "process_"))
        table = f"{folder}/ecotaxa_{folder}.tsv"
        out.add(table, table_bytes(used_columns(IMPORT_COLUMNS, rows), rows, tally.notes))
        tally.rows[table] = len(rows)
        tally.answers += len(rows)


def _picture(answer: Answer, pictures: Pictures, tally: _Tally) -> tuple[bytes, str] | None:
    """Returns the image of an answer as EcoTaxa takes it; None where the answer is left out, counted."""
    if answer["decision"] == Decision.FAILED:
        tally.left_out[FAILED] += 1
        return None
    try:
        content = pictures.read(answer)
        if content is None:
            tally.left_out[NO_IMAGE] += 1
            return None
        taken, ending = as_one_of(content, IMAGES)
    except MediaError:
        tally.left_out[BAD_IMAGE] += 1
        return None
    tally.notes[PNG] += int(taken is not content)
    return taken, ending


def _doubt(answer: Answer) -> tuple[bool, float]:
    """Returns what the surest of several answers has least of."""
    return answer["status"] != HUMAN, -(answer["answer_score"] or 0.0)


def _cells(answer: Answer, request: Request, tally: _Tally) -> dict[str, Any]:
    label = answer["answer"]
    number = _category_id(request, label) if label else None
    tally.notes[UNNAMED] += int(not label)
    tally.notes[NO_ID] += int(bool(label) and number is None)
    return dict(
        cells_of(answer, dated=request.dated, software=request.software, category_id=number)
    )


def _category_id(request: Request, label: str) -> str | None:
    known = request.identifiers
    return known.ecotaxa_id(label) or known.ecotaxa_id(category_of(label))


def write_update(answers: pa.Table, request: Request) -> Written:
    """Writes a table that EcoTaxa's update takes: annotations and scores of objects that it has, by their id.

    An empty cell of an update erases what EcoTaxa holds, so an answer without a category is left out; and an
    object that a person validated is left as it is.
    """
    tally, objects, used = _Tally(), dict[str, Answer](), answers.drop_columns(_UNUSED)
    for start in range(0, answers.num_rows, _BATCH):
        for answer in used.slice(start, _BATCH).to_pylist():
            if reason := _not_updated(answer):
                tally.left_out[reason] += 1
                continue
            tally.answers += 1
            name = object_id_of(answer)
            tally.notes[FURTHER] += int(name in objects)
            objects[name] = min(objects.get(name, answer), answer, key=_doubt)
    if not objects:
        raise SourceError(f"no answer is left to write: {dict(tally.left_out)}.")
    rows = [
        {**_cells(answer, request, tally), "object_id": name} for name, answer in objects.items()
    ]
    columns = used_columns(ANSWER_TABLE_COLUMNS, rows)
    with container(request.out) as out:
        out.add("ecotaxa_update.tsv", table_bytes(columns, rows, tally.notes))
    tally.rows["ecotaxa_update.tsv"] = len(rows)
    return tally.done(Ids())


def _not_updated(answer: Answer) -> str:
    """Returns why an object is not updated, "" where it is."""
    if answer["decision"] == Decision.FAILED:
        return FAILED
    if answer["status"] == HUMAN or answer["label_status"] == "validated":
        return KEPT
    return "" if answer["answer"] else NO_ANSWER
