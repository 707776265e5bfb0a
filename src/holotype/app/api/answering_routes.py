"""The routes that read specimens: identify and embed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from holotype.app.api import models
from holotype.app.api.bringing import Brought, barcodes_of, files_of, pairs_of
from holotype.app.api.described import ANSWERED, FILES_FORM, PAIRS_FORM, PROBLEMS
from holotype.app.api.desk import LOOSEST, Desk
from holotype.app.api.forms import JSON_FORMAT, Format
from holotype.app.api.searching import embedded_texts
from holotype.app.identifying import MOST_NEAREST, Asking

LEAST_ERROR = 1e-4
"""Less could only be promised of some tens of thousands of records."""
ERROR = Query(
    ge=LEAST_ERROR,
    le=LOOSEST,
    description="share of answers that may be wrong; as the server was told by default",
)
NEAREST = Query(ge=0, le=MOST_NEAREST, description="reference records told with an answer")
FORMAT = Query(alias="format", description="of the reply; folders come as a zip")
MaxError = Annotated[float | None, ERROR]
NearestCount = Annotated[int | None, NEAREST]
InFormat = Annotated[Format, FORMAT]


def identify_routes(routes: APIRouter, desk: Desk) -> None:
    """Adds the routes that answer."""

    async def asked_for(
        max_error: MaxError = None, nearest: NearestCount = None, form: InFormat = JSON_FORMAT
    ) -> tuple[Asking, Format]:
        return await desk.asking(max_error, nearest), form

    Wanted = Annotated[tuple[Asking, Format], Depends(asked_for)]

    @routes.post(
        "/identify/images",
        summary="Identify images, and barcodes in files",
        responses=ANSWERED,
        openapi_extra=FILES_FORM,
    )
    async def identify_images(request: Request, asked: Wanted) -> Response:
        """Images, zips and tars of them, FASTA and tables of barcodes; one answer for each specimen."""
        asking, form = asked
        async with files_of(request, desk.workbench, desk.turns) as brought:
            rows = await desk.answered(request, brought.specimens, asking)
        return await desk.answers(rows, brought.refused, form.value)

    @routes.post("/identify/barcodes", summary="Identify barcodes", responses=ANSWERED)
    async def identify_barcodes(
        request: Request,
        barcodes: models.Barcodes,
        asked: Wanted,
    ) -> Response:
        """Nucleotides with IUPAC codes, on either strand; one answer for each."""
        asking, form = asked
        rows = await desk.answered(request, barcodes_of(barcodes.barcodes), asking)
        return await desk.answers(rows, [], form.value)

    @routes.post(
        "/identify/specimens",
        summary="Identify specimens by image and barcode together",
        responses=ANSWERED,
        openapi_extra=PAIRS_FORM,
    )
    async def identify_specimens(request: Request, asked: Wanted) -> Response:
        """The n-th image, barcode and id are of one specimen; ``conflict``: whether the two contradict."""
        asking, form = asked
        async with pairs_of(request, desk.workbench) as brought:
            rows = await desk.answered(request, brought.specimens, asking)
        return await desk.answers(rows, brought.refused, form.value)


def embed_routes(routes: APIRouter, desk: Desk) -> None:
    """Adds the routes that embed."""
    replies: dict[int | str, dict[str, Any]] = {200: {"model": models.Embeddings}, **PROBLEMS}

    @routes.post(
        "/embed/images",
        summary="Embed images, and barcodes in files",
        responses=replies,
        openapi_extra=FILES_FORM,
    )
    async def embed_images(request: Request) -> Response:
        """The unit embedding of each specimen, the mean of image and barcode where it has both."""
        async with files_of(request, desk.workbench, desk.turns) as brought:
            return await desk.embeddings(request, brought)

    @routes.post("/embed/barcodes", summary="Embed barcodes", responses=replies)
    async def embed_barcodes(request: Request, barcodes: models.Barcodes) -> Response:
        """The unit embedding of each barcode."""
        return await desk.embeddings(request, Brought(barcodes_of(barcodes.barcodes), []))

    @routes.post("/embed/texts", summary="Embed words", responses=replies)
    async def embed_texts(texts: models.Texts) -> Response:
        """The unit embedding of each text, by a model that reads captions."""
        z_TD = await embedded_texts(desk.identifier, texts.texts)
        found = [(z_D, None) for z_D in z_TD]
        return await desk.embedded(texts.texts, found, dim=z_TD.shape[1])
