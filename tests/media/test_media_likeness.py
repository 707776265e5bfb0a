"""Perceptual hashes that are alike: every pair that a slow search finds, and no other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import MediaError
from holotype.media import likeness
from holotype.media.likeness import connected, near_groups, near_pairs, near_values, parse_hashes

SPREAD = 0x9E3779B97F4A7C15


def few_bits(centres, flips):
    """Hashes a few bits away from a few centres, so that many pairs are near and many are not."""
    return np.array(
        [
            (centre * SPREAD) % 2**64 ^ sum({1 << bit for bit in bits})
            for centre, bits in zip(centres, flips, strict=False)
        ],
        dtype=np.uint64,
    )


CLOUDS = st.builds(
    few_bits,
    st.lists(st.integers(0, 4), max_size=40),
    st.lists(st.lists(st.integers(0, 63), max_size=6), min_size=40, max_size=40),
)


def slow_near(hash_N, max_bits):
    """All pairs of different values that are near, by their distance alone."""
    values = sorted({int(value) for value in hash_N})
    return {
        (a, b)
        for i, a in enumerate(values)
        for b in values[i + 1 :]
        if bin(a ^ b).count("1") <= max_bits
    }


@settings(deadline=None)
@given(CLOUDS, st.integers(0, 12))
def test_no_pair_is_missed_and_none_is_invented(hash_N, max_bits):
    pairs = near_pairs(hash_N, max_bits=max_bits)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    found = {tuple(sorted((int(hash_N[i]), int(hash_N[j])))) for i, j in pairs}
    equal = {(int(value), int(value)) for value in hash_N}
    assert found - equal == slow_near(hash_N, max_bits)


@settings(deadline=None)
@given(CLOUDS, st.integers(0, 12))
def test_groups_are_the_connected_parts(hash_N, max_bits):
    group_N = near_groups(hash_N, max_bits=max_bits)
    expected = list(range(len(hash_N)))
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(hash_N):
            for j, b in enumerate(hash_N):
                if int(a ^ b).bit_count() <= max_bits and expected[i] != expected[j]:
                    expected[i] = expected[j] = min(expected[i], expected[j])
                    changed = True
    assert group_N.tolist() == expected


@pytest.mark.parametrize("count", [300, 20_000, 3_000_000])
@pytest.mark.parametrize("max_bits", [1, 3, 4, 6, 8, 10, 16])
def test_some_table_holds_every_pair_whatever_the_number_of_hashes(count, max_bits):
    masks = likeness._table_masks(count, max_bits)
    rng = np.random.default_rng(0)
    for _ in range(200):
        flipped = rng.choice(64, size=max_bits, replace=False)
        differing = np.uint64(sum(1 << int(bit) for bit in flipped))
        assert any(differing & mask == 0 for mask in masks)


def test_the_tables_of_many_hashes_find_what_comparing_all_finds(monkeypatch):
    rng = np.random.default_rng(1)
    value_V = np.unique(
        few_bits(rng.integers(0, 20, 1500).tolist(), rng.integers(0, 64, (1500, 2)).tolist())
    )
    plain = near_values(value_V, max_bits=4)
    assert len(likeness._table_masks(10_000_000, 4)) > 10
    masks = likeness._table_masks(10_000_000, 4)
    monkeypatch.setattr(likeness, "_table_masks", lambda count, max_bits: masks)
    tabled = near_values(value_V, max_bits=4)
    assert len(plain) > 1000
    assert sorted(map(tuple, plain.tolist())) == sorted(map(tuple, tabled.tolist()))


def test_a_million_blank_images_are_a_chain():
    hash_N = np.zeros(1_000_000, dtype=np.uint64)
    hash_N[7] = 3
    pairs = near_pairs(hash_N, max_bits=2)
    assert len(pairs) == 999_999  # 999,998 links of the chain of zeros, one to the hash beside it
    assert [0, 7] in pairs[:10].tolist()
    assert len(np.unique(connected(1_000_000, pairs))) == 1


def test_hashes_are_read_from_text():
    row_M, hash_M = parse_hashes(["00000000000000ff", None, "FFFFFFFFFFFFFFFF"])
    assert row_M.tolist() == [0, 2]
    assert hash_M.tolist() == [255, 2**64 - 1]
    assert parse_hashes([None])[1].tolist() == []


@pytest.mark.parametrize("wrong", ["ff", "00000000000000fg", "00000000000000f ", "0" * 17, ""])
def test_what_is_no_hash_is_told_with_its_row(wrong):
    with pytest.raises(MediaError, match=r"row 2: image_phash '.*' is not 16 hexadecimal"):
        parse_hashes(["0" * 16, None, wrong, "f" * 15])


@pytest.mark.parametrize("bits", [-1, 17])
def test_more_bits_than_mean_anything_are_refused(bits):
    with pytest.raises(MediaError, match="give 0 to 16"):
        near_pairs(np.zeros(2, dtype=np.uint64), max_bits=bits)


def test_none_and_one():
    for count in (0, 1):
        hash_N = np.zeros(count, dtype=np.uint64)
        assert near_pairs(hash_N, max_bits=3).shape == (0, 2)
        assert near_groups(hash_N, max_bits=3).tolist() == list(range(count))
