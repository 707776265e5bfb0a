"""Whole genera and families held out; records that might be of them; seen and unseen at that rank."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holotype
from holotype.collection.store import open_collection
from holotype.errors import SplitError
from holotype.splits.groups import group_records
from holotype.splits.held_out_taxa import Coarse, held_out_taxa
from holotype.splits.plan import Role, read_split
from holotype.splits.ranks import taxa_at


def parted(rows, records_of, **options):
    table = records_of(rows)
    return held_out_taxa(table, group_records(table), **({"seed": 0, "rank": "genus"} | options))


def fauna():
    """Two families of two genera of two species, ten records each."""
    return [
        {"family": f"{family}idae", "genus": genus, "species": f"{genus} {epithet}"}
        for family, genera in (("A", ("Aus", "Abus")), ("C", ("Cus", "Cabus")))
        for genus in genera
        for epithet in ("bus", "cus")
        for _ in range(10)
    ]


def test_every_record_of_a_held_out_genus_is_a_key_or_a_query(records_of):
    rows = fauna()
    roles = parted(rows, records_of, held_out=["Cus"])
    for row, record in enumerate(rows):
        assert (roles.status_N[row] == "unseen") == (record["genus"] == "Cus")
    found = Counter(zip((r["species"] for r in rows), roles.role_N.tolist(), strict=True))
    for species in ("Cus bus", "Cus cus"):
        assert (found[species, "key"], found[species, "test"]) == (5, 5)
    for species in ("Aus bus", "Cabus cus"):
        assert [found[species, role] for role in ("train", "key", "test", "val")] == [7, 1, 1, 1]


@pytest.mark.parametrize(
    ("record", "left"),
    [
        ({"family": "Cidae"}, True),  # the family of the held-out genus
        ({"family": "Aidae"}, False),  # another family: surely not
        ({}, True),  # no name at all: anything
        ({"written_label": "egg"}, True),
        ({"kind": "detritus", "group": "detritus"}, False),
        ({"genus": "Cabus"}, False),  # a sister genus
        ({"kingdom": "Plantae"}, True),  # nobody said of which kingdom Cus is
    ],
)
@pytest.mark.parametrize("coarse", list(Coarse))
def test_records_that_might_be_of_the_held_out_genus(records_of, record, left, coarse):
    rows = [*fauna(), record]
    roles = parted(rows, records_of, held_out=["Cus"], coarse=coarse)
    if left and coarse is Coarse.LEAVE_OUT:
        assert roles.role_N[-1] == "unused"
        assert roles.reason_N[-1] == "might be of a held-out genus"
    else:
        assert roles.role_N[-1] == "train"
        assert roles.reason_N[-1] is None


def test_what_contradicts_at_a_wider_rank_is_surely_not_of_it(records_of):
    rows = [dict(row, phylum="Arthropoda") for row in fauna()]
    rows += [{"phylum": "Mollusca"}, {"phylum": "Arthropoda"}, {"kingdom": "Animalia"}]
    roles = parted(rows, records_of, held_out=["Cus"])
    assert roles.role_N[-3:].tolist() == ["train", "unused", "unused"]


def test_a_lineage_with_gaps_is_filled_by_what_the_others_say(records_of):
    rows = [
        *fauna(),
        {"species": "Cus fus"},  # the binomial names the genus, the genus the family
        {"genus": "Cus"},
        {"genus": "Dus"},
    ]
    taxa = taxa_at(records_of(rows), "family")
    assert [taxa.names[t] if t >= 0 else None for t in taxa.taxon_N[-3:]] == [
        "Cidae",
        "Cidae",
        None,
    ]
    roles = parted(rows, records_of, rank="family", held_out=["Cidae"])
    assert roles.status_N[-3:].tolist() == ["unseen", "unseen", "unnamed"]
    assert roles.role_N[-1] == "unused"  # nobody knows the family of Dus


def test_homonyms_fill_nothing_in(records_of):
    rows = [*fauna(), {"family": "Aidae", "genus": "Cus"}, {"genus": "Cus"}]
    taxa = taxa_at(records_of(rows), "family")
    assert taxa.taxon_N[-1] == -1
    roles = parted(rows, records_of, rank="family", held_out=["Cidae"])
    assert roles.reason_N[-1] == "might be of a held-out family"


def test_a_group_of_a_held_out_and_another_genus_is_left_out(records_of):
    rows = fauna()
    rows[0]["haplotype"] = rows[40]["haplotype"] = "shared"
    roles = parted(rows, records_of, held_out=["Cus"])
    assert roles.role_N[[0, 40]].tolist() == ["unused", "unused"]
    assert roles.reason_N[0] == "one group bears a held-out genus and another one"


def test_a_coarse_record_goes_with_its_specimen(records_of):
    rows = [*fauna(), {"specimen_id": "1"}, {"specimen_id": "2"}]
    rows[0]["specimen_id"], rows[40]["specimen_id"] = "1", "2"
    roles = parted(rows, records_of, held_out=["Cus"])
    assert roles.role_N[-2] == roles.role_N[0]
    assert (roles.role_N[-1], roles.status_N[-1]) == (roles.role_N[40], "unseen")


def test_a_fifth_of_the_common_genera_is_chosen(records_of):
    rows = [{"genus": f"G{i}", "species": f"G{i} a"} for i in range(10) for _ in range(12)]
    rows += [{"genus": "Rare", "species": "Rare a"}] * 9
    roles = parted(rows, records_of)
    unseen = {rows[i]["genus"] for i in np.flatnonzero(roles.status_N == "unseen")}
    assert len(unseen) == 2
    assert "Rare" not in unseen
    asked = {
        rows[i]["genus"]: roles.role_N[i]
        for i in np.flatnonzero((roles.status_N == "unseen") & (roles.role_N != "key"))
    }
    assert sorted(asked.values()) == ["test", "val"]


def test_labels_without_lineage_are_held_out_too(records_of):
    rows = [{"written_label": name} for name in ("a", "b", "c") for _ in range(10)]
    roles = parted([*rows, {}], records_of, rank="written_label", held_out=["b"])
    found = Counter(
        zip((r["written_label"] for r in rows), roles.role_N[:-1].tolist(), strict=True)
    )
    assert (found["b", "key"], found["b", "test"], found["a", "train"]) == (5, 5, 7)
    assert roles.role_N[-1] == "unused"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"held_out": ["Cuss"]}, "no genus 'Cuss' in the collection. Did you mean 'Cus'"),
        ({"rank": "genuss"}, "--rank genuss: no such rank. Did you mean 'genus'"),
        ({"rank": "order"}, r"too few order names with 10 records to choose from \(0\)"),
        ({"held_out": ["Aus", "Abus", "Cus", "Cabus"]}, "no record is left to train on"),
    ],
)
def test_what_cannot_be_held_out(records_of, options, message):
    with pytest.raises(SplitError, match=message):
        parted(fauna(), records_of, **options)


RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "phylum": st.sampled_from([None, "P", "Q"]),
            "family": st.sampled_from([None, "Aidae", "Cidae"]),
            "genus": st.sampled_from([None, "Aus", "Cus", "Dus"]),
            "kind": st.sampled_from([None, "living", "detritus"]),
        }
    ),
    min_size=1,
    max_size=12,
)
RANKS = ("genus", "family", "phylum")


def slow_may_be(rows, wanted, taxa):
    """For each record by itself: no genus, living, and some record of the taxon contradicts nothing."""
    filled = [taxa["phylum"], taxa["family"]]
    named = [i for i, name in enumerate(taxa["genus"]) if name in wanted]
    found = []
    for row, record in enumerate(rows):
        agrees = any(
            all(not (wide[row] and wide[i]) or wide[row] == wide[i] for wide in filled)
            for i in named
        )
        blank = taxa["genus"][row] is None and record["kind"] != "detritus"
        found.append(blank and agrees)
    return found


def test_what_might_be_equals_the_slow_search(records_of):
    @settings(deadline=None)
    @given(RECORDS)
    def check(rows):
        table = records_of(rows)
        found = {rank: taxa_at(table, rank) for rank in RANKS}
        names = {
            rank: [taxa.names[t] if t >= 0 else None for t in taxa.taxon_N.tolist()]
            for rank, taxa in found.items()
        }
        for rank in RANKS:  # nothing that is written is changed
            assert all(r[rank] in {None, n} for r, n in zip(rows, names[rank], strict=True))
        may_be = found["genus"].may_be(["Cus"]).tolist()
        assert may_be == slow_may_be(rows, {"Cus"}, names)

    check()


def test_held_out_genera_of_a_collection(tiny_collection, tmp_path):
    table = open_collection(tiny_collection).columns()
    report = holotype.split(
        tiny_collection, out=tmp_path / "s.parquet", method="held-out-taxa", rank="genus"
    )
    made = read_split(tmp_path / "s.parquet")
    genera = np.array(table["genus"].to_pylist(), dtype=object)
    unseen = set(genera[(made.status_N == "unseen") & (made.role_N != "unused")])
    assert unseen
    assert not unseen & set(genera[made.rows(Role.TRAIN)])
    assert report.audit["clean"]
    assert report.audit["unseen_rank"] == "genus"
    assert report.audit["may_be_unseen_in_train"] == 0
