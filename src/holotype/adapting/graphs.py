"""The image side of a model as a graph: ONNX for any program, OpenVINO for processors, in 8 bits if asked."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from holotype.errors import SourceError
from holotype.models.aligned import AlignedModel
from holotype.models.compiled import import_openvino

OPSET = 18
IMAGE, SIZE = "image", "size"
_INSTALL = "pip install 'holotype[fast]'"
Inputs = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Normalised images, float32 (B, C, S, S), and sizes (B, 4)."""


class Embedding(nn.Module):
    """Normalised images and sizes -> embeddings before normalisation; what an engine computes."""

    def __init__(self, model: AlignedModel) -> None:
        super().__init__()
        self.tower, self.projection = model.towers["image"], model.projections["image"]

    def forward(self, image_BCSS: Tensor, size_B4: Tensor) -> Tensor:
        """Returns the embeddings, float32 (B, D)."""
        embedding_BD: Tensor = self.projection(self.tower(image_BCSS, size_B4))
        return embedding_BD


class Naming(nn.Module):
    """Prepared pixels and sizes -> unit embedding and, where there is a head, calibrated probabilities.

    Args:
        model: with an image tower.
        temperature: of image logits.
    """

    def __init__(self, model: AlignedModel, temperature: float) -> None:
        super().__init__()
        self.model, self.temperature = model, temperature

    def forward(self, pixel_BSSC: Tensor, size_B4: Tensor) -> tuple[Tensor, ...]:
        """Returns float32 (B, D), and (B, L) where there is a head.

        Args:
            pixel_BSSC: uint8, prepared as the bundle says.
            size_B4: float32, width and height in px, then in um; NaN where unknown.
        """
        model = self.model
        image_BCSS = pixel_BSSC.permute(0, 3, 1, 2).float() / 255
        normal_BCSS = (image_BCSS - model.pixel_mean) / model.pixel_std
        embedding_BD = model.embed_images(normal_BCSS, size_B4)
        unit_BD = functional.normalize(embedding_BD, dim=1)
        if model.head is None:
            return (unit_BD,)
        logit_BL = model.label_logits(embedding_BD)
        return unit_BD, torch.softmax(logit_BL / self.temperature, dim=1)


def write_onnx(
    part: nn.Module, example: Sequence[Tensor], path: Path, *, outputs: Sequence[str]
) -> None:
    """Writes a module of images and sizes as ONNX, for any number of images.

    Args:
        part: the module, in evaluation mode.
        example: its inputs, two or more of each.
        path: the file; weights of more than 2 GB go beside it.
        outputs: names of what it returns.

    Raises:
        SourceError: where the packages of ``holotype[fast]`` are not installed, or it cannot be written so.
    """
    _needs("onnx", "onnxscript")
    number = torch.export.Dim("number")
    with _quiet(), torch.inference_mode():
        try:
            program = torch.onnx.export(
                part, tuple(example), None, dynamo=True, verbose=False, opset_version=OPSET,
                dynamic_shapes=tuple({0: number} for _ in example), input_names=[IMAGE, SIZE],
                output_names=list(outputs),
            )  # fmt: skip
        except torch.onnx.errors.OnnxExporterError as reason:
            said = str(reason).strip().splitlines()[0]
            raise SourceError(f"this image tower cannot be written as ONNX: {said}") from reason
        assert program is not None
        program.save(str(path))


def write_openvino(
    onnx: Path, out: Path, *, calibration: Sequence[Inputs], is_attentive: bool
) -> None:
    """Writes an ONNX graph as OpenVINO's, in 8 bits where there is something to calibrate on.

    Weights and activations become whole numbers by the ranges that are seen (NNCF, post-training). Of
    transformers the activations are smoothed into the weights first (Xiao et al. 2023, arXiv:2211.10438),
    and the bias that this adds is taken off; of other towers the first convolution and the layers that read
    sizes stay whole.

    Args:
        onnx: of ``Embedding``.
        out: the ``.xml``; the weights go beside it.
        calibration: batches of inputs; none for float32.
        is_attentive: whether it is a transformer.

    Raises:
        SourceError: where NNCF is not installed.
    """
    openvino = import_openvino()
    with _quiet():
        graph = openvino.Core().read_model(str(onnx))
        if calibration:
            graph = _in_8_bits(graph, calibration, is_attentive=is_attentive)
        openvino.save_model(graph, str(out), compress_to_fp16=False)


def _in_8_bits(graph: Any, calibration: Sequence[Inputs], *, is_attentive: bool) -> Any:
    _needs("nncf")
    os.environ.setdefault("NNCF_CI", "1")  # else it tells its makers of every run
    import nncf

    nncf.set_log_level(logging.ERROR)
    names = [one.get_any_name() for one in graph.inputs]
    batches = [dict(zip(names, batch, strict=False)) for batch in calibration]
    kinds: dict[str, Any] = {"model_type": nncf.ModelType.TRANSFORMER}
    if not is_attentive:
        kinds = {"ignored_scope": nncf.IgnoredScope(**_kept_whole(graph), validate=False)}
    return nncf.quantize(
        graph, nncf.Dataset(batches), subset_size=len(batches), preset=nncf.QuantizationPreset.MIXED,
        **kinds,
    )  # fmt: skip


def _kept_whole(graph: Any) -> dict[str, list[str]]:
    """Returns what of a convolutional tower is not worth 8 bits: little of the work, most of the error."""
    convolutions = [one for one in graph.get_ordered_ops() if one.get_type_name() == "Convolution"]
    return {"types": ["MatMul"], "names": [one.get_friendly_name() for one in convolutions[:1]]}


def _needs(*modules: str) -> None:
    import importlib.util

    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise SourceError(f"{' and '.join(missing)}: not installed. Run: {_INSTALL}.")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Sends what the makers of graphs print to stderr, and leaves their warnings out."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
