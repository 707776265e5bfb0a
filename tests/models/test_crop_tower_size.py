"""What image towers are told of the size of a crop."""

import pytest
import torch

from holotype.models.crop_tower import CropTower
from holotype.models.sizes import SizeReading, size_features
from holotype.models.towers import ImageSettings, image_tower

NAN = float("nan")
SIZES = torch.tensor(
    [[74.0, 200.0, 740.0, 2000.0], [200.0, 74.0, 2000.0, 740.0], [0.5, NAN, 740.0, 2000.0]]
)


def stirred(module: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def test_size_features_by_hand() -> None:
    # (ln 200 - 4.3) / 0.6 = 1.6638, (ln 74 - 4.3) / 0.6 = 0.0068: the longer side first, then "known".
    px = size_features(SIZES, SizeReading.PX)
    assert px[0].tolist() == pytest.approx([1.6638, 0.0068, 0.0], abs=1e-3)
    assert torch.equal(px[0], px[1])
    assert px[2].tolist() == [0.0, 0.0, 1.0]  # half known is unknown
    # (ln 2000 - 6.9) / 1.5 = 0.4673, (ln 740 - 6.9) / 1.5 = -0.1955
    um = size_features(SIZES, SizeReading.UM)
    assert um[2].tolist() == pytest.approx([0.4673, -0.1955, 0.0], abs=1e-3)
    assert torch.equal(size_features(SIZES, SizeReading.BOTH), torch.cat([px, um], dim=1))
    assert size_features(SIZES, SizeReading.NONE).shape == (3, 0)
    with pytest.raises(ValueError, match=r"\(B, 4\)"):
        size_features(torch.ones(3, 2), SizeReading.PX)


@pytest.mark.parametrize("tower", ["crops", "timm"])
@pytest.mark.parametrize("reading", list(SizeReading))
def test_a_tower_sees_the_units_it_is_told_and_no_others(tower: str, reading: SizeReading) -> None:
    named = {"architecture": "resnet18"} if tower == "timm" else {"width": 8, "depth": 1}
    asked = ImageSettings(side_px=32, tower=tower, size=reading, **named)
    model = stirred(image_tower(asked))
    image = torch.randn((1, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    base = torch.tensor([[60.0, 50.0, 600.0, 500.0]])
    with torch.no_grad():
        plain = model(image, base)
        larger_px = model(image, base * torch.tensor([4.0, 4.0, 1.0, 1.0]))
        larger_um = model(image, base * torch.tensor([1.0, 1.0, 4.0, 4.0]))
        unknown = model(image, torch.full((1, 4), NAN))
    assert torch.isfinite(unknown).all()
    sees_px, sees_um = reading in {"px", "both"}, reading in {"um", "both"}
    assert torch.equal(plain, larger_px) != sees_px
    assert torch.equal(plain, larger_um) != sees_um
    assert torch.equal(plain, unknown) != (sees_px or sees_um)


def test_an_untrained_crop_tower_starts_without_its_size() -> None:
    tower = CropTower(width=8, depth=1, size=SizeReading.BOTH).eval()
    image = torch.randn((2, 1, 32, 32))
    with torch.no_grad():
        assert torch.equal(tower(image, SIZES[:2]), tower(image, 9 * SIZES[:2]))
