"""Weights in 8 bits: by hand, by their bound, and what they change in a model."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from holotype.errors import BundleError
from holotype.inputs.materials import Materials
from holotype.models import quantised
from holotype.models.bundle import Bundle, open_bundle, write_bundle
from holotype.models.encode import encode
from holotype.models.quantised import SCALE, WeightKind, model_weights, stored_weights


@pytest.fixture
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrinks matrices of any size."""
    monkeypatch.setattr(quantised, "SMALL", 1)


@pytest.mark.usefixtures("any_size")
def test_by_hand() -> None:
    # Row 0: 127 levels of 2 are 254. Row 1: the largest is 0.127, so a level is 0.001.
    weights = {"w": torch.tensor([[254.0, -3.0], [0.0504, -0.127]]), "b": torch.tensor([1.5, 2.5])}
    stored = stored_weights(weights, WeightKind.INT8)
    assert stored["w"].dtype is torch.int8
    assert stored["w"].tolist() == [[127, -2], [50, -127]]
    assert stored["w" + SCALE].tolist() == pytest.approx([2.0, 0.001])
    assert stored["b"] is weights["b"]
    back = model_weights(stored)
    assert back.keys() == weights.keys()
    assert back["w"].flatten().tolist() == pytest.approx([254.0, -4.0, 0.050, -0.127], abs=1e-6)


def test_small_tensors_whole_numbers_and_vectors_stay() -> None:
    weights = {
        "small": torch.randn(4, 5),
        "vector": torch.randn(70_000),
        "one_row": torch.randn(1, 70_000),
        "count": torch.ones(300, 300, dtype=torch.int64),
        "large": torch.randn(300, 300),
    }
    stored = stored_weights(weights, WeightKind.INT8)
    assert {name for name, value in stored.items() if value.dtype is torch.int8} == {"large"}
    assert stored.keys() == weights.keys() | {"large" + SCALE}
    assert stored_weights(weights, WeightKind.FLOAT32).keys() == weights.keys()


@given(st.integers(0, 10_000), st.floats(1e-6, 1e6))
def test_no_value_is_off_by_more_than_half_a_level(seed: int, size: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    kernel = size * torch.randn(96, 32, 5, 5, generator=generator)
    kernel[3] = 0
    stored = stored_weights({"k": kernel}, WeightKind.INT8)
    level = stored["k" + SCALE].reshape(-1, 1, 1, 1)
    back = model_weights(stored)["k"]
    assert ((back - kernel).abs() <= level * 0.5001).all()
    assert (back[3] == 0).all()
    again = stored_weights({"k": back}, WeightKind.INT8)
    assert torch.equal(again["k"], stored["k"])


def test_what_is_not_finite_is_refused() -> None:
    weights = {"w": torch.full((300, 300), float("nan"))}
    with pytest.raises(BundleError, match="'w': not finite"):
        stored_weights(weights, WeightKind.INT8)


@pytest.mark.usefixtures("any_size")
def test_an_int8_bundle_answers_nearly_alike(
    tiny_bundle: Bundle, tiny_materials: Materials, tmp_path
) -> None:
    write_bundle(
        tmp_path / "small",
        tiny_bundle.model.settings,
        tiny_bundle.model.state_dict(),
        tiny_bundle.labels,
        tiny_bundle.temperature,
        tiny_bundle.manifest["training"],
        "card",
        kind=WeightKind.INT8,
    )
    small = open_bundle(tmp_path / "small")
    assert small.weights is WeightKind.INT8
    assert tiny_bundle.weights is WeightKind.FLOAT32
    before = (tiny_bundle.path / "model.safetensors").stat().st_size
    assert (tmp_path / "small" / "model.safetensors").stat().st_size < 0.45 * before
    assert load_file(tmp_path / "small" / "model.safetensors")["head.weight"].dtype is torch.int8
    rows = np.arange(60)
    first, second = (encode(b.model, tiny_materials, rows=rows) for b in (tiny_bundle, small))
    for modality in first:
        cosine = (first[modality].z_RD * second[modality].z_RD).sum(axis=1)
        assert cosine.min() > 0.998
        assert not np.array_equal(first[modality].z_RD, second[modality].z_RD)
