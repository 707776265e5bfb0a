"""What the pages and the API share: the model that answers, the collection, the index, a workspace."""

from dataclasses import dataclass
from pathlib import Path

from holotype.app.identifying import Identifier
from holotype.app.settings import ServeSettings
from holotype.collection.store import Collection, open_collection
from holotype.identify.answers import AnswerSettings

FOLDERS = ("jobs", "reviews", "selections", "uploads")


@dataclass(frozen=True)
class Workbench:
    """What is open; made once, and never changed.

    Attributes:
        settings: of the server.
        run: the model as it was named.
        identifier: the model, answering.
        collection_folder: of what there is to explore and review; None where none was named.
        index: the folder of an index; None where none was named.
        workspace: the folder of everything that the pages write.
    """

    settings: ServeSettings
    run: str
    identifier: Identifier
    collection_folder: Path | None
    index: Path | None
    workspace: Path

    @classmethod
    def open(
        cls,
        run: str,
        *,
        settings: ServeSettings,
        workspace: Path,
        collection: Path | None = None,
        index: Path | None = None,
    ) -> "Workbench":
        """Returns a workbench with everything open.

        Raises:
            BundleError, CollectionError: when the model, the collection or the index cannot be used.
        """
        for name in FOLDERS:
            (workspace / name).mkdir(parents=True, exist_ok=True)
        if collection is not None:
            open_collection(collection)
        answering = AnswerSettings(
            max_error=settings.max_error,
            nearest=settings.nearest,
            index=None if index is None else str(index),
        )
        identifier = Identifier.open(
            run,
            index=index,
            settings=answering,
            device=settings.device,
            max_queued=settings.max_queued,
        )
        return cls(settings, run, identifier, collection, index, workspace.resolve())

    @property
    def collection(self) -> Collection | None:
        """The collection as it is on disk now: a review may have changed it."""
        folder = self.collection_folder
        return None if folder is None else open_collection(folder)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders whose files may be named on the pages."""
        named = self.settings.data or (Path.cwd(),)
        of_collection = () if self.collection_folder is None else (self.collection_folder.parent,)
        return tuple(
            dict.fromkeys(path.resolve() for path in (*named, *of_collection, self.workspace))
        )

    def close(self) -> None:
        """Lets the model go."""
        self.identifier.close()
