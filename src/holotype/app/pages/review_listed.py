"""The list of review sessions: how far each is, read again only where its log has grown."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from holotype import files
from holotype.app.pages.review_open import OpenReviews, collector_paused
from holotype.errors import HolotypeError
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.log import LOG, ReviewLog
from holotype.reviewing.session import FORMAT, MANIFEST, VERSION, sessions_in
from holotype.reviewing.state import State

_Mark = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Listed:
    """One session in the list: how far it is; ``problem`` where it cannot be opened."""

    name: str
    made: str = ""
    records: int = 0
    decided: int = 0
    reviewers: tuple[str, ...] = ()
    last: str = ""
    problem: str = ""


class SessionList:
    """The sessions in a folder; safe between threads.

    Args:
        folder: that holds them.
        reviews: those that are open: what their logs come to is known.
    """

    def __init__(self, folder: Path, reviews: OpenReviews) -> None:
        self._folder, self._reviews = folder, reviews
        self._lock = Lock()
        self._known: dict[Path, tuple[_Mark, Listed]] = {}

    def all(self) -> list[Listed]:
        """Returns all sessions, the last used first."""
        with self._lock:
            places = [one for one in sessions_in(self._folder) if not one.name.startswith(".")]
            self._known = {one: told for one, told in self._known.items() if one in places}
            found = [self._listed(path) for path in places]
        return sorted(found, key=lambda one: (one.last or one.made, one.name), reverse=True)

    def _listed(self, path: Path) -> Listed:
        try:
            mark = _mark(path / MANIFEST), _mark(path / LOG)
            known = self._known.get(path)
            if known is None or known[0] != mark:
                known = mark, _counted(path, self._state(path))
                self._known[path] = known
            return known[1]
        except (HolotypeError, OSError, KeyError) as reason:
            return Listed(path.name, problem=str(reason))

    def _state(self, path: Path) -> State:
        review = self._reviews.opened(path)
        if review is not None:
            review.refresh()
            return review.state
        log = ReviewLog(path)
        with collector_paused():
            log.refresh()
        return log.state


def _counted(path: Path, state: State) -> Listed:
    manifest = files.read_manifest(
        path / MANIFEST, format_name=FORMAT, version=VERSION, error=ReviewError
    )
    return Listed(
        path.name, manifest["made"], manifest["records"], state.num_decided, tuple(state.reviewers),
        state.last_time,
    )  # fmt: skip


def _mark(path: Path) -> tuple[int, int]:
    """Returns size and time of a file, which writing changes; zeros where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
