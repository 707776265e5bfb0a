"""What the report shows of each check: pictures side by side, and the part of a sequence that matters."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.quality.agreement import LABEL_COLUMNS, RANK_COLUMNS, written_name
from holotype.collection.quality.finding import Check
from holotype.collection.quality.pictures import pictures
from holotype.collection.store import Collection
from holotype.media.measures import ImageFlag
from holotype.media.pixels import Pixels, with_channels
from holotype.media.strands import reverse_complement

MOST_EXAMPLES = 24
MOST_OF_SOURCE = 8
PICTURE_SIDE_PX = 112
_AROUND_BASES = 24
_FLAG_OF = {Check.SCALE_BARS: ImageFlag.SCALE_BAR, Check.TRUNCATED_CROPS: ImageFlag.TRUNCATED_CROP}


@dataclass(frozen=True)
class Shown:
    """A record as the report shows it.

    Attributes:
        record_id: its id.
        name: its label in a few words.
        lineage: its names, wide to narrow.
        picture: a PNG as a ``data:`` address, or None.
    """

    record_id: str
    name: str
    lineage: str
    picture: str | None


@dataclass(frozen=True)
class Marked:
    """A part of a sequence, with the place that matters."""

    before: str
    marked: str
    after: str
    starts_at: int


@dataclass(frozen=True)
class Example:
    """One finding as the report shows it."""

    severity: str
    detail: str
    records: Sequence[Shown]
    sequence: Marked | None = None


def examples(collection: Collection, findings: pa.Table) -> dict[Check, list[Example]]:
    """Returns for each check with findings its first examples, the gravest first; mirrored pairs once."""
    chosen = {
        check: _first(findings.filter(pc.equal(findings["check"], check.value)).to_pylist())
        for check in Check
    }
    ids_of = {
        (check, at): _ids(collection, check, finding)
        for check, members in chosen.items()
        for at, finding in enumerate(members)
    }
    wanted = {i for ids in ids_of.values() for i in ids}
    rows = _rows(collection, wanted)
    reversed_ids = findings.filter(pc.equal(findings["check"], Check.REVERSED_BARCODE.value))
    turned = set(reversed_ids["record_id"].to_pylist())
    return {
        check: [
            Example(
                finding["severity"],
                finding["detail"],
                [rows[i][0] for i in ids_of[check, at] if i in rows],
                _marked(check, finding, rows, turned),
            )
            for at, finding in enumerate(members)
        ]
        for check, members in chosen.items()
        if members
    }


def _first(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    seen: set[frozenset[str | None]] = set()
    kept: list[Mapping[str, Any]] = []
    for finding in findings:
        pair = frozenset((finding["record_id"], finding["other_record_id"]))
        if pair in seen and finding["other_record_id"] is not None:
            continue
        seen.add(pair)
        kept.append(finding)
        if len(kept) == MOST_EXAMPLES:
            break
    return kept


def _ids(collection: Collection, check: Check, finding: Mapping[str, Any]) -> list[str]:
    """Returns the records to show: the one and the other, or the first flagged ones of a source."""
    if flag := _FLAG_OF.get(check):
        table = collection.columns(["record_id", "source", "image_flags"])
        flagged = pc.and_(
            pc.equal(table["source"], finding["source"]),
            pc.match_substring(pc.fill_null(table["image_flags"], ""), flag.value),
        )
        ids: list[str] = table["record_id"].filter(flagged)[:MOST_OF_SOURCE].to_pylist()
        return ids
    return [i for i in (finding["record_id"], finding["other_record_id"]) if i is not None]


def _rows(collection: Collection, wanted: set[str]) -> dict[str, tuple[Shown, Mapping[str, Any]]]:
    table = collection.columns(["record_id"])
    is_wanted = pc.is_in(table["record_id"], pa.array(sorted(wanted), pa.string()))
    places = np.flatnonzero(is_wanted.to_numpy())
    columns = ["record_id", "source", "barcode", *LABEL_COLUMNS]
    rows = collection.columns(columns).take(pa.array(places, pa.int64())).to_pylist()
    shown = {place: _picture(pixels) for place, pixels in pictures(collection, places.tolist())}
    return {
        row["record_id"]: (
            Shown(row["record_id"], written_name(row), _lineage(row), shown.get(int(place))),
            row,
        )
        for place, row in zip(places, rows, strict=True)
    }


def _lineage(row: Mapping[str, Any]) -> str:
    return " > ".join(row[rank] for rank in RANK_COLUMNS if row[rank])


def _picture(pixels_HWC: Pixels) -> str:
    """Returns a picture as a ``data:`` address; small ones keep their pixels."""
    scale = min(1.0, PICTURE_SIDE_PX / max(pixels_HWC.shape[:2]))
    if scale < 1:
        height, width = pixels_HWC.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels_HWC = np.asarray(
            cv2.resize(pixels_HWC, size, interpolation=cv2.INTER_AREA), np.uint8
        )
        pixels_HWC = pixels_HWC.reshape(size[1], size[0], -1)
    blue_first = with_channels(pixels_HWC, channels=3)[:, :, ::-1]
    encoded = cv2.imencode(".png", blue_first)[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(encoded).decode("ascii")


def _marked(
    check: Check,
    finding: Mapping[str, Any],
    rows: Mapping[str, tuple[Shown, Mapping[str, Any]]],
    turned: set[str],
) -> Marked | None:
    """Returns the stop codon, or the base near which the frame shifts, and what is around it."""
    if check not in {Check.STOP_CODON, Check.FRAMESHIFT} or finding["record_id"] not in rows:
        return None
    text = rows[finding["record_id"]][1]["barcode"]
    text = reverse_complement(text) if finding["record_id"] in turned else text
    place = int(finding["value"]) - 1
    start = max(0, place - _AROUND_BASES)
    end = place + 3
    return Marked(text[start:place], text[place:end], text[end : end + _AROUND_BASES], start + 1)
