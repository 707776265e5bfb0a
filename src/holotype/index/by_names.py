"""Records by lineage: a path of names, each of which they bear exactly."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.errors import SourceError, did_you_mean
from holotype.index.filters import as_mask, names_at
from holotype.index.records import RANKS

Taken = tuple[str, tuple[str, ...]]
"""A name and the ranks at which it may stand."""


def records_of_lineage(records: pa.Table, written: str) -> NDArray[np.bool_]:
    """Returns which records have a lineage, bool (records,).

    ``Animalia Arthropoda``: names from wide to narrow, ranks may be left out between; a binomial is one name.
    ``phylum:Ctenophora`` says at which rank a name is meant.

    Raises:
        SourceError: for a name that no record bears, and for one that several ranks have in this place.
    """
    known = {rank: set(names_at(records, rank)) for rank in RANKS}
    taken = _taken(written, known)
    ways = _ways(taken)
    if not ways:
        raise SourceError(f"lineage '{written}': its names do not go from wide to narrow.")
    masks = {way: _bearing(records, taken, way) for way in ways}
    held = {way: mask for way, mask in masks.items() if mask.any()}
    if len(held) > 1:
        told = " or ".join(" ".join(_told(taken, way)) for way in held)
        raise SourceError(f"lineage '{written}' has several readings. Write {told}.")
    return next(iter(held.values())) if held else np.zeros(records.num_rows, dtype=np.bool_)


def _taken(written: str, known: dict[str, set[str]]) -> list[Taken]:
    """Returns the names of a lineage with the ranks that have them; the longest name that is known wins."""
    words = written.replace(",", " ").replace(";", " ").split()
    if not words:
        raise SourceError("lineage without a name. Write it as 'Animalia Arthropoda'.")
    found: list[Taken] = []
    while words:
        for length in range(len(words), 0, -1):
            prefix, _, name = " ".join(words[:length]).rpartition(":")
            asked = (prefix,) if prefix else RANKS
            ranks = tuple(rank for rank in asked if name in known.get(rank, ()))
            if ranks:
                found.append((name, ranks))
                words = words[length:]
                break
        else:
            everything = [name for names in known.values() for name in names]
            raise SourceError(
                f"lineage '{written}': no record bears '{words[0]}'.{did_you_mean(words[0], everything)}"
            )
    return found


def _ways(taken: list[Taken]) -> list[tuple[str, ...]]:
    """Returns the ranks that the names can stand at together, each narrower than the one before."""
    ways: list[tuple[str, ...]] = [()]
    for _, ranks in taken:
        ways = [
            (*way, rank)
            for way in ways
            for rank in ranks
            if not way or RANKS.index(rank) > RANKS.index(way[-1])
        ]
    return ways


def _bearing(records: pa.Table, taken: list[Taken], way: tuple[str, ...]) -> NDArray[np.bool_]:
    masks = [
        as_mask(pc.equal(records[rank], name)) for (name, _), rank in zip(taken, way, strict=True)
    ]
    found: NDArray[np.bool_] = np.logical_and.reduce(masks)
    return found


def _told(taken: list[Taken], way: tuple[str, ...]) -> list[str]:
    return [f"{rank}:{name}" for (name, _), rank in zip(taken, way, strict=True)]
