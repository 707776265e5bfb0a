"""How sure an adapted model may be: its decisions, by answers to images that what answered had not seen.

Where a head was solved, each image is answered by a head of the same kind that was solved without its fold,
beside references without that fold; where a tower was trained, the images that training left alone are
answered by the model itself. The bundle's own head has learnt from all folds, so it is as good or better.

Shapes: N images, R of them examined, L labels.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holotype.adapting.own_labels import OwnLabels
from holotype.decisions.calibrating import TOO_FEW, WIDE, reference_index
from holotype.decisions.channels import Channel
from holotype.decisions.course import Course
from holotype.decisions.decisions import ChannelDecisions, Decisions, Examinees, fit_channel
from holotype.decisions.kept import summary_of, validation_table
from holotype.decisions.reading import Read, Reader, Reading
from holotype.decisions.stand_ins import stand_ins
from holotype.decisions.store import write_decisions
from holotype.index.store import Index, Vectors
from holotype.inputs.materials import Materials
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded, encode
from holotype.models.towers import Modality

MAX_ERROR = 0.05
"""The error rate that the report tells of; ``holotype predict`` may be asked for any."""


@dataclass(frozen=True)
class HeldOut:
    """Which images were answered by what had not learnt from them.

    Attributes:
        fold_N: int64, answered together; -1 for images that were not held out.
        learnt_N: whether an image taught the bundle: it may be a reference of other folds.
        logit_NL: float32, by the heads of the folds; None where the bundle itself did not learn from them.
    """

    fold_N: NDArray[np.int64]
    learnt_N: NDArray[np.bool_]
    logit_NL: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Sureness:
    """What can be promised of an adapted model.

    Attributes:
        images: held-out images that its decisions are fitted on.
        tested: those of them that were drawn independently and control the error.
        answered, wrong: of these, the answers at an error of at most ``MAX_ERROR``, and the wrong ones.
        reason: why no such error can be promised, or None.
    """

    images: int
    tested: int
    answered: int
    wrong: int
    reason: str | None


def make_sure(
    bundle: Bundle, own: OwnLabels, materials: Materials, names: list[str | None], held: HeldOut,
    *, seed: int,
) -> Sureness:  # fmt: skip
    """Fits the decisions of an adapted bundle, writes them into it, and returns what they promise.

    Args:
        bundle: as written.
        own: the labelled images.
        materials: the same, made ready.
        names: the label of each.
        held: which were held out of what.
        seed: of references and folds.
    """
    label_N = bundle.labels.index_of(names)
    course = Course(
        replace(materials, concept_N=own.concepts),
        own.collection.columns().take(own.rows),
        held.learnt_N,
        own.group_N,
        np.zeros(len(own), dtype=np.bool_),
    )
    references = reference_index(bundle, course, names, label_N, seed=seed)
    read = _read(bundle, course, references, held)
    found = _fitted(bundle, course, read, names, label_N, seed=seed)
    without = {} if found is not None else {Channel.IMAGE: TOO_FEW}
    decisions = Decisions({Channel.IMAGE: found} if found is not None else {}, without)
    nearer = Read({channel: of.nearer() for channel, of in read.readings.items()}, read.encoded)
    examined = replace(course, is_train_N=held.fold_N < 0)
    instruments = course.table["instrument"].filter(held.learnt_N).to_pylist()
    write_decisions(
        bundle, decisions, references,
        validation=validation_table(decisions, nearer, course, names),
        summary={
            **summary_of(bundle, decisions, nearer, examined),
            "instruments": dict(Counter(name for name in instruments if name)),
        },
    )  # fmt: skip
    threshold = decisions.threshold(Channel.IMAGE, max_error=MAX_ERROR)
    return Sureness(
        images=int((held.fold_N >= 0).sum()),
        tested=len(found.control.independent) if found is not None else 0,
        answered=sum(threshold.answered.values()),
        wrong=sum(threshold.wrong.values()),
        reason=threshold.reason,
    )


def _read(bundle: Bundle, course: Course, references: Index, held: HeldOut) -> Read:
    """Returns what is said of the held-out images, each beside references of other folds."""
    rows = np.flatnonzero(held.fold_N >= 0)
    if not len(rows):
        return Read({}, {})
    encoded = encode(bundle.model, course.materials, rows=rows)[Modality.IMAGE]
    if held.logit_NL is not None:
        encoded = replace(encoded, logit_RL=held.logit_NL[rows])
    row_of = {name: row for row, name in enumerate(course.table["record_id"].to_pylist())}
    reference_row = [
        row_of[name] for name in references.columns(["record_id"])["record_id"].to_pylist()
    ]
    reference_fold = held.fold_N[np.asarray(reference_row, dtype=np.int64)]
    fold_R = held.fold_N[rows]
    parts, places = [], []
    for fold in np.unique(fold_R).tolist():
        at = np.flatnonzero(fold_R == fold)
        reader = Reader(bundle, _some(references, reference_fold != fold))
        asked = Encoded(encoded.row_R[at], encoded.z_RD[at], _of(encoded.logit_RL, at))
        said = reader.read_encoded(
            {Modality.IMAGE: asked}, (None,) * len(course.materials), wide=WIDE
        )
        parts.append(said.readings[Channel.IMAGE])
        places.append(at)
    order = np.argsort(np.concatenate(places))
    return Read({Channel.IMAGE: _joined(parts).take(order)}, {Modality.IMAGE: encoded})


def _of(logit_RL: NDArray[np.float32] | None, at: NDArray[np.int64]) -> NDArray[np.float32] | None:
    return None if logit_RL is None else logit_RL[at]


def _some(references: Index, kept: NDArray[np.bool_]) -> Index:
    """Returns an index of some of the references; each has one vector."""
    assert references.table is not None
    z_VD = references.vectors[Modality.IMAGE.value].z_VD[kept]
    vectors = {Modality.IMAGE.value: Vectors.of(z_VD)}
    return Index.of(references.table.filter(kept), vectors, model=references.model)


def _joined(readings: list[Reading]) -> Reading:
    """Returns the readings of several folds as one."""
    near = dict(readings[0].near)
    for one in readings[1:]:
        near = {kind: found.followed_by(one.near[kind]) for kind, found in near.items()}
    return Reading(
        np.concatenate([one.row_R for one in readings]),
        {name: np.concatenate([one.parts[name] for one in readings]) for name in readings[0].parts},
        near,
    )


def _fitted(
    bundle: Bundle, course: Course, read: Read, names: list[str | None],
    label_N: NDArray[np.int64], *, seed: int,
) -> ChannelDecisions | None:  # fmt: skip
    """Returns the decisions on images, None where too few were held out."""
    if Channel.IMAGE not in read.readings:
        return None
    tree, reading = Reader(bundle, None).tree, read.readings[Channel.IMAGE]
    rows = reading.row_R
    truth_RN = tree.truths(
        [course.materials.concept_N[row] for row in rows], [names[row] for row in rows]
    )
    return fit_channel(
        tree,
        Examinees(
            reading=reading.nearer(),
            stand_ins=stand_ins(tree, reading, truth_RN, label_N[rows], [], seed=seed),
            truth_BN=truth_RN,
            draw_B=course.group_N[rows],
            unseen_B=course.unseen_N[rows],
            known_B=label_N[rows] >= 0,
            own_BL=bundle.labels.agrees_LL[label_N[rows]],
            few_unseen=False,
        ),
        seed=seed,
    )
