"""Places, depths, times, sizes and barcodes, as the figures need them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.collection.summary.keys import (
    DEPTH_EDGES_M,
    PLACE_STEP_DEG,
    SIZE_STEPS_PER_DECADE,
)
from holotype.collection.summary.tally import RECORDS, by, by_one

MOST_CELLS = 1_500
MOST_ACROSS = 180
MOST_MAPS = 12
_CELL_STEPS_DEG = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_QUANTILES = (0.05, 0.5, 0.95)


def places(table: pa.Table) -> dict[str, Any] | None:
    """Returns the records by cell of latitude and longitude, for all sources and for each of the largest.

    The cell is the finest that leaves at most ``MOST_CELLS``, and ``MOST_ACROSS`` from side to side;
    latitude and longitude are those of its middle.
    """
    if not table.num_rows:
        return None
    latitude = table["latitude"].to_numpy() * PLACE_STEP_DEG
    longitude = table["longitude"].to_numpy() * PLACE_STEP_DEG
    for step in _CELL_STEPS_DEG:
        cells = np.stack(
            (np.floor(latitude / step + 1e-6), np.floor(longitude / step + 1e-6)), axis=1
        )
        if (
            np.ptp(cells, axis=0).max() <= MOST_ACROSS
            and len(np.unique(cells, axis=0)) <= MOST_CELLS
        ):
            break
    rows, columns = (pa.array(cells[:, at].astype(np.int64)) for at in (0, 1))
    keyed = pa.table(
        {"source": table["source"], "row": rows, "column": columns, RECORDS: table[RECORDS]}
    )
    counted: dict[str | None, Counter[tuple[float, float]]] = {None: Counter()}
    for (source, row, column), count in by(keyed, "source", "row", "column").items():
        middle = (_middle(row, step), _middle(column, step))
        counted[None][middle] += count
        counted.setdefault(str(source), Counter())[middle] += count
    ordered = sorted((s for s in counted if s is not None), key=lambda s: -counted[s].total())
    shown = [None, *ordered[:MOST_MAPS]] if len(ordered) > 1 else [None]
    return {
        "cell_deg": step,
        "records": counted[None].total(),
        "maps": [
            {
                "source": source,
                "cells": [[*cell, count] for cell, count in sorted(counted[source].items())],
            }
            for source in shown
        ],
    }


def _middle(cell: object, step: float) -> float:
    return round((int(str(cell)) + 0.5) * step, 4)


def depths(table: pa.Table) -> list[dict[str, Any]]:
    """Returns the records by source in each layer of depth, from the surface down."""
    found: dict[int, dict[str, int]] = {}
    for (layer, source), count in by(table, "layer", "source").items():
        found.setdefault(int(str(layer)), {})[str(source)] = count
    return [
        {
            "from_m": None if layer < 0 else DEPTH_EDGES_M[layer],
            "to_m": DEPTH_EDGES_M[layer + 1] if layer + 1 < len(DEPTH_EDGES_M) else None,
            "records": dict(sorted(found.get(layer, {}).items())),
        }
        for layer in range(min(found), max(found) + 1)
    ] if found else []  # fmt: skip


def times(table: pa.Table) -> dict[str, Any] | None:
    """Returns the records by year and by month of the year; those dated to a year only have no month."""
    years: Counter[str] = Counter()
    months: Counter[str] = Counter()
    for month, count in by_one(table, "month").items():
        text = str(month)
        if text[:4].isdigit():
            years[text[:4]] += count
        if len(text) == 7 and text[5:].isdigit() and 1 <= int(text[5:]) <= 12:
            months[text[5:]] += count
    if not years:
        return None
    return {"years": dict(sorted(years.items())), "months": dict(sorted(months.items()))}


def origins(table: pa.Table) -> dict[str, dict[str, dict[str, int]]]:
    """Returns how place, depth and time are known, or why not: column -> source -> reason -> records."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for column in ("place_from", "depth_from", "time_from"):
        for (source, reason), count in by(table, "source", column).items():
            of_source = found.setdefault(column, {}).setdefault(str(source), {})
            of_source[str(reason or "not_given")] = (
                of_source.get(str(reason or "not_given"), 0) + count
            )
    return found


def sizes(table: pa.Table) -> dict[str, Any] | None:
    """Returns the records by instrument in steps of object diameter, in µm where the pixel is known."""
    if not table.num_rows:
        return None
    in_um = table.filter(pc.is_valid(table["step_um"]))
    in_px = table.filter(pc.is_null(table["step_um"]))
    return {
        "steps_per_decade": SIZE_STEPS_PER_DECADE,
        "um": _spectrum(in_um, "step_um"),
        "px": _spectrum(in_px, "step_px"),
    }


def _spectrum(table: pa.Table, column: str) -> dict[str, list[list[float]]]:
    found: dict[str, dict[int, int]] = {}
    for (instrument, step), count in by(table, "instrument", column).items():
        found.setdefault(str(instrument or "instrument not stated"), {})[int(str(step))] = count
    ordered = sorted(found.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))
    return {
        name: [
            [round(10 ** ((step + 0.5) / SIZE_STEPS_PER_DECADE), 3), steps.get(step, 0)]
            for step in range(min(steps), max(steps) + 1)
        ]
        for name, steps in ordered
    }


def sides(table: pa.Table) -> list[dict[str, Any]]:
    """Returns for each source the longer side of its images in px: least, 5 %, median, 95 %, greatest."""
    found: dict[str, Counter[int]] = {}
    for (source, side), count in by(table, "source", "side_px").items():
        found.setdefault(str(source), Counter())[int(str(side))] += count
    return [
        {
            "source": source,
            "images": counts.total(),
            "least": min(counts),
            **{f"q{round(100 * q):02}": _quantile(counts, q) for q in _QUANTILES},
            "greatest": max(counts),
        }
        for source, counts in sorted(found.items())
    ]


def _quantile(counts: Mapping[int, int], share: float) -> int:
    """Returns the least value that at least such a share of the records does not exceed."""
    wanted, reached = share * sum(counts.values()), 0
    for value in sorted(counts):
        reached += counts[value]
        if reached >= wanted:
            return value
    return max(counts)


def barcodes(lengths: pa.Table, haplotypes: pa.Table, bins: pa.Table) -> dict[str, Any] | None:
    """Returns the barcodes by marker: lengths, different sequences, species, and who shares what."""
    if not lengths.num_rows:
        return None
    markers = []
    for marker, records in by_one(lengths, "marker").items():
        own = _of_marker(lengths, marker)
        sequences = _of_marker(haplotypes, marker)
        named = sequences.filter(pc.is_valid(sequences["species"]))
        per_species = _different(named, "haplotype", of="species")
        per_sequence = _different(named, "species", of="haplotype")
        by_length = {int(str(length)): count for (length,), count in by(own, "length_bp").items()}
        markers.append(
            {
                "marker": marker,
                "records": records,
                "haplotypes": len(pc.unique(sequences["haplotype"])),
                "species": len(per_species),
                "species_with_one_haplotype": int((per_species == 1).sum()),
                "median_haplotypes_per_species": float(np.median(per_species))
                if len(per_species)
                else None,
                "haplotypes_of_several_species": int((per_sequence > 1).sum()),
                "lengths_bp": {str(length): by_length[length] for length in sorted(by_length)},
            }
        )
    species_of_bin = _different(bins.filter(pc.is_valid(bins["species"])), "species", of="bin_uri")
    return {
        "markers": markers,
        "bins": len(pc.unique(bins["bin_uri"])),
        "bins_of_several_species": int((species_of_bin > 1).sum()),
    }


def _different(table: pa.Table, column: str, *, of: str) -> NDArray[np.int64]:
    """Returns how many different values of a column stand with each value of another one."""
    pairs = table.group_by([of, column], use_threads=False).aggregate([])
    counts = pairs.group_by(of, use_threads=False).aggregate([([], "count_all")])["count_all"]
    return np.asarray(counts.to_numpy(), np.int64)


def _of_marker(table: pa.Table, marker: str | None) -> pa.Table:
    column = table["marker"]
    return table.filter(pc.is_null(column) if marker is None else pc.equal(column, marker))
