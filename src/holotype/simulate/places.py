"""Where, how deep and when specimens were collected; plausible, and related to the taxon."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from holotype.randomness import generator
from holotype.simulate.tree import Species

LAND_CLASSES = frozenset({"Insecta"})
FRESHWATER_TAXA = frozenset(
    {
        "Branchiopoda",
        "Eurotatoria",
        "Chlorophyceae",
        "Zygnematophyceae",
        "Cyclopidae",
        "Ceratium",
    }
)
"""Names at any rank whose members are simulated in lakes."""

Site = tuple[float, float, float]
"""Latitude and longitude in degrees (WGS 84), bottom depth in metres."""

SEA_SITES: tuple[Site, ...] = (
    (79.0, 3.0, 2_400.0),
    (72.5, 25.0, 300.0),
    (66.0, 2.0, 2_000.0),
    (56.0, 4.0, 60.0),
    (43.4, 7.9, 2_300.0),
    (31.7, -64.2, 4_500.0),
    (22.8, -158.0, 4_700.0),
    (50.0, -145.0, 4_200.0),
    (33.2, -120.0, 1_500.0),
    (-32.5, 15.0, 800.0),
    (-39.5, 156.0, 4_600.0),
    (-63.0, -62.5, 500.0),
)
LAKE_SITES: tuple[Site, ...] = (
    (47.6, 9.4, 200.0),
    (60.9, 31.5, 100.0),
    (42.2, -81.2, 20.0),
    (43.1, -89.4, 24.0),
    (-1.0, 33.0, 60.0),
    (35.2, 136.1, 80.0),
)
LAND_SITES: tuple[Site, ...] = (
    (9.9, -84.2, 0.0),
    (43.5, -80.2, 0.0),
    (59.8, 17.6, 0.0),
    (48.1, 11.6, 0.0),
    (-0.6, 10.2, 0.0),
    (-25.3, 31.0, 0.0),
    (18.8, 98.9, 0.0),
    (-33.9, 150.6, 0.0),
)
_FIRST_DAY = date(2012, 1, 1)


@dataclass(frozen=True, slots=True)
class Collecting:
    """One collecting event.

    Attributes:
        latitude_deg: WGS 84, north positive.
        longitude_deg: WGS 84, east positive.
        depth_m: Below the water's surface; None on land.
        collected_on: ISO date.
    """

    latitude_deg: float
    longitude_deg: float
    depth_m: float | None
    collected_on: str


def sites_of(species: Species) -> tuple[Site, ...]:
    """The sites where a species may live: on land, in lakes or at sea."""
    if LAND_CLASSES.intersection(species.names):
        return LAND_SITES
    return LAKE_SITES if FRESHWATER_TAXA.intersection(species.names) else SEA_SITES


def collect(seed: int, *, species: Species, rng: np.random.Generator) -> Collecting:
    """The event at which one individual was collected.

    A species has a favoured latitude, depth and season around those of its genus; the individual
    varies about them.
    """
    genus_rng = generator(seed, f"place/{species.node('genus')}")
    own_rng = generator(seed, f"place/{species.name}")
    sites = sites_of(species)
    home_deg = float(genus_rng.uniform(-60, 80) + 12 * own_rng.standard_normal())
    nearness = np.array([-(((site[0] - home_deg) / 20) ** 2) for site in sites])
    weights = np.exp(nearness - nearness.max()) + 0.02
    latitude, longitude, bottom_m = sites[rng.choice(len(sites), p=weights / weights.sum())]
    usual_m = 10 ** float(genus_rng.uniform(0.7, 2.4) + 0.15 * own_rng.standard_normal())
    depth_m = min(bottom_m, usual_m * float(rng.lognormal(0.0, 0.6)))
    peak_day = float(own_rng.uniform(100, 260)) + (182 if latitude < 0 else 0)
    day = round(peak_day + 35 * float(rng.standard_normal())) % 365
    collected_on = _FIRST_DAY + timedelta(days=365 * int(rng.integers(12)) + day)
    return Collecting(
        latitude_deg=round(latitude + 0.4 * float(rng.standard_normal()), 4),
        longitude_deg=round(longitude + 0.4 * float(rng.standard_normal()), 4),
        depth_m=None if sites is LAND_SITES else round(depth_m, 1),
        collected_on=collected_on.isoformat(),
    )
