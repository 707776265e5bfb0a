"""What a visitor sees when there is no such page, or something fails: what happened, and what to do."""

from fastapi import Request, Response
from nicegui import Client, app, context, ui
from nicegui.page import page as page_of

from holotype.app.pages.frame import frame
from holotype.app.pages.text import paragraph
from holotype.errors import HolotypeError

OURS = "This is our fault, not yours; the log of the server has the details."


def register() -> None:
    """Has faults shown in words; the server's log keeps all of them."""
    app.on_page_exception(_draw_fault)
    app.on_exception(_tell)

    @app.exception_handler(404)
    async def absent(request: Request, _: Exception) -> Response:
        with Client(page_of(""), request=request) as client:
            with frame("No such page", ""):
                paragraph("There is nothing at this address. The pages are in the line above.")
            return client.build_response(request, 404)


def said(fault: Exception) -> str:
    """Returns what a visitor is told of a fault: its own words where it is meant for people, else none."""
    return str(fault) if isinstance(fault, HolotypeError) else OURS


def _draw_fault(fault: Exception) -> None:
    with frame("This page cannot be shown", ""):
        paragraph(said(fault))


def _tell(fault: Exception) -> None:
    """Notifies the visitor whose action failed, where there is one."""
    try:
        with context.client:
            ui.notify(said(fault), type="negative", multi_line=True, close_button="Close")
    except RuntimeError:
        return  # a task without a visitor
