"""The CSV of pybioclip: its columns by rank, scores that add up, and names that survive."""

import csv

import pyarrow as pa
import pytest
from machine_answers import BEAR, BLACK_BEAR, NASTY, answer, camera_rows, golden, table

from holotype.collection.reading.cells import unescaped
from holotype.exchange.answers.pybioclip import (
    NO_LINEAGE,
    OF_BEST,
    classification_rows,
    pybioclip_columns,
    pybioclip_rows,
    write_pybioclip,
)
from holotype.identify.columns import RANKS
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Rank

LINEAGES = {
    "Ursus arctos": dict(zip(RANKS, BEAR, strict=True)),
    "Ursus americanus": dict(zip(RANKS, BLACK_BEAR, strict=True)),
    "Lynx": {**dict(zip(RANKS[:4], BEAR, strict=False)), "family": "Felidae", "genus": "Lynx"},
    "rock": {},
}


def scores(*rows):
    columns = zip(*rows, strict=True)
    kinds = {n: pa.array(c, pa.float32()) for n, c in zip(LINEAGES, columns, strict=True)}
    return pa.table({"input": [f"{n}.jpg" for n in range(len(rows))], **kinds})


def pictures(count):
    return table(*(answer(f"{n}.jpg", best=(("Ursus arctos", 0.5),)) for n in range(count)))


def test_columns_are_those_of_pybioclip():
    assert ",".join(pybioclip_columns(Rank.SPECIES)) == (
        "file_name,kingdom,phylum,class,order,family,genus,species_epithet,species,common_name,score"
    )
    assert ",".join(pybioclip_columns(Rank.GENUS)) == (
        "file_name,kingdom,phylum,class,order,family,genus,score"
    )
    assert classification_rows(pictures(1)).column_names == ["file_name", "classification", "score"]


@pytest.mark.parametrize(
    ("rank", "name"), [(Rank.SPECIES, "species"), (Rank.GENUS, "genus"), (None, "classes")]
)
def test_csv_is_the_golden_file(rank, name, tmp_path):
    done = write_pybioclip(table(*camera_rows()), tmp_path / "p.csv", rank=rank)
    golden(f"pybioclip_{name}.csv", (tmp_path / "p.csv").read_text(encoding="utf-8"))
    assert (done.answers, sum(done.left_out.values())) == (7, 2)
    assert (OF_BEST in done.notes) == (rank is Rank.GENUS)
    assert (NO_LINEAGE in done.notes) == (rank is Rank.SPECIES)


def test_taxa_of_a_rank_are_sums_of_their_labels_worked_by_hand():
    given = scores([0.25, 0.5, 0.125, 0.125], [0.0, 0.125, 0.75, 0.125])
    genera = pybioclip_rows(pictures(2), rank=Rank.GENUS, scores=given, lineages=LINEAGES)
    assert [(r["file_name"], r["genus"], r["score"]) for r in genera.to_pylist()] == [
        ("0.jpg", "Ursus", 0.75), ("0.jpg", "Lynx", 0.125), ("0.jpg", None, 0.125),
        ("1.jpg", "Lynx", 0.75), ("1.jpg", "Ursus", 0.125), ("1.jpg", None, 0.125),
    ]  # fmt: skip
    orders = pybioclip_rows(pictures(2), rank=Rank.ORDER, k=1, scores=given, lineages=LINEAGES)
    assert orders["score"].to_pylist() == [0.875, 0.875]
    assert orders["order"].to_pylist() == ["Carnivora", "Carnivora"]


@pytest.mark.parametrize("rank", LINNAEAN_RANKS)
def test_all_taxa_of_a_rank_add_up_to_all_labels(rank):
    given = scores([0.25, 0.5, 0.125, 0.125])
    rows = pybioclip_rows(pictures(1), rank=rank, k=99, scores=given, lineages=LINEAGES)
    assert sum(rows["score"].to_pylist()) == 1.0
    assert rows["score"].to_pylist() == sorted(rows["score"].to_pylist(), reverse=True)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
def test_there_are_k_rows_a_picture_or_as_many_as_there_are_labels(k):
    given = scores([0.25, 0.5, 0.125, 0.125], [0.0, 0.125, 0.75, 0.125])
    rows = pybioclip_rows(pictures(2), k=k, scores=given, lineages=LINEAGES)
    assert rows.num_rows == 2 * min(k, 4)
    assert classification_rows(pictures(2), k=k, scores=given).num_rows == 2 * min(k, 4)


def test_a_species_is_told_apart_from_its_epithet_and_from_a_label_that_says_more():
    lineages = {"a": LINEAGES["Ursus arctos"], "Ursus arctos": LINEAGES["Ursus arctos"]}
    rows = table(answer("x.jpg", best=(("Ursus arctos", 0.9), ("a", 0.05), ("b", 0.01))))
    named, more, unknown = pybioclip_rows(rows, lineages=lineages).to_pylist()
    assert (named["species_epithet"], named["species"]) == ("arctos", "Ursus arctos")
    assert (named["common_name"], more["common_name"]) == (None, "a")
    assert (unknown["kingdom"], unknown["species"], unknown["common_name"]) == (None, None, "b")


def test_lineages_are_learnt_from_answers_that_are_labels_and_from_no_other():
    rows = table(*camera_rows())
    found = [row for row in pybioclip_rows(rows).to_pylist() if row["file_name"] == "in/b.jpg"]
    assert [row["species"] for row in found] == ["Ursus arctos", "Ursus americanus"]
    alone = table(camera_rows()[1])
    assert [row["species"] for row in pybioclip_rows(alone).to_pylist()] == [None, None]


def test_a_picture_without_scores_is_counted(tmp_path):
    done = write_pybioclip(
        pictures(2), tmp_path / "p.csv", scores=scores([0.25, 0.5, 0.125, 0.125])
    )
    assert done.left_out == {"it is not in the table of scores": 1}
    assert dict(done.rows) == {"p.csv": 4}


def test_odd_names_survive_and_no_spreadsheet_runs_them(tmp_path):
    rows = [answer(name, lineage=(*BEAR[:6], name), best=((name, 0.9),)) for name in NASTY]
    write_pybioclip(table(*rows), tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as handle:
        read = list(csv.DictReader(handle))
    assert [unescaped(row["file_name"]) for row in read] == list(NASTY)
    assert [unescaped(row["species"]) for row in read] == list(NASTY)
    assert {row["score"] for row in read} == {"0.9"}
    assert not [row["species"] for row in read if row["species"][0] in "=+@\uff1d"]
