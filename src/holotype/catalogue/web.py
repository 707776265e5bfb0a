"""One request at a time over http(s): redirects followed with care, every failure of a known kind.

The standard library does the transport (proxies of the environment are honoured). A redirect may lead to
http(s) only, never from a public host to a private address, and from https to http only where that is
allowed. The address is looked up before it is connected to; a name server that answers differently the
second time is not guarded against.
"""

import http.client
import ipaddress
import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from holotype._version import __version__
from holotype.catalogue.web_settings import Downgrade, WebSettings

USER_AGENT = f"holotype/{__version__} (identification of organisms; downloads public research data)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ANSWERS = frozenset({200, 206, 416})
_GONE = frozenset({404, 410})
_MADE = frozenset({201, 202})
_BUSY = frozenset({202, 408, 425, 429, 500, 502, 503, 504})
_MAX_JSON_BYTES = 64 << 20


class Trouble(StrEnum):
    """Why a request did not give what was asked for."""

    GONE = "gone"
    """The host says that there is nothing at this address."""
    REFUSED = "refused"
    """The host will not serve it, or the answer is not the file; trying again is of no use."""
    BUSY = "busy"
    """The host asks to come again later, or is out of order."""
    CUT = "cut"
    """The host could not be reached, or the connection broke or stalled."""


class WebTrouble(Exception):  # noqa: N818 - it is caught and turned into an answer
    """A request that failed: of which kind, and how long the host asks to wait."""

    def __init__(self, kind: Trouble, detail: str, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.wait_s = wait_s


@dataclass(frozen=True)
class Answer:
    """An answer whose body has not been read yet.

    Attributes:
        status: 200, 206 or 416.
        url: the address that answered, after redirects.
        headers: name in lower case -> value.
        read: gives at most so many bytes as soon as any are there; none at the end.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    read: Callable[[int], bytes]

    @property
    def length(self) -> int | None:
        """Length of the body as announced, or None."""
        written = self.headers.get("content-length", "")
        return int(written) if written.isdecimal() else None


class _EveryStatus(urllib.request.HTTPErrorProcessor):
    """Hands back every answer, redirects and errors among them."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


@contextmanager
def asked(
    url: str,
    settings: WebSettings,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Iterator[Answer]:
    """Yields the answer to a request, with redirects followed.

    Raises:
        WebTrouble: whatever else happened, until the body has been read.
    """
    response, final = _follow(url, settings, method, headers or {}, body)
    with response:

        def read(size: int) -> bytes:
            with _transport_trouble(final, settings):
                return bytes(response.read1(size))

        yield Answer(
            response.status,
            final,
            {name.lower(): value for name, value in response.headers.items()},
            read,
        )


def _follow(
    url: str, settings: WebSettings, method: str, headers: Mapping[str, str], body: bytes | None
) -> tuple[Any, str]:
    start_is_private = is_private(host_of(url))
    seen = {url}
    for _ in range(settings.max_redirects + 1):
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Accept": "*/*", **headers}
        if not url.startswith(("http://", "https://")):
            raise WebTrouble(Trouble.REFUSED, f"{url} is no http(s) address")
        request = urllib.request.Request(  # noqa: S310 - http(s) only, see above
            quoted(url), data=body, headers=sent, method=method
        )
        with _transport_trouble(url, settings):
            opener = urllib.request.build_opener(_EveryStatus)
            response = opener.open(request, timeout=settings.stall_s)
        if response.status not in _REDIRECTS:
            if response.status in _ANSWERS or (method == "POST" and response.status in _MADE):
                return response, url
            with response:
                raise status_trouble(response.status, response.headers, url)
        with response:
            url = _next_address(url, response.headers.get("Location"), settings)
        if not start_is_private and is_private(host_of(url)):
            raise WebTrouble(Trouble.REFUSED, f"redirects to the private address {host_of(url)}")
        if url in seen:
            raise WebTrouble(Trouble.REFUSED, f"redirects in a circle, back to {url}")
        seen.add(url)
        if response.status == 303:
            method, body = ("HEAD" if method == "HEAD" else "GET"), None
    raise WebTrouble(Trouble.REFUSED, f"redirects more than {settings.max_redirects} times")


def _next_address(url: str, location: str | None, settings: WebSettings) -> str:
    if not location:
        raise WebTrouble(Trouble.REFUSED, "redirects without saying where to")
    target = urllib.parse.urldefrag(urllib.parse.urljoin(url, location)).url
    old, new = urllib.parse.urlsplit(url).scheme, urllib.parse.urlsplit(target).scheme
    if new not in {"http", "https"} or not host_of(target):
        raise WebTrouble(Trouble.REFUSED, f"redirects to {location}, which is no http(s) address")
    if (old, new) == ("https", "http") and settings.downgrade is Downgrade.REFUSE:
        raise WebTrouble(Trouble.REFUSED, f"redirects from https to http ({target})")
    return target


@contextmanager
def _transport_trouble(url: str, settings: WebSettings) -> Iterator[None]:
    host = host_of(url)
    try:
        yield
    except TimeoutError as reason:
        raise WebTrouble(Trouble.CUT, f"{host} sent nothing for {settings.stall_s:g} s") from reason
    except urllib.error.URLError as reason:
        if isinstance(reason.reason, TimeoutError):
            told = f"{host} did not answer within {settings.stall_s:g} s"
            raise WebTrouble(Trouble.CUT, told) from reason
        raise WebTrouble(Trouble.CUT, f"{host} cannot be reached: {reason.reason}") from reason
    except (http.client.HTTPException, OSError) as reason:
        told = str(reason) or type(reason).__name__
        raise WebTrouble(Trouble.CUT, f"the connection to {host} broke: {told}") from reason


def status_trouble(status: int, headers: Mapping[str, str], url: str) -> WebTrouble:
    """Returns what an HTTP status other than success means."""
    told = f"{host_of(url)} answers {status} {http.client.responses.get(status, '')}".rstrip()
    if status in _GONE:
        return WebTrouble(Trouble.GONE, told)
    if status in _BUSY:
        return WebTrouble(Trouble.BUSY, told, retry_after_s(headers.get("Retry-After")))
    return WebTrouble(Trouble.REFUSED, told)


def retry_after_s(written: str | None, now: datetime | None = None) -> float | None:
    """Returns the seconds to wait that a Retry-After header asks for, in either of its two forms."""
    if written is None:
        return None
    if written.strip().isdecimal():
        return float(written)
    try:
        moment = parsedate_to_datetime(written)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())


def host_of(url: str) -> str:
    """Returns the host of an address, without port."""
    try:
        return urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_private(host: str) -> bool:
    """Returns whether a host is, or stands for, an address that is not on the public internet.

    A name that cannot be resolved is not private: connecting to it will fail by itself.
    """
    try:
        found = (
            [host]
            if _is_address(host)
            else [str(entry[4][0]) for entry in socket.getaddrinfo(host, None)]
        )
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    plain = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    return any(not address.is_global for address in plain)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def quoted(url: str) -> str:
    """Returns an address with spaces and letters beyond ASCII escaped; what is escaped stays so."""
    return urllib.parse.quote(url, safe="%/:=&?~#+!$,;'@()*[]")


def asked_json(url: str, settings: WebSettings, body: Any = None) -> tuple[Any, Mapping[str, str]]:
    """Returns the JSON that an address answers with, and the headers; ``body`` is posted if given.

    Raises:
        WebTrouble: also when the answer is no JSON.
    """
    headers = {"Accept": "application/json"}
    sent = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        sent = json.dumps(body).encode()
    method = "GET" if sent is None else "POST"
    with asked(url, settings, method=method, headers=headers, body=sent) as answer:
        content = bytearray()
        while len(content) < _MAX_JSON_BYTES and (chunk := answer.read(1 << 16)):
            content += chunk
    try:
        return json.loads(content.decode("utf-8")), answer.headers
    except ValueError as reason:
        raise WebTrouble(Trouble.REFUSED, f"{host_of(url)} answers with no JSON") from reason
