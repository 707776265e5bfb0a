"""The commands on published models: list, get."""

from pathlib import Path
from typing import Annotated

import typer

from holotype.cli.options import Json, Result

app = typer.Typer(
    help="Published models: which there are, under which terms, and how to get them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(as_json: Json = False) -> Result:
    """List the published models that recipes can name, with their licence and whether they are here."""
    from holotype.models.pretrained.fetch import list_models

    report = list_models()
    lines = [f"folder of models: {report.folder}"]
    for row in report.models:
        model = row.model
        lines += [
            f"published:{model['name']}: {model['title']}, {model['architecture']}",
            f"  {', '.join(model['towers'])}; {model['embedding_dim']} features; images: {model['images']}",
            f"  texts: {', '.join(model['texts'])}",
            f"  licence: {model['licence']} ({model['licence_stated_at']}); cite {model['paper']}",
            f"  {row.here or 'not here: holotype models get published:' + model['name']}",
            *(f"  note: {text}" for text in model["notes"]),
        ]
    return Result(report, "\n".join(lines), as_json)


@app.command("get")
def get(
    weights: Annotated[
        str, typer.Argument(help="published:NAME as in the list, or hf-hub:ORG/NAME.")
    ],
    into: Annotated[
        Path | None, typer.Option(help="Folder of models; by default HOLOTYPE_MODELS.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Address of the hub, where it is a mirror.")
    ] = None,
    as_json: Json = False,
) -> Result:
    """Fetch a published model: resumed after a break, checked, kept for all recipes."""
    from holotype.catalogue.sizes import told_bytes
    from holotype.models.pretrained.fetch import ENDPOINT, get_model

    report = get_model(weights, into=into, endpoint=endpoint or ENDPOINT)
    lines = [f"{report.folder}: {report.repository} at {report.revision}"]
    lines += [
        f"  {file.name}: {told_bytes(file.bytes)}, {file.state}"
        f"{', checksum as stated' if file.verified else ''}"
        for file in report.files
    ]
    lines += [f"licence: {report.licence}"] if report.licence else ["licence: see its README.md"]
    lines += [f"cite: {report.paper}"] if report.paper else []
    lines.append(f'in a recipe: weights = "{report.weights}"')
    return Result(report, "\n".join(lines), as_json)
