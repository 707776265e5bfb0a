"""The order of an epoch along the groups of a collection."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.inputs.order import drawn, in_batches, windowed


@given(st.integers(1, 200), st.integers(1, 9), st.integers(2, 5), st.integers(0, 3))
def test_every_row_comes_once(count: int, groups: int, window: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, group_R = np.arange(count) + 7, rng.integers(-1, groups, count)
    ordered = windowed(rows, group_R, window=window, rng=rng)
    assert sorted(ordered.tolist()) == rows.tolist()
    batches = in_batches(ordered, batch_size=16)
    assert np.concatenate(batches).tolist() == ordered.tolist()


def test_only_a_window_of_groups_is_in_use_and_they_mix() -> None:
    group_R = np.repeat(np.arange(40), 50)
    rows = np.arange(2_000)
    ordered = windowed(rows, group_R, window=5, rng=np.random.default_rng(0))
    seen = group_R[ordered]
    order = list(dict.fromkeys(seen.tolist()))
    assert order != sorted(order)
    first = {group: int(np.flatnonzero(seen == group)[0]) for group in range(40)}
    last = {group: int(np.flatnonzero(seen == group)[-1]) for group in range(40)}
    live = [sum(first[g] <= at <= last[g] for g in range(40)) for at in range(2_000)]
    assert max(live) <= 6  # five, and one that begins as another ends
    middle = [len(np.unique(seen[at : at + 50])) for at in range(300, 1_700, 50)]
    assert np.mean(middle) > 4.5


def test_a_wide_window_leaves_no_trace_of_the_groups() -> None:
    # With a window far wider than the groups there are, places are uniform: the mean place of a group
    # is the middle to within some standard errors.
    group_R = np.repeat(np.arange(10), 200)
    ordered = windowed(np.arange(2_000), group_R, window=1_000, rng=np.random.default_rng(1))
    place = np.empty(2_000)
    place[ordered] = np.linspace(0, 1, 2_000)
    means = place.reshape(10, 200).mean(axis=1)
    assert np.abs(means - 0.5).max() < 5 / np.sqrt(12 * 200)


def test_draws_follow_their_chances() -> None:
    rows = np.asarray([3, 5, 8, 9])
    weight_R = np.asarray([1.0, 2.0, 0.0, 5.0])
    rng = np.random.default_rng(0)
    found = np.concatenate([drawn(rows, weight_R, rng) for _ in range(4_000)])
    counts = np.asarray([(found == row).sum() for row in rows])
    expected = len(found) * weight_R / weight_R.sum()
    assert counts.sum() == 16_000
    assert counts.tolist() == pytest.approx(expected.tolist(), abs=5 * np.sqrt(expected.max()))
