"""What stands round every route: rate, size, time, one form for errors, and counting."""

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from holotype.app.api.metrics import Metrics
from holotype.app.api.problems import hiding, places_of, told
from holotype.app.api.rates import Rates
from holotype.app.identifying import BusyError
from holotype.app.upload_stream import NotWholeError, OtherTypeError, TooMuchError
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError

JSON_BYTES = 8 << 20
"""The body of a route that takes no form may have so many bytes, whatever it says that it is."""
FORM_KIND, JSON_KIND = "multipart/form-data", "application/json"
UNCOUNTED = frozenset({"/api/v1/health", "/api/v1/metrics"})
"""Routes that no rate holds for: watchers ask them."""
_GONE = 499
_STATUS_OF: tuple[tuple[type[HolotypeError], int], ...] = (
    (NotWholeError, 400),
    (TooMuchError, 413),
    (OtherTypeError, 415),
    (HolotypeError, 422),
)
Value = TypeVar("Value")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Guard:
    """The limits of one server."""

    def __init__(self, workbench: Workbench, metrics: Metrics) -> None:
        self.settings, self.metrics = workbench.settings, metrics
        self._rates = Rates(workbench.settings.requests_per_minute)
        self._hidden = hiding(workbench)

    async def handled(
        self, handler: Handler, request: Request, route: str, *, takes: str
    ) -> Response:
        """Returns the reply of a route, or the reply that tells what went wrong.

        Args:
            handler: of the route.
            request: to it.
            route: its path.
            takes: the content type of bodies, "" where it takes none.
        """
        started = time.perf_counter()
        most = self.settings.max_upload_bytes
        body = _Body(request, most if takes == FORM_KIND else min(most, JSON_BYTES))
        response = await self._limited(handler, request, route, takes, body)
        seconds = time.perf_counter() - started
        self.metrics.request_done(route, request.method, response.status_code, seconds)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _limited(
        self, handler: Handler, request: Request, route: str, takes: str, body: "_Body"
    ) -> Response:
        client = request.client.host if request.client is not None else ""
        if route not in UNCOUNTED and (wait_s := self._rates.wait_s(client)):
            return self._told_to_wait(wait_s)
        try:
            body.check_length()
            if takes == JSON_KIND and not body.ended:
                _check_is_json(request.headers.get("content-type", ""))
            async with asyncio.timeout(self.settings.request_seconds):
                return await handler(Request(request.scope, body.receive))
        except TimeoutError:
            late = f"took longer than {self.settings.request_seconds:g} s"
            return told(504 if body.ended else 408, late, headers=_closing(body))
        except RequestValidationError as reason:
            found = reason.errors()
            where, what = places_of(found)
            is_whole = all(one["type"] != "json_invalid" for one in found)
            return told(422 if is_whole else 400, what, where=where)
        except HTTPException as reason:
            headers = {**(reason.headers or {}), **_closing(body)}
            said = None if reason.status_code == 405 else reason.detail
            return told(reason.status_code, said, headers=headers)
        except BusyError as reason:
            return told(503, str(reason), headers={"Retry-After": str(reason.retry_after_s)})
        except HolotypeError as reason:
            status = next(status for kind, status in _STATUS_OF if isinstance(reason, kind))
            return told(status, self._hidden(str(reason)), headers=_closing(body))
        except ClientDisconnect:
            return Response(status_code=_GONE)
        except Exception:  # noqa: BLE001 - our fault: the log has it, the client only that it is
            traceback.print_exc(file=sys.stderr)
            return told(500, "the server failed")

    def _told_to_wait(self, wait_s: float) -> Response:
        after = str(max(1, round(wait_s + 0.5)))
        most = f"more than {self.settings.requests_per_minute:,} requests a minute"
        return told(429, most, where="client", headers={"Retry-After": after})


def guarded(guard: Guard) -> type[APIRoute]:
    """Returns the kind of route that a guard stands round."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            handler, path = super().get_route_handler(), self.path
            described = (self.openapi_extra or {}).get("requestBody", {})
            usual = JSON_KIND if self.body_field is not None else ""
            takes = FORM_KIND if FORM_KIND in described.get("content", {}) else usual

            async def guarded_handler(request: Request) -> Response:
                return await guard.handled(handler, request, path, takes=takes)

            return guarded_handler

    return Guarded


class _Body:
    """The body of a request as it comes, with its bytes counted."""

    def __init__(self, request: Request, most: int) -> None:
        self._most = most
        self._inner: Receive = request.receive
        self._length = request.headers.get("content-length", "")
        self._has_any = self._length not in ("", "0") or "transfer-encoding" in request.headers
        self._count = 0
        self.ended = not self._has_any

    def check_length(self) -> None:
        """Raises ``TooMuchError`` for a body that says that it is too large."""
        if self._length.isdigit() and int(self._length[:20]) > self._most:
            self._refuse()

    async def receive(self) -> Message:
        message = await self._inner()
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
            if self._count > self._most:
                self._refuse()
        return message

    def _refuse(self) -> None:
        raise HTTPException(413, f"more than {self._most:,} bytes in one request")


def _check_is_json(content_type: str) -> None:
    """Raises ``OtherTypeError`` for what does not say that it is JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != JSON_KIND and not (kind.startswith("application/") and kind.endswith("+json")):
        raise OtherTypeError(f"not JSON. Send it as {JSON_KIND}.")


def _closing(body: _Body) -> dict[str, str]:
    """Returns the header that ends a connection on which a body is still coming."""
    return {} if body.ended else {"Connection": "close"}


async def while_there(request: Request, work: Coroutine[Any, Any, Value]) -> Value:
    """Returns what some work returns; it is given up when the client goes away. The body must be read.

    Raises:
        ClientDisconnect: when it did.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def json_reply(content: Mapping[str, object]) -> Response:
    """Returns a reply of plain values: no model is made of what is ours already.

    Lists, and what yields their entries, are written entry by entry: other threads get their turn between
    two.
    """
    written = bytearray(b"{")
    for name, value in content.items():
        written += b"," if len(written) > 1 else b""
        written += _as_json(name) + b":"
        if isinstance(value, list | Iterator):
            written += b"["
            for place, entry in enumerate(value):
                written += (b"," if place else b"") + _as_json(entry)
            written += b"]"
        else:
            written += _as_json(value)
    return Response(bytes(written + b"}"), media_type="application/json")


def _as_json(value: object) -> bytes:
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.encode("utf-8", "replace")
