"""Where files are dropped or chosen, one for all pages; the server itself holds to its limits."""

from collections.abc import Callable
from pathlib import Path

from nicegui import events, ui

from holotype.app.pages.text import text
from holotype.app.settings import ServeSettings
from holotype.app.upload_names import safe_name
from holotype.app.uploads import Upload
from holotype.media.file_names import safe_ending
from holotype.page.words import some

_HEAD = (
    '<div class="drop-head"><label><span>Drop files here</span><q-uploader-add-trigger /></label>'
    '<q-btn outline no-caps color="primary" label="Choose files" @click="props.pickFiles" /></div>'
)
"""Quasar's own head has an input inside its button, and neither has a name."""
TOO_MUCH = "More or larger files than this server takes."


class DropPlace:
    """What one visitor has brought to a page.

    Attributes:
        uploads: the files, in the order of their names.
    """

    def __init__(
        self, settings: ServeSettings, folder: Callable[[], Path], button: Callable[[], ui.button]
    ) -> None:
        self._settings, self._new_folder, self._button = settings, folder, button
        self._folder: Path | None = None
        self._brought: list[Upload] = []
        self._bytes = 0

    def draw(self) -> None:
        """Draws the place; files come as soon as they are chosen."""
        self._upload = ui.upload(
            multiple=True,
            auto_upload=True,
            max_total_size=self._settings.max_upload_bytes,
            max_files=self._settings.max_files,
            on_begin_upload=self._begin,
            on_upload=self._receive,
            on_rejected=lambda: ui.notify(TOO_MUCH, type="negative"),
        )
        self._upload.props("flat bordered").classes("drop").add_slot("header", _HEAD)

    def draw_status(self) -> None:
        """Draws how many files have come."""
        self._status = text("span", "").classes("dim").props('role="status"')

    @property
    def uploads(self) -> list[Upload]:
        """The files: they come in any order, and are told by name."""
        return sorted(self._brought, key=lambda one: one.name)

    @property
    def folder(self) -> Path:
        """The folder that they lie in."""
        if self._folder is None:
            self._folder = self._new_folder()
        return self._folder

    def say(self, words: str) -> None:
        """Says something where the number of files stands."""
        self._status.set_text(words)

    def clear(self) -> None:
        """Begins anew: what has come is another one's now."""
        self._folder, self._brought, self._bytes = None, [], 0
        self._upload.reset()
        self.say("")

    def _begin(self) -> None:
        self._button().disable()

    async def _receive(self, event: events.UploadEventArguments) -> None:
        size = event.file.size()
        too_many = len(self._brought) >= self._settings.max_files
        if too_many or self._bytes + size > self._settings.max_upload_bytes:
            ui.notify(TOO_MUCH, type="negative")
        else:
            ending = safe_ending(safe_name(event.file.name))
            place = self.folder / f"upload-{len(self._brought):06d}{ending}"
            self._brought.append(Upload(event.file.name, place))
            self._bytes += size
            await event.file.save(place)
        self.say(f"{some(len(self._brought), 'file')} brought")
        self._button().enable()
