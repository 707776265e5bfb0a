"""A tower of one of our own bundles, as the start of another model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holotype import files
from holotype.errors import RecipeError
from holotype.models.places import MANIFEST, WEIGHTS, is_bundle
from holotype.models.pretrained.checkpoints import Checkpoint, read_checkpoint, read_json
from holotype.models.quantised import model_weights
from holotype.models.settings import Modality


@dataclass(frozen=True)
class BundledTower:
    """A tower in a bundle.

    Attributes:
        checkpoint: its weights, by the names inside the tower.
        settings: what the bundle says of the modality.
    """

    checkpoint: Checkpoint
    settings: dict[str, Any]


def bundled_tower(place: Path, modality: Modality, *, tower: str) -> BundledTower | None:
    """Returns the tower of a modality in a bundle; None for a place that is no bundle.

    Args:
        place: a folder or file.
        modality: which tower.
        tower: the name that it must have.

    Raises:
        RecipeError: for an unfinished run, another tower, or weights that are not the bundle's.
    """
    if not place.is_dir() or not is_bundle(place):
        return None
    if not (place / MANIFEST).is_file():
        raise RecipeError(f"{place}: training has not finished. Run holotype train again to go on.")
    manifest = read_json(place / MANIFEST)
    described = manifest["model"].get(f"{modality}s") or {}
    if described.get("tower") != tower:
        found = described.get("tower", "none")
        raise RecipeError(
            f"{place}: its tower of {modality}s is {found}, not {tower}. Name a bundle with that tower."
        )
    path = place / WEIGHTS
    if not path.is_file() or files.sha256_file(path) != manifest["weights_sha256"]:
        raise RecipeError(f"{path}: not the weights that {MANIFEST} names. Restore it.")
    stored = read_checkpoint(path)
    whole = Checkpoint(path, model_weights(stored.tensors), {})
    return BundledTower(Checkpoint(path, whole.part(f"towers.{modality}."), {}), described)
