"""Agreement, against numbers worked by hand and in the literature."""

import pytest

from holotype.reviewing.agreement import agreement_of
from holotype.reviewing.events import Kind
from holotype.reviewing.settle import Settle, settled
from holotype.reviewing.state import Decision


def test_kappa_by_hand():
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, by chance 0.5
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    said = {f"r{at}": {"A": one, "B": other} for at, (one, other) in enumerate(pairs)}
    found = agreement_of(said)
    (pair,) = found.pairs
    assert (pair.records, pair.same, found.disputed) == (50, 35, 15)
    assert pair.share.value == pytest.approx(0.7)
    assert pair.kappa.value == pytest.approx(0.4)
    assert pair.kappa.low < 0.4 < pair.kappa.high
    assert pair.kappa.low == pytest.approx(0.15, abs=0.08)  # 0.4 less 1.96 times 0.13


def test_alpha_of_krippendorffs_own_example():
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: 4 observers, nominal, 0.743
    matrix = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    said = {
        f"u{unit}": {who: str(row[unit]) for who, row in matrix.items() if row[unit] is not None}
        for unit in range(12)
    }
    found = agreement_of(said)
    assert found.alpha.value == pytest.approx(0.743, abs=0.001)
    assert found.records == 11  # one unit has one value
    assert found.alpha.low < 0.743 < found.alpha.high


def test_nobody_and_one_alone_agree_on_nothing():
    assert agreement_of({}).share.value is None
    found = agreement_of({"r": {"A": "x"}})
    assert (found.records, found.alpha.value, found.pairs) == (0, None, ())


def test_one_label_alone_says_nothing_beyond_chance():
    found = agreement_of({f"r{n}": {"A": "x", "B": "x"} for n in range(20)})
    assert found.share.value == 1
    assert found.alpha.value is None
    assert found.pairs[0].kappa.value is None


def test_unclassified_is_a_label():
    assert agreement_of({"r": {"A": "", "B": "x"}, "s": {"A": "", "B": ""}}).disputed == 1


def said(**labels):
    return {
        who: Decision(who, Kind.RELABEL, label, "2026-01-02", f"e{at}", False, at)
        for at, (who, label) in enumerate(labels.items(), start=1)
    }


@pytest.mark.parametrize(
    ("decisions", "how", "label"),
    [
        (said(A="x"), Settle.AGREED, "x"),
        (said(A="x", B="x"), Settle.AGREED, "x"),
        (said(A="x", B="y"), Settle.AGREED, "open"),
        (said(A="x", B="y"), Settle.MAJORITY, "open"),
        (said(A="x", B="x", C="y"), Settle.MAJORITY, "x"),
        (said(A="x", B="x", C="y"), Settle.NEWEST, "y"),
        (said(A="x", B=None), Settle.NEWEST, None),
        ({}, Settle.NEWEST, "open"),
    ],
)
def test_whose_word_counts(decisions, how, label):
    found = settled(decisions, how)
    assert ("open" if found is None else found.label) == label


def test_those_who_say_it_are_named():
    found = settled(said(Chi="x", Anna="x", Bo="y"), Settle.MAJORITY)
    assert found.by == ("Anna", "Chi")
    assert found.time == "2026-01-02"
