"""Collections that several tests look at, made once."""

import pytest

from holotype.simulate import (
    SimulationSettings,
    Specimen,
    TaxonTree,
    build_tree,
    simulate_specimens,
)


@pytest.fixture(scope="session")
def default_settings() -> SimulationSettings:
    return SimulationSettings()


@pytest.fixture(scope="session")
def default_tree(default_settings: SimulationSettings) -> TaxonTree:
    return build_tree(default_settings)


@pytest.fixture(scope="session")
def small_settings() -> SimulationSettings:
    return SimulationSettings(
        seed=3, num_species=48, median_specimens_per_species=9, unnamed_species_fraction=0.2
    )


@pytest.fixture(scope="session")
def small_collection(small_settings: SimulationSettings) -> list[Specimen]:
    return list(simulate_specimens(small_settings))
