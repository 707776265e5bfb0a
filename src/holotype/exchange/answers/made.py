"""When answers were made and by which version: from the file beside them, else from the answers' own file."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holotype._version import __version__

SIDECAR = ".run.json"
_FORMAT = "holotype-run"


@dataclass(frozen=True)
class Made:
    """How answers came about.

    Attributes:
        dated: when, ISO 8601.
        version: of Holotype.
    """

    dated: str
    version: str = __version__


def made(answers: Path) -> Made:
    """Returns when a file of answers was made and by which version.

    ``holotype predict`` writes that beside it (docs/formats/sidecar.md); without that file it is when the
    answers were written, and this version.
    """
    written = datetime.fromtimestamp(answers.stat().st_mtime, UTC).isoformat(timespec="seconds")
    try:
        told = json.loads(answers.with_name(answers.name + SIDECAR).read_text(encoding="utf-8"))
        if told["format"] == _FORMAT:
            return Made(str(told["times"]["ended"]), str(told["versions"]["holotype"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Made(written)
