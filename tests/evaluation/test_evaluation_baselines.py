"""Answers without a model, against sequences and images whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.evaluation.baselines import (
    commonest_first,
    kmer_features,
    nearest_by_identity,
    overlap_identity,
    pixel_features,
)

seeds = st.integers(0, 2**31)


def barcode(seed: int, length: int = 300) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), size=length))


def changed(sequence: str, places: list[int]) -> str:
    swap = dict(zip("ACGT", "CGTA", strict=True))
    return "".join(swap[b] if i in places else b for i, b in enumerate(sequence))


ONE = barcode(1)


@pytest.mark.parametrize(
    ("second", "identity", "overlap"),
    [
        (ONE, 1.0, 300),
        (changed(ONE, [40, 90, 200]), 1 - 3 / 300, 300),
        (ONE[:60] + "N" * 10 + ONE[70:], 1.0, 300),  # N equals what it stands for
        (ONE[50:], 1.0, 250),  # starts later
        (ONE[:200], 1.0, 200),  # ends earlier
        (barcode(2, 40) + ONE[:260], 1.0, 260),  # offset to the other side
        (ONE[120:] + barcode(3, 120), 1.0, 180),  # both stick out
        # One base lost: cut to one length, this costs a column at the end as well.
        (ONE[:100] + ONE[101:], 1 - 2 / 299, 299),
        (ONE[:90], 0.0, 90),  # under 100 bp says nothing
        (ONE[205:] + barcode(4, 300), 0.0, 95),
    ],
)
def test_identity_over_the_overlap(second: str, identity: float, overlap: int) -> None:
    assert overlap_identity(ONE, second) == (pytest.approx(identity), overlap)


def test_ambiguity_codes_equal_their_bases_alone() -> None:
    at = ONE.index("A", 100)
    for code, expected in (("R", 1.0), ("W", 1.0), ("Y", 1 - 1 / 300), ("B", 1 - 1 / 300)):
        assert overlap_identity(ONE, ONE[:at] + code + ONE[at + 1 :])[0] == pytest.approx(expected)


def test_unrelated_sequences_are_aligned_whole() -> None:
    identity, overlap = overlap_identity("A" * 150, "C" * 120)
    assert (identity, overlap) == (pytest.approx(0.0), 120)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(0, 60), st.integers(0, 60), st.integers(0, 8))
def test_identity_is_symmetric_and_counts_the_changes(
    seed: int, cut_left: int, cut_right: int, num_changes: int
) -> None:
    first = barcode(seed)
    rng = np.random.default_rng(seed)
    places = rng.choice(np.arange(70, 230), size=num_changes, replace=False).tolist()
    second = changed(first, places)[cut_left : 300 - cut_right]
    forth, back = overlap_identity(first, second), overlap_identity(second, first)
    assert forth == back
    assert forth[1] == len(second)
    assert forth[0] == pytest.approx(1 - num_changes / len(second))


def test_the_planted_key_is_found_among_close_ones() -> None:
    keys = [changed(ONE, list(range(start, 300, 20))) for start in range(0, 20, 2)]  # 5 % apart
    keys += [barcode(seed) for seed in range(100, 140)]
    planted = changed(ONE, [150])
    keys.insert(17, planted)
    index_QK, identity_QK = nearest_by_identity([ONE, barcode(120)], keys, k=3)
    assert index_QK.shape == identity_QK.shape == (2, 3)
    assert index_QK[0, 0] == 17
    assert identity_QK[0, 0] == pytest.approx(1 - 1 / 300)
    assert keys[index_QK[1, 0]] == barcode(120)
    assert (np.diff(identity_QK, axis=1) <= 0).all()


def test_ties_go_to_the_longer_overlap() -> None:
    keys = [ONE[:150], ONE[:280], ONE[20:200]]
    index_QK, identity_QK = nearest_by_identity([ONE], keys, k=9)  # more than there are
    assert index_QK.tolist() == [[1, 2, 0]]
    assert identity_QK.tolist() == [[1.0, 1.0, 1.0]]


def test_kmer_features_are_unit_counts() -> None:
    features = kmer_features(["ACACG", "", "NNNNN"], k=2)
    # AC twice, CA once, CG once: lengths by the root of 4 + 1 + 1.
    expected = np.zeros(16, dtype=np.float32)
    expected[[1, 4, 6]] = np.asarray([2, 1, 1]) / np.sqrt(6)
    assert features[0] == pytest.approx(expected)
    assert not features[1:].any()


def test_pixel_features_ignore_brightness_and_know_the_size() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(20, 100, size=(32, 32, 1), dtype=np.uint8)
    other = rng.integers(20, 100, size=(32, 32, 1), dtype=np.uint8)
    pixels = np.stack([image, image + 50, image, other])
    sizes = np.asarray([[30, 30], [30, 30], [300, 300], [30, 30]], dtype=np.float32)
    cosine = (features := pixel_features(pixels, sizes)) @ features.T
    assert np.diag(cosine) == pytest.approx(1.0, abs=1e-5)
    assert cosine[0, 1] == pytest.approx(1.0, abs=1e-3)  # brighter
    assert cosine[0, 3] < cosine[0, 2] < 0.95  # another size; another image


def test_commonest_first() -> None:
    assert commonest_first(["b", "a", None, "c", "b", "a"]) == ["a", "b", "c"]
    assert commonest_first([None]) == []
