"""Pages of other sites may call the API where the server was told so; nobody else's may read its replies."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from holotype.app.settings import ServeSettings

HEADERS = ("Authorization", "Content-Type")
TOLD = ("Retry-After", "Content-Disposition", "Holotype-Refused", "Holotype-Left-Out")


class ApiCors:
    """Middleware that answers the questions of browsers for the API, and lets everything else pass."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._allowing = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=HEADERS,
            expose_headers=TOLD,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; questions before a request are answered here."""
        of_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._allowing if of_api else self._app)(scope, receive, send)
