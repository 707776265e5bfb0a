"""The different lineages of a collection: what each is called, and its path in the tree that is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Rank

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
LINEAGE_COLUMNS = (*RANKS, "kind", "group", "qualifier", "other_ranks")
NO_NAME = "no name"
KIND, GROUP, NONE = "kind", "group", "none"
"""What a node of the tree is that is no taxon."""
_DEPTH = {rank.value: depth for depth, rank in enumerate(Rank)}

Node = tuple[str, str]
"""Rank and name; ``kind``, ``group`` or ``none`` in the place of the rank of what is no taxon."""
Path = tuple[Node, ...]


@dataclass(frozen=True)
class Lineages:
    """The different lineages.

    Attributes:
        paths: nodes from the widest to the narrowest.
        labels: the narrowest name with what is shown of the organism, or the group of what is no taxon.
        label_ranks: rank of that name, None for what is no taxon.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    label_ranks: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def nodes(self) -> tuple[Path, ...]:
        """Every node of the tree, in the order in which they are first met."""
        return tuple(
            dict.fromkeys(path[:end] for path in self.paths for end in range(1, len(path) + 1))
        )

    @cached_property
    def place(self) -> Mapping[Path, int]:
        """The place of each node in ``nodes``."""
        return {path: at for at, path in enumerate(self.nodes)}

    @cached_property
    def children(self) -> Mapping[Path, tuple[int, ...]]:
        """The places of the children of each node; of the root under ``()``."""
        found: dict[Path, list[int]] = {}
        for at, path in enumerate(self.nodes):
            found.setdefault(path[:-1], []).append(at)
        return {path: tuple(places) for path, places in found.items()}

    @cached_property
    def node_DL(self) -> NDArray[np.int32]:
        """The place of the node of each lineage at each depth, int32 (D, L); -1 where it is shorter."""
        depth = max((len(path) for path in self.paths), default=0)
        found = np.full((depth, len(self.paths)), -1, dtype=np.int32)
        for at, path in enumerate(self.paths):
            for end in range(len(path)):
                found[end, at] = self.place[path[: end + 1]]
        return found

    def under(self, path: Path) -> NDArray[np.bool_]:
        """Returns which lineages lie at or under a node, bool (lineages,)."""
        depth = len(path)
        return np.asarray([one[:depth] == path for one in self.paths], dtype=np.bool_)


def lineages_of(
    values: Mapping[str, Sequence[str | None]], codes: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.int32], Lineages]:
    """Returns the lineage of each record, and the different lineages.

    Args:
        values: column -> text of each code, None first.
        codes: column -> code of each record.
    """
    key_N = np.zeros(len(codes[RANKS[0]]), dtype=np.int64)
    first_L = np.zeros(0, dtype=np.int64)
    for name in LINEAGE_COLUMNS:
        joined = key_N * max(1, len(values[name])) + codes[name]
        _, first_L, key_N = np.unique(joined, return_index=True, return_inverse=True)
    rows = [
        {name: values[name][int(codes[name][row])] for name in LINEAGE_COLUMNS}
        for row in first_L.tolist()
    ]
    called = [_called(row) for row in rows]
    found = Lineages(
        tuple(_path(row) for row in rows),
        tuple(label for label, _ in called),
        tuple(rank for _, rank in called),
    )
    return key_N.astype(np.int32), found


def _path(row: Mapping[str, str | None]) -> Path:
    taxa = tuple((rank, name) for rank in RANKS if (name := row[rank]) is not None)
    if taxa:
        return taxa
    kind, group = row["kind"], row["group"]
    if group is None and (kind is None or kind == Kind.LIVING.value):
        label, rank = _called(row)
        return ((rank or NONE, label),)
    above = ((KIND, kind),) if kind is not None else ()
    return above if group is None else (*above, (GROUP, group))


def _called(row: Mapping[str, str | None]) -> tuple[str, str | None]:
    rank = next((rank for rank in reversed(RANKS) if row[rank] is not None), None)
    name = row[rank] if rank is not None else None
    further, _, narrow = (row["other_ranks"] or "").partition("\t")
    if narrow and _DEPTH.get(further, -1) > _DEPTH.get(rank or "", -1):
        rank, name = further, narrow
    base = name or row["group"] or (row["kind"] if row["kind"] != Kind.LIVING.value else None)
    if base is None:
        return NO_NAME, None
    shown = row["qualifier"]
    return base if shown in (None, WHOLE) else f"{base} ({shown})", rank
