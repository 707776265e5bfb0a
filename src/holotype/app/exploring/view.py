"""What passes the filters, and how much of everything there would be under the other filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from holotype.app.exploring.facts import MISSING, Facts
from holotype.app.exploring.filters import HAS_WHAT, MONTH, TAXON, Filters, Mask, known, masks
from holotype.randomness import generator


@dataclass(frozen=True)
class Value:
    """One value of a facet: None for no value, its records under the other filters, whether it is chosen."""

    value: str | None
    records: int
    is_chosen: bool


@dataclass(frozen=True)
class View:
    """What is shown of the records.

    Attributes:
        facts: of all records.
        filters: what they were narrowed by.
        row_R: int64, the records that pass, in the order of the collection.
        facets: facet -> its values, the commonest first; only facets of which something is known.
        months: records by month of the year under the other filters, int64 (13,), 0 for not known.
        has: what may be there -> how many of the records that pass have it.
        lineage_L: records of each lineage under the filters other than the taxon, int64.
    """

    facts: Facts
    filters: Filters
    row_R: NDArray[np.int64]
    facets: Mapping[str, tuple[Value, ...]]
    months: NDArray[np.int64]
    has: Mapping[str, int]
    lineage_L: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row_R)


def view_of(facts: Facts, filters: Filters, *, selected: NDArray[np.int64] | None = None) -> View:
    """Returns the records that pass some filters, and the counts beside each filter.

    The counts of a facet are of the records that pass all filters but its own; they add up to those records.
    """
    passes = masks(facts, filters, selected=selected)
    failed_N = np.zeros(len(facts), dtype=np.uint8)
    for mask in passes.values():
        failed_N += ~mask
    inside = failed_N == 0

    def without(name: str) -> Mask:
        own = passes.get(name)
        found: Mask = inside if own is None else (failed_N - ~own) == 0
        return found

    facets = {}
    for name, coded in facts.coded.items():
        counts = np.bincount(coded.code_N[without(name)], minlength=len(coded.values))
        chosen = filters.values(name)
        if len(coded.values) > 1 or chosen:
            facets[name] = _values(coded.values, counts, chosen)
    has = known(facts)
    return View(
        facts,
        filters,
        np.flatnonzero(inside),
        facets,
        np.bincount(facts.month_N[without(MONTH)], minlength=13).astype(np.int64),
        {what: int((has[what] & inside).sum()) for what in HAS_WHAT},
        np.bincount(facts.lineage_N[without(TAXON)], minlength=len(facts.lineages)).astype(
            np.int64
        ),
    )


def _values(
    values: tuple[str | None, ...], counts: NDArray[np.int64], chosen: set[str | None]
) -> tuple[Value, ...]:
    """Returns the values that some record has, or that are chosen; no value comes last."""
    shown = set(np.flatnonzero(counts).tolist())
    found = [
        Value(values[code], int(counts[code]), values[code] in chosen)
        for code in range(len(values))
        if code in shown or values[code] in chosen
    ]
    gone = [Value(value, 0, is_chosen=True) for value in chosen - set(values)]
    ordered = [*found, *gone]
    ordered.sort(key=lambda one: (one.value is None, -one.records, one.value or ""))
    return tuple(ordered)


class Order(StrEnum):
    """What comes first."""

    MIXED = "mixed"
    TAXON = "taxon"
    DATE = "date"
    DEPTH = "depth"
    COLLECTION = "collection"


ORDERS: dict[Order, str] = {
    Order.MIXED: "Mixed, always the same",
    Order.TAXON: "By name",
    Order.DATE: "Oldest first",
    Order.DEPTH: "Shallowest first",
    Order.COLLECTION: "As in the collection",
}


def ordered(view: View, order: Order) -> NDArray[np.int64]:
    """Returns the rows that pass, int64, in an order; what is not known comes last."""
    return view.row_R[np.argsort(_key(view, order), kind="stable")]


def _key(view: View, order: Order) -> NDArray[np.float64]:
    facts, rows = view.facts, view.row_R
    if order is Order.TAXON:
        by_path = sorted(range(len(facts.lineages)), key=lambda at: facts.lineages.paths[at])
        place_L = np.empty(len(by_path))
        place_L[by_path] = np.arange(len(by_path))
        return np.asarray(place_L[facts.lineage_N[rows]], dtype=np.float64)
    if order is Order.DATE:
        dated = facts.year_N[rows] * 12.0 + facts.month_N[rows]
        return np.where(facts.year_N[rows] > MISSING, dated, np.inf)
    if order is Order.DEPTH:
        return np.nan_to_num(facts.depth_N[rows].astype(np.float64), nan=np.inf)
    if order is Order.MIXED:
        return generator(0, "explore", "mixed").random(len(facts))[rows]
    return rows.astype(np.float64)
