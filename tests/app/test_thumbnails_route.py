"""Thumbnails: found by id wherever they lie, made small, bounded, and served so that browsers keep them."""

import io
import shutil
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from explore_collection import collection_of
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from holotype.app.exploring.record_rows import RecordRows
from holotype.app.thumbnails import (
    ThumbnailCache,
    thumbnail,
    thumbnail_of,
    thumbnail_router,
    thumbnail_url,
)
from holotype.errors import CollectionError


def encoded(pixels: np.ndarray, kind: str = "PNG", **how: object) -> bytes:
    handle = io.BytesIO()
    Image.fromarray(pixels).save(handle, kind, **how)
    return handle.getvalue()


def even(number: int) -> bytes:
    return encoded(np.full((40, 80), number % 256, np.uint8))


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """700 records in three shards of several row groups, ids in no order; the grey level is in the id."""
    order = np.random.default_rng(0).permutation(700)
    rows = [
        {
            "record_id": f"made/é {number}",
            "source": "made",
            "source_item": str(number),
            "image": (even(number), "a.png"),
        }
        for number in order.tolist()
    ]
    rows[5]["image"] = None
    rows[6]["image"] = (b"GIF89a no more", "b.gif")
    rows[7]["record_id"] = 'odd "id"/<b>?#&'
    return collection_of(tmp_path_factory.mktemp("thumbnails") / "c", rows, shards=3)


def test_every_record_gets_its_own_image(collection):
    ids = collection.columns(["record_id"])["record_id"].to_pylist()
    for row in (0, 1, 233, 234, 255, 256, 466, 467, 468, 699):
        grey = int(ids[row].rpartition(" ")[2]) % 256
        assert abs(int(pixels_of(thumbnail(collection, ids[row], side_px=64)).mean()) - grey) <= 1


def test_groups_too_large_to_keep_give_the_same(collection):
    ids = collection.columns(["record_id"])["record_id"].to_pylist()
    tight, usual = RecordRows(collection, kept_bytes=1), RecordRows(collection)
    for row in (0, 100, 233, 256, 699):
        assert tight.image(row) == usual.image(row)
        assert tight.row(ids[row]) == row


def test_ids_that_are_not_there(collection):
    rows = RecordRows(collection)
    assert rows.rows(["", "made/é", "made/é 0a", "zzz", "made/é 3"])[:4] == [None] * 4
    with pytest.raises(CollectionError, match="no record 'zzz'"):
        thumbnail(collection, "zzz", side_px=32)


def test_no_image_and_damaged_image_are_two_things(collection):
    ids = collection.columns(["record_id"])["record_id"].to_pylist()
    with pytest.raises(CollectionError, match="has no image"):
        thumbnail(collection, ids[5], side_px=32)
    shown = thumbnail_of(b"GIF89a no more", side_px=160)
    assert shown.failure
    assert pixels_of(thumbnail(collection, ids[6], side_px=160)).shape == (160, 160)


@pytest.mark.parametrize(("height", "width", "side"), [(40, 80, 20), (300, 100, 64), (9, 7, 64)])
def test_the_longer_side_is_at_most_what_is_asked_and_the_shape_is_kept(height, width, side):
    small = pixels_of(
        thumbnail_of(encoded(np.zeros((height, width), np.uint8)), side_px=side).content
    )
    assert max(small.shape[:2]) == min(side, max(height, width))
    assert abs(small.shape[0] / small.shape[1] - height / width) < 0.1 * height / width


def test_alpha_is_laid_on_white_and_16_bit_is_scaled():
    clear = np.zeros((30, 30, 4), np.uint8)
    assert pixels_of(thumbnail_of(encoded(clear), side_px=30).content).min() == 255
    deep = np.full((30, 30), 4095 // 2, np.uint16)
    grey = pixels_of(thumbnail_of(encoded(deep), side_px=30).content)
    assert 126 <= int(grey.mean()) <= 128


def test_large_photographs_are_decoded_small_and_upright():
    picture = np.zeros((600, 1200, 3), np.uint8)
    picture[:, :600] = 255
    turned = Image.fromarray(picture)
    exif = turned.getexif()
    exif[0x0112] = 6
    handle = io.BytesIO()
    turned.save(handle, "JPEG", exif=exif)
    small = pixels_of(thumbnail_of(handle.getvalue(), side_px=100).content)
    assert small.shape == (100, 50, 3)
    assert small[:40].mean() > 245
    assert small[60:].mean() < 10


def test_a_bomb_is_not_decoded():
    header = encoded(np.zeros((8, 8), np.uint8))
    bomb = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:]
    shown = thumbnail_of(bomb, side_px=160)
    assert shown.failure
    assert len(shown.content) < 20_000


def test_the_cache_keeps_to_its_bytes_and_threads_agree(collection):
    ids = collection.columns(["record_id"])["record_id"].to_pylist()
    cache = ThumbnailCache(most_bytes=6_000)
    rows = RecordRows(collection)
    wrong: list[str] = []

    def ask(start: int) -> None:
        for row in range(start, 700, 13):
            if row in (5, 6, 7):
                continue
            got = pixels_of(cache.get(rows, ids[row], 64).content)
            if abs(int(got.mean()) - int(ids[row].rpartition(" ")[2]) % 256) > 1:
                wrong.append(ids[row])

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert 0 < cache.held_bytes <= 6_000


def asked(folder) -> TestClient:
    app = FastAPI()
    app.include_router(thumbnail_router(SimpleNamespace(collection_folder=folder)))
    return TestClient(app)


def test_the_route(collection):
    ids = collection.columns(["record_id"])["record_id"].to_pylist()
    with asked(collection.path) as client:
        url = thumbnail_url(collection, ids[7], side_px=32)
        first = client.get(url)
        assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
        assert "immutable" in first.headers["cache-control"]
        again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = client.get("/thumbnails/made/%C3%A9%202")
        assert (plain.status_code, plain.headers["cache-control"]) == (200, "private, no-cache")
        assert client.get("/thumbnails/absent").status_code == 404
        assert client.get(thumbnail_url(collection, ids[5])).status_code == 404
        assert client.get("/thumbnails/x?side=100000").status_code == 422


def test_the_route_without_a_collection():
    with asked(None) as client:
        assert client.get("/thumbnails/x").status_code == 404


def test_a_collection_that_was_written_to_is_served_as_it_is_now(tmp_path):
    row = {"record_id": "a", "source": "made", "source_item": "a", "image": (even(10), "a.png")}
    before = collection_of(tmp_path / "c", [row])
    with asked(tmp_path / "c") as client:
        first = client.get(thumbnail_url(before, "a"))
        collection_of(tmp_path / "new", [{**row, "image": (even(200), "a.png")}])
        shutil.rmtree(tmp_path / "c")
        (tmp_path / "new").rename(tmp_path / "c")
        second = client.get("/thumbnails/a", headers={"If-None-Match": first.headers["etag"]})
    assert abs(int(pixels_of(first.content).mean()) - 10) <= 1
    assert abs(int(pixels_of(second.content).mean()) - 200) <= 1
