"""Settings: frozen, strict, and every field explained."""

import pytest
from pydantic import ValidationError

from holotype.simulate import SimulationSettings


def test_every_field_is_described() -> None:
    silent = [
        name for name, field in SimulationSettings.model_fields.items() if not field.description
    ]
    assert silent == []


def test_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="num_specie"):
        SimulationSettings.model_validate({"num_specie": 10})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SimulationSettings().seed = 2  # type: ignore[misc]


def test_sides_closer_than_a_factor_two_are_refused() -> None:
    with pytest.raises(
        ValidationError, match="min_side_px=40, max_side_px=79: max_side_px must be"
    ):
        SimulationSettings(min_side_px=40, max_side_px=79)
