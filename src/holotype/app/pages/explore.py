"""The page Explore: a collection as a tree with pictures, filters, a map, and what looks alike.

All that is asked for stands in the address, so a link shows the same to somebody else.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from nicegui import app, ui

from holotype.app.exploring.likeness import Likeness
from holotype.app.exploring.opened import CollectionNow
from holotype.app.exploring.selections import SelectionRows
from holotype.app.pages.explore_downloads import downloads
from holotype.app.pages.explore_state import (
    PAGE,
    Shared,
    read_asked,
)
from holotype.app.pages.explore_visit import Visit
from holotype.app.pages.frame import frame
from holotype.app.pages.text import paragraph, text

if TYPE_CHECKING:
    from holotype.app.workbench import Workbench

_STYLE = Path(__file__).parent / "explore.css"


def register(workbench: "Workbench") -> None:
    """Defines the page and the downloads of records."""
    folder = workbench.collection_folder
    now = None if folder is None else CollectionNow(folder, workbench.workspace)
    shared = Shared(workbench, now, Likeness(workbench), SelectionRows(workbench.workspace))
    app.include_router(downloads(shared))

    @ui.page(PAGE)
    async def page(request: Request) -> None:
        asked, problems = read_asked(request.query_params.multi_items())
        ui.add_css(_STYLE.read_text("utf-8"))
        with frame("Explore", PAGE):
            ui.query("#content").classes("wide")
            if shared.now is None:
                _no_collection()
                return
            if problems:
                paragraph(f"Part of the link cannot be read: {', '.join(problems)}.").classes("bad")
            visit = Visit(shared, asked)
            visit.draw()
        await ui.context.client.connected()
        await visit.start()


def _no_collection() -> None:
    with ui.element("div").classes("empty"):
        text("p", "No collection is open.")
        paragraph("Name one when the server starts: holotype serve BUNDLE --collection FOLDER")
        paragraph(
            "A collection is made of archives, folders or tables by holotype import."
        ).classes("note")
