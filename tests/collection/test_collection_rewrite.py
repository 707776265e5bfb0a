"""A change of all records: streamed, whole or not at all, with every record that goes accounted for."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import holotype
from holotype.collection import rewrite
from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import LEDGER_SCHEMA
from holotype.collection.store import open_collection
from holotype.errors import CollectionError


@pytest.fixture
def collection(tmp_path, crops):
    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    return tmp_path / "c"


def renamed(table):
    index = table.schema.get_field_index("cruise")
    names = pa.array(["M106"] * table.num_rows, pa.string())
    return table.set_column(index, table.schema.field(index), names)


def without_first(table):
    return table.slice(1)


def entry(record_id):
    row = {"record_id": record_id, "outcome": "set_aside", "reason": "why", "detail": "because"}
    return pa.Table.from_pylist([row], schema=LEDGER_SCHEMA)


def test_records_change_and_the_step_is_kept(collection):
    before = open_collection(collection)
    ids, images = before.columns(["record_id"]), list(before.images())
    rewrite_records(collection, renamed, step={"step": "rename"})
    after = open_collection(collection)
    assert set(after.columns(["cruise"])["cruise"].to_pylist()) == {"M106"}
    assert after.columns(["record_id"]) == ids
    assert list(after.images()) == images
    assert after.manifest["steps"] == [{"step": "rename"}]
    assert after.fingerprint != before.fingerprint
    assert len(list((collection / "records").iterdir())) == len(after.shard_paths())


def test_what_changes_nothing_keeps_the_bytes(collection):
    before = open_collection(collection)
    rewrite_records(collection, lambda table: table, step={"step": "nothing"})
    assert open_collection(collection).fingerprint == before.fingerprint


def test_a_record_that_goes_needs_a_reason(collection):
    before = open_collection(collection)
    first = before.columns(["record_id"])["record_id"][0].as_py()
    items = before.ledger().num_rows
    with pytest.raises(CollectionError, match="would be lost without a reason"):
        rewrite_records(collection, without_first, step={"step": "thin"})
    assert open_collection(collection).fingerprint == before.fingerprint
    rewrite_records(collection, without_first, step={"step": "thin"}, ledger=entry(first))
    after = open_collection(collection)
    assert len(after) == len(before) - 1
    ledger = after.ledger()
    assert ledger.num_rows == items
    (gone,) = ledger.filter(pc.equal(ledger["outcome"], "set_aside")).to_pylist()
    assert (gone["record_id"], gone["reason"]) == (None, "why")
    assert sum(after.manifest["outcomes"].values()) == ledger.num_rows


def test_an_interrupted_change_leaves_the_collection_as_it_was(collection, monkeypatch):
    before = open_collection(collection)

    def failing(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(rewrite, "write_manifest", failing)
    with pytest.raises(KeyboardInterrupt):
        rewrite_records(collection, renamed, step={"step": "rename"})
    monkeypatch.undo()
    assert open_collection(collection).columns() == before.columns()
    rewrite_records(collection, renamed, step={"step": "rename"})
    assert set(open_collection(collection).columns(["cruise"])["cruise"].to_pylist()) == {"M106"}


def test_two_changes_at_once_are_refused(collection):
    def nested(table):
        rewrite_records(collection, renamed, step={"step": "inner"})
        return table

    with pytest.raises(CollectionError, match="another process is changing it"):
        rewrite_records(collection, nested, step={"step": "outer"})


def test_who_reads_while_records_are_rewritten_is_told(collection):
    opened = open_collection(collection)
    rewrite_records(collection, renamed, step={"step": "rename"})
    with pytest.raises(CollectionError, match="was changed by another command"):
        list(opened.images())
