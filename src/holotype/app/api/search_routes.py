"""The routes that search the index."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from holotype.app.api import models
from holotype.app.api.bringing import files_of
from holotype.app.api.described import PROBLEMS, SEARCH_FORM
from holotype.app.api.desk import Desk, refused_as_json
from holotype.app.api.guard import while_there

SEARCHED = Query(description="whose vectors are searched; the fitting ones by default")
K = Query(ge=1, le=1_000, description="records for each image")
TAXON = Query(max_length=models.LONGEST_NAME, description="a name that the records bear")
PLACE = Query(max_length=100, description="west,south,east,north in degrees")
MANY = Query(max_length=100)


def search_routes(routes: APIRouter, desk: Desk) -> None:
    """Adds the routes."""
    replies: dict[int | str, dict[str, Any]] = {200: {"model": models.Hits}, **PROBLEMS}

    @routes.post("/search", summary="Search by barcodes, words or lineages", responses=replies)
    async def search(request: Request, asked: models.Search) -> Response:
        """The records of the index that fit each value best."""
        work = desk.searcher.by(
            asked.by, asked.values, searched=asked.searched, k=asked.k, filters=asked.filters
        )
        hits = await while_there(request, work)
        return await desk.listed("hits", lambda: hits, len(hits), refused=[])

    @routes.post(
        "/search/images",
        summary="Search by images",
        responses=replies,
        openapi_extra=SEARCH_FORM,
    )
    async def search_images(
        request: Request,
        k: Annotated[int, K] = 10,
        searched: Annotated[models.Searched | None, SEARCHED] = None,
        taxon: Annotated[str | None, TAXON] = None,
        rank: models.RankName | None = None,
        place: Annotated[str | None, PLACE] = None,
        instrument: Annotated[list[str], MANY] = [],  # noqa: B006 - FastAPI copies it
        licence: Annotated[list[str], MANY] = [],  # noqa: B006
    ) -> Response:
        """The records of the index that are most like each image."""
        filters = models.SearchFilters(
            taxon=taxon, rank=rank, place=place, instruments=instrument, licences=licence
        )
        async with files_of(request, desk.workbench, desk.turns) as brought:
            work = desk.searcher.by_images(
                brought.specimens, searched=searched, k=k, filters=filters
            )
            hits = await while_there(request, work)
        told = refused_as_json(brought.refused)
        return await desk.listed("hits", lambda: hits, len(hits), refused=told)
