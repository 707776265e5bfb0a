"""Leave-one-out: a split for each instrument, site, cruise, year ..., in one folder with an index.

What a model is worth on an instrument it never saw is the mean over such splits, not one of them.
"""

import csv
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from holotype import files
from holotype.collection.store import Collection
from holotype.errors import SplitError
from holotype.splits.columns import coded
from holotype.splits.make import Prepared, part, prepare
from holotype.splits.plan import write_split
from holotype.splits.settings import Method, Settings, check_settings

INDEX = "index.csv"
MOST_FOLDS = 200
"""More values than these are ids, not places or instruments."""


@dataclass(frozen=True)
class Fold:
    """One split of a leave-one-out family.

    Attributes:
        value: what is held out.
        split: the file's name in the folder; None where this value cannot be held out.
        reason: why not.
        counts: records by "role status".
        classes_not_in_train: tested classes that the other values lack.
        clean: what the audit says.
    """

    value: str
    split: str | None
    reason: str | None
    counts: dict[str, int]
    classes_not_in_train: int | None
    clean: bool | None


def split_each(collection: Collection, settings: Settings, folder: Path) -> list[Fold]:
    """Writes one leave-out split for each value of a column, and ``index.csv``; returns what it holds.

    A value without which nothing is left to train on has no split, but a line with the reason.

    Raises:
        SplitError: when there are fewer than two values or more than 200, or the folder is a file.
    """
    check_settings(settings)
    if folder.is_file():
        raise SplitError(f"{folder}: a file; leave-one-out writes a folder. Give another --out.")
    prepared = prepare(collection, settings)
    by = settings.by or ""
    found = coded(prepared.table.take(prepared.rows), by)
    values = [found.values[place] for place in sorted(set(found.code_N.tolist()) - {-1})]
    if not 2 <= len(values) <= MOST_FOLDS:
        raise SplitError(
            f"leave-one-out by {by}: {len(values)} values; 2 to {MOST_FOLDS} are possible. "
            f"Hold some of them out at once with --method leave-out --by {by} --held-out VALUE."
        )
    folder.mkdir(parents=True, exist_ok=True)
    folds = [_fold(prepared, settings, v, folder, n) for n, v in enumerate(sorted(values), start=1)]
    _write_index(folds, folder / INDEX)
    return folds


def _fold(prepared: Prepared, settings: Settings, value: str, folder: Path, number: int) -> Fold:
    try:
        made = part(prepared, replace(settings, method=Method.LEAVE_OUT, held_out=(value,)))
    except SplitError as reason:
        return Fold(value, None, str(reason), {}, None, None)
    name = f"{number:03d}-{re.sub(r'[^A-Za-z0-9]+', '-', value).strip('-').lower()[:60]}.parquet"
    write_split(made, folder / name)
    missing, clean = made.audit["classes_not_in_train"], made.audit["clean"]
    return Fold(value, name, None, made.counts(), missing, clean)


def _write_index(folds: list[Fold], path: Path) -> None:
    roles = sorted({name for fold in folds for name in fold.counts})
    plain = [name.name for name in fields(Fold) if name.name != "counts"]
    with (
        files.written_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        table = csv.DictWriter(stream, [*plain, *roles], lineterminator="\n", restval=0)
        table.writeheader()
        for fold in folds:
            whole = asdict(fold)
            table.writerow(whole.pop("counts") | whole)
