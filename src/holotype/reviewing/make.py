"""A collection, its answers and its embeddings -> a new session."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype._version import __version__
from holotype.collection.store import Collection, concepts_of, open_collection
from holotype.errors import BundleError, SourceError
from holotype.identify.read_answers import read_answers
from holotype.journal import now
from holotype.models.labels import LabelSpace
from holotype.models.places import MANIFEST as BUNDLE
from holotype.models.places import bundle_folder
from holotype.reviewing.book import current_names, label_book
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.groups import PAGE_SIZE, Paged, Purity, paged, purity
from holotype.reviewing.labels import as_table
from holotype.reviewing.log import LOG, new_log
from holotype.reviewing.session import (
    FORMAT,
    ITEMS,
    ITEMS_SCHEMA,
    LABELS,
    MANIFEST,
    VERSION,
    Proposal,
)
from holotype.reviewing.wanted import Wanted, asked_for

MOST_PAGE = 500
_OF_RECORDS = (
    "record_id", "content_hash", "image_sha256", "image_width_px", "image_height_px", "pixel_size_um",
    "instrument", "sample_id", "label_status", "labelled_by",
)  # fmt: skip
_OF_ANSWERS = (
    "label", "score", "answer", "answer_level", "answer_score", "novelty", "decision",
    "decision_reason", "top_k",
)  # fmt: skip


@dataclass(frozen=True)
class NewSessionReport:
    """What was made.

    Attributes:
        session: its folder.
        records: to review.
        pages: of look-alikes.
        groups: of look-alikes.
        labels: that may be given.
        left_out: answers that are not in it, by reason.
        purity: how pure the pages are by the labels that the collection has; None where it has none.
    """

    session: str
    records: int
    pages: int
    groups: int
    labels: int
    left_out: dict[str, int] = field(default_factory=dict)
    purity: Purity | None = None


def new_session(
    answers: Path | str,
    *,
    collection: Path | str,
    embeddings: Path | str,
    out: Path | str,
    model: Path | str | None = None,
    wanted: Wanted | None = None,
    proposal: Proposal | str = Proposal.LABEL,
    page_size: int = PAGE_SIZE,
    seed: int = 0,
) -> NewSessionReport:
    """Makes a session of the records that a model has named.

    Args:
        answers: what ``holotype predict COLLECTION`` wrote.
        collection: the collection's folder.
        embeddings: the file of ``holotype predict --embeddings``, of the same run.
        out: the session's folder; it must not be there.
        model: the bundle that answered: the lineages of all its labels.
        wanted: which records; all by default.
        proposal: what confirming a record gives it.
        page_size: records on a page.
        seed: of the sample that large groups are cut by.

    Raises:
        SourceError: when the answers or embeddings cannot be used, or no record is left.
        ReviewError: when the session is there already.
        CollectionError, BundleError: when one cannot be opened.
    """
    folder = Path(out)
    _refuse_what_is_there(folder)
    if not 1 <= page_size <= MOST_PAGE:
        raise SourceError(f"page size {page_size}: 1 to {MOST_PAGE} records fit on a page.")
    opened = open_collection(Path(collection))
    said, z_ND = _read(Path(answers), Path(embeddings))
    space = None if model is None else labels_of_model(model)
    records = opened.columns()
    concepts = concepts_of(records)
    names = current_names(records, concepts, space)
    book = label_book(records, concepts, names, space, said)
    asked, rows, left_out = asked_for(said, records, names, wanted or Wanted(), Path(answers))
    items = _items(said.take(asked), records.take(rows), [names[row] for row in rows.to_pylist()])
    items = items.set_column(
        items.schema.get_field_index("proposal"), "proposal", _proposals(items, Proposal(proposal))
    )
    known, proposed = items["current"].to_pylist(), items["proposal"].to_pylist()
    found = paged(z_ND[asked.to_numpy()], proposed, page_size=page_size, seed=seed)
    measured = purity(found, known, proposed, page_size=page_size, seed=seed)
    told = {
        "records": items.num_rows,
        "pages": found.pages,
        "groups": found.groups,
        "labels": len(book.labels),
        "left_out": left_out,
    }
    manifest = {
        "format": FORMAT, "version": VERSION, "id": uuid.uuid4().hex, "holotype": __version__, "made": now(),
        **_made_from(opened, Path(answers), Path(embeddings), said, z_ND),
        "proposal": Proposal(proposal).value,
        "page_size": page_size, "seed": seed, **told, "wanted": (wanted or Wanted()).as_json(),
        "purity": None if measured is None else asdict(measured),
    }  # fmt: skip
    _write(folder, _placed(items, found), as_table(book), manifest)
    return NewSessionReport(str(out), **told, purity=measured)


def labels_of_model(run: Path | str) -> LabelSpace:
    """Returns the labels of a bundle, without reading its weights.

    Raises:
        BundleError: when it is none.
    """
    path = bundle_folder(run) / BUNDLE
    try:
        return LabelSpace.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise BundleError(f"{path}: no bundle ({reason}). Check the path.") from reason


def _read(answers: Path, embeddings: Path) -> tuple[pa.Table, NDArray[np.float32]]:
    """Returns the answers and the embedding of each, float32 (N, D)."""
    said = read_answers(answers)
    try:
        with pq.ParquetFile(embeddings) as opened:
            table = opened.read(columns=["input", "embedding"])
        flat = table["embedding"].combine_chunks()
        z_ND = flat.values.to_numpy().reshape(len(flat), -1)
    except (OSError, pa.ArrowException, KeyError, ValueError, AttributeError) as reason:
        raise SourceError(
            f"{embeddings}: no embeddings ({' '.join(str(reason).split())}). Give the file of "
            "holotype predict --embeddings."
        ) from reason
    if not table["input"].equals(said["input"]):
        raise SourceError(
            f"{embeddings}: {len(flat):,} embeddings that are not those of the {said.num_rows:,} answers in "
            f"{answers}. Give both files of one run of holotype predict."
        )
    return said, np.ascontiguousarray(z_ND, dtype=np.float32)


def _items(said: pa.Table, records: pa.Table, names: Sequence[str | None]) -> pa.Table:
    columns = {name: records[name] for name in _OF_RECORDS} | {
        name: said[name] for name in _OF_ANSWERS
    }
    columns["current"] = pa.array(names, pa.string())
    empty = {f.name: pa.nulls(said.num_rows, f.type) for f in ITEMS_SCHEMA}
    return pa.table([{**empty, **columns}[f.name] for f in ITEMS_SCHEMA], schema=ITEMS_SCHEMA)


def _proposals(items: pa.Table, proposal: Proposal) -> pa.ChunkedArray:
    by = {Proposal.LABEL: "label", Proposal.ANSWER: "answer", Proposal.COLLECTION: "current"}
    return items[by[proposal]]


def _placed(items: pa.Table, found: Paged) -> pa.Table:
    """Returns the items in the order of their pages."""
    items = items.take(pa.array(found.order_N))
    numbers = {
        "page": found.page_N,
        "look_alikes": found.group_N,
        "place": np.arange(items.num_rows),
    }
    for name, values in numbers.items():
        at = items.schema.get_field_index(name)
        items = items.set_column(at, ITEMS_SCHEMA.field(name), pa.array(values, pa.int32()))
    return items


def _made_from(
    opened: Collection, answers: Path, embeddings: Path, said: pa.Table, z_ND: NDArray[np.float32]
) -> dict[str, Any]:
    models = said["model"].unique().drop_null().to_pylist()
    return {
        "collection": {
            "path": str(opened.path.resolve()), "name": opened.name, "fingerprint": opened.fingerprint,
        },
        "answers": {
            "path": str(answers.resolve()), "sha256": files.sha256_file(answers),
            "model": models[0] if models else None,
        },
        "embeddings": {
            "path": str(embeddings.resolve()), "sha256": files.sha256_file(embeddings), "dim": z_ND.shape[1],
        },
    }  # fmt: skip


def _refuse_what_is_there(folder: Path) -> None:
    """Raises where a folder is no place for a new session."""
    if folder.exists() and not (folder.is_dir() and _is_free(folder)):
        raise ReviewError(f"{folder}: is there already. Name another session, or remove it.")


def _is_free(folder: Path) -> bool:
    """Returns whether a folder is empty, or holds what was left of a session whose making was stopped."""
    held = {path.name for path in folder.iterdir() if not path.name.endswith(".part")}
    if not held <= {ITEMS, LABELS, LOG}:
        return False
    return LOG not in held or (folder / LOG).stat().st_size == 0


def _write(folder: Path, items: pa.Table, labels: pa.Table, manifest: dict[str, Any]) -> None:
    """Writes a session where still none is: another one may have been made meanwhile."""
    with files.only_one(folder):
        _refuse_what_is_there(folder)
        for name, table in ((ITEMS, items), (LABELS, labels)):
            with files.written_whole(folder / name) as temporary:
                pq.write_table(table, temporary, compression="zstd")
        new_log(folder)
        files.write_json(folder / MANIFEST, manifest)
