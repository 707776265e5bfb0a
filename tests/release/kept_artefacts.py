"""What today's readers make of the artefacts that each release left behind, as values that JSON can hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from holotype.assessing.sample import told_max_error
from holotype.collection.store import open_collection
from holotype.decisions.store import open_decisions
from holotype.files import sha256_bytes
from holotype.identify.read_answers import read_answers
from holotype.index.asking import Ask
from holotype.index.search import Request, find
from holotype.index.store import open_index
from holotype.models.bundle import open_bundle
from holotype.models.golden import golden_outputs
from holotype.reviewing.log import ReviewLog
from holotype.reviewing.session import open_session
from holotype.splits.plan import read_split
from holotype.taxonomy.backbone.store import open_backbone

KEPT = Path(__file__).parents[1] / "golden" / "releases"
DIGITS = 4
ANSWERED = ("input", "record_id", "label", "answer", "answer_level", "decision", "genus", "nearest")


def rounded(value: Any) -> Any:
    """Returns a value with its numbers as far as every machine agrees."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def of_collection(path: Path) -> Any:
    opened = open_collection(path)
    images = [content for _, content in opened.images()]
    return {
        "name": opened.name,
        "fingerprint": opened.fingerprint,
        "sources": opened.sources,
        "records": opened.columns(["record_id", "written_label", "species", "barcode"]).to_pylist(),
        "images": [None if one is None else sha256_bytes(one)[:16] for one in images],
        "ledger": opened.ledger().num_rows,
    }


def of_split(path: Path) -> Any:
    found = read_split(path)
    roles = dict(zip(found.record_id, found.role_N.tolist(), strict=True))
    return {"roles": roles, "counts": found.counts(), "clean": found.audit["clean"]}


def of_bundle(path: Path) -> Any:
    found = open_bundle(path)
    decisions = open_decisions(found)
    return {
        "fingerprint": found.fingerprint,
        "weights": found.weights.value,
        "labels": [label.name for label in found.labels.labels],
        "temperature": {modality.value: value for modality, value in found.temperature.items()},
        "golden": golden_outputs(found.model),
        "references": None if decisions is None else len(decisions.references),
    }


def of_index(path: Path) -> Any:
    opened = open_index(path)
    records = opened.columns(["record_id", "barcode"]).to_pylist()
    barcode = next(row["barcode"] for row in records if row["barcode"])
    asked = (
        Request(Ask.RECORD, (records[0]["record_id"],), searched="image", k=4),
        Request(Ask.BARCODE, (barcode,), searched="identity", k=4),
    )
    hits = [find(opened, request)[0].to_pylist() for request in asked]
    return [[{k: v for k, v in row.items() if v is not None} for row in found] for found in hits]


def of_answers(path: Path) -> Any:
    found = read_answers(path)
    scores = np.round(np.asarray(found["score"].to_pylist(), dtype=float), DIGITS).tolist()
    return {"rows": found.slice(0, 2).select(ANSWERED).to_pylist(), "scores": scores}


def of_review(path: Path) -> Any:
    session, log = open_session(path), ReviewLog(path)
    events = log.refresh()
    told = [(one.kind.value, one.reviewer, one.records, one.labels, one.text) for one in events]
    return {
        "records": session.items["record_id"].to_pylist(),
        "events": told,
        "damaged": len(log.damaged),
    }


def of_backbone(path: Path) -> Any:
    found = open_backbone(path)
    taxa = [found.taxon(row) for row in range(len(found))]
    return [[taxon.name, str(taxon.rank), taxon.lineage.text()] for taxon in taxa]


READERS: dict[str, Callable[[Path], Any]] = {
    "collection": of_collection,
    "split.parquet": of_split,
    "bundle-1": of_bundle,
    "bundle-2": of_bundle,
    "bundle-3": of_bundle,
    "index": of_index,
    "answers.parquet": of_answers,
    "answers.csv": of_answers,
    "answers.json": of_answers,
    "answers.parquet.run.json": lambda path: told_max_error(path.with_name("answers.parquet")),
    "review": of_review,
    "backbone.parquet": of_backbone,
}
"""Name of an artefact -> what reads it."""


def read_all(folder: Path) -> dict[str, Any]:
    """Returns what every artefact of a release says, for those that it has."""
    return {
        name: rounded(read(folder / name))
        for name, read in READERS.items()
        if (folder / name).exists()
    }
