"""Where the files of a pretrained model are on this machine. Nothing is fetched here.

Three ways to say it: a path, ``hf-hub:ORG/NAME``, or ``published:NAME`` of the table. A repository of a hub
is looked for in the folder of models, then in the hub's own cache.
"""

import os
import re
from pathlib import Path

from holotype.errors import RecipeError, first_few
from holotype.models.pretrained.published import published_model

HUB, PUBLISHED = "hf-hub:", "published:"
MODELS_VARIABLE = "HOLOTYPE_MODELS"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
WEIGHT_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)
"""Names of weights in a published folder, the preferred one first."""


def models_folder() -> Path:
    """Returns the folder of fetched models: ``HOLOTYPE_MODELS``, else one in the user's cache."""
    told = os.environ.get(MODELS_VARIABLE)
    return Path(told) if told else Path.home() / ".cache" / "holotype" / "models"


def repository_folder(repository: str, root: Path | None = None) -> Path:
    """Returns where the files of a repository are put: ``ROOT/ORG--NAME``."""
    return (root or models_folder()) / repository.replace("/", "--")


def repository_of(weights: str) -> tuple[str, str | None] | None:
    """Returns the repository that weights are in, and the file in it if one is meant; None for a path.

    Raises:
        RecipeError: for a published name that is unknown, or an id that is none.
    """
    if weights.startswith(PUBLISHED):
        found = published_model(weights.removeprefix(PUBLISHED))
        return found.hub, found.file
    if not weights.startswith(HUB):
        return None
    repository = weights.removeprefix(HUB)
    if not _REPOSITORY.fullmatch(repository):
        raise RecipeError(f"weights '{weights}': write it as {HUB}ORG/NAME.")
    return repository, None


def place_of(weights: str, *, key: str) -> Path:
    """Returns the file or folder that weights are in.

    Args:
        weights: as a recipe says it.
        key: the recipe's key, for errors, as ``images.weights``.

    Raises:
        RecipeError: when there is nothing; says how to fetch it, and where to put it by hand.
    """
    found = repository_of(weights)
    if found is None:
        path = Path(weights).expanduser()
        if not path.exists():
            raise RecipeError(
                f"{key} = '{weights}': no such file or folder. Give a path, {HUB}ORG/NAME or "
                f"{PUBLISHED}NAME (holotype models list)."
            )
        return path
    repository, file = found
    folders = [repository_folder(repository), *_hub_cache(repository)]
    for folder in folders:
        place = folder / file if file else folder
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            return place
    wanted = folders[0] / file if file else folders[0]
    raise RecipeError(
        f"{key} = '{weights}': not on this machine, and nothing is fetched while a command runs. "
        f"Fetch it with: holotype models get {weights}. Or put the files of {repository} into "
        f"{wanted.parent if file else wanted} by hand ({MODELS_VARIABLE} names the folder of models)."
    )


def weights_in(place: Path) -> Path:
    """Returns the weights of a place: itself if it is a file, else the preferred file in the folder.

    Raises:
        RecipeError: for a folder without weights, or with several that say nothing by their names.
    """
    if place.is_file():
        return place
    for name in WEIGHT_FILES:
        if (place / name).is_file():
            return place / name
    others = sorted(
        p for p in place.glob("*") if p.suffix in {".safetensors", ".bin", ".pt", ".pth"}
    )
    if len(others) == 1:
        return others[0]
    told = first_few([p.name for p in others]) if others else "none"
    raise RecipeError(
        f"{place}: which file holds the weights? Found: {told}. Name the file itself, or call it "
        f"{WEIGHT_FILES[2]}."
    )


def beside(place: Path, name: str) -> Path | None:
    """Returns a file of a folder, or beside a file, if it is there."""
    folder = place if place.is_dir() else place.parent
    found = folder / name
    return found if found.is_file() else None


def _hub_cache(repository: str) -> list[Path]:
    """Returns the snapshots of a repository's main branch in the hub's own cache, none or one."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    root = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    folder = root / f"models--{repository.replace('/', '--')}"
    pointer = folder / "refs" / "main"
    if not pointer.is_file():
        return []
    return [folder / "snapshots" / pointer.read_text(encoding="utf-8").strip()]
