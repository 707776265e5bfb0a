"""Licences: counted, enforced with a reason in the ledger, credited."""

import pyarrow as pa
import pytest

import holotype
from holotype.collection.licensing import (
    column_allowed,
    credits_text,
    rows_allowed,
    what_may_be_done,
)
from holotype.collection.store import open_collection
from holotype.errors import SourceError

ROWS = """record_id,species,licence,rights_holder,citation
a,Calanus a,CC BY 4.0,Ann,doi:10.1/a
b,Calanus a,cc-by-nc-4.0,Ben,doi:10.1/a
c,Calanus b,,,
d,Calanus b,http://creativecommons.org/publicdomain/zero/1.0/,Ann,
e,Calanus b,MIT,Eve,
"""


@pytest.fixture
def collection(tmp_path):
    (tmp_path / "t.csv").write_text(ROWS)
    holotype.import_("table", [tmp_path / "t.csv"], into=tmp_path / "c")
    return tmp_path / "c"


def test_licences_are_spdx_and_counted(collection):
    report = holotype.licences(collection)
    assert report.licences == {
        "CC-BY-4.0": 1,
        "CC-BY-NC-4.0": 1,
        "CC0-1.0": 1,
        "MIT": 1,
        "not stated": 1,
    }
    assert (report.records, report.set_aside) == (5, 0)
    assert report.may["commercial"]["answer"] == "no"  # CC-BY-NC forbids it
    assert report.may["share"]["answer"] == "unknown"  # one is not stated, one is of programs
    origins = open_collection(collection).columns(["licence_from"])["licence_from"].to_pylist()
    assert origins == ["record", "record", None, "record", "record"]


@pytest.mark.parametrize(
    ("allow", "kept"),
    [
        (["open"], "ad"),
        (["CC-BY-4.0", "CC0-1.0"], "ad"),
        (["CC-BY*"], "a"),
        (["non-commercial"], "abd"),
        (["gbif", "not-stated"], "abcd"),
    ],
)
def test_what_is_not_allowed_is_set_aside_with_a_reason(collection, allow, kept):
    report = holotype.licences(collection, allow=allow)
    opened = open_collection(collection)
    ids = opened.columns(["record_id"])["record_id"].to_pylist()
    assert ids == [f"t/{name}" for name in kept]
    assert report.set_aside == 5 - len(kept)
    ledger = opened.ledger().to_pylist()
    gone = [entry for entry in ledger if entry["outcome"] == "set_aside"]
    assert len(gone) == 5 - len(kept)
    assert all("is none of" in entry["detail"] and entry["record_id"] is None for entry in gone)
    assert opened.manifest["outcomes"]["set_aside"] == len(gone)
    assert sum(opened.manifest["outcomes"].values()) == 5
    again = holotype.licences(collection, allow=allow)
    assert again.set_aside == 0
    assert open_collection(collection).fingerprint == opened.fingerprint


def test_a_licence_that_is_none(collection):
    with pytest.raises(SourceError, match="no such licence"):
        holotype.licences(collection, allow=["CC-BYE-9"])
    assert len(open_collection(collection)) == 5


def test_the_credits_name_everyone_once(collection, tmp_path):
    holotype.licences(collection, attribution=tmp_path / "ATTRIBUTION.md")
    text = (tmp_path / "ATTRIBUTION.md").read_text()
    assert text.count("rights holder: Ann") == 2
    assert "1 records; CC-BY-NC-4.0; rights holder: Ben; cite: doi:10.1/a" in text
    assert "1 records; licence not stated" in text


def test_unknown_licences_pass_no_pattern_but_their_own():
    held = [None, "other", "CC-BY-4.0"]
    assert rows_allowed(held, ["open"]).tolist() == [False, False, True]
    assert rows_allowed(held, ["not-stated"])[0]


def test_open_records_alone_may_be_used_for_everything():
    may = what_may_be_done({"CC-BY-4.0": 3, "CC0-1.0": 1})
    assert {use: verdict["answer"] for use, verdict in may.items()} == {
        "share": "yes",
        "adapt": "yes",
        "commercial": "yes",
    }
    assert may["adapt"]["conditions"] == ["give credit to the source and name its licence"]


def test_a_collection_without_records_promises_nothing():
    for verdict in what_may_be_done({}).values():
        assert verdict == {"answer": "unknown", "reasons": ["no records"], "conditions": []}


def test_credits_are_one_line_each_and_show_as_written():
    columns = {
        "source": ["net\n## planted"],
        "licence": [None],
        "rights_holder": ["Ann\r\n# Owner of all <b>"],
        "citation": ["A [1]\u2028* B"],
    }
    lines = credits_text(pa.table(columns), title="Sources").splitlines()
    assert [line for line in lines if line.startswith("#")] == ["# Sources", "## net ## planted"]
    assert lines[-1] == (
        r"- 1 records; licence not stated; rights holder: Ann # Owner of all \<b\>; cite: A \[1\] \* B"
    )


def test_a_column_is_judged_as_its_rows_are():
    held = [None, "other", "CC-BY-4.0", "CC0-1.0", None, "CC-BY-NC-4.0"]
    for patterns in (["open"], ["not-stated"], ["CC-BY*", "not-stated"], ["gbif"]):
        column = pa.chunked_array([held[:2], held[2:]], pa.string())
        wanted = rows_allowed(held, patterns).tolist()
        assert column_allowed(column, patterns).to_pylist() == wanted


def test_setting_aside_spans_all_imports(collection, tmp_path):
    (tmp_path / "u.csv").write_text(ROWS)
    holotype.import_("table", [tmp_path / "u.csv"], into=collection)
    report = holotype.licences(collection, allow=["open"])
    assert (report.records, report.set_aside) == (4, 6)
    details = open_collection(collection).ledger().to_pylist()
    gone = sorted(e["detail"].split("; ")[-1] for e in details if e["outcome"] == "set_aside")
    assert gone == sorted(
        f"licence '{name}' is none of open"
        for name in ("CC-BY-NC-4.0", "not stated", "MIT")
        for _ in "tu"
    )
