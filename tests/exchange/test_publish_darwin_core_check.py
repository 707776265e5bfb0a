"""The check of archives finds what is planted, and says useful things of real ones."""

import pytest

from exchange.net_answers import DATED, FIN, NET, ambiguous, answer, table
from exchange.test_publish_darwin_core import DATASET, TAXA
from holotype.exchange.answers.publish import publish_table
from holotype.exchange.check import check_archive
from holotype.exchange.darwin_core.check import check_darwin_core

ERROR, WARNING = "error", "warning"


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "dataset.toml").write_text(DATASET, encoding="utf-8")
    (tmp_path / "taxa.csv").write_text(TAXA)
    rows = [
        answer("a", FIN, **NET, image_url="https://x.org/a.png", licence="CC0-1.0"),
        ambiguous("b", **NET, image_url="https://x.org/b.png", licence="CC0-1.0"),
        answer("c", FIN, **NET, barcode="ACGT", marker="COI-5P"),
    ]
    publish_table(
        table(*rows),
        to="darwin-core",
        out=tmp_path / "archive",
        dated=DATED,
        dataset=tmp_path / "dataset.toml",
        labels=[tmp_path / "taxa.csv"],
    )
    return tmp_path / "archive"


def test_a_good_archive_has_no_finding(archive):
    found = check_darwin_core(archive)
    assert (found.errors, found.warnings, found.examples) == ({}, {}, ())
    assert found.rows["occurrence.txt"] == 3
    assert found.is_valid


E_, O_, M_ = "event.txt", "occurrence.txt", "extendedmeasurementorfact.txt"
SAMPLE = "urn:lab:MSM_1:net1\turn:lab:MSM_1\tsample"


@pytest.mark.parametrize(
    ("file", "old", "new", "severity", "said"),
    [
        (O_, "present", "here", ERROR, "'here' is none of absent, present"),
        (O_, "MachineObservation", "Machine", ERROR, "column basisOfRecord: 'Machine' is none of"),
        (O_, "PredictedByMachine", "predicted", ERROR, "'predicted' is none of PredictedByMachine, Vali"),
        (O_, "PredictedByMachine", "", ERROR, "column identificationVerificationStatus: blank; OBIS asks"),
        (O_, "present\tCalanus finmarchicus", "present\t", ERROR, "column scientificName: blank; Occurrence"),
        (O_, "taxname:104464", "taxname:x", ERROR, "is not of the form urn:lsid:marinespecies.org"),
        (O_, "urn:lsid:marinespecies.org:taxname:104464", "", WARNING, "column scientificNameID: blank"),
        (O_, "\tspecies\t", "\tspecie\t", WARNING, "column taxonRank: 'specie' is no rank"),
        (O_, "Calanus:machine\t", "Calanus_finmarchicus:machine\t", ERROR, "occurrence.txt, line 2 too"),
        (O_, "urn:lab:MSM_1:net1\t", "net1\t", ERROR, "'net1' is the id of no event"),
        (O_, "\t1\ta\t", "\t1.5\ta\t", ERROR, "column individualCount: '1.5' is no whole number"),
        (O_, "\thttps://x.org/a.png", "", ERROR, "missing, the row has 22 columns"),
        (O_, "eventID\toccurrenceID", "occurrenceID\teventID", ERROR, "column 1 is 'occurrenceID'"),
        (E_, SAMPLE + "\t2024-05-02T08:05:09", SAMPLE + "\t02/05/2024", ERROR, "no ISO 8601 date"),
        (E_, SAMPLE + "\t2024-05-02T08:05:09", SAMPLE + "\t2999-01-01", ERROR, "is in the future"),
        (E_, "\t70.5\t", "\t91\t", ERROR, "column decimalLatitude: '91' is not within -90 and 90"),
        (E_, "\t70.5\t", "\t70,5\t", ERROR, "'70,5' is no number with a decimal point"),
        (E_, "\t70.5\t-20.25\t", "\t0\t0\t", ERROR, "0 and 0: no place was known"),
        (E_, "\t70.5\t-20.25\t", "\t\t\t", ERROR, "decimalLatitude neither here nor in its event"),
        (E_, "\t10\t50\t", "\t60\t50\t", ERROR, "60 is deeper than maximumDepthInMeters 50"),
        (E_, "net1\turn:lab:MSM_1\t", "net1\turn:lab:no\t", ERROR, "'urn:lab:no' is no event"),
        (E_, "net1\turn:lab:MSM_1\t", "net1\turn:lab:MSM_1:net1\t", ERROR, "leads back to the event"),
        (E_, "net1:net1_a\t", "net1\t", ERROR, "column eventID: 'urn:lab:MSM_1:net1' is in event.txt"),
        (M_, "current/OCOUNT01", "OCOUNT01", WARNING, "is not of the form http://vocab.nerc.ac.uk"),
        (M_, "Calanus:machine\t", "nobody\t", ERROR, "'urn:lab:MSM_1:net1:nobody' is the id of no row"),
        (M_, "current/OCOUNT01/\t1", "current/OCOUNT01/\t", ERROR, "column measurementValue: blank"),
        (M_, ":Calanus:machine:OC", ":Calanus_finmarchicus:machine:OC", ERROR, "measurementID: 'urn:lab"),
        ("multimedia.txt", "publicdomain/zero/1.0", "licenses/by-nd/4.0", WARNING, "column license: "),
        ("multimedia.txt", "https://x.org/a.png", "", ERROR, "column identifier: blank"),
        ("multimedia.txt", "StillImage", "Picture", WARNING, "column type: 'Picture' is none of"),
        ("dnaderiveddata.txt", "ACGT\t", "AC9T\t", ERROR, "has letters that are no nucleotides"),
        ("meta.xml", 'ignoreHeaderLines="1"', 'ignoreHeaderLines="0"', ERROR, "is a header, and the descr"),
        ("meta.xml", "<location>multimedia.txt", "<location>media.txt", ERROR, "'media.txt' is not in the"),
        ("meta.xml", "dwc/terms/basisOfRecord", "dwc/terms/basis", ERROR, "no column basisOfRecord"),
        ("meta.xml", "</archive>", "", ERROR, "not XML"),
        ("meta.xml", "dwc/terms/Event\"", "dwc/terms/Taxon\"", ERROR, "the core is Taxon"),
        ("eml.xml", "<title", "<tittle", ERROR, "not XML"),
        ("eml.xml", "CC-BY-4.0", "CC-BY-ND-4.0", ERROR, "is taken"),
        ("eml.xml", "contact>", "contracts>", ERROR, "no <contact>"),
        ("eml.xml", "Copepods of the Greenland Sea, imaged", "Copepods " * 150, WARNING, "256 to 1000"),
    ],
)  # fmt: skip
def test_planted_faults_are_found(archive, file, old, new, severity, said):
    text = (archive / file).read_text(encoding="utf-8")
    assert old in text
    every = -1 if file in {"eml.xml"} else 1
    (archive / file).write_text(text.replace(old, new, every), encoding="utf-8")
    found = check_darwin_core(archive)
    assert [one for one in found.examples if one.severity == severity and said in one.said], (
        found.examples
    )
    assert bool(found.errors) == (severity == ERROR) == (not found.is_valid)


def test_a_missing_document_and_unseen_organisms_are_told_of(archive):
    (archive / "eml.xml").unlink()
    assert "no metadata document" in check_darwin_core(archive).examples[0].said
    text = (archive / "occurrence.txt").read_text(encoding="utf-8")
    (archive / "occurrence.txt").write_text(
        text.replace("https://x.org/b.png", ""), encoding="utf-8"
    )
    media = (archive / "multimedia.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    (archive / "multimedia.txt").write_text("".join(line for line in media if "b.png" not in line))
    assert check_darwin_core(archive).warnings["no media"] == 1


def test_one_command_tells_ecotaxa_from_darwin_core(archive, tmp_path):
    report = check_archive(archive)
    assert (report.form, report.errors) == ("Darwin Core Archive", 0)
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "ecotaxa_x.tsv").write_text("object_id\tobject_lat\n[t]\t[f]\no1\t99\n")
    report = check_archive(tmp_path / "e")
    assert (report.form, report.errors) == ("EcoTaxa import", 1)
    assert report.examples[0][1].startswith("ecotaxa_x.tsv, line 3, column object_lat: '99'")


@pytest.mark.real
def test_a_published_archive_of_an_ifcb_hangs_its_measurements_on_no_event(real_data):
    found = check_darwin_core(real_data / "formats/dwca/irfcb_imaging/iRfcb-DwC-A.zip")
    assert found.errors == {"licence": 1, "lost row": 415}
    assert found.rows == {"Event.txt": 10, "Occurrence.txt": 101, "MeasurementOrFact.txt": 415}
    assert found.warnings["no scientificNameID"] == 8


@pytest.mark.real
def test_every_real_archive_gets_an_answer(real_data):
    folder = real_data / "formats/dwca/python_dwca_reader"
    reports = {p.name: check_darwin_core(p) for p in sorted(folder.iterdir()) if p.suffix != ".rst"}
    assert len(reports) >= 29
    assert all(report.errors for report in reports.values())
    assert reports["dwca-star-test-archive.zip"].errors == {"core": 1}
    assert reports["gbif-results.zip"].errors["zero place"] == 7
    assert reports["gbif-results.zip"].rows["occurrence.txt"] == 158
