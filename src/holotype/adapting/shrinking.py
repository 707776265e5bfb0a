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
from holotype.models.towers import Modality

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
class Said:
    """What a model says of records.

    Attributes:
        z_RD: unit embeddings by modality.
        best_R: the best label of each record that it can read, int64.
    """

    z_RD: dict[Modality, NDArray[np.float32]]
    best_R: NDArray[np.int64]


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
    parts = _materials(first, found)
    return agreement_of((said_of(first, part), said_of(second, part)) for part in parts)


def _materials(bundle: Bundle, found: Iterator[Specimen]) -> Iterator[Materials]:
    while chunk := list(islice(found, CHUNK)):
        images = [_image(one) for one in chunk]
        names, barcodes = [one.input for one in chunk], [one.barcode for one in chunk]
        yield prepare_loose(names, images, barcodes, pixels=bundle.pixels)[0]


def said_of(bundle: Bundle, materials: Materials) -> Said:
    """Returns what a bundle's model alone says of records."""
    encoded = encode(bundle.model, materials)
    _, probability_RL = label_probabilities(bundle, materials, encoded)
    return Said({m: of.z_RD for m, of in encoded.items()}, probability_RL.argmax(axis=1))


def agreement_of(pairs: Iterable[tuple[Said, Said]]) -> Agreement:
    """Returns how near two bundles of one architecture are, by what both say of the same records.

    Raises:
        SourceError: when they read none of them.
    """
    cosines, same = [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)]
    for ours, theirs in pairs:
        cosines += [(ours.z_RD[m] * theirs.z_RD[m]).sum(axis=1) for m in ours.z_RD]
        same.append(ours.best_R == theirs.best_R)
    cosine, hits = np.concatenate(cosines), np.concatenate(same)
    if not len(cosine):
        raise SourceError("the model reads none of the inputs to compare on. Name images.")
    return Agreement(len(hits), float(cosine.min()), float(cosine.mean()), float(hits.mean()))


def _image(specimen: Specimen) -> bytes | None:
    if specimen.read_image is None:
        return None
    try:
        return specimen.read_image()
    except (OSError, ValueError):
        return None
