"""Where files are dropped or chosen, one for all pages; the server itself holds to its limits."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nicegui import events, ui

from holotype.app.pages.text import text
from holotype.app.settings import ServeSettings
from holotype.app.upload_names import safe_name
from holotype.app.uploads import Upload
from holotype.errors import first_few
from holotype.media.file_names import safe_ending
from holotype.page.words import some

_HEAD = (
    '<div class="drop-head"><label><span>Drop files here</span><q-uploader-add-trigger /></label>'
    '<q-btn outline no-caps color="primary" label="Choose files" @click="props.pickFiles" /></div>'
)
"""Quasar's own head has an input inside its button, and neither has a name."""
TOO_MUCH = "More or larger files than this server takes."


@dataclass
class Brought:
    """Files in one folder; they come in any order, and are told by name."""

    folder: Path
    files: list[Upload] = field(default_factory=list)
    size: int = 0

    @property
    def uploads(self) -> list[Upload]:
        """The files, in the order of their names."""
        return sorted(self.files, key=lambda one: one.name)


_STATE = """
const files = getElement({id})?.$refs.qRef?.files || [];
const named = (...states) => files.filter(one => states.includes(one.__status)).map(one => one.name);
return {{coming: named('idle', 'uploading').length, failed: named('failed')}};
"""
_ANSWER_S = 15.0


class DropPlace:
    """What one visitor brings to a page, until it is taken."""

    def __init__(self, settings: ServeSettings, folder: Callable[[], Path]) -> None:
        self._settings, self._new_folder = settings, folder
        self._brought: Brought | None = None
        self._being_saved = 0

    def draw(self) -> None:
        """Draws the place; files come as soon as they are chosen."""
        self._upload = ui.upload(
            multiple=True,
            auto_upload=True,
            max_total_size=self._settings.max_upload_bytes,
            max_files=self._settings.max_files,
            on_upload=self._receive,
            on_rejected=lambda: ui.notify(TOO_MUCH, type="negative"),
        )
        self._upload.props("flat bordered").classes("drop").add_slot("header", _HEAD)

    def draw_status(self) -> None:
        """Draws how many files have come."""
        self._status = text("span", "").classes("dim").props('role="status"')

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come."""
        return self._brought is None or not self._brought.files

    async def is_whole(self) -> bool:
        """Returns whether all has come that was chosen; tells what has not."""
        client = self._upload.client
        try:
            state = await client.run_javascript(
                _STATE.format(id=self._upload.id), timeout=_ANSWER_S
            )
        except TimeoutError:
            ui.notify("The browser does not answer. Try again.", type="warning")
            return False
        while self._being_saved:
            await asyncio.sleep(0.02)
        coming, failed = int(state["coming"]), [str(one) for one in state["failed"]]
        if coming:
            files = f"{some(coming, 'file')} {'is' if coming == 1 else 'are'}"
            ui.notify(f"{files} still coming. Wait, or take them away.", type="warning")
        elif failed:
            ui.notify(
                f"Did not come: {first_few(failed)}. Choose them again, or take them away.",
                type="warning", multi_line=True, timeout=15_000, close_button="Close",
            )  # fmt: skip
        return not coming and not failed

    def take(self) -> Brought:
        """Returns what has come; what comes from now on is for the next time."""
        taken, self._brought = self._brought or Brought(self._new_folder()), None
        self._upload.run_method("removeUploadedFiles")
        return taken

    def give_back(self, taken: Brought) -> None:
        """Puts back what was taken and not used; what came since stays beside it."""
        if self._brought is None:
            self._brought = taken
        self.say(f"{some(len(self._brought.files), 'file')} brought")

    def say(self, words: str) -> None:
        """Says something where the number of files stands."""
        self._status.set_text(words)

    async def _receive(self, event: events.UploadEventArguments) -> None:
        if self._brought is None:
            self._brought = Brought(self._new_folder())
        own, size = self._brought, event.file.size()
        if len(own.files) >= self._settings.max_files or (
            own.size + size > self._settings.max_upload_bytes
        ):
            ui.notify(TOO_MUCH, type="negative")
            return
        own.size += size
        ending = safe_ending(safe_name(event.file.name))
        place = own.folder / f"upload-{secrets.token_hex(8)}{ending}"
        self._being_saved += 1
        try:
            await event.file.save(place)
        finally:
            self._being_saved -= 1
        own.files.append(Upload(event.file.name, place))
        self.say(f"{some(len(own.files), 'file')} brought")
