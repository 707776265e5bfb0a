"""An adapted model -> a bundle: weights, card, whom to credit, and what parent and user taught it."""

import platform
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from holotype import files
from holotype.adapting.card import adapted_card
from holotype.adapting.choice import Examined, Method
from holotype.adapting.new_model import NewModel
from holotype.adapting.own_labels import OwnLabels
from holotype.adapting.sureness import HeldOut
from holotype.collection.licensing import licence_counts, what_may_be_done
from holotype.config import as_toml
from holotype.evaluation.metrics import Estimate
from holotype.models.bundle import ATTRIBUTION, TRAINING_RECORDS, Bundle, write_bundle
from holotype.models.labels import LabelSpace
from holotype.models.towers import Modality
from holotype.splits.plan import Role, Split, Status
from holotype.training.provenance import write_provenance
from holotype.training.recipe import Recipe


@dataclass(frozen=True)
class Made:
    """An adapted model and how good it is.

    Attributes:
        method: how it was made.
        model: it.
        temperature: what its logits are divided by.
        exam: figures on images that it, or one made in the same way, had not learnt from.
        held: what was held out of what, and what was said of it.
        recipe, history: of fine-tuning.
    """

    method: Method
    model: NewModel
    temperature: float
    exam: Examined
    held: HeldOut
    recipe: Recipe | None = None
    history: list[dict[str, Any]] = field(default_factory=list)


def write_made(
    folder: Path, made: Made, parent: Bundle, own: OwnLabels, labels: LabelSpace, before: Examined,
    *, name: str,
) -> None:  # fmt: skip
    """Writes the bundle of an adapted model into a folder that is there; ``bundle.json`` comes last."""
    training = training_of(made, parent, own, labels, before)
    write_provenance(folder, own.collection, _as_split(own), name=name)
    _with_parents_records(folder, parent)
    if made.recipe is not None:
        files.write_text(folder / "recipe.toml", as_toml(made.recipe))
    write_bundle(
        folder, made.model.settings, made.model.weights, labels, {Modality.IMAGE: made.temperature},
        training, adapted_card(name, training, labels), kind=parent.weights,
    )  # fmt: skip


def training_of(
    made: Made, parent: Bundle, own: OwnLabels, labels: LabelSpace, before: Examined
) -> dict[str, Any]:
    """Returns what the bundle says of its training; licences and sources are of both, parent and user."""
    columns = own.collection.columns(["licence", "instrument", "source"]).take(own.rows)
    theirs = parent.manifest["training"]
    licences = _added(licence_counts(columns), theirs.get("licences", {}))
    counted = {
        name: _added(
            Counter(str(v) for v in columns[name].to_pylist() if v), theirs.get(f"{name}s", {})
        )
        for name in ("instrument", "source")
    }
    recipe = made.recipe.model_dump(mode="json") if made.recipe is not None else {}
    about = f"Adapted by {made.method.value} from {theirs['recipe']['name']}."
    return {
        "run": own.collection.fingerprint,
        "recipe": {**recipe, "name": "adapted", "about": about},
        "method": made.method.value,
        "parent": {
            "name": theirs["recipe"]["name"],
            "fingerprint": parent.fingerprint,
            "records": theirs.get("records", 0),
            "licence": theirs.get("licence"),
        },
        "collection": {"name": own.collection.name, "fingerprint": own.collection.fingerprint},
        "records": len(own),
        "validation_records": 0,
        "examined": {
            "images": made.exam.images,
            "accuracy": _plain(made.exam.accuracy),
            "macro_accuracy": _plain(made.exam.macro),
            "accuracy_before": _plain(before.accuracy),
        },
        "labels": len(labels),
        "licences": licences,
        "may": what_may_be_done(licences),
        "instruments": counted["instrument"],
        "sources": counted["source"],
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "history": made.history,
    }


def _added(own: dict[str, int], theirs: dict[str, int]) -> dict[str, int]:
    return dict(sorted((Counter(own) + Counter(theirs)).items()))


def _plain(found: Estimate | None) -> dict[str, float] | None:
    return None if found is None else {"value": found.value, "low": found.low, "high": found.high}


def _as_split(own: OwnLabels) -> Split:
    """Returns a split in which every image that was used is of training."""
    count = len(own.collection)
    role_N = np.full(count, Role.UNUSED.value, dtype="<U8")
    role_N[own.rows] = Role.TRAIN.value
    ids = own.collection.columns(["record_id"])["record_id"].to_pylist()
    status_N = np.full(count, Status.SEEN.value)
    return Split(tuple(ids), role_N, status_N, np.arange(count), (None,) * count, made_by={})


def _with_parents_records(folder: Path, parent: Bundle) -> None:
    """Adds the parent's training records and credits, so that both can be asked for."""
    theirs = parent.path / TRAINING_RECORDS
    if theirs.is_file():
        both = pa.concat_tables([pq.read_table(folder / TRAINING_RECORDS), pq.read_table(theirs)])
        with files.written_whole(folder / TRAINING_RECORDS) as temporary:
            pq.write_table(both, temporary, compression="zstd")
    credits = parent.path / ATTRIBUTION
    if credits.is_file():
        own = (folder / ATTRIBUTION).read_text(encoding="utf-8")
        files.write_text(
            folder / ATTRIBUTION,
            own + "\n" + credits.read_text(encoding="utf-8").replace("# ", "## "),
        )
