"""One model of several towers: its settings, what comes out, and where gradients go."""

import math

import numpy as np
import pytest
import torch

from holotype.config import checked
from holotype.errors import RecipeError
from holotype.inputs.batches import BarcodeBatch, Batch, CaptionBatch, ImageBatch
from holotype.inputs.captions import encode_captions
from holotype.inputs.dna import encode_barcodes
from holotype.models.aligned import MAX_SCALE, AlignedModel, ModelSettings
from holotype.models.towers import Modality

IMAGES = {"side_px": 16, "width": 4, "depth": 1}
BARCODES = {"feature_dim": 16, "kmer_bp": 2, "width": 8, "depth": 1}
CAPTIONS = {"width": 8, "depth": 1}
ALL = {
    "images": IMAGES,
    "barcodes": BARCODES,
    "captions": CAPTIONS,
    "embedding_dim": 12,
    "classifier": {"kind": "cosine", "scale": 10.0},
}


def model_of(**settings: object) -> AlignedModel:
    torch.manual_seed(0)
    return AlignedModel(ModelSettings.model_validate(settings), num_labels=5).eval()


@pytest.fixture
def batch() -> Batch:
    """Three images, two barcodes and two captions of four records."""
    base_KL4, mask_KL = map(torch.from_numpy, encode_barcodes(["ACGTAACC", "TTGA"], max_bp=50))
    image_ICSS = torch.rand((3, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    return Batch(
        np.arange(4),
        ImageBatch(image_ICSS, torch.full((3, 4), 30.0), torch.tensor([0, 1, 3])),
        BarcodeBatch((base_KL4, mask_KL), torch.tensor([1, 2])),
        CaptionBatch((torch.from_numpy(encode_captions(["Copepoda", "Copepoda Calanoida"])),)),
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"captions": CAPTIONS}, "nothing to identify from"),
        ({"images": IMAGES}, "nothing scores labels"),
        ({"images": IMAGES, "captions": CAPTIONS}, "embedding_dim, the width they share"),
        ({**ALL, "embeding_dim": 12}, "Did you mean 'embedding_dim'"),
        ({**ALL, "images": {"side": 16}}, "unknown key 'images.side'. Did you mean 'side_px'"),
        ({**ALL, "classifier": {"kind": "cosin"}}, "classifier.kind"),
        ({**ALL, "images": {"channels": 2}}, "images.channels"),
        ({**ALL, "embedding_dim": 4}, "embedding_dim"),
        ({**ALL, "projection": "non"}, "projection"),
    ],
)
def test_settings_that_make_no_model_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(RecipeError) as raised:
        checked(ModelSettings, settings, where="x.toml")
    assert said in str(raised.value)
    assert str(raised.value).startswith("x.toml: ")


def test_every_modality_lands_in_the_shared_space(batch: Batch) -> None:
    model = model_of(**ALL)
    embeddings = model(batch)
    shapes = {name.value: tuple(z.shape) for name, z in embeddings.items()}
    assert shapes == {"image": (3, 12), "barcode": (2, 12), "caption": (2, 12)}
    assert model.label_logits(embeddings[Modality.IMAGE]).shape == (3, 5)
    assert model.modalities == (Modality.IMAGE, Modality.BARCODE, Modality.CAPTION)


def test_what_has_no_tower_or_no_input_is_left_out(batch: Batch) -> None:
    single = model_of(barcodes=BARCODES, classifier={})
    assert set(single(batch)) == {Modality.BARCODE}
    assert single.embedding_dim == 16
    assert not model_of(**ALL)(Batch(np.arange(4)))
    headless = model_of(images=IMAGES, captions=CAPTIONS, embedding_dim=12)
    assert headless.head is None
    assert headless.head_scale == 1.0


def test_cosine_logits_are_cosines_times_the_scale() -> None:
    model = model_of(**ALL)
    z_BD = torch.randn((4, 12), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        logit_BL = model.label_logits(z_BD)
        longer_BL = model.label_logits(3 * z_BD)
        assert model.head is not None
        weight_LD = model.head.weight
        for b in range(4):
            for k in range(5):
                cosine = z_BD[b] @ weight_LD[k] / (z_BD[b].norm() * weight_LD[k].norm())
                assert float(logit_BL[b, k]) == pytest.approx(10 * float(cosine), abs=1e-5)
    assert torch.allclose(logit_BL, longer_BL, atol=1e-5)


def test_a_linear_head_is_a_linear_map_after_dropout() -> None:
    model = model_of(barcodes=BARCODES, classifier={"kind": "linear", "dropout": 0.9})
    z_BD = torch.ones(1, 16)
    assert model.head is not None
    expected = z_BD @ model.head.weight.T + model.head.bias
    assert torch.allclose(model.label_logits(z_BD), expected)
    model.train()
    assert not torch.allclose(model.label_logits(z_BD), expected)


@pytest.mark.parametrize(
    ("log_scale", "expected"),
    [(0.5, math.exp(0.5)), (-3.0, 1.0), (9.0, MAX_SCALE)],
)
def test_scales_stay_within_their_bounds(log_scale: float, expected: float) -> None:
    model = model_of(**ALL)
    with torch.no_grad():
        assert model.scale.item() == pytest.approx(1 / 0.07, rel=1e-5)
        model.log_scale.fill_(log_scale)
        model.log_head_scale.fill_(log_scale)
        assert model.scale.item() == pytest.approx(expected, rel=1e-5)
        assert float(model.head_scale) == pytest.approx(expected, rel=1e-5)


def test_pixels_are_centred_by_the_settings(batch: Batch) -> None:
    plain = model_of(images=IMAGES | {"mean": 0.0, "std": 1.0}, classifier={})
    centred = model_of(images=IMAGES | {"mean": 0.4, "std": 0.2}, classifier={})
    centred.load_state_dict(plain.state_dict())
    assert batch.images is not None
    by_hand = batch.images._replace(image_ICSS=(batch.images.image_ICSS - 0.4) / 0.2)
    with torch.no_grad():
        found = centred(batch)[Modality.IMAGE]
        expected = plain(batch._replace(images=by_hand))[Modality.IMAGE]
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_fixed_temperature_is_written_into_the_model() -> None:
    model = model_of(**ALL)
    assert model.log_scale.requires_grad
    assert model.scale.item() == pytest.approx(1 / 0.07)
    model.fix_temperature(0.25)
    assert model.log_scale.item() == pytest.approx(math.log(4))
    assert model.scale.item() == pytest.approx(4)
    assert not model.log_scale.requires_grad


def test_a_temperature_of_none_stays_where_it_is() -> None:
    model = model_of(**ALL)
    model.fix_temperature(None)
    assert model.scale.item() == pytest.approx(1 / 0.07)
    assert not model.log_scale.requires_grad


def test_without_a_projection_features_are_the_embedding(batch: Batch) -> None:
    parts = {"images": IMAGES, "captions": {"width": 32, "depth": 1}, "projection": "none"}
    model = model_of(**parts, embedding_dim=32)
    assert batch.images is not None
    with torch.no_grad():
        pixels = (batch.images.image_ICSS - 0.5) / 0.25
        expected = model.towers["image"](pixels, batch.images.size_I4)
        assert torch.allclose(model(batch)[Modality.IMAGE], expected, atol=1e-6)
    assert not list(model.projections.parameters())
    with pytest.raises(RecipeError, match=r"the image tower has 32 features.*embedding_dim = 32"):
        model_of(**parts, embedding_dim=16)


def test_a_frozen_tower_stays_as_it_is_while_the_head_learns(batch: Batch) -> None:
    frozen = IMAGES | {"tuning": {"kind": "frozen"}}
    model = model_of(images=frozen, classifier={}).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.label_logits(model(batch)[Modality.IMAGE])[:, 0].sum().backward()
    optimizer.step()
    changed = {n for n, value in model.state_dict().items() if not torch.equal(value, before[n])}
    assert changed == {"head.weight", "head.bias"}  # running means of norms stay too
    assert model.learning["image"].learning == 0
    assert model.learning["all"].learning == 32 * 5 + 5 + 3  # head, temperatures, sigmoid bias
