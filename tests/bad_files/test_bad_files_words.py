"""Names and ids that break other programs come through as they are, and run nothing."""

import csv
import json
import os
import socket
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

import holotype
from exchange.net_answers import CALANUS, DATED, NET, answer, table
from holotype.collection.reading.cells import unescaped
from holotype.collection.store import open_collection
from holotype.exchange.answers.publish import publish_table
from holotype.exchange.ecotaxa.ids import Ids
from holotype.identify.columns import RANKS
from page_reader import Reader

WORDS = {
    "apostrophe": "O'Brien; DROP TABLE records;--",
    "quotes": 'net "B", tow 2',
    "tab": "a\tb",
    "lines": "two\nlines",
    "right to left": "\u202eevil\u202c \u05d0\u05d1",
    "emoji": "🦐 Ångström \uff4e\uff45\uff54",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "entity": "&lt;b&gt; &amp;",
    "formula": "=1+1",
    "dde": "@SUM(1+1)*cmd|' /C calc'!A0",
    "full width": "\uff1d1+1",
    "minus": "-2+3",
    "windows": "C:\\net\\1",
    "up": "../../etc/passwd",
    "device": "CON",
    "braces": "{0.__class__} %s $(id) `id`",
    "long": "é" * 10_000,
}
BARCODE = "ACGTTGCAACGTACCATGGATTACA" * 4
LATITUDE = -12.5


def brought(path):
    """A table with each of the words as the id and the sample of a row."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(["record_id", "barcode", "sample_id", "latitude_deg", "longitude_deg"])
        for word in WORDS.values():
            rows.writerow([word, BARCODE, word, LATITUDE, "-0.25"])
    return path


def text_rows(path):
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def answered(tiny_run, tmp_path_factory):
    """The answers to such a table, in all three formats."""
    folder = tmp_path_factory.mktemp("words")
    given = brought(folder / "in.csv")
    for ending in ("csv", "json", "parquet"):
        report = holotype.predict(tiny_run, [given], out=folder / f"a.{ending}")
        assert (report.rows, report.failures) == (len(WORDS), 0)
    return folder


def test_words_and_numbers_come_through_predict_unchanged(answered):
    rows = pq.read_table(answered / "a.parquet").to_pylist()
    assert [row["sample_id"] for row in rows] == list(WORDS.values())
    assert {row["latitude_deg"] for row in rows} == {LATITUDE}
    written = json.loads((answered / "a.json").read_text(encoding="utf-8"))
    assert [row["sample_id"] for row in written] == list(WORDS.values())
    cells = text_rows(answered / "a.csv")
    assert [unescaped(row["sample_id"]) for row in cells] == list(WORDS.values())
    assert {row["latitude_deg"] for row in cells} == {"-12.5"}  # a number, not a formula


def test_no_cell_of_the_csv_would_be_run(answered):
    for row in text_rows(answered / "a.csv"):
        for column, cell in row.items():
            if cell and cell[0] in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20":
                float(cell)  # raises where it is no number
                assert column.endswith(("_deg", "_m", "score")) or column.startswith("score")


def test_words_are_text_on_the_page_of_evidence(answered, tmp_path):
    holotype.evidence(answered / "a.parquet", out=tmp_path / "e.html", most=len(WORDS))
    page = Reader((tmp_path / "e.html").read_text(encoding="utf-8"))
    ours = {"script", "style"}
    assert not [tag for tag, attrs in page.elements if tag not in ours and "onerror" in attrs]
    assert "alert(1)" in page.text  # as words
    assert not [attrs for tag, attrs in page.elements if tag == "img" and attrs.get("src") == "x"]


FORMS = ["ecotaxa-update", "speciesnet", "sintax", "qiime", "rdp", "pybioclip"]


@pytest.mark.parametrize("form", FORMS)
def test_labels_and_ids_of_any_text_are_published_or_left_out_with_the_reason(tmp_path, form):
    scores = {f"score_{rank}": 0.9 for rank in RANKS}
    rows = [
        answer(name, (*CALANUS, word), **NET, **scores)
        | {"sample_id": word, "specimen_id": word, "record_id": word, "input": f"in/{number}.png"}
        for number, (name, word) in enumerate(WORDS.items())
    ]
    report = publish_table(table(*rows), to=form, out=tmp_path / "out", dated=DATED)
    assert report.written + sum(report.left_out.values()) == len(WORDS)
    assert report.written >= 8
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert made
    for path in made:
        assert "calanus" in path.read_text(encoding="utf-8").lower()


def test_file_names_are_safe_on_every_disk():
    ids = Ids()
    stems = [
        "../../x",
        "a\0b",
        "CON",
        "con",
        "nul.png",
        "COM1",
        "Lpt9.txt",
        "A",
        "a",
        "C:\\x",
        "",
        "..",
        "é",
    ]
    names = [ids.file_name(stem, ".png") for stem in stems]
    assert len({name.lower() for name in names}) == len(stems)
    for name in names:
        assert name.encode("ascii")
        assert not set(name) & set('/\\:*?"<>|\0')
        assert name.partition(".")[0].lower() not in {"", "con", "nul", "com1", "lpt9"}


PREDICT = "from holotype.cli.app import main; main()"


def test_the_machine_s_language_and_time_zone_change_nothing(tiny_run, tmp_path):
    given = brought(tmp_path / "in.csv")
    found = []
    for number, changed in enumerate(
        (
            {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            {
                "LC_ALL": "POSIX",
                "PYTHONUTF8": "0",
                "PYTHONCOERCECLOCALE": "0",
                "TZ": "Pacific/Auckland",
            },
        )
    ):
        folder = tmp_path / f"{number}"
        for words in (
            ["import", "table", given, "--into", folder / "c", "--source", "s"],
            ["predict", tiny_run, given, "--out", folder / "a.csv"],
        ):
            command = [sys.executable, "-c", PREDICT, *map(str, words)]
            env = {**os.environ, **changed}
            done = subprocess.run(command, env=env, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
        shards = b"".join(path.read_bytes() for path in open_collection(folder / "c").shard_paths())
        found.append(((folder / "a.csv").read_bytes(), shards))
    assert found[0] == found[1]


def test_a_run_asks_nothing_of_the_network(tiny_run, tmp_path, monkeypatch):
    asked = []

    def refused(*given, **named):
        asked.append(given)
        raise OSError("no network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    given = tmp_path / "in.csv"
    given.write_text(
        f"record_id,barcode,image\na,{BARCODE},http://127.0.0.1:9/x.png\n"
        f"b,{BARCODE[1:]},file:///etc/passwd\nc,{BARCODE[2:]},http://169.254.169.254/latest\n"
    )
    report = holotype.import_("table", [given], into=tmp_path / "c")
    assert report.items == 3
    answers = holotype.predict(tiny_run, [given], out=tmp_path / "a.parquet")
    assert answers.rows == 3
    holotype.evidence(tmp_path / "a.parquet", out=tmp_path / "e.html")
    collection = open_collection(tmp_path / "c")
    assert [content for _, content in collection.images() if content is not None] == []
    assert asked == []
