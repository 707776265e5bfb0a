"""Images that cannot be read, are blank, cut, marked or of an odd size."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.collection.quality.finding import Check, Finding, Severity
from holotype.collection.schema import Outcome
from holotype.collection.store import Collection
from holotype.media.measures import ImageFlag

SMALLEST_SIDE_PX = 8
LONGEST_RATIO = 20.0
LARGEST_RATIO = 100.0
"""Times the median area of a source: whole frames among crops."""
FEWEST_IMAGES = 20
WORTH_A_WARNING = 0.1
UNREADABLE_REASON = "image"
_COLUMNS = [
    "record_id",
    "source",
    "image_width_px",
    "image_height_px",
    "image_flags",
    "image_sha256",
]


def image_faults(collection: Collection) -> Iterator[Finding]:
    """Yields the findings on single images, then on the sources as a whole."""
    table = collection.columns(_COLUMNS)
    table = table.filter(pc.is_valid(table["image_sha256"]))
    yield from _blank(table)
    for source in sorted(table["source"].unique().to_pylist()):
        of_source = table.filter(pc.equal(table["source"], source))
        yield from _odd_sizes(source, of_source)
        yield from _shares(source, of_source)
    yield from _unreadable(collection)


def _flagged(table: pa.Table, flag: ImageFlag) -> pa.Table:
    return table.filter(pc.match_substring(pc.fill_null(table["image_flags"], ""), flag.value))


def _blank(table: pa.Table) -> Iterator[Finding]:
    found = _flagged(table, ImageFlag.BLANK).select(["source", "record_id"])
    for row in found.to_pylist():
        yield Finding(
            Check.BLANK_IMAGE,
            Severity.WARNING,
            row["source"],
            "Nothing stands out from the background.",
            row["record_id"],
        )


def _shares(source: str, table: pa.Table) -> Iterator[Finding]:
    for flag, check, what in (
        (ImageFlag.SCALE_BAR, Check.SCALE_BARS, "have a burnt-in scale bar"),
        (ImageFlag.TRUNCATED_CROP, Check.TRUNCATED_CROPS, "cut their object"),
    ):
        found = _flagged(table, flag)
        if not found.num_rows:
            continue
        share = found.num_rows / table.num_rows
        marked = check is Check.SCALE_BARS
        grave = share >= WORTH_A_WARNING or marked
        yield Finding(
            check,
            Severity.WARNING if grave else Severity.REMARK,
            source,
            f"{found.num_rows:,} of {table.num_rows:,} images ({share:.1%}) {what}.",
            found["record_id"][0].as_py(),
            None,
            share,
        )


def _odd_sizes(source: str, table: pa.Table) -> Iterator[Finding]:
    width_N, height_N = (
        table[name].to_numpy().astype(np.float64) for name in ("image_width_px", "image_height_px")
    )
    area_N = width_N * height_N
    long_N = np.maximum(width_N, height_N) / np.maximum(1, np.minimum(width_N, height_N))
    typical = float(np.median(area_N))
    reasons = {
        f"shorter than {SMALLEST_SIDE_PX} px on one side": np.minimum(width_N, height_N)
        < SMALLEST_SIDE_PX,
        f"more than {LONGEST_RATIO:.0f} times as long as wide": long_N > LONGEST_RATIO,
        f"more than {LARGEST_RATIO:.0f} times the usual area of {source}": (
            (area_N > LARGEST_RATIO * typical) & (len(area_N) >= FEWEST_IMAGES)
        ),
    }
    ids = table["record_id"]
    for reason, odd_N in reasons.items():
        for row in np.flatnonzero(odd_N).tolist():
            yield Finding(
                Check.ODD_SIZE,
                Severity.REMARK,
                source,
                f"{width_N[row]:.0f} x {height_N[row]:.0f} px: {reason}.",
                ids[row].as_py(),
                None,
                float(area_N[row]),
            )


def _unreadable(collection: Collection) -> Iterator[Finding]:
    for one in collection.manifest["imports"]:
        ledger = pq.read_table(collection.path / one["ledger"]["path"])
        reasons = pc.fill_null(ledger["reason"], "")
        about_image = pc.match_substring_regex(reasons, rf"(^|; ){UNREADABLE_REASON}($|;)")
        for row in ledger.filter(about_image).to_pylist():
            lost = row["outcome"] == Outcome.REJECTED.value
            yield Finding(
                Check.UNREADABLE_IMAGE,
                Severity.ERROR if lost else Severity.WARNING,
                one["source"],
                f"{row['item']}: {row['detail']}.",
                row["record_id"],
            )
