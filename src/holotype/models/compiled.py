"""An image tower that OpenVINO runs: the same embeddings sooner, on CPUs.

Place in the path: beside the weights of a bundle, in ``engine/``. ``AlignedModel`` asks the engine where
nothing is learnt and images lie on the CPU; everything else of the model stays as it is.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holotype import files
from holotype.errors import BundleError

FOLDER, GRAPH = "engine", "images.xml"
_INSTALL = "pip install 'holotype[fast]'"


class Precision(StrEnum):
    """How an engine computes."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


_HINTS = {Precision.FLOAT32: {"INFERENCE_PRECISION_HINT": "f32"}}
"""Else what is not in 8 bits is in bfloat16 where the processor has it, in float32 where not."""


class CompiledImages:
    """Normalised images and their sizes -> embeddings, by OpenVINO on this machine's processor.

    Any number of threads may use one; each has a request of its own.

    Args:
        path: the graph.
        precision: that it was made for.

    Raises:
        BundleError: where OpenVINO is not installed, or cannot read the graph.
    """

    def __init__(self, path: Path, precision: Precision) -> None:
        openvino = import_openvino()
        asked = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        try:
            self._compiled = openvino.Core().compile_model(
                str(path), "CPU", {**asked, **_HINTS.get(precision, {})}
            )
        except RuntimeError as reason:
            said = str(reason).strip().splitlines()[-1]
            raise BundleError(
                f"{path}: OpenVINO cannot run it ({said}). Export it again."
            ) from reason
        self._reads_size = len(self._compiled.inputs) > 1
        self._mine = local()

    def __call__(self, image_ICSS: Tensor, size_I4: Tensor) -> Tensor:
        """Returns embeddings before normalisation, float32 (I, D)."""
        if not hasattr(self._mine, "request"):
            self._mine.request = self._compiled.create_infer_request()
        given = [image_ICSS.contiguous().numpy(), size_I4.numpy()][: 1 + self._reads_size]
        found = self._mine.request.infer(given, share_inputs=True)
        return torch.from_numpy(np.array(found[0], dtype=np.float32))


def import_openvino() -> Any:
    """Returns the module.

    Raises:
        BundleError: where it is not installed.
    """
    try:
        import openvino
    except ImportError as reason:
        raise BundleError(
            f"this model runs on OpenVINO, which is not installed: {_INSTALL}."
        ) from reason
    return openvino


def described(folder: Path, precision: Precision, golden_GD: NDArray[np.float32]) -> dict[str, Any]:
    """Returns what ``bundle.json`` says of the engine in a bundle's folder.

    Args:
        folder: of the bundle.
        precision: of the engine.
        golden_GD: its embeddings of the golden inputs.
    """
    parts = sorted((folder / FOLDER).iterdir())
    return {
        "kind": "openvino",
        "precision": precision.value,
        "sha256": {path.name: files.sha256_file(path) for path in parts},
        "golden": np.round(golden_GD.astype(float), 6).tolist(),
    }


def open_engine(folder: Path, said: Mapping[str, Any]) -> CompiledImages:
    """Returns the engine of a bundle; ``golden.check_engine`` says whether it still is what was exported.

    Args:
        folder: of the bundle.
        said: what ``described`` said.

    Raises:
        BundleError: where a file is missing or was changed, or OpenVINO is not installed.
    """
    if said.get("kind") != "openvino":
        raise BundleError(
            f"{folder}: has an engine of the kind '{said.get('kind')}', which this version does not know. "
            "Update Holotype, or use the model that it was exported from."
        )
    with files.read_whole(folder / FOLDER, BundleError, remedy="Export it again."):
        precision, known_files = Precision(said["precision"]), dict(said["sha256"])
        _ = np.asarray(said["golden"], dtype=np.float32).shape[1]
    for name, known in known_files.items():
        path = folder / FOLDER / Path(name).name
        if not path.is_file() or files.sha256_file(path) != known:
            raise BundleError(f"{path}: missing, or not what bundle.json names. Export it again.")
    return CompiledImages(folder / FOLDER / GRAPH, precision)
