"""BOLD tables: columns by name, old and new; one record a marker; packages of every wrapping."""

import gzip
import io
import tarfile
import zipfile

import pytest

from holotype.collection.sources.bold import SOURCE
from holotype.errors import SourceError
from holotype.testing import check_source

HEADER = [
    "processid", "sampleid", "insdc_acs", "taxid", "marker_code", "kingdom", "phylum", "class", "order",
    "family", "subfamily", "tribe", "genus", "species", "subspecies", "identification", "identified_by",
    "nuc", "bin_uri", "coord", "coord_source", "depth", "elev", "collection_date_start", "collection_time",
    "country/ocean", "site", "notes",
]  # fmt: skip


def line(**given):
    cells = {name.replace("country_ocean", "country/ocean"): text for name, text in given.items()}
    return "\t".join(cells.get(name, "None") for name in HEADER)


CALANUS = {
    "processid": "ARCOP1-20", "sampleid": "S1", "insdc_acs": "AB123456", "taxid": "28909.0",
    "marker_code": "COI-5P", "kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda",
    "order": "Calanoida", "family": "Calanidae", "subfamily": "Calaninae", "genus": "Calanus",
    "species": "Calanus glacialis", "identification": "Calanus glacialis", "identified_by": "A. Bucklin",
    "nuc": "--ACGT-ACGTTGCA--", "bin_uri": "BOLD:AAA0008", "coord": "(72.5,-156.25)", "depth": "40",
    "elev": "None", "collection_date_start": "2012-07-01", "collection_time": "08:30",
    "country_ocean": "Arctic Ocean", "site": "Chukchi \"Borderland", "notes": "net 2",
}  # fmt: skip


def table(*rows):
    return ("\t".join(HEADER) + "\n" + "\n".join(rows) + "\n").encode()


def test_every_column_of_a_row(tmp_path):
    (tmp_path / "b.tsv").write_bytes(table(line(**CALANUS)))
    (item,) = check_source(SOURCE, tmp_path / "b.tsv").items
    assert (item.name, item.row, item.notes) == ("ARCOP1-20|COI-5P", 2, ())
    assert item.fields == {
        "specimen_id": "S1", "marker": "COI-5P", "barcode": "--ACGT-ACGTTGCA--",
        "insdc_accession": "AB123456", "bold_id": "28909", "bin_uri": "BOLD:AAA0008",
        "kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda", "order": "Calanoida",
        "family": "Calanidae", "rank:subfamily": "Calaninae", "genus": "Calanus",
        "species": "Calanus glacialis", "written_label": "Calanus glacialis",
        "labelled_by": "A. Bucklin", "latitude_deg": "72.5", "longitude_deg": "-156.25",
        "depth_min_m": "40.0", "depth_max_m": "40.0", "collected_on": "2012-07-01T08:30:00",
        "country": "Arctic Ocean", "site": 'Chukchi "Borderland', "extra:notes": "net 2",
    }  # fmt: skip


def test_markers_of_one_specimen_and_repeated_rows_stay_apart(tmp_path):
    second = {**CALANUS, "marker_code": "18S", "nuc": "GGCC"}
    rows = [line(**CALANUS), line(**second), line(**CALANUS)]
    (tmp_path / "b.tsv").write_bytes(table(*rows))
    found = check_source(SOURCE, tmp_path / "b.tsv").items
    names = [item.name for item in found]
    assert names == ["ARCOP1-20|COI-5P", "ARCOP1-20|18S", "ARCOP1-20|COI-5P#4"]
    assert {item.fields["specimen_id"] for item in found} == {"S1"}


def test_faults_cost_their_value_or_row_alone(tmp_path):
    rows = [
        line(**{**CALANUS, "processid": "P1", "coord": "[95, 10]"}),
        line(**{**CALANUS, "processid": "P2", "coord": "72.5", "depth": "deep"}),
        line(**{**CALANUS, "processid": "P3", "collection_date_start": "03/04/2020"}),
        "P4\tonly\tthree",
        line(processid="P5", marker_code="COI-5P"),
        line(**{**CALANUS, "processid": "P6", "coord_source": "Coordinates from country centroid"}),
    ]
    (tmp_path / "b.tsv").write_bytes(table(*rows))
    done = check_source(SOURCE, tmp_path / "b.tsv")
    by_name = {item.name.partition("|")[0]: item for item in done.items}
    assert (done.records, done.skipped, done.errors) == (4, 1, 1)
    assert by_name["P1"].notes[0][1] == (
        "b.tsv, line 2, column coord: '[95, 10]' gives latitude_deg 95.0: left out; "
        "it must be -90 to 90"
    )
    assert not {"latitude_deg", "longitude_deg"} & by_name["P1"].fields.keys()
    assert [code for code, _ in by_name["P2"].notes] == ["coord", "number"]
    assert "line 4, column collection_date_start: '03/04/2020'" in by_name["P3"].notes[0][1]
    assert by_name["P5"].skip_reason == "neither a sequence nor a name in the row"
    (bad,) = [item for item in done.items if item.error]
    assert bad.error.startswith("b.tsv, line 5: 3 columns where the header has 28. Mend the row")
    assert "latitude_deg" not in by_name["P6"].fields
    assert by_name["P6"].fields["extra:coord"] == "(72.5,-156.25)"


def test_columns_of_older_packages_and_of_the_portal(tmp_path):
    old = "processid\tsampleid\tmarkercode\tnucraw\tgb_acs\tgenus_name\tspecies_name\tlat\tlon\tcountry\n"
    (tmp_path / "old.tsv").write_text(
        old + "P1\tS1\tCOI-5P\tACGTTGCA\tAB1\tAus\tAus bus\t1,5\t2\tPeru\n"
    )
    (item,) = check_source(SOURCE, tmp_path / "old.tsv").items
    expected = {
        "barcode": "ACGTTGCA", "insdc_accession": "AB1", "genus": "Aus", "species": "Aus bus",
        "latitude_deg": "1.5", "longitude_deg": "2.0", "country": "Peru", "written_label": "Aus bus",
    }  # fmt: skip
    assert {name: item.fields[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("16834.0", "2016-02-03"),
        ("16834", "2016-02-03"),
        ("2012.0", "2012"),
        ("2012", "2012"),
        ("2012-07", "2012-07"),
        ("2012-17", None),
    ],
)
def test_dates_as_r_writes_them(tmp_path, written, expected):
    row = line(**{**CALANUS, "collection_date_start": written, "collection_time": "None"})
    (tmp_path / "b.tsv").write_bytes(table(row))
    (item,) = check_source(SOURCE, tmp_path / "b.tsv").items
    assert item.fields.get("collected_on") == expected
    assert bool(item.notes) == (expected is None)


def test_a_package_of_any_wrapping_gives_the_same_records(tmp_path):
    content, described = table(line(**CALANUS)), b"{}"
    inside = {"BOLD_Public/b.datapackage.json": described, "BOLD_Public/b.tsv": content}
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(content))
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        for name, held in inside.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(held)
            archive.addfile(entry, io.BytesIO(held))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, held in inside.items():
            archive.writestr(name, held)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.tsv").write_bytes(content)
    for place, skipped in (("b.tsv.gz", 0), ("b.tar.gz", 1), ("b.zip", 1), ("folder", 0)):
        done = check_source(SOURCE, tmp_path / place)
        (record,) = [item for item in done.items if item.skip_reason is None]
        assert (record.name, done.skipped) == ("ARCOP1-20|COI-5P", skipped)
        assert record.fields["barcode"] == "--ACGT-ACGTTGCA--"


def test_what_is_no_package(tmp_path):
    (tmp_path / "t.tsv").write_text("id\tsequence\na\tACGT\n")
    with pytest.raises(
        SourceError, match=r"t\.tsv, line 1: no column 'processid': not a table of BOLD"
    ):
        list(SOURCE.read(tmp_path / "t.tsv", _no_options()))
    (tmp_path / "cut.tar.gz").write_bytes(gzip.compress(b"\1" * 2000)[:40])
    with pytest.raises(SourceError, match=r"not a whole package .* Fetch it again"):
        list(SOURCE.read(tmp_path / "cut.tar.gz", _no_options()))


def _no_options():
    from holotype.collection.sources.item import SourceOptions

    return SourceOptions()


@pytest.mark.parametrize(
    ("name", "code", "country", "extra"),
    [
        ("Namibia", "NA", "Namibia", "NA"),
        ("None", "NA", "NA", None),
        ("NA", "NA", None, None),
        ("Peru", "PE", "Peru", "PE"),
    ],
)
def test_namibia_is_a_country(tmp_path, name, code, country, extra):
    text = f"processid\tspecies\tcountry/ocean\tcountry_iso\nP1\tAus bus\t{name}\t{code}\n"
    (tmp_path / "b.tsv").write_text(text)
    (item,) = check_source(SOURCE, tmp_path / "b.tsv").items
    assert item.fields.get("country") == country
    assert item.fields.get("extra:country_iso") == extra


@pytest.mark.real
def test_real_rows_of_boldconnectr(real_data):
    done = check_source(SOURCE, real_data / "formats/bold/boldconnectr/test.data2.bcdm.tsv")
    assert (done.records, done.skipped, done.errors) == (78, 0, 0)
    found = [item.fields for item in done.items]
    assert len({row["bin_uri"] for row in found if "bin_uri" in row}) == 27
    assert len({row["species"] for row in found if "species" in row}) in {24, 25}
    assert {row["marker"] for row in found} == {"COI-5P"}
    first = done.items[0]
    assert (first.name, first.row) == ("GBCB0063-06|COI-5P", 2)
    assert (first.fields["insdc_accession"], first.fields["bin_uri"]) == (
        "AY519833",
        "BOLD:AAJ4695",
    )
    assert first.fields["species"] == "Streptocephalus sudanicus"
    dated = [row for row in found if "768_Feb032016" in row.get("extra:site_code", "")]
    assert {row["collected_on"] for row in dated} == {"2016-02-03"}  # the site code says so too
    # 'Unrecoverable' is no country
    assert {row.get("country") for row in found} == {None, "United States", "Australia", "India"}
    centroids = [row for row in found if "centroid" in row.get("extra:coord_source", "")]
    assert not any("latitude_deg" in row for row in centroids)


@pytest.mark.real
def test_real_edge_cases_of_coidb(real_data):
    done = check_source(SOURCE, real_data / "formats/bold/coidb/info.tsv")
    assert (done.records, done.skipped, done.errors) == (31, 0, 0)
    by_name = {item.name: item.fields for item in done.items}
    first = by_name["seq1.1A|COI-5P"]
    expected = {
        "specimen_id": "MACN-Bar-Ins-BM-03451", "species": "Homo sapiens", "rank:tribe": "Hominini",
        "latitude_deg": "-30.83", "longitude_deg": "-62.92", "collected_on": "2009-02-25",
        "country": "Argentina", "site": "Campo Flia. Folli", "extra:elev": "83.0",
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    assert "labelled_by" not in first  # 'None'
    assert "seq2.15-wrongmarker|16S" in by_name
