"""A user's table of what is known before the picture is seen -> rows that are checked.

Format: docs/formats/priors.md. CSV, TSV or Parquet; all faults of a file are told together, by line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.reading.tabular import open_table, present
from holotype.decisions.priors_cells import BOX, box_of, depth_of, months_of, value_of
from holotype.errors import SourceError, TaxonomyError, did_you_mean, first_few
from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.names import name_key

MAX_PROBLEMS = 20


class Says(StrEnum):
    """What the values of a table are."""

    PRESENT = "present"
    WEIGHT = "weight"
    COUNT = "count"


COLUMNS: dict[str, str] = {
    "taxon": "a name of any rank, or a label of the model",
    "rank": "its rank, where the name alone could be two taxa",
    "within": "a wider taxon that it is in, for the same reason",
    "scope": "the taxon of which the list is complete",
    "region": "a place by name: `country`, `site` or `region` of a record, or one that has a box",
    "latitude_min_deg": "south edge of a box",
    "latitude_max_deg": "north edge",
    "longitude_min_deg": "west edge; greater than the east edge where the box crosses 180 degrees",
    "longitude_max_deg": "east edge",
    "depth_min_m": "upper end of a range, positive down; blank: from the surface",
    "depth_max_m": "lower end; blank: to the bottom",
    "months": "months as numbers: `3-5`, `11-2`, `1;7`",
    **{
        Says.PRESENT.value: "`yes` or `no`; a table without values says yes",
        Says.WEIGHT.value: "how much likelier than in training, relative to the other rows",
        Says.COUNT.value: "individuals counted there; set against the records of training",
    },
}
"""The columns of a table, and what they mean; ``taxon`` is needed, and at most one of the last three."""

_ALIASES = {"lat_min": BOX[0], "lat_max": BOX[1], "lon_min": BOX[2], "lon_max": BOX[3], "month": "months",
            "depth_min": "depth_min_m", "depth_max": "depth_max_m", "name": "taxon",
            "scientific_name": "taxon", "scientificname": "taxon"}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """Where and when a row holds; None for what it does not restrict.

    Attributes:
        region: the name of a place, as compared.
        box: south, north, west and east edge in degrees.
        depth_m: upper and lower end in metres.
        months: 1 to 12.
    """

    region: str | None = None
    box: tuple[float, float, float, float] | None = None
    depth_m: tuple[float, float] | None = None
    months: frozenset[int] | None = None

    @property
    def conditions(self) -> int:
        """How many of the four it restricts."""
        return sum(one is not None for one in (self.region, self.box, self.depth_m, self.months))


@dataclass(frozen=True)
class PriorRow:
    """One row of a table.

    Attributes:
        line: of the file.
        taxon, rank, within, scope: names as written; "" for none.
        region: the place as written, "" for none.
        setting: where and when it holds.
        value: 1 or 0 for present or absent; else the weight or the count.
    """

    line: int
    taxon: str
    rank: str
    within: str
    scope: str
    region: str
    setting: Setting
    value: float

    @property
    def lists(self) -> bool:
        """Whether it is part of a list that is complete: taxa that are not on it are unlikely."""
        one = self.setting
        only_region = one.depth_m is None and one.months is None
        return bool(self.scope) or (only_region and (one.region is not None or one.box is None))


@dataclass(frozen=True)
class PriorTable:
    """One file.

    Attributes:
        name: its path.
        says: what its values are.
        rows: its rows about taxa, each different one once.
        boxes: where its regions lie, by compared name.
        repeated: rows that say again what a row above says.
    """

    name: str
    says: Says
    rows: tuple[PriorRow, ...]
    boxes: Mapping[str, tuple[tuple[float, float, float, float], ...]]
    repeated: int


def read_prior_table(path: Path) -> PriorTable:
    """Returns the rows of a table.

    Raises:
        SourceError: names the file and every line whose values cannot be read, are out of bounds, or
            contradict a row above (the same taxon, place, depth and months with another value).
    """
    header, lines = _parquet(path) if path.suffix.lower() == ".parquet" else _text(path)
    says = _says(path, header)
    rows: dict[tuple[object, ...], PriorRow] = {}
    boxes: dict[str, dict[tuple[float, float, float, float], None]] = {}
    problems, repeated = [], 0
    for line, values, error in lines:
        try:
            row = _row(line, values, says, error)
        except ValueError as reason:
            problems.append(f"line {line}: {reason}")
            continue
        if row.setting.region is not None and row.setting.box is not None:
            boxes.setdefault(row.setting.region, {})[row.setting.box] = None
            row = replace(row, setting=replace(row.setting, box=None))
        if not row.taxon:
            continue
        key = (name_key(row.taxon), name_key(row.rank), name_key(row.within), row.setting)
        first = rows.setdefault(key, row)
        if first.value != row.value:
            what = f"{row.taxon}: {says.value} {row.value:g}"
            problems.append(f"line {line}: {what}, but {first.value:g} in line {first.line}")
        repeated += first is not row
    if problems:
        raise SourceError(f"{path}: {first_few(problems, limit=MAX_PROBLEMS)}. Mend these lines.")
    if not rows:
        raise SourceError(f"{path}: no row about a taxon. Give a header with 'taxon', and rows.")
    if says is not Says.PRESENT and not any(row.value > 0 for row in rows.values()):
        raise SourceError(f"{path}: every {says.value} is 0. Give at least one above 0.")
    places = {name: tuple(found) for name, found in boxes.items()}
    return PriorTable(str(path), says, tuple(rows.values()), places, repeated)


_Lines = Iterator[tuple[int, Mapping[str, str], str | None]]


def _text(path: Path) -> tuple[list[str], _Lines]:
    table = open_table(path)
    names = _known(path, table.header)
    lines = (
        (row.line, {names[n]: text for n, text in row.values.items() if n in names}, row.error)
        for row in table.rows
    )
    return list(names.values()), lines


def _parquet(path: Path) -> tuple[list[str], _Lines]:
    try:
        table = pq.read_table(path)
        rows = table.to_pylist()
    except (OSError, ValueError, pa.ArrowException) as reason:
        raise SourceError(f"{path}: cannot be read as Parquet ({reason}).") from reason
    names = _known(path, table.column_names)
    lines = (
        (at, {names[n]: "" if v is None else str(v) for n, v in row.items() if n in names}, None)
        for at, row in enumerate(rows, start=1)
    )
    return list(names.values()), lines


def _known(path: Path, header: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Returns the columns that are ours, by the name written; one that is nearly ours is an error."""
    found: dict[str, str] = {}
    for column in header:
        plain = column.strip().lower().replace(" ", "_")
        plain = _ALIASES.get(plain, plain)
        if plain in COLUMNS:
            if plain in found.values():
                raise SourceError(f"{path}: two columns are '{plain}'. Remove one of them.")
            found[column] = plain
        elif "Did you mean" in (hint := did_you_mean(plain, [*COLUMNS])) and _is_near(plain):
            raise SourceError(f"{path}: no column '{column}' is known.{hint} Rename or remove it.")
    if "taxon" not in found.values():
        raise SourceError(f"{path}: no column 'taxon'. Found: {first_few(list(header))}.")
    return found


def _is_near(plain: str) -> bool:
    """Returns whether a column is probably one of ours misspelt: a condition must not be overlooked."""
    from rapidfuzz import fuzz, process

    return process.extractOne(plain, [*COLUMNS], scorer=fuzz.ratio, score_cutoff=80) is not None


def _says(path: Path, header: list[str]) -> Says:
    found = [one for one in Says if one.value in header]
    if len(found) > 1:
        several = " and ".join(found)
        raise SourceError(f"{path}: columns {several}: a table has one of them. Make two tables.")
    return found[0] if found else Says.PRESENT


def _row(line: int, values: Mapping[str, str], says: Says, error: str | None) -> PriorRow:
    if error is not None:
        raise ValueError(error)
    written = {name: present(text) for name, text in values.items()}
    rank, region = written.get("rank", ""), written.get("region", "")
    taxon = written.get("taxon", "")
    setting = Setting(
        region=name_key(region) or None, box=box_of(written), depth_m=depth_of(written),
        months=months_of(written.get("months", "")),
    )  # fmt: skip
    if not taxon and not (setting.region and setting.box):
        raise ValueError("column taxon: blank; only a row that gives a region its box may be so")
    if rank:
        try:
            rank = Rank.parse(rank).value
        except TaxonomyError as reason:
            raise ValueError(f"column rank: {reason}") from None
    value = value_of(written.get(says.value, ""), says.value) if taxon else 1.0
    return PriorRow(line, taxon, rank, written.get("within", ""), written.get("scope", ""), region,
                    setting, value)  # fmt: skip
