"""What the Explore page counts: facets, the tree, places and dates, worked out by hand and by law."""

from dataclasses import replace
from urllib.parse import parse_qsl

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from explore_collection import collection_of
from hypothesis import given

from holotype.app.exploring.facts import facts_of
from holotype.app.exploring.filters import Box, Filters, masks, path_text, read_filters
from holotype.app.exploring.tree import MOST_CHILDREN, children, drawn
from holotype.app.exploring.view import Order, ordered, view_of
from holotype.app.exploring.where_when import coastline, depths, places, years
from holotype.app.pages.explore_filters import chips

COPEPOD = {"kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda", "kind": "living"}
ROWS = [
    {**COPEPOD, "order": "Calanoida", "instrument": "UVP6", "licence": "CC0-1.0", "written_label": "cal"},
    {**COPEPOD, "order": "Calanoida", "instrument": "IFCB", "licence": "CC0-1.0", "written_label": "cal"},
    {**COPEPOD, "order": "Cyclopoida", "instrument": "UVP6", "written_label": "cyc"},
    {**COPEPOD, "instrument": "UVP6", "licence": "CC-BY-4.0", "written_label": "cop"},
    {"kind": "detritus", "group": "detritus", "instrument": "UVP6", "written_label": "det"},
    {"kind": "artefact", "group": "bubble", "written_label": "bub"},
    {"written_label": "?"},
    {"kingdom": "Chromista", "kind": "living", "qualifier": "part", "instrument": "IFCB",
     "other_ranks": [{"rank": "subphylum", "name": "Bacillariophytina"}]},
]  # fmt: skip
PLACED = [
    {"latitude_deg": 43.5, "longitude_deg": 7.25, "depth_min_m": 0.0, "depth_max_m": 20.0,
     "collected_on": "2019-07-03T10:00"},
    {"latitude_deg": 43.5, "longitude_deg": 7.25, "depth_min_m": 150.0, "collected_on": "2019"},
    {"latitude_deg": -17.0, "longitude_deg": 179.5, "collected_on": "2021-12-31"},
    {"latitude_deg": -17.0, "longitude_deg": -179.5, "depth_max_m": -1.0, "collected_on": "spring"},
    {},
]  # fmt: skip


def made(folder, rows):
    """Returns the facts of rows, in two shards."""
    complete = [
        {"record_id": f"r{at}", "source": "made", "source_item": str(at), **row}
        for at, row in enumerate(rows)
    ]
    return facts_of(collection_of(folder, complete, shards=2))


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return made(tmp_path_factory.mktemp("counts") / "c", ROWS)


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    return made(tmp_path_factory.mktemp("placed") / "c", PLACED)


def values(view, facet):
    return {one.value: one.records for one in view.facets.get(facet, ())}


def test_facets_without_filters(facts):
    view = view_of(facts, Filters())
    assert values(view, "instrument") == {"UVP6": 4, "IFCB": 2, None: 2}
    assert values(view, "licence") == {"CC0-1.0": 2, "CC-BY-4.0": 1, None: 5}
    assert values(view, "kind") == {"living": 5, "detritus": 1, "artefact": 1, None: 1}
    assert "site" not in view.facets
    assert [one.value for one in view.facets["instrument"]] == ["UVP6", "IFCB", None]


def test_a_facet_counts_what_passes_the_other_filters(facts):
    asked = Filters().toggled("instrument", "UVP6").toggled("licence", "CC0-1.0")
    view = view_of(facts, asked)
    assert view.row_R.tolist() == [0]
    assert values(view, "instrument") == {"UVP6": 1, "IFCB": 1}
    assert values(view, "licence") == {"CC0-1.0": 1, "CC-BY-4.0": 1, None: 2}
    assert values(view, "written_label") == {"cal": 1}


def test_several_values_of_one_facet_and_no_value(facts):
    either = Filters().toggled("instrument", "IFCB").toggled("instrument", None)
    assert view_of(facts, either).row_R.tolist() == [1, 5, 6, 7]
    absent = view_of(facts, Filters().toggled("instrument", "ZooScan"))
    assert len(absent) == 0
    assert [(one.value, one.records) for one in absent.facets["instrument"] if one.is_chosen] == [
        ("ZooScan", 0)
    ]


def test_the_tree_by_hand(facts):
    view = view_of(facts, Filters())
    top = {node.name: (node.rank, node.records) for node in children(view, ())}
    assert top == {
        "Animalia": ("kingdom", 4),
        "Chromista": ("kingdom", 1),
        "detritus": ("kind", 1),
        "artefact": ("kind", 1),
        "no name": ("none", 1),
    }
    class_path = (("kingdom", "Animalia"), ("phylum", "Arthropoda"), ("class", "Copepoda"))
    assert [(n.name, n.records) for n in children(view, class_path)] == [
        ("Calanoida", 2),
        ("Cyclopoida", 1),
    ]
    assert facts.lineages.labels[facts.lineage_N[7]] == "Bacillariophytina (part)"
    assert facts.lineages.label_ranks[facts.lineage_N[7]] == "subphylum"


def test_the_tree_keeps_other_branches_when_a_taxon_is_chosen(facts):
    taxon = (("kingdom", "Animalia"),)
    view = view_of(facts, Filters(taxon=taxon).toggled("instrument", "UVP6"))
    assert view.row_R.tolist() == [0, 2, 3]
    assert {node.name: node.records for node in children(view, ())} == {
        "Animalia": 3,
        "detritus": 1,
    }
    assert drawn(view, taxon).records == 3


def test_what_is_too_small_to_draw_is_added_up(tmp_path):
    rows = [{"kingdom": "A", "phylum": f"P{at:02}"} for at in range(40)]
    facts = made(tmp_path / "c", rows + [{"kingdom": "A", "phylum": "P00"}] * 10)
    tree = drawn(view_of(facts, Filters()), (("kingdom", "A"),))
    assert len(tree.children) == MOST_CHILDREN + 1
    assert tree.children[0].records == 11
    last = tree.children[-1]
    assert (last.added_up, last.records, last.name) == (26, 26, "26 others")
    assert sum(child.records for child in tree.children) == tree.records == 50


def test_places_cells_and_a_box_over_the_180th_meridian(placed):
    view = view_of(placed, Filters())
    found = places(view)
    assert (found.records, found.without) == (4, 1)
    assert sorted(cell.records for cell in found.cells) == [1, 1, 2]
    fiji = view_of(placed, Filters(box=Box(-20, 179, -10, -179)))
    assert fiji.row_R.tolist() == [2, 3]
    assert view_of(placed, Filters(box=Box(-20, -180, -10, -179))).row_R.tolist() == [3]
    assert places(view_of(placed, Filters().toggled("source", "none"))) is None


def test_depths_and_dates(placed):
    view = view_of(placed, Filters())
    assert [(bar.name, bar.records) for bar in depths(view) if bar.records] == [
        ("above 0", 1),
        ("10\u201320", 1),
        ("100\u2013200", 1),
    ]
    assert [(bar.name, bar.records) for bar in years(view)] == [
        ("2019", 2),
        ("2020", 0),
        ("2021", 1),
    ]
    assert view_of(placed, Filters(months=frozenset({7, 12}))).row_R.tolist() == [0, 2]
    assert view_of(placed, Filters(since="2019-07", until="2019-08")).row_R.tolist() == [0]
    assert view_of(placed, Filters(since="2019", until="2019")).row_R.tolist() == [0, 1]
    assert view_of(placed, Filters(depth_from=10, depth_to=150)).row_R.tolist() == [0, 1]
    assert view.has == {"image": 0, "barcode": 0, "place": 4, "date": 3, "depth": 3}


def test_a_bar_of_depth_filters_the_records_that_it_counts(tmp_path):
    """Also at the ends of a layer: 0 m is below the surface, 20 m in the layer that begins there."""
    metres = (-3.0, 0.0, 0.0, 0.5, 1.0, 10.0, 19.99, 20.0, 20.0, 12_000.0, 12_500.0)
    facts = made(tmp_path / "c", [{"depth_min_m": depth} for depth in metres] + [{}])
    bars = depths(view_of(facts, Filters()))
    assert sum(bar.records for bar in bars) == len(metres)
    for bar in bars:
        low = None if np.isinf(bar.first) else bar.first
        high = None if np.isinf(bar.last) else bar.last
        assert len(view_of(facts, Filters(depth_from=low, depth_under=high))) == bar.records
    assert len(view_of(facts, Filters(depth_to=0))) == 3
    assert len(view_of(facts, Filters(depth_under=0))) == 1


def test_a_link_is_as_exact_as_what_was_drawn():
    asked = Filters(depth_from=1234.5678, depth_under=20.0, box=Box(-12.3456, -123.4567, 0, 9.8765))
    assert read_filters(parse_qsl(asked.query())) == (asked, ())


def test_each_chip_takes_itself_away_from_what_there_is_then():
    asked = Filters(taxon=(("kingdom", "Animalia"),), depth_from=5.0, months=frozenset({2}))
    asked = replace(asked.toggled("instrument", "IFCB"), has=frozenset({"image"}), since="2019")
    later = asked.toggled("licence", "CC0-1.0")
    told = dict(chips(asked))
    assert told["5 m or deeper"](later) == replace(later, depth_from=None)
    assert told["Instrument: IFCB"](later) == later.toggled("instrument", "IFCB")
    for without in told.values():
        later = without(later)
    assert later == Filters().toggled("licence", "CC0-1.0")


def test_orders(placed, facts):
    view = view_of(placed, Filters())
    assert ordered(view, Order.DATE).tolist() == [1, 0, 2, 3, 4]
    assert ordered(view, Order.DEPTH).tolist() == [3, 0, 1, 2, 4]
    mixed = ordered(view, Order.MIXED)
    assert sorted(mixed.tolist()) == [0, 1, 2, 3, 4]
    few = view_of(placed, Filters(has=frozenset({"place"})))
    assert ordered(few, Order.MIXED).tolist() == [row for row in mixed.tolist() if row != 4]
    by_name = ordered(view_of(facts, Filters()), Order.TAXON).tolist()
    assert by_name.index(3) < by_name.index(0) < by_name.index(2)


def test_decisions_of_a_model_are_a_facet(facts):
    told = facts.with_decisions(np.array([0, 4]), pa.array(["named", "novel"]))
    view = view_of(told, Filters().toggled("decision", "novel"))
    assert view.row_R.tolist() == [4]
    assert values(view, "decision") == {"named": 1, "novel": 1, None: 6}
    assert len(view_of(facts, Filters().toggled("decision", "novel"))) == 0


FACETS = ("instrument", "licence", "kind", "written_label")
CHOICES = st.frozensets(
    st.sampled_from(
        [
            (facet, value)
            for facet in FACETS
            for value in (None, "UVP6", "IFCB", "CC0-1.0", "living", "cal")
        ]
    ),
    max_size=4,
)
TAXA = st.sampled_from(
    [(), (("kingdom", "Animalia"),), (("kind", "detritus"),), (("none", "no name"),)]
)


@given(chosen=CHOICES, taxon=TAXA)
def test_the_counts_of_a_facet_add_up_to_what_passes_the_others(facts, chosen, taxon):
    filters = Filters(chosen=chosen, taxon=taxon)
    view = view_of(facts, filters)
    for facet, found in view.facets.items():
        others = Filters(chosen=frozenset(c for c in chosen if c[0] != facet), taxon=taxon)
        assert sum(one.records for one in found) == len(view_of(facts, others))
        own = filters.values(facet)
        if own:
            assert sum(one.records for one in found if one.is_chosen) == len(view)
    without = Filters(chosen=chosen)
    assert view.lineage_L.sum() == len(view_of(facts, without))
    assert sum(node.records for node in children(view, ())) == len(view_of(facts, without))


@given(one=CHOICES, other=CHOICES)
def test_filters_commute_and_narrow(facts, one, other):
    names = {facet for facet, _ in one}
    apart = frozenset(choice for choice in other if choice[0] not in names)
    both = set(view_of(facts, Filters(chosen=one | apart)).row_R.tolist())
    first = set(view_of(facts, Filters(chosen=one)).row_R.tolist())
    second = set(view_of(facts, Filters(chosen=apart)).row_R.tolist())
    assert both == first & second


NAMES = st.text(min_size=1, max_size=12)
ANY = st.builds(
    Filters,
    chosen=st.frozensets(
        st.tuples(st.sampled_from(["instrument", "site"]), st.one_of(st.none(), NAMES)), max_size=3
    ),
    taxon=st.lists(st.tuples(st.sampled_from(["kingdom", "group"]), NAMES), max_size=3).map(tuple),
    since=st.sampled_from([None, "2019", "2019-07"]),
    months=st.frozensets(st.integers(1, 12), max_size=3),
    depth_to=st.sampled_from([None, 0.0, -3.5, 1200.0]),
    box=st.sampled_from([None, Box(-20, 179, -10, -179), Box(1.25, 2, 3, 4)]),
    has=st.frozensets(st.sampled_from(["image", "place"])),
    selection=st.sampled_from([None, "abc123"]),
)


@given(filters=ANY)
def test_a_link_says_the_filters(filters):
    from urllib.parse import parse_qsl

    found, problems = read_filters(parse_qsl(filters.query(), keep_blank_values=True))
    assert not problems
    assert found == filters


@pytest.mark.parametrize(
    "pair",
    [
        ("taxon", "Animalia"), ("since", "2019-13"), ("since", "19"), ("depth_to", "nan"), ("month", "0"),
        ("box", "1,2,3"), ("box", "50,0,40,1"), ("has", "money"), ("selection", "../../etc"), ("month", "x"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_in_a_link_is_said(pair):
    found, problems = read_filters([pair, ("other", "x")])
    assert found == Filters()
    assert problems == (f"{pair[0]}={pair[1]}",)


def test_masks_are_of_what_is_set(facts):
    asked = Filters(taxon=(("kingdom", "Animalia"),)).toggled("instrument", "UVP6")
    assert set(masks(facts, asked)) == {"taxon", "instrument"}
    assert path_text(asked.taxon) == "kingdom:Animalia"


def test_the_coasts_are_where_they_are():
    longitude, latitude = (np.array(one, dtype=float) for one in coastline())
    assert np.nanmax(np.abs(longitude)) <= 180
    assert np.nanmax(np.abs(latitude)) <= 90

    def nearest_deg(place_longitude, place_latitude):
        return np.nanmin(np.hypot(longitude - place_longitude, latitude - place_latitude))

    for at in ((18.4, -34.1), (-5.7, 50.1), (-70.0, -52.5), (138.0, -33.0)):  # capes and a gulf
        assert nearest_deg(*at) < 1.5
    for at in (
        (-30.0, 40.0),
        (80.0, -30.0),
        (25.0, 5.0),
        (100.0, 60.0),
    ):  # open sea, and far inland
        assert nearest_deg(*at) > 4


def test_an_empty_collection(tmp_path):
    facts = facts_of(collection_of(tmp_path / "c", []))
    view = view_of(facts, Filters())
    assert len(view) == 0
    assert children(view, ()) == ()
    assert drawn(view, ()).records == 0
    assert places(view) is None
    assert depths(view) == years(view) == ()
