"""Small files that stand for gigabytes: each is refused or costs one row, in bounded memory."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.reading import text_lines
from holotype.collection.reading.streams import large_members, stream_table
from holotype.collection.reading.tabular import open_table
from holotype.collection.sources import fasta
from holotype.collection.store import open_collection
from holotype.errors import MediaError, SourceError
from holotype.media import parquet_rows
from holotype.media.locations import CellAt, read_location
from holotype.media.members import members

MOST_MIB = 600
"""What a process may hold that reads a bomb of a gibibyte: the libraries alone are 150 MiB."""
IMPORT = r"""
import json, re, sys
from pathlib import Path
import holotype
from holotype.errors import HolotypeError
from holotype.media import parquet_rows
parquet_rows.MAX_COLUMN_BYTES = 1 << 26
kind, path, into = sys.argv[1:]
try:
    said = dict(holotype.import_(kind, [path], into=into).outcomes)
except HolotypeError as reason:
    said = str(reason)
most = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([said, int(most) >> 10]))
"""


def blown_up(head: bytes, body: bytes, mebibytes: int) -> bytes:
    """Returns a gzip of a head and so many mebibytes of a body, of some thousandth of their size."""
    block = gzip.compress(body * ((16 << 20) // len(body)), 1)
    return gzip.compress(head) + block * (mebibytes >> 4)


@pytest.mark.parametrize(
    ("kind", "name", "head", "body", "mebibytes", "said"),
    [
        ("table", "t.csv.gz", b"", b"\0", 1024, "not a text table (it holds zero bytes)"),
        ("table", "t.csv.gz", b"record_id,label\n1,", b"A", 1024, "t.csv.gz, line 2: over 16,777,216"),
        ("table", "t.csv.gz", b'record_id,label\n1,"', b"mud\n", 256, "t.csv.gz, line 2: over 16,777,216"),
        ("bold", "t.tsv.gz", b"processid\tnuc\n1\t", b"A", 256, "line 2: over 16,777,216"),
        ("fasta", "t.fasta.gz", b">one\n", b"A", 256, {"rejected": 1}),
        ("fasta", "t.fasta.gz", b">one\n", b"ACGT" * 1023 + b"ACG\n", 256, {"rejected": 1}),
        ("ecotaxa", "ecotaxa_t.tsv.gz", b"object_id\timg_file_name\n1\t", b"A", 256, {"rejected": 1}),
    ],
    ids=["zeros", "line", "quote", "bold", "fasta-line", "fasta-lines", "ecotaxa"],
)  # fmt: skip
def test_a_gzip_of_a_gibibyte_is_refused_in_bounded_memory(
    tmp_path, kind, name, head, body, mebibytes, said
):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(blown_up(head, body, mebibytes))
    given = folder if kind == "ecotaxa" else folder / name
    words = [sys.executable, "-c", IMPORT, kind, str(given), str(tmp_path / "c")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found, peak_mib = json.loads(done.stdout)
    assert found == said if isinstance(said, dict) else said in found
    assert peak_mib < MOST_MIB


def test_a_parquet_of_one_cell_in_every_row_is_refused_in_bounded_memory(tmp_path):
    rows = 4_000
    same = pa.array(np.zeros(rows, np.int32))
    cell = pa.DictionaryArray.from_arrays(same, pa.array([bytes(1 << 20)], pa.binary()))
    table = pa.table({"record_id": [str(row) for row in range(rows)], "image": cell})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd", store_schema=False)
    assert (tmp_path / "t.parquet").stat().st_size < 1 << 16
    words = [
        sys.executable,
        "-c",
        IMPORT,
        "table",
        str(tmp_path / "t.parquet"),
        str(tmp_path / "c"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found, peak_mib = json.loads(done.stdout)
    assert found == {"rejected": rows}
    assert "stores 1,048," in done.stderr
    assert peak_mib < MOST_MIB


def test_a_parquet_that_repeats_a_little_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_rows, "MAX_COLUMN_BYTES", 1_000)
    held = {"image": [b"one"] * 90 + [b"two"] * 10, "much": [b"x" * 100] * 100}
    pq.write_table(pa.table(held), tmp_path / "t.parquet")
    path = str(tmp_path / "t.parquet")
    assert read_location(CellAt(path, "image", 0, 89)) == b"one"
    assert read_location(CellAt(path, "image", 0, 90)) == b"two"
    with pytest.raises(MediaError, match=r"column much stores \d+ bytes and unpacks to over"):
        read_location(CellAt(path, "much", 0, 0))


def text_of(rows) -> list[dict[str, str]]:
    return [dict(row.values) for row in rows]


def test_rows_of_many_lines_are_read_up_to_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "MAX_ROW_CHARS", 64)
    cell = "net\n" * 10
    lines = "".join(f'{number},"{cell}"\n' for number in range(5))
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + lines)
    assert [row["a"] for row in text_of(open_table(path).rows)] == list("01234")
    usable, _ = large_members(tmp_path)
    assert len(text_of(stream_table(tmp_path, usable["t.csv"]))) == 5
    path.write_text("a,b\n" + lines + '5,"' + "net\n" * 40)
    for rows in (
        open_table(path).rows,
        stream_table(tmp_path, large_members(tmp_path)[0]["t.csv"]),
    ):
        with pytest.raises(SourceError, match=r"t\.csv, line 57: over 64 letters"):
            text_of(rows)


def test_a_long_sequence_costs_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(fasta, "MAX_LETTERS", 100)
    good = "ACGTTGCAACGTACCATG"
    bad = ">long\n" + "ACGT" * 50 + "\n>lines\n" + "ACGTACGT\n" * 20
    gaps = good + "-" * 80
    (tmp_path / "t.fasta").write_text(f">a\n{good}\n{bad}>b\n{good[1:]}\n>gaps\n{gaps[2:]}\n")
    report = holotype.import_("fasta", [tmp_path / "t.fasta"], into=tmp_path / "c")
    assert report.outcomes == {"imported": 3, "rejected": 2}
    ledger = open_collection(tmp_path / "c").ledger().to_pylist()
    told = {row["item"]: row["detail"] for row in ledger if row["outcome"] == "rejected"}
    assert set(told) == {"long", "lines"}
    assert "line 3: a sequence of over 100 letters is no barcode" in told["long"]
    kept = open_collection(tmp_path / "c").columns(["source_item", "barcode"]).to_pylist()
    found = {row["source_item"]: row["barcode"] for row in kept}
    assert found == {"a": good, "b": good[1:], "gaps": good[2:]}


def nested(depth: int) -> Iterator[bytes]:
    """Yields zips, each with five copies of the one before: five to the power of the depth, unpacked."""
    content, name = bytes(1 << 20), "0.png"
    for level in range(depth):
        handle = io.BytesIO()
        with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(5):
                archive.writestr(f"{number}-{name}", content)
        content, name = handle.getvalue(), f"{level}.zip"
        yield content


@pytest.mark.parametrize("kind", ["image-folder", "ecotaxa", "plankton-imager", "table"])
def test_zips_in_zips_are_not_unpacked_without_end(tmp_path, kind):
    *_, outer = nested(9)
    (tmp_path / "x.zip").write_bytes(outer)
    assert len(list(members(tmp_path / "x.zip"))) == 5
    words = [sys.executable, "-c", IMPORT, kind, str(tmp_path / "x.zip"), str(tmp_path / "c")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    found, peak_mib = json.loads(done.stdout)
    assert isinstance(found, str) or "imported" not in found
    assert peak_mib < MOST_MIB


def test_a_grid_that_declares_terabytes_is_refused(tmp_path):
    with h5py.File(tmp_path / "g.nc", "w") as file:
        for name, unit in (("lat", "degrees_north"), ("lon", "degrees_east")):
            axis = file.create_dataset(name, (1 << 42,), "f8", chunks=(1 << 16,))
            axis.attrs["units"] = unit
            axis.make_scale(name)
        values = file.create_dataset("sst", (1 << 42, 1 << 42), "f8", chunks=(1024, 1024))
        for number, name in enumerate(("lat", "lon")):
            values.dims[number].attach_scale(file[name])
    table = tmp_path / "t.csv"
    table.write_text("record_id,barcode,latitude_deg,longitude_deg\n1,ACGTTGCAACGTACCATG,-12.5,3\n")
    holotype.import_("table", [table], into=tmp_path / "c")
    with pytest.raises(SourceError, match=r"g\.nc: too large for the memory"):
        holotype.environment(tmp_path / "c", grids=[tmp_path / "g.nc"], variables={"t": "sst"})
