"""Text tables: a letter of Windows or a zero byte far down costs no other row."""

import gzip

import pytest

from holotype.collection.reading.sections import open_sections
from holotype.collection.reading.streams import stream_table
from holotype.collection.reading.tabular import open_table
from holotype.collection.reading.text_lines import decoded_lines
from holotype.errors import SourceError
from holotype.media.locations import FileAt
from holotype.media.members import Member

FAR_DOWN = 70_000


def member(path):
    return Member(path.name, None, FileAt(str(path)), path.stat().st_size)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_letter_of_windows_behind_the_first_mebibyte(tmp_path, pack):
    rows = b"".join(b"row %06d\tplain text\n" % number for number in range(FAR_DOWN))
    content = b"id\tsite\n" + rows + b"last\tK\xf6ln \x81\n" + "more\tKöln\n".encode()
    assert len(rows) > 1 << 20
    path = tmp_path / "t.tsv"
    path.write_bytes(pack(content))
    found = list(open_table(path).rows)
    assert len(found) == FAR_DOWN + 2
    assert [row.values["site"] for row in found[-2:]] == ["Köln \x81", "Köln"]
    assert not any(row.error for row in found)


@pytest.mark.parametrize("quoted", [b"x\0y", b'"x\n\0y"'])
def test_a_zero_byte_costs_its_row_alone(tmp_path, quoted):
    path = tmp_path / "t.csv"
    path.write_bytes(b"id,site\na,here\nb," + quoted + b"\nc,there\n")
    found = list(open_table(path).rows)
    assert [row.values.get("id") for row in found] == ["a", None, "c"]
    assert found[1].error == "column site: a zero byte, which no text has"
    assert found[1].line == 3 + quoted.count(b"\n")
    streamed = list(stream_table(tmp_path, member(path)))
    assert [row.values.get("id") for row in streamed] == ["a", None, "c"]
    assert "column site: a zero byte" in str(streamed[1].error)


def test_a_zero_byte_in_the_first_line_says_that_it_is_no_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"PK\3\4\0\0\nmore")
    with pytest.raises(SourceError, match="zero bytes"):
        open_table(path)
    with pytest.raises(SourceError, match="zero bytes"):
        list(decoded_lines(member(path)))


def test_a_zero_byte_in_a_sectioned_file(tmp_path):
    path = tmp_path / "a.pid"
    path.write_bytes(b"PID\n[Data]\n!Item;Area\n1;2\n2;\x003\n3;4\n")
    rows = list(open_sections(member(path)).rows)
    assert [row.cells.get("Item") for row in rows] == ["1", None, "3"]
    assert str(rows[1].error).startswith("a.pid, line 5, column Area: a zero byte")
