"""Ten defective inputs beside good ones: one clear line each, and the good ones lose nothing."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from holotype.collection.store import open_collection

RNG = np.random.default_rng(2)
COLOUR = RNG.integers(0, 256, (20, 24, 3), dtype=np.uint8)


def encoded(image, image_format, **options):
    handle = io.BytesIO()
    image.save(handle, image_format, **options)
    return handle.getvalue()


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(COLOUR), "JPEG", exif=exif)


def unusual_images():
    """Readable, though much else cannot read them."""
    deep = np.linspace(0, 65_535, 480).astype(np.uint16).reshape(20, 24)
    palette = Image.fromarray(COLOUR).convert("P")
    return {
        "cmyk.jpg": encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"),
        "deep.png": encoded(Image.fromarray(deep), "PNG"),
        "palette.png": encoded(palette, "PNG", transparency=0),
        "rotated.jpg": rotated(),
    }


def broken_images():
    """Content, and the one line that it must give."""
    whole = encoded(Image.fromarray(COLOUR), "PNG")
    return {
        "truncated.png": (whole[: len(whole) // 2], "damaged PNG image: "),
        "zero.png": (b"", "empty file (0 bytes)"),
        "text.jpg": (b"net 2, station 4", "not an image: the file starts with 'net 2, stati'"),
    }


def good_images():
    return {
        f"good-{number}.png": encoded(Image.fromarray(np.roll(COLOUR, number, axis=0)), "PNG")
        for number in range(4)
    }


BARCODE = "ACGTTGCAACGTACCATG"
LINEAGE = {"kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda", "order": "Calanoida"}
COLUMNS = ["record_id", "image", "barcode", *LINEAGE, "family", "genus"]


def row(name, **given):
    values = {"record_id": name, **LINEAGE, "family": "Calanidae", "genus": "Calanus"} | given
    return [values.get(column, "") for column in COLUMNS]


def good_rows():
    images = [row(name, image=name) for name in good_images()]
    return [
        *images,
        row("barcode", barcode=BARCODE),
        row("both", image="good-0.png", barcode=BARCODE),
    ]


def table_of(folder: Path, rows: list[list[str]]) -> Path:
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([COLUMNS, *rows])
    return folder / "table.csv"


def folder_of(root: Path, content: dict[str, bytes]) -> Path:
    root.mkdir(parents=True)
    for name, body in content.items():
        (root / name).write_bytes(body)
    return root


def records(folder):
    """Every column and the image of each record, by its item."""
    collection = open_collection(folder)
    rows = collection.columns().to_pylist()
    return {
        row["source_item"]: (row, content)
        for row, (_, content) in zip(rows, collection.images(), strict=True)
    }


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, holotype_command):
    """One table of good rows and all defects, and one of the good rows alone; imported."""
    root = tmp_path_factory.mktemp("mixed")
    broken = {name: content for name, (content, _) in broken_images().items()}
    images = folder_of(root / "images", good_images() | unusual_images() | broken)
    bad = [
        *(row(name, image=name) for name in broken),
        row("protein", barcode="MTLYFIFGIW"),
        row("gap", barcode=BARCODE[1:], family=""),
    ]
    unusual = [row(name, image=name) for name in unusual_images()]
    rows = [
        line
        for pair in zip(good_rows(), [*bad, row("absent", image="no.png")], strict=True)
        for line in pair
    ]
    done = {}
    for name, content in (("with", [*unusual, *rows]), ("without", good_rows())):
        folder = root / name
        folder.mkdir()
        done[name] = holotype_command(
            "import",
            "table",
            table_of(folder, content),
            "--into",
            folder / "c",
            "--images",
            images,
            "--json",
        )
    return root, done


def test_exit_codes_and_counts(mixed):
    _, done = mixed
    assert done["with"].returncode == 3
    assert done["without"].returncode == 0
    report = json.loads(done["with"].stdout)
    assert report["outcomes"] == {"imported": 6 + 4, "imported_with_note": 1, "rejected": 5}
    assert report["items"] == 16
    assert json.loads(done["without"].stdout)["outcomes"] == {"imported": 6}


def test_each_defect_gives_exactly_one_clear_line(mixed):
    _, done = mixed
    told = [
        line for line in done["with"].stderr.splitlines() if ": " in line and " done" not in line
    ]
    expected = {name: line for name, (_, line) in broken_images().items()} | {
        "protein": "letter 'L' at base 3 is no nucleotide (an amino-acid sequence?)",
        "gap": "family missing above Calanus: kept as given",
        "absent": "no image 'no.png' in ",
    }
    assert len(told) == len(expected)
    for name, sentence in expected.items():
        (line,) = [line for line in told if f"table.csv: {name}, row " in line]
        assert sentence in line, line
        outcome = "imported_with_note" if name == "gap" else "rejected"
        assert line.startswith(f"{outcome}: ")
    assert "Traceback" not in done["with"].stderr


def test_lines_name_the_row_of_the_table(mixed):
    root, done = mixed
    with (root / "with" / "table.csv").open(newline="") as handle:
        place = {line[0]: number for number, line in enumerate(csv.reader(handle), start=1)}
    for name in ("truncated.png", "zero.png", "text.jpg", "protein", "gap", "absent"):
        assert f"table.csv: {name}, row {place[name]}: " in done["with"].stderr


def test_good_rows_are_bit_for_bit_those_of_an_import_without_the_bad_ones(mixed):
    root, _ = mixed
    with_bad, without = records(root / "with" / "c"), records(root / "without" / "c")
    assert len(without) == 6
    for name, record in without.items():
        assert with_bad[name] == record


def test_unusual_images_are_imported_as_they_came_and_upright(mixed):
    root, _ = mixed
    found = records(root / "with" / "c")
    for name, content in unusual_images().items():
        record, image = found[name]
        assert image == content
        height_width = (24, 20) if name == "rotated.jpg" else (20, 24)
        assert (record["image_height_px"], record["image_width_px"]) == height_width


def test_a_gap_in_the_lineage_is_kept_as_given(mixed):
    root, _ = mixed
    record, _ = records(root / "with" / "c")["gap"]
    assert (record["order"], record["family"], record["genus"]) == ("Calanoida", None, "Calanus")


def test_a_mixed_folder(tmp_path, holotype_command):
    broken = {name: content for name, (content, _) in broken_images().items()}
    with_bad = folder_of(
        tmp_path / "a" / "crops", good_images() | unusual_images() | broken | {"t.txt": b"x"}
    )
    without = folder_of(tmp_path / "b" / "crops", good_images() | unusual_images())
    done = holotype_command("import", "image-folder", with_bad, "--into", tmp_path / "a" / "c")
    assert done.returncode == 3
    for name, (_, sentence) in broken_images().items():
        assert sum(f": {name}: {sentence}" in line for line in done.stderr.splitlines()) == 1
    assert len(done.stderr.splitlines()) == len(broken) + 1  # and one that says how many were read
    assert "12 items read: 8 imported, 3 rejected, 1 skipped" in done.stdout
    clean = holotype_command("import", "image-folder", without, "--into", tmp_path / "b" / "c")
    assert clean.returncode == 0
    assert records(tmp_path / "a" / "c") == records(tmp_path / "b" / "c")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("record_id,genus\n", "a header and no rows. Give a table with at least one row."),
        ("", "empty. Give a table with a header and rows."),
    ],
    ids=["header-only", "empty"],
)
def test_a_table_without_rows_is_one_line_and_exit_code_2(
    tmp_path, holotype_command, content, sentence
):
    (tmp_path / "t.csv").write_text(content)
    done = holotype_command("import", "table", tmp_path / "t.csv", "--into", tmp_path / "c")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("holotype: ")]
    assert line == f"holotype: {tmp_path / 't.csv'}: {sentence}"
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c" / "collection.json").exists()


def test_a_protein_fasta(tmp_path, holotype_command):
    (tmp_path / "in.fasta").write_text(f">good\n{BARCODE}\n>protein\nMTLYFIFGIW\n>empty\n\n")
    done = holotype_command("import", "fasta", tmp_path / "in.fasta", "--into", tmp_path / "c")
    assert done.returncode == 3
    assert "rejected: " in done.stderr
    assert "protein, row 2: letter 'L' at base 3 is no nucleotide" in done.stderr
    assert set(records(tmp_path / "c")) >= {"good"}
