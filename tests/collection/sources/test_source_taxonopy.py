"""TaxonoPy tables: input, output, and tables of images by address with the same columns."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.collection.sources.item import SourceOptions
from holotype.collection.sources.taxonopy import SOURCE
from holotype.errors import SourceError
from holotype.testing import check_source


def test_csv_and_parquet_give_the_same_names(tmp_path):
    (tmp_path / "in.csv").write_text(
        "uuid,kingdom,phylum,class,order,family,genus,species,scientific_name,common_name,source_id\n"
        "u1,Animalia,Chordata,Aves,,Corvidae,Pica,hudsonia,,magpie,12.0\n"
        "u2,,,,,,,,,,\nu3,Animalia\n"
        "u4,Animalia,,,,,,,Aus bus L.,Aus bus L.,\n"
    )
    first, empty, bad, fourth = check_source(SOURCE, tmp_path / "in.csv").items
    assert first.fields == {
        "kingdom": "Animalia", "phylum": "Chordata", "class": "Aves", "family": "Corvidae",
        "genus": "Pica", "species": "Pica hudsonia", "written_label": "Pica hudsonia",
        "vernacular_name": "magpie", "extra:source_id": "12",
    }  # fmt: skip
    assert (empty.name, empty.skip_reason) == ("u2", "a row without a name in any rank")
    assert "in.csv, line 4: 2 columns where the header has 11. Mend the row" in bad.error
    assert "vernacular_name" not in fourth.fields  # the column is filled with the name itself
    row = {
        "uuid": "u1", "kingdom": "Animalia", "phylum": "Chordata", "class": "Aves", "order": None,
        "family": "Corvidae", "genus": "Pica", "species": "hudsonia", "common_name": "magpie",
        "source_id": 12.0, "emb": [0.5, 0.25], "identifier": "https://example.org/x.jpg",
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "in.parquet")
    (item,) = check_source(SOURCE, tmp_path / "in.parquet").items
    assert item.fields == {**first.fields, "image_url": "https://example.org/x.jpg"}


def test_a_table_of_something_else(tmp_path):
    (tmp_path / "a.csv").write_text("id,species\n1,Aus bus\n")
    with pytest.raises(
        SourceError, match=r"a\.csv, line 1: no column 'uuid': not a table of TaxonoPy"
    ):
        list(SOURCE.read(tmp_path / "a.csv", SourceOptions()))
    with pytest.raises(SourceError, match="no table with a column uuid"):
        list(SOURCE.read(tmp_path, SourceOptions()))


@pytest.mark.real
@pytest.mark.parametrize("name", ["sample.csv", "sample.parquet"])
def test_real_input(real_data, name):
    done = check_source(SOURCE, real_data / "formats/taxonopy/input" / name)
    assert (done.records, done.skipped, done.errors) == (6, 1, 0)
    oak = done.items[1].fields
    assert (oak["species"], oak["family"], "class" in oak) == ("Quercus alba", "Fagaceae", False)


@pytest.mark.real
def test_real_output_folder(real_data):
    done = check_source(SOURCE, real_data / "formats/taxonopy/resolved")
    # 6 rows of common/, the same 6 again, an unsolved row without any name, the statistics
    assert (done.records, done.skipped, done.errors) == (6, 8, 0)
    by_name = {item.name: item for item in done.items if item.skip_reason is None}
    oak = by_name["21ed76d8-9a3b-406e-a1a3-ef244422bf8e"].fields
    assert (oak["vernacular_name"], oak["class"]) == ("Eastern White Oak", "Magnoliopsida")
    assert oak["extra:meta_selected_record_id"] == "10980801"


@pytest.mark.real
def test_real_embeddings(real_data):
    done = check_source(SOURCE, real_data / "formats/embeddings_parquet/example_1k.parquet")
    assert (done.records, done.skipped, done.errors) == (909, 121, 0)  # 121 rows are vectors alone
    urchin = done.items[0]
    assert urchin.fields["written_label"] == "Mesocentrotus franciscanus (A.Agassiz, 1863)"
    assert urchin.fields["vernacular_name"] == "Red sea urchin"
    assert urchin.fields["image_url"].endswith("photos/330855383/original.jpeg")
    assert not any("emb" in column for column in urchin.fields)
