"""Barcodes: open reading frames whose distances follow the tree."""

import itertools

import numpy as np
import pytest

from holotype.randomness import generator
from holotype.simulate import RANKS, SimulationSettings, TaxonTree
from holotype.simulate.barcodes import BarcodeEvolution, Haplotype, read_barcode
from holotype.simulate.codons import (
    CODE,
    NUM_CODONS,
    ancestor,
    constraints,
    evolve,
    to_text,
    translate,
)


@pytest.fixture(scope="module")
def evolution() -> BarcodeEvolution:
    return BarcodeEvolution(1)


@pytest.fixture(scope="module")
def distances(default_tree: TaxonTree, evolution: BarcodeEvolution) -> dict[str, list[float]]:
    """Per cent of differing bases between species, by the rank of their common ancestor."""
    found: dict[str, list[float]] = {"root": [], **{rank: [] for rank in RANKS}}
    for one, two in itertools.combinations(default_tree.species, 2):
        shared = sum(a == b for a, b in zip(one.names, two.names, strict=True))
        difference = evolution.sequence(one, rank="species") != evolution.sequence(
            two, rank="species"
        )
        found["root" if not shared else RANKS[shared - 1]].append(100 * float(difference.mean()))
    return found


def test_code_is_the_invertebrate_mitochondrial_one() -> None:
    # TAA, TAG stop; TGA is W, ATA is M, AGA and AGG are S, as in NCBI table 5.
    index = {"TAA": 10, "TAG": 11, "TGA": 14, "ATA": 34, "AGA": 46, "AGG": 47}
    assert {codon: CODE[place] for codon, place in index.items()} == {
        "TAA": "*", "TAG": "*", "TGA": "W", "ATA": "M", "AGA": "S", "AGG": "S",
    }  # fmt: skip


def test_no_haplotype_has_a_stop_in_frame(
    default_tree: TaxonTree, evolution: BarcodeEvolution
) -> None:
    for species in default_tree.species:
        for haplotype in evolution.haplotypes(species):
            protein = translate(haplotype.sequence)
            assert len(protein) == NUM_CODONS == 219
            assert "*" not in protein


def test_distances_grow_with_the_rank_of_the_common_ancestor(
    distances: dict[str, list[float]],
) -> None:
    means = {rank: float(np.mean(values)) for rank, values in distances.items() if values}
    order = ["genus", "family", "order", "class", "phylum", "kingdom", "root"]
    assert list(means) == ["root", "kingdom", "phylum", "class", "order", "family", "genus"]
    for near, far in itertools.pairwise(order):
        assert means[near] < means[far]
    assert 5 < means["genus"] < 10
    assert 14 < means["order"] < 20
    assert 18 < means["class"] < 25


def test_some_congeners_lack_a_barcode_gap(distances: dict[str, list[float]]) -> None:
    congeners = np.array(distances["genus"])
    assert 3 <= int((congeners < 2).sum()) <= 0.2 * len(congeners)
    assert np.mean((congeners > 4) & (congeners < 12)) > 0.5


def test_haplotypes_differ_by_at_most_one_and_a_half_per_cent(
    default_tree: TaxonTree, evolution: BarcodeEvolution
) -> None:
    counts = []
    for species in default_tree.species:
        haplotypes = evolution.haplotypes(species)
        counts.append(len(haplotypes))
        frequencies = [haplotype.frequency for haplotype in haplotypes]
        assert frequencies == sorted(frequencies, reverse=True)
        assert sum(frequencies) == pytest.approx(1.0)
        for one, two in itertools.combinations(haplotypes, 2):
            assert 0 < (one.sequence != two.sequence).mean() <= 0.015
    assert min(counts) == 1
    assert 2.5 < np.mean(counts) < 4
    assert max(counts) <= 8


def test_third_positions_change_most_and_second_least(
    default_tree: TaxonTree, evolution: BarcodeEvolution
) -> None:
    names = {species.name: species for species in default_tree.species}
    one = evolution.sequence(names["Calanus glacialis"], rank="species")[1:].reshape(-1, 3)
    changed = np.zeros(3)
    for species in default_tree.species:
        changed += (evolution.sequence(species, rank="species")[1:].reshape(-1, 3) != one).mean(0)
    first, second, third = changed
    assert third > 3 * first > 3 * second > 0


def test_transitions_outnumber_transversions_on_a_short_branch() -> None:
    rng = generator(5, "test")
    start = ancestor(rng)
    ends = [
        evolve(start, mutations_per_bp=0.3, constraint_C=constraints(rng), rng=rng)
        for _ in range(20)
    ]
    changed = [(int(a), int(b)) for end in ends for a, b in zip(start, end, strict=True) if a != b]
    transitions = sum(a // 2 == b // 2 for a, b in changed)
    assert transitions > 1.5 * (len(changed) - transitions)


def test_barcodes_are_rich_in_a_and_t(default_tree: TaxonTree, evolution: BarcodeEvolution) -> None:
    text = "".join(to_text(evolution.sequence(s, rank="species")) for s in default_tree.species)
    assert 0.6 < (text.count("A") + text.count("T")) / len(text) < 0.72


def test_noise_free_reading_is_the_haplotype() -> None:
    sequence = ancestor(generator(5, "test"))
    haplotype = Haplotype(name="h1", sequence=sequence, frequency=1.0)
    clean = SimulationSettings(unread_base_rate=0.0, trimmed_fraction=0.0)
    assert read_barcode(haplotype, settings=clean, rng=generator(1, "a")) == to_text(sequence)


def test_trimmed_reading_is_a_part_of_the_haplotype() -> None:
    sequence = ancestor(generator(5, "test"))
    haplotype = Haplotype(name="h1", sequence=sequence, frequency=1.0)
    trimmed = SimulationSettings(unread_base_rate=0.0, trimmed_fraction=1.0, max_trim_bp=20)
    for number in range(20):
        read = read_barcode(haplotype, settings=trimmed, rng=generator(1, str(number)))
        assert 658 - 40 <= len(read) <= 658
        assert read in to_text(sequence)
