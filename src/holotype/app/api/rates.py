"""How often each client may ask: a bucket of tokens each, of bounded number."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CLIENTS = 10_000


class Rates:
    """Buckets that fill at a rate, one a client; those that were not used for longest are forgotten."""

    def __init__(
        self,
        per_minute: float,
        *,
        most: int = MOST_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._full = max(1.0, per_minute)
        self._per_s = per_minute / 60
        self._most, self._clock = most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def is_empty(self, client: str) -> bool:
        """Returns whether a client has to wait; takes nothing."""
        return self._tokens(client_name(client), self._clock()) < 1

    def _tokens(self, name: str, now: float) -> float:
        left, then = self._left.get(name, (self._full, now))
        return min(self._full, left + (now - then) * self._per_s)

    def wait_s(self, client: str) -> float:
        """Takes a token of a client; returns 0, or how many seconds to wait where there is none."""
        name, now = client_name(client), self._clock()
        left = self._tokens(name, now)
        self._left.pop(name, None)
        enough = left >= 1
        self._left[name] = (left - 1 if enough else left, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0.0 if enough else (1 - left) / self._per_s


def client_name(address: str) -> str:
    """Returns what counts as one client: an address, or the network that an IPv6 address is of.

    >>> client_name("192.0.2.1"), client_name("2001:db8::1:2:3:4"), client_name("")
    ('192.0.2.1', '2001:db8::/64', '')
    >>> client_name("::ffff:192.0.2.1"), client_name("::1")
    ('192.0.2.1', '::1')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if isinstance(found, ipaddress.IPv4Address) or found.is_loopback:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
