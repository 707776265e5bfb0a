"""Answers of net samples that the tests of publishing share: rows of the answer table, written by hand."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.collection.sources import ecotaxa
from holotype.collection.sources.item import SourceOptions
from holotype.identify.columns import ANSWER_SCHEMA, CONTEXT, RANKS

DATED = "2026-05-01T12:30:00+00:00"
CALANUS = ("Animalia", "Arthropoda", "Copepoda", "Calanoida", "Calanidae", "Calanus")
FIN = (*CALANUS, "Calanus finmarchicus")
OITHONA = (
    "Animalia",
    "Arthropoda",
    "Copepoda",
    "Cyclopoida",
    "Oithonidae",
    "Oithona",
    "Oithona similis",
)
SPOT = {
    "latitude_deg": 70.5,
    "longitude_deg": -20.25,
    "depth_min_m": 10.0,
    "depth_max_m": 50.0,
    "collected_on": "2024-05-02T08:05:09",
}
NET = {"sample_id": "net1", "acquisition_id": "net1_a", "cruise": "MSM 1", **SPOT}


def answer(name: str, lineage: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
    """A named answer with nulls where nothing is given; a lineage fills ranks, answer and taxon."""
    row = {**dict.fromkeys(ANSWER_SCHEMA.names), "input": name, "record_id": f"s/{name}"}
    row |= {
        "decision": "named",
        "status": "PredictedByMachine",
        "model": "f00d",
        "specimen_id": name,
    }
    if lineage:
        row |= dict(zip(RANKS, lineage, strict=False))
        row |= {"taxon": lineage[-1], "taxon_rank": RANKS[len(lineage) - 1]}
        row |= {"answer": lineage[-1], "label": lineage[-1], "answer_level": "label"}
        row |= {"answer_score": 0.97, "score": 0.96, "decision_reason": "the best label is safe"}
    return row | given


def ambiguous(name: str, **given: Any) -> dict[str, Any]:
    """An answer that stops at the genus; the best guess is one of its species."""
    said = {"label": FIN[-1], "answer_level": "genus", "decision_reason": "two species are likely"}
    return answer(name, CALANUS, **{"decision": "ambiguous", "answer_score": 0.99, **said, **given})


def table(*rows: dict[str, Any]) -> pa.Table:
    """The rows as a table of answers."""
    return pa.Table.from_pylist(list(rows), schema=ANSWER_SCHEMA)


def answers_of_ecotaxa(path: Path) -> list[dict[str, Any]]:
    """Answers to the objects of an EcoTaxa input, with the context that its reader gives."""
    rows = []
    for item in ecotaxa.SOURCE.read(path, SourceOptions()):
        if item.error is not None or item.skip_reason is not None:
            continue
        row = answer(
            f"{path}/{item.name}", FIN, record_id=f"net/{item.name}", source_item=item.name
        )
        for column in CONTEXT:
            if text := item.fields.get(column.name):
                row[column.name] = float(text) if pa.types.is_floating(column.type) else text
        rows.append(row)
    return rows
