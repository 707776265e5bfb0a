"""The images of a collection, made small: as bytes, and as the route ``/thumbnails/{record_id}``.

Large JPEGs are decoded at a fraction of their size, other huge images not at all. What cannot be decoded
is shown as a grey square that says why.
"""

import hashlib
import io
import textwrap
from collections import OrderedDict
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import cv2
import numpy as np
from fastapi import APIRouter, Header, Query, Response

from holotype.app.exploring.opened import CollectionNow
from holotype.app.exploring.record_rows import RecordRows, record_rows
from holotype.collection.store import Collection
from holotype.errors import CollectionError, MediaError
from holotype.media.images import read_pixels
from holotype.media.pixels import Pixels

if TYPE_CHECKING:
    from holotype.app.workbench import Workbench

LEAST_SIDE_PX, MOST_SIDE_PX, USUAL_SIDE_PX = 16, 1_600, 160
DECODED_PIXELS = 50_000_000
"""A larger image that is no JPEG has no thumbnail: it would take too much memory for a page."""
CACHE_BYTES = 64 << 20
AT_ONCE = 4
"""So many images are decoded at the same time."""
_PNG_UP_TO_PX = 48
_JPEG_QUALITY = 85
_LINE, _LINES = 22, 5


@dataclass(frozen=True)
class Thumbnail:
    """A small image.

    Attributes:
        content: encoded.
        media_type: ``image/jpeg`` or ``image/png``.
        failure: why the image could not be decoded, where ``content`` is a grey square.
    """

    content: bytes
    media_type: str
    failure: str | None = None


def thumbnail(collection: Collection, record_id: str, *, side_px: int) -> bytes:
    """Returns the image of a record as JPEG (PNG where it is tiny), its longer side at most so long.

    An image that cannot be decoded gives a grey square that says why.

    Raises:
        CollectionError: when there is no such record, or it has no image.
    """
    return made(record_rows(collection), record_id, side_px=side_px).content


def made(rows: RecordRows, record_id: str, *, side_px: int) -> Thumbnail:
    """Returns the thumbnail of a record.

    Raises:
        CollectionError: as ``thumbnail``.
    """
    row = rows.row(record_id)
    if row is None:
        raise CollectionError(f"{rows.collection.name}: no record '{record_id}'.")
    content = rows.image(row)
    if content is None:
        raise CollectionError(f"{rows.collection.name}: record '{record_id}' has no image.")
    return thumbnail_of(content, side_px=side_px)


def thumbnail_of(content: bytes, *, side_px: int) -> Thumbnail:
    """Returns an encoded image made small, or a grey square; never larger than it is."""
    try:
        pixels_HWC = _shrunk(_decoded(content, side_px=side_px), side_px=side_px)
    except MediaError as reason:
        return grey_square(str(reason), side_px=side_px)
    return _encoded(pixels_HWC)


def grey_square(reason: str, *, side_px: int) -> Thumbnail:
    """Returns a grey square that says why there is no image."""
    from PIL import Image, ImageDraw, ImageFont

    side = max(LEAST_SIDE_PX, min(side_px, 320))
    square = Image.new("L", (side, side), 208)
    pen = ImageDraw.Draw(square)
    pen.rectangle((0, 0, side - 1, side - 1), outline=96)
    if side >= 96:
        lines = textwrap.wrap(f"not readable: {reason}", _LINE)[:_LINES]
        font = ImageFont.load_default(side / 14)
        text = "\n".join(line.encode("latin-1", "replace").decode("latin-1") for line in lines)
        pen.multiline_text((side / 12, side / 6), text, fill=32, font=font)
    else:
        pen.line((0, 0, side, side), fill=96)
        pen.line((0, side, side, 0), fill=96)
    encoded = io.BytesIO()
    square.save(encoded, "PNG")
    return Thumbnail(encoded.getvalue(), "image/png", reason)


def _decoded(content: bytes, *, side_px: int) -> Pixels:
    """Returns pixels that are not much larger than needed.

    Raises:
        MediaError: for what cannot be read, or is too large to decode for a page.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            if image.format == "JPEG" and min(width, height) >= 2 * side_px:
                image.draft(image.mode, (side_px, side_px))
                upright = ImageOps.exif_transpose(image)
                colours = "L" if upright.mode == "L" else "RGB"
                pixels = np.asarray(upright.convert(colours))
                return np.ascontiguousarray(pixels[..., None] if pixels.ndim == 2 else pixels)
    except UnidentifiedImageError:
        width = height = 0  # the reader below says what it is
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as reason:
        raise MediaError(" ".join(str(reason).split())) from reason
    if width * height > DECODED_PIXELS:
        raise MediaError(f"{width} x {height} px is too large to show here")
    return read_pixels(content)


def _shrunk(pixels_HWC: Pixels, *, side_px: int) -> Pixels:
    height, width = pixels_HWC.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return pixels_HWC
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(pixels_HWC, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small[..., None] if small.ndim == 2 else small


def _encoded(pixels_HWC: Pixels) -> Thumbnail:
    coloured = pixels_HWC.shape[2] == 3
    shown = np.ascontiguousarray(pixels_HWC[:, :, ::-1]) if coloured else pixels_HWC
    if max(shown.shape[:2]) <= _PNG_UP_TO_PX:
        _, encoded = cv2.imencode(".png", shown)
        return Thumbnail(encoded.tobytes(), "image/png")
    _, encoded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return Thumbnail(encoded.tobytes(), "image/jpeg")


class ThumbnailCache:
    """The thumbnails that were asked for last, bounded by their bytes; safe between threads."""

    def __init__(self, *, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._kept: OrderedDict[tuple[str, str, int], Thumbnail] = OrderedDict()
        self._lock = Lock()
        self._decoding = BoundedSemaphore(AT_ONCE)

    @property
    def held_bytes(self) -> int:
        """Bytes of all thumbnails that are kept."""
        return self._held_bytes

    def get(self, rows: RecordRows, record_id: str, side_px: int) -> Thumbnail:
        """Returns a thumbnail, made where it is not kept.

        Raises:
            CollectionError: as ``thumbnail``.
        """
        key = (rows.collection.fingerprint, record_id, side_px)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        with self._decoding:
            found = made(rows, record_id, side_px=side_px)
        with self._lock:
            if key not in self._kept and len(found.content) <= self._most_bytes:
                self._kept[key] = found
                self._held_bytes += len(found.content)
            while self._held_bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._held_bytes -= len(dropped.content)
        return found


def thumbnail_url(collection: Collection, record_id: str, *, side_px: int = USUAL_SIDE_PX) -> str:
    """Returns the address of a thumbnail; it changes with the collection, so it can be kept for long."""
    return f"/thumbnails/{quote(record_id, safe='')}?side={side_px}&v={collection.fingerprint}"


def thumbnail_router(workbench: "Workbench") -> APIRouter:
    """Returns the route of the thumbnails of the workbench's collection, as it is at the time.

    404 where there is no collection, no such record, or no image; 304 where the browser has it.
    """
    router = APIRouter()
    folder = workbench.collection_folder
    now = None if folder is None else CollectionNow(folder)
    cache = ThumbnailCache()

    @router.get("/thumbnails/{record_id:path}", include_in_schema=False)
    def thumbnail_route(
        record_id: str,
        side: Annotated[int, Query(ge=LEAST_SIDE_PX, le=MOST_SIDE_PX)] = USUAL_SIDE_PX,
        v: str = "",
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        if now is None:
            return Response("no collection is open\n", 404, media_type="text/plain")
        try:
            rows = now.rows()
            fingerprint = rows.collection.fingerprint
            tag = hashlib.sha256(f"{fingerprint}|{side}|{record_id}".encode()).hexdigest()[:24]
            lasting = "max-age=31536000, immutable" if v == fingerprint else "no-cache"
            headers = {"ETag": f'"{tag}"', "Cache-Control": f"private, {lasting}"}
            headers["X-Content-Type-Options"] = "nosniff"
            if if_none_match is not None and tag in if_none_match:
                return Response(status_code=304, headers=headers)
            found = cache.get(rows, record_id, side)
        except CollectionError as reason:
            return Response(f"{reason}\n", 404, media_type="text/plain")
        return Response(found.content, media_type=found.media_type, headers=headers)

    return router
