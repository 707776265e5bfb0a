"""The command ``shrink``: a bundle -> the same model with its weights in 8 bits, a quarter of the size."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holotype.adapting.new_folder import new_model_folder
from holotype.decisions.reading import label_probabilities
from holotype.decisions.store import carry_decisions
from holotype.errors import SourceError
from holotype.identify.inputs import Specimen, specimens
from holotype.inputs.materials import Materials, prepare_loose
from holotype.models.bundle import (
    ATTRIBUTION,
    TRAINING_RECORDS,
    Bundle,
    open_bundle,
    write_bundle,
)
from holotype.models.encode import encode
from holotype.models.places import WEIGHTS
from holotype.models.quantised import WeightKind

CHUNK = 256
CARRIED = ("recipe.toml", TRAINING_RECORDS, ATTRIBUTION, "metrics.csv")
"""Files of a bundle that do not depend on how the weights are stored."""


@dataclass(frozen=True)
class Agreement:
    """How near two models are on the same images and barcodes.

    Attributes:
        specimens: how many both could read.
        least_cosine, mean_cosine: between their embeddings of one specimen.
        same_label: share of specimens that both give the same best label.
    """

    specimens: int
    least_cosine: float
    mean_cosine: float
    same_label: float


@dataclass(frozen=True)
class ShrinkReport:
    """What shrinking did: folder, bytes of the weights before and after, and what it changed on inputs."""

    bundle: str
    bytes_before: int
    bytes_after: int
    agreement: Agreement | None


def shrink(run: Path | str, *, out: Path | str, inputs: Sequence[Path | str] = ()) -> ShrinkReport:
    """Writes a bundle again with int8 weights; with inputs, measures what that changes.

    Args:
        run: a bundle.
        out: the folder of the new one.
        inputs: images, folders, archives or FASTA to compare both models on.

    Raises:
        BundleError: when the bundle cannot be opened, or ``out`` holds something.
        CollectionError: when another process writes there.
        SourceError: when the model reads none of the inputs.
    """
    folder, bundle = Path(out), open_bundle(run, is_plain=True)
    with new_model_folder(folder) as made:
        _write_small(made, bundle)
    found = [str(path) for path in inputs]
    return ShrinkReport(
        bundle=str(folder),
        bytes_before=(bundle.path / WEIGHTS).stat().st_size,
        bytes_after=(folder / WEIGHTS).stat().st_size,
        agreement=compare(bundle, open_bundle(folder), specimens(found)) if found else None,
    )


def _write_small(folder: Path, bundle: Bundle) -> None:
    for name in CARRIED:
        if (bundle.path / name).is_file():
            shutil.copyfile(bundle.path / name, folder / name)
    card = bundle.path / "README.md"
    write_bundle(
        folder, bundle.model.settings, bundle.model.state_dict(), bundle.labels, bundle.temperature,
        bundle.manifest["training"], card.read_text(encoding="utf-8") if card.is_file() else "",
        kind=WeightKind.INT8,
    )  # fmt: skip
    carry_decisions(bundle, open_bundle(folder))


def compare(first: Bundle, second: Bundle, found: Iterator[Specimen]) -> Agreement:
    """Returns how near two bundles of one architecture are on the same specimens.

    Raises:
        SourceError: when they read none of them.
    """
    return agreement_of(first, second, _materials(first, found))


def _materials(bundle: Bundle, found: Iterator[Specimen]) -> Iterator[Materials]:
    while chunk := list(islice(found, CHUNK)):
        images = [_image(one) for one in chunk]
        names, barcodes = [one.input for one in chunk], [one.barcode for one in chunk]
        yield prepare_loose(names, images, barcodes, pixels=bundle.pixels)[0]


def agreement_of(first: Bundle, second: Bundle, parts: Iterable[Materials]) -> Agreement:
    """Returns how near two bundles of one architecture are on the same records, some at a time.

    Raises:
        SourceError: when they read none of them.
    """
    cosines: list[NDArray[np.float32]] = []
    same: list[NDArray[np.bool_]] = []
    for materials in parts:
        ours, theirs = (encode(bundle.model, materials) for bundle in (first, second))
        cosines += [(ours[m].z_RD * theirs[m].z_RD).sum(axis=1) for m in ours]
        best = [label_probabilities(b, materials)[1].argmax(axis=1) for b in (first, second)]
        same.append(best[0] == best[1])
    cosine = np.concatenate([np.zeros(0, np.float32), *cosines])
    if not len(cosine):
        raise SourceError("the model reads none of the inputs to compare on. Name images.")
    hits = np.concatenate(same)
    return Agreement(len(hits), float(cosine.min()), float(cosine.mean()), float(hits.mean()))


def _image(specimen: Specimen) -> bytes | None:
    if specimen.read_image is None:
        return None
    try:
        return specimen.read_image()
    except (OSError, ValueError):
        return None
