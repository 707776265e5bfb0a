"""What a server is told: where it listens, who may ask, and how much."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from holotype.identify.answers import MAX_ERROR

LOOPBACK = "127.0.0.1"


def host_name(written: str) -> str:
    """Returns the name of a machine as browsers send it.

    Raises:
        ValueError: when it is none.

    >>> host_name("Plankton.Lab.Example"), host_name("[::1]:8080"), host_name("Küste.example")
    ('plankton.lab.example', '::1', 'xn--kste-0ra.example')
    """
    try:
        parts = urlsplit(f"//{written.strip()}")
        found = (parts.hostname or "").encode("idna").decode("ascii") if _is_bare(parts) else ""
    except ValueError:
        found = ""
    if not found:
        raise ValueError(f"'{written}' is no name of a machine, such as plankton.lab.example")
    return found


def _is_bare(parts: SplitResult) -> bool:
    """Returns whether there is nothing but a name and a port; ``ValueError`` for a port that is none."""
    more = parts.path or parts.query or parts.fragment or parts.username
    return not more and parts.port != 0


def origin(written: str) -> str:
    """Returns a site as browsers send it in ``Origin``.

    Raises:
        ValueError: when it is none, or has more than a scheme, a name and a port.

    >>> origin("https://Site.Example/"), origin("http://site.example:8080"), origin("https://a.example:443")
    ('https://site.example', 'http://site.example:8080', 'https://a.example')
    """
    scheme, _, rest = written.strip().lower().partition("://")
    try:
        name, port = host_name(rest.removesuffix("/")), urlsplit(f"//{rest}").port
    except ValueError:
        scheme = ""
    if not scheme:
        raise ValueError(f"'{written}' is no site, such as https://site.example")
    shown = f"[{name}]" if ":" in name else name
    usual = {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{shown}" + ("" if port in (None, usual) else f":{port}")


def network(written: str) -> str:
    """Returns an address, or a network of them.

    Raises:
        ValueError: when it is none.

    >>> network("192.0.2.1"), network("10.0.0.0/8")
    ('192.0.2.1/32', '10.0.0.0/8')
    """
    try:
        return str(ipaddress.ip_network(written.strip(), strict=False))
    except ValueError:
        raise ValueError(
            f"'{written}' is no address, such as 127.0.0.1, and no network, such as 10.0.0.0/8"
        ) from None


class ServeSettings(BaseModel):
    """Settings of ``holotype serve``.

    Attributes:
        host: address to listen at; this machine alone by default.
        port: 0 for any that is free.
        token: what a client must say as ``Authorization: Bearer``, and a person once; None asks nobody.
        cors_origins: other sites whose pages may call the API; none by default.
        hosts: names under which the server may be asked for, beside its own address.
        proxies: addresses whose word is taken for who asks (``X-Forwarded-For``); none by default.
        data: folders whose files may be named on the pages.
        report: folder of the model's report.
        max_upload_bytes: of one request, and so of one file.
        max_files: files of one request.
        max_pixels: of one image.
        max_members: specimens that archives of one request may hold.
        max_unpacked_bytes: bytes that archives of one request may unpack to.
        requests_per_minute: of one client.
        request_seconds: a request that takes longer is ended.
        max_queued: specimens that may wait for the model.
        max_error: the share of answers that may be wrong.
        nearest: reference records that are told with an answer.
        device: where the model works.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = LOOPBACK
    port: int = Field(default=8080, ge=0, le=65_535)
    token: str | None = Field(default=None, min_length=8)
    cors_origins: tuple[Annotated[str, AfterValidator(origin)], ...] = ()
    hosts: tuple[Annotated[str, AfterValidator(host_name)], ...] = ()
    proxies: tuple[Annotated[str, AfterValidator(network)], ...] = ()
    data: tuple[Path, ...] = ()
    report: Path | None = None
    max_upload_bytes: int = Field(default=256 << 20, ge=1)
    max_files: int = Field(default=1_000, ge=1)
    max_pixels: int = Field(default=100_000_000, ge=1)
    max_members: int = Field(default=10_000, ge=1)
    max_unpacked_bytes: int = Field(default=1 << 30, ge=1)
    requests_per_minute: int = Field(default=600, ge=1)
    request_seconds: float = Field(default=120.0, gt=0)
    max_queued: int = Field(default=20_000, ge=1)
    max_error: float = Field(default=MAX_ERROR, gt=0, lt=1)
    nearest: int = Field(default=5, ge=0)
    device: str = "cpu"

    @model_validator(mode="after")
    def _strangers_need_a_token(self) -> "ServeSettings":
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host}: others can reach it. Set a token, or listen at {LOOPBACK}."
            )
        return self


def is_loopback(host: str) -> bool:
    """Returns whether an address is of this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
