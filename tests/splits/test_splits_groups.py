"""Groups: the connected parts of "shares a value", against a slow search."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holotype.splits.columns import coded
from holotype.splits.groups import TYING_COLUMNS, group_records

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from("st"),
            "specimen_id": st.sampled_from([None, "1", "2", "3", "4"]),
            "image_sha256": st.sampled_from([None, None, "a", "b", "c"]),
            "haplotype": st.sampled_from([None, None, "x", "y", "z"]),
        }
    ),
    max_size=14,
)


def tied(first, second):
    same_specimen = (
        first["specimen_id"] is not None
        and first["specimen_id"] == second["specimen_id"]
        and first["source"] == second["source"]
    )
    return same_specimen or any(
        first[name] is not None and first[name] == second[name]
        for name in ("image_sha256", "haplotype")
    )


def slow_groups(rows):
    """Floods from each record over all pairs; a group's number is its first row."""
    group = [-1] * len(rows)
    for start in range(len(rows)):
        reached = [start] if group[start] < 0 else []
        while reached:
            row = reached.pop()
            if group[row] < 0:
                group[row] = start
                reached += [other for other in range(len(rows)) if tied(rows[row], rows[other])]
    return group


def test_groups_equal_the_slow_search(records_of):
    @given(ROWS)
    def check(rows):
        assert group_records(records_of(rows)).tolist() == slow_groups(rows)

    check()


def test_the_order_of_records_does_not_matter(records_of):
    @given(ROWS, st.randoms())
    def check(rows, rng):
        order = list(range(len(rows)))
        rng.shuffle(order)
        group = group_records(records_of(rows))
        shuffled = group_records(records_of([rows[i] for i in order]))
        together = group[:, None] == group[None, :]
        assert (together[np.ix_(order, order)] == (shuffled[:, None] == shuffled[None, :])).all()

    check()


def test_a_chain_of_ties_is_one_group(records_of):
    rows = [
        {"specimen_id": "1"},
        {"specimen_id": "2", "haplotype": "x"},
        {"specimen_id": "1", "image_sha256": "a"},
        {"image_sha256": "a", "haplotype": "x"},
        {},
        {},
    ]
    # 0-2 by specimen, 2-3 by image, 3-1 by haplotype; nulls tie nothing
    assert group_records(records_of(rows)).tolist() == [0, 0, 0, 0, 4, 5]


def test_specimens_tie_only_within_a_source(records_of):
    rows = [{"source": source, "specimen_id": "1"} for source in "stst"]
    table = records_of(rows)
    assert group_records(table).tolist() == [0, 1, 0, 1]
    found = coded(table, "specimen_id")
    assert [found.values[code] for code in found.code_N] == ["s/1", "t/1", "s/1", "t/1"]
    assert group_records(table, columns=("haplotype",)).tolist() == [0, 1, 2, 3]


def test_what_ties():
    assert TYING_COLUMNS == ("specimen_id", "image_sha256", "haplotype")
