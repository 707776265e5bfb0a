"""A trained model on disk: weights, labels, preprocessing, calibration and a card.

Format: docs/formats/bundle.md. A folder with ``model.safetensors`` and ``bundle.json``, the latter written
last; ``resume/`` is there while training only.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from holotype import files
from holotype._version import __version__
from holotype.config import checked
from holotype.errors import BundleError
from holotype.inputs.captions.text_choice import TextSettings
from holotype.media.preparation import PixelPreparation
from holotype.models.aligned import AlignedModel, ModelSettings
from holotype.models.compiled import open_engine
from holotype.models.golden import check_engine, check_outputs, golden_embeddings, golden_outputs
from holotype.models.labels import LabelSpace
from holotype.models.places import MANIFEST, WEIGHTS, bundle_folder
from holotype.models.quantised import WeightKind, model_weights, stored_weights
from holotype.models.towers import Modality

FORMAT = "holotype-bundle"
VERSION = 3
"""2: ``weights`` says how the weights are stored. 3: ``engine`` says what else runs the image tower."""
OLDER = (1, 2)
"""Versions that are read as well."""
TRAINING_RECORDS, ATTRIBUTION = "training-records.parquet", "ATTRIBUTION.md"
OF_TRAINING_ALONE = ("sigmoid_bias",)
"""Parameters that a bundle may lack: losses read them, answers do not."""
PREPROCESSING = {
    "padded": "upright, 8 bit; padded with the border's median; area down, linear up; luma Rec. 601",
    "squashed": "upright, 8 bit; squashed to a square, bicubic; luma Rec. 601",
    "centre_crop": "upright, 8 bit; shorter side to the square's, bicubic; centre cut; luma Rec. 601",
    "subject": "upright, 8 bit; subject bright on black; padded; area down, linear up; luma Rec. 601",
}
"""What ``holotype.media.preparation`` does, by kind; a bundle made with another way is refused."""


@dataclass(frozen=True)
class Bundle:
    """An open bundle, ready to use.

    Attributes:
        path: its folder.
        model: in evaluation mode, on the CPU.
        labels: what it scores.
        temperature: by modality, what logits are divided by; 1 where none was fitted.
        manifest: the content of ``bundle.json``.
    """

    path: Path
    model: AlignedModel
    labels: LabelSpace
    temperature: dict[Modality, float]
    manifest: dict[str, Any]

    @property
    def pixels(self) -> PixelPreparation | None:
        """How the images that it reads are made ready, None without an image tower."""
        images = self.model.settings.images
        return images.pixels if images is not None else None

    @property
    def texts(self) -> TextSettings:
        """The text settings that it was trained with; the default where it names none."""
        recipe: Any = self.manifest.get("training", {}).get("recipe", {})
        found = recipe.get("text") if isinstance(recipe, dict) else None
        if not isinstance(found, dict):
            return TextSettings()
        known = {key: value for key, value in found.items() if key in TextSettings.model_fields}
        try:
            return TextSettings.model_validate(known)
        except ValidationError:
            return TextSettings()

    @property
    def weights(self) -> WeightKind:
        """How its weights are stored."""
        return WeightKind(self.manifest.get("weights", WeightKind.FLOAT32))

    @property
    def fingerprint(self) -> str:
        """The first 16 digits of the SHA-256 of its weights; with an engine of weights and engine."""
        weights, engine = str(self.manifest["weights_sha256"]), self.manifest.get("engine")
        if engine is None:
            return weights[:16]
        parts = [weights, engine["precision"], *engine["sha256"].values()]
        return files.sha256_bytes(" ".join(parts).encode())[:16]


def naming_bundle(path: Path | str) -> Bundle:
    """Returns the opened bundle.

    Raises:
        BundleError: as ``open_bundle``, and for a model that has learnt no label.
    """
    bundle = open_bundle(path)
    if not len(bundle.labels):
        raise BundleError(
            f"{path}: knows no label, as none of its training records had a name. Train a recipe that "
            "starts from it (model.barcodes.weights) on records with names."
        )
    return bundle


def preprocessing_of(settings: ModelSettings) -> dict[str, Any]:
    """Returns how inputs are made ready, with a fingerprint of it."""
    images = settings.images
    described = {
        "images": PREPROCESSING[images.preparation.value] if images else None,
        "image_settings": images.model_dump(mode="json") if images else None,
        "barcode_max_bp": settings.barcodes.max_bp if settings.barcodes else None,
    }
    return {**described, "fingerprint": files.sha256_bytes(repr(described).encode())[:16]}


def write_bundle(
    folder: Path,
    settings: ModelSettings,
    weights: dict[str, Tensor],
    labels: LabelSpace,
    temperature: dict[Modality, float],
    training: dict[str, Any],
    card: str,
    *,
    kind: WeightKind = WeightKind.FLOAT32,
) -> None:
    """Writes a finished run; ``bundle.json`` comes last, then ``resume/`` goes.

    Args:
        folder: the bundle's.
        settings: the parts of the model.
        weights: of the model, in float32.
        labels: what it scores.
        temperature: by modality.
        training: what it learnt from.
        card: the model card.
        kind: how the weights are stored; ``int8`` takes a quarter of the room.
    """
    files.write_text(folder / "README.md", card)
    with files.written_whole_aside(folder / WEIGHTS) as temporary:
        save_file(stored_weights(weights, kind), temporary)
        shutil.copymode(folder / "README.md", temporary)  # safetensors lets the owner alone read it
    weights_sha256 = files.sha256_file(folder / WEIGHTS)
    model = AlignedModel(settings, num_labels=len(labels))
    _fill(model, folder, {"weights_sha256": weights_sha256})
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "holotype": __version__,
        "weights": kind.value,
        "weights_sha256": weights_sha256,
        "golden": golden_outputs(model),
        "model": settings.model_dump(mode="json"),
        "preprocessing": preprocessing_of(settings),
        "calibration": {name.value: value for name, value in temperature.items()},
        "training": training,
        **labels.as_json(),
    }
    files.write_json(folder / MANIFEST, manifest)
    files.remove_folder(folder / "resume")


def open_bundle(path: Path | str, *, is_plain: bool = False) -> Bundle:
    """Returns the bundle in a folder, or the one that comes with Holotype for the name ``starter``.

    Args:
        path: the folder, or the name.
        is_plain: leave its engine aside, and compute in float32.

    Raises:
        BundleError: when it is missing, unfinished, of another version, damaged, was trained with
            another way of making inputs ready, or computes something else here.
    """
    path = bundle_folder(path)
    if (path / "resume").is_dir() and not (path / MANIFEST).is_file():
        raise BundleError(f"{path}: training has not finished. Run holotype train again to go on.")
    manifest, settings, labels, temperature = _described(path)
    model = AlignedModel(settings, num_labels=len(labels))
    _fill(model, path, manifest)
    if "golden" in manifest:
        with files.read_whole(path / MANIFEST, BundleError, remedy="Restore it, or train again."):
            check_outputs(path, golden_outputs(model), manifest["golden"])
    if is_plain:
        manifest = {key: value for key, value in manifest.items() if key != "engine"}
    elif "engine" in manifest:
        model.image_engine = open_engine(path, manifest["engine"])
        check_engine(path, golden_embeddings(model), manifest["engine"])
    return Bundle(path, model.for_reading(), labels, temperature, manifest)


def _described(
    path: Path,
) -> tuple[dict[str, Any], ModelSettings, LabelSpace, dict[Modality, float]]:
    """Returns what ``bundle.json`` says: all of it, the model's settings, the labels, the temperatures."""
    with files.read_whole(path / MANIFEST, BundleError, remedy="Restore it, or train again."):
        manifest = files.read_manifest(
            path / MANIFEST, format_name=FORMAT, version=VERSION, error=BundleError, older=OLDER
        )
        settings = checked(ModelSettings, manifest["model"], where=str(path / MANIFEST))
        prepared = preprocessing_of(settings)["images"]
        if settings.images is not None and manifest["preprocessing"]["images"] != prepared:
            raise BundleError(
                f"{path}: trained with another way of preparing inputs. Use Holotype "
                f"{manifest['holotype']}, which made it, or train again."
            )
        _ = manifest["training"], manifest["weights_sha256"]
        temperature = {Modality(name): float(t) for name, t in manifest["calibration"].items()}
        return manifest, settings, LabelSpace.from_json(manifest), temperature


def _fill(model: AlignedModel, path: Path, manifest: dict[str, Any]) -> None:
    """Gives a model the weights of a bundle's folder."""
    if not (path / WEIGHTS).is_file():
        raise BundleError(f"{path / WEIGHTS}: missing, though bundle.json names it. Restore it.")
    if files.sha256_file(path / WEIGHTS) != manifest["weights_sha256"]:
        raise BundleError(f"{path / WEIGHTS}: not the weights that bundle.json names. Restore it.")
    try:
        found = model_weights(load_file(path / WEIGHTS))
        unset = {n: v for n, v in model.state_dict().items() if n in OF_TRAINING_ALONE}
        model.load_state_dict({**unset, **found})
    except (RuntimeError, SafetensorError) as reason:
        raise BundleError(f"{path / WEIGHTS}: does not fit bundle.json ({reason}).") from reason


def with_engine(bundle: Bundle, folder: Path, engine: dict[str, Any]) -> None:
    """Writes the manifest of a bundle again for a folder that has its weights, and an engine beside them."""
    manifest = {**bundle.manifest, "version": VERSION, "holotype": __version__, "engine": engine}
    files.write_json(folder / MANIFEST, manifest)


def softmax(logit_BL: NDArray[np.float32], *, temperature: float = 1.0) -> NDArray[np.float64]:
    """Returns calibrated probabilities, float64 (B, L), rows adding up to 1."""
    scaled = torch.from_numpy(np.asarray(logit_BL, dtype=np.float64)) / temperature
    probability_BL: NDArray[np.float64] = torch.softmax(scaled, dim=1).numpy()
    return probability_BL
