"""What the summary counts: a batch of columns -> the keys that its records count under."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.collection.schema import COLUMN_NAMES
from holotype.collection.summary.tally import Tally
from holotype.taxonomy.labels import WHOLE
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Rank

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
CLASS_COLUMNS = (*RANKS, "other_ranks", "qualifier", "group")
PLACE_STEP_DEG = 0.01
SIZE_STEPS_PER_DECADE = 8
DEPTH_EDGES_M = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 12_000)
KNOWN_COLUMNS = tuple(
    name
    for name in COLUMN_NAMES
    if name not in {"record_id", "source", "source_item", "extra", "image_sha256", "image_phash"}
    and name not in {"place_from", "depth_from", "time_from", "haplotype", "image_flags"}
    and name not in {"grey_mean", "grey_sd", "image_width_px", "image_height_px", "licence_from"}
    and name not in RANKS
)
"""Columns of which the page says how full they are; ``image`` stands for all columns of an image."""

_RANK_NAMES = pa.array([rank.value for rank in Rank], pa.string())


def class_of(table: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Returns rank and name of each record's class; the rank is null where the class is no taxon.

    The class is the narrowest taxon, further ranks included, with what of the organism is shown ("Calanoida
    (egg)"), or the group of what is no taxon ("artefact"); null where the record has no name at all.
    """
    narrow = RANKS[::-1]
    nothing = pa.scalar(None, pa.string())
    name = pc.coalesce(*(table[rank] for rank in narrow))
    rank = pc.coalesce(
        *(pc.if_else(pc.is_valid(table[r]), pa.scalar(r, pa.string()), nothing) for r in narrow)
    )
    rank, name = _with_other_ranks(table["other_ranks"], rank, name)
    shown, base = table["qualifier"], pc.coalesce(name, table["group"])
    said = pc.binary_join_element_wise(base, " (", shown, ")", "")
    part = pc.fill_null(pc.not_equal(shown, WHOLE), fill_value=False)
    return rank, pc.if_else(part, said, base)


def _with_other_ranks(
    further: pa.ChunkedArray, rank: pa.ChunkedArray, name: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Returns rank and name with the further ranks where they are narrower."""
    if further.null_count == len(further):
        return rank, name
    lists = pa.concat_arrays(further.chunks)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    last_N = np.where(lengths > 0, np.cumsum(lengths) - 1, 0)
    flat = lists.flatten()
    if not len(flat):
        return rank, name
    chosen = flat.take(pa.array(last_N))
    there = pa.array(lengths > 0)
    found_rank, found_name = chosen.field("rank"), chosen.field("name")
    depth = pc.fill_null(pc.index_in(found_rank, value_set=_RANK_NAMES), -1)
    held = pc.fill_null(pc.index_in(rank, value_set=_RANK_NAMES), -1)
    narrower = pc.and_(there, pc.greater(depth, held))
    return pc.if_else(narrower, found_rank, rank), pc.if_else(narrower, found_name, name)


def _present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.is_valid(column), pa.int64())


def _taxa(table: pa.Table) -> pa.Table:
    rank, name = class_of(table)
    kept = ["source", "instrument", "written_label", "kind", *RANKS]
    found = table.select(kept).append_column("label_rank", rank).append_column("label", name)
    found = found.append_column("images", _present(table["image_sha256"]))
    return found.append_column("barcodes", _present(table["haplotype"]))


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Returns a column of numbers as float64 (N,), NaN for null."""
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _places(table: pa.Table) -> pa.Table:
    known = table.filter(
        pc.and_(pc.is_valid(table["latitude_deg"]), pc.is_valid(table["longitude_deg"]))
    )
    cells = {
        name: _cell(numbers(known[f"{name}_deg"]), limit)
        for name, limit in (("latitude", 90), ("longitude", 180))
    }
    return pa.table({"source": known["source"], **cells})


def _cell(degrees: NDArray[np.float64], limit: int) -> pa.Array:
    """Returns the number of the cell of each angle; the upper limit itself is in the last cell."""
    inside = np.minimum(degrees, limit - PLACE_STEP_DEG / 2)
    return pa.array(np.floor(inside / PLACE_STEP_DEG + 1e-9).astype(np.int32))


def _depths(table: pa.Table) -> pa.Table:
    low, high = numbers(table["depth_min_m"]), numbers(table["depth_max_m"])
    depth = np.where(np.isnan(low), high, np.where(np.isnan(high), low, (low + high) / 2))
    known = ~np.isnan(depth)
    layer = np.searchsorted(DEPTH_EDGES_M, depth[known], side="right").astype(np.int32) - 1
    return pa.table({"source": table["source"].filter(pa.array(known)), "layer": pa.array(layer)})


def _months(table: pa.Table) -> pa.Table:
    known = table.filter(pc.is_valid(table["collected_on"]))
    month = pc.utf8_slice_codeunits(known["collected_on"], 0, 7)
    return pa.table({"source": known["source"], "month": month})


def _sizes(table: pa.Table) -> pa.Table:
    size_px = numbers(table["object_esd_px"])
    pixel_um = numbers(table["pixel_size_um"])
    known = size_px > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        step_px = np.floor(np.log10(size_px) * SIZE_STEPS_PER_DECADE + 1e-9)
        step_um = np.floor(np.log10(size_px * pixel_um) * SIZE_STEPS_PER_DECADE + 1e-9)
    return pa.table(
        {
            "instrument": table["instrument"].filter(pa.array(known)),
            "step_px": pa.array(step_px[known].astype(np.int32)),
            "step_um": pa.array(step_um[known], from_pandas=True).cast(pa.int32()),
        }
    )


def _sides(table: pa.Table) -> pa.Table:
    known = table.filter(pc.is_valid(table["image_width_px"]))
    longer = pc.max_element_wise(known["image_width_px"], known["image_height_px"])
    return pa.table({"source": known["source"], "side_px": longer})


def _barcodes(table: pa.Table) -> pa.Table:
    known = table.filter(pc.is_valid(table["barcode"]))
    length = pc.cast(pc.utf8_length(known["barcode"]), pa.int32())
    return pa.table({"source": known["source"], "marker": known["marker"], "length_bp": length})


def _haplotypes(table: pa.Table) -> pa.Table:
    return table.select(["marker", "haplotype", "species"]).filter(pc.is_valid(table["haplotype"]))


def _bins(table: pa.Table) -> pa.Table:
    return table.select(["bin_uri", "species"]).filter(pc.is_valid(table["bin_uri"]))


def _known(table: pa.Table) -> pa.Table:
    columns = {name: _present(table[name]) for name in KNOWN_COLUMNS if name != "image"}
    return pa.table(
        {"source": table["source"], "image": _present(table["image_sha256"]), **columns}
    )


def _environment(table: pa.Table) -> pa.Table:
    column = table["environment"]
    flat = pa.concat_arrays(column.chunks).flatten() if len(column.chunks) else None
    if flat is None:
        flat = pa.array([], column.type.value_type)
    return pa.table(
        {name: flat.field(name) for name in ("variable", "unit", "grid", "value", "distance_km")}
    )


def _of(*columns: str) -> Callable[[pa.Table], pa.Table]:
    """Returns the keys that are columns as they stand."""
    return lambda table: table.select(list(columns))


def plain_tally(*columns: str) -> Tally:
    """Returns a tally whose keys are columns as they stand."""
    return Tally(columns, _of(*columns))


TALLIES: dict[str, Tally] = {
    "taxa": Tally(
        ("source", "instrument", "written_label", "kind", *CLASS_COLUMNS, "image_sha256", "haplotype"),
        _taxa, sums=("images", "barcodes"),
    ),
    "places": Tally(("source", "latitude_deg", "longitude_deg"), _places),
    "depths": Tally(("source", "depth_min_m", "depth_max_m"), _depths),
    "months": Tally(("source", "collected_on"), _months),
    "origins": plain_tally("source", "place_from", "depth_from", "time_from"),
    "sizes": Tally(("instrument", "object_esd_px", "pixel_size_um"), _sizes),
    "sides": Tally(("source", "image_width_px", "image_height_px"), _sides),
    "barcodes": Tally(("source", "marker", "barcode"), _barcodes),
    "haplotypes": Tally(("marker", "haplotype", "species"), _haplotypes),
    "bins": Tally(("bin_uri", "species"), _bins),
    "names": plain_tally("source", "name_status", "name_match", "backbone", "label_status"),
    "licences": plain_tally("source", "licence", "licence_from"),
    "flags": plain_tally("source", "image_flags"),
    "known": Tally(
        ("source", "image_sha256", *(name for name in KNOWN_COLUMNS if name != "image")),
        _known, sums=KNOWN_COLUMNS,
    ),
    "environment": Tally(("environment",), _environment, spans=("value", "distance_km")),
}  # fmt: skip
"""Every count that needs all records."""
