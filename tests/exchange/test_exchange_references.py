"""Reference libraries made of a collection: our reader of them gives the same barcodes and names back."""

import gzip
from pathlib import Path

import pytest

import holotype
from holotype.collection.sources.fasta import read
from holotype.collection.sources.fasta.forms import form_of
from holotype.collection.sources.fasta.lineages import clean_name
from holotype.collection.sources.item import SourceOptions
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.exchange.references import (
    CUT,
    RENAMED,
    SAME_ID,
    SEPARATOR,
    ReferenceForm,
    reference_id,
    write_references,
)
from holotype.identify.columns import RANKS

FLY = "Animalia,Arthropoda,Insecta,Diptera,Syrphidae,Eristalis,Eristalis tenax"
ROWS = (
    f"fly,{FLY},CC0-1.0,ACGTACGTACGTAA",
    "fly2,Animalia,Arthropoda,Insecta,Diptera,Syrphidae,Eristalis,Eristalis arbustorum,CC0,ACGTACGTACGTCC",
    "gap,Animalia,Arthropoda,Insecta,,Syrphidae,,,CC0-1.0,ACGTACGTACGTGG",
    "top,Animalia,,,,,,,CC0-1.0,ACGTACGTACGTTT",
    "none,,,,,,,,CC0-1.0,TTTTACGTACGTAA",
    "bare,Animalia,Arthropoda,,,,,,CC0-1.0,",
    'semi,Animalia,"Arthro;poda",,,,,,CC0-1.0,GGGGACGTACGTAA',
    f"a b,{FLY},CC0-1.0,CCCCACGTACGTAA",
    f"a_b,{FLY},CC0-1.0,CCCCACGTACGTAG",
    f"closed,{FLY},all rights reserved,CCCCACGTACGTAC",
)
COLUMNS = "id,kingdom,phylum,class,order,family,genus,species,licence,barcode\n"


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("references")
    (folder / "t.csv").write_text(COLUMNS + "\n".join(ROWS) + "\n", encoding="utf-8")
    names = COLUMNS.strip().split(",")[1:]
    holotype.import_(
        "table",
        [folder / "t.csv"],
        into=folder / "c",
        columns={"record_id": "id", **dict(zip(names, names, strict=True))},
    )
    return folder / "c"


def names_of(record):
    return {rank: record[rank] for rank in RANKS if record[rank]}


def known(collection):
    rows = open_collection(collection).columns(["record_id", "barcode", *RANKS]).to_pylist()
    return {reference_id(row["record_id"]): row for row in reversed(rows)}


@pytest.mark.parametrize("form", ReferenceForm)
def test_records_and_left_out_add_up(form, collection, tmp_path):
    report = write_references(collection, out=tmp_path / "out", form=form)
    assert report.records + sum(report.left_out.values()) == len(open_collection(collection))
    text = (tmp_path / "out" / "references.fasta").read_text(encoding="utf-8")
    assert text.count(">") == report.records
    assert "closed" in text or form is ReferenceForm.DADA2


@pytest.mark.parametrize(
    ("form", "table"),
    [(ReferenceForm.SINTAX, None), (ReferenceForm.QIIME, "taxonomy.tsv"), (ReferenceForm.RDP, "taxids.txt")],
)  # fmt: skip
def test_our_reader_gives_barcodes_and_names_back(form, table, collection, tmp_path):
    report = write_references(collection, out=tmp_path / "out", form=form)
    beside = tmp_path / "out" / table if table else None
    items = list(read(tmp_path / "out" / "references.fasta", SourceOptions(annotations=beside)))
    assert len(items) == report.records
    before = known(collection)
    for item in items:
        record = before[item.name]
        assert not item.notes
        assert item.fields["barcode"] == record["barcode"]
        names = names_of(record)
        if form is ReferenceForm.RDP and item.name.endswith("gap"):
            names = {rank: names[rank] for rank in ("kingdom", "phylum", "class")}
        assert {rank: item.fields[rank] for rank in RANKS if rank in item.fields} == names
    if form is ReferenceForm.RDP:
        assert report.notes[CUT] == 1


def test_dada2_counts_ranks_from_the_kingdom(collection, tmp_path):
    write_references(collection, out=tmp_path / "out", form="dada2")
    lines = (tmp_path / "out" / "references.fasta").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ">Animalia;Arthropoda;Insecta;Diptera;Syrphidae;Eristalis;Eristalis tenax;"
    assert ">Animalia;Arthropoda;Insecta;" in lines
    items = read(tmp_path / "out" / "references.fasta", SourceOptions())
    assert next(iter(items)).fields["species"] == "Eristalis tenax"


def test_dada2_species_are_those_with_a_species(collection, tmp_path):
    report = write_references(collection, out=tmp_path / "out", form="dada2-species")
    lines = (tmp_path / "out" / "references.fasta").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(" Eristalis tenax")
    assert report.records == 4
    assert report.left_out["no name at rank species"] == 4


def test_the_taxids_of_rdp_are_a_tree(collection, tmp_path):
    write_references(collection, out=tmp_path / "out", form="rdp")
    text = (tmp_path / "out" / "taxids.txt").read_text(encoding="utf-8")
    rows = [line.split("*") for line in text.splitlines()]
    assert rows[0] == ["0", "Root", "-1", "0", "rootrank"]
    depth = {row[0]: int(row[3]) for row in rows}
    assert len(depth) == len(rows) == 9
    assert all(depth[row[2]] == int(row[3]) - 1 for row in rows[1:])


def test_reasons_and_licences(collection, tmp_path):
    report = write_references(
        collection, out=tmp_path / "out", form="sintax", allow_licence=["CC0*"]
    )
    assert report.left_out == {
        "licence not allowed": 1,
        "no barcode": 1,
        "no names": 1,
        SEPARATOR: 1,
        SAME_ID: 1,
    }
    assert report.notes == {RENAMED: 1}
    assert "CC0-1.0" in (tmp_path / "out" / "ATTRIBUTION.md").read_text(encoding="utf-8")


@pytest.mark.real
@pytest.mark.parametrize("form", ["sintax", "qiime", "rdp"])
def test_real_barcodes_go_out_and_come_back(form, real_data, tmp_path):
    """78 records of BOLD: what a library of ours says is what the collection says."""
    bold = real_data / "formats" / "bold" / "boldconnectr" / "test.data2.bcdm.tsv"
    holotype.import_("bold", [bold], into=tmp_path / "c")
    report = write_references(tmp_path / "c", out=tmp_path / "out", form=form)
    before = known(tmp_path / "c")
    assert report.records > 50
    assert report.records + sum(report.left_out.values()) == len(before)
    beside = {"qiime": "taxonomy.tsv", "rdp": "taxids.txt"}.get(form)
    options = SourceOptions(annotations=tmp_path / "out" / beside if beside else None)
    items = list(read(tmp_path / "out" / "references.fasta", options))
    assert len(items) == report.records
    for item in items:
        record = before[item.name]
        found = {rank: item.fields[rank] for rank in RANKS if rank in item.fields}
        assert item.fields["barcode"] == record["barcode"]
        # What only fills a place ("Daphnia sp.") is no name to the reader.
        names = {rank: text for rank, text in names_of(record).items() if clean_name(text, rank)}
        assert found == names
    assert CUT not in report.notes


@pytest.mark.real
@pytest.mark.parametrize(
    ("form", "real"),
    [("dada2", "example_train_set.fa.gz"), ("dada2-species", "example_species_assignment.fa.gz")],
)
def test_headers_are_of_the_form_of_real_libraries(form, real, collection, real_data, tmp_path):
    write_references(collection, out=tmp_path / "out", form=form)
    with gzip.open(real_data / "formats" / "dada2_refs" / real, "rt") as handle:
        theirs = [line[1:].strip() for line in handle if line.startswith(">")]
    text = (tmp_path / "out" / "references.fasta").read_text(encoding="utf-8")
    ours = [line[1:] for line in text.splitlines() if line.startswith(">")]
    assert {form_of(header) for header in ours if header.count(";") != 1} == {form_of(theirs[0])}


def test_what_cannot_be_done_is_refused(collection, tmp_path):
    with pytest.raises(CollectionError, match="Did you mean 'sintax'"):
        write_references(collection, out=tmp_path / "out", form="sintaks")
    with pytest.raises(CollectionError, match="is there already"):
        write_references(collection, out=tmp_path, form="sintax")
