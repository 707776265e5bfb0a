"""Write-back and exports: labels with their lineage, once; everything else stays; and back again."""

import csv
import json
import re

import pyarrow as pa
import pytest

from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import open_collection
from holotype.errors import SourceError
from holotype.exchange.answers.validated import with_validated
from holotype.exchange.check import check_archive
from holotype.identify.read_answers import read_answers
from holotype.reviewing import apply
from holotype.reviewing.apply import apply_review
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.export import CSV_COLUMNS, export_review
from holotype.reviewing.page import review_page
from holotype.reviewing.review import Review
from holotype.reviewing.settle import Settle

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")


def rows_of(collection):
    return {row["record_id"]: row for row in open_collection(collection).columns().to_pylist()}


@pytest.fixture
def review(session):
    """Seven records confirmed, two relabelled, one unclassified, one disputed, one under a new label."""
    review = Review.open(session)
    ids = review.session.record_ids
    review.confirm("Anna", ids[:7])
    review.confirm("Bo", ids[:2])
    genus = next(one for one in review.session.book.labels if one.rank == "genus")
    review.relabel("Anna", ids[7:9], genus.name)
    review.unclassify("Bo", ids[9:10])
    review.confirm("Anna", ids[10:11])
    review.relabel("Bo", ids[10:11], "Animalia")
    review.relabel("Anna", ids[11:12], "Blob type 3")
    return review


def test_labels_come_with_their_lineage_and_nothing_else_changes(review, collection):
    ids, book = review.session.record_ids, review.session.book
    before, images = rows_of(collection), list(open_collection(collection).images())
    report = apply_review(review.session.path, collection=collection)
    after = rows_of(collection)
    assert report.outcomes == {
        "left: reviewers differ": 1, "not decided": len(ids) - 12, "unclassified": 1, "validated": 10,
    }  # fmt: skip
    assert report.changed == 11
    assert (report.disputed, report.new_labels) == ([ids[10]], ["Blob type 3"])
    for record in ids[:9]:
        row = after[record]
        decided = review.decisions(record)
        label = book.by_name[next(iter(decided.values())).label]
        assert {r: row[r] for r in RANKS if row[r]} == {
            r.value: n for r, n in label.concept.lineage
        }
        assert row["label_status"] == "validated"
        assert row["labelled_by"] == "; ".join(sorted(decided))
    gone = after[ids[9]]
    assert (gone["written_label"], gone["label_status"], gone["labelled_by"]) == (None, None, "Bo")
    assert not any(gone[rank] for rank in RANKS)
    new = after[ids[11]]
    assert (new["written_label"], new["genus"], new["label_status"]) == (
        "Blob type 3",
        None,
        "validated",
    )
    assert after[ids[10]] == before[ids[10]]
    labels = {
        "written_label",
        *RANKS,
        "qualifier",
        "kind",
        "group",
        "label_status",
        "labelled_by",
        "extra",
    }
    for record, row in before.items():
        assert {n: v for n, v in row.items() if n not in labels} == {
            n: v for n, v in after[record].items() if n not in labels
        }
        if record not in ids[:12]:
            assert row == after[record]
    assert list(open_collection(collection).images()) == images


def test_it_is_in_the_manifest_and_the_ledger(review, collection):
    before = open_collection(collection)
    items = len(before.ledger())
    apply_review(review.session.path, collection=collection)
    opened = open_collection(collection)
    (step,) = opened.manifest["steps"]
    assert (step["step"], step["session_id"], step["records"]) == ("review", review.session.id, 11)
    assert step["reviewers"] == ["Anna", "Bo"]
    ledger = [row for row in opened.ledger().to_pylist() if row["reason"] == "reviewed"]
    assert sorted(row["record_id"] for row in ledger) == sorted(
        one for one in review.session.record_ids[:12] if one != review.session.record_ids[10]
    )
    assert len(opened.ledger()) == items
    assert sum(opened.manifest["outcomes"].values()) == sum(before.manifest["outcomes"].values())
    assert all("by" in row["detail"] and "was" in row["detail"] for row in ledger)


def test_a_second_write_changes_nothing(review, collection):
    first = apply_review(review.session.path, collection=collection)
    fingerprint = open_collection(collection).fingerprint
    second = apply_review(review.session.path, collection=collection)
    assert second.changed == 0
    assert second.outcomes == first.outcomes
    assert open_collection(collection).fingerprint == fingerprint
    assert len(open_collection(collection).manifest["steps"]) == 1


def test_what_is_taken_back_is_given_back(review, collection):
    before = open_collection(collection).columns()
    apply_review(review.session.path, collection=collection)
    while review.undo("Anna") or review.undo("Bo"):
        pass
    report = apply_review(review.session.path, collection=collection)
    assert report.outcomes["taken back"] == 11
    assert open_collection(collection).columns().equals(before)


MATCHED = {
    "kingdom": "Animalia", "order": "Calanoida", "family": "Calanidae", "genus": "Calanus",
    "name_status": "matched", "backbone": "a checklist 2026",
}  # fmt: skip


def write_columns(collection, records, columns):
    """Writes into columns of records, as another command does: names matched, a label by hand."""

    def change(table):
        ids = table["record_id"].to_pylist()
        for name, value in columns.items():
            old = table[name].to_pylist()
            new = [value if one in records else was for one, was in zip(ids, old, strict=True)]
            at = RECORDS_SCHEMA.get_field_index(name)
            field = RECORDS_SCHEMA.field(at)
            table = table.set_column(at, field, pa.array(new, field.type))
        return table

    rewrite_records(collection, change, step={"step": "names"})


def test_a_second_write_keeps_the_names_that_were_matched_since(session, collection):
    review = Review.open(session)
    ids = review.session.record_ids
    review.relabel("Anna", ids[:3], "Calanus")
    review.confirm("Anna", ids[3:4])
    assert apply_review(session, collection=collection).new_labels == ["Calanus"]
    write_columns(collection, ids[:4], MATCHED)
    matched = rows_of(collection)
    review.confirm("Anna", ids[4:5])
    report = apply_review(session, collection=collection)
    assert (report.changed, report.new_labels) == (1, [])
    after = rows_of(collection)
    assert {one: after[one] for one in ids[:4]} == {one: matched[one] for one in ids[:4]}
    # another reviewer who says the same is named; the names stay
    review.relabel("Bo", ids[:1], "Calanus")
    assert apply_review(session, collection=collection).changed == 1
    row = rows_of(collection)[ids[0]]
    assert row["labelled_by"] == "Anna; Bo"
    assert {name: row[name] for name in MATCHED} == MATCHED
    assert apply_review(session, collection=collection).changed == 0


def test_taking_back_leaves_no_name_of_the_review_and_all_that_is_not_of_it(session, collection):
    before = rows_of(collection)
    review = Review.open(session)
    ids = review.session.record_ids
    same, current = next(
        (row["record_id"], row["current"])
        for row in review.session.items.to_pylist()[2:] if row["current"]
    )  # fmt: skip
    review.relabel("Anna", ids[:2], "Calanus")
    review.relabel("Anna", [same], current)
    apply_review(session, collection=collection)
    write_columns(collection, ids[:1], MATCHED)  # to the label of the review
    write_columns(collection, [same], {"name_status": "matched", "aphia_id": "104464"})
    write_columns(collection, ids[1:2], {"written_label": "by hand", "labelled_by": "Cy"})
    named = rows_of(collection)
    while review.undo("Anna"):
        pass
    assert apply_review(session, collection=collection).outcomes["taken back"] == 3
    after = rows_of(collection)
    assert after[ids[0]] == before[ids[0]]
    kept = {"written_label": "by hand", "labelled_by": "Cy", "genus": None, "kingdom": None}
    assert {name: after[ids[1]][name] for name in kept} == kept
    assert after[ids[1]]["label_status"] == before[ids[1]]["label_status"]
    for name in ("name_status", "aphia_id", "genus", "kingdom"):
        assert after[same][name] == named[same][name]
    assert after[same]["labelled_by"] == before[same]["labelled_by"]


def test_names_that_were_matched_before_the_write_stay_where_they_mean_the_same(
    session, collection
):
    review = Review.open(session)
    items = review.session.items.to_pylist()
    before = rows_of(collection)
    row = next(
        one for one in items
        if before[one["record_id"]]["family"] and before[one["record_id"]]["order"]
    )  # fmt: skip
    wider = {"other_ranks": [{"rank": "superfamily", "name": "Calanoidea"}]}
    write_columns(collection, [row["record_id"]], wider)
    review.relabel("Anna", [row["record_id"]], row["current"])
    apply_review(session, collection=collection)
    assert rows_of(collection)[row["record_id"]]["other_ranks"] == wider["other_ranks"]


def test_a_record_that_is_disputed_after_it_was_written_is_left(session, collection):
    review = Review.open(session)
    record = review.session.record_ids[0]
    review.relabel("Anna", [record], "Animalia")
    apply_review(session, collection=collection)
    written = rows_of(collection)
    review.relabel("Bo", [record], "Blob type 3")
    report = apply_review(session, collection=collection)
    assert (report.changed, report.disputed) == (0, [record])
    assert rows_of(collection) == written


def test_a_reviewer_who_is_none_is_no_reason_to_take_all_back(review, collection):
    apply_review(review.session.path, collection=collection)
    written = rows_of(collection)
    with pytest.raises(
        ReviewError, match=r"no reviewer 'Ana' in this session\. Did you mean 'Anna'\?"
    ):
        apply_review(review.session.path, collection=collection, reviewers=["Ana"])
    assert rows_of(collection) == written
    # in other capitals it is the same person
    one = apply_review(review.session.path, collection=collection, reviewers=["ANNA"])
    assert one.outcomes["taken back"] == 1  # what Bo alone said
    assert one.outcomes["validated"] == 11


def test_a_reviewer_who_decided_nothing_is_no_reason_to_take_all_back(review, collection):
    apply_review(review.session.path, collection=collection)
    written = rows_of(collection)
    review.note("Cy", review.session.record_ids[:1], "hm")
    review.confirm("Di", review.session.record_ids[:1])
    review.undo("Di")
    for name in ("Cy", "di"):
        with pytest.raises(ReviewError, match=r"reviewer '(Cy|Di)' has decided nothing"):
            apply_review(review.session.path, collection=collection, reviewers=["Anna", name])
    assert rows_of(collection) == written


def test_a_damaged_log_takes_nothing_back(review, collection, tmp_path):
    path = review.session.path
    apply_review(path, collection=collection)
    written = rows_of(collection)
    log = path / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"kind"', b'"kynd"', 1))
    with pytest.raises(
        ReviewError, match=r"log\.jsonl: 1 line .*first line 1 \(no event: 'kind'\)"
    ):
        apply_review(path, collection=collection)
    report = export_review(path, to="csv", out=tmp_path / "d.csv", collection=collection)
    assert [number for said, number in report.notes.items() if "no events" in said] == [1]
    review_page(path, out=tmp_path / "r.html", collection=collection)
    assert "that are no events" in (tmp_path / "r.html").read_text(encoding="utf-8")
    # without the line: what it had said was written, and stays
    log.write_bytes(whole.partition(b"\n")[2])
    report = apply_review(path, collection=collection)
    assert report.outcomes["left: written by this review, but its log has no decision on it"] == 5
    assert report.changed == 2  # of these Bo says the same, and signs alone
    log.write_bytes(b"")
    report = apply_review(path, collection=collection)
    assert (report.changed, "taken back" in report.outcomes) == (0, False)
    log.write_bytes(whole)
    apply_review(path, collection=collection)
    after = rows_of(collection)
    names = ("written_label", "genus", "label_status", "labelled_by")
    assert {r: [row[n] for n in names] for r, row in after.items()} == {
        r: [row[n] for n in names] for r, row in written.items()
    }


def test_labels_that_no_taxon_is_known_of_are_told(session, collection):
    import pyarrow.parquet as pq

    labels = pq.read_table(session / "labels.parquet")
    rows = labels.to_pylist()
    review = Review.open(session)
    row = review.session.items.to_pylist()[0]
    other = next(one for one in rows if one["rank"] == "genus" and one["name"] != row["current"])
    for name in ("lineage", "qualifier", "kind", "group"):
        other[name] = None  # as of a session without the model
    pq.write_table(pa.Table.from_pylist(rows, schema=labels.schema), session / "labels.parquet")
    review = Review.open(session)
    review.relabel("Anna", [row["record_id"]], other["name"])
    review.confirm("Anna", review.session.record_ids[1:2])
    assert not review.state.new_labels()
    assert apply_review(session, collection=collection).new_labels == [other["name"]]


def test_a_record_that_changes_while_it_is_written_keeps_both(review, collection, monkeypatch):
    """The ledger and the columns come of what the rewrite finds, not of what was there a moment before."""
    record = review.session.record_ids[0]
    write, asked = apply.rewrite_records, []

    def late(*args, **words):
        if not asked:
            asked.append(record)
            write_columns(collection, asked, {"written_label": "meanwhile", "genus": "Meanwhile"})
        write(*args, **words)

    monkeypatch.setattr(apply, "rewrite_records", late)
    apply_review(review.session.path, collection=collection)
    opened = open_collection(collection)
    (said,) = [row["detail"] for row in opened.ledger().to_pylist() if row["record_id"] == record]
    assert said.endswith("was meanwhile")
    kept = json.loads(json.loads(rows_of(collection)[record]["extra"])["before_review"])
    assert kept[0]["columns"]["written_label"] == "meanwhile"
    assert [step["step"] for step in opened.manifest["steps"]] == ["names", "review"]


def test_a_later_decision_replaces_the_one_that_was_written(review, collection):
    ids = review.session.record_ids
    apply_review(review.session.path, collection=collection)
    review.relabel("Anna", ids[2:3], "Animalia")
    report = apply_review(review.session.path, collection=collection)
    assert report.changed == 1
    row = rows_of(collection)[ids[2]]
    assert (row["kingdom"], row["phylum"], row["written_label"]) == ("Animalia", None, "Animalia")
    kept = json.loads(json.loads(row["extra"])["before_review"])
    assert len(kept) == 1
    review.undo("Anna")
    apply_review(review.session.path, collection=collection)
    assert rows_of(collection)[ids[2]]["genus"] is not None


@pytest.mark.parametrize(
    ("settle", "reviewers", "label"),
    [
        (Settle.NEWEST, (), "Animalia"),
        (Settle.AGREED, ("Bo",), "Animalia"),
        (Settle.MAJORITY, (), None),
    ],
)
def test_where_reviewers_differ_one_may_choose(review, collection, settle, reviewers, label):
    record = review.session.record_ids[10]
    report = apply_review(
        review.session.path, collection=collection, settle=settle, reviewers=reviewers
    )
    assert ("left: reviewers differ" in report.outcomes) == (label is None)
    assert rows_of(collection)[record]["written_label"] == label


def test_a_record_of_another_content_is_left(review, collection, session):
    items = review.session.items
    hashes = ["other", *items["content_hash"].to_pylist()[1:]]
    at = items.schema.get_field_index("content_hash")
    import pyarrow.parquet as pq

    pq.write_table(
        items.set_column(at, items.schema.field(at), pa.array(hashes)), session / "items.parquet"
    )
    report = apply_review(session, collection=collection)
    assert report.outcomes["left: another record has this id now"] == 1
    assert sum(report.outcomes.values()) == len(items)


def test_what_nobody_looked_at_goes_to_nobody(review, collection, tmp_path):
    """Two decided records have another content now: another image under the same id."""
    path, ids = review.session.path, review.session.record_ids
    write_columns(collection, [ids[0], ids[7]], {"content_hash": "other"})
    said = "another record has this id now"
    applied = apply_review(path, collection=collection).outcomes
    update = export_review(path, to="ecotaxa-update", out=tmp_path / "u.zip", collection=collection)
    assert applied[f"left: {said}"] == update.left_out[said] == 2
    assert update.written == applied["validated"] == 8
    table = export_review(path, to="csv", out=tmp_path / "d.csv", collection=collection)
    assert table.notes == {f"decided, but {said}": 2}
    page = review_page(path, out=tmp_path / "r.html", collection=collection)
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (page.decided, page.pictures, page.without) == (12, 10, {said: 2})
    for record in ids[:12]:
        assert (f'alt="Record {record}"' in html) == (record not in {ids[0], ids[7]})
    assert html.count(f'<div class="nothing">{said}</div>') == 2


def test_validated_records_are_read_by_publish(review, collection, answered):
    apply_review(review.session.path, collection=collection)
    joined = with_validated(read_answers(answered[0]), collection)
    assert joined.validated == 10


def test_the_table_has_every_record(review, collection, tmp_path):
    out = tmp_path / "review.csv"
    report = export_review(review.session.path, to="csv", out=out, collection=collection)
    with out.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert report.written == len(rows) == len(review.session)
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert [row["outcome"] for row in rows[:13]] == [
        *["validated"] * 9, "unclassified", "disputed", "validated", "not decided",
    ]  # fmt: skip
    assert rows[11]["new_label"] == "true"
    assert rows[10]["decisions"].startswith("Anna: ")
    with pytest.raises(SourceError, match="is there already"):
        export_review(review.session.path, to="csv", out=out, collection=collection)
    with pytest.raises(SourceError, match="no such format"):
        export_review(review.session.path, to="xls", out=tmp_path / "x", collection=collection)


def test_ecotaxa_takes_the_update(review, collection, tmp_path):
    out = tmp_path / "update.zip"
    report = export_review(review.session.path, to="ecotaxa-update", out=out, collection=collection)
    assert report.written == 10
    assert report.written + sum(report.left_out.values()) == len(review.session)
    assert check_archive(out).errors == 0
    import zipfile

    with zipfile.ZipFile(out) as archive:
        lines = archive.read("ecotaxa_update.tsv").decode("utf-8-sig").splitlines()
    table = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[2:]]
    assert len(table) == 10
    assert {row["object_annotation_status"] for row in table} == {"validated"}
    assert {row["object_annotation_person_name"] for row in table} == {"Anna", "Anna; Bo"}
    assert all(re.fullmatch(r"\d{8}", row["object_annotation_date"]) for row in table)
    assert all(re.fullmatch(r"\d{6}", row["object_annotation_time"]) for row in table)


def test_nothing_decided_is_no_update(session, collection, tmp_path):
    words = {"to": "ecotaxa-update", "out": tmp_path / "u.zip", "collection": collection}
    review = Review.open(session)
    size = len(review.session)
    with pytest.raises(
        SourceError, match=f"no record can be written for EcoTaxa: {size} not decided"
    ):
        export_review(session, **words)
    review.unclassify("Anna", review.session.record_ids[:3])
    said = f"3 unclassified: EcoTaxa keeps what it has; {size - 3} not decided"
    with pytest.raises(SourceError, match=said):
        export_review(session, **words)
    assert not (tmp_path / "u.zip").exists()


def test_the_page_tells_all_and_asks_nobody(review, collection, tmp_path):
    review.note("<b>Eve</b>", review.session.record_ids[:1], "<script>alert(1)</script>")
    report = review_page(review.session.path, out=tmp_path / "r.html", collection=collection)
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (report.decided, report.pictures, report.left_out) == (12, 12, 0)
    assert html.count('src="data:image/') == 12
    assert "<script>alert" not in html
    assert "<b>Eve" not in html
    assert "&lt;script&gt;alert" in html
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert "Blob type 3" in html
    few = review_page(review.session.path, out=tmp_path / "f.html", collection=collection, most=3)
    assert (few.pictures, few.left_out) == (3, 9)
    # disputed records come first, then changed ones
    assert review.session.record_ids[10] in (tmp_path / "f.html").read_text(encoding="utf-8")


def test_the_page_counts_disputed_records_as_one_asks(review, collection, tmp_path):
    told = {}
    for settle in Settle:
        out = tmp_path / f"{settle}.html"
        review_page(review.session.path, out=out, collection=collection, settle=settle)
        told[settle] = out.read_text(encoding="utf-8")
    assert "<small>counts as Animalia" in told[Settle.NEWEST]
    assert "what was said last counts" in told[Settle.NEWEST]
    for settle in (Settle.AGREED, Settle.MAJORITY):
        assert "<small>counts as" not in told[settle]
    assert all("Nobody differs." not in html for html in told.values())
