"""How a split is made: the methods, what each of them listens to, and all other settings."""

from dataclasses import dataclass, fields
from enum import StrEnum

from holotype.errors import SplitError
from holotype.media.likeness import MOST_BITS
from holotype.splits.columns import separating_or_raise
from holotype.splits.held_out_taxa import Coarse
from holotype.splits.leave_out import Blank
from holotype.splits.plan import fractions_or_raise


class Method(StrEnum):
    """How to part a collection."""

    STRATIFIED = "stratified"
    SEEN_UNSEEN = "seen-unseen"
    HELD_OUT_TAXA = "held-out-taxa"
    LEAVE_OUT = "leave-out"
    LEAVE_ONE_OUT = "leave-one-out"
    UPSTREAM = "upstream"
    BY_RECORD = "by-record"


@dataclass(frozen=True)
class Settings:
    """How a split is made; see ``split`` for what each means."""

    method: Method = Method.STRATIFIED
    seed: int = 0
    fractions: tuple[float, ...] = (0.7, 0.1, 0.2)
    by: str | None = None
    rank: str | None = None
    held_out: tuple[str, ...] = ()
    blank: Blank = Blank.LEAVE_OUT
    coarse: Coarse = Coarse.LEAVE_OUT
    keep_together: tuple[str, ...] = ()
    near_duplicates: int | None = None
    min_class: int = 1
    per_class: int | None = None
    require: tuple[str, ...] = ()
    allow_licence: tuple[str, ...] = ()


LISTENS: dict[Method, frozenset[str]] = {
    Method.STRATIFIED: frozenset({"fractions", "min_class", "keep_together", "near_duplicates"}),
    Method.SEEN_UNSEEN: frozenset({"keep_together", "near_duplicates"}),
    Method.HELD_OUT_TAXA: frozenset(
        {"rank", "held_out", "coarse", "keep_together", "near_duplicates"}
    ),
    Method.LEAVE_OUT: frozenset(
        {"fractions", "min_class", "by", "held_out", "blank", "keep_together", "near_duplicates"}
    ),
    Method.LEAVE_ONE_OUT: frozenset(
        {"fractions", "min_class", "by", "blank", "keep_together", "near_duplicates"}
    ),
    Method.UPSTREAM: frozenset({"keep_together", "near_duplicates"}),
    Method.BY_RECORD: frozenset({"fractions", "min_class"}),
}
"""Beside ``seed``, ``require``, ``allow_licence`` and ``per_class``, which all listen to."""
_ALL = frozenset({"method", "seed", "require", "allow_licence", "per_class"})


def check_settings(settings: Settings) -> None:
    """Raises ``SplitError`` when a setting is wrong, is missing, or would do nothing with the method."""
    method = settings.method
    for setting in fields(settings):
        changed = getattr(settings, setting.name) != setting.default
        if changed and setting.name not in LISTENS[method] | _ALL:
            option = "--" + setting.name.replace("_", "-")
            users = ", ".join(m for m, names in LISTENS.items() if setting.name in names)
            raise SplitError(f"{option} does nothing with --method {method}; it is for {users}.")
    fractions_or_raise(settings.fractions)
    for column in settings.keep_together:
        separating_or_raise("--keep-together", column)
    if method in {Method.LEAVE_OUT, Method.LEAVE_ONE_OUT}:
        separating_or_raise("--by", settings.by or "(nothing)")
    if method is Method.HELD_OUT_TAXA and settings.rank is None:
        raise SplitError("--method held-out-taxa: say of which rank with --rank, as --rank genus.")
    if settings.near_duplicates is not None and not 0 <= settings.near_duplicates <= MOST_BITS:
        raise SplitError(f"--near-duplicates {settings.near_duplicates}: give 0 to {MOST_BITS}.")
    if settings.min_class < 1 or (settings.per_class is not None and settings.per_class < 1):
        raise SplitError("--min-class and --per-class: give 1 or more.")
