"""What is doubtful in a collection: found in real data and in pairs made on purpose."""

import pytest

import holotype
from holotype.collection.store import open_collection


def folder_of(root, content):
    for name, body in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
    return root


def test_one_image_under_two_labels_is_reported(tmp_path, png):
    root = folder_of(
        tmp_path / "in",
        {
            "copepod/1.png": png(1),
            "detritus/1.png": png(1),  # a conflict
            "copepod/2.png": png(2),
            "copepod/3.png": png(2),  # the same label: a duplicate only
            "egg/4.png": png(3),
        },
    )
    findings = holotype.import_("image-folder", [root], into=tmp_path / "c").findings
    assert findings.identical_images == 2
    assert findings.conflicting_images == [["in/copepod/1.png", "in/detritus/1.png"]]
    assert (findings.shared_barcodes, findings.conflicting_barcodes) == (0, [])
    saved = open_collection(tmp_path / "c").manifest["findings"]
    assert saved["conflicting_images"] == findings.conflicting_images


def test_one_image_under_one_label_in_two_sources_is_no_conflict(tmp_path, png):
    for source in ("net1", "net2"):
        root = folder_of(tmp_path / source, {"copepod/1.png": png(1)})
        report = holotype.import_("image-folder", [root], into=tmp_path / "c")
    assert report.findings.identical_images == 1
    assert report.findings.conflicting_images == []


def test_barcodes_shared_by_species(tmp_path):
    (tmp_path / "in.fasta").write_text(
        ">a;tax=s:Aus bus;\nACGT\n>b;tax=s:Aus cus;\nacg-t\n>c;tax=s:Aus bus;\nACGT\n"
        ">d;tax=s:Aus bus;\nGGGT\n>e\nGGGTN\n>f;tax=s:Dus eus;\nTTTA\n"
    )
    findings = holotype.import_("fasta", [tmp_path / "in.fasta"], into=tmp_path / "c").findings
    assert findings.shared_barcodes == 2  # ACGT: a, b, c; GGGT: d and the nameless e
    assert findings.conflicting_barcodes == [["Aus bus", "Aus cus"]]


def test_findings_are_of_the_whole_collection_not_of_one_import(tmp_path, png):
    first = folder_of(tmp_path / "first", {"copepod/1.png": png(1)})
    second = folder_of(tmp_path / "second", {"detritus/1.png": png(1)})
    holotype.import_("image-folder", [first], into=tmp_path / "c")
    report = holotype.import_("image-folder", [second], into=tmp_path / "c")
    assert report.findings.conflicting_images == [["first/copepod/1.png", "second/detritus/1.png"]]


@pytest.mark.real
def test_the_real_copies_of_uvp6_are_found(real_data, tmp_path):
    images = real_data / "plankton" / "uvp6" / "images"
    report = holotype.import_("image-folder", [images], into=tmp_path / "c", source="uvp6")
    assert report.records == 1_250
    assert report.findings.identical_images == 100
    assert len(report.findings.conflicting_images) == 100
    for first, second in report.findings.conflicting_images:
        assert first.startswith("uvp6/Copepoda/")
        assert second.startswith("uvp6/darksphere/")


@pytest.mark.real
def test_isiis_is_read_whole_and_every_label_is_known(real_data, tmp_path):
    report = holotype.import_(
        "image-folder",
        [real_data / "plankton" / "isiis" / "planktonset1.zip"],
        into=tmp_path / "c",
        source="planktonset1.0",
        labels=real_data / "taxonomy" / "planktonzilla_taxonomy.csv",
    )
    assert report.records == report.items == 18_200
    assert dict(report.outcomes) == {"imported": 18_200}
    assert (report.labels, report.labels_matched) == (121, 121)
