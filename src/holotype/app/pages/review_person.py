"""Who reviews: a name, asked for once and kept for this browser; there are no accounts."""

from collections.abc import Awaitable, Callable

from nicegui import app, ui

from holotype.app.pages.review_dialogs import asking
from holotype.app.pages.text import note
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import MAX_NAME, reviewer_name

_KEY = "reviewer"


def reviewer() -> str | None:
    """Returns the name of the person at this browser, None where nobody has said it."""
    said = app.storage.user.get(_KEY)
    return said if isinstance(said, str) and said else None


def ask_reviewer(then: Callable[[], Awaitable[None]]) -> None:
    """Opens a dialog that asks for the name, keeps it, and goes on.

    Args:
        then: what is done when the name is known.
    """
    with asking("Your name", more="persistent") as dialog:
        note("It is written beside your decisions, and others see it.")
        said = ui.input(label="Name", value=reviewer() or "").props(
            f"outlined autofocus maxlength={MAX_NAME} autocomplete=name"
        )
        wrong = ui.label("").classes("bad").props("role=alert")

        async def keep() -> None:
            try:
                app.storage.user[_KEY] = reviewer_name(str(said.value or ""))
            except ReviewError as reason:
                wrong.set_text(str(reason))
                return
            dialog.close()
            await then()

        said.on("keydown.enter", keep)
        with ui.element("div").classes("review-answers"):
            ui.button("Go on", on_click=keep)
            if reviewer() is not None:
                ui.button("Cancel", on_click=dialog.close).props("flat")
