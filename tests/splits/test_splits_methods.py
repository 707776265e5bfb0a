"""Ways to part a collection, on tables whose right answer can be counted on paper."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import SplitError
from holotype.splits import leave_out, methods, upstream
from holotype.splits.groups import group_records
from holotype.splits.held_out_taxa import held_out_taxa
from holotype.splits.plan import Role
from holotype.splits.roles import deal

FRACTIONS = (0.7, 0.1, 0.2)
PARTS = tuple(zip((Role.TRAIN, Role.VAL, Role.TEST), FRACTIONS, strict=True))


def species_rows(sizes):
    """One row a record, each of its own specimen, for species of these sizes."""
    return [
        {"species": name, "specimen_id": f"{name} {i}"}
        for name, n in sizes.items()
        for i in range(n)
    ]


def parted(rows, records_of, method, **options):
    table = records_of(rows)
    return method(table, group_records(table), **options)


def counted(roles, rows, key="species"):
    """Number of records by key, then by "role status"."""
    found = {}
    for row, role, status in zip(rows, roles.role_N.tolist(), roles.status_N.tolist(), strict=True):
        found.setdefault(row.get(key), Counter())[f"{role} {status}"] += 1
    return found


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (1, (1, 0, 0)),
        (2, (1, 0, 1)),
        (
            5,
            (4, 0, 1),
        ),  # 3.5, 0.5, 1: after 3 and 1 go out, train and val lack 0.5 each; train is first
        (10, (7, 1, 2)),
        (100, (70, 10, 20)),
    ],
)
def test_deal_by_hand(records, expected):
    dealt = deal([[row] for row in range(records)], PARTS)
    assert tuple(len(dealt[role]) for role, _ in PARTS) == expected
    assert sorted(row for rows in dealt.values() for row in rows) == list(range(records))


def test_deal_never_parts_a_group():
    groups = [[0, 1, 2, 3, 4, 5], [6, 7], [8], [9]]
    dealt = deal(groups, PARTS)
    role_of = {row: role for role, rows in dealt.items() for row in rows}
    assert all(len({role_of[row] for row in group}) == 1 for group in groups)
    assert role_of[0] is Role.TRAIN


def test_stratified_keeps_the_shares_of_every_class(records_of):
    sizes = {"Aus": 100, "Bus": 10, "Cus": 3, "Dus": 1}
    rows = [{"written_label": name} for name, n in sizes.items() for _ in range(n)]
    roles = parted(rows, records_of, methods.stratified, seed=0, fractions=FRACTIONS)
    found = counted(roles, rows, "written_label")
    assert found["Aus"] == {"train seen": 70, "val seen": 10, "test seen": 20}
    assert found["Bus"] == {"train seen": 7, "val seen": 1, "test seen": 2}
    assert found["Cus"] == {"train seen": 2, "test seen": 1}
    assert found["Dus"] == {"train seen": 1}


def test_one_label_of_two_sources_is_two_classes(records_of):
    rows = [{"source": source, "written_label": "copepod"} for source in "st" for _ in range(10)]
    roles = parted(rows, records_of, methods.stratified, seed=0, fractions=FRACTIONS)
    for source in "st":
        found = counted(roles, rows, "source")[source]
        assert found == {"train seen": 7, "val seen": 1, "test seen": 2}


def test_records_without_a_class_are_dealt_but_unnamed(records_of):
    rows = [{"source": "s"} for _ in range(10)]
    roles = parted(rows, records_of, methods.stratified, seed=0, fractions=FRACTIONS)
    assert Counter(roles.status_N.tolist()) == {"unnamed": 10}


def test_records_with_names_alone_are_stratified_by_taxon(records_of):
    rows = [{"genus": name} for name in ("Aus", "Bus") for _ in range(10)]
    roles = parted(rows, records_of, methods.stratified, seed=3, fractions=FRACTIONS)
    for found in counted(roles, rows, "genus").values():
        assert found == {"train seen": 7, "val seen": 1, "test seen": 2}


@pytest.mark.parametrize("wrong", [(0.7, 0.3), (0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (0.7, 0.1, 0.1)])
def test_fractions_must_add_up(records_of, wrong):
    with pytest.raises(SplitError, match="give train, val and test that add up to 1"):
        parted([{"written_label": "a"}], records_of, methods.stratified, seed=0, fractions=wrong)


def test_seen_unseen_follows_the_rules_of_clibd(records_of):
    common = {f"Common {i:02d}": 20 for i in range(10)}
    tail = {f"Tail {i}": n for i, n in enumerate((9, 8, 2, 2))}
    single = {"Single a": 1, "Single b": 1}
    rows = species_rows(common | tail | single) + [
        {"specimen_id": f"nameless {i}"} for i in range(7)
    ]
    roles = parted(rows, records_of, methods.seen_unseen, seed=0)
    found = counted(roles, rows)
    # 1: records without a species train, unnamed
    assert found.pop(None) == {"train unnamed": 7}
    # 2, 3, 4: 80 % of the common species are seen, their records parted 70/10/10/10
    seen = {name for name in common if "train seen" in found[name]}
    assert len(seen) == 8
    for name in seen:
        assert found[name] == {"train seen": 14, "val seen": 2, "test seen": 2, "key seen": 2}
    # 5: unseen common species are half for val and half for test; records half keys, half queries
    unseen = sorted(sorted(found[name].items()) for name in set(common) - seen)
    assert unseen == [
        [("key unseen", 10), ("test unseen", 10)],
        [("key unseen", 10), ("val unseen", 10)],
    ]
    # 6: the tail is unseen, in the same way; with an odd number the keys have one more
    for name, n in tail.items():
        (query,) = set(found[name]) - {"key unseen"}
        assert query in {"val unseen", "test unseen"}
        assert (found[name]["key unseen"], found[name][query]) == (n - n // 2, n // 2)
    assert sum("val unseen" in found[name] for name in tail) == 2
    # 7: species of one record are left out, with the reason
    for name in single:
        assert found[name] == {"unused unseen": 1}
    reasons = Counter(reason for reason in roles.reason_N if reason)
    assert reasons == {"the species has one record": 2}


def test_the_line_between_common_and_tail_is_ten_records(records_of):
    rows = species_rows({f"Nine {i}": 9 for i in range(6)} | {f"Ten {i}": 10 for i in range(5)})
    found = counted(parted(rows, records_of, methods.seen_unseen, seed=1), rows)
    assert sum("train seen" in found[f"Ten {i}"] for i in range(5)) == 4
    assert not any("train seen" in found[f"Nine {i}"] for i in range(6))


def test_seen_unseen_deals_haplotypes_not_records(records_of):
    rows = [
        {"species": f"Aus s{s}", "haplotype": f"{s} {i // 4}"} for s in range(5) for i in range(40)
    ]
    table = records_of(rows)
    roles = methods.seen_unseen(table, group_records(table), seed=0)
    where = {}
    for row, role in zip(rows, roles.role_N.tolist(), strict=True):
        where.setdefault(row["haplotype"], set()).add(role)
    assert all(len(found) == 1 for found in where.values())
    assert set().union(*where.values()) == {"train", "val", "test", "key"}


def test_a_group_of_several_species_is_left_out_with_the_reason(records_of):
    rows = species_rows({"Aus bus": 12, "Aus cus": 12})
    rows[0]["haplotype"] = rows[12]["haplotype"] = "shared"
    roles = parted(rows, records_of, methods.seen_unseen, seed=0)
    for row in (0, 12):
        assert roles.role_N[row] == "unused"
        assert roles.reason_N[row] == "one group bears several species names"
    assert Counter(roles.role_N.tolist())["unused"] == 2


def test_a_nameless_record_goes_with_its_specimen(records_of):
    rows = [*species_rows({"Aus bus": 11}), {"specimen_id": "Aus bus 3"}]
    roles = parted(rows, records_of, methods.seen_unseen, seed=0)
    assert roles.role_N[11] == roles.role_N[3]


def test_without_species_there_is_no_seen_and_unseen(records_of):
    with pytest.raises(SplitError, match="no record has a species name"):
        parted([{"genus": "Aus"}], records_of, methods.seen_unseen, seed=0)


def test_upstream_words(records_of):
    words = {
        "pretrain": "train unnamed", "train": "train seen", "Val": "val seen", "test": "test seen",
        "key_unseen": "key unseen", "val_unseen": "val unseen", "test_unseen": "test unseen",
        "other_heldout": "unused unseen", "no_split": "train unnamed", "seen_keys": "key seen",
        "val_unseen_keys": "key unseen", "single_species": "unused unseen",
    }  # fmt: skip
    rows = [{"upstream_split": word, "species": "Aus bus"} for word in words]
    roles = parted(rows, records_of, upstream.upstream, names=upstream.UPSTREAM_NAMES)
    found = [
        f"{r} {s}" for r, s in zip(roles.role_N.tolist(), roles.status_N.tolist(), strict=True)
    ]
    assert found == list(words.values())


def test_upstream_parts_that_share_an_image_leave_training(records_of):
    rows = [
        {"upstream_split": "train", "image_sha256": "a", "species": "Aus bus"},
        {"upstream_split": "test", "image_sha256": "a", "species": "Aus bus"},
        {"upstream_split": "train", "species": None},
        {"upstream_split": None, "species": "Aus bus"},
    ]
    roles = parted(rows, records_of, upstream.upstream, names=upstream.UPSTREAM_NAMES)
    assert roles.role_N.tolist() == ["unused", "test", "train", "unused"]
    assert roles.status_N[2] == "unnamed"
    assert roles.reason_N == [
        "tied to a record that the source puts in test", None, None, "the source puts it in no part",
    ]  # fmt: skip


def test_of_a_group_in_several_upstream_parts_one_stays(records_of):
    words = ["train", "seen_keys", "val", "test"]
    rows = [
        {"upstream_split": word, "species": "Aus bus", "image_sha256": f"from {least}"}
        for least in range(4)
        for word in words[: least + 1]
    ]
    rows.append({"upstream_split": "no_split", "image_sha256": "alone"})
    roles = parted(rows, records_of, upstream.upstream, names=upstream.UPSTREAM_NAMES)
    expected, reasons = [], []
    for least, kept in enumerate(["train", "key", "val", "test"]):
        expected += ["unused"] * least + [kept]
        reasons += [f"tied to a record that the source puts in {kept}"] * least + [None]
    assert roles.role_N.tolist() == [*expected, "train"]
    assert roles.reason_N == [*reasons, None]


def test_few_haplotypes_are_dealt_to_keys_before_queries(records_of):
    assert [role for role, _ in methods.SEEN_PARTS] == [Role.TRAIN, Role.KEY, Role.TEST, Role.VAL]
    rows = [
        {"species": f"Aus s{s}", "haplotype": f"{s} {i % 3}"} for s in range(5) for i in range(21)
    ]
    found = counted(parted(rows, records_of, methods.seen_unseen, seed=0), rows)
    seen = [where for where in found.values() if "train seen" in where]
    assert seen
    assert all(set(where) == {"train seen", "key seen"} for where in seen)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("holdout", r"the source's parts holdout are no roles\. Known: train"),
        (None, "upstream_split is null"),
    ],
)
def test_upstream_parts_that_mean_nothing(records_of, word, message):
    with pytest.raises(SplitError, match=message):
        parted(
            [{"upstream_split": word}], records_of, upstream.upstream, names=upstream.UPSTREAM_NAMES
        )


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "species": st.sampled_from([None, "Aus bus", "Aus cus", "Dus eus", "Fus gus"]),
            "specimen_id": st.one_of(st.none(), st.integers(0, 30).map(str)),
            "haplotype": st.one_of(st.none(), st.integers(0, 30).map(str)),
            "instrument": st.sampled_from(["UVP6", "ISIIS"]),
            "written_label": st.sampled_from([None, "a", "b"]),
        }
    ),
    min_size=1,
    max_size=60,
)


METHODS = {
    "stratified": (methods.stratified, {"fractions": FRACTIONS}),
    "seen_unseen": (methods.seen_unseen, {}),
    "leave_out": (
        leave_out.leave_out,
        {"fractions": FRACTIONS, "by": "instrument", "held_out": ["UVP6"]},
    ),
    "held_out_taxa": (held_out_taxa, {"rank": "species", "held_out": ["Aus bus"]}),
}


@pytest.mark.parametrize("name", METHODS)
def test_whatever_the_records_no_group_is_parted(records_of, name):
    method, options = METHODS[name]

    @settings(max_examples=50, deadline=None)
    @given(ROWS, st.integers(0, 1000))
    def check(rows, seed):
        table = records_of(rows)
        group_N = group_records(table)
        try:
            roles = method(table, group_N, seed=seed, **options)
        except SplitError:
            return
        where = {}
        for group, role in zip(group_N.tolist(), roles.role_N.tolist(), strict=True):
            if role != "unused":
                where.setdefault(group, set()).add(role)
        assert all(len(found) == 1 for found in where.values())
        assert len(roles.role_N) == len(rows)
        again = method(table, group_N, seed=seed, **options)
        assert again.role_N.tolist() == roles.role_N.tolist()
        if name in {"seen_unseen", "held_out_taxa"}:
            species = np.array([row["species"] for row in rows], dtype=object)
            trained = set(species[roles.role_N == "train"]) - {None}
            unseen = set(species[(roles.status_N == "unseen") & (roles.role_N != "unused")]) - {
                None
            }
            assert not trained & unseen

    check()
