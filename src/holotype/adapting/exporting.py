"""The command ``export`` of a model: as ONNX for any program, or a bundle that names sooner by OpenVINO."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import torch

from holotype import files
from holotype.adapting.calibration import batches_of, drawn, speeds
from holotype.adapting.graphs import Embedding, Naming, write_onnx, write_openvino
from holotype.adapting.new_folder import refuse_taken
from holotype.adapting.shrinking import CARRIED, Agreement, Said, agreement_of, said_of
from holotype.decisions.store import carry_decisions
from holotype.errors import BundleError, SourceError
from holotype.inputs.materials import Materials
from holotype.models.bundle import (
    Bundle,
    open_bundle,
    with_engine,
)
from holotype.models.compiled import FOLDER, GRAPH, CompiledImages, Precision, described
from holotype.models.golden import golden_embeddings
from holotype.models.places import WEIGHTS
from holotype.models.towers import Modality
from holotype.progress import note

LEAST_SAME_LABEL, LEAST_COSINE = 0.995, 0.998


class ModelForm(StrEnum):
    """As what a model may be exported."""

    ONNX = "onnx"
    OPENVINO = "openvino"


@dataclass(frozen=True)
class ModelExportReport:
    """What was exported.

    Attributes:
        out: the folder.
        form: ``onnx`` or ``openvino``.
        precision: that it computes in.
        calibrated_on: images that the ranges of 8 bits are from.
        agreement: how near it is to the model, on other images; None where none were given.
        images_per_s: of the model and of what was exported, on this machine, from decoded images on; None
            likewise, and for ONNX.
    """

    out: str
    form: str
    precision: str
    calibrated_on: int
    agreement: Agreement | None
    images_per_s: tuple[float, float] | None


def export_model(
    run: Path | str,
    *,
    out: Path | str,
    form: ModelForm | str,
    inputs: Sequence[Path | str] = (),
    precision: Precision | str | None = None,
    least_same_label: float = LEAST_SAME_LABEL,
    seed: int = 0,
) -> ModelExportReport:
    """Writes what names images for other programs, or for this one on this kind of processor.

    ``onnx``: ``model.onnx``, prepared pixels and sizes -> unit embedding and probabilities, with
    ``model.json`` that says how pixels are prepared and what the outputs are. ``openvino``: a bundle with an
    engine, which every command takes in place of the first one.

    Args:
        run: a bundle.
        out: a new folder.
        form: as what.
        inputs: images like those it will name: a third of them, at most 300, gives the ranges of 8 bits, at
            most 1,000 others are compared on.
        precision: of OpenVINO: ``int8``, ``bfloat16`` or ``float32``. By default the first of these that
            keeps the labels; without inputs ``bfloat16``.
        least_same_label: share of images that must keep their best label, else nothing is written.
        seed: of which images are taken.

    Raises:
        BundleError: when the bundle reads no images, or ``out`` holds a model.
        SourceError: when a package is missing, there is nothing to calibrate on, or what was made is too far
            from the model.
    """
    folder, bundle = Path(out), open_bundle(run, is_plain=True)
    refuse_taken(folder)
    if Modality.IMAGE not in bundle.model.modalities:
        raise BundleError(f"{run}: reads no images, and barcodes are no slower without an engine.")
    wanted = ModelForm(form)
    ladder = _precisions(wanted, precision, has_inputs=bool(inputs))
    fitting, compared = drawn(bundle, [str(one) for one in inputs], seed=seed)
    own = None if compared is None else Own(compared, said_of(bundle, compared))
    make = _as_onnx if wanted is ModelForm.ONNX else _as_bundle
    for chosen in ladder:
        with suppress(_TooFarError), files.folder_written_whole(folder) as made:
            agreement = make(bundle, made, chosen, fitting, own)
            far = _how_far(agreement, least_same_label)
            if far is not None:
                note(f"{chosen.value}: {far}")
                raise _TooFarError(far)
            break
    else:
        raise SourceError(
            f"too far from the model: {far}. Nothing was written. Give more images, take another "
            "--precision, or allow less by --least-same-label."
        )
    speed = None
    if own is not None and wanted is ModelForm.OPENVINO:
        speed = speeds(bundle, open_bundle(folder), own.materials)
    return ModelExportReport(
        str(folder), wanted.value, chosen.value,
        len(fitting) if fitting is not None and chosen is Precision.INT8 else 0, agreement, speed,
    )  # fmt: skip


@dataclass(frozen=True)
class Own:
    """What the model itself says of the images that what is made of it is compared on."""

    materials: Materials
    said: Said


class _TooFarError(SourceError):
    """What was made is too far from the model: it goes, and the next precision is tried."""


def _precisions(
    form: ModelForm, asked: Precision | str | None, *, has_inputs: bool
) -> tuple[Precision, ...]:
    """Returns the precisions to try, in order.

    Raises:
        SourceError: for one that is not known, or cannot be made of what was given.
    """
    if asked is None:
        if form is ModelForm.ONNX:
            return (Precision.FLOAT32,)
        whole = (Precision.BFLOAT16, Precision.FLOAT32)
        return (Precision.INT8, *whole) if has_inputs else whole[:1]
    try:
        chosen = Precision(asked)
    except ValueError:
        raise SourceError(f"no precision '{asked}'. Known: {', '.join(Precision)}.") from None
    if form is ModelForm.ONNX and chosen is not Precision.FLOAT32:
        raise SourceError("ONNX is written in float32; what runs it may make less of it.")
    if chosen is Precision.INT8 and not has_inputs:
        raise SourceError("int8 needs images to calibrate on: name some like those it will see.")
    return (chosen,)


def _as_bundle(
    bundle: Bundle,
    folder: Path,
    precision: Precision,
    fitting: Materials | None,
    own: Own | None,
) -> Agreement | None:
    """Writes the bundle again, with an engine."""
    for name in (*CARRIED, WEIGHTS, "README.md"):
        if (bundle.path / name).is_file():
            shutil.copyfile(bundle.path / name, folder / name)
    graph = folder / FOLDER / GRAPH
    graph.parent.mkdir()
    calibration = (
        list(batches_of(bundle, fitting)) if precision is Precision.INT8 and fitting else []
    )
    with tempfile.TemporaryDirectory(prefix="holotype-") as scratch:
        onnx = Path(scratch) / "images.onnx"
        part = Embedding(bundle.model).eval()
        write_onnx(part, _example(bundle), onnx, outputs=["embedding"])
        is_attentive = any(isinstance(one, torch.nn.LayerNorm) for one in part.modules())
        write_openvino(onnx, graph, calibration=calibration, is_attentive=is_attentive)
    bundle.model.image_engine = CompiledImages(graph, precision)
    golden_GD = golden_embeddings(bundle.model)
    bundle.model.image_engine = None
    with_engine(bundle, folder, described(folder, precision, golden_GD))
    made = open_bundle(folder)
    carry_decisions(bundle, made)
    if own is None:
        return None
    agreement = agreement_of([(own.said, said_of(made, own.materials))])
    manifest = described(folder, precision, golden_GD) | {
        "calibrated_on": 0 if fitting is None else len(fitting),
        "agreement": asdict(agreement),
    }
    with_engine(bundle, folder, manifest)
    return agreement


def _as_onnx(
    bundle: Bundle,
    folder: Path,
    precision: Precision,
    _: Materials | None,
    own: Own | None,
) -> Agreement | None:
    """Writes ``model.onnx`` and what one must know to use it."""
    temperature = bundle.temperature.get(Modality.IMAGE, 1.0)
    part = Naming(bundle.model, temperature).eval()
    outputs = ["embedding", "probability"] if bundle.model.head is not None else ["embedding"]
    assert bundle.pixels is not None
    pixels = torch.zeros((2, *bundle.pixels.shape), dtype=torch.uint8)
    path = folder / "model.onnx"
    write_onnx(part, (pixels, torch.full((2, 4), torch.nan)), path, outputs=outputs)
    told = {
        "format": "holotype-onnx",
        "version": 1,
        "model": bundle.fingerprint,
        "inputs": {
            "image": f"uint8 (number, {', '.join(map(str, bundle.pixels.shape))}): row, column, channel",
            "size": "float32 (number, 4): width and height before preparation, in px, in um; NaN: unknown",
        },
        "outputs": {
            "embedding": f"float32 (number, {bundle.model.embedding_dim}), of length 1",
            "probability": "float32 (number, labels), calibrated, in the order of labels",
        },
        "preprocessing": bundle.manifest["preprocessing"],
        **bundle.labels.as_json(),
    }
    files.write_text(folder / "model.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    return None if own is None else _onnx_agreement(bundle, path, own)


def _onnx_agreement(bundle: Bundle, path: Path, own: Own) -> Agreement:
    """Compares what the file computes with the model, by OpenVINO."""
    from holotype.models.compiled import import_openvino

    openvino = import_openvino()
    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([own.materials.pixels_MSSC, own.materials.size_M4])
    best_R = own.said.best_R if bundle.model.head is None else found[1].argmax(axis=1)
    return agreement_of([(own.said, Said({Modality.IMAGE: found[0]}, best_R))])


def _example(bundle: Bundle) -> tuple[torch.Tensor, torch.Tensor]:
    assert bundle.pixels is not None
    side, _, channels = bundle.pixels.shape
    return torch.zeros((2, channels, side, side)), torch.full((2, 4), 100.0)


def _how_far(agreement: Agreement | None, least_same_label: float) -> str | None:
    """Returns in words how far what was made is from the model; None where that is near enough."""
    if agreement is None:
        return None
    if agreement.same_label >= least_same_label and agreement.mean_cosine >= LEAST_COSINE:
        return None
    return (
        f"on {agreement.specimens:,} images the same label for {agreement.same_label:.4f}, cosine of "
        f"embeddings {agreement.mean_cosine:.4f} on average"
    )
