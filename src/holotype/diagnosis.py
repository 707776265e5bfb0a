"""The command ``doctor``: what this machine has, and whether Holotype runs on it."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holotype._version import __version__
from holotype.errors import HolotypeError

NEEDED: dict[str, str] = {
    "daft": "daft", "edlib": "edlib", "faiss": "faiss-cpu", "fastapi": "fastapi", "h5netcdf": "h5netcdf",
    "h5py": "h5py", "lightning_fabric": "lightning-fabric", "nicegui": "nicegui", "numpy": "numpy",
    "cv2": "opencv-python-headless", "PIL": "pillow", "plotly": "plotly",
    "prometheus_client": "prometheus-client", "pyarrow": "pyarrow", "pydantic": "pydantic",
    "python_multipart": "python-multipart", "rapidfuzz": "rapidfuzz", "rich": "rich",
    "safetensors": "safetensors", "sklearn": "scikit-learn", "scipy": "scipy", "simplejpeg": "simplejpeg",
    "starlette": "starlette", "tensorboard": "tensorboard", "timm": "timm",
    "threadpoolctl": "threadpoolctl", "tomli_w": "tomli-w", "torch": "torch",
    "torchvision": "torchvision", "typer": "typer", "uvicorn": "uvicorn",
    "xarray": "xarray", "zarr": "zarr",
}  # fmt: skip
"""What must be there: the module that is imported -> its distribution."""
EXTRAS: dict[str, tuple[str, ...]] = {
    "ray": ("ray",),
    "fast": ("nncf", "onnx", "onnxscript", "openvino"),
    "pretrained": ("open_clip", "transformers"),
}
"""What may be there: the extra -> the modules that it brings."""
LEAST_DISK_BYTES = 2 << 30
_LEAST = re.compile(r"([\w.-]+)\s*>=\s*([\d.]+)")


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
    """Returns checks of Python, libraries (each is imported), devices, folders, and the model that ships.

    Extras that are not installed are named, with what installs them; nothing is wrong without them.
    """
    least = _least_versions()
    checks = [
        Check("holotype", __version__, good=True),
        Check("python", platform.python_version(), good=sys.version_info >= (3, 11)),
        _machine(),
        *(_library(name, distribution, least) for name, distribution in NEEDED.items()),
        *(_extra(name, modules) for name, modules in EXTRAS.items()),
        _devices(),
        _models(),
        _disk(Path.cwd()),
        _file(),
        _starter(),
    ]
    return DoctorReport(tuple(checks))


def _least_versions() -> dict[str, str]:
    """Returns the least version of each distribution that this package asks for."""
    try:
        asked = importlib.metadata.requires("holotype") or []
    except importlib.metadata.PackageNotFoundError:  # run from its sources, not installed
        return {}
    found = (_LEAST.match(line) for line in asked if "extra ==" not in line)
    return {one[1].lower(): one[2] for one in found if one is not None}


def _numbers(version: str) -> tuple[int, ...]:
    """Returns the release numbers of a version: ``2.15.0+cpu`` is (2, 15, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def _machine() -> Check:
    cores = f"{len(os.sched_getaffinity(0))} of " if hasattr(os, "sched_getaffinity") else ""
    found = f"{platform.machine()}, {cores}{os.cpu_count()} cores"
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        found += f", {memory / 2**30:.0f} GiB of memory"
    return Check("machine", found, good=True)


def _library(name: str, distribution: str, least: Mapping[str, str]) -> Check:
    try:
        importlib.import_module(name)
        found = importlib.metadata.version(distribution)
    except Exception as reason:  # noqa: BLE001 - whatever stops an import is what we report
        return Check(distribution, f"cannot be imported: {reason}", good=False)
    needed = least.get(distribution, "0")
    if _numbers(found) < _numbers(needed):
        said = f"{found}, but {needed} is needed: pip install '{distribution}>={needed}'"
        return Check(distribution, said, good=False)
    return Check(distribution, found, good=True)


def _extra(name: str, modules: Sequence[str]) -> Check:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    found = "installed"
    if missing:
        found = f"not installed ({', '.join(missing)}): pip install 'holotype[{name}]'"
    return Check(f"extra {name}", found, good=True)


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


def _models() -> Check:
    """Says where fetched models lie; it need not be there, but must be a folder that can be written in."""
    try:
        from holotype.models.pretrained.places import models_folder

        place = models_folder()
    except (ImportError, RuntimeError) as reason:
        return Check("fetched models", str(reason), good=False)
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    count = sum(1 for _ in place.iterdir()) if place.is_dir() else 0
    if not there.is_dir() or not os.access(there, os.W_OK):
        said = f"{place} (cannot be written: set HOLOTYPE_MODELS to a folder of yours)"
        return Check("fetched models", said, good=False)
    return Check("fetched models", f"{count} in {place}", good=True)


def _file() -> Check:
    """Writes a file the way artefacts are written."""
    from holotype import files

    try:
        with tempfile.TemporaryDirectory() as folder:
            files.write_json(Path(folder) / "probe.json", {"written": True})
    except OSError as reason:
        return Check("a file", str(reason), good=False)
    return Check("a file", "is written", good=True)


def _starter() -> Check:
    """Opens the model that ships, which compares what it computes here with what it should."""
    try:
        from holotype.models.bundle import open_bundle

        bundle = open_bundle("starter")
    except (ImportError, OSError, RuntimeError, HolotypeError) as reason:
        return Check("the starter", str(reason), good=False)
    return Check("the starter", f"{bundle.fingerprint} computes what it should", good=True)
