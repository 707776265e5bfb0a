"""Darwin Core Archives: what an occurrence takes from its event, media, names, measurements, DNA."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from holotype.collection.sources.darwin_core import SOURCE
from holotype.collection.sources.darwin_core.descriptor import parse_descriptor
from holotype.collection.sources.darwin_core.rows import found_delimiter
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import FileAt
from holotype.testing import check_source

DWC, GBIF = "http://rs.tdwg.org/dwc/terms/", "http://rs.gbif.org/terms/1.0/"
DCTERMS, AC = "http://purl.org/dc/terms/", "http://rs.tdwg.org/ac/terms/"
EML = (
    '<?xml version="1.0" encoding="{encoding}"?><eml:eml xmlns:eml="https://eml.ecoinformatics.org/eml-2.2.0">'
    "<dataset><alternateIdentifier>doi:10.1234/abc</alternateIdentifier><title>Bées of Noé</title>"
    '<intellectualRights><para>Free: <ulink url="http://creativecommons.org/licenses/by-nc/4.0/legalcode">'
    "<citetitle>CC</citetitle></ulink>.</para></intellectualRights></dataset></eml:eml>"
)


def table(tag, row_type, file, terms, *, key="id", **written):
    settings = {
        "encoding": "UTF-8",
        "fieldsTerminatedBy": "\\t",
        "linesTerminatedBy": "\\n",
        "fieldsEnclosedBy": "",
        "ignoreHeaderLines": "1",
        **written,
    }
    shown = " ".join(f"{name}='{text}'" for name, text in settings.items() if text is not None)
    fields = "".join(
        f"<field index='{n}' term='{t if '://' in t else DWC + t}'/>"
        if not t.startswith("<")
        else t
        for n, t in enumerate(terms, start=1)
        if t
    )
    return (
        f"<{tag} rowType='{row_type}' {shown}><files><location>{file}</location></files>"
        f"<{key} index='0'/>{fields}</{tag}>"
    )


def archive(*tables, metadata=" metadata='eml.xml'"):
    return f"<archive xmlns='http://rs.tdwg.org/dwc/text/'{metadata}>{''.join(tables)}</archive>"


def core(terms, **written):
    return table("core", f"{DWC}Occurrence", "occurrence.txt", terms, **written)


def extension(row_type, file, terms, **written):
    return table("extension", row_type, file, terms, key="coreid", **written)


def tsv(*rows):
    return "".join("\t".join(row) + "\n" for row in rows)


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        place = folder / name.replace("__", "/").replace("_txt", ".txt").replace("_xml", ".xml")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def png(value=7, side=6):
    out = io.BytesIO()
    Image.fromarray(np.full((side, side), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


def records(path, options=None):
    return {
        i.name: i
        for i in check_source(SOURCE, path, options).items
        if not i.skip_reason and not i.error
    }


def simple(folder, rows, terms=("scientificName",), **written):
    meta = archive(core(terms, **written), metadata="")
    header = ("id", *(t.rpartition("/")[2] for t in terms))
    return write(folder, meta_xml=meta, occurrence_txt=tsv(header, *rows))


# ---------------------------------------------------------------- real archives

CHECKLISTS = {
    "dwca-2extensions.zip",
    "dwca-ids.zip",
    "dwca-missing-extension-details",
    "dwca-orphaned-rows.zip",
    "dwca-star-test-archive.zip",
}
TWO_TABLES = {"dwca-invalid-simple-toomuch.zip", "dwca-invalid-simple-two.zip"}
COUNTS = {
    "dwca-csv-quote-dir": (2, 0, 0),
    "dwca-default-metadata-filename.zip": (2, 3, 0),
    "dwca-invalid-lacks-metadata": (2, 0, 1),
    "dwca-malformed-descriptor": (0, 0, 4),
    "dwca-meta-default-values": (2, 0, 0),
    "dwca-metadata-windows1252-encoding": (4, 0, 0),
    "dwca-noheaders-1.zip": (2, 1, 0),
    "dwca-noheaders-2.zip": (2, 1, 0),
    "dwca-nometadata.zip": (2, 2, 0),
    "dwca-partial-default.zip": (2, 2, 0),
    "dwca-simple-csv-dos.zip": (3, 0, 0),
    "dwca-simple-csv-eml.zip": (3, 2, 0),
    "dwca-simple-csv-notenclosed.zip": (3, 1, 0),
    "dwca-simple-csv.zip": (3, 0, 0),
    "dwca-simple-dir": (4, 0, 0),
    "dwca-simple-subdir.zip": (2, 0, 0),
    "dwca-simple-test-archive-enclosed.zip": (2, 3, 0),
    "dwca-simple-test-archive.tgz": (2, 3, 0),
    "dwca-simple-test-archive.zip": (2, 0, 0),
    "dwca-test-default.zip": (2, 0, 0),
    "dwca-utf8-eol-test.zip": (1, 2, 0),
    "gbif-results-lacks-s-metadata.zip": (158, 30, 0),
    "gbif-results-whitespace-in-xml.zip": (158, 2, 0),
    "gbif-results.zip": (158, 3, 0),
}


@pytest.mark.real
def test_every_archive_of_the_sample_is_in_the_tables(real_data):
    folder = real_data / "formats/dwca/python_dwca_reader"
    found = {path.name for path in folder.iterdir() if path.suffix != ".rst"}
    assert found == {*COUNTS, *CHECKLISTS, *TWO_TABLES}
    assert len(found) == 31


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(COUNTS))
def test_real_archives_are_read_with_these_counts(real_data, name, tmp_path):
    path = real_data / "formats/dwca/python_dwca_reader" / name
    found = check_source(SOURCE, path, SourceOptions(spool=tmp_path))
    assert (found.records, found.skipped, found.errors) == COUNTS[name]
    assert not any(tmp_path.glob("*.joined"))


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(CHECKLISTS))
def test_real_checklists_are_sent_to_the_names(real_data, name):
    with pytest.raises(
        SourceError, match=r"taxon\.txt: the core is Taxon.*'holotype names backbone'\.$"
    ):
        list(SOURCE.read(real_data / "formats/dwca/python_dwca_reader" / name, SourceOptions()))


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(TWO_TABLES))
def test_real_archives_without_descriptor_hold_one_table(real_data, name):
    wanted = (
        r"no meta\.xml, and 2 files .*0008333-160118175350007\.csv, random_file\. Add meta\.xml"
    )
    with pytest.raises(SourceError, match=wanted):
        list(SOURCE.read(real_data / "formats/dwca/python_dwca_reader" / name, SourceOptions()))


@pytest.mark.real
def test_real_rows_that_are_shorter_than_the_descriptor(real_data):
    found = check_source(
        SOURCE, real_data / "formats/dwca/python_dwca_reader/dwca-malformed-descriptor"
    )
    assert [item.row for item in found.items] == [2, 3, 4, 5]
    assert found.items[0].error == (
        "occurrence.txt, line 2, column 235 (lastCrawled): missing, the row has 234 columns where the "
        "descriptor names 235. Write every column, empty ones too, or correct the descriptor."
    )


@pytest.mark.real
def test_real_small_archives_by_hand(real_data):
    folder = real_data / "formats/dwca/python_dwca_reader"
    quoted = records(folder / "dwca-csv-quote-dir")
    assert quoted["3"].fields["extra:basisOfRecord"] == "Observation, something"
    kept = records(folder / "dwca-simple-dir")
    assert kept["1"].fields["written_label"] == '"betta" splendens'
    assert kept["2"].fields["written_label"] == "'betta' splendens"
    enclosed = records(folder / "dwca-simple-test-archive-enclosed.zip")
    assert [i.fields["written_label"] for i in enclosed.values()] == [
        "tetraodon fluviatilis",
        "betta splendens",
    ]
    defaults = [i.fields["country"] for i in records(folder / "dwca-partial-default.zip").values()]
    assert defaults == ["France", "Belgium"]
    assert (
        records(folder / "dwca-utf8-eol-test.zip")["189433446"].fields["extra:recordedBy"]
        == "Hetzel, O"
    )
    dos = records(folder / "dwca-simple-csv-dos.zip")["699220990"].fields
    assert (dos["gbif_id"], dos["species"], dos["depth_max_m"]) == (
        "2408107",
        "Lactoria cornuta",
        "1.0",
    )
    assert dos["collected_on"] == "2011-10-22T00:00:00+00:00"
    latin = records(folder / "dwca-metadata-windows1252-encoding")["3"].fields
    assert latin["extra:dataset_title"] == "simple-test-archive"


@pytest.mark.real
def test_real_download_dates_names_and_citations(real_data):
    found = records(real_data / "formats/dwca/python_dwca_reader/gbif-results.zip")
    fish = found["607759330"].fields
    assert fish["written_label"] == "Chelonodon fluviatilis (Hamilton, 1822)"
    assert (fish["genus"], fish["species"]) == ("Tetraodon", "Tetraodon fluviatilis")
    assert fish["collected_on"] == "1930-04-01"
    assert fish["extra:eventDate"] == "Tue Apr 01 00:00:00 CET 1930"
    assert fish["citation"] == "California Academy of Sciences: CAS Ichthyology (ICH)"
    assert fish["extra:verbatimGenus"] == "Chelonodon"


@pytest.mark.real
def test_real_ifcb_archive_joins_by_event_though_its_coreid_is_wrong(real_data):
    found = check_source(SOURCE, real_data / "formats/dwca/irfcb_imaging/iRfcb-DwC-A.zip")
    assert (found.records, found.skipped, found.errors) == (101, 2, 0)
    assert "coreid of Occurrence is occurrenceID" in found.items[0].skip_reason
    fields = next(i for i in found.items if i.name.startswith("a06c2e1e")).fields
    wanted = {
        "written_label": "Mesodinium rubrum",
        "species": "Mesodinium rubrum",
        "aphia_id": "232069",
        "label_status": "validated",
        "labelled_by": "John Doe",
        "latitude_deg": "57.4",
        "depth_min_m": "4.0",
        "extra:place_from": "sample",
        "collected_on": "2022-05-22T00:04:39",
        "sample_id": "e7ee130c-650e-48b1-b4ac-6b2ad3eee632",
        "instrument": "IFCB",
        "instrument_id": "L22/TOOL1588",
        "cruise": "5c439e06-4a71-4256-9863-7e3d707dee59",
        "extra:Count": "4",
        "extra:coordinateUncertaintyInMeters": "150000",
        "licence": "http://creativecommons.org/licenses/by/4.0/legalcode",
        "extra:licence_of": "record",
        "extra:verbatimIdentification": "Mesodinium_rubrum",
    }
    assert {name: fields[name] for name in wanted} == wanted
    assert float(fields["sampled_volume_l"]) == pytest.approx(0.00486063532624421)


# ---------------------------------------------------------------- hand-made archives


@pytest.fixture
def specimens(tmp_path):
    """Four occurrences with pictures, sequences, identifications and measurements."""
    meta = archive(
        core(
            [
                "scientificName", "kingdom", "decimalLatitude", "decimalLongitude", "eventDate",
                "occurrenceStatus",
                f"{DCTERMS}license", "dateIdentified", "organismID",
            ]
        ),
        extension(
            f"{GBIF}Multimedia",
            "media.txt",
            [f"{DCTERMS}identifier", f"{DCTERMS}type", f"{DCTERMS}license", f"{DCTERMS}rightsHolder"],
        ),
        extension(f"{DWC}Identification", "names.txt", ["scientificName", "dateIdentified", "identifiedBy"]),
        extension(
            f"{GBIF}DNADerivedData",
            "dna.txt",
            [f"{GBIF}DNA_sequence", f"{GBIF}target_gene", f"{GBIF}pcr_primer_forward"],
        ),
        extension(
            f"{DWC}MeasurementOrFact",
            "facts.txt",
            ["measurementType", "measurementValue", "measurementUnit"],
        ),
        extension(f"{GBIF}Distribution", "places.txt", ["locality"]),
    )  # fmt: skip
    by = "http://creativecommons.org/licenses/by/4.0/"
    return write(
        tmp_path / "a",
        meta_xml=meta,
        eml_xml=EML.format(encoding="windows-1252").encode("windows-1252"),
        occurrence_txt=tsv(
            ("id", *"abcdefghi"),
            (
                "o1",
                "Calanus",
                "Animalia",
                "60.5",
                "5,25",
                "2020-06-01/2020-06-03",
                "present",
                "CC0",
                "2020-01-01",
                "",
            ),
            (
                "o2",
                "Apis mellifera",
                "Animalia",
                "95",
                "4",
                "2020-13-01",
                "present",
                "",
                "2024-01-01",
                "bee 7",
            ),
            ("o3", "Apis", "Animalia", "", "", "1999", "absent", "", "", ""),
            ("o4", "Bombus", "Animalia", "", "", "1999", "", "", "", ""),
        ),
        media_txt=tsv(
            ("coreid", *"abcd"),
            ("o1", "pics/1.png", "StillImage", by, "Ann"),
            ("o1", "https://x.org/photos/2.jpg", "StillImage", "", ""),
            ("o1", "https://x.org/s.mp3", "Sound", by, ""),
            ("o2", "gone.png", "StillImage", by, ""),
            ("o9", "pics/1.png", "StillImage", by, ""),
        ),
        names_txt=tsv(
            ("coreid", *"abc"),
            ("o1", "Calanus glacialis", "2022-05-05", "Bo"),
            ("o1", "Calanus finmarchicus", "2021-05-05", "Cy"),
            ("o2", "Apis cerana", "2023-01-01", "Di"),
        ),
        dna_txt=tsv(("coreid", *"abc"), ("o4", "ACGT", "COI", "GGWACW"), ("o4", "TTTT", "18S", "")),
        facts_txt=tsv(
            ("coreid", *"abc"),
            ("o4", "Biovolume", "12.5", "mm3"),
            ("o4", "Sampled volume", "250", "ml"),
            ("o4", "Biovolume", "13", "mm3"),
        ),
        places_txt=tsv(("coreid", "a"), ("o1", "x")),
        pics__1png=png(),
    )


@pytest.fixture
def renamed(specimens):
    (specimens / "pics/1png").rename(specimens / "pics/1.png")
    return specimens


def test_pictures_are_records_and_take_the_latest_name(renamed):
    found = records(renamed)
    assert list(found) == ["o1", "o1/media 2", "o2", "o4", "o4/sequence 2"]
    first, second = found["o1"], found["o1/media 2"]
    assert first.image == FileAt(str(renamed / "pics/1.png"))
    assert second.image is None
    assert second.fields["image_url"] == "https://x.org/photos/2.jpg"
    assert first.fields["specimen_id"] == second.fields["specimen_id"] == "o1"
    assert first.fields["written_label"] == "Calanus glacialis"
    assert first.fields["labelled_by"] == "Bo"
    assert first.fields["extra:earlier scientificName"] == "Calanus"
    assert found["o2"].fields["written_label"] == "Apis mellifera"
    assert first.fields["extra:other_media"] == "https://x.org/s.mp3"
    assert (first.fields["longitude_deg"], first.fields["collected_on"]) == ("5.25", "2020-06-01")
    assert first.fields["extra:eventDate"] == "2020-06-01/2020-06-03"


def test_licence_is_of_the_media_else_of_the_record_else_of_the_data_set(renamed):
    found = records(renamed)
    stated = {n: (i.fields["licence"], i.fields["extra:licence_of"]) for n, i in found.items()}
    assert stated["o1"] == ("http://creativecommons.org/licenses/by/4.0/", "media")
    assert stated["o1/media 2"] == ("CC0", "record")
    whole = ("http://creativecommons.org/licenses/by-nc/4.0/legalcode", "data set")
    assert stated["o4"] == whole
    assert found["o1"].fields["extra:record_licence"] == "CC0"
    assert found["o1"].fields["rights_holder"] == "Ann"
    assert found["o4"].fields["extra:dataset_title"] == "Bées of Noé"
    assert found["o4"].fields["citation"] == "doi:10.1234/abc"


def test_sequences_and_measurements(renamed):
    found = records(renamed)
    first, second = found["o4"].fields, found["o4/sequence 2"].fields
    assert (first["barcode"], first["marker"], first["extra:pcr_primer_forward"]) == (
        "ACGT",
        "COI",
        "GGWACW",
    )
    assert (second["barcode"], second["marker"]) == ("TTTT", "18S")
    assert "extra:pcr_primer_forward" not in second
    assert first["sampled_volume_l"] == "0.25"
    assert first["extra:Biovolume [mm3]"] == "12.5; 13"
    assert first["collected_on"] == "1999"


def test_what_is_wrong_or_unused_is_named_by_line_and_column(renamed):
    found = check_source(SOURCE, renamed)
    notes = dict(next(i for i in found.items if i.name == "o2").notes)
    assert notes["bounds"].startswith(
        "occurrence.txt, line 3, column decimalLatitude: '95' gives latitude"
    )
    assert notes["date"].startswith(
        "occurrence.txt, line 3, column eventDate: '2020-13-01' is no date"
    )
    assert notes["image"].startswith("media.txt, line 5, column identifier: 'gone.png' is no file")
    assert next(i for i in found.items if i.name == "o2").fields["specimen_id"] == "bee 7"
    skipped = {i.name: i.skip_reason for i in found.items if i.skip_reason}
    assert skipped["o3"] == "occurrenceStatus 'absent': looked for and not found"
    assert "Distribution" in skipped["places.txt"]
    assert [i.error for i in found.items if i.error] == [
        (
            "media.txt, line 6, column coreid: 'o9' is the id of no occurrence of the archive. Correct it, "
            "or remove the row."
        )
    ]


def test_zip_tar_and_a_folder_further_down_give_the_same(renamed, tmp_path):
    wanted = {n: dict(i.fields) for n, i in records(renamed).items()}
    files = [p for p in sorted(renamed.rglob("*")) if p.is_file()]
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.write(path, f"top/{path.relative_to(renamed).as_posix()}")
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as packed:
        for path in files:
            packed.add(path, path.relative_to(renamed).as_posix())
    for name in ("a.zip", "a.tgz"):
        found = records(tmp_path / name, SourceOptions(spool=tmp_path / "spool"))
        assert {n: dict(i.fields) for n, i in found.items()} == wanted
        assert found["o1"].image is not None


def test_downloaded_pictures_are_found_by_host_and_path(renamed, tmp_path):
    place = tmp_path / "got/x.org/photos/2.jpg"
    place.parent.mkdir(parents=True)
    Image.new("L", (4, 4)).save(place)
    found = records(renamed, SourceOptions(images=tmp_path / "got"))
    assert found["o1/media 2"].image == FileAt(str(place))
    assert found["o1/media 2"].fields["image_url"] == "https://x.org/photos/2.jpg"


EVENTS = [
    "parentEventID", "eventType", "decimalLatitude", "decimalLongitude", "eventDate", "eventTime",
    "minimumDepthInMeters", "sampleSizeValue", "sampleSizeUnit",
]  # fmt: skip


def event_archive(folder, events, occurrences, facts=()):
    meta = archive(
        table("core", f"{DWC}Event", "event.txt", EVENTS),
        extension(
            f"{DWC}Occurrence",
            "occurrence.txt",
            [
                "occurrenceID",
                "scientificName",
                "identificationVerificationStatus",
                "decimalLatitude",
            ],
        ),
        extension(
            "http://rs.iobis.org/obis/terms/ExtendedMeasurementOrFact",
            "emof.txt",
            [
                "occurrenceID",
                "measurementType",
                "measurementValue",
                "measurementUnit",
                "measurementTypeID",
            ],
        ),
        metadata="",
    )
    return write(
        folder,
        meta_xml=meta,
        event_txt=tsv(("id", *EVENTS), *events),
        occurrence_txt=tsv(("id", *"abcd"), *occurrences),
        emof_txt=tsv(("id", *"abcde"), *facts),
    )


def test_events_pass_on_place_and_time_but_not_their_volume(tmp_path):
    folder = event_archive(
        tmp_path / "a",
        [
            ("cruise", "", "Cruise", "", "", "2021-05-01/2021-06-01", "", "", "7", "m3"),
            ("st1", "cruise", "Station", "60", "5", "2021-05-03", "10:15Z", "20", "2", "m3"),
            ("net1", "st1", "Net", "", "", "", "", "5", "", ""),
            ("idle", "", "Net", "1", "1", "", "", "", "", ""),
        ],
        [
            ("net1", "a", "Calanus", "PredictedByMachine", ""),
            ("st1", "b", "Calanus", "ValidatedByHuman", "61"),
            ("nope", "c", "Calanus", "", ""),
            ("net1", "a", "Oithona", "", ""),
        ],
        [
            ("st1", "", "Filtered volume", "3000", "Litres", ""),
            ("net1", "a", "Abundance", "4.5", "ind/m3", ""),
            ("net1", "z", "Abundance", "4.5", "ind/m3", ""),
            ("", "", "Abundance", "4.5", "ind/m3", ""),
        ],
    )
    checked = check_source(SOURCE, folder)
    found = {i.name: i for i in checked.items if not i.error and not i.skip_reason}
    a, b, c = (found[name].fields for name in "abc")
    assert (a["latitude_deg"], a["longitude_deg"], a["collected_on"]) == (
        "60.0",
        "5.0",
        "2021-05-03T10:15:00+00:00",
    )
    assert (a["depth_min_m"], a["sample_id"], a["cruise"]) == ("5.0", "net1", "cruise")
    assert "sampled_volume_l" not in a
    assert b["sampled_volume_l"] == "2000.0"
    assert (a["extra:place_from"], a["extra:time_from"]) == ("sample", "sample")
    assert b["latitude_deg"] == "61.0"
    assert (a["label_status"], b["label_status"]) == ("predicted", "validated")
    assert a["extra:Abundance [ind/m3]"] == "4.5"
    assert "latitude_deg" not in c
    assert (
        found["c"].notes[0][1]
        == "occurrence.txt, line 4, column eventID: 'nope' is the id of no event: correct it"
    )
    assert [i.error for i in checked.items if i.error] == [
        "emof.txt, line 5, column coreid: blank: the row belongs to nothing. Fill it in.",
        (
            "occurrence.txt, line 5, column occurrenceID: 'a' is the id of line 2 too. Give each occurrence "
            "its own id."
        ),
        (
            "emof.txt, line 4, column coreid: 'z' is the id of no occurrence of the archive. Correct it, "
            "or remove the row."
        ),
    ]  # fmt: skip
    assert {i.name for i in checked.items if i.skip_reason} == {"event idle"}


def test_events_in_a_circle_end(tmp_path):
    blank = ("",) * 8
    folder = event_archive(
        tmp_path / "a", [("x", "y", *blank), ("y", "x", *blank)], [("x", "a", "Calanus", "", "")]
    )
    (item,) = records(folder).values()
    assert any("leads back to the event itself" in sentence for _, sentence in item.notes)


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        (("Calanus finmarchicus (Gunnerus, 1770)", "SPECIES", ""), {"species": "Calanus finmarchicus"}),
        (("Calanus finmarchicus helgolandicus", "subspecies", ""), {"species": "Calanus finmarchicus"}),
        (("Calanidae", "family", ""), {"family": "Calanidae"}),
        (("Calanus sp.", "genus", ""), {}),
        (("BOLD:ACQ1234", "unranked", ""), {"bin_uri": "BOLD:ACQ1234"}),
        (("X", "", "urn:lsid:marinespecies.org:taxname:104464"), {"aphia_id": "104464"}),
        (("X", "", "https://www.gbif.org/species/2115616"), {"gbif_id": "2115616"}),
        (("X", "", "NCBI:txid6833"), {"ncbi_id": "6833"}),
        (("X", "", "12345"), {}),
    ],
)  # fmt: skip
def test_names_and_ids(tmp_path, written, fields):
    folder = simple(tmp_path / "a", [("1", *written)], ("scientificName", "taxonRank", "taxonID"))
    found = records(folder)["1"].fields
    ids = {"species", "family", "genus", "aphia_id", "gbif_id", "ncbi_id", "bin_uri"}
    assert {name: text for name, text in found.items() if name in ids} == fields
    assert found["written_label"] == written[0]


def test_own_date_format_quotes_and_default(tmp_path):
    folder = simple(
        tmp_path / "a",
        [("1", "'Calanus, x'", "03/04/2020"), ("2", "'it''s'", "31/02/2020")],
        ("scientificName", "eventDate", f"<field default='7' term='{DWC}maximumDepthInMeters'/>"),
        fieldsTerminatedBy=",",
        fieldsEnclosedBy="&apos;",
        dateFormat="DD/MM/YYYY",
    )
    (folder / "occurrence.txt").write_text(
        (folder / "occurrence.txt").read_text().replace("\t", ","), encoding="utf-8"
    )
    found = records(folder)
    assert found["1"].fields["written_label"] == "Calanus, x"
    assert found["1"].fields["collected_on"] == "2020-04-03"
    assert found["1"].fields["depth_max_m"] == "7.0"
    assert found["2"].fields["written_label"] == "it's"
    assert found["2"].notes[0][0] == "date"


def test_a_wrong_byte_or_a_shifted_row_costs_one_row(tmp_path):
    folder = simple(tmp_path / "a", [("1", "Calanus"), ("2", "Apis"), ("3", "Bombus")])
    place = folder / "occurrence.txt"
    content = place.read_bytes().replace(b"Apis", b"Ap\xe9is").replace(b"Bombus", b"Bom\tbus")
    place.write_bytes(b"\xef\xbb\xbf" + content)
    found = check_source(SOURCE, folder)
    assert (found.records, found.errors) == (1, 2)
    assert found.items[1].error.startswith(
        "occurrence.txt, line 3, column 2 (scientificName): byte 0xe9 is no UTF-8."
    )
    assert found.items[2].error.startswith(
        "occurrence.txt, line 4, column 3: one too many, the row has 3 columns"
    )


def test_a_quotation_mark_that_never_closes_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("holotype.collection.sources.darwin_core.rows.MAX_ROW_CHARS", 200)
    rows = [("1", "Calanus"), ("2", '"Apis'), *((str(n), "Bombus") for n in range(3, 90))]
    folder = simple(tmp_path / "a", rows, fieldsEnclosedBy="&quot;")
    with pytest.raises(
        SourceError, match=r"occurrence\.txt, line 3: one row of over 200 characters; most likely a"
    ):
        list(SOURCE.read(folder, SourceOptions()))


BOMB = '<!DOCTYPE a [<!ENTITY x "y">]>'


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (f"{BOMB}<archive/>", r"meta\.xml, line 1, column \d+: a document type or entity declaration"),
        ("<archive>\n<core>", r"meta\.xml, line 2, column \d+: not XML \(no element found\)"),
        ("<dataset/>", r"meta\.xml, line 1: <dataset> where <archive> must stand"),
        ("<archive/>", r"line 1: 0 elements <core>"),
        (archive(core(["x"], encoding="klingon")), r"encoding 'klingon' is none that is known"),
        (archive(core(["x"], linesTerminatedBy="~")), r"lines end with '~'; LF, CR LF or CR"),
        (archive(core(["x"], ignoreHeaderLines="one")), r"ignoreHeaderLines 'one' is no number"),
        (archive(core(["<field term='http://a/b'/>"])), r"field http://a/b has neither index nor default"),
        (archive(core(["x", "x"])), r"term http://rs\.tdwg\.org/dwc/terms/x is there twice"),
        (archive(core(["x"]).replace("occurrence.", "gone.")), r"the core file 'gone\.txt' is not there"),
        (archive(core(["x"]).replace("terms/Occurrence", "x/Odd")), "neither Occurrence nor Event"),
        (archive(core(["x"]).replace(f"{DWC}Occurrence", f"{DWC}Event")), "no extension is Occurrence"),
    ],
)  # fmt: skip
def test_wrong_descriptors(tmp_path, meta, message):
    folder = write(tmp_path / "a", meta_xml=meta, occurrence_txt="id\tx\n1\t2\n")
    with pytest.raises(SourceError, match=message):
        list(SOURCE.read(folder, SourceOptions()))


def test_broken_metadata_cost_no_record(tmp_path):
    meta = archive(core(["scientificName"]))
    folder = write(
        tmp_path / "a", meta_xml=meta, eml_xml=f"{BOMB}<eml/>", occurrence_txt="id\tx\n1\tApis\n"
    )
    found = check_source(SOURCE, folder)
    assert (found.records, found.errors) == (1, 1)
    assert found.items[1].error.startswith("eml.xml, line 1, column ")


def test_one_table_without_descriptor(tmp_path):
    place = tmp_path / "occurrence.csv"
    place.write_text(
        'OccurrenceID,ScientificName,DecimalLatitude\nq1,"Apis, mellifera",50\n', encoding="utf-8"
    )
    (item,) = records(place).values()
    assert (item.name, item.fields["written_label"], item.fields["latitude_deg"]) == (
        "q1",
        "Apis, mellifera",
        "50.0",
    )
    place.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"occurrence\.csv, line 1: none of its columns a, b is a Darwin Core name",
    ):
        list(SOURCE.read(place, SourceOptions()))
    place.write_text("taxonID,scientificName,taxonomicStatus\n1,Apis,valid\n", encoding="utf-8")
    with pytest.raises(SourceError, match="this is a checklist"):
        list(SOURCE.read(place, SourceOptions()))


def test_boxes_of_audiovisual_core_are_noted(tmp_path):
    meta = archive(
        core(["scientificName"]),
        extension(
            f"{AC}Multimedia", "media.txt", [f"{AC}accessURI", f"{AC}xFrac", f"{AC}WebStatement"]
        ),
        metadata="",
    )
    folder = write(
        tmp_path / "a",
        meta_xml=meta,
        occurrence_txt="id\tx\n1\tApis\n",
        media_txt="id\ta\tb\tc\n1\thttps://x.org/1.jpg\t0.25\thttps://creativecommons.org/licenses/by/4.0/\n",
    )
    (item,) = records(folder).values()
    assert item.fields["extra:media_xFrac"] == "0.25"
    assert item.fields["licence"] == "https://creativecommons.org/licenses/by/4.0/"
    assert [code for code, _ in item.notes] == ["box"]


def test_delimiters_that_the_descriptor_leaves_open():
    assert found_delimiter("a\tb, c\td\n", 2) == "\t"
    assert found_delimiter("a,b,c\n", 2) == ","
    described = parse_descriptor(archive(core(["x"], fieldsTerminatedBy=None)).encode(), "meta.xml")
    assert described.core.delimiter is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1995", "", ""), "1995"),
        (("1995-07", "", ""), "1995-07"),
        (("1995-07/1995-09", "", ""), "1995-07"),
        (("", "1995", ""), "1995"),
        (("", "1995", "7"), "1995-07"),
        (("", "1995", "²"), "1995"),
        (("", "²", "7"), None),
    ],
)
def test_years_and_months_are_kept(tmp_path, values, expected):
    terms = ("scientificName", "eventDate", "year", "month", "eventTime")
    folder = simple(tmp_path / "a", [("o1", "Aus", *values, "08:30")], terms)
    assert records(folder)["o1"].fields.get("collected_on") == expected


def test_namibia_and_a_zero_byte(tmp_path):
    rows = [("o1", "Aus", "NA"), ("o2", "Aus\0", "PE"), ("o3", "Aus", "n/a")]
    folder = simple(tmp_path / "a", rows, ("scientificName", "countryCode"))
    found = check_source(SOURCE, folder)
    countries = {i.name: i.fields.get("country") for i in found.items if i.fields}
    assert countries == {"o1": "NA", "o3": None}
    (error,) = [item.error for item in found.items if item.error]
    assert "line 3, column scientificName: a zero byte" in error


def test_metadata_nested_without_end_cost_no_record(tmp_path):
    meta = archive(core(("scientificName",)))
    deep = "<eml>\n" + "<para>" * 5000 + "</para>" * 5000 + "</eml>"
    folder = write(
        tmp_path / "a", meta_xml=meta, eml_xml=deep, occurrence_txt=tsv(("id", "n"), ("o1", "Aus"))
    )
    found = check_source(SOURCE, folder)
    assert found.records == 1
    (error,) = [item.error for item in found.items if item.error]
    assert "eml.xml, line 2, column 595: elements nested over 100 deep" in error
    with pytest.raises(SourceError, match="nested over 100 deep"):
        parse_descriptor(deep.encode(), "meta.xml")


@pytest.mark.parametrize("index", ["²", "9" * 5000])
def test_an_index_that_is_no_number(index):
    meta = archive(core(("scientificName",)), metadata="").replace("index='1'", f"index='{index}'")
    with pytest.raises(SourceError, match=r"index '.*' of <field> is no number"):
        parse_descriptor(meta.encode(), "meta.xml")
