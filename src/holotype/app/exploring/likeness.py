"""What the model says of likeness in the collection: the plane map, nearest records, records like words.

One for a server. The map is made in the background, a few records at a time between other requests, and kept.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from holotype.app.exploring import plane as planes
from holotype.app.exploring.opened import Explored
from holotype.app.exploring.plane import Plane
from holotype.app.exploring.records import column_of
from holotype.app.exploring.vectors import KnownVectors, Near
from holotype.app.identifying import BusyError
from holotype.errors import CollectionError

if TYPE_CHECKING:
    from holotype.app.workbench import Workbench
    from holotype.identify.inputs import Specimen

CAPTION = "caption"
_ENTIRE = ("image", "barcode")
_CONTENT = {"image": "image_sha256", "barcode": "haplotype"}
"""The column that is the same while what is embedded of a record is the same."""
_SLICE = 64
_WAIT_S = 3.0
MOST_WORDS = 300


@dataclass(frozen=True)
class Progress:
    """How far the map is: done of total records, and what is being done; or why it failed."""

    what: str = ""
    done: int = 0
    total: int = 0
    failure: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is being made."""
        return bool(self.what) and self.failure is None


class Likeness:
    """What the model of the workbench says of likeness."""

    def __init__(self, workbench: "Workbench") -> None:
        self._identifier = workbench.identifier
        self._workspace = workbench.workspace
        self._lock = Lock()
        self._planes: dict[str, Plane] = {}
        self._vectors: tuple[str, KnownVectors | None] | None = None
        self._starting = Lock()
        self.progress = Progress()

    @property
    def modality(self) -> str:
        """What is compared: images where the model reads them, else barcodes."""
        reads = self._identifier.modalities
        return next((one for one in _ENTIRE if one in reads), "")

    @property
    def reads_words(self) -> bool:
        """Whether records can be found by words."""
        return CAPTION in self._identifier.modalities

    def plane(self, explored: Explored) -> Plane | None:
        """Returns the map of the collection, None where it is still to be made; reads a file."""
        key = explored.collection.fingerprint
        path = self._path(explored)
        with self._lock:
            if key not in self._planes:
                found = planes.kept(path, explored.rows)
                if found is None:
                    return None
                self._planes = {key: found}
            return self._planes[key]

    def may_be_mapped(self, explored: Explored) -> int:
        """Returns how many records can be on the map."""
        return int(self._there(explored).sum())

    async def make(self, explored: Explored) -> None:
        """Makes the map; at most one at a time, others return at once. Failures are in ``progress``."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            await self._make(explored)
            self.progress = Progress()
        except (CollectionError, BusyError, ValueError) as reason:
            self.progress = Progress(failure=str(reason))
        finally:
            if self.progress.is_running:
                self.progress = Progress(failure="it broke off; the log of the server says why.")
            self._starting.release()

    async def _make(self, explored: Explored) -> None:
        there = self._there(explored)
        rows = await asyncio.to_thread(planes.chosen_rows, explored.facts, there)
        if len(rows) < planes.LEAST_RECORDS:
            raise CollectionError(
                f"{len(rows)} records have an {self.modality}; a map needs {planes.LEAST_RECORDS}."
            )
        self.progress = Progress("embed", 0, len(rows))
        found: dict[int, NDArray[np.float32]] = {}
        known = await asyncio.to_thread(self._known, explored)
        if known is not None:
            at, z_VD = await asyncio.to_thread(known.vectors_of, rows)
            found = dict(zip(at.tolist(), z_VD, strict=True))
        left = [row for row in rows.tolist() if row not in found]
        for start in range(0, len(left), _SLICE):
            self.progress = Progress("embed", len(found), len(rows))
            part = left[start : start + _SLICE]
            for row, z_D in zip(part, await self._embedded(explored, part), strict=True):
                if z_D is not None:
                    found[row] = z_D
        if len(found) < planes.LEAST_RECORDS:
            raise CollectionError(f"only {len(found)} of {len(rows)} records could be embedded.")
        self.progress = Progress("lay out", len(found), len(rows))
        ordered = sorted(found)
        made = await asyncio.to_thread(
            partial(
                planes.made, ordered, np.stack([found[row] for row in ordered]),
                modality=self.modality, among=int(there.sum()), failed=len(rows) - len(found),
            )
        )  # fmt: skip
        path = self._path(explored)
        await asyncio.to_thread(planes.keep, made, path, explored.rows)
        with self._lock:
            self._planes = {explored.collection.fingerprint: made}

    async def _embedded(
        self, explored: Explored, rows: list[int]
    ) -> list[NDArray[np.float32] | None]:
        specimens = await asyncio.to_thread(self._specimens, explored, rows)
        while True:
            try:
                return await self._identifier.embed(specimens)
            except BusyError:
                await asyncio.sleep(_WAIT_S)

    def _specimens(self, explored: Explored, rows: list[int]) -> "list[Specimen]":
        """Returns what is embedded of some records: their images or their barcodes alone."""
        from holotype.identify.inputs import Specimen

        if self.modality == "barcode":
            barcodes = column_of(explored.collection, np.asarray(rows), "barcode")
            return [
                Specimen(str(row), barcode=letters)
                for row, letters in zip(rows, barcodes, strict=True)
            ]
        return [Specimen(str(row), read_image=partial(_image, explored, row)) for row in rows]

    async def near_record(self, explored: Explored, row: int, *, k: int) -> list[Near] | None:
        """Returns the records nearest to one, best first, of the index or the map; None without both."""
        known = await asyncio.to_thread(self.vectors, explored)
        if known is None:
            return None
        if not self._there(explored)[row]:
            return []
        z_D = await asyncio.to_thread(known.of_record, row)
        if z_D is None:
            z_D = (await self._embedded(explored, [row]))[0]
        if z_D is None:
            return []
        return await asyncio.to_thread(partial(known.nearest, z_D, k=k, but=row))

    async def like_words(
        self, explored: Explored, words: str, inside: NDArray[np.bool_], *, k: int = MOST_WORDS
    ) -> list[Near]:
        """Returns the records that are most like words, best first.

        Raises:
            CollectionError: when the model reads no words, or no record has an embedding yet.
        """
        from holotype.models.encode import encode_captions

        known = await asyncio.to_thread(self.vectors, explored)
        if not self.reads_words:
            raise CollectionError("This model reads no words.")
        if known is None:
            raise CollectionError("No record has an embedding yet. Make the map of likeness first.")
        model = self._identifier.bundle.model
        z_UD = await self._identifier.apart(lambda: encode_captions(model, [words]))
        return await asyncio.to_thread(partial(known.nearest, z_UD[0], k=k, inside=inside))

    def vectors(self, explored: Explored) -> KnownVectors | None:
        """Returns the vectors that can be searched: those of the references, or of the map; reads files."""
        known, plane = self._known(explored), self.plane(explored)
        if plane is None or (known is not None and len(known) >= len(plane)):
            return known
        model = self._identifier.bundle.fingerprint
        return KnownVectors.of_rows(plane.row_P, plane.z_PD, modality=plane.modality, model=model)

    def _known(self, explored: Explored) -> KnownVectors | None:
        fingerprint = explored.collection.fingerprint
        with self._lock:
            if self._vectors is None or self._vectors[0] != fingerprint:
                index = self._identifier.references
                fitting = index is not None and index.model == self._identifier.bundle.fingerprint
                found = None
                if index is not None and fitting:
                    found = KnownVectors.of_index(index, self.modality, explored.rows)
                self._vectors = (fingerprint, found)
            return self._vectors[1]

    def _there(self, explored: Explored) -> NDArray[np.bool_]:
        facts = explored.facts
        by = {"image": facts.image_N, "barcode": facts.barcode_N}
        return by.get(self.modality, np.zeros(len(facts), dtype=np.bool_))

    def _path(self, explored: Explored) -> Path:
        """Returns where the map is kept: by the ids and their images or barcodes, whatever they are named."""
        model = self._identifier.bundle.fingerprint
        content = explored.rows.content_key(_CONTENT.get(self.modality, "content_hash"))
        return planes.plane_path(self._workspace, content, model, self.modality)


def _image(explored: Explored, row: int) -> bytes:
    content = explored.rows.image(row)
    if content is None:
        raise CollectionError(f"record {row} has no image")
    return content
