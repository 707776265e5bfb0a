"""Who may come in: the name that is asked for, the site that asks, and the token, before anything else.

A page of another site must not reach a server on this machine: neither by a name that it points here (DNS
rebinding), nor by a request or a socket that the browser opens for it. Answers say what browsers may do with
them: nothing is loaded from another host.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holotype.app.settings import ServeSettings, is_loopback
from holotype.app.token_check import WAIT, WAIT_HEADERS, TokenCheck, Verdict, bearer

LOGIN = "/login"
API = "/api/"
FORM_BYTES, LOGIN_BYTES = 1 << 20, 4_096
"""What a form may have beside its files, and what the form that asks for the token may have."""
SOCKETS = "/_nicegui_ws/"
OPEN = frozenset({LOGIN, "/api/v1/health"})
"""Paths that no token is asked for."""
_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Gate:
    """Middleware that turns away who may not come in, and marks every answer."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, check: TokenCheck | None) -> None:
        """Takes what is behind it, and what compares the token; None where nobody is asked for one."""
        self._app = app
        self._settings = settings
        self._check = check
        self._hosts = _hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request or a socket in, or answers why not."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, self._bounded(scope, receive), _marking(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, _marking(send))

    def _most(self, scope: Scope) -> int:
        """Returns how many bytes a body may have: few, where no token is asked for."""
        of_upload = self._settings.max_upload_bytes + FORM_BYTES
        return LOGIN_BYTES if scope["path"] in OPEN else of_upload

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Returns a way to receive a body that ends where it is larger than an upload may be."""
        left = self._most(scope)
        if scope["type"] != "http":
            return receive

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        return bounded

    def _refusal(self, scope: Scope) -> Response | None:
        header = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = header.get(b"host", "")
        if self._hosts is not None and _name_of(host) not in self._hosts:
            return _told(
                421,
                f"asked for as '{host[:100]}'",
                "ask for the address that it listens at, or start it with --name",
            )
        if not self._is_own_or_allowed(scope, header.get(b"origin"), host):
            return _told(403, "asked by a page of another site", "start the server with --cors")
        length = header.get(b"content-length", "")
        if length.isdigit() and int(length[:20]) > self._most(scope):
            return _told(413, f"more than {self._most(scope):,} bytes", "send less at a time")
        return None if scope["path"] in OPEN else self._asked_for_token(scope, header)

    def _asked_for_token(self, scope: Scope, header: dict[bytes, str]) -> Response | None:
        check = self._check
        if check is None or check.remembers(header.get(b"cookie", "")):
            return None
        said = bearer(header.get(b"authorization", "").encode("latin-1"))
        client = (scope.get("client") or ("",))[0]
        verdict = Verdict.WRONG if said is None else check.verdict(said, client)
        if verdict is Verdict.RIGHT:
            return None
        if verdict is Verdict.WAIT:
            return _told(429, WAIT, "wait a minute", WAIT_HEADERS)
        if scope["type"] == "http" and not scope["path"].startswith(API):
            return RedirectResponse(LOGIN, status_code=303)
        remedy = "send 'Authorization: Bearer TOKEN'"
        return _told(401, "no token, or another one", remedy, {"WWW-Authenticate": "Bearer"})

    def _is_own_or_allowed(self, scope: Scope, origin: str | None, host: str) -> bool:
        """Returns whether a page of this server asks, or one whose site may; no page at all may always."""
        if origin is None or _netloc(origin) == host:
            return True
        if scope["path"].startswith(SOCKETS):
            return False
        if scope["path"].startswith(API):
            is_read = scope["type"] == "http" and scope["method"] in _READING
            return is_read or origin in self._settings.cors_origins
        return scope["type"] == "http" and scope["method"] in _READING


def _hosts(settings: ServeSettings) -> frozenset[str] | None:
    """Returns the names that the server may be asked for by; None for any, where it has to be reached so."""
    named = frozenset({settings.host.lower(), *settings.hosts})
    if is_loopback(settings.host):
        return _OF_THIS_MACHINE | named
    return named if settings.hosts else None


def _name_of(host: str) -> str:
    """Returns the name in a ``Host`` header, without port and brackets.

    >>> _name_of("127.0.0.1:8080"), _name_of("[::1]:8080"), _name_of("localhost")
    ('127.0.0.1', '::1', 'localhost')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    """Returns name and port of an ``Origin``; "" for one that is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _told(
    status: int, what: str, remedy: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    said = {"error": {"what": what, "where": "request", "remedy": remedy}}
    return JSONResponse(said, status_code=status, headers=headers)


def _marking(send: Send) -> Send:
    """Returns a way to send that adds the headers of ours to every answer."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*_others(message.get("headers", [])), *HEADERS]
        await send(message)

    return marked


def _others(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    ours = {name for name, _ in HEADERS}
    return [(name, value) for name, value in headers if name.lower() not in ours]
