"""The check of a collection: every kind of fault put in and left out, safe repairs, the page, real counts."""

import csv
import json
import re

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.cli.checking import check as command
from holotype.collection.quality.agreement import LABEL_COLUMNS, exclude_each_other
from holotype.collection.quality.check import Fix, check
from holotype.collection.quality.finding import ADVICE, FINDINGS_SCHEMA, Check
from holotype.collection.store import open_collection
from holotype.media.strands import reverse_complement
from holotype.simulate.codons import ancestor, constraints, evolve, to_text

LINEAGE = {
    "kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda", "order": "Calanoida",
}  # fmt: skip


def crop(number, *, side=64, level=60, background=220, cut=False):
    """A blob of its own shape, grey."""
    rng = np.random.default_rng(number)
    pixels = np.full((side, side), background, np.float32)
    for _ in range(4):
        x, y = (rng.integers(-4, 5, 2) + (2 if cut else side // 2)).tolist()
        axes = tuple((rng.integers(5, 12, 2) * side // 64).tolist())
        cv2.ellipse(pixels, (x, y), axes, float(rng.integers(0, 180)), 0, 360, level, -1)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1) + rng.normal(0, 2, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def jpeg(pixels, quality=85):
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def scaled(pixels, factor):
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def barred(number):
    pixels = crop(number)
    pixels[58:60, 5:25] = 0
    return pixels


PLAIN = {f"copepod/{n}.png": png(crop(n)) for n in range(30)}
IMAGE_FAULTS = {
    Check.CONFLICTING_IMAGES: {"detritus/x.png": PLAIN["copepod/3.png"]},
    Check.IDENTICAL_IMAGES: {"copepod/x.png": PLAIN["copepod/3.png"]},
    Check.CONFLICTING_SIMILAR_IMAGES: {"detritus/x.jpg": jpeg(crop(3))},
    Check.SIMILAR_IMAGES: {"copepod/x.jpg": jpeg(scaled(crop(3), 1.5))},
    Check.UNREADABLE_IMAGE: {"copepod/x.png": PLAIN["copepod/3.png"][:200]},
    Check.BLANK_IMAGE: {"copepod/x.png": png(np.full((60, 60), 7, np.uint8))},
    Check.SCALE_BARS: {"copepod/x.png": png(barred(50))},
    Check.TRUNCATED_CROPS: {"copepod/x.png": png(crop(51, cut=True))},
    Check.ODD_SIZE: {"copepod/x.png": png(crop(52, side=800))},
}


def import_images(root, into, content, source="net"):
    for name, body in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
    holotype.import_("image-folder", [root], into=into, source=source)
    return into


@pytest.fixture(scope="module")
def genes():
    """Forty species of four genera of two families, five haplotypes each: close inside, far between."""
    rng = np.random.default_rng(11)
    root, constraint = ancestor(rng), constraints(rng)

    def step(sequence, mutations):
        return evolve(sequence, mutations_per_bp=mutations, constraint_C=constraint, rng=rng)

    rows = []
    for family in range(2):
        of_family = step(root, 1.5)
        for genus in range(2):
            of_genus = step(of_family, 0.8)
            for species in range(10):
                of_species = step(of_genus, 0.6)
                name = f"Genus{'abcd'[2 * family + genus]}"
                rows += [
                    {
                        "record_id": f"{name}-{species}-{copy}",
                        **LINEAGE,
                        "family": f"Family{'ab'[family]}idae",
                        "genus": name,
                        "species": f"{name} species{'abcdefghij'[species]}",
                        "marker": "COI-5P",
                        "nucleotides": to_text(step(of_species, 0.015)),
                        "bin_uri": f"BOLD:{family}{genus}{species}",
                    }
                    for copy in range(5)
                ]
    return rows


def import_barcodes(tmp_path, rows):
    path = tmp_path / "barcodes.tsv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0], delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    into = tmp_path / "collection"
    columns = {name: name for name in rows[0]} | {"barcode": "nucleotides"}
    del columns["nucleotides"]
    report = holotype.import_("table", [path], into=into, source="lab", columns=columns)
    assert report.records == len(rows)
    return into


def changed(rows, place, **values):
    return [{**row, **(values if n == place else {})} for n, row in enumerate(rows)]


def found_by(report):
    return {one.check for one in report.counts}


@pytest.fixture(scope="module")
def sound_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return check(import_images(folder / "in", folder / "c", PLAIN))


@pytest.fixture(scope="module")
def sound_barcodes(tmp_path_factory, genes):
    return check(import_barcodes(tmp_path_factory.mktemp("sound-dna"), genes))


def test_nothing_is_found_where_nothing_is_wrong(sound_images, sound_barcodes):
    assert found_by(sound_images) == set()
    assert found_by(sound_barcodes) == set()
    assert sound_images.findings == {"error": 0, "warning": 0, "remark": 0}


@pytest.mark.parametrize("kind", IMAGE_FAULTS, ids=str)
def test_a_fault_of_an_image_is_found_and_no_other(kind, tmp_path):
    report = check(import_images(tmp_path / "in", tmp_path / "c", PLAIN | IMAGE_FAULTS[kind]))
    assert found_by(report) == {kind}
    table = pq.read_table(report.table)
    assert table.schema.equals(FINDINGS_SCHEMA)
    of_record = table.to_pylist()[0]
    assert of_record["source"] == "net"
    assert of_record["remedy"] == ADVICE[kind].remedy
    if kind is not Check.UNREADABLE_IMAGE:
        named = {row["record_id"] for row in table.to_pylist()}
        assert any("/x." in str(name) for name in named)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Check.IDENTICAL_ACROSS_SOURCES, PLAIN["copepod/3.png"]),
        (Check.SIMILAR_ACROSS_SOURCES, jpeg(crop(3))),
    ],
)
def test_copies_in_another_source(kind, body, tmp_path):
    into = import_images(tmp_path / "first", tmp_path / "c", PLAIN)
    suffix = "png" if kind is Check.IDENTICAL_ACROSS_SOURCES else "jpg"
    import_images(tmp_path / "second", into, {f"copepod/y.{suffix}": body}, source="net2")
    report = check(into)
    assert found_by(report) == {kind}
    (row,) = pq.read_table(report.table).to_pylist()
    assert {row["record_id"], row["other_record_id"]} == {
        f"net2/copepod/y.{suffix}",
        "net/copepod/3.png",
    }


BARCODE_FAULTS = {
    Check.REVERSED_BARCODE: lambda row, rows: {
        "nucleotides": reverse_complement(row["nucleotides"])
    },
    Check.STOP_CODON: lambda row, rows: {
        "nucleotides": row["nucleotides"][:211] + "TAA" + row["nucleotides"][214:]
    },
    Check.FRAMESHIFT: lambda row, rows: {
        "nucleotides": row["nucleotides"][:300] + row["nucleotides"][301:]
    },
    Check.OFF_MARKER: lambda row, rows: {
        "nucleotides": "".join(np.random.default_rng(3).choice(list("ACGT"), 650))
    },
    Check.BARCODE_LENGTH: lambda row, rows: {"nucleotides": row["nucleotides"][:250]},
    Check.BARCODE_AMBIGUITY: lambda row, rows: {
        "nucleotides": row["nucleotides"][:300] + "N" * 12 + row["nucleotides"][312:]
    },
    Check.NEARER_TO_OTHER_TAXON: lambda row, rows: {
        "nucleotides": "A" + rows[170]["nucleotides"][1:-2],
        "bin_uri": "",
    },
    Check.SHARED_BARCODE: lambda row, rows: {
        "nucleotides": rows[170]["nucleotides"],
        "bin_uri": "",
    },
    Check.BIN_WITH_SEVERAL_SPECIES: lambda row, rows: {"bin_uri": rows[170]["bin_uri"]},
}


@pytest.mark.parametrize("kind", BARCODE_FAULTS, ids=str)
def test_a_fault_of_a_barcode_is_found(kind, genes, tmp_path):
    faulty = changed(genes, 12, **BARCODE_FAULTS[kind](genes[12], genes))
    report = check(import_barcodes(tmp_path, faulty))
    assert kind in found_by(report)
    may_follow = {
        Check.BIN_WITH_SEVERAL_SPECIES: {Check.SPECIES_WITH_SEVERAL_BINS},
        Check.NEARER_TO_OTHER_TAXON: {Check.FAR_FROM_OWN_TAXON},
        Check.SHARED_BARCODE: {Check.FAR_FROM_OWN_TAXON},
    }
    assert found_by(report) - {kind} <= may_follow.get(kind, set())
    rows = [row for row in pq.read_table(report.table).to_pylist() if row["check"] == kind]
    ids = {row["record_id"] for row in rows} | {row["other_record_id"] for row in rows}
    assert f"lab/{genes[12]['record_id']}" in ids
    assert len(rows) == 1


def test_a_shared_barcode_is_as_grave_as_the_rank_is_wide(genes, tmp_path):
    severities = {}
    for name, place in (("species", 5), ("genus", 55), ("family", 170)):
        faulty = changed(genes, 0, nucleotides=genes[place]["nucleotides"], bin_uri="")
        (tmp_path / name).mkdir()
        report = check(import_barcodes(tmp_path / name, faulty))
        (row,) = [
            r for r in pq.read_table(report.table).to_pylist() if r["check"] == Check.SHARED_BARCODE
        ]
        severities[name] = row["severity"]
    assert severities == {"species": "remark", "genus": "warning", "family": "error"}


def test_a_stray_of_a_close_species_is_found(genes, tmp_path):
    rng = np.random.default_rng(4)
    text = list(genes[12]["nucleotides"])
    for place in rng.choice(np.arange(3, len(text), 3), 150, replace=False):  # third positions
        text[place] = "T" if text[place] != "T" else "C"
    report = check(import_barcodes(tmp_path, changed(genes, 12, nucleotides="".join(text))))
    rows = pq.read_table(report.table).to_pylist()
    assert f"lab/{genes[12]['record_id']}" in {
        row["record_id"] for row in rows if row["check"] == Check.FAR_FROM_OWN_TAXON
    }


def test_repairs_are_safe_in_the_ledger_and_made_once(genes, tmp_path):
    turned = [
        {**row, "nucleotides": reverse_complement(row["nucleotides"])} if n % 20 == 7 else row
        for n, row in enumerate(genes)
    ]
    into = import_barcodes(tmp_path, turned)
    copies = {
        **PLAIN,
        "copepod/x.png": PLAIN["copepod/3.png"],
        "detritus/y.png": PLAIN["copepod/4.png"],
    }
    import_images(tmp_path / "in", into, copies, source="net")
    before = open_collection(into)
    items = before.ledger().num_rows
    first = check(into)
    assert open_collection(into).fingerprint == before.fingerprint
    assert first.mended == {}
    assert sum(one.fixable for one in first.counts) == 11
    fixed = check(into, fix=Fix.SAFE)
    assert fixed.mended == {"reverse_complement": 10, "set_aside": 1}
    assert found_by(fixed) == {Check.CONFLICTING_IMAGES}  # never decided by a program
    assert fixed.records == first.records - 1
    after = open_collection(into)
    columns = after.columns(["record_id", "barcode", "haplotype", "extra"]).to_pylist()
    by_id = {row["record_id"]: row for row in columns}
    for number, (row, given) in enumerate(zip(genes, turned, strict=True)):
        kept = by_id[f"lab/{row['record_id']}"]
        assert kept["barcode"] == row["nucleotides"]
        if number % 20 == 7:
            assert json.loads(kept["extra"])["barcode_as_given"] == given["nucleotides"]
    ledger = after.ledger().to_pylist()
    assert sum("turned" in (row["reason"] or "") for row in ledger) == 10
    (away,) = [row for row in ledger if row["outcome"] == "set_aside"]
    assert away["item"].endswith("copepod/x.png")
    assert "net/copepod/3.png" in away["detail"]
    assert len(ledger) == items
    again = check(into, fix=Fix.SAFE)
    assert again.mended == {}
    assert open_collection(into).fingerprint == after.fingerprint


def test_copies_that_differ_in_a_column_are_left_to_a_person(tmp_path):
    (tmp_path / "one.png").write_bytes(PLAIN["copepod/1.png"])
    (tmp_path / "t.csv").write_text("image,label,depth\none.png,copepod,5\none.png,copepod,50\n")
    columns = {"image": "image", "written_label": "label", "depth_min_m": "depth"}
    holotype.import_(
        "table", [tmp_path / "t.csv"], into=tmp_path / "c", source="net", columns=columns
    )
    report = check(tmp_path / "c", fix=Fix.SAFE)
    assert found_by(report) == {Check.IDENTICAL_IMAGES}
    assert report.mended == {}


def test_the_page_is_self_contained_and_escapes_names(tmp_path):
    name = "<script>alert(1)"
    content = {**PLAIN, "detritus/x.png": PLAIN["copepod/3.png"]}
    into = import_images(tmp_path / "in", tmp_path / "c", content, source=name)
    check(into, out=tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert page.count("data:image/png;base64,") == 2
    assert ADVICE[Check.CONFLICTING_IMAGES].remedy in page
    check(into, out=tmp_path / "again")
    assert (tmp_path / "again" / "index.html").read_text() == page


def test_the_page_marks_the_stop(genes, tmp_path):
    faulty = changed(genes, 12, **BARCODE_FAULTS[Check.STOP_CODON](genes[12], genes))
    check(import_barcodes(tmp_path, faulty), out=tmp_path / "page")
    assert "<mark>TAA</mark>" in (tmp_path / "page" / "index.html").read_text()


def test_the_command_says_what_was_found_and_what_to_run(tmp_path):
    content = {**PLAIN, "copepod/x.png": PLAIN["copepod/3.png"]}
    into = import_images(tmp_path / "in", tmp_path / "c", content)
    text = command(into).text
    assert "0 errors, 0 warnings, 1 remarks" in text
    assert "net/copepod/x.png: 'copepod': the same file again; all columns agree." in text
    assert f"holotype check {into} --fix" in text
    assert "mended: 1 set_aside" in command(into, fix=True).text


def test_every_check_has_advice():
    assert set(ADVICE) == set(Check)


@pytest.mark.parametrize(
    ("first", "second", "excluded"),
    [
        ({"order": "Calanoida"}, {"order": "Calanoida", "genus": "Calanus"}, False),
        ({"genus": "Calanus"}, {"genus": "Oithona"}, True),
        ({"genus": "Calanus", "qualifier": "egg"}, {"genus": "Calanus", "qualifier": "full_body"}, True),
        ({"group": "detritus"}, {"genus": "Calanus"}, True),
        ({"group": "x", "written_label": "X"}, {"group": "x", "written_label": "ex"}, False),
        ({"written_label": "a"}, {"written_label": "b"}, True),
        ({"written_label": "a"}, {}, False),
    ],
)  # fmt: skip
def test_when_two_labels_exclude_each_other(first, second, excluded):
    blank = dict.fromkeys(LABEL_COLUMNS)
    assert exclude_each_other(blank | first, blank | second) is excluded
    assert exclude_each_other(blank | second, blank | first) is excluded


@pytest.mark.real
def test_the_real_copies_of_uvp6(real_data, tmp_path):
    images = real_data / "plankton" / "uvp6" / "images"
    holotype.import_("image-folder", [images], into=tmp_path / "c", source="uvp6")
    rows = pq.read_table(check(tmp_path / "c").table).to_pylist()
    conflicts = [row for row in rows if row["check"] == Check.CONFLICTING_IMAGES]
    assert len(conflicts) == 200
    copepods = [row for row in conflicts if row["record_id"].startswith("uvp6/Copepoda/")]
    assert len(copepods) == 100
    assert all(row["other_record_id"].startswith("uvp6/darksphere/") for row in copepods)
    alike = [row for row in rows if row["check"] == Check.CONFLICTING_SIMILAR_IMAGES]
    assert alike == []


@pytest.mark.real
def test_the_real_barcodes(real_data, tmp_path):
    for source in ("copepods", "lepidoptera", "metazoan_orders"):
        holotype.import_(
            "table",
            [real_data / "dna" / source / "sequences.tsv"],
            into=tmp_path / "c",
            source=source,
            preset="barcodes",
        )
    report = check(tmp_path / "c", fix=Fix.SAFE)
    assert report.mended == {"reverse_complement": 159}
    counts = {(one.check, one.source): one.findings for one in report.counts}
    assert ("reversed_barcode", "copepods") not in counts
    assert counts["stop_codon", "copepods"] + counts["frameshift", "copepods"] == 10
    assert ("stop_codon", "metazoan_orders") not in counts  # sound genes of 40 phyla
    assert counts.get(("frameshift", "metazoan_orders"), 0) <= 1
    assert not [key for key in counts if key[0] == "off_marker"]
    assert 5 <= counts["nearer_to_other_taxon", "copepods"] <= 14
