"""Groups of like barcodes: what is near a centre, whatever lost a base or an end."""

import numpy as np
import pytest

from holotype.media.barcode_groups import barcode_groups

RNG = np.random.default_rng(5)
FIRST, SECOND = ("".join(RNG.choice(list("ACGT"), size=658)) for _ in range(2))


def changed(barcode: str, *, bases: int, seed: int = 0) -> str:
    """The barcode with other bases at so many places, spread evenly."""
    letters, swap = list(barcode), dict(zip("ACGT", "CGTA", strict=True))
    step = len(letters) // bases
    for place in range(seed % step, step * bases, step):
        letters[place] = swap[letters[place]]
    return "".join(letters)


def test_like_barcodes_share_a_group_and_others_do_not() -> None:
    near = changed(FIRST, bases=6)  # 0.9 %
    first, second, again, cut = barcode_groups([FIRST, SECOND, near, SECOND[3:]], [0] * 4)
    assert first == again != second == cut
    assert {first, second} == {0, 1}


@pytest.mark.parametrize(("bases", "together"), [(6, True), (12, True), (20, False), (40, False)])
def test_the_bound_is_a_share_of_bases(bases: int, together: bool) -> None:
    found = barcode_groups([FIRST, FIRST, changed(FIRST, bases=bases)], [0] * 3, identity=0.98)
    assert bool(found[2] == found[0]) is together


def test_a_lost_base_another_start_and_ambiguous_bases_change_nothing() -> None:
    reads = [
        FIRST,
        FIRST[1:],
        FIRST[:300] + FIRST[301:],
        FIRST[40:],
        FIRST[:200] + "NN" + FIRST[202:],
    ]
    assert barcode_groups(reads, [0] * 5).tolist() == [0] * 5


def test_a_mini_barcode_joins_the_group_of_its_sequence() -> None:
    assert barcode_groups([SECOND, FIRST, FIRST[345:], SECOND], [0] * 4).tolist() == [0, 1, 1, 0]


def test_loci_are_kept_apart_and_groups_of_one_are_none() -> None:
    assert barcode_groups([FIRST, FIRST, FIRST, FIRST], [0, 1, 0, 1]).tolist() == [0, 1, 0, 1]
    assert barcode_groups([FIRST, SECOND, None, "ACGT" * 10, SECOND], [0] * 5).tolist() == [
        -1, 0, -1, -1, 0,
    ]  # fmt: skip
    assert barcode_groups([], []).tolist() == []


def test_the_order_of_records_does_not_matter() -> None:
    reads = [changed(base, bases=n) for base in (FIRST, SECOND) for n in (1, 2, 3, 5, 8)]
    order = RNG.permutation(len(reads))
    groups = barcode_groups(reads, [0] * len(reads))
    shuffled = barcode_groups([reads[i] for i in order], [0] * len(reads))
    same, again = (g[:, None] == g[None, :] for g in (groups, shuffled))
    assert np.array_equal(same[np.ix_(order, order)], again)


def test_more_barcodes_than_a_block_find_the_centres_of_earlier_ones() -> None:
    many = ["".join(RNG.choice(list("ACGT"), size=300)) for _ in range(400)]
    groups = barcode_groups(many + [read[2:] for read in many], [0] * 800)
    assert np.array_equal(groups[:400], groups[400:])
    assert len(set(groups.tolist())) == 400
