"""COI-like barcodes evolved along the tree, haplotypes within species, and reading noise.

References: Folmer et al. 1994, "DNA primers for amplification of mitochondrial cytochrome c
oxidase subunit I from diverse metazoan invertebrates", Mol. Mar. Biol. Biotechnol. 3:294-299 (the
658-bp fragment); Hebert et al. 2003, 10.1098/rspb.2002.2218 (distances within and between
species); Meyer & Paulay 2005, 10.1371/journal.pbio.0030422 (species without a barcode gap).
Deviations: all taxa, algae too, share one gene and the invertebrate code; no insertions, no
pseudogenes; haplotypes form a star about the species' common one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from holotype.randomness import generator
from holotype.simulate.codons import Sequence, ancestor, constraints, evolve, mutate, to_text
from holotype.simulate.settings import SimulationSettings
from holotype.simulate.tree import RANKS, Species

BRANCH_MUTATIONS_PER_BP: Mapping[str, float] = {
    "kingdom": 1.0,
    "phylum": 0.8,
    "class": 0.6,
    "order": 0.7,
    "family": 0.75,
    "genus": 0.6,
    "species": 0.62,
}
"""Mutations offered per base on the branch above a taxon, by rank."""
BRANCH_SHAPE = 2.5
"""Shape of the gamma distribution of branch lengths; small values make rapid radiations."""
YOUNG_SHARE = 0.25
"""Share of species that split off recently, with a sixteenth of the usual branch."""
MAX_PRIVATE_CHANGES = 4
"""Most differences between a haplotype and its species' common one."""


@dataclass(frozen=True, slots=True)
class Haplotype:
    """One variant of a species' barcode.

    Attributes:
        name: ``calanus-glacialis-h1``; h1 is the common one.
        sequence: Base codes, 658 bp, no stop codon in frame.
        frequency: Share of the species' individuals that carry it.
    """

    name: str
    sequence: Sequence
    frequency: float


class BarcodeEvolution:
    """The barcodes of every taxon of one seed; each is evolved once, when first asked for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._constraint_C = constraints(generator(seed, "codon constraints"))
        self._sequences: dict[str, Sequence] = {}
        self._haplotypes: dict[str, tuple[Haplotype, ...]] = {}

    def sequence(self, species: Species, *, rank: str) -> Sequence:
        """The barcode of a species' ancestor at a rank, at ``species`` its own common one."""
        node = species.node(rank)
        if node not in self._sequences:
            depth = RANKS.index(rank)
            if depth:
                parent = self.sequence(species, rank=RANKS[depth - 1])
            else:
                parent = ancestor(generator(self._seed, "barcode/root"))
            rng = generator(self._seed, f"barcode/{node}")
            length = BRANCH_MUTATIONS_PER_BP[rank] * float(
                rng.gamma(BRANCH_SHAPE, 1 / BRANCH_SHAPE)
            )
            if rank == "species" and rng.random() < YOUNG_SHARE:
                length /= 16
            self._sequences[node] = evolve(
                parent, mutations_per_bp=length, constraint_C=self._constraint_C, rng=rng
            )
        return self._sequences[node]

    def haplotypes(self, species: Species) -> tuple[Haplotype, ...]:
        """The haplotypes of a species, all different, most frequent first."""
        if species.name not in self._haplotypes:
            self._haplotypes[species.name] = self._radiate(species)
        return self._haplotypes[species.name]

    def _radiate(self, species: Species) -> tuple[Haplotype, ...]:
        rng = generator(self._seed, f"haplotypes/{species.name}")
        common = self.sequence(species, rank="species")
        sequences = {to_text(common): common}
        for _ in range(int(min(rng.poisson(2.2), 7))):
            num_changes = int(min(rng.geometric(0.45), MAX_PRIVATE_CHANGES))
            variant = mutate(
                common, num_changes=num_changes, constraint_C=self._constraint_C, rng=rng
            )
            sequences.setdefault(to_text(variant), variant)
        weights = np.sort(rng.dirichlet([2.5] + [0.7] * (len(sequences) - 1)))[::-1]
        stem = species.name.lower().replace(" ", "-").replace(".", "")
        return tuple(
            Haplotype(name=f"{stem}-h{number}", sequence=sequence, frequency=float(weight))
            for number, (sequence, weight) in enumerate(
                zip(sequences.values(), weights, strict=True), start=1
            )
        )


def read_barcode(
    haplotype: Haplotype, *, settings: SimulationSettings, rng: np.random.Generator
) -> str:
    """The barcode as a sequencer reports it: letters ACGT, some N, ends trimmed at times."""
    letters = list(to_text(haplotype.sequence))
    num_unread = int(
        rng.poisson(settings.unread_base_rate * float(rng.gamma(0.5, 2.0)) * len(letters))
    )
    for site in rng.integers(len(letters), size=num_unread):
        letters[site] = "N"
    start, stop = 0, len(letters)
    if rng.random() < settings.trimmed_fraction:
        start = int(rng.integers(settings.max_trim_bp + 1))
        stop -= int(rng.integers(settings.max_trim_bp + 1))
    return "".join(letters[start:stop])
