"""Continuous traits that drift along the tree, and the inks that follow from them.

Reference: Felsenstein 1985, "Phylogenies and the comparative method", 10.1086/284325: Brownian
motion along branches as a model of trait evolution. Deviations: the variance of a branch is set
by its rank, not by time, and each individual adds a small deviation of its own.
"""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator
from holotype.simulate.canvas import Ink
from holotype.simulate.tree import Species

BRANCH_SIGMA: Mapping[str, float] = {"order": 0.55, "family": 0.6, "genus": 0.55, "species": 0.5}
"""Standard deviation of a trait's step on the branch above a taxon, by rank."""
INDIVIDUAL_SIGMA = 0.15
"""Standard deviation of an individual about its species."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How one body is built; every trait is a share 0..1 that a body plan turns into a length."""

    aspect: float
    taper: float
    curvature: float
    number: float
    reach: float
    sweep: float
    segments: float
    tail: float
    head: float
    organ: float
    spots: float
    stripes: float
    opacity: float
    hue: float
    size: float
    wings: float

    def count(self, name: str, low: int, high: int) -> int:
        """A trait as a whole number in low..high."""
        return low + min(int(getattr(self, name) * (high - low + 1)), high - low)

    def span(self, name: str, low: float, high: float) -> float:
        """A trait as a number between low and high."""
        return float(low + getattr(self, name) * (high - low))


TRAIT_NAMES = tuple(field.name for field in fields(Traits))
_COUNTED = tuple(TRAIT_NAMES.index(name) for name in ("number", "segments"))


@dataclass(frozen=True, slots=True)
class Inks:
    """Absorbances of the parts of one body."""

    body: Ink
    line: Ink
    organ: Ink
    accent: Ink
    pale: Ink


@lru_cache(maxsize=65_536)
def _node_step(seed: int, node: str, sigma: float) -> tuple[float, ...]:
    """The Brownian step on the branch above a taxon, one number per trait."""
    rng = generator(seed, f"traits/{node}")
    return tuple((sigma * rng.standard_normal(len(TRAIT_NAMES))).tolist())


def species_latents(seed: int, *, species: Species) -> NDArray[np.float64]:
    """The sum of the steps from the root to a species, shape (traits,), unbounded."""
    steps = [_node_step(seed, species.node(rank), sigma) for rank, sigma in BRANCH_SIGMA.items()]
    return np.asarray(np.sum(steps, axis=0))


def individual_traits(seed: int, *, species: Species, rng: np.random.Generator) -> Traits:
    """The traits of one individual; counts vary less than lengths."""
    own = INDIVIDUAL_SIGMA * rng.standard_normal(len(TRAIT_NAMES))
    own[list(_COUNTED)] *= 0.5
    shares = 0.5 + 0.5 * np.tanh(0.85 * (species_latents(seed, species=species) + own))
    return Traits(*(float(share) for share in shares))


def damaged(traits: Traits, *, rng: np.random.Generator) -> Traits:
    """The same individual with shortened appendages and tail."""
    return replace(
        traits,
        reach=traits.reach * float(rng.uniform(0.2, 0.7)),
        tail=traits.tail * float(rng.uniform(0.3, 1.0)),
    )


def mix_inks(traits: Traits, *, hues: tuple[float, float], density: float) -> Inks:
    """The inks of a body whose colours lie between two hues (0..1 round the colour circle)."""
    hue = traits.span("hue", *hues)
    strength = density * traits.span("opacity", 0.7, 1.3)
    accent_hue = hue + traits.span("stripes", -0.14, 0.14)
    return Inks(
        body=_ink(hue, saturation=0.55, strength=0.75 * strength),
        line=_ink(hue + 0.03, saturation=0.45, strength=1.7 * strength),
        organ=_ink(accent_hue, saturation=0.8, strength=1.6 * strength),
        accent=_ink(hue + 0.06, saturation=0.5, strength=2.4 * strength),
        pale=_ink(hue, saturation=0.5, strength=0.3 * strength),
    )


def _ink(hue: float, *, saturation: float, strength: float) -> Ink:
    """The absorbance of a dye of a hue whose mean absorbance is about ``strength``."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, 1.0)
    absorbed = np.array([1.25 - blue, 1.25 - green, 1.25 - red])
    blue_a, green_a, red_a = strength * absorbed / absorbed.mean()
    return float(blue_a), float(green_a), float(red_a)
