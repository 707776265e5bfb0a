"""What a server is told: where it listens, who may ask, and how much."""

import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from holotype.identify.answers import MAX_ERROR

LOOPBACK = "127.0.0.1"


class ServeSettings(BaseModel):
    """Settings of ``holotype serve``.

    Attributes:
        host: address to listen at; this machine alone by default.
        port: 0 for any that is free.
        token: what a client must say as ``Authorization: Bearer``, and a person once; None asks nobody.
        cors_origins: other sites whose pages may call the API; none by default.
        hosts: names under which the server may be asked for, beside its own address.
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
    cors_origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
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
