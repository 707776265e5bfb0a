"""A model over records: the same figures to the bit, whatever comes with them."""

import dataclasses

import numpy as np
import pytest
import torch

from holotype.inputs.materials import Materials
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded, encode, encode_captions
from holotype.models.towers import Modality


@pytest.fixture(scope="module")
def whole(tiny_bundle: Bundle, tiny_materials: Materials) -> dict[Modality, Encoded]:
    return encode(tiny_bundle.model, tiny_materials)


def by_row(encoded: Encoded) -> dict[int, tuple[bytes, bytes]]:
    assert encoded.logit_RL is not None
    rows = zip(encoded.row_R.tolist(), encoded.z_RD, encoded.logit_RL, strict=True)
    return {row: (z.tobytes(), logit.tobytes()) for row, z, logit in rows}


@pytest.mark.parametrize(
    "chosen",
    [
        np.asarray([7]),
        np.asarray([200, 3, 3, 41]),
        np.arange(0, 250, 9),
        np.arange(129),
        np.random.default_rng(0).permutation(260),
    ],
    ids=["one", "a repeat", "every ninth", "one more than a batch", "shuffled"],
)
def test_a_record_is_the_same_to_the_bit_in_any_company(
    chosen: np.ndarray,
    tiny_bundle: Bundle,
    tiny_materials: Materials,
    whole: dict[Modality, Encoded],
) -> None:
    part = encode(tiny_bundle.model, tiny_materials, rows=chosen)
    for modality, encoded in part.items():
        expected = by_row(whole[modality])
        assert set(encoded.row_R.tolist()) <= set(chosen.tolist())
        for row, found in by_row(encoded).items():
            assert found == expected[row]


def test_rows_keep_their_order_and_their_modality(
    tiny_bundle: Bundle, tiny_materials: Materials
) -> None:
    rows = np.asarray([40, 11, 90, 2, 63])
    found = encode(tiny_bundle.model, tiny_materials, rows=rows)
    images = [row for row in rows.tolist() if tiny_materials.image_N[row] >= 0]
    barcodes = [row for row in rows.tolist() if tiny_materials.barcode_N[row] is not None]
    assert found[Modality.IMAGE].row_R.tolist() == images
    assert found[Modality.BARCODE].row_R.tolist() == barcodes
    assert Modality.CAPTION not in found


def test_embeddings_are_unit_rows_and_logits_those_of_the_head(
    tiny_bundle: Bundle, whole: dict[Modality, Encoded]
) -> None:
    for encoded in whole.values():
        assert encoded.z_RD.dtype == np.float32
        assert np.linalg.norm(encoded.z_RD, axis=1) == pytest.approx(1.0, abs=1e-5)
        with torch.no_grad():
            expected = tiny_bundle.model.label_logits(torch.from_numpy(encoded.z_RD)).numpy()
        assert encoded.logit_RL == pytest.approx(expected, abs=1e-3)


def test_missing_modalities_are_absent(tiny_bundle: Bundle, tiny_materials: Materials) -> None:
    count = len(tiny_materials)
    blind = dataclasses.replace(tiny_materials, image_N=np.full(count, -1))
    assert set(encode(tiny_bundle.model, blind)) == {Modality.BARCODE}
    bare = dataclasses.replace(blind, barcode_N=(None,) * count)
    assert encode(tiny_bundle.model, bare) == {}


def test_the_model_stays_in_its_mode(tiny_bundle: Bundle, tiny_materials: Materials) -> None:
    model = tiny_bundle.model
    model.train()
    try:
        rows = np.asarray([0, 1])
        first = encode(model, tiny_materials, rows=rows)
        again = encode(model, tiny_materials, rows=rows)
        assert model.training
    finally:
        model.eval()
    for modality in first:  # encoding itself never drops units
        assert np.array_equal(first[modality].z_RD, again[modality].z_RD)


def test_a_smaller_side_gives_other_embeddings(
    tiny_bundle: Bundle, tiny_materials: Materials, whole: dict[Modality, Encoded]
) -> None:
    small = encode(tiny_bundle.model, tiny_materials, side_px=16)
    assert not np.allclose(small[Modality.IMAGE].z_RD, whole[Modality.IMAGE].z_RD, atol=1e-3)
    assert np.array_equal(small[Modality.BARCODE].z_RD, whole[Modality.BARCODE].z_RD)


def test_captions_are_unit_rows_in_order(tiny_bundle: Bundle) -> None:
    texts = [f"Animalia Copepoda number{n}" for n in range(600)]  # more than one batch
    z_UD = encode_captions(tiny_bundle.model, texts)
    assert z_UD.shape == (600, tiny_bundle.model.embedding_dim)
    assert np.linalg.norm(z_UD, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert encode_captions(tiny_bundle.model, texts[599:])[0] == pytest.approx(z_UD[599], abs=1e-5)
