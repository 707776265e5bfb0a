"""Whether a file could be fetched, asked for as little as can be."""

import re
from dataclasses import dataclass
from enum import StrEnum

from holotype.catalogue.content import FIRST_BYTES, not_the_file
from holotype.catalogue.web import Trouble, WebTrouble, asked
from holotype.catalogue.web_settings import WebSettings


class Availability(StrEnum):
    """Whether something can be had."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not_available"
    """The host says so (404, 410)."""
    CHECK_FAILED = "check_failed"
    """It is not known: the host could not be reached, is busy, refuses, or answers with a page."""


@dataclass(frozen=True)
class Probe:
    """What one address answered.

    Attributes:
        state: whether the file can be had there.
        bytes: its size as announced, or None.
        resumes: whether a broken download can be gone on with; None where it is not known.
        detail: what is to be said about it, or None.
    """

    state: Availability
    bytes: int | None = None
    resumes: bool | None = None
    detail: str | None = None


def probed(url: str, name: str, settings: WebSettings) -> Probe:
    """Returns what an address answers: to HEAD, and to a request for its first bytes where that says little.

    Many hosts refuse HEAD, or answer it wrongly; only what a real request meets is taken as "not there".
    """
    try:
        with asked(url, settings, method="HEAD") as answer:
            is_page = not_the_file(name, b"", answer.headers.get("content-type")) is not None
            if answer.status == 200 and answer.length and not is_page:
                ranges = answer.headers.get("accept-ranges", "").lower()
                resumes = {"bytes": True, "none": False}.get(ranges)
                return Probe(Availability.AVAILABLE, answer.length, resumes)
    except WebTrouble:
        pass
    try:
        return _first_bytes(url, name, settings)
    except WebTrouble as reason:
        return failed_probe(reason)


def failed_probe(reason: WebTrouble) -> Probe:
    """Returns what a failed request says about availability."""
    gone = reason.kind is Trouble.GONE
    state = Availability.NOT_AVAILABLE if gone else Availability.CHECK_FAILED
    return Probe(state, detail=str(reason))


def _first_bytes(url: str, name: str, settings: WebSettings) -> Probe:
    with asked(url, settings, headers={"Range": f"bytes=0-{FIRST_BYTES - 1}"}) as answer:
        first = b""
        while len(first) < FIRST_BYTES and (chunk := answer.read(FIRST_BYTES - len(first))):
            first += chunk
        if told := not_the_file(name, first, answer.headers.get("content-type")):
            return Probe(Availability.CHECK_FAILED, detail=told)
        total = answer.length
        if answer.status != 200:
            match = re.search(r"/(\d+)$", answer.headers.get("content-range", ""))
            total = int(match[1]) if match else None
        return Probe(Availability.AVAILABLE, total, answer.status == 206)
