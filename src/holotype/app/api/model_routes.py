"""The routes that tell of the model and the server: taxa, health, metrics."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from holotype.app.api import models
from holotype.app.api.described import PROBLEMS_OF_READING
from holotype.app.api.desk import Desk
from holotype.app.api.guard import json_reply
from holotype.app.api.metrics import CONTENT_TYPE_LATEST
from holotype.app.api.taxa import matching
from holotype.identify import sidecar

WORDS = Query(max_length=models.LONGEST_NAME, description="letters of the name, in any case")
WITHIN = Query(max_length=models.LONGEST_NAME, description="a taxon that they are of")


def model_routes(routes: APIRouter, desk: Desk) -> None:
    """Adds the routes."""

    @routes.get(
        "/taxa",
        summary="What the model can answer with",
        responses={200: {"model": models.Taxa}, **PROBLEMS_OF_READING},
    )
    async def taxa(
        q: Annotated[str, WORDS] = "",
        rank: Annotated[str | None, Query(max_length=40)] = None,
        within: Annotated[str | None, WITHIN] = None,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """Taxa at and above the labels, each before those in it; then labels that are no taxa."""
        found = matching(desk.taxa, words=q, rank=rank, within=within)
        shown = found[offset : offset + limit]
        return json_reply({"total": len(found), "offset": offset, "taxa": shown})

    @routes.get(
        "/health",
        summary="Whether the server answers, and with what",
        responses={200: {"model": models.Health}, **PROBLEMS_OF_READING},
    )
    async def health() -> Response:
        """Asked without a token."""
        identifier = desk.identifier
        recipe = identifier.bundle.manifest.get("training", {}).get("recipe", {})
        channels = {
            channel.value: {"promised": one.holds, "max_error": one.max_error, "remark": one.remark}
            for channel, one in identifier.thresholds().items()
        }
        return desk.reply(
            ready=identifier.works,
            name=recipe.get("name"),
            reads=list(identifier.modalities),
            labels=len(identifier.labels),
            channels=channels,
            index=identifier.index is not None,
            queued=identifier.queued,
            versions=sidecar.versions(),
        )

    @routes.get(
        "/metrics",
        summary="What the server counts",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Requests, seconds, batches and specimens, as Prometheus reads them."""
        return Response(desk.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
