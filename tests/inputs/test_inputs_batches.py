"""Materials -> tensors, and the order in which rows are seen."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from holotype.inputs.batches import (
    Batch,
    CaptionBatch,
    barcode_batch,
    image_batch,
    in_order,
    shuffled,
)
from holotype.inputs.dna import encode_barcodes
from holotype.inputs.materials import Materials


def test_images_are_scaled_and_say_where_they_belong(five_records: Materials) -> None:
    images = image_batch(five_records, np.asarray([2, 3, 1, 0, 3]))
    assert images is not None
    assert images.at_I.tolist() == [1, 3, 4]
    assert images.image_ICSS.shape == (3, 1, 4, 4)
    assert images.image_ICSS[:, 0, 0, 0].tolist() == pytest.approx([1.0, 0.2, 1.0])
    assert images.size_I4[:, :2].tolist() == [[20.0, 10.0], [8.0, 6.0], [20.0, 10.0]]
    assert images.size_I4[1, 2:].tolist() == [80.0, 60.0]
    assert torch.isnan(images.size_I4[[0, 2], 2:]).all()  # the pixel size is not known


def bases(max_bp):
    return lambda texts, *, at_least=1: tuple(
        map(torch.from_numpy, encode_barcodes(texts, max_bp=max_bp, pad_to_bp=at_least))
    )


def test_barcodes_say_where_they_belong(five_records: Materials) -> None:
    barcodes = barcode_batch(five_records, np.asarray([1, 2, 4]), tokenise=bases(4))
    assert barcodes is not None
    assert barcodes.at_K.tolist() == [0, 2]
    assert barcodes.tokens[1].sum(dim=1).tolist() == [2, 4]
    assert barcodes.tokens[0][0, :2].argmax(dim=1).tolist() == [2, 2]


def test_given_sequences_stand_in_for_the_records_own(five_records: Materials) -> None:
    barcodes = barcode_batch(
        five_records, np.asarray([0, 1]), tokenise=bases(9), sequences=[None, "TTT"], at_least=5
    )
    assert barcodes is not None
    assert barcodes.at_K.tolist() == [1]
    assert barcodes.tokens[0].shape == (1, 5, 4)
    assert barcodes.tokens[0][0, :3, 3].tolist() == [1.0, 1.0, 1.0]


def test_what_no_record_has_is_none(five_records: Materials) -> None:
    assert image_batch(five_records, np.asarray([1, 2])) is None
    assert barcode_batch(five_records, np.asarray([2, 3]), tokenise=bases(9)) is None


def test_a_batch_moves_with_all_its_parts(five_records: Materials) -> None:
    rows = np.asarray([0, 1])
    batch = Batch(
        rows, image_batch(five_records, rows), None, CaptionBatch((torch.zeros(1, 2, 3),))
    )
    moved = batch.to(torch.device("meta"))
    assert moved.images is not None
    assert moved.captions is not None
    assert {part.device.type for part in (*moved.images[:3], *moved.captions.tokens)} == {"meta"}
    assert moved.barcodes is None
    assert moved.row_B is rows


@given(st.integers(0, 50), st.integers(1, 20))
def test_in_order_covers_every_row_once(count: int, batch_size: int) -> None:
    parts = list(in_order(count, batch_size=batch_size))
    assert [row for part in parts for row in part.tolist()] == list(range(count))
    assert all(len(part) == batch_size for part in parts[:-1])


@given(st.integers(1, 200), st.integers(2, 64), st.integers(0, 2**31))
def test_shuffled_visits_each_row_once_in_nearly_equal_batches(
    count: int, batch_size: int, seed: int
) -> None:
    rows = np.arange(count) * 3
    batches = list(shuffled(rows, batch_size=batch_size, rng=np.random.default_rng(seed)))
    assert sorted(row for batch in batches for row in batch.tolist()) == rows.tolist()
    lengths = [len(batch) for batch in batches]
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= 1.5 * batch_size


def test_shuffling_follows_its_generator() -> None:
    rows = np.arange(100)
    first, again, other = (
        [b.tolist() for b in shuffled(rows, batch_size=10, rng=np.random.default_rng(seed))]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_weighted_batches_have_no_repeats_and_follow_the_weights() -> None:
    # 40 rows of a common class and 10 of a rare one; weights make the two classes even.
    rows = np.arange(50)
    weight_R = np.where(rows < 40, 1 / 40, 1 / 10)
    rng = np.random.default_rng(0)
    drawn = [
        batch
        for _ in range(200)
        for batch in shuffled(rows, batch_size=5, rng=rng, weight_R=weight_R)
    ]
    assert len(drawn) == 200 * 10
    assert all(len(set(batch.tolist())) == len(batch) == 5 for batch in drawn)
    rare = float(np.mean([(batch >= 40).mean() for batch in drawn]))
    # Drawing five without replacement takes a little from the heavy rows: 0.46 by simulation of
    # the sequential draw; 0.5 with replacement, 0.2 without weights.
    assert 0.44 < rare < 0.5
    counts = np.bincount(np.concatenate(drawn), minlength=50)
    assert counts[40:].min() > 2 * counts[:40].max()


def test_a_batch_larger_than_the_rows_takes_them_all() -> None:
    rows = np.asarray([5, 7, 9])
    (batch,) = shuffled(
        rows, batch_size=64, rng=np.random.default_rng(0), weight_R=np.asarray([1.0, 2.0, 3.0])
    )
    assert sorted(batch.tolist()) == [5, 7, 9]
