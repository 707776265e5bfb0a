"""All routes of the API, and what answers where there is none."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from holotype.app.api.answering_routes import embed_routes, identify_routes
from holotype.app.api.described import METHODS
from holotype.app.api.desk import Desk
from holotype.app.api.guard import Guard, guarded
from holotype.app.api.model_routes import model_routes
from holotype.app.api.search_routes import search_routes
from holotype.app.workbench import Workbench

PREFIX = "/api/v1"


def router(workbench: Workbench) -> APIRouter:
    """Returns the routes under ``/api/v1``."""
    desk = Desk(workbench)
    kind = guarded(Guard(workbench, desk.metrics))
    routes = APIRouter(prefix=PREFIX, tags=["Holotype"], route_class=kind)
    identify_routes(routes, desk)
    embed_routes(routes, desk)
    search_routes(routes, desk)
    model_routes(routes, desk)
    known = list(routes.routes)

    @routes.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
    async def nothing(request: Request) -> Response:
        taken = {
            method
            for route in known
            if route.matches(request.scope)[0] is not Match.NONE
            for method in getattr(route, "methods", ()) or ()
        }
        if taken:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(taken))})
        raise HTTPException(404, "there is nothing at this address")

    return routes
