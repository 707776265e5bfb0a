"""The decisions of a bundle on disk: ``decisions/`` in its folder.

Format: docs/formats/bundle.md. The files lie in a numbered folder, and ``decisions.json``, written last,
names it: those before count until then. They are of certain weights: others are refused.
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

FORMAT, VERSION = "holotype-decisions", 2
OLDER = (1,)
FOLDER, MANIFEST, REFERENCES = "decisions", "decisions.json", "references"
CONTROL, VALIDATION = "control.parquet", "validation.parquet"
_DATA = ("data-1", "data-2")
"""One counts while the other is written."""

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
    kept = _in_use(folder)
    _clear(folder, but=kept)
    data = next(name for name in _DATA if name not in kept)
    with files.folder_written_whole(folder / data) as made:
        write_index(
            made / REFERENCES, references.table, references.vectors, model=bundle.fingerprint
        )
        for name, table in ((CONTROL, _controls_table(decisions)), (VALIDATION, validation)):
            with files.written_whole(made / name) as temporary:
                pq.write_table(table, temporary, compression="zstd")
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "model": bundle.fingerprint,
        "data": data,
        **decisions.as_json(),
        "summary": summary,
    }
    files.write_json(folder / MANIFEST, manifest)
    _clear(folder, but={MANIFEST, data})


def open_decisions(bundle: Bundle) -> OpenDecisions | None:
    """Returns the decisions of a bundle, None where it has none.

    Raises:
        BundleError: where they are of other weights or another version, or damaged.
    """
    folder = decisions_folder(bundle.path)
    if not (folder / MANIFEST).is_file():
        return None
    told = _told(folder)
    if told["model"] != bundle.fingerprint:
        raise BundleError(
            f"{folder}: of other weights ({told['model']}) than this bundle's ({bundle.fingerprint}). "
            "Run holotype calibrate."
        )
    data = _data(folder, told)
    references = open_index(data / REFERENCES, model=bundle.fingerprint)
    try:
        controls = _controls(pq.read_table(data / CONTROL))
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
    folder = decisions_folder(bundle)
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder}: missing: it was not calibrated. Run holotype calibrate.")
    path = _data(folder, _told(folder)) / VALIDATION
    if not path.is_file():
        raise BundleError(f"{path}: missing, though {MANIFEST} names it. Run holotype calibrate.")
    return pq.read_table(path)


def stored_summary(bundle: Path) -> dict[str, Any]:
    """Returns what the inputs of a bundle's training were like; nothing where it was not calibrated.

    Args:
        bundle: its folder.
    """
    folder = decisions_folder(bundle)
    if not (folder / MANIFEST).is_file():
        return {}
    found: dict[str, Any] = _told(folder)["summary"]
    return found


def _told(folder: Path) -> dict[str, Any]:
    """Returns the manifest of decisions."""
    told: dict[str, Any] = files.read_manifest(
        folder / MANIFEST, format_name=FORMAT, version=VERSION, error=BundleError, older=OLDER
    )
    return told


def _data(folder: Path, told: dict[str, Any]) -> Path:
    """Returns where the files of decisions are: in the folder that is named; in version 1 beside it."""
    if told["version"] in OLDER:
        return folder
    if told.get("data") not in _DATA:
        raise BundleError(f"{folder / MANIFEST}: names no data. Run holotype calibrate.")
    return folder / str(told["data"])


def _in_use(folder: Path) -> set[str]:
    """Returns the names of what counts: nothing where the manifest cannot be read."""
    try:
        told = _told(folder)
        data = _data(folder, told)
    except BundleError:
        return set()
    return {MANIFEST, *((REFERENCES, CONTROL, VALIDATION) if data == folder else (data.name,))}


def _clear(folder: Path, *, but: set[str]) -> None:
    """Removes from the folder of decisions what does not count."""
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.name in but:
            continue
        if old.is_dir():
            files.remove_folder(old)
        else:
            old.unlink()


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
