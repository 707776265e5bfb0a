"""A simulated classifier of five labels, and answers as it would give them."""

import numpy as np
import pyarrow as pa

from holotype.identify.columns import ANSWER_SCHEMA, MACHINE, RANKS, Decision

COPEPODS = ("Animalia", "Arthropoda", "Copepoda")
LINEAGES = {
    "Calanus finmarchicus": (
        *COPEPODS,
        "Calanoida",
        "Calanidae",
        "Calanus",
        "Calanus finmarchicus",
    ),
    "Calanus hyperboreus": (*COPEPODS, "Calanoida", "Calanidae", "Calanus", "Calanus hyperboreus"),
    "Oithona": (*COPEPODS, "Cyclopoida", "Oithonidae", "Oithona"),
    "Sagitta": (
        "Animalia",
        "Chaetognatha",
        "Sagittoidea",
        "Aphragmophora",
        "Sagittidae",
        "Sagitta",
    ),
    "detritus": (),
}
LABELS = list(LINEAGES)
PLACES = np.asarray([[0, 0, 0], [1.5, 0, 0], [0, 3, 0], [0, 0, 4], [3, 3, 3]], dtype=float)
NATURAL = np.asarray([0.4, 0.3, 0.15, 0.1, 0.05])
WEIGHTS_SHA256 = "ab" * 32
MODEL = WEIGHTS_SHA256[:16]


def said_of(label_N, rng, *, moved=0.0):
    """Probabilities and embeddings that the classifier gives for specimens of these labels."""
    x_ND = PLACES[label_N] + rng.normal(size=(len(label_N), 3))
    logit = -((x_ND[:, None] - PLACES) ** 2).sum(axis=2) / 2
    probability = np.exp(logit - logit.max(axis=1, keepdims=True)) * NATURAL
    probability /= probability.sum(axis=1, keepdims=True)
    wide = np.column_stack([x_ND + moved, np.full(len(x_ND), 2.0)])
    z_ND = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return probability.astype(np.float32), z_ND.astype(np.float32)


def answer(label: str | None, depth: int = 7, **more: object) -> dict[str, object]:
    """A row of answers: safe down to so many ranks of its label."""
    row: dict[str, object] = dict.fromkeys(ANSWER_SCHEMA.names)
    if label is None:
        return row | {"decision": Decision.FAILED.value, "failure": "no image", **more}
    names = LINEAGES[label][:depth]
    is_whole = depth >= len(LINEAGES[label])
    row |= dict(zip(RANKS, names, strict=False))
    row |= {"label": label, "status": MACHINE, "model": MODEL}
    row |= {"answer": label if is_whole else (names[-1] if names else None)}
    row |= {"answer_level": "label" if is_whole else (RANKS[len(names) - 1] if names else None)}
    if names:
        row |= {"taxon": names[-1], "taxon_rank": RANKS[len(names) - 1]}
    decision = Decision.NAMED if is_whole else Decision.AMBIGUOUS if names else Decision.UNPLACED
    return row | {"decision": decision.value, **more}


def table_of(rows: list[dict[str, object]]) -> pa.Table:
    """Answers as a table."""
    rows = [{**row, "input": row["input"] or f"{n}.png"} for n, row in enumerate(rows)]
    return pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA)
