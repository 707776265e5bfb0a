"""Sessions: made of answers, embeddings and a collection; opened whole or not at all."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.collection.rewrite import rewrite_records
from holotype.collection.store import open_collection
from holotype.errors import BundleError, SourceError
from holotype.reviewing import make as make_module
from holotype.reviewing.apply import apply_review
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.labels import Origin
from holotype.reviewing.make import new_session
from holotype.reviewing.review import Review, review_status
from holotype.reviewing.session import Order, Proposal, open_session, session_name, sessions_in
from holotype.reviewing.wanted import Wanted


def make(collection, answered, out, **more):
    return new_session(answered[0], collection=collection, embeddings=answered[1], out=out, **more)


def test_it_has_every_record_once_and_says_what_it_is_of(tiny_collection, answered, made_session):
    session, opened = open_session(made_session), open_collection(tiny_collection)
    assert sorted(session.record_ids) == sorted(
        opened.columns(["record_id"])["record_id"].to_pylist()
    )
    assert session.manifest["collection"]["fingerprint"] == opened.fingerprint
    assert session.manifest["answers"]["model"] == "m"
    said = {row["record_id"]: row for row in pq.read_table(answered[0]).to_pylist()}
    for row in session.items.to_pylist():
        assert row["proposal"] == row["label"] == said[row["record_id"]]["label"]
        assert row["score"] == said[row["record_id"]]["score"]
    assert [list(rows) for rows in session.rows_of_page] == [
        [at for at, page in enumerate(session.items["page"].to_pylist()) if page == number]
        for number in range(session.pages)
    ]
    assert max(map(len, session.rows_of_page)) <= 10


def test_pages_of_look_alikes_are_purer_than_at_random(made_session):
    measured = open_session(made_session).manifest["purity"]
    assert measured["of_pages"] > 2 * measured["of_random"]


def test_pages_and_records_come_by_doubt_or_novelty(made_session):
    session = open_session(made_session)
    score = session.column("score")
    pages = session.page_order(Order.DOUBT)
    doubt = [1 - score[session.rows_of_page[page]].mean() for page in pages]
    assert doubt == sorted(doubt, reverse=True)
    rows = session.rows(pages[0], Order.DOUBT)
    assert sorted(rows) == sorted(session.rows(pages[0], Order.GROUP))
    assert [score[row] for row in rows] == sorted(score[row] for row in rows)
    assert session.page_order(Order.GROUP) == list(range(session.pages))
    assert sorted(session.page_order(Order.NOVELTY)) == list(range(session.pages))


def test_a_filter_narrows_it_and_the_rest_is_counted(tiny_collection, answered, tmp_path):
    ids = open_collection(tiny_collection).columns(["record_id"])["record_id"].to_pylist()
    some = frozenset(ids[:30])
    report = make(tiny_collection, answered, tmp_path / "a", wanted=Wanted(record_ids=some))
    assert (report.records, report.left_out) == (30, {"not asked for": len(ids) - 30})
    novel = make(
        tiny_collection, answered, tmp_path / "b", wanted=Wanted(decisions=frozenset({"novel"}))
    )
    assert set(open_session(tmp_path / "b").items["decision"].to_pylist()) == {"novel"}
    assert novel.records + novel.left_out["not asked for"] == len(ids)
    label = open_session(tmp_path / "a").items["label"][0].as_py()
    make(tiny_collection, answered, tmp_path / "c", wanted=Wanted(labels=frozenset({label})))
    of_label = open_session(tmp_path / "c").items.to_pylist()
    assert any(row["label"] == label for row in of_label)
    assert all(label in {row["label"], row["current"]} for row in of_label)


def test_what_confirming_gives_may_be_chosen(tiny_collection, answered, tmp_path):
    make(tiny_collection, answered, tmp_path / "s", proposal=Proposal.COLLECTION)
    items = open_session(tmp_path / "s").items
    assert items["proposal"].equals(items["current"])


def test_what_does_not_fit_together_is_refused(tiny_collection, answered, tmp_path):
    table = pq.read_table(answered[1])
    pq.write_table(table.slice(1), tmp_path / "less.parquet")
    with pytest.raises(SourceError, match="not those of the"):
        make(tiny_collection, (answered[0], tmp_path / "less.parquet"), tmp_path / "s")
    with pytest.raises(SourceError, match="no embeddings"):
        make(tiny_collection, (answered[0], answered[0]), tmp_path / "s")
    with pytest.raises(SourceError, match="no decision 'nowel'"):
        make(
            tiny_collection, answered, tmp_path / "s", wanted=Wanted(decisions=frozenset({"nowel"}))
        )
    with pytest.raises(SourceError, match="none of its"):
        make(tiny_collection, answered, tmp_path / "s", wanted=Wanted(record_ids=frozenset({"?"})))
    with pytest.raises(BundleError, match="no bundle"):
        make(tiny_collection, answered, tmp_path / "s", model=tmp_path)
    twice = pa.concat_tables([pq.read_table(answered[0])] * 2)
    pq.write_table(twice, tmp_path / "twice.parquet")
    pq.write_table(pa.concat_tables([table] * 2), tmp_path / "z2.parquet")
    with pytest.raises(SourceError, match="answers some record twice"):
        make(tiny_collection, (tmp_path / "twice.parquet", tmp_path / "z2.parquet"), tmp_path / "s")
    assert not (tmp_path / "s").exists()
    make(tiny_collection, answered, tmp_path / "s")
    with pytest.raises(ReviewError, match="is there already"):
        make(tiny_collection, answered, tmp_path / "s")


def test_a_session_that_was_made_meanwhile_is_not_written_over(
    tiny_collection, answered, tmp_path, monkeypatch
):
    out = tmp_path / "s"
    table = open_collection(tiny_collection).columns(["record_id"])
    ids = table["record_id"].to_pylist()
    grouped, made = make_module.paged, []

    def slow(*args, **words):
        if not made:
            made.append(out)
            make(tiny_collection, answered, out, wanted=Wanted(record_ids=frozenset(ids[:30])))
            Review.open(out).unclassify("Anna", ids[:4])
        return grouped(*args, **words)

    monkeypatch.setattr(make_module, "paged", slow)
    with pytest.raises(ReviewError, match="is there already"):
        make(tiny_collection, answered, out, wanted=Wanted(record_ids=frozenset(ids[50:60])))
    found = review_status(out)
    assert (found.records, found.decided) == (30, 4)


def test_a_session_whose_log_is_gone_is_an_error(session):
    Review.open(session).unclassify("Anna", open_session(session).record_ids[:1])
    (session / "log.jsonl").unlink()
    with pytest.raises(ReviewError, match=r"log\.jsonl: is gone"):
        Review.open(session)


def test_answers_to_other_records_are_counted(tiny_collection, answered, tmp_path):
    said = pq.read_table(answered[0])
    row = {**said.slice(0, 1).to_pylist()[0], "record_id": "elsewhere", "input": "c/elsewhere"}
    more = pa.concat_tables([said, pa.Table.from_pylist([row], schema=said.schema)])
    z = pq.read_table(answered[1])
    far = {**z.slice(0, 1).to_pylist()[0], "input": "c/elsewhere"}
    pq.write_table(more, tmp_path / "a.parquet")
    pq.write_table(
        pa.concat_tables([z, pa.Table.from_pylist([far], schema=z.schema)]), tmp_path / "z.parquet"
    )
    report = make(tiny_collection, (tmp_path / "a.parquet", tmp_path / "z.parquet"), tmp_path / "s")
    assert report.left_out == {"answer to no record of the collection": 1}
    assert report.records == said.num_rows


@pytest.mark.parametrize("name", ["items.parquet", "labels.parquet", "session.json"])
def test_a_damaged_session_is_an_error(session, name):
    (session / name).write_bytes(b"PAR1 no more")
    with pytest.raises(ReviewError):
        open_session(session)


def test_another_version_is_an_error(session):
    manifest = json.loads((session / "session.json").read_text())
    (session / "session.json").write_text(json.dumps({**manifest, "version": 99}))
    with pytest.raises(ReviewError, match="version 99"):
        open_session(session)


def test_an_unfinished_session_is_none(tmp_path, session):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "items.parquet").write_bytes(b"")
    assert sessions_in(tmp_path) == [session]


def test_labels_are_found_by_a_few_letters(made_session):
    book = open_session(made_session).book
    genus = next(one for one in book.labels if one.rank == "genus")
    assert book.found(genus.name.upper())[0] == genus
    assert genus in book.found(genus.name[:5])
    typo = genus.name[:3] + genus.name[4] + genus.name[3] + genus.name[5:]
    assert genus in book.found(typo)
    assert len(book.found("", most=5)) == 5
    kingdom = book.by_name["Animalia"]
    assert (kingdom.origin, kingdom.rank) == (Origin.TAXON, "kingdom")
    assert len({one.name for one in book.labels}) == len(book.labels)


def test_labels_of_the_model_have_its_lineages(tiny_collection, answered, tiny_run, tmp_path):
    make(tiny_collection, answered, tmp_path / "s", model=tiny_run)
    book = open_session(tmp_path / "s").book
    labels = json.loads((tiny_run / "bundle.json").read_text())["labels"]
    for label in labels:
        known = book.by_name[label["name"]]
        assert {rank.value: name for rank, name in known.concept.lineage} == label["lineage"]


def test_a_review_says_how_far_it_is(session):
    review = Review.open(session)
    ids = review.session.record_ids
    page = [ids[row] for row in review.session.rows(0, Order.GROUP)]
    review.confirm("Anna", page)
    review.relabel("Bo", page[:2], "Never heard of")
    review.note("Bo", page[:1], "look again")
    found = review_status(session)
    assert (found.decided, found.pages_done, found.notes) == (len(page), 1, 1)
    assert found.reviewers == {"Anna": len(page), "Bo": 2}
    assert found.kinds == {"confirm": len(page), "relabel": 2}
    assert found.disputed == page[:2]
    assert found.new_labels == {"Never heard of": "Bo"}
    assert (found.agreement.records, found.agreement.disputed) == (2, 2)
    assert sum(count for _, _, count in found.relabelled) == 2
    review.undo("Bo")
    review.undo("Bo")
    assert review_status(session).disputed == []
    assert review_status(session).new_labels == {}


def test_only_records_of_the_session_can_be_decided_on(session):
    review = Review.open(session)
    for decide in (
        lambda: review.confirm("A", ["?"]),
        lambda: review.relabel("A", ["?"], "x"),
        lambda: review.unclassify("A", ["?"]),
        lambda: review.note("A", ["?"], "x"),
    ):
        with pytest.raises(ReviewError, match="not in session"):
            decide()
    assert review.state.events == {}


def test_nothing_proposed_cannot_be_confirmed(tiny_collection, answered, tmp_path):
    said = pq.read_table(answered[0])
    at = said.schema.get_field_index("label")
    labels = [None, *said["label"].to_pylist()[1:]]
    pq.write_table(
        said.set_column(at, said.schema.field(at), pa.array(labels, pa.string())),
        tmp_path / "a.parquet",
    )
    make(tiny_collection, (tmp_path / "a.parquet", answered[1]), tmp_path / "s")
    with pytest.raises(ReviewError, match="nothing is proposed"):
        Review.open(tmp_path / "s").confirm("A", [said["record_id"][0].as_py()])


@pytest.mark.parametrize(
    ("written", "name"),
    [("Net 7 / May", "Net-7---May"), ("../../etc", "etc"), (" Süd  1 ", "Süd-1"), ("a\0b", "a-b")],
)
def test_names_of_sessions_are_safe_folders(written, name):
    assert session_name(written) == name


@pytest.mark.parametrize("written", ["", "..", " / "])
def test_a_session_has_a_name(written):
    with pytest.raises(SourceError, match="a session needs a name"):
        session_name(written)


def test_the_name_of_a_class_folder_means_its_label(collection, make_answers, tmp_path):
    """A written label of one concept finds that; one of several concepts finds none."""
    table = open_collection(collection).columns()
    known = sorted({one for one in table["species"].to_pylist() if one})
    folder_of = {known[0]: "01_foo", known[1]: "both", known[2]: "both"}

    def change(shard):
        new = [folder_of.get(one) for one in shard["species"].to_pylist()]
        at = shard.schema.get_field_index("written_label")
        return shard.set_column(at, shard.schema.field(at), pa.array(new, pa.string()))

    rewrite_records(collection, change, step={"step": "folders"})
    answers = make_answers(collection, tmp_path)
    make(collection, answers, tmp_path / "session")
    review = Review.open(tmp_path / "session")
    book = review.session.book
    found = book.found("01_FOO")[0]
    assert (found.also, found.begins("01_f"), book.known("01_foo")) == (("01_foo",), True, found)
    assert found.concept.lineage.name == known[0]
    assert book.known("both") is None
    record = next(
        one["record_id"] for one in review.session.items.to_pylist()
        if not (one["current"] or "").startswith(known[0])
    )  # fmt: skip
    event = review.relabel("Anna", [record], "01_foo")
    assert (event.labels, event.new_labels) == ((found.name,), ())
    apply_review(tmp_path / "session")
    rows = {row["record_id"]: row for row in open_collection(collection).columns().to_pylist()}
    assert (rows[record]["species"], rows[record]["label_status"]) == (known[0], "validated")


def test_a_session_without_written_names_opens(session):
    """Sessions that were made before labels had ``also``."""
    labels = pq.read_table(session / "labels.parquet")
    pq.write_table(labels.drop_columns(["also"]), session / "labels.parquet")
    assert all(label.also == () for label in open_session(session).book.labels)
