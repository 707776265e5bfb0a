"""One server: the API under ``/api/v1``, thumbnails, and the pages of the workbench."""

import os
import secrets
import socket
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from holotype import files
from holotype._version import __version__
from holotype.app.api.cors import ApiCors
from holotype.app.api.routes import router
from holotype.app.gate import Gate
from holotype.app.login import login_router
from holotype.app.settings import ServeSettings
from holotype.app.thumbnails import thumbnail_router
from holotype.app.token_check import TokenCheck
from holotype.app.workbench import Workbench
from holotype.errors import SourceError
from holotype.models.places import STARTER
from holotype.progress import note

SIGNING_KEY = "signing-key"
WORKSPACE = Path("holotype-workbench")
SECONDS_TO_FINISH = 10
_RECONNECT_S = 30.0


def create_app(workbench: Workbench) -> FastAPI:
    """Returns the server's application; one a process, as the pages are the process's.

    Args:
        workbench: what it serves; let go when the application ends.
    """
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(workbench.workspace / "people"))
    from nicegui import ui

    from holotype.app.pages import register

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        workbench.close()

    app = FastAPI(
        title="Holotype",
        version=__version__,
        summary="Names organisms from images and DNA barcodes, and says how sure it is.",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    key, token = _signing_key(workbench.workspace), workbench.settings.token
    check = None if token is None else TokenCheck(token, key)
    app.include_router(router(workbench))
    app.include_router(thumbnail_router(workbench))
    app.include_router(login_router(check))
    register(workbench)
    ui.run_with(
        app,
        title="Holotype",
        favicon=Path(__file__).parent / "pages" / "favicon.svg",
        dark=None,
        language="en-GB",
        storage_secret=key,
        reconnect_timeout=_RECONNECT_S,
        show_welcome_message=False,
    )
    app.add_middleware(Gate, settings=workbench.settings, check=check)
    app.add_middleware(ApiCors, settings=workbench.settings)
    return app


@dataclass(frozen=True)
class Serving:
    """A server that listens.

    Attributes:
        address: to open in a browser.
        api: of the API.
        workspace: the folder of its files.
        model: fingerprint of the model that answers.
    """

    address: str
    api: str
    workspace: str
    model: str


def serve(
    run: Path | str = STARTER,
    *,
    collection: Path | str | None = None,
    index: Path | str | None = None,
    workspace: Path | str = WORKSPACE,
    settings: ServeSettings | None = None,
    started: Callable[[Serving], None] | None = None,
) -> None:
    """Serves the workbench and the API of one model until it is interrupted.

    Args:
        run: a bundle, or ``starter``.
        collection: what there is to explore and review.
        index: where nearest records and searches come from; the model's own references by default.
        workspace: the folder of all that the pages write.
        settings: where it listens, who may ask, and how much.
        started: is told when it listens.

    Raises:
        BundleError, CollectionError: when model, collection or index cannot be used.
        SourceError: when the address is taken.
    """
    chosen = settings or ServeSettings()
    workbench = Workbench.open(
        str(run),
        settings=chosen,
        workspace=Path(workspace),
        collection=None if collection is None else Path(collection),
        index=None if index is None else Path(index),
    )
    # NiceGUI looks at every object that there is, also at one of torch that warns when looked at.
    warnings.filterwarnings("ignore", message=".*reduce_op", category=FutureWarning)
    app = create_app(workbench)
    listening = _listening(chosen.host, chosen.port)
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    told = Serving(
        address,
        f"{address}/api/v1",
        str(workbench.workspace),
        workbench.identifier.bundle.fingerprint,
    )
    note(f"Holotype is at {address} (Ctrl+C ends it); its files are in {told.workspace}")
    if started is not None:
        started(told)
    uvicorn.Server(server_config(app, chosen)).run(sockets=[listening])


def server_config(app: ASGIApp, settings: ServeSettings) -> uvicorn.Config:
    """Returns how an application is served; who asks is taken from a proxy's word only where it was named."""
    proxies = [ip_network(one) for one in settings.proxies]
    # a server at an IPv6 address sees those of IPv4 as parts of ::ffff:0:0/96
    mapped = [
        f"::ffff:{one.network_address}/{96 + one.prefixlen}" for one in proxies if one.version == 4
    ]
    return uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
        server_header=False,
        h11_max_incomplete_event_size=1 << 16,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[*map(str, proxies), *mapped],
    )


def _listening(host: str, port: int) -> socket.socket:
    """Returns a socket that listens, so that the port is known before anyone is told of it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen()
    except OSError as reason:
        found.close()
        raise SourceError(
            f"{host}:{port}: cannot listen there ({reason.strerror}). Name another --port, or 0 for any."
        ) from reason
    return found


def _signing_key(workspace: Path) -> str:
    """Returns what signs the cookies of this workspace: made once, readable by its owner alone."""
    path = workspace / SIGNING_KEY
    if not path.is_file():
        files.write_text(path, secrets.token_hex(32))
        path.chmod(0o600)
    return path.read_text(encoding="utf-8").strip()
