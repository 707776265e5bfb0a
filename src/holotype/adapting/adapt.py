"""The command ``adapt``: a model and a user's own labelled images -> a bundle that names those labels."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holotype.adapting import fine_tuning
from holotype.adapting.card import tell_sureness
from holotype.adapting.choice import (
    CANDIDATES,
    Examined,
    Examples,
    Method,
    choose,
    examined,
    held_out_logits,
    out_of_fold,
    solved,
)
from holotype.adapting.made import Made, write_made
from holotype.adapting.new_folder import new_model_folder
from holotype.adapting.new_model import image_embeddings, with_head
from holotype.adapting.own_labels import OwnLabels, read_own_labels
from holotype.adapting.parents import open_parent
from holotype.adapting.sureness import HeldOut, Sureness, make_sure
from holotype.decisions.reading import label_probabilities
from holotype.decisions.temperature import fit_temperature
from holotype.errors import BundleError, RecipeError, did_you_mean
from holotype.evaluation.metrics import Estimate
from holotype.inputs.materials import Materials, prepare_collection
from holotype.models.bundle import Bundle, open_bundle
from holotype.models.labels import LabelSpace, Target, build_label_space, label_names
from holotype.progress import note


@dataclass(frozen=True)
class AdaptReport:
    """What adapting did, and how good it is on images that were held out.

    Attributes:
        bundle: its folder.
        parent: the model it comes from.
        method: prototypes, probe, lora or full.
        labels, images: what it learnt.
        known_labels: how many of the labels the parent knew.
        examined: images that were named by a model that had not seen them.
        accuracy: share of them named right, with its 95 % interval; None where fewer than 30 were examined.
        macro_accuracy: the same, as the mean over labels.
        before: accuracy of the parent on the same images; a label that it does not know is never right.
        sure: how much of what was held out it answers at an error of at most 5 %, or why it promises nothing.
        seconds: it took.
    """

    bundle: str
    parent: str
    method: str
    labels: int
    images: int
    known_labels: int
    examined: int
    accuracy: tuple[float, float, float] | None
    macro_accuracy: tuple[float, float, float] | None
    before: tuple[float, float, float] | None
    sure: Sureness
    seconds: float


@dataclass(frozen=True)
class Task:
    """All that a model is adapted from.

    Attributes:
        bundle: the parent.
        own: the labelled images.
        materials: the same, made ready for the parent.
        names: the label of each.
        labels: the label space.
        examples: embeddings by the parent, and labels.
        seed: of folds, and of fine-tuning.
    """

    bundle: Bundle
    own: OwnLabels
    materials: Materials
    names: list[str | None]
    labels: LabelSpace
    examples: Examples
    seed: int


def adapt(
    model: Path | str,
    inputs: Sequence[Path | str],
    *,
    out: Path | str,
    labels: Path | str | None = None,
    method: Method | str = Method.AUTO,
    epochs: int | None = None,
    seed: int = 0,
) -> AdaptReport:
    """Teaches a model a user's own labels from a few images or many, and writes the result as a bundle.

    ``prototypes`` and ``probe`` leave the tower as it is and take seconds; ``lora`` trains a low-rank change
    of its attention, ``full`` all of it.
    ``auto`` chooses by cross-validation, and tries ``full`` where half of the labels have 50 images or more.
    The figures are of images that the examined model had not learnt from; by such images too the bundle is
    calibrated, so that ``--max-error`` keeps its promise on images like these.

    Args:
        model: a bundle, ``starter``, ``published:NAME`` or a folder of open_clip's layout.
        inputs: class folders or archives of them; a folder of images, with ``labels``; or a collection.
        out: the folder of the new bundle.
        labels: a table with an image and a label a row.
        method: ``auto``, ``prototypes``, ``probe``, ``lora`` or ``full``.
        epochs: of training; by default as many as 40,000 images make, 8 to 40.
        seed: of every random choice.

    Raises:
        BundleError, SourceError, CollectionError, RecipeError: when these do not fit together.
    """
    started = time.monotonic()
    if method not in set(Method):
        raise RecipeError(f"no --method {method}.{did_you_mean(str(method), [*Method])}")
    asked, folder = Method(method), Path(out)
    if epochs is not None and asked in (Method.PROTOTYPES, Method.PROBE):
        raise RecipeError(f"--epochs goes with --method full, lora or auto; {asked} has none.")
    with new_model_folder(folder) as aside, tempfile.TemporaryDirectory() as scratch:
        bundle = open_parent(model)
        if bundle.pixels is None:
            raise BundleError(f"{bundle.path}: reads no images, so it cannot be adapted to them.")
        own = read_own_labels(inputs, labels, bundle.labels, Path(scratch) / "own")
        task = _task(bundle, own, seed)
        made = _made(task, asked, epochs, Path(scratch))
        before = examined(*_of_parent(task, made.exam), task.examples, seed=seed)
        write_made(aside, made, bundle, own, task.labels, before, name=folder.name)
        new = open_bundle(aside)
        sure = make_sure(new, own, task.materials, task.names, made.held, seed=seed)
        tell_sureness(aside, sure)
    return AdaptReport(
        bundle=str(folder),
        parent=str(model),
        method=made.method.value,
        labels=len(task.labels),
        images=len(own),
        known_labels=int(same_meaning(task.labels, bundle.labels).any(axis=1).sum()),
        examined=made.exam.images,
        accuracy=_figures(made.exam.accuracy),
        macro_accuracy=_figures(made.exam.macro),
        before=_figures(before.accuracy),
        sure=sure,
        seconds=round(time.monotonic() - started, 1),
    )


def _task(bundle: Bundle, own: OwnLabels, seed: int) -> Task:
    materials = prepare_collection(own.collection, pixels=bundle.pixels, rows=own.rows)
    materials = replace(materials, concept_N=own.concepts, barcode_N=(None,) * len(own))
    names = label_names(Target.WRITTEN_LABEL, own.written, own.concepts)
    space = build_label_space(Target.WRITTEN_LABEL, names, own.concepts)
    z_ND = image_embeddings(bundle.model, materials)
    examples = Examples(z_ND, space.index_of(names), own.group_N, len(space))
    return Task(bundle, own, materials, names, space, examples, seed)


def _made(task: Task, method: Method, epochs: int | None, scratch: Path) -> Made:
    """Returns the model made by the method, or by the better one of those that ``auto`` tries."""
    if method in fine_tuning.KINDS:
        return _fine_tuned(task, method, epochs, scratch)[0]
    if method is not Method.AUTO or not fine_tuning.worth_trying(task.examples):
        return _solved(task, method)
    tuned, right_tuned, right_solved = _fine_tuned(task, Method.FULL, epochs, scratch)
    note(f"validation images named right: {right_tuned:,} fine-tuned, {right_solved:,} by a probe")
    return tuned if right_tuned > right_solved else _solved(task, method)


def _solved(task: Task, method: Method) -> Made:
    examples = task.examples
    chosen = choose(CANDIDATES[method], examples, seed=task.seed)
    logit_NL, has_N = out_of_fold(method, examples, seed=task.seed)
    hit_N = (logit_NL.argmax(axis=1) == examples.label_N) & has_N
    own_NL, fold_N = held_out_logits(chosen, examples, seed=task.seed)
    return Made(
        method=chosen[0],
        model=with_head(task.bundle.model, solved(chosen, examples)),
        temperature=_temperature(own_NL[has_N], examples.label_N[has_N]),
        exam=examined(hit_N, has_N, examples, seed=task.seed),
        held=HeldOut(fold_N, np.ones(len(examples), dtype=np.bool_), own_NL),
    )


def _fine_tuned(
    task: Task, method: Method, epochs: int | None, scratch: Path
) -> tuple[Made, int, int]:
    """Returns the fine-tuned model, and the validation images that it and the untouched tower name."""
    examples = task.examples
    parts = fine_tuning.parted(examples, seed=task.seed)
    taught = examples.at(parts.train_N)
    head = solved(choose(CANDIDATES[Method.PROBE], taught, seed=task.seed), taught)
    start = fine_tuning.tuned_by(method, with_head(task.bundle.model, head))
    tuned = fine_tuning.fine_tune(
        start,
        task.materials,
        task.labels,
        task.names,
        parts,
        epochs=epochs,
        seed=task.seed,
        folder=scratch,
    )
    logit_NL = fine_tuning.logits(tuned.model.built(len(task.labels)), task.materials)
    hit_N = logit_NL.argmax(axis=1) == examples.label_N
    of_head_N = head.logits(examples.z_ND).argmax(axis=1) == examples.label_N
    made = Made(
        method=method,
        model=tuned.model,
        temperature=_temperature(logit_NL[parts.val_N], examples.label_N[parts.val_N]),
        exam=examined(hit_N & parts.test_N, parts.test_N, examples, seed=task.seed),
        held=HeldOut(np.where(parts.test_N, 0, -1), parts.train_N),
        recipe=tuned.recipe,
        history=tuned.history,
    )
    return made, int((hit_N & parts.val_N).sum()), int((of_head_N & parts.val_N).sum())


def _temperature(logit_NL: NDArray[np.float32], label_N: NDArray[np.int64]) -> float:
    return fit_temperature(logit_NL, np.eye(logit_NL.shape[1], dtype=np.bool_)[label_N])


def _of_parent(task: Task, exam: Examined) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns which examined images the parent names right, and which were examined: none without labels."""
    known = task.bundle.labels
    if not len(known):
        nothing_N = np.zeros(len(task.own), dtype=np.bool_)
        return nothing_N, nothing_N
    means_LP = same_meaning(task.labels, known)
    row_B, probability_BL = label_probabilities(task.bundle, task.materials)
    best_N = np.zeros(len(task.own), dtype=np.int64)
    best_N[row_B] = probability_BL.argmax(axis=1)
    return means_LP[task.examples.label_N, best_N] & exam.examined_N, exam.examined_N


def same_meaning(own: LabelSpace, known: LabelSpace) -> NDArray[np.bool_]:
    """Returns which labels of a parent are right for each own label, bool (own, parent's).

    A parent's label is right when it has the same name, or lies at or below the own label's taxon and shows
    the same of it.
    """
    right_LP = np.zeros((len(own), len(known)), dtype=np.bool_)
    for place, label in enumerate(own.labels):
        concept, rank = label.concept, label.concept.lineage.rank
        for other, theirs in enumerate(known.labels):
            below = (
                rank is not None and theirs.concept.lineage.name_at(rank) == concept.lineage.name
            )
            same_part = theirs.concept.qualifier == concept.qualifier
            right_LP[place, other] = theirs.name == label.name or (below and same_part)
    return right_LP


def _figures(found: Estimate | None) -> tuple[float, float, float] | None:
    return None if found is None else (found.value, found.low, found.high)
