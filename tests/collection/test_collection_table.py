"""Tables: found by column name, told apart by preset, wrong columns told the nearest."""

import csv
import gzip
import io
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.schema import IMAGE_TYPE
from holotype.collection.sources.presets import PRESETS, fitting_preset
from holotype.collection.store import open_collection
from holotype.errors import HolotypeError, SourceError

BIOSCAN = [
    "processid", "sampleid", "taxon", "phylum", "class", "order", "family", "subfamily", "genus",
    "species", "dna_bin", "dna_barcode", "country", "province_state", "coord-lat", "coord-lon",
    "image_measurement_value", "area_fraction", "scale_factor", "inferred_ranks", "split",
    "index_bioscan_1M_insect", "chunk",
]  # fmt: skip


def write_csv(path, header, *rows, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, delimiter=delimiter)
        writer.writerows([header, *rows])
    return path


def imported(path, tmp_path, **options):
    """The report and the records by the name of their item."""
    into = tmp_path / "c"
    report = holotype.import_("table", [path], into=into, source="t", **options)
    collection = open_collection(into)
    rows = collection.columns().to_pylist()
    for row, (_, content) in zip(rows, collection.images(), strict=True):
        row["content"] = content
    return report, {row["source_item"]: row for row in rows}


def bioscan_row(**given):
    return [given.get(name, "") for name in BIOSCAN]


def test_bioscan_5m(tmp_path, png):
    root = tmp_path / "bioscan"
    for place, number in (("pretrain/12/AAA1.jpg", 1), ("train/BBB2.jpg", 2)):
        (root / place).parent.mkdir(parents=True)
        (root / place).write_bytes(png(number))
    table = write_csv(
        tmp_path / "meta.csv",
        BIOSCAN,
        bioscan_row(
            processid="AAA1", sampleid="S1", taxon="Cecidomyiidae", phylum="Arthropoda",
            order="Diptera", family="Cecidomyiidae", subfamily="not_classified", dna_bin="BOLD:AAA0001",
            dna_barcode="NNACGTAC", country="Costa Rica", split="pretrain", chunk="12",
            **{"class": "Insecta", "coord-lat": "10.5", "coord-lon": "-84"},
        ),
        bioscan_row(
            processid="BBB2", taxon="Aus bus", subfamily="Ainae", genus="Aus", species="Aus bus",
            dna_barcode="ACGTTT", split="train", **{"coord-lat": "91"},
        ),
        bioscan_row(processid="CCC3", dna_barcode="ACG", split="test"),
    )  # fmt: skip
    report, found = imported(table, tmp_path, preset="bioscan-5m", images=root)
    assert report.outcomes == {"imported": 1, "imported_with_note": 2}
    first, second, third = found["AAA1"], found["BBB2"], found["CCC3"]
    assert first["content"] == png(1)
    assert second["content"] == png(2)
    assert third["content"] is None
    expected = {
        "specimen_id": "S1", "kingdom": "Animalia", "class": "Insecta", "family": "Cecidomyiidae",
        "genus": None, "other_ranks": None, "barcode": "ACGTAC", "marker": "COI-5P",
        "bin_uri": "BOLD:AAA0001", "country": "Costa Rica", "latitude_deg": 10.5,
        "longitude_deg": -84.0, "upstream_split": "pretrain", "written_label": "Cecidomyiidae",
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    assert second["other_ranks"] == [{"rank": "subfamily", "name": "Ainae"}]
    assert second["latitude_deg"] is None
    detail = {e["item"]: e["detail"] for e in open_collection(tmp_path / "c").ledger().to_pylist()}
    said = "meta.csv, line 3, column coord-lat: '91' gives latitude_deg 91: left out; it must be -90 to 90"
    assert said in detail["BBB2"]
    assert detail["CCC3"].startswith("no image 'CCC3.jpg' in ")


def test_a_template_without_its_column_is_told(tmp_path):
    table = write_csv(
        tmp_path / "m.csv", ["processid", "dna_barcode", "split"], ["A", "ACGT", "train"]
    )
    with pytest.raises(SourceError, match=r"m\.csv, row 1: no column 'chunk' for image"):
        imported(table, tmp_path, preset="bioscan-5m")


def test_crops_preset(tmp_path, png):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(png(1))
    table = write_csv(
        tmp_path / "labels.csv",
        [
            "path",
            "raw_label",
            "instrument",
            "stage",
            "root_class",
            "kingdom",
            "genus",
            "licence_note",
        ],
        ["images/1.png", "Calanus egg", "UVP6", "egg", "living", "animalia", "calanus", "CC0-1.0"],
    )
    _, found = imported(table, tmp_path, preset="crops")
    row = found["images/1.png"]
    assert row["content"] == png(1)
    assert (row["written_label"], row["instrument"], row["licence"]) == (
        "Calanus egg",
        "UVP6",
        "CC0-1.0",
    )
    assert (row["qualifier"], row["kind"]) == ("egg", "living")
    assert (row["kingdom"], row["genus"]) == ("Animalia", "Calanus")


def test_barcodes_preset_keeps_two_markers_of_one_specimen(tmp_path):
    table = write_csv(
        tmp_path / "s.tsv",
        ["processid", "marker", "nucleotides", "species", "genus"],
        ["P1", "COI-5P", "ACGT", "glacialis", "Calanus"],
        ["P1", "18S", "ACGG", "glacialis", "Calanus"],
        delimiter="\t",
    )
    _, found = imported(table, tmp_path, preset="barcodes")
    assert set(found) == {"P1|COI-5P", "P1|18S"}
    assert {row["specimen_id"] for row in found.values()} == {"P1"}
    assert {row["species"] for row in found.values()} == {"Calanus glacialis"}


def test_dimacs_preset_knows_the_shifted_header(tmp_path):
    table = write_csv(
        tmp_path / "ACG.csv",
        ["Process ID", "Sample ID", "Sub-Species", "Species", "Sub-name", "Code"],
        [">EPAF082-03", "95-SRNP-8045", "Astraptes BYTTNER", "Astraptes", "BYTTNER", "---GGAATNN"],
    )
    _, found = imported(table, tmp_path, preset="dimacs")
    row = found["EPAF082-03"]
    assert (row["species"], row["genus"]) == ("Astraptes BYTTNER", "Astraptes")
    assert (row["barcode"], row["specimen_id"]) == ("GGAAT", "95-SRNP-8045")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_table_with_all_columns_of_a_preset_is_recognised(preset):
    assert fitting_preset([*PRESETS[preset].columns.values(), "more"]) == preset
    assert fitting_preset(["a", "b"]) is None


def test_own_names_need_no_map(tmp_path):
    table = write_csv(
        tmp_path / "t.csv",
        ["record_id", "written_label", "depth_min_m", "strange", "haplotype", "image_width_px"],
        ["a", "NA", "deep", "x", "zz", "12"],
        ["b", "Calanus", "10.25", "x", "zz", "12"],
    )
    report, found = imported(table, tmp_path)
    assert report.outcomes == {"imported": 1, "imported_with_note": 1}
    assert found["a"]["written_label"] == "NA"  # a label is kept as written
    assert found["a"]["depth_min_m"] is None
    assert found["b"]["depth_min_m"] == 10.25
    assert {row["haplotype"] for row in found.values()} == {None}
    assert {row["image_width_px"] for row in found.values()} == {None}


def test_a_column_map_wins_over_the_preset(tmp_path):
    table = write_csv(
        tmp_path / "t.csv",
        ["processid", "marker", "nucleotides", "other"],
        ["P1", "COI-5P", "ACGT", "Tripos"],
    )
    _, found = imported(
        table, tmp_path, preset="barcodes", columns={"marker": "other", "rank:subgenus": "other"}
    )
    (row,) = found.values()
    assert row["marker"] == "Tripos"
    assert row["other_ranks"] == [{"rank": "subgenus", "name": "Tripos"}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "bioscan5m"}, "no preset 'bioscan5m'. Did you mean 'bioscan-5m'?"),
        ({"columns": {"lattitude_deg": "lat"}}, "no column 'lattitude_deg'. Did you mean 'latitude_deg'?"),
        ({"columns": {"genus": "Gennus"}}, "no column 'Gennus' for genus. Did you mean 'Genus'?"),
        ({"columns": {"rank:subfamly": "Genus"}}, "'subfamly' is not a rank. Did you mean 'subfamily'?"),
        ({"columns": {"haplotype": "Genus"}}, "column 'haplotype' is found by the import itself"),
        ({}, "t.csv, row 1: none of the columns id, Genus, lat is known"),
    ],
)  # fmt: skip
def test_wrong_columns_are_told_the_nearest(tmp_path, options, message):
    table = write_csv(tmp_path / "t.csv", ["id", "Genus", "lat"], ["a", "Calanus", "1"])
    with pytest.raises(HolotypeError) as caught:
        imported(table, tmp_path, **options)
    assert message in str(caught.value)


def test_rows_of_the_wrong_width_are_rejected_with_their_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('record_id,written_label\na,"two\nlines"\nb\nc,Calanus,more\nd,Tripos\n\n')
    report, found = imported(path, tmp_path)
    assert report.outcomes == {"imported": 2, "rejected": 2}
    assert set(found) == {"a", "d"}
    entries = open_collection(tmp_path / "c").ledger().to_pylist()
    said = "where the header has 2. Mend the row; a cell with the delimiter in it needs quotes."
    # The quoted label spans lines 2 and 3, so the next row stands in line 4.
    assert [(e["row"], e["detail"]) for e in entries if e["outcome"] == "rejected"] == [
        (4, f"{path}, row 4: 1 columns {said}"),
        (5, f"{path}, row 5: 3 columns {said}"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"record_id,genus\n", "a header and no rows"),
        (b"\xff\xfe\x00", "not a text table"),
        (b"PK\x03\x04\x00\x00", "zero bytes"),
    ],
)
def test_what_is_no_table(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        imported(tmp_path / "t.csv", tmp_path)


def test_delimiters_compression_and_byte_order_mark(tmp_path):
    text = "record_id;written_label\na;x,y\n"
    (tmp_path / "semicolon.csv").write_text("\ufeff" + text, encoding="utf-8")
    _, found = imported(tmp_path / "semicolon.csv", tmp_path)
    assert found["a"]["written_label"] == "x,y"
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(b"record_id\twritten_label\nb\tx\n"))
    _, found = imported(tmp_path / "t.tsv.gz", tmp_path)
    assert set(found) == {"a", "b"}


def test_parquet_with_image_structs(tmp_path, png):
    table = pa.table(
        {
            "record_id": ["a", "b", "c"],
            "image": pa.array(
                [{"bytes": png(1), "path": "x/a.png"}, {"bytes": png(2), "path": None}, None],
                IMAGE_TYPE,
            ),
            "written_label": ["egg", "egg", "tail"],
            "depth_min_m": [1.5, None, 3.0],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    report, found = imported(tmp_path / "t.parquet", tmp_path)
    assert report.outcomes == {"imported": 3}
    assert [found[name]["content"] for name in "abc"] == [png(1), png(2), None]
    assert [found[name]["depth_min_m"] for name in "abc"] == [1.5, None, 3.0]


def test_the_shards_of_a_collection_are_a_table(tmp_path, tiny_collection):
    (shard,) = open_collection(tiny_collection).shard_paths()
    report, found = imported(shard, tmp_path)
    before = open_collection(tiny_collection).columns().to_pylist()
    assert report.records == len(before)
    for row in before:
        same = found[row["record_id"]]
        for name in ("image_sha256", "barcode", "species", "order", "latitude_deg", "instrument"):
            assert same[name] == row[name]


def test_images_in_an_archive_and_paths_that_are_not_there(tmp_path, png):
    with zipfile.ZipFile(tmp_path / "crops.zip", "w") as archive:
        archive.writestr("in/1.png", png(1))
    (tmp_path / "secret.png").write_bytes(png(7))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(png(1))
    table = write_csv(
        tmp_path / "t.csv",
        ["record_id", "image", "barcode"],
        ["good", "in/1.png", ""],
        ["absent", "in/2.png", "ACGT"],
        ["escaping", "../secret.png", ""],
    )
    for images in (tmp_path / "crops.zip", tmp_path / "in"):
        (tmp_path / "in" / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "in" / "1.png").write_bytes(png(1))
        into = tmp_path / f"c-{images.name}"
        report = holotype.import_("table", [table], into=into, source="t", images=images)
        assert report.outcomes == {"imported": 1, "imported_with_note": 1, "rejected": 1}
        contents = dict(open_collection(into).images())
        assert contents == {"t/good": png(1), "t/absent": None}


def test_a_damaged_member_costs_its_row_alone(tmp_path, png):
    with zipfile.ZipFile(tmp_path / "crops.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.png", png(number) + b"\0" * 300)
        start = archive.getinfo("1.png").header_offset
    content = bytearray((tmp_path / "crops.zip").read_bytes())
    content[start + 40 : start + 90] = b"\xff" * 50
    (tmp_path / "crops.zip").write_bytes(bytes(content))
    table = write_csv(tmp_path / "t.csv", ["image"], ["0.png"], ["1.png"], ["2.png"])
    report, _ = imported(table, tmp_path, images=tmp_path / "crops.zip")
    assert report.outcomes == {"imported": 2, "rejected": 1}


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_images_that_unpack_too_large_are_refused(tmp_path, png, monkeypatch, ending):
    bodies = {"fits.png": png(1), "big.png": png(2) + b"\0" * 1000}
    monkeypatch.setattr("holotype.media.members.MAX_MEMBER_BYTES", len(bodies["fits.png"]))
    if ending == "zip":
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as zipped:
            for name, body in bodies.items():
                zipped.writestr(name, body)
    else:
        with tarfile.open(tmp_path / "in.tar", "w") as tarred:
            for name, body in bodies.items():
                member = tarfile.TarInfo(name)
                member.size = len(body)
                tarred.addfile(member, io.BytesIO(body))
    table = write_csv(tmp_path / "t.csv", ["image"], ["big.png"], ["fits.png"])
    report, _ = imported(table, tmp_path, images=tmp_path / f"in.{ending}")
    assert report.outcomes == {"imported": 1, "rejected": 1}
    ledger = open_collection(tmp_path / "c").ledger().to_pylist()
    assert "bytes unpacked" in ledger[0]["detail"]


def test_an_unknown_kind_is_noted(tmp_path):
    table = write_csv(
        tmp_path / "t.csv",
        ["record_id", "written_label", "kind"],
        ["a", "bubble", "artefact"],
        ["b", "bubble", "artifakt"],
    )
    report, _ = imported(table, tmp_path)
    assert report.outcomes == {"imported": 1, "imported_with_note": 1}
    reasons = [entry["reason"] for entry in open_collection(tmp_path / "c").ledger().to_pylist()]
    assert reasons == [None, "kind"]


@pytest.mark.parametrize("name", ["none", "text.zip", "text.tar"])
def test_images_that_are_no_place_are_told(tmp_path, name):
    if name != "none":
        (tmp_path / name).write_text("text\n" * 300)
    table = write_csv(tmp_path / "t.csv", ["image"], ["0.png"])
    with pytest.raises(SourceError, match=r"no such folder|not a whole") as caught:
        imported(table, tmp_path, images=tmp_path / name)
    assert "\n" not in str(caught.value)


def test_ids_numbers_and_dates_of_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "record_id,written_label,aphia_id,bold_id,Breite,depth_min_m,collected_on\n"
        'a.0,Calanus,104152.0,2115703.00,"54,5","3,25",20200703\n'
        "b,Calanus,104152,2115703,54,deep,July\n"
        "c,Calanus,,,91,1,2020\n"
    )
    _, found = imported(path, tmp_path, columns={"latitude_deg": "Breite"})
    first = found["a.0"]
    assert (first["aphia_id"], first["bold_id"]) == ("104152", "2115703")
    assert (first["latitude_deg"], first["depth_min_m"]) == (54.5, 3.25)
    assert [found[name]["collected_on"] for name in ("a.0", "b", "c")] == [
        "2020-07-03",
        None,
        "2020",
    ]
    assert (found["b"]["depth_from"], found["b"]["time_from"]) == ("unreadable", "unreadable")
    detail = {e["item"]: e["detail"] for e in open_collection(tmp_path / "c").ledger().to_pylist()}
    assert f"{path}, line 3, column depth_min_m: 'deep' is no number" in detail["b"]
    assert f"{path}, line 3, column collected_on: 'July' is no date" in detail["b"]
    assert f"{path}, line 4, column Breite: '91' gives latitude_deg 91" in detail["c"]


def test_ids_of_parquet_floats_are_whole(tmp_path):
    ids = {"aphia_id": [104152.0, None], "gbif_id": [2115703.0, 1.0]}
    table = pa.table({"record_id": ["a", "b"], "written_label": ["x", "y"], **ids})
    pq.write_table(table, tmp_path / "t.parquet")
    _, found = imported(tmp_path / "t.parquet", tmp_path)
    assert [found[name]["aphia_id"] for name in "ab"] == ["104152", None]
    assert [found[name]["gbif_id"] for name in "ab"] == ["2115703", "1"]


def test_a_zero_byte_in_a_row_of_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"record_id,written_label\na,Calanus\nb,Cal\0anus\nc,Calanus\n")
    report, found = imported(path, tmp_path)
    assert (report.outcomes, set(found)) == ({"imported": 2, "rejected": 1}, {"a", "c"})
    details = [e["detail"] for e in open_collection(tmp_path / "c").ledger().to_pylist()]
    assert any(f"{path}, row 3: column written_label: a zero byte" in str(said) for said in details)


@pytest.mark.real
def test_real_tables(real_data, tmp_path):
    report, found = imported(
        real_data / "plankton" / "zoolake" / "labels.csv", tmp_path, preset="crops"
    )
    assert report.records == 350
    assert {row["instrument"][:3] for row in found.values()} == {"SPC"}
    assert all(row["content"] for row in found.values())
    report = holotype.import_(
        "table",
        [real_data / "dna" / "copepods" / "sequences.tsv"],
        into=tmp_path / "d",
        preset="barcodes",
    )
    assert report.records + report.outcomes.get("repeated", 0) == 2_730 + 979
    assert report.findings.conflicting_barcodes == [
        ["Lucicutia polaris", "Lucicutia pseudopolaris"],
        ["Pseudocalanus acuspes", "Pseudocalanus minutus"],
    ]
    report = holotype.import_(
        "table",
        [real_data / "dna" / "lepidoptera" / "ACG.csv"],
        into=tmp_path / "e",
        preset="dimacs",
    )
    assert "Astraptes BYTTNER" in set(
        open_collection(tmp_path / "e").columns()["species"].to_pylist()
    )
