"""The frame of every page: header, navigation, the look that was chosen, and where the content begins."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nicegui import ui

from holotype.app.pages.look import look_switch
from holotype.app.pages.text import heading
from holotype.page.colours import colours


@dataclass(frozen=True)
class Entry:
    """One entry of the navigation."""

    path: str
    title: str
    icon: str


ENTRIES = (
    Entry("/", "Identify", "search"),
    Entry("/explore", "Explore", "account_tree"),
    Entry("/review", "Review", "checklist"),
    Entry("/evidence", "Evidence", "insights"),
    Entry("/jobs", "Jobs", "pending_actions"),
)
_DARK = "body.body--dark {}"


@contextmanager
def frame(title: str, here: str) -> Iterator[None]:
    """Draws what is around a page; the content goes inside.

    Args:
        title: the heading of the page, also of the window.
        here: the path of the page in the navigation.
    """
    ui.page_title(f"{title} · Holotype")
    ui.add_css(colours(_DARK) + _part("workbench.css"))
    ui.link("Skip to the content", "#content").classes("skip")
    with ui.header().classes("top"):
        ui.link("Holotype", "/").classes("name")
        with ui.element("nav").classes("ways").props('aria-label="Pages"'):
            for entry in ENTRIES:
                _way(entry, is_here=entry.path == here)
        look_switch()
    with ui.element("div").classes("content").props("id=content tabindex=-1"):
        heading(1, title)
        yield


def _way(entry: Entry, *, is_here: bool) -> None:
    link = ui.link(target=entry.path).classes("way")
    link.props(f'aria-label="{entry.title}"' + (' aria-current="page"' if is_here else ""))
    with link:
        ui.icon(entry.icon).props('aria-hidden="true"')
        ui.label(entry.title).classes("way-title")


def _part(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
