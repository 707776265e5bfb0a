"""Publishing accounts for every answer, fills in context and lets people's names stand."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from exchange.net_answers import CALANUS, DATED, FIN, NET, ambiguous, answer, table
from holotype.cli import publishing
from holotype.collection.store import open_collection
from holotype.errors import SourceError
from holotype.exchange.answers import forms
from holotype.exchange.answers.cells import cell
from holotype.exchange.answers.container import container
from holotype.exchange.answers.context import with_context
from holotype.exchange.answers.moments import span_of, together
from holotype.exchange.answers.publish import publish, publish_table
from holotype.exchange.answers.validated import with_validated
from holotype.exchange.answers.writing import Form, Written
from holotype.identify.columns import ANSWER_SCHEMA


@pytest.fixture
def seen(monkeypatch):
    """A format that keeps what it is given, so that the frame is seen by itself."""
    kept = {}

    def write(answers, request):
        kept["answers"], kept["request"] = answers, request
        return Written(
            answers.num_rows - 1, {"the first": 1, "nothing": 0}, {"rows": 1}, {"none": 0}
        )

    monkeypatch.setitem(forms.FORMS, "seen", Form("for a test", write))
    return kept


def test_the_report_adds_up_and_leaves_out_zeros(seen, tmp_path):
    report = publish_table(
        table(answer("a"), answer("b")), to="seen", out=tmp_path / "x", dated="2026-05-01"
    )
    assert (report.answers, report.written, report.left_out, report.notes) == (
        2,
        1,
        {"the first": 1},
        {},
    )
    assert seen["request"].dated.isoformat() == "2026-05-01T00:00:00+00:00"


def test_a_writer_that_loses_an_answer_is_our_fault(monkeypatch, tmp_path):
    form = Form("for a test", lambda answers, request: Written(0, {}, {}))
    monkeypatch.setitem(forms.FORMS, "loses", form)
    with pytest.raises(AssertionError):
        publish_table(table(answer("a")), to="loses", out=tmp_path / "x", dated=DATED)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": "ecotaxia"}, "no such format. Did you mean 'ecotaxa'"),
        ({"dated": "yesterday"}, "no ISO 8601"),
        ({"grouping": "all"}, "Say taxon or each"),
        ({"counts": "nowhere.parquet"}, "nowhere.parquet: no such file"),
        ({"validated": "nowhere.csv"}, "nowhere.csv: no such file"),
    ],
)
def test_what_is_asked_for_wrongly_is_said(seen, tmp_path, given, said):
    asked = {"to": "seen", "out": tmp_path / "x", "dated": DATED, **given}
    with pytest.raises(SourceError, match=said):
        publish_table(table(answer("a"), answer("b")), **asked)


def test_nothing_is_written_over(seen, tmp_path):
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(SourceError, match="is there already"):
        publish_table(
            table(answer("a"), answer("b")), to="seen", out=tmp_path / "x.csv", dated=DATED
        )


def test_null_context_comes_from_the_collection_and_what_is_said_stays(tmp_path):
    lines = ["id,lat,ship", "r1,10.5,Meteor", "r2,11,Sonne"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    columns = {"written_label": "id", "latitude_deg": "lat", "cruise": "ship"}
    holotype.import_(
        "table", [tmp_path / "t.csv"], into=tmp_path / "c", source="s", columns=columns
    )
    opened = open_collection(tmp_path / "c")
    first, second = opened.columns(["record_id"])["record_id"].to_pylist()
    given = table(
        answer("a", record_id=second, cruise="Polarstern"),
        answer("b", record_id=first),
        answer("c", record_id="elsewhere"),
        answer("d", record_id=None),
    )
    filled, absent = with_context(given, opened)
    assert filled["latitude_deg"].to_pylist() == [11.0, 10.5, None, None]
    assert filled["cruise"].to_pylist() == ["Polarstern", "Meteor", None, None]
    assert filled.schema == ANSWER_SCHEMA
    assert absent == 2


PEOPLE = (
    "record_id,written_label,label_status,labelled_by,genus,species\n"
    "s/a,Calanus sp.,validated,Eva,Calanus,\n"
    "s/b,Oithona,predicted,RF,Oithona,\n"
    "s/c,,validated,Eva,,\n"
    "s/d,one,validated,Eva,Calanus,\n"
    "s/d,other,validated,Ann,Oithona,\n"
    "s/z,Calanus,validated,Eva,Calanus,\n"
)


def test_what_a_person_validated_takes_the_place_of_the_answer(tmp_path):
    (tmp_path / "p.csv").write_text(PEOPLE)
    given = table(*(ambiguous(name, **NET, novelty=0.5) for name in "abcd"))
    joined = with_validated(given, tmp_path / "p.csv")
    first, *others = joined.answers.to_pylist()
    assert joined.validated == 1
    assert joined.notes == {
        "not validated": 1,
        "validated without a name": 1,
        "validated twice, under different names": 2,
        "validated, but not among the answers": 1,
    }
    assert others == given.to_pylist()[1:]
    assert (first["answer"], first["taxon"], first["taxon_rank"]) == (
        "Calanus sp.",
        "Calanus",
        "genus",
    )
    assert (first["status"], first["labelled_by"]) == ("ValidatedByHuman", "Eva")
    assert first["decision_reason"] == "validated by Eva"
    unsaid = ("answer_score", "novelty", "score", "model", "kingdom", "top_k")
    assert {first[name] for name in unsaid} == {None}
    kept = ("input", "record_id", "latitude_deg", "sample_id")
    assert [first[name] for name in kept] == [given.to_pylist()[0][name] for name in kept]


def test_a_collection_is_a_table_of_people_too(tmp_path):
    (tmp_path / "ecotaxa_x.tsv").write_text(
        "object_id\tobject_annotation_status\tobject_annotation_category\tobject_annotation_person_name\n"
        "[t]\t[t]\t[t]\t[t]\no1\tvalidated\tOithona\tEva\no2\tpredicted\tOithona\tRF\n"
    )
    holotype.import_("ecotaxa", [tmp_path / "ecotaxa_x.tsv"], into=tmp_path / "c", source="s")
    joined = with_validated(table(answer("o1", FIN), answer("o2", FIN)), tmp_path / "c")
    assert joined.answers["status"].to_pylist() == ["ValidatedByHuman", "PredictedByMachine"]
    assert joined.answers["answer"].to_pylist() == ["Oithona", FIN[-1]]


def test_specimens_join_where_records_are_called_otherwise(tmp_path):
    text = "record_id,specimen_id,genus\nproject/a,a,Calanus\nproject/b,b,Oithona\n"
    (tmp_path / "p.csv").write_text(text)
    given = table(answer("a", FIN, record_id="zip/a"), answer("b", FIN, record_id=None))
    joined = with_validated(given, tmp_path / "p.csv")
    assert joined.answers["taxon"].to_pylist() == ["Calanus", "Oithona"]
    assert joined.notes == {}


def test_a_table_without_key_or_name_is_refused(tmp_path):
    (tmp_path / "p.csv").write_text("id,label\n1,x\n")
    with pytest.raises(SourceError, match="needs record_id"):
        with_validated(table(answer("a")), tmp_path / "p.csv")


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-x", "@sum", "\tx", "\rx", "\uff1d1", "'=x", "a=b", "", "é"]
)
def test_text_that_a_spreadsheet_would_run_is_escaped_and_numbers_never_are(text):
    runs = text.lstrip("'")[:1] in set("=+-@\t\r\uff1d") if text else False
    assert cell(text) == (f"'{text}" if runs else text)


@pytest.mark.parametrize("value", [-12.5, "-12.5", "+3", "1e-5", -7, True, None, "-0,5"])
def test_numbers_stay_numbers(value):
    assert cell(value) == ("" if value is None else str(value))


@pytest.mark.parametrize("name", ["x.zip", "x"])
def test_a_container_is_whole_or_not_there(tmp_path, name):
    def stop_in_the_middle():
        with container(tmp_path / name) as out:
            out.add("a/b.txt", b"1")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        stop_in_the_middle()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2024", 366 * 86_400 - 1),
        ("2023-02", 28 * 86_400 - 1),
        ("2024-05-02", 86_399),
        ("2024-05-02T10:00:00Z", 0),
        ("2024-05-01/2024-05-02", 2 * 86_400 - 1),
        ("2024-05-01T10:00+02:00/2024-05-01T09:00Z", 3_600),
        ("2024-5-1", None),
        ("20240501", None),
        ("2024-02-30", None),
        ("", None),
        ("/2024", None),
        ("9999-12", 31 * 86_400 - 1),
    ],
)
def test_spans_of_dates(written, seconds):
    span = span_of(written)
    assert (None if span is None else (span[1] - span[0]).total_seconds()) == seconds


def test_an_interval_holds_all_it_was_made_of():
    moments = [
        "2024-05-02",
        "2024-05-01T23:59:59Z",
        "2024-05-03T01:00:00+02:00",
        "2024-05-02T12:00:00",
    ]
    whole = moments[0]
    for moment in moments[1:]:
        whole = together(whole, moment)
    low, high = span_of(whole)
    assert all(low <= span_of(m)[0] and span_of(m)[1] <= high for m in moments)


def test_the_command_tells_what_stayed_out(tmp_path):
    rows = table(answer("a", CALANUS, **NET), answer("b", **NET, decision="failed", failure="x"))
    pq.write_table(rows, tmp_path / "answers.parquet")
    result = publishing.publish(
        tmp_path / "answers.parquet", to="ecotaxa-update", out=tmp_path / "u.zip", dated=DATED
    )
    assert "1 of 2 answers (ecotaxa-update)" in result.text
    assert "       1  left out: could not be read: see failure" in result.text
    checked = publishing.check_archive(tmp_path / "u.zip")
    assert "EcoTaxa import: 0 errors" in checked.text
    assert not checked.to_mend


def test_publish_reads_what_predict_writes(seen, tmp_path):
    rows = table(answer("a", FIN, top_k=json.dumps([])), answer("b"))
    pq.write_table(rows, tmp_path / "answers.parquet")
    report = publish(tmp_path / "answers.parquet", to="seen", out=tmp_path / "x")
    assert report.answers == 2
    assert seen["answers"].equals(pa.table(rows))


def test_when_and_by_what_comes_from_beside_the_answers(seen, tmp_path):
    path = tmp_path / "answers.parquet"
    pq.write_table(table(answer("a"), answer("b")), path)
    told = {
        "format": "holotype-run",
        "times": {"started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-02T03:04:05+00:00"},
        "versions": {"holotype": "0.0.7"},
    }
    (tmp_path / "answers.parquet.run.json").write_text(json.dumps(told))
    publish(path, to="seen", out=tmp_path / "x")
    assert seen["request"].dated.isoformat() == "2026-01-02T03:04:05+00:00"
    assert seen["request"].software == "Holotype 0.0.7"
    (tmp_path / "answers.parquet.run.json").write_text("{")
    os.utime(path, (0, 86_400))
    publish(path, to="seen", out=tmp_path / "x")
    assert seen["request"].dated.isoformat() == "1970-01-02T00:00:00+00:00"


@pytest.mark.parametrize(
    ("to", "given", "said"),
    [
        (
            "sintax",
            {"thresholds": "t.txt"},
            "--thresholds means nothing for sintax: it is for ifcb, syke",
        ),
        ("ecotaxa", {"backbone": "b.parquet"}, "--backbone means nothing .* for darwin-core"),
        ("ifcb", {"k": 3}, "--k means nothing for ifcb: it is for pybioclip"),
        ("speciesnet", {"counts": "c.csv"}, "--counts means nothing"),
        ("megadetector", {"grouping": "each"}, "--each means nothing"),
        ("pybioclip", {"k": 0}, "--k 0: ask for at least one"),
        ("pybioclip", {"k": -1, "rank": "label"}, "--k -1: ask for at least one"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(tmp_path, to, given, said):
    pq.write_table(table(answer("a"), answer("b")), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=said):
        publish(tmp_path / "a.parquet", to=to, out=tmp_path / "x", **given)
    assert not (tmp_path / "x").exists()
