"""What a bundle keeps of its validation records: what the model says of them, and what they are like."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.decisions.channels import OF_MODALITY, Channel
from holotype.decisions.course import Course
from holotype.decisions.decisions import Decisions
from holotype.decisions.preparation import preparation_print
from holotype.decisions.reading import Read
from holotype.decisions.store import VALIDATION_SCHEMA
from holotype.decisions.summary import training_summary
from holotype.models.bundle import Bundle


def validation_table(
    decisions: Decisions, read: Read, course: Course, names: list[str | None]
) -> pa.Table:
    """Returns what the model says of the validation records, rows of ``VALIDATION_SCHEMA``."""
    parts = []
    for modality, encoded in read.encoded.items():
        channel, rows = OF_MODALITY[modality], encoded.row_R
        if channel not in decisions.channels:
            continue
        pool = decisions.channels[channel].pool
        probability = read.readings[channel].evidence(pool).probability_BL.astype(np.float32)
        columns = course.table.select(["record_id", "instrument"]).take(rows)
        parts.append(
            pa.table(
                {
                    "record_id": columns["record_id"],
                    "group": pa.array(course.group_N[rows]),
                    "label": pa.array([names[row] for row in rows.tolist()], pa.string()),
                    "modality": pa.array([modality.value] * len(rows)),
                    "unseen": pa.array(course.unseen_N[rows]),
                    "instrument": columns["instrument"],
                    "probability": pa.array(list(probability), pa.list_(pa.float32())),
                    "z": pa.array(list(encoded.z_RD.astype(np.float16)), pa.list_(pa.float16())),
                }
            ).cast(VALIDATION_SCHEMA)
        )
    return pa.concat_tables(parts) if parts else VALIDATION_SCHEMA.empty_table()


def summary_of(bundle: Bundle, decisions: Decisions, read: Read, course: Course) -> dict[str, Any]:
    """Returns what the validation records are like, for the drift watch."""
    labels: Counter[str] = Counter()
    embeddings: dict[str, NDArray[np.float32]] = {}
    both = read.readings.get(Channel.BOTH)
    in_both = set(both.row_R.tolist()) if both is not None else set()
    for modality, encoded in read.encoded.items():
        alone = np.asarray([row not in in_both for row in encoded.row_R.tolist()], dtype=np.bool_)
        embeddings[modality.value] = encoded.z_RD[alone]
        reading = read.readings[OF_MODALITY[modality]]
        of = decisions.channels.get(OF_MODALITY[modality])
        if of is not None:
            best = reading.evidence(of.pool).logit_BL.argmax(axis=1)
            labels.update(bundle.labels.names[label] for label in best.tolist())
    columns = ["grey_mean", "image_width_px", "image_height_px"]
    known = [
        course.table[name].take(np.flatnonzero(~course.is_train_N)).to_pylist() for name in columns
    ]
    whole = [row for row in zip(*known, strict=True) if None not in row]
    measured = np.asarray(whole, dtype=np.float64).reshape(-1, 3)
    trained = course.table["instrument"].filter(pa.array(course.is_train_N)).to_pylist()
    return training_summary(
        {name: z for name, z in embeddings.items() if len(z)},
        labels,
        measured[:, 0],
        np.sqrt(measured[:, 1] * measured[:, 2]),
        Counter(name for name in trained if name),
        preparation=preparation_print(bundle.pixels),
    )
