"""Archives for OBIS and GBIF: their terms, what stays out, and that other programs open them."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from dwca.read import DwCAReader

from exchange.net_answers import (
    CALANUS,
    DATED,
    FIN,
    NET,
    OITHONA,
    SPOT,
    ambiguous,
    answer,
    answers_of_ecotaxa,
    table,
)
from holotype._version import __version__
from holotype.collection.sources import darwin_core
from holotype.collection.sources.item import SourceOptions
from holotype.errors import RecipeError, SourceError
from holotype.exchange.answers.publish import publish_table
from holotype.exchange.darwin_core.check import check_darwin_core
from holotype.exchange.darwin_core.dataset import Dataset, read_dataset
from holotype.exchange.darwin_core.occurrences import Names
from holotype.exchange.darwin_core.tables import TABLES
from holotype.taxonomy.backbone.build import build_backbone

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "publish"
ABSTRACT = "Copepods of the Greenland Sea, imaged with a ZooScan and named by a machine. " * 5
DATASET = f"""
title = "Copepods of the Greenland Sea"
abstract = "{ABSTRACT}"
licence = "CC-BY-4.0"
id_prefix = "urn:lab:"
keywords = ["plankton"]
sampling = "Vertical haul, 200 um"
[[creators]]
given = "Ann"
surname = "O'Neill & Söhne"
email = "ann@example.org"
[dna]
pcr_primer_forward = "GGTCAACAAATCATAAAGATATTGG"
"""
TAXA = (
    "Dataset,Raw_Labels,Kingdom,Phylum,Class,Order,Family,Genus,Species,aphia_ID\n"
    "net,cal,Animalia,Arthropoda,Copepoda,Calanoida,Calanidae,Calanus,finmarchicus,104464\n"
    "net,gen,Animalia,Arthropoda,Copepoda,Calanoida,Calanidae,Calanus,,104152\n"
    "net,cte,Chromista,Ochrophyta,Bacillariophyceae,,,Ctenophora,,160569\n"
)


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "dataset.toml").write_text(DATASET, encoding="utf-8")
    (tmp_path / "taxa.csv").write_text(TAXA)
    return tmp_path / "dataset.toml"


@pytest.fixture
def publish(dataset, tmp_path):
    def run(*rows, out="archive.zip", **given):
        given = {"dataset": dataset, "labels": [tmp_path / "taxa.csv"], **given}
        place = tmp_path / out
        return publish_table(table(*rows), to="darwin-core", out=place, dated=DATED, **given), place

    return run


def read(path, name):
    """The rows of one table of an archive."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(f"{name}.txt").decode("utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_one_occurrence_for_each_taxon_and_status_of_a_sample(publish, tmp_path):
    (tmp_path / "people.csv").write_text(
        "record_id,written_label,genus,labelled_by\ns/d,Calanus,Calanus,Eva\n"
    )
    rows = [
        answer("a", FIN, **NET),
        answer("b", FIN, **NET, answer_score=0.91),
        ambiguous("c", **NET),
        ambiguous("d", **NET),
        answer("e", OITHONA, **{**NET, "sample_id": "net2", "acquisition_id": None}),
    ]
    report, path = publish(*rows, validated=tmp_path / "people.csv")
    assert (report.written, report.left_out) == (5, {})
    found = read(path, "occurrence")
    named = {
        (row["eventID"], row["scientificName"], row["identificationVerificationStatus"]): row
        for row in found
    }
    assert len(named) == len(found) == 4
    sample = "urn:lab:MSM_1:net1"
    both = named[sample, FIN[-1], "PredictedByMachine"]
    assert both["individualCount"] == "2"
    assert both["scientificNameID"] == "urn:lsid:marinespecies.org:taxname:104464"
    assert both["taxonRank"] == "species"
    assert both["basisOfRecord"] == "MachineObservation"
    assert both["occurrenceStatus"] == "present"
    assert both["identifiedBy"] == f"Holotype {__version__}"
    assert both["dateIdentified"] == DATED
    assert both["identificationReferences"].startswith(
        f"Holotype {__version__}; neural classifier of image"
    )
    assert both["identificationReferences"].endswith("model f00d")
    assert "calibrated probability 0.940 (0.910 to 0.970)" in both["identificationRemarks"]
    genus = named[sample, "Calanus", "PredictedByMachine"]
    assert genus["identificationQualifier"] == "cf. Calanus finmarchicus"
    assert genus["scientificNameID"].endswith(":104152")
    assert "two species are likely" in genus["identificationRemarks"]
    person = named[sample, "Calanus", "ValidatedByHuman"]
    assert (person["identifiedBy"], person["dateIdentified"]) == ("Eva", "")
    assert person["identificationQualifier"] == ""
    assert report.notes["validated by a person"] == 1
    assert check_darwin_core(path).errors == {}


def text_of(path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        return "".join(f"== {name}\n{archive.read(name).decode()}" for name in names)


def test_golden_archive(publish):
    rows = [
        answer("a", FIN, **NET, image_url="https://x.org/a.png", licence="CC0-1.0"),
        ambiguous("b", **NET, sampled_volume_l=250.0),
        answer("c", FIN, **NET, barcode="ACGT", marker="COI-5P", identity_pct=99.1),
    ]
    _, path = publish(*rows)
    text = text_of(path)
    assert text.replace(__version__, "VERSION") == (GOLDEN / "darwin_core.txt").read_text("utf-8")


def test_events_hang_together_and_span_their_records(publish):
    here = {**NET, "sampled_volume_l": 100.0, "instrument": "UVP6", "instrument_id": "L22/TOOL1582"}
    there = {
        **here,
        "latitude_deg": 70.7,
        "collected_on": "2024-05-02T10:00:00",
        "depth_max_m": 90.0,
    }
    _, path = publish(answer("a", FIN, **here), answer("b", FIN, **there))
    events = {row["eventID"]: row for row in read(path, "event")}
    cruise, sample, run = "urn:lab:MSM_1", "urn:lab:MSM_1:net1", "urn:lab:MSM_1:net1:net1_a"
    assert [events[name]["parentEventID"] for name in (cruise, sample, run)] == ["", cruise, sample]
    assert [events[name]["eventType"] for name in (cruise, sample, run)] == [
        "cruise",
        "sample",
        "acquisition",
    ]
    found = events[sample]
    assert found["eventDate"] == "2024-05-02T08:05:09/2024-05-02T10:00:00"
    assert (found["decimalLatitude"], found["decimalLongitude"]) == ("70.6", "-20.25")
    # Half of 0.2 degrees of latitude: 0.1 x 111,195 m.
    assert found["coordinateUncertaintyInMeters"] == "11120"
    assert (found["minimumDepthInMeters"], found["maximumDepthInMeters"]) == ("10", "90")
    assert (found["sampleSizeValue"], found["sampleSizeUnit"]) == ("100", "litre")
    assert found["samplingProtocol"] == "Vertical haul, 200 um"
    assert events[run]["sampleSizeValue"] == "100"
    assert events[cruise]["sampleSizeValue"] == events[cruise]["decimalLatitude"] == ""
    of_sample = {
        m["measurementTypeID"]: m
        for m in read(path, "extendedmeasurementorfact")
        if not m["occurrenceID"]
    }
    volume = of_sample["http://vocab.nerc.ac.uk/collection/P01/current/VOLWBSMP/"]
    assert (volume["measurementValue"], volume["measurementUnit"]) == ("0.1", "Cubic metres")
    tool = of_sample["http://vocab.nerc.ac.uk/collection/P01/current/NMSPINST/"]
    assert tool["measurementValueID"] == "http://vocab.nerc.ac.uk/collection/L22/current/TOOL1582/"


def test_a_box_over_the_date_line_has_its_middle_there(publish):
    rows = [
        answer("a", FIN, **{**NET, "latitude_deg": 0.0, "longitude_deg": 179.0}),
        answer("b", FIN, **{**NET, "latitude_deg": 0.0, "longitude_deg": -178.0}),
    ]
    _, path = publish(*rows)
    found = next(row for row in read(path, "event") if row["eventType"] == "sample")
    assert float(found["decimalLongitude"]) == pytest.approx(-179.5)
    assert float(found["coordinateUncertaintyInMeters"]) == pytest.approx(1.5 * 111_195, abs=2)


def test_what_is_no_occurrence_stays_out_and_is_counted(publish):
    rows = [
        answer("ok", FIN, **NET),
        answer("1", FIN, **{**NET, "latitude_deg": None}),
        answer("2", FIN, **{**NET, "latitude_deg": 0.0, "longitude_deg": 0.0}),
        answer("3", FIN, **{**NET, "collected_on": None}),
        answer("4", FIN, **{**NET, "collected_on": "May 2024"}),
        answer("5", **NET, decision="failed", failure="truncated"),
        answer("6", **NET, decision="unplaced"),
        answer("7", **NET, answer="detritus", label="detritus"),
    ]
    report, path = publish(*rows)
    assert report.written == 1
    assert report.left_out == {
        "no coordinates": 1,
        "coordinates out of bounds, or 0 and 0": 1,
        "no date": 1,
        "its date is not ISO 8601": 1,
        "could not be read: see failure": 1,
        "no taxon is safe": 1,
        "the answer is no taxon": 1,
    }
    assert len(read(path, "occurrence")) == 1
    with pytest.raises(SourceError, match="no answer can be an occurrence"):
        publish(*rows[1:], out="empty.zip")
    assert not (path.parent / "empty.zip").exists()


def test_a_namesake_of_another_kingdom_gets_no_id(publish):
    jelly = answer("a", ("Animalia", "Ctenophora"), **NET)
    diatom = ("Chromista", "Ochrophyta", "Bacillariophyceae", None, None, "Ctenophora")
    alga = answer("b", diatom, **NET) | {"taxon": "Ctenophora", "taxon_rank": "genus"}
    animal = alga | {"kingdom": "Animalia", "phylum": None, "class": None, "input": "c"}
    report, path = publish(jelly, alga, animal)
    ids = {
        row["kingdom"] + row["taxonRank"]: row["scientificNameID"]
        for row in read(path, "occurrence")
    }
    assert ids["Chromistagenus"].endswith(":160569")
    assert ids["Animaliaphylum"] == ids["Animaliagenus"] == ""
    assert (
        report.notes["occurrences without a WoRMS id: OBIS matches them by name, or drops them"]
        == 2
    )


COUNTS = (
    "sample_id,taxon,taxon_rank,status,count_raw,count_adjusted,count_low,count_high,method,volume_l,"
    "concentration_per_m3,concentration_low,concentration_high,biovolume_mm3_per_m3\n"
    "net1,Calanus finmarchicus,species,PredictedByMachine,2,3.5,1.5,5,adjusted count,250,14,6,20,0.25\n"
    "net9,Calanus finmarchicus,species,PredictedByMachine,1,,,,,,,,,\n"
    "net1,,,unplaced,3,,,,raw,250,,,,\n"
)


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_counts_become_measurements_with_terms_of_the_vocabularies(publish, tmp_path, ending):
    (tmp_path / "counts.csv").write_text(COUNTS)
    read_back = pcsv.read_csv(tmp_path / "counts.csv")
    pq.write_table(read_back, tmp_path / "counts.parquet")
    rows = [{k: v if v != "" else None for k, v in row.items()} for row in read_back.to_pylist()]
    (tmp_path / "counts.json").write_text(json.dumps(rows))
    report, path = publish(
        answer("a", FIN, **NET), answer("b", FIN, **NET), counts=tmp_path / f"counts.{ending}"
    )
    (occurrence,) = read(path, "occurrence")
    found = [m for m in read(path, "extendedmeasurementorfact") if m["occurrenceID"]]
    assert {m["occurrenceID"] for m in found} == {occurrence["occurrenceID"]}
    codes = {m["measurementTypeID"].rstrip("/").rpartition("/")[2]: m for m in found}
    assert set(codes) == {"OCOUNT01", "", "SDBIOL01", "CVOLUKNB"}
    assert codes["OCOUNT01"]["measurementValue"] == "2"
    assert (codes[""]["measurementValue"], codes[""]["measurementAccuracy"]) == ("3.5", "1.5 to 5")
    assert codes[""]["measurementMethod"] == "adjusted count"
    assert codes["SDBIOL01"]["measurementUnitID"].endswith("/P06/current/UPMM/")
    assert codes["SDBIOL01"]["measurementAccuracy"] == "6 to 20"
    assert codes["CVOLUKNB"]["measurementUnitID"].endswith("/P06/current/CMCM/")
    assert report.notes["rows of counts without an occurrence: in no measurement"] == 1
    assert check_darwin_core(path).errors == {}
    with pytest.raises(SourceError, match="--each"):
        publish(
            answer("a", FIN, **NET),
            counts=tmp_path / f"counts.{ending}",
            grouping="each",
            out="x.zip",
        )


def test_each_image_is_an_occurrence_at_its_own_spot(publish):
    other = {**NET, "depth_min_m": 20.0}
    report, path = publish(
        answer("a", FIN, **NET), answer("b", FIN, **NET), answer("c", FIN, **other), grouping="each"
    )
    found = read(path, "occurrence")
    assert [row["organismID"] for row in found] == ["a", "b", "c"]
    events = {row["eventID"]: row for row in read(path, "event")}
    depths = [events[row["eventID"]]["minimumDepthInMeters"] for row in found]
    assert depths == ["10", "10", "20"]
    assert {events[row["eventID"]]["eventType"] for row in found} <= {"image", "acquisition"}
    assert report.rows["occurrence.txt"] == 3
    assert check_darwin_core(path).errors == {}


def test_media_are_those_with_an_address_and_a_licence_that_is_taken(publish):
    url = "https://images.example.org/a.JPG?x=1"
    rows = [
        answer("a", FIN, **NET, image_url=url, licence="CC BY 4.0", rights_holder="Ann"),
        answer("b", FIN, **NET, image_url="https://x.org/b.png", licence="CC-BY-SA-4.0"),
        answer("c", FIN, **NET, image_url="https://x.org/c.png"),
        answer("d", FIN, **NET),
    ]
    report, path = publish(*rows)
    (media,) = read(path, "multimedia")
    (occurrence,) = read(path, "occurrence")
    assert media["identifier"] == occurrence["associatedMedia"] == url
    assert (media["type"], media["format"]) == ("StillImage", "image/jpeg")
    assert media["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert media["rightsHolder"] == "Ann"
    assert media["occurrenceID"] == occurrence["occurrenceID"]
    said = "images left out of the media: their licence is not CC0-1.0, CC-BY-4.0 or CC-BY-NC-4.0"
    assert report.notes[said] == 2
    assert report.notes["images without a public address: in no media"] == 1


def test_barcodes_are_material_with_their_sequences(publish):
    bar = {
        "barcode": "ACGTACGT",
        "marker": "COI-5P",
        "identity_pct": 98.5,
        "barcode_answer": FIN[-1],
    }
    _, path = publish(
        answer("a", FIN, **NET), answer("b", FIN, **NET, **bar), answer("c", FIN, **NET, **bar)
    )
    bases = {row["basisOfRecord"]: row for row in read(path, "occurrence")}
    assert set(bases) == {"MachineObservation", "MaterialSample"}
    rows = read(path, "dnaderiveddata")
    assert {row["occurrenceID"] for row in rows} == {bases["MaterialSample"]["occurrenceID"]}
    assert [row["samp_name"] for row in rows] == ["b", "c"]
    (first, _) = rows
    assert (first["DNA_sequence"], first["target_gene"], first["target_subfragment"]) == (
        "ACGTACGT",
        "COI",
        "5P",
    )
    assert first["pcr_primer_forward"] == "GGTCAACAAATCATAAAGATATTGG"
    assert first["otu_db"] == "references of model f00d"
    assert check_darwin_core(path).errors == {}


def test_python_dwca_reader_opens_it(publish):
    rows = [
        answer("a", FIN, **NET, image_url="https://x.org/a.png", licence="CC0-1.0"),
        ambiguous("b", **NET, decision_reason='two "likely"\tspecies\nof one genus'),
        answer("c", FIN, **NET, barcode="ACGT", marker="18S"),
    ]
    report, path = publish(*rows)
    with DwCAReader(str(path)) as archive:
        assert archive.descriptor.core.type == "http://rs.tdwg.org/dwc/terms/Event"
        cores = list(archive)
        assert len(cores) == report.rows["event.txt"] == 3
        kinds = {row.rowtype.rpartition("/")[2] for core in cores for row in core.extensions}
        assert kinds == {"Occurrence", "ExtendedMeasurementOrFact", "Multimedia", "DNADerivedData"}
        sample = next(core for core in cores if core.id.endswith(":net1"))
        assert sum(row.rowtype.endswith("/Occurrence") for row in sample.extensions) == 3
        total = sum(len(core.extensions) for core in cores)
        assert total == sum(report.rows.values()) - 3
        assert "Copepods of the Greenland Sea" in archive.metadata.find(".//title").text


def test_our_own_reader_gets_the_records_back(publish):
    rows = [
        answer("a", FIN, **NET, image_url="https://x.org/a.png", licence="CC0-1.0"),
        answer("b", OITHONA, **{**NET, "sample_id": "net2"}, sampled_volume_l=500.0),
    ]
    _, path = publish(*rows, grouping="each")
    items = [i for i in darwin_core.SOURCE.read(path, SourceOptions()) if i.skip_reason is None]
    assert [item.error for item in items] == [None, None]
    first, second = (item.fields for item in items)
    assert first["species"] == FIN[-1]
    assert first["aphia_id"] == "104464"
    assert first["label_status"] == "predicted"
    assert first["cruise"] == "urn:lab:MSM_1"
    assert (float(first["latitude_deg"]), first["collected_on"]) == (70.5, NET["collected_on"])
    assert first["image_url"] == "https://x.org/a.png"
    assert first["licence"].endswith("/publicdomain/zero/1.0/")
    assert float(second["sampled_volume_l"]) == 500.0


def test_samples_without_a_name_are_told_apart_by_place_and_day(publish):
    elsewhere = {**SPOT, "latitude_deg": 60.0}
    _, path = publish(
        answer("a", FIN, **SPOT), answer("b", FIN, **SPOT), answer("c", FIN, **elsewhere)
    )
    assert len(read(path, "event")) == 2
    assert sorted(row["individualCount"] for row in read(path, "occurrence")) == ["1", "2"]


def test_ids_of_different_taxa_and_samples_never_meet(publish):
    rows = [
        answer("a", FIN, **{**NET, "cruise": "m", "sample_id": "a:b", "acquisition_id": None}),
        answer("b", FIN, **{**NET, "cruise": "m:a", "sample_id": "b", "acquisition_id": None}),
        answer("c", FIN, **{**NET, "cruise": "m", "sample_id": "a b", "acquisition_id": None}),
        answer("d", FIN, **{**NET, "cruise": "m", "sample_id": "a_b", "acquisition_id": None}),
    ]
    _, path = publish(*rows)
    assert len({row["eventID"] for row in read(path, "event")}) == 6
    assert len({row["occurrenceID"] for row in read(path, "occurrence")}) == 4
    assert check_darwin_core(path).errors == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "CC-BY-4.0"', 'licence = "CC-BY-SA-4.0"', "GBIF and OBIS take"),
        (ABSTRACT, "Short.", "at least 256"),
        ('surname = "O\'Neill & Söhne"', "", "surname or organisation"),
        ("title", "titel", "Did you mean 'title'"),
        ("pcr_primer_forward", "primer", "dna.primer is no term"),
    ],
)
def test_a_description_that_would_be_refused_is_refused_first(publish, dataset, old, new, said):
    dataset.write_text(DATASET.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        publish(answer("a", FIN, **NET))


def test_the_format_page_has_every_column_and_key():
    text = (ROOT / "docs/formats/exchange-darwin-core.md").read_text(encoding="utf-8")
    lines = [f"| `{t.file}` | {', '.join(f'`{n}`' for n in t.terms)} |" for t in TABLES]
    assert [line for line in lines if line not in text] == []
    assert [key for key in Dataset.model_fields if f"`{key}`" not in text] == []


def test_the_description_that_the_how_to_shows_is_taken(tmp_path):
    text = (ROOT / "docs/how-to/publish-to-obis.md").read_text(encoding="utf-8")
    (tmp_path / "d.toml").write_text(text.partition("```toml\n")[2].partition("```")[0])
    assert read_dataset(tmp_path / "d.toml").id_prefix == "urn:catalog:MYLAB:"


def test_without_a_description_the_least_one_is_shown(publish):
    with pytest.raises(SourceError, match=r"--dataset.*\n.*title"):
        publish(answer("a", FIN, **NET), dataset=None)


def test_the_backbone_gives_ids_of_wider_taxa(publish, tmp_path):
    terms = [
        "taxonID",
        "scientificName",
        "taxonRank",
        "taxonomicStatus",
        "kingdom",
        "phylum",
        "class",
        "order",
        "family",
    ]
    fields = "".join(
        f'<field index="{n}" term="http://rs.tdwg.org/dwc/terms/{term}"/>'
        for n, term in enumerate(terms)
    )
    meta = (
        '<archive xmlns="http://rs.tdwg.org/dwc/text/"><core encoding="UTF-8" fieldsTerminatedBy="\\t" '
        'fieldsEnclosedBy="" ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Taxon">'
        f'<files><location>t.txt</location></files><id index="0"/>{fields}</core></archive>'
    )
    row = [
        "urn:lsid:marinespecies.org:taxname:106485",
        "Calanidae",
        "Family",
        "accepted",
        *CALANUS[:5],
    ]
    with zipfile.ZipFile(tmp_path / "worms.zip", "w") as archive:
        archive.writestr("meta.xml", meta)
        archive.writestr("t.txt", "\n".join(["\t".join(terms), "\t".join(row), ""]))
    build_backbone("worms", tmp_path / "worms.zip", out=tmp_path / "b.parquet")
    _, path = publish(answer("a", CALANUS[:5], **NET), backbone=tmp_path / "b.parquet")
    (row,) = read(path, "occurrence")
    assert row["scientificNameID"] == "urn:lsid:marinespecies.org:taxname:106485"


@pytest.mark.real
@pytest.mark.parametrize("grouping", ["taxon", "each"])
def test_a_real_ecotaxa_sample_becomes_a_valid_archive(publish, real_data, grouping):
    rows = answers_of_ecotaxa(real_data / "formats/ecotaxa_qa/import_test")
    report, path = publish(*rows, grouping=grouping)
    assert report.written + sum(report.left_out.values()) == len(rows)
    found = check_darwin_core(path)
    assert found.errors == {}, found.examples
    with DwCAReader(str(path)) as archive:
        assert len(list(archive)) == report.rows["event.txt"]


def test_ids_of_many_equal_names_are_given_in_linear_time():
    names = Names()
    given = [names.give(["cruise", "image"]) for _ in range(20_000)]
    assert len({*given}) == len(given)
    assert (given[0], given[1], given[-1]) == (
        "cruise:image",
        "cruise:image-2",
        "cruise:image-20000",
    )
    assert names.give(["cruise", "image-2"]) == "cruise:image-2-2"
