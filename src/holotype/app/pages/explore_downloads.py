"""Records of the page Explore as files: those that pass the filters of the address."""

import asyncio

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from numpy.typing import NDArray

from holotype.app.exploring.filters import Filters, read_filters
from holotype.app.exploring.opened import Explored
from holotype.app.exploring.records import csv_of
from holotype.app.exploring.searching import ids_of
from holotype.app.exploring.view import view_of
from holotype.app.pages.explore_state import DOWNLOADS, Shared
from holotype.errors import HolotypeError, SourceError


def selected_rows(shared: Shared, explored: Explored, filters: Filters) -> NDArray[np.int64] | None:
    """Returns the rows of the selection that is asked for, None where none is; reads a file the first time.

    Raises:
        CollectionError: when it is not kept.
    """
    if filters.selection is None:
        return None
    return shared.selections.rows(filters.selection, explored.rows)


def downloads(shared: Shared) -> APIRouter:
    """Returns the routes that records are fetched from: those that pass the filters of the query."""
    routes = APIRouter(include_in_schema=False)

    def rows_of(request: Request) -> tuple[Explored, NDArray[np.int64]]:
        assert shared.now is not None
        explored = shared.now.explored()
        filters, problems = read_filters(request.query_params.multi_items())
        if problems:
            raise SourceError(f"part of the address cannot be read: {', '.join(problems)}")
        selected = selected_rows(shared, explored, filters)
        return explored, view_of(explored.facts, filters, selected=selected).row_R

    @routes.get(f"{DOWNLOADS}/{{name}}")
    async def fetch(name: str, request: Request) -> Response:
        if shared.now is None or name not in ("records.csv", "ids.txt"):
            return PlainTextResponse("There is no such file.\n", 404)
        try:
            explored, rows = await asyncio.to_thread(rows_of, request)
        except HolotypeError as reason:
            said = str(reason).replace(str(shared.workbench.workspace) + "/", "")
            return PlainTextResponse(f"{said}\n", 404)
        letters = explored.collection.name.encode("ascii", "ignore").decode()
        safe = "".join(sign for sign in letters if sign.isalnum() or sign in "-_") or "collection"
        told = {"Content-Disposition": f'attachment; filename="{safe}-{name}"'}
        if name == "ids.txt":
            ids = await asyncio.to_thread(ids_of, explored.rows, rows.tolist())
            return PlainTextResponse("".join(f"{one}\n" for one in ids), headers=told)
        pieces = csv_of(explored.collection, rows)
        return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=told)

    return routes
