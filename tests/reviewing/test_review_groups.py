"""Groups of look-alikes: every record on one page, pages of look-alikes, the same ones every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.reviewing.groups import look_alikes, paged, purity


def clouds(rng, *, clouds=12, each=60, spread=0.3, dim=16):
    centre = rng.standard_normal((clouds, dim)) * 3
    code = np.repeat(np.arange(clouds), each)
    rng.shuffle(code)
    z = centre[code] + spread * rng.standard_normal((len(code), dim))
    return z.astype(np.float32), [f"c{one}" for one in code]


@given(
    st.integers(0, 90), st.integers(1, 20), st.integers(1, 4), st.integers(0, 2**31), st.booleans()
)  # fmt: skip
def test_every_record_has_one_place_and_no_page_is_too_long(count, size, labels, seed, copies):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((count, 4)).astype(np.float32)
    if copies:
        z[:] = 1  # nothing tells them apart
    z[rng.random(count) < 0.1] = np.nan
    names = [None if rng.random() < 0.1 else f"l{rng.integers(labels)}" for _ in range(count)]
    found = paged(z, names, page_size=size)
    assert sorted(found.order_N.tolist()) == list(range(count))
    for numbers in (found.page_N, found.group_N):
        assert set(np.diff(numbers).tolist()) <= {0, 1}
        assert np.bincount(numbers, minlength=1).max() <= size
    for group in range(found.groups):
        of_group = {
            names[row]
            for row in found.order_N[found.group_N == group]
            if not np.isnan(z[row]).any()
        }
        assert len(of_group) <= 1
        assert len(set(found.page_N[found.group_N == group].tolist())) == 1


def test_pages_of_clouds_that_lie_apart_are_pure():
    z, names = clouds(np.random.default_rng(0))
    found = paged(z, [None] * len(z), page_size=20)
    measured = purity(found, names, [None] * len(z), page_size=20)
    assert measured.of_pages > 0.95
    assert measured.of_random < 0.3
    assert measured.labels_a_page < 1.5 < measured.labels_a_random_page


def test_they_do_not_depend_on_the_order_that_records_come_in():
    z, _ = clouds(np.random.default_rng(1), clouds=5, each=40)
    turned = np.random.default_rng(2).permutation(len(z))
    one, other = (
        paged(z, [None] * len(z), page_size=40),
        paged(z[turned], [None] * len(z), page_size=40),
    )
    first = {frozenset(one.order_N[one.page_N == page].tolist()) for page in range(one.pages)}
    again = {
        frozenset(turned[other.order_N[other.page_N == page]].tolist())
        for page in range(other.pages)
    }
    assert first == again


def test_near_groups_follow_each_other():
    along = np.linspace(0, 10, 200)
    z = np.stack([np.cos(along / 4), np.sin(along / 4), along / 10], axis=1).astype(np.float32)
    shuffled = np.random.default_rng(3).permutation(200)
    groups = look_alikes(z[shuffled], np.arange(200), 10)
    means = [along[shuffled[rows]].mean() for rows in groups]
    steps = np.abs(np.diff(means))
    assert steps.max() < 2
    assert np.median(steps) < 0.8


def test_records_without_embedding_come_last():
    z, _ = clouds(np.random.default_rng(4), clouds=2, each=10)
    z[[3, 7]] = np.nan
    found = paged(z, [None] * 20, page_size=6)
    assert set(found.order_N[-2:].tolist()) == {3, 7}


def test_purity_by_hand():
    z = np.asarray([[0.0, 0], [0, 0.1], [5, 5], [5, 5.1]], dtype=np.float32)
    found = paged(z, [None] * 4, page_size=2)
    measured = purity(found, ["a", "a", "b", None], ["x", "x", "y", "y"], page_size=2)
    assert (measured.records, measured.of_pages, measured.labels_a_page) == (3, 1.0, 1.0)
    assert measured.of_labels == 1.0
    assert purity(found, ["a", None, None, None], [None] * 4, page_size=2) is None


@pytest.mark.slow
def test_a_hundred_thousand_records_take_seconds():
    import time

    z, _ = clouds(np.random.default_rng(5), clouds=500, each=200, dim=256)
    started = time.monotonic()
    found = paged(z, [None] * len(z))
    assert time.monotonic() - started < 60
    assert found.pages == 2_500
