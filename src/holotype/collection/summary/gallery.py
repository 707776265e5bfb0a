"""Some pictures of the commonest and of the rarest classes: chosen by seed, read alone, made small."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.quality.pictures import pictures
from holotype.collection.store import Collection
from holotype.collection.summary.keys import CLASS_COLUMNS, class_of
from holotype.collection.summary.tally import batches
from holotype.media.pixels import Pixels
from holotype.randomness import generator

COMMONEST = RAREST = 18
OF_EACH = 6
SIDE_PX = 104
SEED = 0
_JPEG_QUALITY = 82

ClassKey = tuple[str | None, str]


@dataclass(frozen=True)
class Pictured:
    """A record that is shown: its row in the collection, its id and its instrument."""

    row: int
    record_id: str
    instrument: str | None


def shown_classes(rows: Sequence[Mapping[str, Any]]) -> dict[ClassKey, str]:
    """Returns the classes to show, each with why (``commonest`` or ``rarest``), from classes by size."""
    with_images = [row for row in rows if row["images"]]
    with_images.sort(key=lambda row: -row["images"])
    common = with_images[:COMMONEST]
    rare = with_images[COMMONEST:][-RAREST:]
    chosen = {(row["rank"], row["label"]): "commonest" for row in common}
    return chosen | {(row["rank"], row["label"]): "rarest" for row in reversed(rare)}


def chosen_records(
    collection: Collection, wanted: Mapping[ClassKey, str]
) -> dict[ClassKey, list[Pictured]]:
    """Returns some records of each class that have an image, chosen by seed, the instruments in turn."""
    if not wanted:
        return {}
    drawn: dict[ClassKey, dict[str | None, list[tuple[float, Pictured]]]] = {}
    rng = generator(SEED, "summary", "gallery")
    first = 0
    columns = ("record_id", "instrument", "image_sha256", *CLASS_COLUMNS)
    names = {name for _, name in wanted}
    for table in batches(collection, columns):
        chance_N = rng.random(table.num_rows)
        rank, name = class_of(table)
        has = pc.and_(
            pc.is_valid(table["image_sha256"]),
            pc.fill_null(_among(name, sorted(names)), fill_value=False),
        )
        rows = np.flatnonzero(has.to_numpy())
        taken = (column.take(rows).to_pylist() for column in (rank, name))
        held = (table[column].take(rows).to_pylist() for column in ("record_id", "instrument"))
        for row, one_rank, one_name, record_id, instrument in zip(
            rows.tolist(), *taken, *held, strict=True
        ):
            if (one_rank, one_name) in wanted:
                pool = drawn.setdefault((one_rank, one_name), {}).setdefault(instrument, [])
                pool.append((chance_N[row], Pictured(first + row, record_id, instrument)))
                if len(pool) > 16 * OF_EACH:
                    pool[:] = sorted(pool, key=lambda pair: pair[0])[:OF_EACH]
        first += table.num_rows
    return {key: _in_turn(drawn[key]) for key in wanted if key in drawn}


def _among(name: Any, names: Sequence[str]) -> Any:
    return pc.is_in(name, value_set=pa.array(names, pa.string()))


def _in_turn(pools: Mapping[str | None, Sequence[tuple[float, Pictured]]]) -> list[Pictured]:
    """Returns the first of each instrument, then the second of each, and so on."""
    ordered = [
        [one for _, one in sorted(pools[name], key=lambda pair: pair[0])]
        for name in sorted(pools, key=str)
    ]
    turns = [pool[at] for at in range(OF_EACH) for pool in ordered if at < len(pool)]
    return turns[:OF_EACH]


def thumbnails(
    collection: Collection, chosen: Mapping[ClassKey, Sequence[Pictured]]
) -> dict[int, str]:
    """Returns for each row shown its image, made small, as a ``data:`` address."""
    rows = [one.row for members in chosen.values() for one in members]
    return {row: thumbnail(pixels) for row, pixels in pictures(collection, rows)} if rows else {}


def thumbnail(pixels_HWC: Pixels) -> str:
    """Returns an image as a small JPEG (PNG where it is tiny) in a ``data:`` address."""
    height, width = pixels_HWC.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    small = pixels_HWC
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(pixels_HWC, size, interpolation=cv2.INTER_AREA), np.uint8)
    if small.ndim == 3 and small.shape[2] == 3:
        small = np.ascontiguousarray(small[:, :, ::-1])
    tiny = max(small.shape[:2]) <= 32
    kind, options = (".png", []) if tiny else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    _, encoded = cv2.imencode(kind, small, options)
    media = "png" if tiny else "jpeg"
    return f"data:image/{media};base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def gallery(
    wanted: Mapping[ClassKey, str],
    chosen: Mapping[ClassKey, Sequence[Pictured]],
    rows: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Returns the classes shown with their records, without the pictures themselves."""
    of = {(row["rank"], row["label"]): row for row in rows}
    return [
        {
            "label": key[1],
            "rank": key[0],
            "why": why,
            "images": of[key]["images"],
            "pictures": [
                {"row": one.row, "record_id": one.record_id, "instrument": one.instrument}
                for one in chosen[key]
            ],
        }
        for key, why in wanted.items()
        if key in chosen
    ]
