"""The tree of names: real taxa from a table, then invented species with interim names.

Names are real as far as the table goes and are used only as labels: shapes and barcodes are
simulated and show nothing of the real species. The classification follows general use (WoRMS,
AlgaeBase) without being a copy of any release.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from holotype.randomness import generator
from holotype.simulate.settings import SimulationSettings

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")


@dataclass(frozen=True, slots=True)
class Species:
    """One leaf of the tree.

    Attributes:
        names: One name per rank of ``RANKS``; the last is the full binomial or interim name.
        is_interim: Whether the species is invented (``Calanus sp. H0001``).
        label_rank: The finest rank that specimens of this species are labelled with.
    """

    names: tuple[str, ...]
    is_interim: bool
    label_rank: str

    @property
    def name(self) -> str:
        """The species name."""
        return self.names[-1]

    def node(self, rank: str) -> str:
        """The path from the root to the ancestor at a rank, as ``Animalia/Arthropoda``."""
        return "/".join(self.names[: RANKS.index(rank) + 1])

    def true_names(self) -> dict[str, str]:
        """Rank to name, down to species."""
        return dict(zip(RANKS, self.names, strict=True))

    def label_names(self) -> dict[str, str]:
        """Rank to name, down to the rank that is written on the label."""
        depth = RANKS.index(self.label_rank) + 1
        return dict(zip(RANKS[:depth], self.names[:depth], strict=True))


@dataclass(frozen=True, slots=True)
class TaxonTree:
    """The species of a simulation, sorted so that relatives stand together."""

    species: tuple[Species, ...]

    def taxa(self, rank: str) -> tuple[str, ...]:
        """The distinct names at a rank, in tree order."""
        column = RANKS.index(rank)
        return tuple(dict.fromkeys(species.names[column] for species in self.species))


def read_taxa() -> tuple[tuple[str, ...], ...]:
    """The rows of the packaged table of real species, one name per rank, checked.

    Raises:
        ValueError: A row has an empty or missing cell, a species repeats, or a taxon has two
            parents.
    """
    text = files("holotype.simulate").joinpath("taxa.tsv").read_text(encoding="utf-8")
    header, *lines = text.splitlines()
    if tuple(header.split("\t")) != RANKS:
        message = f"taxa.tsv:1: found columns {header.split()}; expected {list(RANKS)}."
        raise ValueError(message)
    rows = tuple(tuple(line.split("\t")) for line in lines)
    check_lineages(rows)
    return rows


def check_lineages(rows: Iterable[tuple[str, ...]]) -> None:
    """Check that rows form a tree: complete, no species twice, one parent for each taxon.

    Raises:
        ValueError: All problems found, with the place of each row in ``rows``, first row 1.
    """
    problems: list[str] = []
    parents: dict[tuple[str, str], str] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if len(row) != len(RANKS) or not all(row):
            problems.append(f"row {number}: found {len(row)} cells {row}; expected {len(RANKS)}")
            continue
        if row[-1] in seen:
            problems.append(f"row {number}: species {row[-1]!r} repeats")
        seen.add(row[-1])
        for rank, parent, child in zip(RANKS[1:], row, row[1:], strict=False):
            known = parents.setdefault((rank, child), parent)
            if known != parent:
                problems.append(f"row {number}: {rank} {child!r} is in {known!r} and {parent!r}")
    if problems:
        message = "The lineages are no tree; correct these rows: " + "; ".join(problems)
        raise ValueError(message)


def build_tree(settings: SimulationSettings) -> TaxonTree:
    """The tree that the settings ask for.

    With fewer species than the table holds, whole genera are kept, taking a class after the
    other so that a small tree is still a broad one. With more, genera gain invented species
    with interim names, ``sp.`` and a number, as unnamed barcode clusters have in real archives.
    """
    rows = _choose_rows(settings)
    names = sorted(rows + _invent_rows(rows, settings=settings))
    check_lineages(names)
    label_ranks = _label_ranks(names, settings=settings)
    return TaxonTree(
        species=tuple(
            Species(names=row, is_interim=is_interim(row), label_rank=label_ranks[row[-1]])
            for row in names
        )
    )


def is_interim(row: tuple[str, ...]) -> bool:
    """Whether the row's species has an invented, interim name."""
    return " sp. H" in row[-1]


def _choose_rows(settings: SimulationSettings) -> list[tuple[str, ...]]:
    """Real species: all of them, or whole genera of each class in turn."""
    genera: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for row in read_taxa():
        genera.setdefault((row[2], row[5]), []).append(row)
    rng = generator(settings.seed, "genera")
    turn: dict[tuple[str, str], tuple[int, float]] = {}
    taken: dict[str, int] = {}
    for index in rng.permutation(len(genera)):
        key = list(genera)[index]
        turn[key] = (taken.get(key[0], 0), float(rng.random()))
        taken[key[0]] = turn[key][0] + 1
    rows = [row for key in sorted(genera, key=lambda key: turn[key]) for row in genera[key]]
    return rows[: settings.num_species]


def _invent_rows(
    rows: list[tuple[str, ...]], *, settings: SimulationSettings
) -> list[tuple[str, ...]]:
    """Species with interim names that bring the tree to the number asked for."""
    genera = list(dict.fromkeys(row[:-1] for row in sorted(rows)))
    missing = settings.num_species - len(rows)
    rng = generator(settings.seed, "interim species")
    chosen = rng.integers(len(genera), size=missing)
    return [
        (*genera[index], f"{genera[index][-1]} sp. H{number:04d}")
        for number, index in enumerate(chosen, start=1)
    ]


def _label_ranks(names: list[tuple[str, ...]], *, settings: SimulationSettings) -> dict[str, str]:
    """The finest rank on the labels of each species, interim names losing theirs first."""
    rng = generator(settings.seed, "unnamed species")
    order = sorted((not is_interim(row), float(rng.random()), row[-1]) for row in names)
    num_unnamed = round(settings.unnamed_species_fraction * len(names))
    ranks = {name: "species" for _, _, name in order}
    for _, _, name in order[:num_unnamed]:
        coarse = generator(settings.seed, f"label/{name}").random() < 1 / 3
        ranks[name] = "order" if coarse else "family"
    return ranks
