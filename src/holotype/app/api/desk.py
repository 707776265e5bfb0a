"""What the routes share: the model, what it is asked, and how replies go out."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from fastapi import Request, Response
from numpy.typing import NDArray

from holotype.app.api.bringing import Brought
from holotype.app.api.forms import JSON_FORMAT, as_file, json_rows
from holotype.app.api.guard import json_reply, while_there
from holotype.app.api.metrics import Metrics
from holotype.app.api.searching import Searcher
from holotype.app.api.taxa import TaxonEntry, taxa_of
from holotype.app.identifying import Asking
from holotype.app.uploads import Refused
from holotype.app.workbench import Workbench
from holotype.errors import SourceError
from holotype.identify.inputs import Specimen

UNPACKING = 4
"""Requests with archives and texts that are read at a time."""
LOOSEST = 0.9999
"""A model that cannot promise this error can promise none."""
NO_PROMISE = (
    "It can promise none: leave max_error out and judge by the scores, or serve a model that was calibrated "
    "(holotype calibrate)."
)
SHORT = 64
"""Longer lists are written by a thread, so that other requests do not wait for them."""


class Desk:
    """One server's model, metrics and index."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench, self.identifier = workbench, workbench.identifier
        self.metrics = Metrics(workbench.identifier)
        self.searcher = Searcher(workbench.identifier)
        self.turns = asyncio.Semaphore(UNPACKING)
        self.model = workbench.identifier.bundle.fingerprint

    @cached_property
    def taxa(self) -> list[TaxonEntry]:
        """What the model can answer with."""
        return taxa_of(self.identifier.labels)

    async def asking(self, max_error: float | None, nearest: int | None) -> Asking:
        """Returns the settings of a request; an error that nothing can promise is told."""
        asking = Asking(max_error, nearest)
        if max_error is not None:
            found = await asyncio.to_thread(self.identifier.thresholds, asking)
            if not any(one.holds for one in found.values()):
                why = next(str(one.reason) for one in found.values()).rstrip(".")
                loosest = Asking(LOOSEST, nearest)
                most = await asyncio.to_thread(self.identifier.thresholds, loosest)
                remedy = "Allow more." if any(one.holds for one in most.values()) else NO_PROMISE
                raise SourceError(
                    f"max_error {max_error:g} cannot be promised by this model ({why}). {remedy}"
                )
        return asking

    async def answered(
        self, request: Request, specimens: Sequence[Specimen], asking: Asking
    ) -> list[dict[str, Any]]:
        """Returns the rows of specimens; they are given up when the client goes away."""
        return await while_there(request, self.identifier.identify(specimens, asking))

    async def answers(
        self, rows: list[dict[str, Any]], refused: Sequence[Refused], form: str
    ) -> Response:
        """Returns rows, and what was refused, in a format."""
        self.metrics.specimens_done(Counter(row["decision"] for row in rows), len(refused))
        if form == JSON_FORMAT.value:
            make = partial(json_rows, rows)
            return await self.listed("answers", make, len(rows), refused=refused_as_json(refused))
        root = self.workbench.workspace / "uploads"
        return await asyncio.to_thread(as_file, rows, form, refused, root)

    def reply(self, **content: object) -> Response:
        """Returns a reply with the fingerprint of the model."""
        return json_reply({"model": self.model, **content})

    async def listed(
        self, name: str, make: Callable[[], Iterable[object]], count: int, **content: object
    ) -> Response:
        """Returns a reply with a list; a long one is made and written by a thread.

        Args:
            name: of the list.
            make: returns it, or yields its entries.
            count: about how long it is.
            content: what else is in the reply.
        """

        def written() -> Response:
            return self.reply(**{name: make()}, **content)

        return written() if count <= SHORT else await asyncio.to_thread(written)

    async def embeddings(self, request: Request, brought: Brought) -> Response:
        """Returns the embeddings of specimens."""
        found = await while_there(request, self.identifier.embedded(brought.specimens))
        names = [one.input for one in brought.specimens]
        dim = self.identifier.bundle.model.embedding_dim
        return await self.embedded(names, found, dim=dim, refused=brought.refused)

    async def embedded(
        self,
        names: Sequence[str],
        found: Sequence[tuple[NDArray[np.float32] | None, str | None]],
        *,
        dim: int,
        refused: Sequence[Refused] = (),
    ) -> Response:
        """Returns a reply with embeddings, or why there is none, of what has these names."""

        def entries() -> Iterator[dict[str, Any]]:
            for name, (z_D, why) in zip(names, found, strict=True):
                vector = None if z_D is None else rounded(z_D)
                yield {"input": name, "embedding": vector, "failure": why}

        told = refused_as_json(refused)
        return await self.listed("embeddings", entries, len(names), dim=dim, refused=told)


def rounded(z_D: NDArray[np.float32]) -> list[float]:
    """Returns a vector as plain numbers, to seven places."""
    plain: list[float] = np.round(z_D.astype(float), 7).tolist()
    return plain


def refused_as_json(refused: Sequence[Refused]) -> list[dict[str, str]]:
    """Returns what was refused as plain values."""
    return [{"name": one.name, "reason": one.reason} for one in refused]
