"""BIOSCAN-1M and -5M: both headers, images in folders and parts, missing images kept as barcodes."""

import csv
import io
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from holotype.collection.sources.bioscan import SOURCE
from holotype.collection.sources.item import SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import read_location
from holotype.testing import check_source

FIVE = [
    "processid", "sampleid", "taxon", "phylum", "class", "order", "family", "subfamily", "genus",
    "species", "dna_bin", "dna_barcode", "country", "province_state", "coord-lat", "coord-lon",
    "image_measurement_value", "area_fraction", "scale_factor", "inferred_ranks", "split",
    "index_bioscan_1M_insect", "chunk",
]  # fmt: skip
ONE = [
    "sampleid", "processid", "uri", "name", "phylum", "class", "order", "family", "subfamily", "tribe",
    "genus", "species", "subspecies", "nucraw", "image_file", "large_diptera_family",
    "medium_diptera_family", "small_diptera_family", "large_insect_order", "medium_insect_order",
    "small_insect_order", "chunk_number", "copyright_license", "copyright_holder",
    "copyright_institution", "copyright_contact", "photographer", "author",
]  # fmt: skip
AAA1 = {
    "processid": "AAA1", "sampleid": "S1", "taxon": "Megaselia", "phylum": "Arthropoda",
    "class": "Insecta", "order": "Diptera", "family": "Phoridae", "subfamily": "not_classified",
    "genus": "Megaselia", "dna_bin": "BOLD:AAA0008", "dna_barcode": "NNACGTACGTTG",
    "country": "Costa Rica", "coord-lat": "10.5", "coord-lon": "-84", "area_fraction": "0.25",
    "scale_factor": "1.5", "inferred_ranks": "0", "split": "pretrain", "chunk": "12.0",
    "index_bioscan_1M_insect": "7.0",
}  # fmt: skip
BBB2 = {
    "processid": "BBB2", "sampleid": "S2", "taxon": "Megaselia sp. B", "genus": "Megaselia",
    "species": "Megaselia sp. B", "dna_barcode": "ACGT", "split": "other_heldout", "coord-lat": "91",
    "coord-lon": "0",
}  # fmt: skip


def jpeg(number):
    pixels = np.random.default_rng(number).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    handle = io.BytesIO()
    Image.fromarray(pixels).save(handle, "JPEG")
    return handle.getvalue()


def write(path, header, *rows, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, header, restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_header_of_5m(tmp_path):
    (tmp_path / "pretrain" / "12").mkdir(parents=True)
    (tmp_path / "pretrain" / "12" / "AAA1.jpg").write_bytes(jpeg(1))
    done = check_source(SOURCE, write(tmp_path / "meta.csv", FIVE, AAA1, BBB2))
    first, second = done.items
    assert (first.name, first.row, first.image_name) == ("AAA1", 2, "AAA1.jpg")
    assert read_location(first.image) == jpeg(1)
    assert first.fields == {
        "specimen_id": "S1", "written_label": "Megaselia", "kingdom": "Animalia",
        "phylum": "Arthropoda", "class": "Insecta", "order": "Diptera", "family": "Phoridae",
        "genus": "Megaselia", "barcode": "NNACGTACGTTG", "marker": "COI-5P", "bin_uri": "BOLD:AAA0008",
        "country": "Costa Rica", "latitude_deg": "10.5", "longitude_deg": "-84.0",
        "upstream_split": "pretrain", "extra:chunk": "12", "extra:index_bioscan_1m_insect": "7",
        "extra:area_fraction": "0.25", "extra:scale_factor": "1.5", "extra:inferred_ranks": "0",
    }  # fmt: skip
    assert second.fields["species"] == "Megaselia sp. B"
    assert second.fields["upstream_split"] == "other_heldout"
    assert second.fields["barcode"] == "ACGT"
    assert second.image is None
    bounds, image = second.notes
    assert "meta.csv, line 3, column coord-lat: '91' gives latitude_deg 91" in bounds[1]
    assert image[0] == "image"
    assert "no image 'other_heldout/BBB2.jpg'" in image[1]


def test_1m_with_licence_of_the_image_and_its_own_parts_of_the_split(tmp_path):
    row = {
        "processid": "CCC3", "sampleid": "S3", "uri": "BOLD:AAA0009", "name": "Megaselia", "order": "Diptera",
        "tribe": "not_classified", "nucraw": "ACGTACGT", "image_file": "4900531.jpg",
        "large_diptera_family": "train", "large_insect_order": "test", "chunk_number": "18",
        "copyright_license": "CreativeCommons-Attribution Non-Commercial Share-Alike",
        "copyright_holder": "CBG Photography Group",
    }  # fmt: skip
    table = write(tmp_path / "m.tsv", ONE, row, delimiter="\t")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.writestr("bioscan/images/cropped_256/part18/4900531.jpg", jpeg(3))
    options = SourceOptions(images=tmp_path / "images.zip")
    (item,) = check_source(SOURCE, table, options).items
    assert read_location(item.image) == jpeg(3)
    expected = {
        "bin_uri": "BOLD:AAA0009", "barcode": "ACGTACGT", "written_label": "Megaselia",
        "upstream_split": "test", "licence": "CreativeCommons-Attribution Non-Commercial Share-Alike",
        "rights_holder": "CBG Photography Group", "extra:large_diptera_family": "train",
        "extra:chunk_number": "18",
    }  # fmt: skip
    assert {name: item.fields[name] for name in expected} == expected
    assert "rank:tribe" not in item.fields
    chosen = SourceOptions(columns={"upstream_split": "large_diptera_family"})
    (item,) = check_source(SOURCE, table, chosen).items
    assert (item.fields["upstream_split"], item.image, item.notes) == ("train", None, ())


def test_parts_in_tars_and_a_parquet_table(tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    for at, name in enumerate(("AAA1", "DDD4")):
        with tarfile.open(parts / f"part{at}.tar", "w") as archive:
            entry = tarfile.TarInfo(f"bioscan5m/images/cropped_256/pretrain/12/{name}.jpg")
            entry.size = len(jpeg(at))
            archive.addfile(entry, io.BytesIO(jpeg(at)))
    rows = [AAA1, {**AAA1, "processid": "DDD4"}, {**AAA1, "processid": "../../EEE5"}]
    columns = {name: [row.get(name) for row in rows] for name in FIVE}
    columns["chunk"] = pa.array([12.0, 12.0, 12.0])
    columns["coord-lat"] = pa.array([10.5, 10.5, 10.5], pa.float32())
    pq.write_table(pa.table(columns), tmp_path / "meta.parquet")
    done = check_source(SOURCE, tmp_path / "meta.parquet", SourceOptions(images=parts))
    first, second, outside = done.items
    assert (read_location(first.image), read_location(second.image)) == (jpeg(0), jpeg(1))
    assert (first.row, second.row, first.fields["latitude_deg"]) == (1, 2, "10.5")
    assert outside.image is None
    assert "leaves" in outside.notes[0][1]


def test_a_folder_with_metadata_and_images(tmp_path):
    root = tmp_path / "bioscan5m"
    (root / "images" / "cropped_256" / "pretrain" / "12").mkdir(parents=True)
    (root / "images" / "cropped_256" / "pretrain" / "12" / "AAA1.jpg").write_bytes(jpeg(1))
    (root / "metadata").mkdir()
    write(root / "metadata" / "BIOSCAN_5M_Insect_Dataset_metadata.csv", FIVE, AAA1)
    (item,) = check_source(SOURCE, root).items
    assert read_location(item.image) == jpeg(1)
    write(root / "metadata" / "second.csv", FIVE, AAA1)
    with pytest.raises(SourceError, match=r"found metadata/BIOSCAN_5M.*csv, metadata/second\.csv"):
        list(SOURCE.read(root, SourceOptions()))


def test_rows_that_cannot_be_read_and_tables_of_something_else(tmp_path):
    (tmp_path / "m.csv").write_text("processid,sampleid,dna_barcode\nA,S,ACGT\nB,S\n")
    good, bad = check_source(SOURCE, tmp_path / "m.csv").items
    assert good.fields["barcode"] == "ACGT"
    assert "m.csv, line 3: 2 columns where the header has 3. Mend the row" in bad.error
    (tmp_path / "other.csv").write_text("processid,sampleid\nA,S\n")
    with pytest.raises(SourceError, match="line 1: no column 'nucraw': not metadata of BIOSCAN"):
        list(SOURCE.read(tmp_path / "other.csv", SourceOptions()))
