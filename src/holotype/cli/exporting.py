"""The command export: of a collection, or of a model."""

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from holotype.cli.options import AllowLicence, Json, Result

OF_MODELS = ("onnx", "openvino")


def export(
    source: Annotated[
        str, typer.Argument(help="Folder of a collection, or a model: its folder, or starter.")
    ],
    out: Annotated[Path, typer.Option(help="Empty or new folder to write into.")],
    form: Annotated[
        str,
        typer.Option(
            help="huggingface or webdataset of a collection; onnx or openvino of a model."
        ),
    ] = "huggingface",
    split: Annotated[
        Optional[Path], typer.Option(help="Split file: its roles become the parts.")
    ] = None,
    allow_licence: AllowLicence = None,
    images: Annotated[
        Optional[list[Path]],
        typer.Option(
            "--images",
            help="Images like those a model will see, to calibrate and compare on; repeat.",
        ),
    ] = None,
    precision: Annotated[
        Optional[str],
        typer.Option(
            help="Of openvino: int8, bfloat16 or float32; the first that keeps the labels."
        ),
    ] = None,
    least_same_label: Annotated[
        float, typer.Option(help="Share of images that must keep their best label.")
    ] = 0.995,
    seed: Annotated[int, typer.Option(help="Of which images are taken.")] = 0,
    as_json: Json = False,
) -> Result:
    """Write a collection as others read it, or a model for other programs and to name sooner."""
    import holotype
    from holotype.errors import SourceError

    of_model = {"--images": images, "--precision": precision}
    of_collection = {"--split": split, "--allow-licence": allow_licence}
    is_model = form in OF_MODELS
    others = of_collection if is_model else of_model
    if wrong := [name for name, value in others.items() if value]:
        what = "model" if is_model else "collection"
        raise SourceError(f"{wrong[0]}: no option of a {what} (--form {form}). Leave it out.")
    if is_model:
        report = holotype.export_model(
            source, out=out, form=form, inputs=images or [], precision=precision,
            least_same_label=least_same_label, seed=seed,
        )  # fmt: skip
        return Result(report, "\n".join(_of_model(report)), as_json)
    found = holotype.export(
        Path(source), out=out, form=form, split=split, allow_licence=allow_licence or []
    )
    lines = [f"{found.out}: {found.files} files"]
    lines += [f"{count:8,}  {part}" for part, count in found.parts.items()]
    lines += [f"{count:8,}  left out: {reason}" for reason, count in found.left_out.items()]
    return Result(found, "\n".join(lines), as_json)


def _of_model(report: Any) -> list[str]:
    calibrated = f", calibrated on {report.calibrated_on:,} images" if report.calibrated_on else ""
    lines = [f"{report.out}: {report.form}, {report.precision}{calibrated}"]
    if report.agreement is None:
        lines.append("  not compared with the model: name images by --images")
        return lines
    near = report.agreement
    lines.append(
        f"  on {near.specimens:,} other images: same label for {near.same_label:.4f}, cosine of embeddings "
        f"{near.mean_cosine:.5f} on average, {near.least_cosine:.5f} at least"
    )
    if report.images_per_s is not None:
        own, engine = report.images_per_s
        lines.append(
            f"  on this machine {engine:,.0f} images a second, the model itself {own:,.0f}: "
            f"{engine / own:.1f} times"
        )
    return lines
