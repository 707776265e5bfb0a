"""An API in this process, and what tests ask of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from fastapi import FastAPI

from holotype.app.api.cors import ApiCors
from holotype.app.api.routes import router
from holotype.app.gate import Gate
from holotype.app.token_check import TokenCheck
from holotype.app.workbench import Workbench

ADDRESS = "http://127.0.0.1"


def api(workbench: Workbench) -> FastAPI:
    """The API as the server has it, without the pages."""
    app = FastAPI(
        title="Holotype", openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None
    )
    settings = workbench.settings
    check = None if settings.token is None else TokenCheck(settings.token, "key")
    app.include_router(router(workbench))
    app.add_middleware(Gate, settings=settings, check=check)
    if workbench.settings.cors_origins:
        app.add_middleware(ApiCors, settings=workbench.settings)
    return app


class Asking:
    """Asks an API, one request after the other or many at a time."""

    def __init__(self, app: FastAPI, address: str = ADDRESS, **headers: str) -> None:
        self.app, self._address, self._headers = app, address, headers

    def __call__(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Sends one request."""
        return self.all([(method, path, given)])[0]

    def all(self, requests: Sequence[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """Sends requests at the same time; replies in their order."""

        async def send() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._address, headers=self._headers, timeout=60
            ) as client:
                sent = [client.request(m, f"/api/v1{p}", **given) for m, p, given in requests]
                return await asyncio.gather(*sent)

        return asyncio.run(send())


def problem(reply: httpx.Response) -> dict[str, str]:
    """The error of a reply, which must be of the one form."""
    said = reply.json()
    assert set(said) == {"error"}, said
    assert set(said["error"]) == {"what", "where", "remedy"}
    assert all(isinstance(part, str) and part for part in said["error"].values()), said
    return said["error"]
