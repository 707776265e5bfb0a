"""Where a bundle lies: a path, or the name of the one that comes with Holotype. Without torch."""

from pathlib import Path

MANIFEST = "bundle.json"
WEIGHTS = "model.safetensors"
STARTER = "starter"
"""The name of the bundle that comes with Holotype."""


def bundle_folder(path: Path | str) -> Path:
    """Returns the folder of a bundle: the path, or the shipped one for the name ``starter``."""
    if str(path) == STARTER and not Path(path).is_dir():
        return Path(__file__).parent.parent / STARTER
    return Path(path)


def is_bundle(path: Path | str) -> bool:
    """Returns whether a path is a bundle, an unfinished run, or the name of the shipped bundle."""
    folder = bundle_folder(path)
    return (folder / MANIFEST).is_file() or (folder / "resume").is_dir()
