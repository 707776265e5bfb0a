"""Which files a page may name: those below folders that the person who started the server gave."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holotype.jobs.job import JobError


@dataclass(frozen=True)
class Allowed:
    """What may be named.

    Attributes:
        folders: all below them; the first one is where relative names begin.
        named: words that may be named as they are: the model, collection and index of the server.
        workspace: the folder of everything that the pages write; None without one.
    """

    folders: tuple[Path, ...]
    named: frozenset[str] = frozenset()
    workspace: Path | None = None

    @classmethod
    def of(
        cls,
        folders: Iterable[Path],
        named: Iterable[object] = (),
        *,
        workspace: Path | None = None,
    ) -> "Allowed":
        """Returns what may be named, links followed; None among the words is nobody's name."""
        resolved = tuple(dict.fromkeys(folder.resolve() for folder in folders))
        words = frozenset(str(one) for one in named if one is not None)
        return cls(resolved, words, None if workspace is None else workspace.resolve())

    def path(self, text: str) -> Path:
        """Returns the full path of what a person wrote, links followed.

        Raises:
            JobError: when it lies elsewhere, also by a link or by ``..``.
        """
        if text in self.named:
            return Path(text).resolve()
        if not self.folders:
            raise JobError(f"{text}: this server lets no files be named.")
        try:
            path = (self.folders[0] / Path(text).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError) as reason:
            raise JobError(f"{text!r}: no path ({reason}).") from None
        if not any(path.is_relative_to(folder) for folder in self.folders):
            raise JobError(
                f"{text}: outside of the folders whose files may be named here: "
                f"{', '.join(str(folder) for folder in self.folders)}. Copy it there, or ask the person who "
                "started the server to give its folder too."
            )
        return path

    def told(self, path: Path) -> str:
        """Returns a path as short as it can be written here: relative to the first folder, if below it."""
        if self.folders and path.is_relative_to(self.folders[0]):
            return str(path.relative_to(self.folders[0]))
        return str(path)
