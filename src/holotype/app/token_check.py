"""The token: whether it was said, how often a client was wrong, and what the cookie of a person says."""

import hashlib
import hmac
from enum import StrEnum

from starlette.requests import cookie_parser

from holotype.app.api.rates import Rates

COOKIE = "holotype"
WRONG_A_MINUTE = 30
"""So many wrong tokens of one client are answered; after that it has to wait."""
WAIT = "too many wrong tokens"
WAIT_HEADERS = {"Retry-After": "60"}


class Verdict(StrEnum):
    """What is said to a client that says a token."""

    RIGHT = "right"
    WRONG = "wrong"
    WAIT = "wait"
    """It was wrong too often: right and wrong are not told apart."""


class TokenCheck:
    """Compares tokens and cookies; made once a server, so that a client has one count wherever it says them.

    Attributes:
        cookie: what the cookie of a person says who knew the token. Nobody can make it of a token alone, so
            it needs no count: one of another token or server is as none.
    """

    def __init__(self, token: str, key: str) -> None:
        """Takes the token, and a secret of the workspace to make the cookie with."""
        in_latin = {token.encode("latin-1")} if max(token) <= "\xff" else set()
        self._spellings = {token.encode()} | in_latin
        self._wrong = Rates(WRONG_A_MINUTE)
        told = b"holotype pages\0" + token.encode()
        self.cookie = hmac.new(key.encode(), told, hashlib.sha256).hexdigest()

    def verdict(self, said: bytes, client: str) -> Verdict:
        """Returns what is said to a client, and counts what is wrong.

        Args:
            said: as UTF-8, or as Latin-1, in which some programmes send headers.
            client: its address.
        """
        if self._wrong.is_empty(client):
            return Verdict.WAIT
        if any(hmac.compare_digest(said, one) for one in self._spellings):
            return Verdict.RIGHT
        self._wrong.wait_s(client)
        return Verdict.WRONG

    def remembers(self, cookies: str) -> bool:
        """Returns whether a ``Cookie`` header is of a person who knew the token."""
        found = cookie_parser(cookies).get(COOKIE, "")
        return hmac.compare_digest(found.encode(), self.cookie.encode())


def bearer(authorization: bytes) -> bytes | None:
    """Returns the token of an ``Authorization`` header; None where it has none.

    >>> bearer(b"Bearer abc"), bearer(b"bearer abc"), bearer(b"Basic YTpi"), bearer(b"")
    (b'abc', b'abc', None, None)
    """
    scheme, _, said = authorization.partition(b" ")
    return said.strip() if scheme.lower() == b"bearer" else None
