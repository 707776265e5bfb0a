"""How a run was done, in a file of the user's: JSON, or text that grows by each run as pybioclip's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holotype import files
from holotype.errors import SourceError

JSON = ".json"


def check_log(path: Path | None) -> None:
    """Raises ``SourceError`` for a JSON file that is there already, and for a folder."""
    if path is not None and (path.is_dir() or (path.suffix.lower() == JSON and path.exists())):
        raise SourceError(
            f"--log {path}: is there already. Name a new file, or one of text to add to."
        )


def write_log(path: Path, told: Mapping[str, Any]) -> None:
    """Writes what a sidecar says into a new JSON file, or adds it to a text file."""
    if path.suffix.lower() == JSON:
        files.write_json(path, told)
        return
    times = told["times"]
    title = (
        f"** Holotype {told['versions']['holotype']} - {times['started']} to {times['ended']} **"
    )
    lines = ["*" * len(title), title, "*" * len(title)]
    for name, value in told.items():
        if name not in ("format", "version", "times", "inputs"):
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines.append(f"{name}: {shown}")
    lines += ["inputs:", *(str(one["path"]) for one in told["inputs"]), ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", errors="backslashreplace") as handle:
        handle.write("\n".join(lines) + "\n")


def log_of(sidecar: Path, log: Path | None) -> None:
    """Writes the log of a run from its sidecar, where one is wanted."""
    if log is not None:
        write_log(log, json.loads(sidecar.read_text(encoding="utf-8")))
