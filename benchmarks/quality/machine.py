"""What a benchmark says of the machine it ran on, and where it writes."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def real_data() -> Path:
    """Returns the folder of the real data."""
    named = os.environ.get("HOLOTYPE_REAL_DATA")
    beside = Path(__file__).parents[3] / "shared" / "data"
    root = Path(named) if named else beside
    if not root.is_dir():
        raise SystemExit("no real data: set HOLOTYPE_REAL_DATA to its folder")
    return root


def machine_line() -> str:
    """Returns processor, cores, Python and torch in one line."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{model}, {os.cpu_count()} cores, {versions}"


def write_results(name: str, content: dict[str, Any], lines: list[str]) -> None:
    """Writes the figures as JSON and as a page, and prints the page."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    page = "\n".join([*lines, "", f"Machine: {machine_line()}"]) + "\n"
    (RESULTS / f"{name}.md").write_text(page)
    print(page)
