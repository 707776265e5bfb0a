"""The review sessions of a workbench: open ones, the list of all, their pictures, files to download."""

import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from holotype.app.exploring.opened import CollectionNow
from holotype.app.pages.review_listed import Listed, SessionList
from holotype.app.pages.review_open import OpenReviews
from holotype.app.thumbnails import LEAST_SIDE_PX, MOST_SIDE_PX, USUAL_SIDE_PX, ThumbnailCache
from holotype.errors import HolotypeError
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.export import Form, export_review
from holotype.reviewing.page import review_page
from holotype.reviewing.review import Review
from holotype.reviewing.session import MANIFEST as SESSION
from holotype.reviewing.session import Session, session_name
from holotype.reviewing.settle import Settle

REVIEWS = "reviews"
FILES: dict[str, tuple[str, str]] = {
    "decisions.csv": ("text/csv; charset=utf-8", "Every record with every decision"),
    "ecotaxa_update.zip": ("application/zip", "Update for EcoTaxa: validated objects"),
    "review.html": ("text/html; charset=utf-8", "One page to send to a colleague"),
}
"""What may be downloaded of a session: its type, and what it is."""


class ReviewStore:
    """The sessions in a folder; safe between threads.

    Attributes:
        folder: that holds them.
        naming: held by who asks for answers to be made, so that two do not ask for the same ones.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.naming = Lock()
        self._lock = Lock()
        self._reviews = OpenReviews()
        self._list = SessionList(folder, self._reviews)
        self._pictures = ThumbnailCache()
        self._collections: dict[Path, CollectionNow] = {}

    def place(self, name: str) -> Path:
        """Returns the folder of a session.

        Raises:
            ReviewError: when there is none of that name.
        """
        try:
            is_name = session_name(name) == name
        except HolotypeError:
            is_name = False
        path = self.folder / name
        if not is_name or not (path / SESSION).is_file():
            raise ReviewError(f"no session '{name[:80]}' here.")
        return path

    def listed(self) -> list[Listed]:
        """Returns all sessions, the last used first."""
        return self._list.all()

    def session(self, name: str) -> Session:
        """Returns a session, read once for all visitors.

        Raises:
            ReviewError: when it cannot be opened.
        """
        return self._reviews.open(self.place(name)).session

    def review(self, name: str) -> Review:
        """Returns a session with what its log comes to now, shared by all visitors.

        Raises:
            ReviewError: when it cannot be opened.
        """
        review = self._reviews.open(self.place(name))
        review.refresh()
        return review

    def picture(self, name: str, record_id: str, side_px: int) -> tuple[bytes, str]:
        """Returns a picture made small, and its type.

        Raises:
            ReviewError, CollectionError: when there is no such session, record or picture.
        """
        session = self.session(name)
        if record_id not in session.row_of:
            raise ReviewError(f"no record '{record_id[:200]}' in this session.")
        found = self._pictures.get(self._now(session.collection).rows(), record_id, side_px)
        return found.content, found.media_type

    def _now(self, collection: Path) -> CollectionNow:
        """Returns a collection as it is on disk now: a write-back makes new files of it."""
        with self._lock:
            return self._collections.setdefault(collection, CollectionNow(collection))

    def written(self, name: str, form: str, settle: Settle) -> bytes:
        """Returns one of ``FILES`` of a session.

        Raises:
            ReviewError, SourceError, CollectionError: when it cannot be written.
        """
        path = self.place(name)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".export-") as scratch:
            out = Path(scratch) / form
            if form == "review.html":
                review_page(path, out=out, settle=settle)
            else:
                to = Form.CSV if form == "decisions.csv" else Form.ECOTAXA
                export_review(path, to=to, out=out, settle=settle)
            return out.read_bytes()


def picture_url(session: Session, record_id: str, *, side_px: int = USUAL_SIDE_PX) -> str:
    """Returns the address of a picture."""
    place = f"/review/{quote(session.name, safe='')}/pictures/{quote(record_id, safe='')}"
    return f"{place}?side={side_px}&v={session.id[:12]}"


def review_router(store: ReviewStore) -> APIRouter:
    """Returns the routes of pictures and downloads; 422 for what cannot be written."""
    router = APIRouter(include_in_schema=False)

    @router.get("/review/{name}/pictures/{record_id:path}")
    def picture(
        name: str,
        record_id: str,
        side: Annotated[int, Query(ge=LEAST_SIDE_PX, le=MOST_SIDE_PX)] = USUAL_SIDE_PX,
    ) -> Response:
        try:
            content, media_type = store.picture(name, record_id, side)
        except HolotypeError:
            return Response("there is no such picture\n", 404, media_type="text/plain")
        headers = {
            "Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff",
        }  # fmt: skip
        return Response(content, media_type=media_type, headers=headers)

    @router.get("/review/{name}/files/{form}")
    def file(name: str, form: str, settle: Settle = Settle.AGREED) -> Response:
        if form not in FILES:
            return Response("there is no such file\n", 404, media_type="text/plain")
        try:
            content = store.written(name, form, settle)
        except HolotypeError as reason:
            said = str(reason).replace(str(store.folder) + os.sep, "")
            return Response(f"{said}\n", 422, media_type="text/plain; charset=utf-8")
        told = f"attachment; filename*=UTF-8''{quote(name, safe='')}-{form}"
        headers = {"Content-Disposition": told, "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type=FILES[form][0], headers=headers)

    return router
