"""What stands beside a file of answers: how it was made, so that it can be cited and made again.

Format: docs/formats/sidecar.md. All but ``times`` is the same for the same command on the same inputs.
"""

import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from holotype import files
from holotype._version import __version__
from holotype.identify.inputs import Asides
from holotype.models.bundle import Bundle

FORMAT, VERSION = "holotype-run", 1
ENDING = ".run.json"
HASHED_BYTES = 1 << 28
"""Input files up to this size are told by their SHA-256 too."""
_LIBRARIES = (
    "torch", "numpy", "opencv-python-headless", "opencv-python", "pillow", "simplejpeg", "pyarrow",
)  # fmt: skip


def sidecar_path(out: Path) -> Path:
    """Returns where the sidecar of a file of answers lies: ``answers.csv.run.json``."""
    return out.with_name(out.name + ENDING)


def now() -> str:
    """Returns the present, ISO 8601 with seconds, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Returns the versions of Holotype, Python and the libraries that answers depend on."""
    found = {"holotype": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def model_of(bundle: Bundle) -> dict[str, Any]:
    """Returns which model answers: its name, the hash of its weights, and what its labels are."""
    labels = bundle.labels.labels
    recipe = bundle.manifest.get("training", {}).get("recipe", {})
    return {
        "name": recipe.get("name") if isinstance(recipe, Mapping) else None,
        "folder": bundle.path.name,
        "weights_sha256": bundle.manifest["weights_sha256"],
        "holotype": bundle.manifest["holotype"],
        "taxonomy": {
            "target": bundle.labels.target.value,
            "labels": len(labels),
            "labels_that_are_taxa": sum(bool(label.concept.lineage) for label in labels),
            "sha256": files.sha256_bytes(repr(bundle.labels.as_json()).encode()),
        },
    }


def inputs_of(inputs: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the inputs as given, with size and time, and the SHA-256 of files that are not too large."""
    return [_input(given) for given in inputs]


def _input(given: str) -> dict[str, Any]:
    path = Path(given)
    if not path.exists() and given.startswith("@"):
        path = Path(given[1:])
    told: dict[str, Any] = {"path": given}
    try:
        known = path.stat()
        if not path.is_file():
            return told
        modified = datetime.fromtimestamp(known.st_mtime, UTC).isoformat(timespec="seconds")
        told |= {"bytes": known.st_size, "modified": modified}
        if known.st_size <= HASHED_BYTES:
            told["sha256"] = files.sha256_file(path)
    except OSError as reason:
        told["failure"] = reason.strerror
    return told


def asides_of(asides: Asides) -> dict[str, Any]:
    """Returns what was left aside, and what is odd about the rest, by reason."""
    return {
        "kinds": dict(asides.kinds),
        "left_aside": dict(asides.left_aside),
        "remarks": {
            code: {"count": count, "first": asides.first_note[code]}
            for code, count in asides.notes.items()
        },
    }


def write_sidecar(out: Path, told: Mapping[str, Any], *, started: str) -> Path:
    """Writes the sidecar of a file of answers and returns its path; ``times`` comes last."""
    path = sidecar_path(out)
    whole = {
        "format": FORMAT,
        "version": VERSION,
        **told,
        "times": {"started": started, "ended": now()},
    }
    files.write_json(path, whole)
    return path


def command_words() -> list[str]:
    """Returns the words of the command, the program by its name alone; [] in a Python session."""
    first = Path(sys.argv[0]).name if sys.argv else ""
    return [first, *sys.argv[1:]] if first == "holotype" else []
