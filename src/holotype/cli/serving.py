"""The command serve: the workbench and the API of one model."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Optional

import typer

from holotype.cli.options import Device, Json

WORKSPACE = Path("holotype-workbench")
_OPTIONS = {
    "hosts": "name",
    "proxies": "proxy",
    "cors_origins": "cors",
    "max_upload_bytes": "max-upload-mb",
}
"""Options that are not called as the setting."""


def serve(
    run: Annotated[
        str, typer.Argument(help="Folder of a trained model; the starter by default.")
    ] = "starter",
    collection: Annotated[
        Optional[Path], typer.Option(help="What there is to explore and review.")
    ] = None,
    index: Annotated[
        Optional[Path], typer.Option(help="Where nearest records and searches come from.")
    ] = None,
    report: Annotated[
        Optional[Path], typer.Option(help="Folder of the model's report, for the page Evidence.")
    ] = None,
    workspace: Annotated[
        Path, typer.Option(help="Folder of all that the pages write: reviews, jobs.")
    ] = WORKSPACE,
    data: Annotated[
        Optional[list[Path]],
        typer.Option(
            help="Folder whose files may be named on the pages; repeat. Default: this one."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8080,
    token: Annotated[
        Optional[str],
        typer.Option(
            envvar="HOLOTYPE_TOKEN", help="What who asks must say; needed beyond this machine."
        ),
    ] = None,
    name: Annotated[
        Optional[list[str]],
        typer.Option(help="A name under which others ask for this server; repeat."),
    ] = None,
    proxy: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Address of a proxy whose word is taken for who asks (X-Forwarded-For); repeat."
        ),
    ] = None,
    cors: Annotated[
        Optional[list[str]], typer.Option(help="A site whose pages may call the API; repeat.")
    ] = None,
    max_error: Annotated[
        float, typer.Option(help="The share of answers that may be wrong.")
    ] = 0.05,
    max_upload_mb: Annotated[int, typer.Option(help="Of one request.")] = 256,
    requests_per_minute: Annotated[int, typer.Option(help="Of one client of the API.")] = 600,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Open the workbench in a browser, and an API for programmes beside it."""
    from pydantic import ValidationError

    from holotype.app.server import Serving
    from holotype.app.server import serve as run_server
    from holotype.app.settings import ServeSettings
    from holotype.errors import SourceError

    try:
        settings = ServeSettings(
            host=host,
            port=port,
            token=token,
            hosts=tuple(name or ()),
            proxies=tuple(proxy or ()),
            cors_origins=tuple(cors or ()),
            data=tuple(data or ()),
            report=report,
            max_error=max_error,
            max_upload_bytes=max_upload_mb << 20,
            requests_per_minute=requests_per_minute,
            device=device,
        )
    except ValidationError as reason:
        raise SourceError(
            " ".join(_told(one["loc"], one["msg"]) for one in reason.errors())
        ) from None

    def told(serving: Serving) -> None:
        if as_json:
            sys.stdout.write(json.dumps(asdict(serving)) + "\n")
            sys.stdout.flush()

    run_server(
        run,
        collection=collection,
        index=index,
        workspace=workspace,
        settings=settings,
        started=told,
    )


def _told(place: Sequence[int | str], said: str) -> str:
    """Returns what is wrong with a setting, with the option that sets it; a sentence."""
    what = said.removeprefix("Value error, ").rstrip(".")
    if not place:
        return f"{what}."
    name = str(place[0])
    return f"--{_OPTIONS.get(name, name).replace('_', '-')}: {what[:1].lower()}{what[1:]}."
