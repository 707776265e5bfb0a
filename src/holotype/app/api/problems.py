"""Everything that can go wrong, as one form: what is wrong, where, and what to do."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from holotype.app.workbench import Workbench
from holotype.models.places import bundle_folder

_REMEDIES: dict[int, str] = {
    400: "Send the request again, whole and as the description of the API says.",
    401: "Send 'Authorization: Bearer TOKEN'.",
    404: "See /api/v1/openapi.json for what there is.",
    405: "Use a method that this address takes.",
    408: "Send the request faster, or in smaller parts.",
    413: "Send less in one request.",
    415: "Send the content type that the description of the API names.",
    422: "Mend what is named, and send it again.",
    429: "Wait, and send fewer requests a minute.",
    500: "This is a fault of the server, not of the request. Its log says more.",
    503: "Ask again in a while.",
    504: "Ask for less in one request.",
}
_WHAT: dict[int, str] = {404: "there is nothing at this address", 405: "another method is needed"}


class Problem(BaseModel):
    """What is wrong with a request."""

    what: str = Field(
        description="what is wrong", examples=["not an image, archive, FASTA or table"]
    )
    where: str = Field(description="which part of the request", examples=["files"])
    remedy: str = Field(
        description="what to do", examples=["End the name in .png, .zip or .fasta."]
    )


class ProblemReply(BaseModel):
    """The form of every error."""

    error: Problem


def told(
    status: int,
    what: str | None = None,
    *,
    where: str = "request",
    remedy: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Returns the reply that tells an error.

    Args:
        status: of HTTP.
        what: what is wrong; a sentence after it is taken for the remedy.
        where: the part of the request.
        remedy: what to do; the usual thing for this status by default.
        headers: of the reply.
    """
    said, advice = _parted(what or _WHAT.get(status, "the request cannot be answered"))
    problem = Problem(what=said, where=where, remedy=remedy or advice or _REMEDIES.get(status, ""))
    return JSONResponse({"error": problem.model_dump()}, status_code=status, headers=headers)


def _parted(message: str) -> tuple[str, str]:
    """Returns the first sentence of a message and what follows: our messages end in what to do."""
    found = re.match(r"(.+?[^.\s]{2})\.\s+([A-Z].*)", message, re.S)
    if found is None:
        return message.rstrip("."), ""
    return found[1], found[2]


def places_of(validation: Sequence[Any]) -> tuple[str, str]:
    """Returns the first fault that validation found, as where and what; how many more there are."""
    first = validation[0] if validation else {"loc": ("body",), "msg": "not valid"}
    where = ".".join(str(part) for part in first.get("loc", ())) or "request"
    more = f" (and {len(validation) - 1} more)" if len(validation) > 1 else ""
    return where[:200], f"{str(first.get('msg', 'not valid'))[:300]}{more}"


def hiding(workbench: Workbench) -> Callable[[str], str]:
    """Returns what takes the places of the server out of a message.

    A place as it was named when the server was started, ``run``, may also be a word of the message: it is
    taken out where it begins a path.
    """
    named: dict[Path, str] = {bundle_folder(workbench.run): "the model"}
    if workbench.index is not None:
        named[workbench.index] = "the index"
    if workbench.collection is not None:
        named[workbench.collection.path] = "the collection"
    named[workbench.workspace] = "the server"
    known = {str(place): name for place, name in named.items()}
    known |= {str(place.resolve()): name for place, name in named.items()}
    ordered = sorted(known, key=len, reverse=True)
    pattern = re.compile("|".join(f"({_begun(place)}{_REST})" for place in ordered))

    def hidden(message: str) -> str:
        def name_of(found: re.Match[str]) -> str:
            return known[ordered[(found.lastindex or 1) - 1]]

        return " ".join(pattern.sub(name_of, message).split())

    return hidden


_REST = r"(?:[^\s:'\",]*[^\s:'\",.])?"
"""What follows in a path; the dot that ends a sentence is none of it."""


def _begun(place: str) -> str:
    """Returns the pattern of a place where a path may begin."""
    written = re.escape(place)
    return rf"(?<![\w.-]){written}" if Path(place).is_absolute() else rf"(?<![\w./-]){written}/"
