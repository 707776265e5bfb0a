"""One temperature, found again."""

import numpy as np
import pytest

from holotype.decisions.temperature import fit_temperature


def drawn(temperature: float, count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sure by a factor, and labels drawn from the right probabilities."""
    rng = np.random.default_rng(0)
    right_BL = rng.normal(size=(count, 6)) * 1.5
    p_BL = np.exp(right_BL) / np.exp(right_BL).sum(axis=1, keepdims=True)
    label_B = (rng.random((count, 1)) > p_BL.cumsum(axis=1)).sum(axis=1).clip(0, 5)
    return (temperature * right_BL).astype(np.float32), np.eye(6, dtype=bool)[label_B]


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    logit_BL, agrees_BL = drawn(temperature)
    assert fit_temperature(logit_BL, agrees_BL) == pytest.approx(temperature, rel=0.06)


def test_coarse_answers_are_judged_by_their_sum() -> None:
    logit_BL, agrees_BL = drawn(2.0)
    # Known only to one of three pairs: (0, 1), (2, 3), (4, 5).
    coarse_BL = np.repeat(agrees_BL.reshape(-1, 3, 2).any(axis=2), 2, axis=1)
    assert fit_temperature(logit_BL, coarse_BL) == pytest.approx(2.0, rel=0.08)


def test_adding_a_constant_to_a_row_changes_nothing() -> None:
    logit_BL, agrees_BL = drawn(2.0, 400)
    shifted = logit_BL + np.linspace(-5, 5, 400, dtype=np.float32)[:, None]
    expected = fit_temperature(logit_BL, agrees_BL)
    assert fit_temperature(shifted, agrees_BL) == pytest.approx(expected, rel=1e-3)


def test_a_handful_of_records_says_too_little() -> None:
    logit_BL, agrees_BL = drawn(3.0)
    assert fit_temperature(logit_BL[:19], agrees_BL[:19]) == 1.0
    assert fit_temperature(logit_BL[:20], agrees_BL[:20]) != 1.0


def test_never_wrong_ends_at_the_bound() -> None:
    logit_BL = np.tile(np.asarray([[1.0, 0.0]], dtype=np.float32), (50, 1))
    agrees_BL = np.tile(np.asarray([[True, False]]), (50, 1))
    assert fit_temperature(logit_BL, agrees_BL) == pytest.approx(0.05, rel=0.01)
