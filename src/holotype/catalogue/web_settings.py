"""How patient and how strict downloads are, as one value."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Downgrade(StrEnum):
    """Whether a redirect may lead from https to http."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True)
class WebSettings:
    """How patient and how strict requests are.

    Attributes:
        stall_s: a connection on which nothing comes for so long is given up; slow ones are not.
        attempts: how often in a row a request may fail without any progress.
        first_wait_s: wait after the first failure; doubled after each further one.
        longest_wait_s: no wait of ours is longer.
        longest_retry_after_s: a host that asks for a longer wait is given up.
        max_redirects: how many redirects are followed.
        downgrade: whether https may become http.
        disk_reserve_bytes: free space that a download never eats into.
        seed: of the jitter of the waits.
        poll_s: time between two questions whether a package is ready.
        polls: how often that is asked.
        sleep: waits so many seconds.
    """

    stall_s: float = 60.0
    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_retry_after_s: float = 900.0
    max_redirects: int = 8
    downgrade: Downgrade = Downgrade.REFUSE
    disk_reserve_bytes: int = 256 << 20
    seed: int = 0
    poll_s: float = 10.0
    polls: int = 180
    sleep: Callable[[float], None] = time.sleep
