"""A host that misbehaves as real ones do, one behaviour a path."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Hostile:
    """The server: its address, what it does at each path, and what it was asked."""

    base: str
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def at(self, path: str, behaviour: Behaviour) -> str:
        """Sets what happens at a path; returns its address."""
        self.behaviours[path] = behaviour
        return self.base + path

    def gets(self, path: str) -> list[dict[str, str]]:
        """Headers of the GET requests for a path, in order."""
        return [
            headers for method, place, headers in self.asked if (method, place) == ("GET", path)
        ]


@dataclass
class Waits:
    """Takes the place of sleeping: remembers how long, and does not."""

    slept: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def send(handler: BaseHTTPRequestHandler, code: int, body: bytes = b"", **headers: object) -> None:
    """Sends an answer; ``content_length`` may lie, and None leaves it out."""
    handler.send_response(code)
    sent = {"content_length": len(body), **headers}
    for name, value in sent.items():
        if value is not None:
            handler.send_header(name.replace("_", "-").title(), str(value))
    handler.send_header("Connection", "close")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def status(code: int, **headers: object) -> Behaviour:
    """Always this status, with an empty body."""
    return lambda handler: send(handler, code, **headers)


def always(code: int, body: bytes, **headers: object) -> Behaviour:
    """Always this answer."""
    return lambda handler: send(handler, code, body, **headers)


def page(text: str = "<!DOCTYPE html><html>Please log in</html>", **headers: object) -> Behaviour:
    """A web page with status 200."""
    shown = {"content_type": "text/html; charset=utf-8", **headers}
    return lambda handler: send(handler, 200, text.encode(), **shown)


def good(content: bytes, etag: str | None = '"1"', **headers: object) -> Behaviour:
    """A host that does everything right: HEAD, ranges, If-Range, 416."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        start = asked_start(handler)
        extra = {"etag": etag, "accept_ranges": "bytes", **headers}
        condition = handler.headers.get("If-Range")
        if start is None or (condition is not None and condition != etag):
            send(handler, 200, content, **extra)
        elif start >= len(content):
            send(handler, 416, content_range=f"bytes */{len(content)}", etag=etag)
        else:
            end = len(content) - 1
            extra["content_range"] = f"bytes {start}-{end}/{len(content)}"
            send(handler, 206, content[start:], **extra)

    return behave


def cut(content: bytes, after: int, times: int = 1, then: Behaviour | None = None) -> Behaviour:
    """Breaks the connection after some bytes, a few times; then behaves."""
    left = [times]

    def behave(handler: BaseHTTPRequestHandler) -> None:
        if left[0] == 0 or handler.command == "HEAD":
            (then or good(content))(handler)
            return
        left[0] -= 1
        start = asked_start(handler) or 0
        end = len(content)
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(end - start))
        handler.send_header("ETag", '"1"')
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        handler.end_headers()
        handler.wfile.write(content[start : start + after])
        handler.wfile.flush()
        handler.connection.close()

    return behave


def slow(content: bytes, pieces: int, pause_s: float, stop_after: int | None = None) -> Behaviour:
    """Sends in pieces with pauses; stops sending, with the line open, after some of them."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        start = asked_start(handler) or 0
        send_head = {"content_length": len(content) - start, "etag": '"1"'}
        if start:
            send_head["content_range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        send(handler, 206 if start else 200, b"", **send_head)
        size = -(-len(content) // pieces)
        for number, place in enumerate(range(start, len(content), size)):
            if number == stop_after:
                time.sleep(1.0)
                return
            handler.wfile.write(content[place : place + size])
            handler.wfile.flush()
            time.sleep(pause_s)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour for each request; the last one for all that follow."""
    left = list(behaviours)

    def behave(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return behave


def asked_start(handler: BaseHTTPRequestHandler) -> int | None:
    """Where the range that is asked for begins, or None."""
    written = handler.headers.get("Range", "")
    return int(written.removeprefix("bytes=").partition("-")[0]) if written else None
