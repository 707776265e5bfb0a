"""Lineages as values: ragged, truncated, compared, written; numbers and names worked by hand."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import TaxonomyError
from holotype.taxonomy.lineage import (
    LINNAEAN_RANKS,
    Lineage,
    Rank,
    canonical_name,
    common_ancestor,
    common_ancestor_of,
    completed,
)

CALANUS = Lineage.from_names(
    {
        "kingdom": "Animalia",
        "phylum": "Arthropoda",
        "class": "Copepoda",
        "order": "Calanoida",
        "family": "Calanidae",
        "genus": "Calanus",
        "species": "Calanus finmarchicus",
    }
)


@st.composite
def ragged(draw):
    """A lineage with any subset of ranks and few names, so that two often meet."""
    ranks = sorted(draw(st.sets(st.sampled_from(list(Rank)), max_size=7)), key=list(Rank).index)
    return Lineage(tuple((rank, draw(st.sampled_from("AB")) + rank.value) for rank in ranks))


def slow_common_ancestor(first, second):
    """Every rank down to the narrowest one that both give alike, with no disagreement above it."""
    last = -1
    for depth, rank in enumerate(Rank):
        here, there = first.name_at(rank), second.name_at(rank)
        if here and there and here != there:
            break
        if here and there:
            last = depth
    names = {
        rank: first.name_at(rank) or second.name_at(rank)
        for depth, rank in enumerate(Rank)
        if depth <= last
    }
    return Lineage(tuple((rank, name) for rank, name in names.items() if name))


def test_ranks_are_ordered_from_wide_to_narrow():
    assert [rank.value for rank in LINNAEAN_RANKS] == [
        "kingdom", "phylum", "class", "order", "family", "genus", "species",
    ]  # fmt: skip
    for wide, narrow in itertools.pairwise(Rank):
        assert wide.is_above(narrow)
        assert not narrow.is_above(wide)
        assert not wide.is_above(wide)


@pytest.mark.parametrize(
    ("written", "rank"),
    [("Family", Rank.FAMILY), (" division ", Rank.PHYLUM), ("superkingdom", Rank.DOMAIN)],
)
def test_rank_parse(written, rank):
    assert Rank.parse(written) is rank


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("familly", "family"), ("specie", "species"), ("sub-order", "suborder")]
)
def test_a_wrong_rank_is_told_the_nearest(wrong, nearest):
    with pytest.raises(TaxonomyError, match=f"'{wrong}' is not a rank. Did you mean '{nearest}'"):
        Rank.parse(wrong)


def test_from_names_sorts_and_leaves_blanks_out():
    lineage = Lineage.from_names(
        {
            "species": "Tripos furca",
            "kingdom": " Chromista ",
            "order": "",
            "family": None,
            "class": " ",
        }
    )
    assert lineage.taxa == ((Rank.KINGDOM, "Chromista"), (Rank.SPECIES, "Tripos furca"))
    assert (lineage.rank, lineage.name) == (Rank.SPECIES, "Tripos furca")
    assert lineage.name_at(Rank.ORDER) is None


@pytest.mark.parametrize(
    "taxa",
    [
        ((Rank.GENUS, "Calanus"), (Rank.FAMILY, "Calanidae")),
        ((Rank.GENUS, "Calanus"), (Rank.GENUS, "Tripos")),
    ],
)
def test_ranks_out_of_order_or_twice_are_refused(taxa):
    with pytest.raises(TaxonomyError, match="from wide to narrow, each once; found: genus"):
        Lineage(taxa)


def test_a_blank_name_is_refused():
    with pytest.raises(TaxonomyError, match="blank name at rank family"):
        Lineage(((Rank.FAMILY, " "),))


def test_empty_lineage():
    empty = Lineage()
    assert not empty
    assert (empty.rank, empty.name, empty.text(), empty.gap()) == (None, None, "", ())
    assert common_ancestor_of([]) == empty
    assert common_ancestor(empty, CALANUS) == empty


@pytest.mark.parametrize(
    ("rank", "names"),
    [
        (Rank.DOMAIN, 0),
        (Rank.KINGDOM, 1),
        (Rank.SUBCLASS, 3),  # between class and order: nothing there, so down to the class
        (Rank.GENUS, 6),
        (Rank.FORM, 7),
    ],
)
def test_truncate(rank, names):
    assert CALANUS.truncate(rank).taxa == CALANUS.taxa[:names]


@given(ragged(), st.sampled_from(list(Rank)))
def test_truncate_keeps_a_prefix_and_is_idempotent(lineage, rank):
    cut = lineage.truncate(rank)
    assert cut.taxa == tuple(pair for pair in lineage if pair[0].depth <= rank.depth)
    assert cut.truncate(rank) == cut
    assert lineage.is_within(cut)


def test_gap_counts_linnaean_ranks_above_the_narrowest_only():
    ragged_one = Lineage.from_names(
        {"kingdom": "Animalia", "class": "Copepoda", "subfamily": "Calaninae", "genus": "Calanus"}
    )
    assert ragged_one.gap() == (Rank.PHYLUM, Rank.ORDER, Rank.FAMILY)
    assert CALANUS.gap() == ()
    assert Lineage.from_names({"species": "Pica pica"}).gap() == LINNAEAN_RANKS[:-1]


def test_text_says_the_genus_once():
    assert CALANUS.text() == "Animalia Arthropoda Copepoda Calanoida Calanidae Calanus finmarchicus"
    assert CALANUS.truncate(Rank.GENUS).text().endswith("Calanidae Calanus")
    homonym = Lineage.from_names({"genus": "Cal", "species": "Calanus finmarchicus"})
    assert homonym.text() == "Cal Calanus finmarchicus"  # a prefix of letters is no genus


@given(ragged())
def test_text_says_every_name_in_order(lineage):
    position = 0
    for _, name in lineage:
        position = lineage.text().index(name, position)


def test_common_ancestor_by_hand():
    glacialis = Lineage((*CALANUS.taxa[:-1], (Rank.SPECIES, "Calanus glacialis")))
    assert common_ancestor(CALANUS, glacialis) == CALANUS.truncate(Rank.GENUS)
    tripos = Lineage.from_names({"kingdom": "Chromista", "genus": "Tripos"})
    assert common_ancestor(CALANUS, tripos) == Lineage()


def test_common_ancestor_keeps_what_a_narrower_rank_proves():
    # One gives the class, both give the order: the class is shared. The tribe below it is not.
    with_class = Lineage.from_names({"class": "Copepoda", "order": "Calanoida", "tribe": "T"})
    without = Lineage.from_names({"order": "Calanoida", "genus": "Calanus"})
    shared = common_ancestor(with_class, without)
    assert shared == Lineage.from_names({"class": "Copepoda", "order": "Calanoida"})


def test_the_homonym_ctenophora_has_no_common_ancestor():
    comb_jelly = Lineage.from_names({"kingdom": "Animalia", "phylum": "Ctenophora"})
    diatom = Lineage.from_names({"kingdom": "Chromista", "genus": "Ctenophora"})
    assert common_ancestor(comb_jelly, diatom) == Lineage()


@given(ragged(), ragged())
def test_common_ancestor_is_commutative_and_equals_the_slow_one(first, second):
    shared = common_ancestor(first, second)
    assert shared == common_ancestor(second, first)
    assert shared == slow_common_ancestor(first, second)


@given(ragged(), ragged())
def test_common_ancestor_is_idempotent(first, second):
    assert common_ancestor(first, first) == first
    shared = common_ancestor(first, second)
    assert common_ancestor(shared, first) == shared


@given(st.lists(st.sampled_from(list(LINNAEAN_RANKS)), min_size=1), st.randoms())
def test_common_ancestor_of_complete_lineages_knows_no_order(ranks, rng):
    lineages = [CALANUS.truncate(rank) for rank in ranks]
    widest = min(ranks, key=lambda rank: rank.depth)
    rng.shuffle(lineages)
    assert common_ancestor_of(lineages) == CALANUS.truncate(widest)


@pytest.mark.parametrize(
    ("rank", "written", "genus", "name"),
    [
        (Rank.KINGDOM, "animalia", None, "Animalia"),
        (Rank.SPECIES, "finmarchicus", "Calanus", "Calanus finmarchicus"),
        (Rank.SPECIES, "calanus  finmarchicus", "Calanus", "Calanus finmarchicus"),
        (Rank.SPECIES, "Astraptes SENNOV", "Astraptes", "Astraptes SENNOV"),
        (Rank.SPECIES, "Pica pica", "Pica", "Pica pica"),
        (Rank.SPECIES, "pica", "Pica", "Pica pica"),  # the tautonym's epithet alone
        (Rank.FAMILY, " incertae  sedis ", None, "Incertae sedis"),
    ],
)
def test_canonical_name(rank, written, genus, name):
    assert canonical_name(rank, written, genus=genus) == name


@given(st.sampled_from(list(Rank)), st.text("abcdefgh XYZ", min_size=1).filter(str.strip))
def test_canonical_name_is_idempotent(rank, written):
    once = canonical_name(rank, written, genus="Genus")
    assert canonical_name(rank, once, genus="Genus") == once


def named(**names):
    return Lineage.from_names({rank.removesuffix("_"): name for rank, name in names.items()})


def test_completed_fills_in_the_phylum():
    full = named(kingdom="Animalia", phylum="Arthropoda", class_="Copepoda")
    bare = named(kingdom="Animalia", class_="Copepoda", order="Calanoida")
    alone = named(kingdom="Animalia", class_="Hydrozoa")
    assert completed([bare, full, alone, Lineage()]) == [
        named(kingdom="Animalia", phylum="Arthropoda", class_="Copepoda", order="Calanoida"),
        full,
        alone,
        Lineage(),
    ]


def test_completed_keeps_homonyms_apart():
    worlds = [
        named(phylum="Arthropoda", genus="Acartia"),
        named(phylum="Mollusca", genus="Acartia"),
        named(genus="Acartia"),
    ]
    assert completed(worlds) == worlds


def test_what_one_lineage_learns_another_one_learns_from_it():
    genus = named(kingdom="K", family="F", species="F s")
    bare = named(kingdom="K", species="F s")
    family = named(kingdom="K", phylum="P", family="F")
    whole = named(kingdom="K", phylum="P", family="F", species="F s")
    assert completed([genus, bare, family]) == [whole, whole, family]


small_lineages = st.dictionaries(
    st.sampled_from([Rank.KINGDOM, Rank.PHYLUM, Rank.CLASS, Rank.FAMILY, Rank.SPECIES]),
    st.sampled_from("AB"),
).map(Lineage.from_names)


@settings(deadline=None)
@given(st.lists(small_lineages, max_size=7), st.randoms())
def test_completed_only_adds_is_idempotent_and_knows_no_order(lineages, rng):
    whole = completed(lineages)
    assert completed(whole) == whole
    for before, after in zip(lineages, whole, strict=True):
        assert after.is_within(before)
        assert after.rank is before.rank
    order = list(range(len(lineages)))
    rng.shuffle(order)
    assert completed([lineages[i] for i in order]) == [whole[i] for i in order]
