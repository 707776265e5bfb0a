"""What one prior table says of the labels, given which of its settings hold.

Three kinds. A list: taxa of a scope that are not on it are unlikely. Ranges: a taxon is unlikely where all
its ranges surely fail. Weights: taxa are likelier or not in proportion. Legend: S settings, R rows, L labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.priors_fit import NO, YES, Boxes
from holotype.decisions.priors_names import Found, NamedTaxon, NameFinder
from holotype.decisions.priors_rows import PriorRow, PriorTable, Says, Setting
from holotype.models.labels import LabelSpace
from holotype.taxonomy.lineage import common_ancestor_of

Conditions = Sequence[Mapping[str, NDArray[np.int8]]]


class Kind(StrEnum):
    """How a table speaks."""

    LIST = "list"
    RANGES = "ranges"
    WEIGHTS = "weights"


@dataclass(frozen=True)
class Statement:
    """The rows of one table that speak in one way, ready to weigh labels.

    Attributes:
        kind: how they speak.
        table: the file's name without its folder.
        says: what the values are.
        settings: the different places, depths and seasons.
        rows: those whose name the model knows, wide taxa first.
        taxon_R: what each row speaks of.
        setting_R: int64, its setting.
        scope_L: of rows of a list: the labels of which the list is complete; by the scope's name.
        records_L: float64, records that taught each label, at least 1.
        floor: the lowest weight; the highest is 1 / floor.
    """

    kind: Kind
    table: str
    says: Says
    settings: tuple[Setting, ...]
    rows: tuple[PriorRow, ...]
    taxon_R: tuple[NamedTaxon, ...]
    setting_R: NDArray[np.int64]
    scope_L: Mapping[str, NDArray[np.int64]]
    records_L: NDArray[np.float64]
    floor: float

    def weigh(self, fit_S: NDArray[np.int8]) -> NDArray[np.float64]:
        """Returns the weight of each label where the settings fit so, float64 (L,), floor to 1 / floor."""
        weight_L = _WEIGH[self.kind](self, fit_S[self.setting_R])
        clipped_L: NDArray[np.float64] = np.clip(weight_L, self.floor, 1 / self.floor)
        return clipped_L

    def why(self, label: int, fit_S: NDArray[np.int8], conditions_S: Conditions) -> str:
        """Returns in words why a label was weighed so in one context.

        Args:
            label: the label.
            fit_S: which settings hold.
            conditions_S: of each setting, its conditions in this context, int8 (1,) each.
        """
        fit_R = fit_S[self.setting_R]
        if self.kind is Kind.WEIGHTS:
            return f"weighed {self.weigh(fit_S)[label]:.2g} by {self.table}"
        about = [r for r, taxon in enumerate(self.taxon_R) if label in taxon.under_L]
        if self.kind is Kind.LIST:
            places = dict.fromkeys(
                row.region for row, fit in zip(self.rows, fit_R, strict=True) if fit == YES
            )
            of = f" of {' and '.join(filter(None, places))}" if any(places) else f" {self.table}"
            denied = any(fit_R[r] == YES and self.rows[r].value == 0 for r in about)
            return f"absent by the list{of}" if denied else f"not on the checklist{of}"
        failing: dict[str, bool] = {}
        for r in about:
            for name, fit in conditions_S[int(self.setting_R[r])].items():
                failing[name] = failing.get(name, True) and bool(fit[0] == NO)
        what = [name for name, always in failing.items() if always]
        return f"outside its {' and '.join(what) or 'range'} in {self.table}"


def statements_of(
    table: PriorTable, labels: LabelSpace, finder: NameFinder, *, floor: float
) -> list[Statement]:
    """Returns what a table says, in its one or two ways (a table may hold both lists and ranges)."""
    parts: dict[Kind, list[PriorRow]] = {}
    for row in table.rows:
        present = Kind.LIST if row.lists else Kind.RANGES
        kind = present if table.says is Says.PRESENT else Kind.WEIGHTS
        parts.setdefault(kind, []).append(row)
    return [
        found
        for kind, rows in parts.items()
        if (found := _statement(kind, rows, table, labels, finder, floor)) is not None
    ]


def named(row: PriorRow, finder: NameFinder) -> NamedTaxon:
    """Returns what a row speaks of."""
    return finder.find(row.taxon, rank=row.rank, within=row.within)


def _statement(
    kind: Kind,
    rows: Sequence[PriorRow],
    table: PriorTable,
    labels: LabelSpace,
    finder: NameFinder,
    floor: float,
) -> Statement | None:
    known = [(row, named(row, finder)) for row in rows]
    known = [(r, t) for r, t in known if t.found not in (Found.NOTHING, Found.AMBIGUOUS)]
    if not known:
        return None
    known.sort(key=lambda pair: (pair[1].depth, pair[0].value > 0))
    settings = {row.setting: None for row, _ in known}
    number = {setting: at for at, setting in enumerate(settings)}
    scopes = {row.scope: finder.find(row.scope).under_L for row, _ in known if row.scope}
    if kind is Kind.LIST:
        scopes[""] = _own_scope([taxon for row, taxon in known if row.value], labels)
    return Statement(
        kind=kind,
        table=Path(table.name).name,
        says=table.says,
        settings=tuple(settings),
        rows=tuple(row for row, _ in known),
        taxon_R=tuple(taxon for _, taxon in known),
        setting_R=np.asarray([number[row.setting] for row, _ in known], dtype=np.int64),
        scope_L=scopes,
        records_L=np.asarray([max(label.records, 1) for label in labels.labels], np.float64),
        floor=floor,
    )


def _own_scope(taxa: Sequence[NamedTaxon], labels: LabelSpace) -> NDArray[np.int64]:
    """Returns the labels within the narrowest taxon that holds all of the list; never those of no taxon."""
    lineages = [taxon.lineage for taxon in taxa if taxon.lineage]
    if not lineages:
        return np.zeros(0, dtype=np.int64)
    shared = common_ancestor_of(lineages)
    inside = [at for at, one in enumerate(labels.tree.lineages) if one and one.is_within(shared)]
    return np.asarray(inside, dtype=np.int64)


def _weigh_list(of: Statement, fit_R: NDArray[np.int8]) -> NDArray[np.float64]:
    weight_L = np.ones(len(of.records_L))
    holding = np.flatnonzero(fit_R == YES)
    present = [r for r in holding.tolist() if of.rows[r].value]
    for scope in {of.rows[r].scope for r in present}:
        weight_L[of.scope_L[scope]] = of.floor
    for r in present:
        weight_L[of.taxon_R[r].above_L] = 1
    for r in holding.tolist():  # wide to narrow: the narrowest name decides
        weight_L[of.taxon_R[r].under_L] = 1 if of.rows[r].value else of.floor
    return weight_L


def _weigh_ranges(of: Statement, fit_R: NDArray[np.int8]) -> NDArray[np.float64]:
    weight_L = np.ones(len(of.records_L))
    best: dict[int, int] = {}
    denied: set[int] = set()
    for r, (row, taxon) in enumerate(zip(of.rows, of.taxon_R, strict=True)):
        if row.value:
            best[id(taxon)] = max(best.get(id(taxon), NO), int(fit_R[r]))
        elif fit_R[r] == YES:
            denied.add(id(taxon))
    for taxon in {id(taxon): taxon for taxon in of.taxon_R}.values():
        out = best.get(id(taxon), YES) == NO or id(taxon) in denied
        weight_L[taxon.under_L] = of.floor if out else 1
    return weight_L


def _weigh_relative(of: Statement, fit_R: NDArray[np.int8]) -> NDArray[np.float64]:
    """The weights' mean over the records of training of what they speak of is 1.

    So what the table speaks of neither gains nor loses as a whole. A count is set against the training
    records of the labels that it speaks of: the quotient of the two shares is the weight.
    """
    size = len(of.records_L)
    owner_L = np.full(size, -1, dtype=np.int64)
    chosen: dict[int, list[int]] = {}
    for r in np.flatnonzero(fit_R == YES).tolist():
        key, row = id(of.taxon_R[r]), of.rows[r]
        rows = chosen.setdefault(key, [])
        most = of.rows[rows[0]].setting.conditions if rows else -1
        if row.setting.conditions > most:
            rows.clear()
        if row.setting.conditions >= most:
            rows.append(r)
        owner_L[of.taxon_R[r].under_L] = r
    weight_L, spoken_L = np.ones(size), owner_L >= 0
    if not spoken_L.any():
        return weight_L
    for owner in np.unique(owner_L[spoken_L]).tolist():
        mine_L = owner_L == owner
        value = np.mean([of.rows[r].value for r in chosen[id(of.taxon_R[owner])]])
        mass = of.records_L[mine_L].sum() if of.says is Says.COUNT else 1.0
        weight_L[mine_L] = value / mass
    mean = np.average(weight_L[spoken_L], weights=of.records_L[spoken_L])
    weight_L[spoken_L] = weight_L[spoken_L] / mean if mean > 0 else 1.0
    for scope in {of.rows[r].scope for rows in chosen.values() for r in rows} - {""}:
        inside_L = np.isin(np.arange(size), of.scope_L[scope])
        weight_L[inside_L & ~spoken_L] = of.floor
    return weight_L


_WEIGH = {
    Kind.LIST: _weigh_list,
    Kind.RANGES: _weigh_ranges,
    Kind.WEIGHTS: _weigh_relative,
}


def boxes_of(tables: Sequence[PriorTable]) -> Boxes:
    """Returns the boxes of regions from all tables."""
    found: dict[str, tuple[tuple[float, float, float, float], ...]] = {}
    for table in tables:
        for region, boxes in table.boxes.items():
            found[region] = tuple(dict.fromkeys((*found.get(region, ()), *boxes)))
    return found
