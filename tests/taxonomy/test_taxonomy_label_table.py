"""Label tables: joined by (source, label), never by name; wrong rows are named."""

import csv

import pytest

from holotype.errors import TaxonomyError
from holotype.taxonomy.label_table import Concept, lineage_of_columns, read_label_table
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import Lineage, Rank

HEADER = [
    "Dataset", "Raw_Labels", "Kingdom", "Phylum", "Class", "Order", "Family", "Genus", "Species",
    "proposed_label", "root_class", "qualifier", "aphia_ID", "NCBI_ID", "ecotaxa_ID",
]  # fmt: skip


def write_table(path, *rows, header=HEADER):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(source, label, **others):
    return {"Dataset": source, "Raw_Labels": label, **others}


def test_the_same_label_means_another_thing_in_another_source(tmp_path):
    path = write_table(
        tmp_path / "labels.csv",
        row("zooscan", "Ctenophora", Kingdom="animalia", Phylum="ctenophora"),
        row(
            "ifcb", "Ctenophora", Kingdom="chromista", Phylum="heterokontophyta", Genus="ctenophora"
        ),
    )
    table = read_label_table(path)
    assert table.sources == {"zooscan", "ifcb"}
    jelly, diatom = table.find("zooscan", "Ctenophora"), table.find("ifcb", "Ctenophora")
    assert jelly.lineage.rank is Rank.PHYLUM
    assert diatom.lineage.rank is Rank.GENUS
    assert jelly.lineage.name == diatom.lineage.name == "Ctenophora"
    assert table.find("uvp6", "Ctenophora") is None
    assert table.find("zooscan", "ctenophora") is None


def test_every_column_is_read(tmp_path):
    path = write_table(
        tmp_path / "labels.csv",
        row(
            "zooscan", "egg_Calanus", Kingdom="animalia", Genus="calanus", Species="finmarchicus",
            proposed_label="calanus finmarchicus", root_class="living", qualifier="egg",
            aphia_ID="104464.0", NCBI_ID="6837.0", ecotaxa_ID="328;329",
        ),
        row("zooscan", "badfocus_x", proposed_label="artefact", root_class="artefact"),
    )  # fmt: skip
    table = read_label_table(path)
    names = {"kingdom": "Animalia", "genus": "Calanus", "species": "Calanus finmarchicus"}
    assert table.find("zooscan", "egg_Calanus") == Concept(
        lineage=Lineage.from_names(names),
        qualifier="egg",
        kind=Kind.LIVING,
        group=None,
        taxon_ids=(("aphia_id", "104464"), ("ncbi_id", "6837"), ("ecotaxa_id", "328;329")),
    )
    assert table.find("zooscan", "egg_Calanus").name == "Calanus finmarchicus (egg)"
    artefact = table.find("zooscan", "badfocus_x")
    assert (artefact.group, artefact.kind, artefact.qualifier) == ("artefact", Kind.ARTEFACT, WHOLE)
    assert artefact.name == "artefact"
    assert not artefact.lineage


def test_kind_is_read_from_the_label_where_no_column_says_it(tmp_path):
    header = HEADER[:9]
    path = write_table(tmp_path / "l.csv", row("a", "detritus"), row("a", "egg"), header=header)
    table = read_label_table(path)
    assert table.find("a", "detritus").kind is Kind.DETRITUS
    assert table.find("a", "detritus").group == "detritus"
    assert table.find("a", "egg").kind is Kind.LIVING


def test_one_key_said_twice_alike_is_one_meaning(tmp_path):
    same = row("a", "Calanus", Genus="calanus")
    assert len(read_label_table(write_table(tmp_path / "l.csv", same, same)).concepts) == 1


def test_missing_columns_name_the_file_and_the_row(tmp_path):
    header = [name for name in HEADER if name not in {"Order", "Genus"}]
    path = write_table(tmp_path / "labels.csv", header=header)
    with pytest.raises(TaxonomyError) as caught:
        read_label_table(path)
    assert str(caught.value) == f"{path}, row 1: no column Order, Genus."


def test_wrong_rows_are_reported_together(tmp_path):
    path = write_table(
        tmp_path / "labels.csv",
        row("a", "Calanus", Genus="calanus"),
        row("a", "Calanus", Genus="tripos"),
        row("", "Oithona", Genus="oithona"),
        row("a", "sand", root_class="mineral"),
    )
    with pytest.raises(TaxonomyError) as caught:
        read_label_table(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: row 3: ('a', 'Calanus') has another meaning further up")
    assert "row 4: blank Dataset or Raw_Labels" in message
    assert "row 5: 'mineral' is not a valid Kind" in message


def test_a_row_cut_short_is_a_wrong_row(tmp_path):
    path = write_table(tmp_path / "labels.csv", row("a", "Calanus", Genus="calanus"))
    path.write_text(path.read_text() + "a\n")
    with pytest.raises(TaxonomyError, match="row 3: blank Dataset or Raw_Labels"):
        read_label_table(path)


def test_a_header_only_table_has_no_meaning(tmp_path):
    with pytest.raises(TaxonomyError, match="a header and no rows"):
        read_label_table(write_table(tmp_path / "labels.csv"))


def test_a_missing_or_foreign_file_is_a_taxonomy_error(tmp_path):
    with pytest.raises(TaxonomyError, match="no such file"):
        read_label_table(tmp_path / "none.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes(b"Dataset,Raw_Labels\nmus\xe9e,x\n")
    with pytest.raises(TaxonomyError, match="UTF-8"):
        read_label_table(path)


def test_an_unknown_source_is_told_the_nearest(tmp_path):
    table = read_label_table(write_table(tmp_path / "l.csv", row("planktonset1.0", "x", Genus="y")))
    table.check_source("planktonset1.0")
    with pytest.raises(TaxonomyError, match=r"no labels of source 'planktonset1'\. Did you mean"):
        table.check_source("planktonset1")


def test_lineage_of_columns_joins_the_epithet_to_its_genus():
    lineage = lineage_of_columns(
        {Rank.SPECIES: "tetragona", Rank.GENUS: "abylopsis", Rank.CLASS: " "}
    )
    assert lineage.taxa == ((Rank.GENUS, "Abylopsis"), (Rank.SPECIES, "Abylopsis tetragona"))


@pytest.mark.real
def test_the_published_table(real_data):
    table = read_label_table(real_data / "taxonomy" / "planktonzilla_taxonomy.csv")
    assert len(table.concepts) == 1_485
    assert len(table.sources) == 15
    concept = table.find("planktonset1.0", "siphonophore_calycophoran_abylidae")
    assert concept.lineage.text() == "Animalia Cnidaria Hydrozoa Siphonophorae Abylidae"
    assert dict(concept.taxon_ids) == {
        "wikidata_id": "Q3386609",
        "aphia_id": "135336",
        "ncbi_id": "316207",
        "bold_id": "109624",
        "ecotaxa_id": "328",
    }
    ids = [value for found in table.concepts.values() for _, value in found.taxon_ids]
    assert not [value for value in ids if value.endswith(".0") or value != value.strip()]
