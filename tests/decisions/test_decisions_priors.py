"""Priors: hand-worked Bayes, what tables say and do not say, names, and faults by file and line."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.decisions.priors import NOTHING_SAID, Priors, posterior
from holotype.errors import SourceError
from holotype.models.labels import Label, LabelSpace, Target
from holotype.taxonomy.backbone.build import write_rows
from holotype.taxonomy.backbone.lineages import rows_of_lineages
from holotype.taxonomy.backbone.schema import RAW_COLUMNS, RAW_SCHEMA
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import Lineage

COPEPODA = {"kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda"}
CALANUS = {**COPEPODA, "order": "Calanoida", "family": "Calanidae", "genus": "Calanus"}


def taxon(name, records=10, **lineage):
    return Label(name, Concept(Lineage.from_names(lineage)), records)


LABELS = LabelSpace(
    Target.TREE,
    (
        taxon("Calanus finmarchicus", 30, **CALANUS, species="Calanus finmarchicus"),
        taxon("Calanus hyperboreus", 10, **CALANUS, species="Calanus hyperboreus"),
        taxon("Calanoida", 60, **COPEPODA, order="Calanoida"),
        taxon("Oithona", 20, **COPEPODA, order="Cyclopoida", family="Oithonidae", genus="Oithona"),
        taxon("Ctenophora", kingdom="Animalia", phylum="Ctenophora"),
        taxon("Ctenophora [diatom]", kingdom="Chromista", phylum="Ochrophyta", genus="Ctenophora"),
        Label("detritus", Concept(Lineage(), WHOLE, Kind.DETRITUS, "detritus"), 100),
    ),
)
FIN, HYP, CAL, OIT, CTE, DIA, DET = range(7)
ARCTIC = {"latitude_deg": 79.0, "longitude_deg": 10.0}
TROPICS = {"latitude_deg": 5.0, "longitude_deg": -20.0}
CONTEXT = pa.schema(
    [
        ("latitude_deg", pa.float64()), ("longitude_deg", pa.float64()), ("depth_min_m", pa.float64()),
        ("depth_max_m", pa.float64()), ("collected_on", pa.string()), ("country", pa.string()),
        ("site", pa.string()),
    ]
)  # fmt: skip


def context(*rows):
    return pa.Table.from_pylist(list(rows), schema=CONTEXT)


@pytest.fixture
def read(tmp_path):
    def of(*texts, **options):
        paths = []
        for at, text in enumerate(texts):
            paths.append(tmp_path / f"table{at}.csv")
            paths[-1].write_text(text, encoding="utf-8")
        return Priors.read(paths, LABELS, **options)

    return of


def test_bayes_by_hand(read):
    """0.61, 0.30, 0.09 with 0.1, 1 and 1: 0.061 / 0.451, 0.30 / 0.451, 0.09 / 0.451."""
    priors = read(
        "taxon,region,latitude_min_deg,latitude_max_deg,longitude_min_deg,longitude_max_deg,scope\n"
        "Calanus finmarchicus,Arctic,66,90,-180,180,Calanus\n",
        floor=0.1,
    )
    before = np.zeros((1, 7))
    before[0, [HYP, FIN, DET]] = 0.61, 0.30, 0.09
    weight = priors.weights(context(ARCTIC))
    assert weight[0].tolist() == [1, 0.1, 1, 1, 1, 1, 1]
    after = posterior(before, weight)
    np.testing.assert_allclose(
        after[0, [HYP, FIN, DET]], [0.061 / 0.451, 0.30 / 0.451, 0.09 / 0.451]
    )
    assert after.sum() == pytest.approx(1)
    (text,) = priors.effects(context(ARCTIC), before, after)
    assert text.startswith("Calanus finmarchicus instead of Calanus hyperboreus; ")
    assert "Calanus hyperboreus 0.61 -> 0.14: not on the checklist of Arctic" in text
    assert priors.effects(context(TROPICS), before, before) == [NOTHING_SAID]


def test_a_list_without_scope_is_complete_for_what_holds_all_of_it(read):
    priors = read("taxon\nOithona similis\nCalanus hyperboreus\n")
    weight = priors.weights(context({}))[0]
    # The list is of Copepoda: a genus and an order that hold a listed species stay, others outside too.
    assert weight.tolist() == [0.01, 1, 1, 1, 1, 1, 1]


def test_the_narrowest_name_decides(read):
    priors = read("taxon,present\nCalanoida,yes\nCalanus finmarchicus,no\nOithona,no\n")
    assert priors.weights(context({}))[0].tolist() == [0.01, 1, 1, 0.01, 1, 1, 1]


def test_a_list_that_only_denies_says_nothing_of_others(read):
    priors = read("taxon,present\nCtenophora [diatom],no\n")
    assert priors.weights(context({}))[0].tolist() == [1, 1, 1, 1, 1, 0.01, 1]


def test_depth_ranges_speak_of_their_own_taxa(read):
    priors = read(
        "taxon,depth_min_m,depth_max_m\nCalanus hyperboreus,500,3000\nCalanus hyperboreus,0,50\n"
        "Oithona,,200\n"
    )
    weight = priors.weights(
        context(
            {
                "depth_min_m": 300.0,
                "depth_max_m": 400.0,
            },  # below Oithona, between the other's ranges
            {"depth_min_m": 150.0, "depth_max_m": 600.0},  # touches both
            {"depth_max_m": 1000.0},  # one depth known
            {},
        )
    )
    assert weight[:, [HYP, OIT]].tolist() == [[0.01, 0.01], [1, 1], [1, 0.01], [1, 1]]
    assert (np.delete(weight, [HYP, OIT], axis=1) == 1).all()
    before = np.full((1, 7), 1 / 7)
    here = context({"depth_min_m": 1000.0})
    (text,) = priors.effects(here, before, posterior(before, priors.weights(here)))
    assert "Oithona 0.14 -> 0.00: outside its depth in table0.csv" in text


def test_seasons_wrap_around_new_year(read):
    priors = read("taxon;months\nOithona;11-2\n")
    days = ["2020-12-31", "2020-02", "2020-03-01", "2020", None]
    weight = priors.weights(context(*({"collected_on": day} for day in days)))
    assert weight[:, OIT].tolist() == [1, 1, 0.01, 1, 1]


def test_boxes_may_cross_the_date_line(read):
    priors = read("taxon,lat_min,lat_max,lon_min,lon_max\nOithona,-30,30,170,-170\n")
    longitudes = [175.0, -175.0, 0.0]
    here = context(*({"latitude_deg": 0.0, "longitude_deg": lon} for lon in longitudes))
    assert priors.weights(here)[:, OIT].tolist() == [1, 1, 0.01]


def test_regions_by_name_or_by_a_box_given_elsewhere(read):
    priors = read(
        "taxon,region\nOithona,Norway\nCalanoida,Arctic\n",
        "taxon,region,lat_min,lat_max,lon_min,lon_max\n,arctic,66,90,-180,180\ndetritus,Norway,,,,\n",
    )
    weight = priors.weights(context({"country": "NORWAY"}, ARCTIC, {"country": "Chile"}))
    # The first table is of Copepoda: Calanoida and what is in it are not on its list of Norway.
    assert weight[0].tolist() == [0.01, 0.01, 0.01, 1, 1, 1, 1]
    assert weight[1].tolist() == [1, 1, 1, 0.01, 1, 1, 1]
    assert weight[2].tolist() == [1] * 7


def test_weights_keep_the_mean_over_training_records(read):
    priors = read("taxon,weight\nCalanus,3\nOithona,1\n")
    # 40 records of Calanus, 20 of Oithona: mean (40 * 3 + 20 * 1) / 60 = 7/3.
    np.testing.assert_allclose(priors.weights(context({}))[0], [9 / 7, 9 / 7, 1, 3 / 7, 1, 1, 1])


def test_counts_are_set_against_training_shares(read):
    priors = read("taxon,count,months\nCalanus finmarchicus,90,6\nOithona,10,6\nOithona,50,7\n")
    june, july, unknown = priors.weights(
        context({"collected_on": "2020-06-01"}, {"collected_on": "2020-07-01"}, {})
    )
    # Shares 0.9 and 0.1 there; 30 and 20 records of 50 in training: 0.9 / 0.6 and 0.1 / 0.4.
    np.testing.assert_allclose(june[[FIN, OIT]], [1.5, 0.25])
    np.testing.assert_allclose(july, 1)
    np.testing.assert_allclose(unknown, 1)


def test_a_count_of_zero_is_unlikely_not_impossible(read):
    weight = read("taxon,count\nOithona,0\nCalanus,5\n").weights(context({}))
    assert weight[0, OIT] == 0.01


@given(st.permutations(range(5)), st.floats(0.001, 1))
def test_weights_are_bounded_and_order_of_rows_is_nothing(order, floor):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    rows = [
        "Calanus,3,",
        "Oithona,0,",
        "Calanus finmarchicus,100000,",
        "detritus,7,",
        "Calanoida,2,6",
    ]
    here = context({}, {"collected_on": "2020-06-01"})
    with TemporaryDirectory() as folder:
        found = []
        for at, numbers in enumerate((range(5), order)):
            path = Path(folder) / f"{at}.csv"
            path.write_text("taxon,weight,months\n" + "\n".join(rows[n] for n in numbers))
            found.append(Priors.read([path], LABELS, floor=floor).weights(here))
    np.testing.assert_allclose(found[0], found[1])
    assert (found[0] >= floor).all()
    assert (found[0] <= 1 / floor).all()
    after = posterior(np.full((2, 7), 1 / 7), found[0])
    np.testing.assert_allclose(after.sum(axis=1), 1)
    assert (after > 0).all()


def test_names_are_found_or_listed(read):
    priors = read(
        "taxon,rank\nCALANUS  finmarchicus (Gunnerus 1770),\nCalanus hyperborea,\nCalanus glacialis,\n"
        "Ctenophora,\nOithonna,\nDetritus,\nCtenophora,phylum\n"
    )  # fmt: skip
    summary = priors.summary()
    assert summary["names"] == {
        "taxon": 3, "label": 1, "synonym": 0, "wider": 1, "ambiguous": 1, "nothing": 1,
    }  # fmt: skip
    missed = {(row["line"], row["taxon"]): row["why"] for row in summary["not_found"]}
    assert set(missed) == {(5, "Ctenophora"), (6, "Oithonna")}
    assert "Did you mean 'Oithona'?" in missed[6, "Oithonna"]
    assert "give its rank" in missed[5, "Ctenophora"]


FAULTS = {
    "taxon,present\nOithona,maybe\n": r"table0\.csv: line 2: column present: 'maybe'; write yes or no",
    "taxon,weight\nOithona,-1\nCalanus,x\n": r"line 2: column weight: '-1'.*line 3: column weight: 'x'",
    "taxon,present\nOithona,yes\noithona,no\n": r"line 3: oithona: present 0, but 1 in line 2",
    "taxon,months\nOithona,13\n": r"line 2: column months: '13'",
    "taxon,depth_min_m,depth_max_m\nOithona,9,1\n": r"line 2: column depth_min_m: 9 is below",
    "taxon,latitude_min_deg\nOithona,9\n": r"line 2: column latitude_max_deg: ''; a box has four edges",
    "taxon,weight,count\nOithona,1,1\n": r"columns weight and count: a table has one of them",
    "taxon,dept_min_m\nOithona,1\n": r"no column 'dept_min_m' is known\. Did you mean 'depth_min_m'\?",
    "name of it\nOithona\n": r"no column 'taxon'",
    "taxon\nHomo\nPan\n": r"no name in it is one of the model's 7 labels",
    "taxon,scope\nOithona,Copepodda\n": r"line 2: scope 'Copepodda' is no taxon .*'Copepoda'",
    "taxon,count\nOithona,0\n": r"every count is 0",
}  # fmt: skip


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text.replace("\n", " | "))
def test_faults_name_file_line_and_column(read, text):
    with pytest.raises(SourceError, match=FAULTS[text]):
        read(text)


def test_parquet_and_repeated_rows(tmp_path):
    path = tmp_path / "list.parquet"
    rows = [{"taxon": name, "count": 2.0, "note": 1} for name in ("Oithona", "Oithona", "Calanus")]
    pq.write_table(pa.Table.from_pylist(rows), path)
    priors = Priors.read([path], LABELS)
    assert priors.summary()["tables"][0]["repeated_rows"] == 1
    np.testing.assert_allclose(priors.weights(context({}))[0, [OIT, FIN]], [1.5, 0.75])


@pytest.fixture
def backbone(tmp_path):
    """Four accepted species, and a synonym of one of them."""
    lineages = [(LABELS.labels[n].concept.lineage, ()) for n in (FIN, HYP, OIT, CTE)]
    raw, problems = rows_of_lineages(lineages)
    rows = raw.to_pylist()
    synonym = dict.fromkeys(RAW_COLUMNS) | {
        "taxon_id": "syn", "written_name": "Calanus arcticus", "rank_written": "species",
        "status_written": "synonym",
        "accepted_id": next(r["taxon_id"] for r in rows if r["written_name"] == "Calanus hyperboreus"),
    }  # fmt: skip
    table = pa.Table.from_pylist([*rows, synonym], schema=RAW_SCHEMA)
    out = tmp_path / "backbone.parquet"
    write_rows(table, problems, kind="lineages", out=out, sha256="", snapshot="1", name="hand")
    return open_backbone(out)


def test_synonyms_of_a_backbone_are_tolerated(tmp_path, read, backbone):
    text = "taxon\nCalanus arcticus\nOithona\n"
    assert read(text).summary()["names"]["wider"] == 1
    priors = read(text, backbone=backbone)
    assert priors.summary()["names"]["synonym"] == 1
    assert priors.weights(context({}))[0].tolist() == [0.01, 1, 1, 1, 1, 1, 1]
