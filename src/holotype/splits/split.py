"""The command ``split``: a collection -> a split file with its audit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from holotype.collection.store import Collection, open_collection
from holotype.errors import SplitError, did_you_mean, first_few
from holotype.progress import note
from holotype.splits.family import Fold, split_each
from holotype.splits.held_out_taxa import Coarse
from holotype.splits.leave_out import Blank
from holotype.splits.make import make_split
from holotype.splits.plan import Role, Split, write_split
from holotype.splits.settings import Method, Settings

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True)
class SplitReport:
    """What a split holds.

    Attributes:
        split: its file; of ``leave-one-out`` the folder.
        counts: records by "role status".
        audit: what crosses its lines; ``audit["clean"]`` says whether nothing does.
        folds: of ``leave-one-out``, one for each value; ``counts`` is then empty.
    """

    split: str
    counts: dict[str, int]
    audit: dict[str, Any]
    folds: list[Fold] = field(default_factory=list)


def split(
    collection: Path | str,
    *,
    out: Path | str,
    method: Method | str = Method.STRATIFIED,
    seed: int = 0,
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    by: str | None = None,
    rank: str | None = None,
    held_out: Sequence[str] | str | None = None,
    blank: Blank | str = Blank.LEAVE_OUT,
    coarse: Coarse | str = Coarse.LEAVE_OUT,
    keep_together: Sequence[str] | str = (),
    near_duplicates: int | None = None,
    min_class: int = 1,
    per_class: int | None = None,
    require: Sequence[str] = (),
    allow_licence: Sequence[str] = (),
) -> SplitReport:
    """Parts a collection and writes the split with its audit.

    Records of one specimen, with identical image bytes or with identical barcodes never cross, unless the
    method is ``by-record``.

    Args:
        collection: its folder.
        out: the file to write; of ``leave-one-out`` the folder.
        method: ``stratified`` (same shares of every class), ``seen-unseen`` (CLIBD's keys and queries by
            species), ``held-out-taxa`` (the same with whole genera, families ...), ``leave-out`` (test on
            instruments, sites, cruises, years ..., train on the others), ``leave-one-out`` (one such split
            for each value), ``upstream`` (as the source published), ``by-record`` (no groups).
        seed: of the shuffling.
        fractions: train, val and test, for ``stratified``, ``by-record`` and ``leave-out``.
        by: what ``leave-out`` holds out: instrument, site, cruise, year, date, country, source, sample_id or
            acquisition_id.
        rank: of ``held-out-taxa``: kingdom to species, or written_label.
        held_out: the values of ``by``, or the taxa of ``rank``, to test on; one or several.
        blank: with ``leave-out``, records without a value: leave-out or train.
        coarse: with ``held-out-taxa``, records that might be of a held-out taxon: leave-out or train.
        keep_together: columns whose values never cross either: acquisition_id, sample_id, site, date ...
        near_duplicates: images alike within so many bits of their perceptual hash never cross either.
        min_class: classes of fewer records go whole to training.
        per_class: training keeps at most so many records of each class (few-shot).
        require: what a record must have to be used: ``barcode``, ``image``, ``marker=COI-5P``.
        allow_licence: licences that a record must be under: ``open``, ``CC-BY*``; without any, all may be.

    Raises:
        SplitError, CollectionError: when the collection or the settings do not allow it.
    """
    settings = Settings(
        _word(Method, "method", method), seed, tuple(fractions), by, rank, _several(held_out),
        _word(Blank, "blank", blank), _word(Coarse, "coarse", coarse), _several(keep_together),
        near_duplicates, min_class, per_class, tuple(require), tuple(allow_licence),
    )  # fmt: skip
    opened = open_collection(Path(collection))
    if settings.method is Method.LEAVE_ONE_OUT:
        folds = split_each(opened, settings, Path(out))
        return SplitReport(str(out), {}, {"clean": all(f.clean is not False for f in folds)}, folds)
    made = make_split(opened, settings)
    write_split(made, Path(out))
    _tell_markers(opened, made)
    return SplitReport(str(out), made.counts(), made.audit)


def _several(words: Sequence[str] | str | None) -> tuple[str, ...]:
    """Returns one word, several or none as a tuple."""
    return (words,) if isinstance(words, str) else tuple(words or ())


def _word(kind: type[Word], option: str, word: str) -> Word:
    if word not in set(kind):
        raise SplitError(f"no {option} '{word}'.{did_you_mean(str(word), [*kind])}")
    return kind(word)


def _tell_markers(collection: Collection, made: Split) -> None:
    """Notes on stderr when barcodes of several markers would be compared with one another."""
    used = pa.array(made.role_N != Role.UNUSED.value)
    found = set(collection.columns(["marker"])["marker"].filter(used).to_pylist()) - {None}
    if len(found) > 1:
        note(
            f"the split holds barcodes of several markers ({first_few(sorted(found))}), which cannot be "
            f"compared; keep one with --require marker={sorted(found)[0]}"
        )
