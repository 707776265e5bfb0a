"""The command ``doctor``: what this machine has, and whether Holotype runs on it."""

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from holotype._version import __version__

NEEDED = (
    "numpy", "pyarrow", "cv2", "PIL", "torch", "torchvision", "timm", "lightning_fabric",
    "safetensors", "sklearn", "scipy", "plotly", "edlib", "daft", "xarray", "h5py", "pydantic", "rapidfuzz",
    "tensorboard", "tomli_w", "typer", "rich",
)  # fmt: skip
LEAST_DISK_BYTES = 2 << 30
_DISTRIBUTIONS = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "lightning_fabric": "lightning-fabric",
    "tomli_w": "tomli-w",
}


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, what was found, and whether that is good."""

    name: str
    found: str
    good: bool


@dataclass(frozen=True)
class DoctorReport:
    """All checks; ``healthy`` when every one is good."""

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether Holotype will run here."""
        return all(check.good for check in self.checks)


def doctor() -> DoctorReport:
    """Returns checks of the Python, the libraries (each is imported), devices, and free disk."""
    checks = [
        Check("holotype", __version__, good=True),
        Check("python", platform.python_version(), good=sys.version_info >= (3, 11)),
        Check("machine", f"{platform.machine()}, {os.cpu_count()} cores", good=True),
        *(_library(name) for name in NEEDED),
        _devices(),
        _disk(Path.cwd()),
        _one_step(),
    ]
    return DoctorReport(tuple(checks))


def _library(name: str) -> Check:
    distribution = _DISTRIBUTIONS.get(name, name)
    try:
        importlib.import_module(name)
        return Check(distribution, importlib.metadata.version(distribution), good=True)
    except Exception as reason:  # noqa: BLE001 - whatever stops an import is what we report
        return Check(distribution, f"cannot be imported: {reason}", good=False)


def _devices() -> Check:
    try:
        import torch
    except ImportError as reason:
        return Check("devices", str(reason), good=False)
    found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    found += ["Apple MPS"] if torch.backends.mps.is_available() else []
    threads = f"CPU with {torch.get_num_threads()} threads"
    return Check("devices", ", ".join([*found, threads]), good=True)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    return Check("free disk here", f"{free / 2**30:.1f} GiB", good=free >= LEAST_DISK_BYTES)


def _one_step() -> Check:
    """Writes a file the way artefacts are written, and multiplies two tensors."""
    try:
        import torch

        from holotype import files

        with tempfile.TemporaryDirectory() as folder:
            files.write_json(
                Path(folder) / "probe.json", {"sum": float(torch.ones(4) @ torch.ones(4))}
            )
        return Check("a file and a tensor", "work", good=True)
    except (ImportError, OSError, RuntimeError) as reason:
        return Check("a file and a tensor", str(reason), good=False)
