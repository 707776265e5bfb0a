"""What the description of the API says of forms with files and of errors: FastAPI cannot see these itself."""

from typing import Any

from holotype.app.api.forms import JSON_TYPE, MEDIA_TYPES
from holotype.app.api.guard import FORM_KIND
from holotype.app.api.models import EXAMPLE_BARCODE, Answers
from holotype.app.api.problems import ProblemReply

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_TOLD: dict[int, str] = {
    400: "not whole, or no JSON or form although it says so",
    401: "no token, or another one",
    403: "asked by a page of another site",
    404: "nothing at this address",
    405: "another method is needed",
    408: "the request came too slowly",
    413: "more than may be sent in one request",
    415: "another content type is needed",
    422: "a part of the request cannot be used",
    429: "too many requests a minute",
    499: "the client went away",
    503: "too much waits for the model",
    504: "took too long",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemReply, "description": said}
    for status, said in _TOLD.items()
    if status not in (403, 404, 405, 499)
}
PROBLEMS_OF_READING: dict[int | str, dict[str, Any]] = {
    status: PROBLEMS[status] for status in (401, 422, 429)
}
_BINARY = {"type": "string", "format": "binary"}
ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Answers,
        "description": "one answer for each specimen, in order; failures among them have a reason",
        "content": {kind: {"schema": _BINARY} for kind in MEDIA_TYPES if kind != JSON_TYPE},
    },
    **PROBLEMS,
}


def _form(fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required
    return {"requestBody": {"required": True, "content": {FORM_KIND: {"schema": schema}}}}


def _files(said: str) -> dict[str, Any]:
    return {"type": "array", "items": _BINARY, "minItems": 1, "description": said}


FILES_FORM = _form(
    {
        "files": _files(
            "images, zips and tars of images, FASTA (.fasta), tables of barcodes (.csv, .tsv)"
        )
    },
    ["files"],
)
SEARCH_FORM = _form({"files": _files("images, zips and tars of images")}, ["files"])
PAIRS_FORM = _form(
    {
        "image": {"type": "array", "items": _BINARY, "description": "one image for each specimen"},
        "barcode": {
            "type": "array",
            "items": {"type": "string", "examples": [EXAMPLE_BARCODE]},
            "description": "one barcode for each specimen, blank where it has none",
        },
        "id": {
            "type": "array",
            "items": {"type": "string", "maxLength": 200},
            "description": "what to call each specimen; the name of its image by default",
        },
    },
    [],
)
