"""Near-duplicates: hash, size and grey levels must agree; against a comparison of all with all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import SplitError
from holotype.media.likeness import connected
from holotype.splits.groups import group_records, tell_of_giants
from holotype.splits.near import audited_bits, near_images, near_links

IMAGES = st.lists(
    st.fixed_dictionaries(
        {
            "image_phash": st.sampled_from(
                [None, *(f"{v:016x}" for v in (0, 1, 3, 7, 0xFF, 0x1FF))]
            ),
            "image_width_px": st.sampled_from([None, 50, 54, 56, 60, 80]),
            "image_height_px": st.sampled_from([40, 43]),
            "grey_mean": st.sampled_from([None, 100.0, 102.5, 104.0]),
            "grey_sd": st.sampled_from([20.0, 24.0]),
        }
    ),
    max_size=16,
)


def test_an_audit_of_many_images_looks_less_far():
    assert [audited_bits(count) for count in (0, 1_000_000, 1_000_001)] == [2, 2, 0]


def alike(a, b, bits):
    if a["image_phash"] is None or b["image_phash"] is None:
        return False
    if (int(a["image_phash"], 16) ^ int(b["image_phash"], 16)).bit_count() > bits:
        return False
    for name in ("image_width_px", "image_height_px"):
        if a[name] and b[name] and abs(math.log(a[name] / b[name])) > math.log(1.1) + 1e-9:
            return False
    greys = [(a[n], b[n]) for n in ("grey_mean", "grey_sd")]
    return all(None in pair or abs(round(pair[0]) - round(pair[1])) <= 3 for pair in greys)


def test_near_duplicates_equal_the_slow_search(records_of):
    @settings(deadline=None)
    @given(IMAGES, st.integers(0, 4))
    def check(rows, bits):
        found = near_images(records_of(rows), max_bits=bits)
        pairs = {tuple(pair) for pair in found.pair_P2.tolist()}
        assert len(pairs) == len(found.pair_P2)
        for i, a in enumerate(rows):
            assert (found.image_N[i] < 0) == (a["image_phash"] is None)
            for j, b in enumerate(rows[:i]):
                image = tuple(sorted((found.image_N[i], found.image_N[j])))
                same = image[0] == image[1] >= 0
                assert same == (a == b and a["image_phash"] is not None)
                assert same or (image in pairs) == alike(a, b, bits)
        tied = connected(len(rows), near_links(records_of(rows), max_bits=bits))
        for i, a in enumerate(rows):
            for j, b in enumerate(rows):
                assert not alike(a, b, bits) or tied[i] == tied[j]

    check()


def test_near_duplicates_are_tied_only_when_asked(records_of):
    rows = [{"image_phash": f"{value:016x}"} for value in (0, 1, 0xFFFF)]
    table = records_of(rows)
    assert group_records(table).tolist() == [0, 1, 2]
    assert group_records(table, near_bits=0).tolist() == [0, 1, 2]
    assert group_records(table, near_bits=1).tolist() == [0, 0, 2]


def test_columns_kept_together_tie(records_of):
    rows = [
        {"source": source, "acquisition_id": "bin 1", "collected_on": day}
        for source, day in (("s", "2013-05-26T12:00"), ("t", "2013-05-26"), ("t", "2013-06"))
    ]
    table = records_of(rows)
    assert group_records(table, ("acquisition_id",)).tolist() == [0, 1, 1]
    assert group_records(table, ("date",)).tolist() == [0, 0, 2]
    assert group_records(table, ("year",)).tolist() == [0, 0, 0]


def test_a_giant_group_that_was_asked_for_is_an_error_with_its_cause(records_of):
    table = records_of([{"site": "A" if row < 15 else f"{row}"} for row in range(20)])
    group_N = group_records(table, ("site",))
    with pytest.raises(SplitError, match=r"one group holds 75% .*site 75%.*Keep fewer columns"):
        tell_of_giants(table, group_N, ("site",), None)


def test_a_large_group_is_told_of_and_a_small_one_is_not(records_of, capsys):
    table = records_of([{"specimen_id": "A" if row < 15 else f"{row}"} for row in range(20)])
    tell_of_giants(table, group_records(table), (), None)  # nothing that was asked for
    assert "one group holds 75% of the records" in capsys.readouterr().err
    tell_of_giants(table, np.arange(20), (), None)
    assert capsys.readouterr().err == ""
