"""A trained model on disk: weights, labels, preprocessing, calibration and a card.

Format: docs/formats/bundle.md. A folder with ``model.safetensors`` and ``bundle.json``, the latter written
last; ``resume/`` is there while training only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from holotype import files
from holotype._version import __version__
from holotype.config import checked
from holotype.errors import BundleError
from holotype.media.preparation import PixelPreparation
from holotype.models.aligned import AlignedModel, ModelSettings
from holotype.models.labels import LabelSpace
from holotype.models.towers import Modality

FORMAT = "holotype-bundle"
VERSION = 1
MANIFEST, WEIGHTS = "bundle.json", "model.safetensors"
TRAINING_RECORDS, ATTRIBUTION = "training-records.parquet", "ATTRIBUTION.md"
PREPROCESSING = (
    "upright, 8 bit; padded with the border's median; area down, linear up; luma Rec. 601"
)
"""What ``holotype.media.images`` does; a bundle made with another way is refused."""


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
    def fingerprint(self) -> str:
        """The first 16 digits of the SHA-256 of its weights."""
        return str(self.manifest["weights_sha256"])[:16]


def preprocessing_of(settings: ModelSettings) -> dict[str, Any]:
    """Returns how inputs are made ready, with a fingerprint of it."""
    described = {
        "images": PREPROCESSING,
        "image_settings": settings.images.model_dump(mode="json") if settings.images else None,
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
) -> None:
    """Writes a finished run; ``bundle.json`` comes last, then ``resume/`` goes."""
    with files.written_whole(folder / WEIGHTS) as temporary:
        save_file({name: value.contiguous() for name, value in weights.items()}, temporary)
    files.write_text(folder / "README.md", card)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "holotype": __version__,
        "weights_sha256": files.sha256_file(folder / WEIGHTS),
        "model": settings.model_dump(mode="json"),
        "preprocessing": preprocessing_of(settings),
        "calibration": {name.value: value for name, value in temperature.items()},
        "training": training,
        **labels.as_json(),
    }
    files.write_json(folder / MANIFEST, manifest)
    files.remove_folder(folder / "resume")


def open_bundle(path: Path) -> Bundle:
    """Returns the bundle in a folder.

    Raises:
        BundleError: when it is missing, unfinished, of another version, damaged, or was trained with
            another way of making inputs ready.
    """
    if (path / "resume").is_dir() and not (path / MANIFEST).is_file():
        raise BundleError(f"{path}: training has not finished. Run holotype train again to go on.")
    manifest = files.read_manifest(
        path / MANIFEST, format_name=FORMAT, version=VERSION, error=BundleError
    )
    settings = checked(ModelSettings, manifest["model"], where=str(path / MANIFEST))
    if manifest["preprocessing"] != preprocessing_of(settings):
        raise BundleError(
            f"{path}: trained with another way of preparing inputs. Use Holotype "
            f"{manifest['holotype']}, which made it, or train again."
        )
    labels = LabelSpace.from_json(manifest)
    model = AlignedModel(settings, num_labels=len(labels))
    if not (path / WEIGHTS).is_file():
        raise BundleError(f"{path / WEIGHTS}: missing, though bundle.json names it. Restore it.")
    if files.sha256_file(path / WEIGHTS) != manifest["weights_sha256"]:
        raise BundleError(f"{path / WEIGHTS}: not the weights that bundle.json names. Restore it.")
    try:
        model.load_state_dict(load_file(path / WEIGHTS))
    except (RuntimeError, SafetensorError) as reason:
        raise BundleError(f"{path / WEIGHTS}: does not fit bundle.json ({reason}).") from reason
    temperature = {Modality(name): float(t) for name, t in manifest["calibration"].items()}
    return Bundle(path, model.eval(), labels, temperature, manifest)


def softmax(logit_BL: NDArray[np.float32], *, temperature: float = 1.0) -> NDArray[np.float64]:
    """Returns calibrated probabilities, float64 (B, L), rows adding up to 1."""
    scaled = torch.from_numpy(np.asarray(logit_BL, dtype=np.float64)) / temperature
    probability_BL: NDArray[np.float64] = torch.softmax(scaled, dim=1).numpy()
    return probability_BL
