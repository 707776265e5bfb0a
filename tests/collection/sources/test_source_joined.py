"""Side tables joined on disk, and members of archives as streams."""

import gzip
import io
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.collection.reading.joined import Joined, KeyedRow
from holotype.collection.reading.streams import large_members, open_stream, stream_table
from holotype.errors import SourceError
from holotype.media.members import Member

KEYS = st.lists(st.sampled_from(["", "a", "b", "é", "a'b", "\0"]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(added=KEYS, claimed=KEYS)
def test_rows_are_found_by_key_in_their_order(added, claimed):
    rows = [KeyedRow(key, line, {"text": f"{key}{line}"}) for line, key in enumerate(added)]
    with Joined() as joined:
        assert joined.add("t", rows[:5]) == len(rows[:5])
        joined.rows("t", "a")
        assert joined.add("t", rows[5:]) == len(rows[5:])
        joined.add("other", rows)
        for key in set(added):
            assert joined.rows("t", key) == [row for row in rows if row.key == key]
        first = {}
        for line, name in enumerate(claimed):
            assert joined.claim(name, line, kind="k") == first.get(name)
            first.setdefault(name, line)
        assert list(joined.orphans("t", "k")) == [row for row in rows if row.key not in first]
        assert list(joined.claimed("t", "k")) == [row for row in rows if row.key in first]
        assert list(joined.all_rows("t")) == rows
        assert not joined.known("a", kind="other")


def test_the_file_goes_with_the_table(tmp_path):
    with Joined(tmp_path / "spool") as joined:
        joined.add("t", [KeyedRow("a", 1, {})])
        assert len(list((tmp_path / "spool").iterdir())) == 1
    assert list((tmp_path / "spool").iterdir()) == []


def read(path, member):
    with open_stream(path, member) as stream:
        return stream.read()


def test_members_stream_from_folders_zips_and_tars(tmp_path, monkeypatch):
    content = bytes(range(256)) * 300
    (tmp_path / "f").mkdir()
    (tmp_path / "f/x.bin").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.bin", content)
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        for name in ("w.bin", "x.bin", "y.bin"):
            packed.add(tmp_path / "f/x.bin", name)
    monkeypatch.setattr("holotype.media.members.MAX_MEMBER_BYTES", 1_000)
    for name in ("f", "a.zip"):
        usable, refused = large_members(tmp_path / name)
        assert read(tmp_path / name, usable["x.bin"]) == content
        assert refused == []
    monkeypatch.setattr("holotype.media.members.MAX_MEMBER_BYTES", 1 << 30)
    usable, _ = large_members(tmp_path / "a.tar")
    assert read(tmp_path / "a.tar", usable["x.bin"]) == content


def test_what_unpacks_to_far_too_much_is_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.txt", b"0" * 1_000_000)
    monkeypatch.setattr("holotype.collection.reading.streams._FREE_BYTES", 1_000)
    usable, _ = large_members(tmp_path / "a.zip")
    with pytest.raises(
        SourceError, match=r"a\.zip/x\.txt: [\d,]+ bytes unpack to 1,000,000\. Unpack it by hand"
    ):
        read(tmp_path / "a.zip", usable["x.txt"])


def test_a_damaged_member_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("x.txt", b"abcdefgh" * 100)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[60] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(content)
    usable, _ = large_members(tmp_path / "a.zip")
    with pytest.raises(SourceError, match=r"a\.zip/x\.txt: damaged .* Fetch the archive again\."):
        read(tmp_path / "a.zip", usable["x.txt"])


def table(tmp_path, content) -> list:
    (tmp_path / "t").mkdir(exist_ok=True)
    (tmp_path / "t/t.csv").write_bytes(content)
    usable, _ = large_members(tmp_path / "t")
    return list(stream_table(tmp_path / "t", usable["t.csv"]))


def test_tables_stream_with_lines_and_faults(tmp_path):
    rows = table(tmp_path, '\ufeffa,b\n1,"x\ny"\n2\n3,é\n'.encode())
    assert [(row.line, dict(row.values)) for row in rows] == [
        (3, {"a": "1", "b": "x\ny"}),
        (4, {}),
        (5, {"a": "3", "b": "é"}),
    ]
    assert rows[1].error.startswith("1 columns where the header has 2. Enclose delimiters")
    good, wrong = table(tmp_path, b'a,b\n1,2\n"3\n",x\xff\n')
    assert good.error is None
    assert wrong.error == "column b: byte 0xff is no utf-8. Save the table as UTF-8 text."
    with pytest.raises(SourceError, match=r"t\.csv: empty\."):
        table(tmp_path, b"\n")


def test_gzip_tables_stream(tmp_path):
    out = io.BytesIO(gzip.compress(b"a\n1\n"))
    (tmp_path / "t.csv.gz").write_bytes(out.getvalue())
    usable, _ = large_members(tmp_path)
    assert isinstance(usable["t.csv.gz"], Member)
    assert [dict(row.values) for row in stream_table(tmp_path, usable["t.csv.gz"])] == [{"a": "1"}]
    (tmp_path / "t.csv.gz").write_bytes(out.getvalue()[:-6])
    with pytest.raises(SourceError, match=r"t\.csv\.gz: damaged"):
        list(stream_table(tmp_path, usable["t.csv.gz"]))
