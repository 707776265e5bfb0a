"""The review sessions that are open: each is read once, for all visitors of the server."""

import gc
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from holotype.reviewing.review import Review
from holotype.reviewing.session import MANIFEST, open_session

_MOST_OPEN = 8
_Key = tuple[Path, int]


class OpenReviews:
    """Open sessions with their logs, those looked at last; safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reviews: OrderedDict[_Key, Review] = OrderedDict()
        self._opening: dict[Path, Lock] = {}

    def opened(self, path: Path) -> Review | None:
        """Returns the review in a folder where it is open, else None."""
        key = _key(path)
        with self._lock:
            found = self._reviews.get(key)
            if found is not None:
                self._reviews.move_to_end(key)
        return found

    def open(self, path: Path) -> Review:
        """Returns the review in a folder, the same object for all who ask; others wait while one reads it.

        Raises:
            ReviewError: when it cannot be opened.
        """
        found = self.opened(path)
        if found is not None:
            return found
        with self._lock:
            opening = self._opening.setdefault(path, Lock())
        with opening:
            found = self.opened(path)
            if found is None:
                key = _key(path)
                with collector_paused():
                    found = _read(path)
                self._keep(key, found)
        return found

    def _keep(self, key: _Key, review: Review) -> None:
        with self._lock:
            for old in [one for one in self._reviews if one[0] == key[0]]:
                del self._reviews[old]  # made anew under the same name
            self._reviews[key] = review
            while len(self._reviews) > _MOST_OPEN:
                self._reviews.popitem(last=False)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Puts the search for cyclic garbage off, while very much is made that is none.

    Each search looks at every object there is, and all threads wait meanwhile.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _key(path: Path) -> _Key:
    return path, (path / MANIFEST).stat().st_mtime_ns


def _read(path: Path) -> Review:
    """Returns the review in a folder, with all at hand that pages ask of it: none waits for it then."""
    review = Review(open_session(path))
    session = review.session
    _ = review.proposals, session.row_of, session.rows_of_page, session.book.by_name
    session.book.found("a", most=1)
    return review
