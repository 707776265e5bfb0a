"""Scores of labels or classes -> the best names of each specimen, as pybioclip writes them.

A name is a label, a taxon that several labels are of, a class of the user's own, or a bin of such classes.
Its score is the sum over those. Shapes: B specimens, L labels or classes, G names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holotype.errors import SourceError, did_you_mean, first_few
from holotype.exchange.answers.answered import Lineages, epithet_of
from holotype.identify.class_lists import read_rows
from holotype.identify.columns import RANKS
from holotype.taxonomy.lineage import Rank

CLASSES = ("file_name", "classification", "score")
LABEL = "label"
LEFT_OUT = -1
Cells = tuple[str | None, ...]


@dataclass(frozen=True)
class Names:
    """What specimens can be called.

    Attributes:
        header: the columns.
        cells: of each name, those between the file name and the score.
        name_L: int64, the name that each label belongs to, ``LEFT_OUT`` for none. Where some are left out the
            scores of the others are made to add up to 1.
    """

    header: tuple[str, ...]
    cells: tuple[Cells, ...]
    name_L: NDArray[np.int64]

    def best(
        self, score_BL: NDArray[np.floating], *, k: int | None
    ) -> Iterator[list[tuple[Cells, float]]]:
        """Yields the ``k`` best names of each specimen, all of them without it, best first.

        Nothing where no label that counts has a score above 0 (of a specimen that failed it is nan).
        """
        kept = np.flatnonzero(self.name_L != LEFT_OUT)
        share_BK = np.asarray(score_BL, dtype=np.float64)[:, kept]
        if len(kept) < len(self.name_L):
            with np.errstate(invalid="ignore", divide="ignore"):
                share_BK = share_BK / share_BK.sum(axis=1, keepdims=True)
        total_GB = np.zeros((len(self.cells), len(share_BK)))
        np.add.at(total_GB, self.name_L[kept], share_BK.T)
        for total_G in total_GB.T:
            if np.isnan(total_G).any():
                yield []
                continue
            order = np.argsort(-total_G, kind="stable")[:k].tolist()
            yield [(self.cells[name], float(total_G[name])) for name in order]


def pybioclip_columns(rank: Rank) -> tuple[str, ...]:
    """Returns the columns for a rank.

    >>> pybioclip_columns(Rank.PHYLUM)
    ('file_name', 'kingdom', 'phylum', 'score')
    """
    names = [*RANKS[: RANKS.index(rank.value) + 1]]
    if rank is Rank.SPECIES:
        names = [*names[:-1], "species_epithet", "species", "common_name"]
    return ("file_name", *names, "score")


def taxa(labels: Sequence[str], lineages: Lineages, rank: Rank) -> Names:
    """Returns the taxa of a rank; at species each label is a name, and so is one without a lineage at any."""
    of_label: list[tuple[object, Cells]] = []
    wanted = RANKS[: RANKS.index(rank.value) + 1]
    for label in labels:
        lineage = lineages.get(label, {})
        if rank is Rank.SPECIES:
            of_label.append((label, species_cells(label, lineage)))
        else:
            cells = tuple(lineage.get(each) for each in wanted)
            of_label.append((cells if any(cells) else label, cells))
    return _grouped(pybioclip_columns(rank), of_label)


def classes(names: Sequence[str], bins: Mapping[str, str] | None = None) -> Names:
    """Returns labels or classes by their own names, or those of their bins."""
    called = [name if bins is None else bins[name] for name in names]
    return _grouped(CLASSES, [(one, (one,)) for one in called])


def restricted(names: Names, kept_L: NDArray[np.bool_]) -> Names:
    """Returns the same names with some labels alone, and no name without one."""
    left = np.where(kept_L, names.name_L, LEFT_OUT)
    held, place_K = np.unique(left[kept_L], return_inverse=True)
    name_L = np.full(len(left), LEFT_OUT, dtype=np.int64)
    name_L[kept_L] = place_K
    return Names(names.header, tuple(names.cells[name] for name in held.tolist()), name_L)


def read_subset(path: Path, labels: Sequence[str], lineages: Lineages) -> NDArray[np.bool_]:
    """Returns which labels are of the taxa in the first column of a CSV, which says their rank; bool (L,).

    Raises:
        SourceError: for a column that is neither a rank nor ``label``, and names that no label is of.
    """
    (_, header), *rows = read_rows(path, f"--subset {path}")
    rank = header[0].strip().lower()
    if rank not in (*RANKS, LABEL):
        raise SourceError(
            f"--subset {path}: the first column is '{header[0]}'. Call it by the rank of its names: "
            f"{', '.join(RANKS)}, or {LABEL}."
        )
    wanted = dict.fromkeys(row[0].strip() for _, row in rows if row[0].strip())
    own = [label if rank == LABEL else lineages.get(label, {}).get(rank) for label in labels]
    known = sorted({name for name in own if name is not None})
    if not wanted:
        raise SourceError(f"--subset {path}: no name under '{rank}'. Write one a line.")
    if unknown := [name for name in wanted if name not in set(known)]:
        raise SourceError(
            f"--subset {path}, column {rank}: no label of this model is of {first_few(unknown)}."
            f"{did_you_mean(unknown[0], known) if known else f' It knows no {rank}.'}"
        )
    return np.asarray([name in wanted for name in own], dtype=np.bool_)


def species_cells(label: str, lineage: Mapping[str, str]) -> Cells:
    """Returns the cells of a label at species; its own name last, where the taxon does not say it."""
    species, genus = lineage.get("species"), lineage.get("genus")
    epithet = epithet_of(species, genus or "") if species else None
    narrowest = [*lineage.values()][-1] if lineage else None
    common = None if label == narrowest else label
    return (*(lineage.get(each) for each in RANKS[:-1]), epithet, species, common)


def _grouped(header: tuple[str, ...], of_label: Sequence[tuple[object, Cells]]) -> Names:
    place: dict[object, int] = {}
    cells: list[Cells] = []
    for key, shown in of_label:
        if key not in place:
            place[key] = len(cells)
            cells.append(shown)
    name_L = np.asarray([place[key] for key, _ in of_label], dtype=np.int64)
    return Names(header, tuple(cells), name_L)
