"""Specimens, one after the other: an image, a barcode, names, and where they come from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from holotype.randomness import generator
from holotype.simulate.barcodes import BarcodeEvolution, Haplotype, read_barcode
from holotype.simulate.instruments import INSTRUMENTS, Capture, Instrument, capture
from holotype.simulate.places import collect
from holotype.simulate.settings import SimulationSettings
from holotype.simulate.shapes import draw_individual
from holotype.simulate.tree import RANKS, Species, TaxonTree, build_tree

MARKER = "COI-5P"
"""The marker's name as BOLD writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One specimen; it has an image, a barcode, or both.

    Attributes:
        specimen_id: ``SIM-000123``.
        image: The bytes of a JPEG or PNG file.
        image_name: The name of that file.
        barcode: Letters ACGTN, at most 658 bp; codons start at the second base if untrimmed.
        marker: ``COI-5P`` where there is a barcode.
        instrument: A name in ``INSTRUMENTS``.
        pixel_size_um: Size of an image pixel, in micrometres.
        names: Rank to name as labelled; species is the full binomial; ends early where the label
            does.
        true_names: Rank to name, all ranks, without labelling errors.
        haplotype: The true haplotype's name where there is a barcode.
        latitude_deg: WGS 84, north positive.
        longitude_deg: WGS 84, east positive.
        depth_m: Below the water's surface; None on land.
        collected_on: ISO date.
    """

    specimen_id: str
    image: bytes | None
    image_name: str | None
    barcode: str | None
    marker: str | None
    instrument: str
    pixel_size_um: float
    names: dict[str, str]
    true_names: dict[str, str]
    haplotype: str | None
    latitude_deg: float
    longitude_deg: float
    depth_m: float | None
    collected_on: str


def simulate_specimens(settings: SimulationSettings) -> Iterator[Specimen]:
    """The specimens that the settings ask for, in a fixed random order, one at a time.

    Each depends on the settings, its species and its number within the species only, so that
    two runs give the same bytes.
    """
    tree = build_tree(settings)
    evolution = BarcodeEvolution(settings.seed)
    individuals = [
        (species, number)
        for species in tree.species
        for number in range(num_specimens(settings, species=species))
    ]
    order = generator(settings.seed, "order").permutation(len(individuals))
    for position, index in enumerate(order):
        species, number = individuals[index]
        yield _simulate(
            f"SIM-{position:06d}",
            species=species,
            name=f"{species.name}/{number}",
            settings=settings,
            tree=tree,
            evolution=evolution,
        )


def num_specimens(settings: SimulationSettings, *, species: Species) -> int:
    """How many specimens of a species there are: one, or log-normal and at least two."""
    rng = generator(settings.seed, f"abundance/{species.name}")
    if rng.random() < settings.singleton_fraction:
        return 1
    median, sigma = settings.median_specimens_per_species, settings.abundance_sigma
    drawn = round(median * float(np.exp(sigma * rng.standard_normal())))
    return min(max(2, drawn), settings.max_specimens_per_species)


def _simulate(
    specimen_id: str,
    *,
    species: Species,
    name: str,
    settings: SimulationSettings,
    tree: TaxonTree,
    evolution: BarcodeEvolution,
) -> Specimen:
    """One specimen; ``name`` seeds its generators."""
    seed = settings.seed
    instrument = _choose_instrument(seed, species=species, name=name)
    rng = generator(seed, f"modalities/{name}")
    has_image = bool(rng.random() < settings.image_fraction)
    draw = rng.random()
    has_barcode = (
        bool(draw < settings.barcode_fraction) or not has_image or species.label_rank != "species"
    )
    taken = _take_image(settings, species=species, instrument=instrument, name=name)
    haplotype = _choose_haplotype(evolution.haplotypes(species), seed=seed, name=name)
    barcode_rng = generator(seed, f"reading/{name}")
    place = collect(seed, species=species, rng=generator(seed, f"event/{name}"))
    return Specimen(
        specimen_id=specimen_id,
        image=taken.encoded if has_image else None,
        image_name=f"{specimen_id}{instrument.suffix}" if has_image else None,
        barcode=read_barcode(haplotype, settings=settings, rng=barcode_rng)
        if has_barcode
        else None,
        marker=MARKER if has_barcode else None,
        instrument=instrument.name,
        pixel_size_um=taken.pixel_size_um,
        names=_label(settings, species=species, name=name, tree=tree),
        true_names=species.true_names(),
        haplotype=haplotype.name if has_barcode else None,
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        depth_m=place.depth_m,
        collected_on=place.collected_on,
    )


def _choose_instrument(seed: int, *, species: Species, name: str) -> Instrument:
    """The instrument: a class has its favourite, a species leans a little, none is excluded."""
    class_rng = generator(seed, f"instruments/{species.node('class')}")
    species_rng = generator(seed, f"instruments/{species.name}")
    lean = 0.9 * class_rng.standard_normal(len(INSTRUMENTS))
    lean += 0.4 * species_rng.standard_normal(len(INSTRUMENTS))
    weights = np.exp(lean) + 0.1
    rng = generator(seed, f"instrument/{name}")
    return list(INSTRUMENTS.values())[rng.choice(len(INSTRUMENTS), p=weights / weights.sum())]


def _take_image(
    settings: SimulationSettings, *, species: Species, instrument: Instrument, name: str
) -> Capture:
    """The image of an individual."""
    rng = generator(settings.seed, f"image/{name}")
    drawing = draw_individual(
        settings.seed,
        species=species,
        rng=rng,
        pose_spread_rad=instrument.pose_spread_rad,
        is_damaged=bool(rng.random() < settings.damaged_fraction),
    )
    return capture(
        drawing,
        instrument=instrument,
        rng=rng,
        min_side_px=settings.min_side_px,
        max_side_px=settings.max_side_px,
    )


def _choose_haplotype(haplotypes: tuple[Haplotype, ...], *, seed: int, name: str) -> Haplotype:
    """The haplotype an individual carries, by frequency."""
    rng = generator(seed, f"haplotype/{name}")
    frequencies = np.array([haplotype.frequency for haplotype in haplotypes])
    return haplotypes[rng.choice(len(haplotypes), p=frequencies / frequencies.sum())]


def _label(
    settings: SimulationSettings, *, species: Species, name: str, tree: TaxonTree
) -> dict[str, str]:
    """The names on the label, of a wrong species for a share of specimens."""
    rng = generator(settings.seed, f"label/{name}")
    if rng.random() >= settings.label_noise or len(tree.species) == 1:
        return species.label_names()
    for rank in reversed(RANKS[:-1]):
        node = species.node(rank)
        near = [other for other in tree.species if other.node(rank) == node and other != species]
        if near:
            return near[rng.integers(len(near))].label_names()
    others = [other for other in tree.species if other != species]
    return others[rng.integers(len(others))].label_names()
