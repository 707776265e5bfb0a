"""What each tower promises, one by one."""

import numpy as np
import pytest
import torch
from torch import Tensor

from holotype.errors import RecipeError
from holotype.inputs.captions import encode_captions
from holotype.inputs.dna import encode_barcodes
from holotype.models.barcode_tower import BarcodeTower, kmer_spectrum, rotate_by_position
from holotype.models.caption_tower import CaptionTower
from holotype.models.crop_tower import CropTower
from holotype.models.pretrained.timm_tower import TimmTower
from holotype.models.towers import (
    BarcodeSettings,
    CaptionSettings,
    ImageSettings,
    barcode_tower,
    caption_tower,
    image_tower,
)


def crops(count: int, channels: int, side_px: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn((count, channels, side_px, side_px), generator=generator)


def stirred(module: torch.nn.Module) -> torch.nn.Module:
    """Weights at random everywhere: nothing that starts at zero hides what depends on it."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


SIZE = torch.tensor([[64.0, 32.0, 640.0, 320.0], [20.0, 200.0, 200.0, 2000.0]])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side_px", [16, 17, 33, 48])
def test_crop_tower_reads_any_side(side_px: int, channels: int) -> None:
    tower = CropTower(channels=channels, width=8, depth=1).eval()
    features_BD = tower(crops(2, channels, side_px), SIZE)
    assert features_BD.shape == (2, tower.feature_dim) == (2, 64)
    assert torch.isfinite(features_BD).all()


def test_crop_tower_refuses_empty_parts() -> None:
    with pytest.raises(ValueError, match="depth=0"):
        CropTower(depth=0)


@pytest.mark.parametrize(
    ("name", "side_px", "channels", "width"),
    [
        ("resnet18", 32, 1, 512),
        ("vit_tiny_patch16_224", 32, 3, 192),
        ("deit_tiny_patch16_224", 48, 1, 192),  # a transformer without "vit" in its name
        ("mobilevit_xxs", 64, 1, 320),  # "vit" in the name of one of any size
    ],
)
def test_timm_tower_reads_images_of_the_recipes_side(
    name: str, side_px: int, channels: int, width: int
) -> None:
    settings = ImageSettings(side_px=side_px, channels=channels, tower="timm", architecture=name)
    tower = image_tower(settings).eval()
    assert isinstance(tower, TimmTower)
    with torch.no_grad():
        features_BD = tower(crops(2, channels, side_px), SIZE)
        larger = tower(crops(2, channels, side_px), 4 * SIZE)
        unknown = tower(crops(2, channels, side_px), torch.full((2, 4), float("nan")))
    assert features_BD.shape == (2, tower.feature_dim) == (2, width + 16)
    assert torch.equal(features_BD[:, :width], larger[:, :width])
    assert not torch.allclose(features_BD[:, width:], larger[:, width:])  # the size is seen
    assert torch.isfinite(unknown).all()


def test_unknown_towers_are_named_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'crops'"):
        image_tower(ImageSettings(tower="crop"))
    with pytest.raises(RecipeError, match="Did you mean 'resnet18'"):
        image_tower(ImageSettings(tower="timm", architecture="resnet_18"))
    with pytest.raises(RecipeError, match="architecture"):
        image_tower(ImageSettings(tower="timm"))


def small_barcode_tower(depth: int = 1) -> BarcodeTower:
    return BarcodeTower(feature_dim=32, kmer_bp=3, width=16, depth=depth)


BARCODES = ["ACGTTGCATGTCGCATGATGCATGAGAGCT" * 4, "TTGACCAGT" * 6, "ACGNNRYTTGACA", "A", ""]


@pytest.mark.parametrize("depth", [0, 2])
def test_padding_does_not_change_a_barcodes_features(depth: int) -> None:
    tower = stirred(small_barcode_tower(depth))
    with torch.no_grad():
        together = tower(*map(torch.from_numpy, encode_barcodes(BARCODES, max_bp=200)))
        padded = tower(*map(torch.from_numpy, encode_barcodes(BARCODES, max_bp=200, pad_to_bp=400)))
        alone = torch.cat(
            [tower(*map(torch.from_numpy, encode_barcodes([b], max_bp=200))) for b in BARCODES[:4]]
        )
    assert float((together - padded).abs().max()) <= 1e-5
    assert float((together[:4] - alone).abs().max()) <= 1e-5


def test_a_barcode_without_a_certain_base_has_finite_features_and_gradients() -> None:
    tower = stirred(small_barcode_tower()).train()
    base_BL4, mask_BL = map(torch.from_numpy, encode_barcodes(["N" * 60, "", "RYK"], max_bp=99))
    features_BD = tower(base_BL4, mask_BL)
    features_BD.square().sum().backward()
    assert torch.isfinite(features_BD).all()
    assert all(torch.isfinite(p.grad).all() for p in tower.parameters() if p.grad is not None)


def test_kmer_spectrum_by_hand() -> None:
    # ACAC: AC, CA, AC. ACNA: AC alone is certain. Square roots of shares 2/3, 1/3 and 1.
    base_BL4, _ = map(torch.from_numpy, encode_barcodes(["ACAC", "ACNA", "N"], max_bp=9))
    spectrum_BS = kmer_spectrum(base_BL4, kmer_bp=2)
    expected = torch.zeros(3, 16)
    expected[0, 1], expected[0, 4], expected[1, 1] = (2 / 3) ** 0.5, (1 / 3) ** 0.5, 1.0
    assert torch.allclose(spectrum_BS, expected)
    assert kmer_spectrum(base_BL4[:, :1], kmer_bp=2).shape == (3, 16)  # shorter than one k-mer


def test_untrained_tower_ranks_barcodes_as_their_spectra_do() -> None:
    rng = np.random.default_rng(0)
    barcodes = ["".join(rng.choice(list("ACGT"), size=300)) for _ in range(6)]
    near = barcodes[0][:150] + "T" + barcodes[0][151:]
    base_BL4, mask_BL = map(torch.from_numpy, encode_barcodes([near, *barcodes], max_bp=300))
    tower = BarcodeTower(feature_dim=64, kmer_bp=3, width=16, depth=1).eval()
    with torch.no_grad():
        features_BD = tower(base_BL4, mask_BL)
        spectrum_BS = kmer_spectrum(base_BL4, kmer_bp=3)
    # At 4**3 features the projection is a rotation: all inner products stay.
    inner_BB, expected_BB = features_BD @ features_BD.T, spectrum_BS @ spectrum_BS.T
    assert torch.allclose(inner_BB, expected_BB, atol=1e-5)
    assert int(inner_BB[0, 1:].argmax()) == 0


def test_rotated_products_depend_on_distance_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn((2, 8), generator=generator)
    query_BHTC = rotate_by_position(query.expand(1, 1, 9, 8))[0, 0]
    key_BHTC = rotate_by_position(key.expand(1, 1, 9, 8))[0, 0]
    product_TT = query_BHTC @ key_BHTC.T
    for lag in (-3, 0, 5):
        diagonal = torch.diagonal(product_TT, lag)
        assert torch.allclose(diagonal, diagonal[0].expand_as(diagonal), atol=1e-4)
    assert torch.allclose(query_BHTC.norm(dim=1), query.norm().expand(9), atol=1e-5)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"kmer_bp": 8}, "kmer_bp is 8"),
        ({"stride_bp": 16}, "stride_bp is 16"),
        ({"width": 20}, "width is 20"),
    ],
)
def test_barcode_tower_refuses_numbers_out_of_bounds(setting: dict[str, int], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        BarcodeTower(**setting)


def test_barcode_tower_is_its_seeds_alone() -> None:
    settings = BarcodeSettings(feature_dim=32, kmer_bp=3, width=16, depth=1)
    first = barcode_tower(settings, seed=1).state_dict()
    torch.rand(7)  # moves the global generator
    again, other = barcode_tower(settings, seed=1), barcode_tower(settings, seed=2)
    assert all(torch.equal(first[name], value) for name, value in again.state_dict().items())
    assert any(not torch.equal(first[name], value) for name, value in other.state_dict().items())


def test_padding_does_not_change_a_captions_features() -> None:
    tower = stirred(CaptionTower(width=16, depth=2))
    texts = ["Copepoda", "Animalia Arthropoda Copepoda Calanoida Calanidae Calanus glacialis", ""]
    with torch.no_grad():
        together = tower(torch.from_numpy(encode_captions(texts)))
        alone = torch.cat([tower(torch.from_numpy(encode_captions([text]))) for text in texts])
    assert float((together - alone).abs().max()) <= 1e-5


def test_captions_are_read_in_order() -> None:
    tower = stirred(caption_tower(CaptionSettings(width=16, depth=1)))
    forth, back = encode_captions(["Copepoda Calanoida"]), encode_captions(["Calanoida Copepoda"])
    with torch.no_grad():
        difference = tower(torch.from_numpy(forth)) - tower(torch.from_numpy(back))
    assert float(difference.abs().max()) > 1e-3
