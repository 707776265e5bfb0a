"""The answers of the page Identify, fetched in every format."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from holotype.app.identifications import ANSWERS, TABLES, exported, open_identification, page_of
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError
from holotype.exchange.answers.forms import FORMS

DOWNLOADS = "/identified"


def download_router(workbench: Workbench) -> APIRouter:
    """Returns the routes that answers are fetched from."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"{DOWNLOADS}/{{key}}/{{form}}")
    def fetch(key: str, form: str) -> Response:
        done = open_identification(workbench.workspace, key)
        if done is None:
            return HTMLResponse("These answers are no longer kept.", status_code=404)
        try:
            if form == "page.html":
                return HTMLResponse(page_of(workbench, done))
            if form not in TABLES and form not in FORMS:
                return HTMLResponse("There is no such format.", status_code=404)
            name, content = exported(workbench, done, form)
        except HolotypeError as reason:
            said = str(reason).replace(str(done.folder), "").replace(ANSWERS, "the answers")
            return Response(said, status_code=422, media_type="text/plain; charset=utf-8")
        told = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type="application/octet-stream", headers=told)

    return routes
