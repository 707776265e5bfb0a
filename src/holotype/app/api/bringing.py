"""The body of a request -> specimens, with a scratch folder that lasts until they are answered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import Request

from holotype.app.api.models import LONGEST_NAME, Sequenced
from holotype.app.upload_kinds import Kind, kind_of
from holotype.app.upload_limits import UploadLimits
from holotype.app.upload_names import Names, safe_name
from holotype.app.upload_scratch import finished
from holotype.app.upload_stream import Received, received
from holotype.app.uploads import Refused, Upload, scratch_folder, specimens_of
from holotype.app.workbench import Workbench
from holotype.errors import MediaError, SourceError
from holotype.identify.inputs import Specimen
from holotype.media.barcodes import clean_barcode

FILES, IMAGE, BARCODE, ID = "files", "image", "barcode", "id"
NO_IMAGE = "not an image. Send one image a specimen; archives go to /identify/images."
_QUICK = 64
"""So many small images are looked at where the request is; more of them, and archives, by a thread."""


@dataclass(frozen=True)
class Brought:
    """What a request brought: specimens in order, and what is refused."""

    specimens: list[Specimen]
    refused: list[Refused]


class _Scratch:
    """A scratch folder that is made when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self._root, self._stack = root, ExitStack()
        self._folder: Path | None = None

    def __call__(self) -> Path:
        if self._folder is None:
            self._folder = self._stack.enter_context(scratch_folder(self._root))
        return self._folder

    async def close(self) -> None:
        if self._folder is not None:
            await asyncio.shield(asyncio.to_thread(self._stack.close))


@asynccontextmanager
async def files_of(
    request: Request, workbench: Workbench, turns: asyncio.Semaphore
) -> AsyncIterator[Brought]:
    """Yields the specimens of a form with files.

    Args:
        request: its body is not read yet.
        workbench: its limits, and its folder.
        turns: taken by a request that unpacks, until it is answered: a few use the disk at a time.

    Raises:
        SourceError: when it is no form, or nothing in it can be read; the reasons are told.
    """
    async with _form(request, workbench) as (form, scratch), AsyncExitStack() as stack:
        limits = UploadLimits.of(workbench.settings)
        uploads = _of_field(form, {FILES})
        quick = len(uploads) <= _QUICK and all(
            one.content is not None and kind_of(one.name) is Kind.IMAGE for one in uploads
        )
        if quick:
            found, refused = specimens_of(uploads, limits, scratch)
        else:
            await stack.enter_async_context(turns)
            found, refused = await finished(partial(specimens_of, uploads, limits, scratch()))
        refused = [*form.refused, *refused]
        if not found:
            raise SourceError(_nothing(refused))
        yield Brought(found, refused)


@asynccontextmanager
async def pairs_of(request: Request, workbench: Workbench) -> AsyncIterator[Brought]:
    """Yields the specimens of a form with an image, a barcode, or both for each.

    Raises:
        SourceError: when it is no such form, or it does not say what belongs together.
    """
    async with _form(request, workbench) as (form, scratch):
        uploads = _of_field(form, {IMAGE})
        barcodes = [text for name, text in form.fields if name == BARCODE]
        ids = [text for name, text in form.fields if name == ID]
        strange = {name for name, _ in form.fields} - {BARCODE, ID}
        if strange:
            raise SourceError(f"field '{min(strange)[:40]}': send {IMAGE}, {BARCODE} and {ID}.")
        counts = {len(uploads), len(barcodes), len(ids)} - {0}
        if form.refused:
            first = form.refused[0]
            raise SourceError(f"{first.name}: {first.reason}")
        if not uploads and not any(barcodes):
            raise SourceError(f"neither {IMAGE} nor {BARCODE}. Send one of both at least.")
        if len(counts) > 1:
            raise SourceError(
                f"{len(uploads):,} images, {len(barcodes):,} barcodes and {len(ids):,} ids do not fit. Send "
                "as many of each as of the others, in one order, or none of a kind; a barcode may be blank."
            )
        limits, found, refused = UploadLimits.of(workbench.settings), [], []
        names = Names()
        for place in range(counts.pop()):
            upload = uploads[place] if uploads else None
            usual = names.new(safe_name(upload.name) if upload else f"specimen {place + 1}")
            name = (ids[place] if ids else "") or usual
            if len(name) > LONGEST_NAME:
                raise SourceError(
                    f"{ID} {place + 1:,} has {len(name):,} letters; at most {LONGEST_NAME:,} are taken."
                )
            one = _pair(name, upload, barcodes[place] if barcodes else "", limits, scratch)
            if isinstance(one, Refused):
                refused.append(one)
            else:
                found.append(one)
        if not found:
            raise SourceError(_nothing(refused))
        yield Brought(found, refused)


def barcodes_of(given: Sequence[Sequenced]) -> list[Specimen]:
    """Returns barcodes as specimens; one that is none has the reason as its failure."""
    return [
        _with_barcode(Specimen(one.id, context={"record_id": one.id}), one.sequence)
        for one in given
    ]


@asynccontextmanager
async def _form(request: Request, workbench: Workbench) -> AsyncIterator[tuple[Received, _Scratch]]:
    scratch = _Scratch(workbench.workspace / "uploads")
    try:
        limits = UploadLimits.of(workbench.settings)
        kind = request.headers.get("content-type")
        yield await received(request.stream(), kind, limits, scratch), scratch
    finally:
        await scratch.close()


def _of_field(form: Received, fields: set[str]) -> list[Upload]:
    strange = {name for name, _ in form.files} - fields
    if strange:
        raise SourceError(f"a file in field '{min(strange)[:40]}'. Send files as '{min(fields)}'.")
    return [upload for _, upload in form.files]


def _nothing(refused: Sequence[Refused]) -> str:
    if not refused:
        return f"no file in the request. Send files as '{FILES}' (curl -F {FILES}=@crop.png)."
    said = " ".join(f"{one.name}: {one.reason}" for one in refused[:5])
    more = f" And {len(refused) - 5:,} more." if len(refused) > 5 else ""
    return f"nothing that can be read: {said}{more}"


def _pair(
    name: str, upload: Upload | None, written: str, limits: UploadLimits, scratch: _Scratch
) -> Specimen | Refused:
    one = Specimen(name, context={"record_id": name})
    if upload is not None:
        found, refused = _one_image(upload, limits, scratch)
        if not found:
            why = refused[0].reason
            if not written.strip():
                return Refused(name, why)
            one = Specimen(name, failure=why, context=one.context)
        else:
            context = {**found[0].context, "record_id": name}
            one = Specimen(name, found[0].read_image, context=context, state=found[0].state)
    return _with_barcode(one, written)


def _one_image(
    upload: Upload, limits: UploadLimits, scratch: _Scratch
) -> tuple[list[Specimen], list[Refused]]:
    if upload.size and kind_of(safe_name(upload.name), upload.start()) is not Kind.IMAGE:
        return [], [Refused(upload.name, NO_IMAGE)]
    return specimens_of([upload], limits, scratch() if upload.path else scratch)


def _with_barcode(one: Specimen, written: str) -> Specimen:
    if not written.strip():
        return one
    try:
        barcode = clean_barcode(written).nucleotides
    except MediaError as reason:
        failure = one.failure or str(reason)
        return Specimen(one.input, one.read_image, None, failure, one.context, one.state)
    context = {**one.context, "barcode": barcode}
    return Specimen(one.input, one.read_image, barcode, one.failure, context, one.state)
