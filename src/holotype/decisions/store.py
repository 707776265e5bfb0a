"""The decisions of a bundle on disk: ``decisions/`` in its folder.

Format: docs/formats/bundle.md. ``decisions.json`` is written last. They are of certain weights: those of
another fingerprint are refused.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.decisions.channels import Channel
from holotype.decisions.decisions import Decisions
from holotype.decisions.reading import Reader
from holotype.decisions.risk import Control
from holotype.errors import BundleError
from holotype.index.records import RECORDS_SCHEMA
from holotype.index.store import Index, open_index
from holotype.index.writing import write_index
from holotype.models.bundle import Bundle

FORMAT, VERSION = "holotype-decisions", 1
FOLDER, MANIFEST, REFERENCES = "decisions", "decisions.json", "references"
CONTROL, VALIDATION = "control.parquet", "validation.parquet"

CONTROL_SCHEMA = pa.schema(
    [
        ("channel", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("score", pa.float64()),
        ("draw", pa.int64()),
        ("confidence", pa.list_(pa.float64())),
        ("right", pa.list_(pa.int8())),
    ]
)
"""Control records: confidence of each level (-1 without a node), and what is right (1, 0, or -1 for open)."""
VALIDATION_SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("group", pa.int64()),
        ("label", pa.string()),
        ("modality", pa.string()),
        ("unseen", pa.bool_()),
        ("instrument", pa.string()),
        ("probability", pa.list_(pa.float32())),
        ("z", pa.list_(pa.float16())),
    ]
)
"""Validation records: what they are, and what the model says of them."""


@dataclass(frozen=True)
class OpenDecisions:
    """The decisions of a bundle, open.

    Attributes:
        decisions: the value.
        references: training records, with their vectors.
        summary: what the inputs of training were like, for the drift watch.
    """

    decisions: Decisions
    references: Index
    summary: dict[str, Any]

    def reader(self, bundle: Bundle) -> Reader:
        """Returns the bundle, ready to read records."""
        return Reader(bundle, self.references)


def decisions_folder(bundle: Path) -> Path:
    """Returns where a bundle keeps its decisions."""
    return bundle / FOLDER


def write_decisions(
    bundle: Bundle,
    decisions: Decisions,
    references: Index,
    *,
    validation: pa.Table,
    summary: dict[str, Any],
) -> None:
    """Writes the decisions of a bundle, in the place of those that it has.

    Args:
        bundle: whose.
        decisions: the value.
        references: in memory.
        validation: rows of ``VALIDATION_SCHEMA``.
        summary: what the inputs of training were like.
    """
    folder = decisions_folder(bundle.path)
    assert references.table is not None
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "model": bundle.fingerprint,
        **decisions.as_json(),
        "summary": summary,
    }
    with files.folder_written_whole(folder) as made:
        write_index(
            made / REFERENCES, references.table, references.vectors, model=bundle.fingerprint
        )
        for name, table in ((CONTROL, _controls_table(decisions)), (VALIDATION, validation)):
            with files.written_whole(made / name) as temporary:
                pq.write_table(table, temporary, compression="zstd")
        files.write_json(made / MANIFEST, manifest)
        (folder / MANIFEST).unlink(missing_ok=True)  # first: without it nothing else there counts
        files.remove_folder(folder)


def open_decisions(bundle: Bundle) -> OpenDecisions | None:
    """Returns the decisions of a bundle, None where it has none.

    Raises:
        BundleError: where they are of other weights or another version, or damaged.
    """
    folder = decisions_folder(bundle.path)
    if not (folder / MANIFEST).is_file():
        return None
    told = files.read_manifest(
        folder / MANIFEST, format_name=FORMAT, version=VERSION, error=BundleError
    )
    if told["model"] != bundle.fingerprint:
        raise BundleError(
            f"{folder}: of other weights ({told['model']}) than this bundle's ({bundle.fingerprint}). "
            "Run holotype calibrate."
        )
    references = open_index(folder / REFERENCES, model=bundle.fingerprint)
    try:
        controls = _controls(pq.read_table(folder / CONTROL))
        return OpenDecisions(Decisions.from_json(told, controls), references, told["summary"])
    except (KeyError, OSError, pa.ArrowInvalid) as reason:
        raise BundleError(
            f"{folder}: damaged, or of an earlier form ({reason}). Run holotype calibrate."
        ) from reason


def carry_decisions(source: Bundle, target: Bundle) -> None:
    """Gives a bundle the decisions of another one, of which it is nearly a copy (weights in 8 bits)."""
    opened = open_decisions(source)
    if opened is not None:
        stored = opened.references
        records = stored.columns(RECORDS_SCHEMA.names)
        references = Index.of(records, stored.vectors, model=target.fingerprint)
        validation = validation_of(source.path)
        write_decisions(
            target, opened.decisions, references, validation=validation, summary=opened.summary
        )


def validation_of(bundle: Path) -> pa.Table:
    """Returns the validation records that a bundle was calibrated on, rows of ``VALIDATION_SCHEMA``.

    Args:
        bundle: its folder.

    Raises:
        BundleError: where it was not calibrated.
    """
    path = decisions_folder(bundle) / VALIDATION
    if not path.is_file():
        raise BundleError(f"{path}: missing: it was not calibrated. Run holotype calibrate.")
    return pq.read_table(path)


def stored_summary(bundle: Path) -> dict[str, Any]:
    """Returns what the inputs of a bundle's training were like; nothing where it was not calibrated.

    Args:
        bundle: its folder.
    """
    path = decisions_folder(bundle) / MANIFEST
    if not path.is_file():
        return {}
    told = files.read_manifest(path, format_name=FORMAT, version=VERSION, error=BundleError)
    found: dict[str, Any] = told["summary"]
    return found


def _controls_table(decisions: Decisions) -> pa.Table:
    """Returns the control records of all channels, rows of ``CONTROL_SCHEMA``."""
    parts = []
    for channel, of in decisions.channels.items():
        control = of.control
        confidence = np.where(np.isnan(control.confidence_BK), -1.0, control.confidence_BK)
        parts.append(
            pa.table(
                {
                    "channel": [channel.value] * len(control),
                    "kind": control.kind_B.tolist(),
                    "label": control.label_B.tolist(),
                    "score": control.score_B.tolist(),
                    "draw": control.draw_B.tolist(),
                    "confidence": confidence.tolist(),
                    "right": control.right_BK.tolist(),
                },
                schema=CONTROL_SCHEMA,
            )
        )
    return pa.concat_tables(parts) if parts else CONTROL_SCHEMA.empty_table()


def _controls(table: pa.Table) -> dict[Channel, Control]:
    found = {}
    channel_N = np.asarray(table["channel"].to_pylist(), dtype=object)
    for channel in Channel:
        of = table.take(np.flatnonzero(channel_N == channel.value))
        if of.num_rows:
            confidence = np.asarray(of["confidence"].to_pylist(), dtype=np.float64)
            found[channel] = Control(
                np.where(confidence < 0, np.nan, confidence),
                np.asarray(of["right"].to_pylist(), dtype=np.int8),
                np.asarray(of["kind"].to_pylist(), dtype=np.str_),
                np.asarray(of["label"].to_pylist(), dtype=np.str_),
                np.asarray(of["score"].to_pylist(), dtype=np.float64),
                np.asarray(of["draw"].to_pylist(), dtype=np.int64),
            )
    return found
