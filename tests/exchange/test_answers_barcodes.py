"""Tables of barcode tools: SINTAX, QIIME 2, RDP, BOLDigger; what is written, and what our readers read."""

import csv
import json
import re

import pyarrow.parquet as pq
import pytest
from machine_answers import FLY, NASTY, answer, barcode_rows, failed, golden, table, validated

from holotype.collection.reading.cells import unescaped
from holotype.collection.sources.fasta import read_side_table
from holotype.collection.sources.fasta.forms import HeaderForm
from holotype.collection.sources.fasta.headers import read_header
from holotype.collection.sources.fasta.lineages import lineage_fields
from holotype.exchange.answers.boldigger import LEVELS, NOT_COUNTED, write_boldigger
from holotype.exchange.answers.qiime import write_qiime, write_rdp
from holotype.exchange.answers.sintax import BREAK, TWICE, write_sintax
from holotype.identify.columns import RANKS

LINEAGE = dict(zip(RANKS, FLY, strict=True))


def lines(path):
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [line.split("\t") for line in text[:-1].split("\n")]


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (write_sintax, "sintax.tsv"),
        (write_qiime, "qiime.tsv"),
        (write_rdp, "rdp.tsv"),
        (write_boldigger, "boldigger.csv"),
    ],
)
def test_tables_are_the_golden_files(write, name, tmp_path):
    done = write(table(*barcode_rows()), tmp_path / name)
    golden(name, (tmp_path / name).read_text(encoding="utf-8"))
    assert (done.answers, sum(done.left_out.values())) == (5, 1)


def test_sintax_has_four_columns_with_scores_of_two_digits(tmp_path):
    write_sintax(table(*barcode_rows()), tmp_path / "s.tsv")
    rows = lines(tmp_path / "s.tsv")
    assert {len(row) for row in rows} == {4}
    name, scored, strand, safe = rows[0]
    assert (name, strand) == ("OTU_1", "+")
    assert scored.startswith("k:Animalia(0.99),p:Arthropoda(0.98),")
    assert scored.endswith("g:Eristalis(0.94),s:Eristalis_tenax(0.93)")
    assert safe == re.sub(r"\([0-9.]+\)", "", scored)
    assert rows[1][3].endswith("f:Syrphidae,g:Eristalis")
    assert rows[2][2] == "-"
    assert rows[3] == ["OTU_4", "", "", ""]


def test_a_cutoff_shortens_the_fourth_column_alone(tmp_path):
    write_sintax(table(*barcode_rows()), tmp_path / "s.tsv", cutoff=0.955)
    _, scored, _, safe = lines(tmp_path / "s.tsv")[0]
    assert safe == "k:Animalia,p:Arthropoda,c:Insecta,o:Diptera"
    assert scored.count("(") == 7


def test_our_reader_reads_the_lineages_of_sintax_and_qiime(tmp_path):
    write_sintax(table(*barcode_rows()), tmp_path / "s.tsv")
    write_qiime(table(*barcode_rows()), tmp_path / "q.tsv")
    (name, _, _, safe) = lines(tmp_path / "s.tsv")[0]
    header = read_header(f"{name};tax={safe};", HeaderForm.SINTAX)
    assert {rank: header.fields[rank] for rank in RANKS} == LINEAGE
    side = read_side_table(tmp_path / "q.tsv")
    ((_, taxon),) = side.lineages.find("OTU_1")
    fields, odd = lineage_fields(taxon)
    assert odd is None
    assert {rank: fields[rank] for rank in RANKS} == LINEAGE
    ((_, unplaced),) = side.lineages.find("OTU_4")
    assert unplaced == "Unassigned"


def test_qiime_keeps_the_place_of_a_rank_without_a_name(tmp_path):
    ragged = answer("a", lineage=FLY[:5], answer_score=0.9, order=None)
    write_qiime(table(ragged), tmp_path / "q.tsv")
    assert lines(tmp_path / "q.tsv") == [
        ["Feature ID", "Taxon", "Confidence"],
        ["a", "k__Animalia; p__Arthropoda; c__Insecta; o__; f__Syrphidae", "0.9"],
    ]


def test_rdp_has_name_rank_and_score_of_each_rank(tmp_path):
    write_rdp(table(*barcode_rows()), tmp_path / "r.tsv")
    first = lines(tmp_path / "r.tsv")[0]
    assert first[:5] == ["OTU_1", "", "Root", "rootrank", "1.0"]
    assert first[5::3] == list(FLY)
    assert first[6::3] == list(RANKS)
    assert lines(tmp_path / "r.tsv")[2][1] == "-"


def test_names_of_queries_are_those_of_the_reads(tmp_path):
    rows = [
        answer("deep/a.fasta.gz/run;size=5", lineage=FLY),
        answer("b.fa/x/y", lineage=FLY),
        answer("c.csv/12", lineage=FLY, source_item="r12"),
    ]
    write_sintax(table(*rows), tmp_path / "s.tsv")
    assert [row[0] for row in lines(tmp_path / "s.tsv")] == ["run;size=5", "x/y", "r12"]


@pytest.mark.parametrize("write", [write_sintax, write_qiime, write_rdp])
def test_odd_names_survive_or_are_left_out_with_the_reason(write, tmp_path):
    rows = [answer(f"q.fasta/{name}", lineage=FLY, source_item=name) for name in NASTY]
    done = write(table(*rows), tmp_path / "x.tsv")
    assert done.answers + sum(done.left_out.values()) == len(NASTY)
    read = [row[0] for row in lines(tmp_path / "x.tsv")]
    broken = {"a\tb", "two\nlines", "carriage\rreturn", "line\u2028separator"}
    assert [name for name in read if name != "Feature ID"] == [n for n in NASTY if n not in broken]
    assert done.left_out == {BREAK: len(broken)}


@pytest.mark.parametrize(("write", "refused"), [(write_sintax, ",;:()"), (write_qiime, ";")])
def test_names_with_the_signs_of_a_format_are_refused_by_it(write, refused, tmp_path):
    rows = [
        answer(f"q{n}", lineage=(*FLY[:6], f"Eristalis{sign}x")) for n, sign in enumerate(",;:()'")
    ]
    done = write(table(*rows), tmp_path / "x.tsv")
    assert sum(done.left_out.values()) == len(refused)
    assert done.answers == 6 - len(refused)


@pytest.mark.parametrize("write", [write_sintax, write_qiime, write_rdp, write_boldigger])
def test_what_is_repeated_failed_or_named_by_a_person_is_counted(write, tmp_path):
    rows = [
        answer("a", lineage=FLY, identity_pct=99.0),
        answer("a", lineage=FLY, identity_pct=99.0),
        failed("b"),
        validated("c"),
    ]
    done = write(table(*rows), tmp_path / "x.tsv")
    assert done.answers + sum(done.left_out.values()) == 4
    assert (done.left_out.get(TWICE, 0) == 1) == (write is not write_boldigger)


# --- BOLDigger


def bold(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["id"]: row for row in csv.DictReader(handle)}


def test_boldigger_has_the_columns_of_the_tool(tmp_path):
    write_boldigger(table(*barcode_rows()), tmp_path / "b.csv")
    header = (tmp_path / "b.csv").read_text(encoding="utf-8").partition("\n")[0]
    assert header == (
        "id,phylum,class,order,family,genus,species,pct_identity,status,records,records_ratio,"
        "selected_level,BIN,flags"
    )


def test_the_level_is_never_below_what_the_identity_or_the_answer_allows(tmp_path):
    write_boldigger(table(*barcode_rows()), tmp_path / "b.csv")
    rows = bold(tmp_path / "b.csv")
    named, genus, family, far, none = (rows[f"OTU_{n}"] for n in range(1, 6))
    assert (named["selected_level"], named["species"]) == ("species", "Eristalis tenax")
    assert (genus["selected_level"], genus["species"], genus["genus"]) == ("genus", "", "Eristalis")
    assert (family["selected_level"], family["genus"]) == ("family", "")
    assert (far["phylum"], far["selected_level"], far["pct_identity"]) == ("", "", "41.0")
    assert {none[rank] for rank in LEVELS} == {"no-match"}
    assert (none["pct_identity"], none["records"], none["flags"]) == ("0.0", "0", "||||")


def test_records_are_counted_by_hand(tmp_path):
    write_boldigger(table(*barcode_rows()), tmp_path / "b.csv")
    first = bold(tmp_path / "b.csv")["OTU_1"]
    assert (first["records"], first["flags"]) == ("2", "|2|||")
    assert float(first["records_ratio"]) == pytest.approx(2 / 3)
    second = bold(tmp_path / "b.csv")["OTU_2"]
    assert (second["records"], second["records_ratio"], second["flags"]) == ("1", "1.0", "|||4|")


def test_bins_fill_their_column_and_flag_5(tmp_path):
    bins = {"r0": "BOLD:AAA0001", "r1": "BOLD:AAA0002", "r2": "BOLD:AAA0003"}
    write_boldigger(table(*barcode_rows()), tmp_path / "b.csv", bins=bins)
    first = bold(tmp_path / "b.csv")["OTU_1"]
    assert (first["BIN"], first["flags"]) == ("BOLD:AAA0001|BOLD:AAA0002", "|2|||5")
    assert bold(tmp_path / "b.csv")["OTU_2"]["BIN"] == ""


def test_references_of_unknown_lineage_are_not_counted_and_that_is_said(tmp_path):
    row = barcode_rows()[0]
    near = [
        *json.loads(row["nearest"]),
        {"record_id": "z", "label": "elsewhere", "identity_pct": 99.0},
    ]
    done = write_boldigger(table({**row, "nearest": json.dumps(near)}), tmp_path / "b.csv")
    first = bold(tmp_path / "b.csv")["OTU_1"]
    assert (first["records"], first["flags"], first["species"]) == ("", "||||", "Eristalis tenax")
    assert done.notes == {NOT_COUNTED: 1}


def test_boldigger_as_parquet_and_as_csv_say_the_same(tmp_path):
    write_boldigger(table(*barcode_rows()), tmp_path / "b.parquet")
    write_boldigger(table(*barcode_rows()), tmp_path / "b.csv")
    typed = pq.read_table(tmp_path / "b.parquet").to_pylist()
    text = [*bold(tmp_path / "b.csv").values()]
    assert [{n: "" if v is None else str(v) for n, v in row.items()} for row in typed] == text


def test_a_spreadsheet_runs_no_cell_and_names_survive(tmp_path):
    rows = [
        answer("q", lineage=(*FLY[:6], name), identity_pct=99.0, source_item=name) for name in NASTY
    ]
    done = write_boldigger(table(*rows), tmp_path / "b.csv")
    assert done.answers == len(NASTY)
    with (tmp_path / "b.csv").open(encoding="utf-8", newline="") as handle:
        read = list(csv.DictReader(handle))
    assert [unescaped(row["id"]) for row in read] == list(NASTY)
    assert [unescaped(row["species"]) for row in read] == list(NASTY)
    assert not [row["id"] for row in read if row["id"][0] in "=+-@\t\r\n\uff1d"]
