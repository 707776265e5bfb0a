"""Searching an index: by image, barcode, words, lineage or record, among those that filters let through."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.cli.indexing import app
from holotype.collection.reading.cells import unescaped
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, HolotypeError, SourceError
from holotype.index.build import build_index
from holotype.index.by_names import records_of_lineage
from holotype.index.filters import Box, Filters, parse_box
from holotype.index.hits import HIT_SCHEMA, write_hits
from holotype.index.search import Ask, Request, find
from holotype.index.store import Index, Vectors, open_index
from holotype.taxonomy.lineage import Rank


@pytest.fixture(scope="module")
def built(tiny_collection, tiny_run, tmp_path_factory):
    """An index of the tiny collection; read only."""
    folder = tmp_path_factory.mktemp("index") / "i"
    build_index(tiny_run, [tiny_collection], out=folder)
    return folder


@pytest.fixture(scope="module")
def rows(tiny_collection):
    """The records of the tiny collection with their images, as dictionaries."""
    opened = open_collection(tiny_collection)
    images = [content for _, content in opened.images()]
    return [
        row | {"image": content}
        for row, content in zip(opened.columns().to_pylist(), images, strict=True)
    ]


def searched(index, out, *words):
    """The report and the hits of the command."""
    given = ["search", index, "--out", out, *words]
    result = app([str(word) for word in given], standalone_mode=False)
    with out.open(newline="", encoding="utf-8") as handle:
        return result, list(csv.DictReader(handle))


def hand_made():
    """Six records on a circle, ever further from one another."""
    columns = {
        "record_id": list("abcdef"),
        "phylum": ["Ctenophora", "Ochrophyta", "Arthropoda", "Arthropoda", "Arthropoda", None],
        "genus": [None, "Ctenophora", "Calanus", "Calanus", "Oithona", None],
        "species": [None, None, "Calanus finmarchicus", None, None, None],
        "instrument": ["ISIIS", "IFCB", "IFCB", "UVP6", "ISIIS", None],
        "latitude_deg": [10.0, -10.0, 0.0, 50.0, -50.0, None],
        "longitude_deg": [179.0, -179.0, 0.0, 20.0, 90.0, None],
        "licence": ["CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0", None, "CC-BY-4.0", "CC-BY-4.0"],
    }
    angle = np.radians([0, 10, 22, 36, 52, 70])
    vectors = {"image": Vectors.of(np.stack([np.cos(angle), np.sin(angle)], axis=1))}
    return Index.of(pa.table(columns), vectors, model="m")


def among(**wanted):
    index = hand_made()
    allowed = Filters(**wanted).allowed(index.records)
    return "".join(index.records["record_id"].filter(pa.array(allowed)).to_pylist())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"taxon": "Arthropoda"}, "cde"),
        ({"taxon": "Calanus"}, "cd"),
        ({"taxon": "Ctenophora", "rank": Rank.PHYLUM}, "a"),
        ({"taxon": "Ctenophora", "rank": Rank.GENUS}, "b"),
        ({"rank": Rank.GENUS}, "bcde"),
        ({"place": Box(-1, -1, 30, 60)}, "cd"),
        ({"place": Box(170, -20, -170, 20)}, "ab"),
        ({"place": Box(0, 0, 0, 0)}, "c"),
        ({"instruments": ("ISIIS",)}, "ae"),
        ({"instruments": ("ISIIS", "UVP6")}, "ade"),
        ({"licences": ("CC-BY",)}, "aef"),
        ({"licences": ("open",)}, "acef"),
        ({"licences": ("not-stated",)}, "d"),
        ({"taxon": "Arthropoda", "instruments": ("IFCB", "UVP6"), "licences": ("open",)}, "c"),
        ({"taxon": "Calanus", "place": Box(80, -60, 100, -40)}, ""),
    ],
)
def test_filters(wanted, found):
    assert among(**wanted) == found


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"taxon": "Ctenophora"}, "a phylum and of a genus here"),
        ({"taxon": "Calanoida"}, "no record of it"),
        ({"taxon": "Calanuss"}, "Did you mean 'Calanus'"),
        ({"taxon": "Calanus", "rank": Rank.FAMILY}, "no family record of it"),
        ({"instruments": ("ISIS",)}, "Did you mean 'ISIIS'"),
        ({"licences": ("CC-BUY",)}, "CC-BUY"),
    ],
)
def test_filters_that_no_record_can_pass(wanted, says):
    with pytest.raises(SourceError, match=says):
        among(**wanted)


@pytest.mark.parametrize("written", ["1,2,3", "a,b,c,d", "0,10,5,-10", "-200,0,0,0", "0,0,0,91"])
def test_places_that_are_none(written):
    with pytest.raises(SourceError, match="place"):
        parse_box(written)


def test_a_filter_changes_who_is_found_not_how_near(built):
    index = open_index(built)
    name = index.records["record_id"][0].as_py()
    taxon = index.records["phylum"].drop_null()[0].as_py()
    everyone, _ = find(index, Request(Ask.RECORD, (name,), k=len(index)))
    some, report = find(
        index, Request(Ask.RECORD, (name,), k=len(index), filters=Filters(taxon=taxon))
    )
    kept = everyone.filter(pa.compute.equal(everyone["phylum"], taxon))
    assert some["record_id"].to_pylist() == kept["record_id"].to_pylist()
    assert some["similarity"].to_pylist() == kept["similarity"].to_pylist()
    assert report.among == index.records["phylum"].to_pylist().count(taxon)


@pytest.mark.parametrize(
    ("lineage", "found"),
    [
        ("Arthropoda", "cde"),
        ("Arthropoda Calanus", "cd"),
        ("Arthropoda Calanus Calanus finmarchicus", "c"),
        ("Calanus finmarchicus", "c"),
        ("Ochrophyta Ctenophora", "b"),
        ("phylum:Ctenophora", "a"),
        ("genus:Ctenophora", "b"),
        ("Arthropoda; genus:Oithona", "e"),
        ("Arthropoda genus:Ctenophora", ""),
    ],
)
def test_lineages_go_by_exact_names(lineage, found):
    index = hand_made()
    mask = records_of_lineage(index.records, lineage)
    assert "".join(index.records["record_id"].filter(pa.array(mask)).to_pylist()) == found


@pytest.mark.parametrize(
    ("lineage", "says"),
    [
        ("Ctenophora", "phylum:Ctenophora or genus:Ctenophora"),
        ("Calanus Arthropoda", "wide to narrow"),
        ("Arthropoda Callanus", "Did you mean 'Calanus"),
        ("family:Calanus", "no record bears"),
        (" ", "without a name"),
    ],
)
def test_lineages_that_cannot_be_read(lineage, says):
    with pytest.raises(SourceError, match=says):
        records_of_lineage(hand_made().records, lineage)


def test_a_record_finds_its_neighbours_and_not_itself():
    table, report = find(hand_made(), Request(Ask.RECORD, ("c", "f"), k=2))
    assert table["query"].to_pylist() == ["c", "c", "f", "f"]
    assert table["record_id"].to_pylist() == ["b", "d", "e", "d"]
    assert table["hit"].to_pylist() == [1, 2, 1, 2]
    cosines = np.cos(np.radians([12, 14, 18, 34]))
    assert table["similarity"].to_pylist() == pytest.approx(cosines, abs=1e-3)
    assert (report.queries, report.hits, report.failures, report.searched) == (2, 4, 0, "image")


def test_a_record_without_that_modality_costs_no_other():
    columns = pa.table({"record_id": ["a", "b", "c"]})
    vectors = {"image": Vectors.of(np.eye(2), [0, 2]), "barcode": Vectors.of(np.eye(2), [1, 2])}
    index = Index.of(columns, vectors, model="m")
    table, report = find(index, Request(Ask.RECORD, ("b", "a")))
    assert table["query"].to_pylist() == ["b", "a"]
    assert table["record_id"].to_pylist() == [None, "c"]
    assert "no image" in table["failure"][0].as_py()
    assert report.failures == 1
    by_barcode, _ = find(index, Request(Ask.RECORD, ("b",), searched="barcode"))
    assert by_barcode["record_id"].to_pylist() == ["c"]


def test_an_image_finds_the_record_that_it_is_of(built, rows, tmp_path):
    of = [row for row in rows if row["image"]][:2]
    for number, row in enumerate(of):
        (tmp_path / f"{number}.png").write_bytes(row["image"])
    (tmp_path / "2.png").write_bytes(of[0]["image"][:50])
    words = [f"--image={tmp_path / f'{n}.png'}" for n in range(3)]
    result, hits = searched(built, tmp_path / "hits.csv", *words, "--k", "3")
    assert [hit["query"] for hit in hits] == [
        str(tmp_path / f"{n}.png") for n in (0, 0, 0, 1, 1, 1, 2)
    ]
    for row, best in zip(of, hits[::3], strict=False):
        same = [hit for hit in hits if hit["similarity"] == best["similarity"]]
        assert row["record_id"] in [hit["record_id"] for hit in same]
        assert float(best["similarity"]) > 0.9999
        assert best["searched"] == "image"
    assert hits[-1]["failure"]
    assert not hits[-1]["record_id"]
    assert result.failures == 1
    assert "6 hits of 3 queries" in result.text


def test_a_folder_of_images_is_a_query_each(built, rows, tmp_path):
    (tmp_path / "crops").mkdir()
    for number, row in enumerate([row for row in rows if row["image"]][:3]):
        (tmp_path / "crops" / f"{number}.png").write_bytes(row["image"])
    (tmp_path / "crops" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    words = ["--image", tmp_path / "crops", "--image", tmp_path / "empty", "--k", "1"]
    _, hits = searched(built, tmp_path / "h.csv", *words)
    assert hits.pop()["failure"] == "no image in it"
    assert [hit["query"] for hit in hits] == [
        str(tmp_path / "crops" / f"{n}.png") for n in (0, 1, 2)
    ]


def test_barcodes_by_identity_and_by_vectors(built, rows, tmp_path, tiny_run):
    of = next(row for row in rows if row["barcode"] and row["species"])
    letters = of["barcode"]
    _, hits = searched(built, tmp_path / "a.csv", "--barcode", letters, "--k", "2")
    assert hits[0]["searched"] == "identity"
    assert (hits[0]["identity_pct"], hits[0]["strand"]) == ("100.0", "+")
    assert hits[0]["species"] == of["species"]
    turned = letters[::-1].translate(str.maketrans("ACGTRYKMBDHV", "TGCAYRMKVHDB"))
    fasta = tmp_path / "two.fasta"
    fasta.write_text(f">one\n{letters}\n>two\n{turned}\n>three\nACGT\n")
    result, hits = searched(built, tmp_path / "b.csv", "--barcode", fasta, "--k", "1")
    assert [hit["query"] for hit in hits] == ["one", "two", "three"]
    assert [hit["strand"] for hit in hits] == ["+", "-", ""]
    assert hits[1]["species"] == of["species"]
    assert "at least 100 bp" in hits[2]["failure"]
    assert result.failures == 1
    _, hits = searched(built, tmp_path / "c.csv", "--barcode", letters, "--model", tiny_run)
    assert {hit["searched"] for hit in hits} == {"barcode"}
    assert float(hits[0]["similarity"]) > 0.9999
    _, hits = searched(
        built, tmp_path / "d.csv", "--barcode", letters, "--searched", "image", "--model", tiny_run
    )
    assert {hit["searched"] for hit in hits} == {"image"}


def test_identity_keeps_to_the_filters(built, rows, tmp_path):
    of = next(row for row in rows if row["barcode"] and row["phylum"])
    other = next(row["phylum"] for row in rows if row["phylum"] not in (None, of["phylum"]))
    _, hits = searched(
        built, tmp_path / "a.csv", "--barcode", of["barcode"], "--taxon", other, "--rank", "phylum"
    )
    assert hits
    assert {hit["phylum"] for hit in hits} <= {other, ""}
    _, found = searched(built, tmp_path / "b.csv", "--barcode", of["barcode"], "--rank", "species")
    assert all(hit["species"] for hit in found)


def test_words_are_read_by_the_models_text_tower(built, tmp_path):
    _, hits = searched(built, tmp_path / "a.csv", "--text", "Tripos lineatus", "--k", "4")
    values = [float(hit["similarity"]) for hit in hits]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)


def test_a_lineage_is_looked_up_and_needs_no_model(built, rows, tmp_path):
    of = next(row for row in rows if row["species"])
    lineage = f"{of['kingdom']} {of['species']}"
    _, hits = searched(built, tmp_path / "a.csv", "--lineage", lineage, "--k", "99")
    expected = [row["record_id"] for row in rows if row["species"] == of["species"]]
    assert [hit["record_id"] for hit in hits] == expected
    assert {hit["similarity"] for hit in hits} == {""}


def test_one_answer_in_three_formats(built, tmp_path):
    name = open_index(built).records["record_id"][5].as_py()
    for ending in ("csv", "parquet", "json"):
        out = str(tmp_path / f"h.{ending}")
        app(["search", str(built), "--record", name, "--out", out], standalone_mode=False)
    table = pq.read_table(tmp_path / "h.parquet")
    assert table.schema.equals(HIT_SCHEMA)
    assert json.loads((tmp_path / "h.json").read_text()) == table.to_pylist()
    with (tmp_path / "h.csv").open(newline="") as handle:
        lines = list(csv.DictReader(handle))
    told = [
        {key: "" if value is None else str(value) for key, value in row.items()}
        for row in table.to_pylist()
    ]
    assert lines == told


def test_cells_that_a_spreadsheet_would_run_are_escaped_numbers_never(tmp_path):
    row = {"query": "=cmd()", "record_id": "-x", "strand": "-", "latitude_deg": -3.5, "hit": 1}
    write_hits(pa.Table.from_pylist([row], schema=HIT_SCHEMA), tmp_path / "h.csv")
    with (tmp_path / "h.csv").open(newline="") as handle:
        (found,) = csv.DictReader(handle)
    assert (found["query"], found["record_id"]) == ("'=cmd()", "'-x")
    assert (found["strand"], found["latitude_deg"]) == ("-", "-3.5")


def test_cells_are_escaped_as_in_every_other_csv(tmp_path):
    texts = ["\uff1d1+1", "-12.5", "'@x", "=1", "Calanus sp."]
    rows = [{"query": text, "sample_id": text} for text in texts]
    write_hits(pa.Table.from_pylist(rows, schema=HIT_SCHEMA), tmp_path / "h.csv")
    with (tmp_path / "h.csv").open(newline="", encoding="utf-8") as handle:
        cells = [row["query"] for row in csv.DictReader(handle)]
    assert cells == ["'\uff1d1+1", "-12.5", "''@x", "'=1", "Calanus sp."]
    assert [unescaped(cell) for cell in cells] == texts


def test_more_records_than_there_are_cost_no_more():
    table, report = find(hand_made(), Request(Ask.RECORD, ("a",), k=10**12))
    assert (report.hits, report.failures) == (5, 0)
    assert table["record_id"].to_pylist() == list("bcdef")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "found none of them"),
        (["--text", "a", "--record", "b"], "found --text and --record"),
        (["--text", "a", "--text", "a"], "asked twice"),
        (["--record", "nobody"], "no record nobody"),
        (["--record", "nobody", "--searched", "caption"], "no vectors of caption"),
        (["--barcode", "ACGT", "--searched", "names"], "no vectors of names"),
        (["--barcode", "not/there.fasta"], "neither nucleotides nor a FASTA file"),
        (["--text", "a", "--model", "starter"], "Vectors of two models"),
        (["--text", "a", "--k", "0"], "at least one record"),
        (["--text", "a", "--rank", "tribe"], "no such rank"),
        (["--lineage", "Chromista", "--searched", "image"], "leave --searched out"),
    ],
)
def test_requests_that_make_no_sense(built, tmp_path, words, says):
    with pytest.raises(HolotypeError, match=says):
        app(["search", str(built), "--out", str(tmp_path / "h.csv"), *words], standalone_mode=False)
    assert not (tmp_path / "h.csv").exists()


def test_an_ending_that_is_no_format(built, tmp_path):
    with pytest.raises(SourceError, match="end it in"):
        app(["search", str(built), "--lineage", "a", "--out", "h.xlsx"], standalone_mode=False)


def test_a_modality_that_the_index_lacks(tiny_run):
    bare = Index.of(pa.table({"record_id": ["a"]}), {"image": Vectors.of([[1.0, 0.0]])}, model="m")
    with pytest.raises(CollectionError, match="no vectors of barcode"):
        find(bare, Request(Ask.RECORD, ("a",), searched="barcode"))
    with pytest.raises(CollectionError, match="no record has a barcode"):
        find(bare, Request(Ask.BARCODE, ("ACGT" * 50,)))


def test_no_record_passes_the_filters(tmp_path):
    filters = Filters(taxon="Calanus", place=Box(80, -60, 100, -40))
    table, report = find(hand_made(), Request(Ask.RECORD, ("a",), filters=filters))
    assert (report.hits, report.among, report.failures) == (0, 0, 1)
    assert table["failure"].to_pylist() == ["no record that passes the filters fits"]


def test_the_journey_from_collection_to_hits(tiny_collection, tiny_run, tmp_path):
    index = tmp_path / "i"
    made = app(
        ["build", str(tiny_run), "--collection", str(tiny_collection), "--out", str(index)],
        standalone_mode=False,
    )
    assert made.report.added == len(open_collection(tiny_collection))
    added = app(["add", str(index), "--collection", str(tiny_collection)], standalone_mode=False)
    assert f"{added.report.records:,} were there already" in added.text
    name = open_index(index).records["record_id"][0].as_py()
    result, hits = searched(index, tmp_path / "h.csv", "--record", name, "--k", "5")
    assert len(hits) == result.report.hits == 5
    assert [*hits[0]] == HIT_SCHEMA.names
