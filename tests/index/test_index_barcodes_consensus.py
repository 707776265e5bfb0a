"""The rank at which hits agree, worked by hand."""

import numpy as np
import pytest

from holotype.index.barcodes.consensus import THRESHOLDS_PCT, consensus
from holotype.taxonomy.lineage import Rank

RANKS = (Rank.SPECIES, Rank.GENUS, Rank.FAMILY)
NAN = float("nan")


def agreed(identities, taxa, **settings):
    """(rank, taxon, share, best hit) of one query; taxa of a hit are species, genus, family."""
    found = consensus(np.array([identities]), np.array([taxa], np.int64), ranks=RANKS, **settings)
    return (
        int(found.rank_Q[0]), int(found.taxon_Q[0]), float(found.share_Q[0]), int(found.place_Q[0])
    )  # fmt: skip


@pytest.mark.parametrize(
    ("identities", "taxa", "expected"),
    [
        pytest.param([99.0, 98.0, 96.0], [[1, 5, 9], [1, 5, 9], [2, 5, 9]], (0, 1, 1.0, 0),
                     id="the third hit is no vote for a species"),
        pytest.param([99.0, 98.0, 97.0], [[1, 5, 9], [1, 5, 9], [2, 5, 9]], (1, 5, 1.0, 0),
                     id="97 per cent is a vote; two of three are no majority of nine in ten"),
        pytest.param([96.9, 96.0, NAN], [[1, 5, 9], [2, 5, 9], [-1, -1, -1]], (1, 5, 1.0, 0),
                     id="under 97 per cent no species"),
        pytest.param([99.0, 98.0, 98.0], [[-1, 6, 9], [1, 5, 9], [1, 5, 9]], (0, 1, 1.0, 1),
                     id="a hit without a species has no vote"),
        pytest.param([99.0, 98.0, 97.5], [[-1, 5, 9], [-1, 6, 9], [-1, -1, 9]], (2, 9, 1.0, 0),
                     id="disagreement goes up to the family"),
        pytest.param([89.0, 80.0, 70.0], [[1, 5, 9], [1, 5, 9], [1, 5, 9]], (-1, -1, NAN, -1),
                     id="too far for any"),
        pytest.param([NAN, NAN, NAN], [[-1, -1, -1]] * 3, (-1, -1, NAN, -1), id="no hit"),
        pytest.param([99.0, 92.0, 91.0], [[-1, -1, 9], [1, 5, 9], [1, 5, 8]], (-1, -1, NAN, -1),
                     id="two of three are no majority anywhere"),
    ],
)  # fmt: skip
def test_by_hand(identities, taxa, expected):
    assert agreed(identities, taxa) == pytest.approx(expected, nan_ok=True)


def test_majority_and_weights():
    identities = [99.0, 99.0, 98.0]
    taxa = [[1, 5, 9], [2, 5, 9], [2, 5, 9]]
    assert agreed(identities, taxa, majority=0.6) == pytest.approx((0, 2, 2 / 3, 1))
    weight = np.array([[18.0, 1.0, 1.0]])
    assert agreed(identities, taxa, weight_QK=weight) == pytest.approx((0, 1, 0.9, 0))


def test_thresholds_are_those_of_boldigger():
    assert {rank.value: pct for rank, pct in THRESHOLDS_PCT.items()} == {
        "species": 97, "genus": 95, "family": 90, "order": 85, "class": 75,
    }  # fmt: skip


def test_a_higher_threshold_never_names_a_deeper_rank():
    rng = np.random.default_rng(0)
    identities = np.sort(rng.uniform(85, 100, (300, 6)))[:, ::-1]
    species = rng.integers(0, 3, (300, 6))
    taxa = np.stack([species, species // 2, species // 4], axis=2)
    before = consensus(identities, taxa, ranks=RANKS, majority=1.0)
    stricter = {rank: THRESHOLDS_PCT[rank] + 100 for rank in RANKS}
    assert (consensus(identities, taxa, ranks=RANKS, thresholds_pct=stricter).rank_Q == -1).all()
    looser = consensus(identities, taxa, ranks=RANKS, majority=0.51)
    deep = np.where(before.rank_Q < 0, 9, before.rank_Q)
    assert (np.where(looser.rank_Q < 0, 9, looser.rank_Q) <= deep).all()


def test_wrong_settings_are_refused():
    identities, taxa = np.zeros((1, 1)), np.zeros((1, 1, 3), np.int64)
    with pytest.raises(ValueError, match=r"majority is 0\.5"):
        consensus(identities, taxa, ranks=RANKS, majority=0.5)
    with pytest.raises(ValueError, match="no threshold for tribe"):
        consensus(identities, taxa, ranks=(Rank.TRIBE, *RANKS[:2]))
    with pytest.raises(ValueError, match="do not fit"):
        consensus(identities, taxa[:, :, :2], ranks=RANKS)
