"""The commands of a review, as they are typed."""

import json
from pathlib import Path

import pytest

from holotype.cli.options import Result
from holotype.cli.reviewing import app
from holotype.collection.store import open_collection
from holotype.reviewing.review import Review


def run(*words: str | Path) -> Result:
    found = app(args=[str(word) for word in words], standalone_mode=False)
    assert isinstance(found, Result)
    return found


def test_the_whole_way(collection, answered, tmp_path):
    ids = open_collection(collection).columns(["record_id"])["record_id"].to_pylist()[:50]
    (tmp_path / "ids.txt").write_text("\n".join(ids), encoding="utf-8")
    session = tmp_path / "session"
    made = run(
        "new", answered[0], "--collection", collection, "--embeddings", answered[1], "--out", session,
        "--records", tmp_path / "ids.txt", "--page-size", "10", "--json",
    )  # fmt: skip
    assert (made.report.records, made.as_json) == (50, True)
    assert "50 records" in made.text
    assert "not asked for" in made.text
    review = Review.open(session)
    review.confirm("Anna", review.session.record_ids[:20])
    review.relabel("Bo", review.session.record_ids[19:20], "Animalia")
    told = run("status", session)
    assert "20 of 50 records decided" in told.text
    assert f"differ on {review.session.record_ids[19]}" in told.text
    assert not told.to_mend
    assert "19 records changed" in run("apply", session).text
    assert "0 records changed" in run("apply", session).text
    assert "1 records changed" in run("apply", session, "--settle", "newest").text
    assert "50 of 50" in run("export", session, "--to", "csv", "--out", tmp_path / "d.csv").text
    update = run(
        "export",
        session,
        "--to",
        "ecotaxa-update",
        "--out",
        tmp_path / "u.zip",
        "--reviewer",
        "Anna",
    )
    assert "20 of 50" in update.text
    page = run("page", session, "--out", tmp_path / "r.html")
    assert page.report.pictures == 20
    assert page.report.bytes == (tmp_path / "r.html").stat().st_size


def test_a_damaged_log_is_to_mend(session):
    Review.open(session).unclassify("Anna", [Review.open(session).session.record_ids[0]])
    with (session / "log.jsonl").open("ab") as handle:
        handle.write(json.dumps({"no": "event"}).encode() + b"\n")
    told = run("status", session)
    assert told.to_mend
    assert "line 2" in told.text
    table = run("export", session, "--to", "csv", "--out", session.parent / "d.csv")
    assert table.to_mend
    assert "1  note: lines of log.jsonl are no events" in table.text


def test_a_list_without_ids_is_refused(collection, answered, tmp_path):
    (tmp_path / "ids.txt").write_text("\n \n")
    with pytest.raises(ValueError, match="names no record"):
        run("new", answered[0], "--collection", collection, "--embeddings", answered[1],
            "--out", tmp_path / "s", "--records", tmp_path / "ids.txt")  # fmt: skip


def test_apply_says_which_labels_have_no_lineage(session, collection):
    review = Review.open(session)
    review.relabel("Anna", review.session.record_ids[:2], "Blob type 3")
    told = run("apply", session, "--collection", collection)
    assert "without a lineage: Blob type 3" in told.text
