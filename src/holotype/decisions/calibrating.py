"""A trained bundle and validation records -> its decisions: for ``train`` and ``calibrate``.

References are drawn from the training records. Pools, confidence and novelty are fitted on the validation
records; what error a threshold keeps is told by records that were not fitted on.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype import files
from holotype.collection.store import open_collection
from holotype.decisions.channels import ENOUGH, Channel
from holotype.decisions.course import Course, course_of
from holotype.decisions.decisions import ChannelDecisions, Decisions, Examinees, fit_channel
from holotype.decisions.kept import summary_of, validation_table
from holotype.decisions.reading import Read, Reader
from holotype.decisions.stand_ins import ranks_of_the_new, stand_ins
from holotype.decisions.store import write_decisions
from holotype.errors import BundleError
from holotype.index.store import Index, Vectors
from holotype.inputs.materials import numbered
from holotype.models.bundle import Bundle, naming_bundle
from holotype.models.encode import encode
from holotype.progress import note
from holotype.randomness import generator
from holotype.splits.plan import Role, check_fits, read_split

REFERENCES_A_LABEL = 40
"""Training records of a label that are kept as references."""
WIDE = 16
"""How many times the usual number of neighbours are found, so that some are left where a label is hidden."""
TOO_FEW = "too few validation records whose names are known"


@dataclass(frozen=True)
class CalibrateReport:
    """What calibration found.

    Attributes:
        run: the bundle.
        references: training records kept as references.
        records: validation records by channel.
        control_records: those of them that control the error.
        without: channel -> why it was not calibrated.
    """

    run: str
    references: int
    records: dict[str, int]
    control_records: dict[str, int]
    without: dict[str, str]


def calibrate(
    run: Path | str, *, collection: Path | str, split: Path | str, seed: int = 0
) -> CalibrateReport:
    """Fits how sure a bundle may be, on the validation part of a split, and writes it into the bundle.

    Args:
        run: a bundle.
        collection: the collection's folder.
        split: the split file; its ``train`` records become references, its ``val`` records are examined.
        seed: of the draws: references, and folds of the validation records.

    Raises:
        BundleError, CollectionError, SplitError: when these do not fit together, or another process
            changes the bundle.
    """
    bundle, opened, parts = (
        naming_bundle(run),
        open_collection(Path(collection)),
        read_split(Path(split)),
    )
    check_fits(parts, opened)
    if not len(parts.rows(Role.VAL)):
        raise BundleError(
            f"{split}: no validation records. Calibration needs records held out of training."
        )
    with files.only_one(bundle.path):
        return calibrate_on(bundle, course_of(bundle, opened, parts), seed=seed)


def calibrate_on(bundle: Bundle, course: Course, *, seed: int) -> CalibrateReport:
    """Does what ``calibrate`` does with records that are prepared already."""
    labels = bundle.labels
    names = labels.names_of(course.table["written_label"].to_pylist(), course.materials.concept_N)
    label_N = labels.index_of(names)
    references = reference_index(bundle, course, names, label_N, seed=seed)
    val = np.flatnonzero(~course.is_train_N)
    reader = Reader(bundle, references)
    read = reader.read_encoded(
        encode(bundle.model, course.materials, rows=val), course.materials.barcode_N, wide=WIDE
    )
    channels, without = _channels(reader, read, course, names, label_N, seed=seed)
    decisions = Decisions(channels, without)
    read = Read({channel: of.nearer() for channel, of in read.readings.items()}, read.encoded)
    write_decisions(
        bundle, decisions, references,
        validation=validation_table(decisions, read, course, names),
        summary=summary_of(bundle, decisions, read, course),
    )  # fmt: skip
    for channel, reason in without.items():
        if channel.value in [m.value for m in bundle.model.modalities]:
            note(f"calibrate: answers of {channel.value}s carry no guarantee: {reason}")
    return CalibrateReport(
        str(bundle.path),
        len(references),
        {channel.value: len(of) for channel, of in read.readings.items()},
        {channel.value: len(of.control) for channel, of in channels.items()},
        {channel.value: reason for channel, reason in without.items()},
    )


def reference_index(
    bundle: Bundle,
    course: Course,
    names: list[str | None],
    label_N: NDArray[np.int64],
    *,
    seed: int,
) -> Index:
    """Returns up to ``REFERENCES_A_LABEL`` training records of each label, with their vectors."""
    train = np.flatnonzero(course.is_train_N & (label_N >= 0))
    shuffled = generator(seed, "references").permutation(train)
    order = shuffled[np.argsort(label_N[shuffled], kind="stable")]
    _, start, count = np.unique(label_N[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(start, count)
    rows = np.sort(order[place < REFERENCES_A_LABEL])
    table = course.table.take(rows)
    if "label" in table.column_names:
        table = table.drop_columns(["label"])
    table = table.append_column(
        "label", pa.array([names[row] for row in rows.tolist()], pa.string())
    )
    vectors = {
        modality.value: Vectors.of(found.z_RD, np.searchsorted(rows, found.row_R))
        for modality, found in encode(bundle.model, course.materials, rows=rows).items()
    }
    return Index.of(table, vectors, model=bundle.fingerprint)


def _channels(
    reader: Reader,
    read: Read,
    course: Course,
    names: list[str | None],
    label_N: NDArray[np.int64],
    *,
    seed: int,
) -> tuple[dict[Channel, ChannelDecisions], dict[Channel, str]]:
    tree, labels = reader.tree, reader.bundle.labels
    draw_N = _draws(course, names)
    channels, without = {}, {}
    for channel, reading in read.readings.items():
        rows = reading.row_R
        label_R = label_N[rows]
        own_RL = np.zeros((len(rows), len(labels)), dtype=np.bool_)
        own_RL[label_R >= 0] = labels.agrees_LL[label_R[label_R >= 0]]
        truth_RN = tree.truths(
            [course.materials.concept_N[r] for r in rows], [names[r] for r in rows]
        )
        unseen_R = course.unseen_N[rows]
        new_at = ranks_of_the_new(tree, truth_RN[unseen_R], draw_N[rows][unseen_R])
        examinees = Examinees(
            reading.nearer(),
            stand_ins(tree, reading, truth_RN, label_R, new_at, seed=seed),
            truth_RN,
            draw_N[rows],
            unseen_R,
            label_R >= 0,
            own_RL,
            few_unseen=0 < len(set(draw_N[rows][unseen_R].tolist())) < ENOUGH,
        )
        found = fit_channel(tree, examinees, seed=seed)
        if found is None:
            without[channel] = TOO_FEW
        else:
            channels[channel] = found
    return channels, without


def _draws(course: Course, names: list[str | None]) -> NDArray[np.int64]:
    """Returns what was drawn independently, int64 (N,): groups of the split; of unseen taxa, whole taxa."""
    taxon_N = numbered([name if name is not None else "" for name in names])
    return np.where(course.unseen_N, -1 - taxon_N, course.group_N)
