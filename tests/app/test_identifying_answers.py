"""The rows of the server are those of ``holotype predict``, whoever else asks at the time."""

import asyncio
import json
import math
from pathlib import Path

import pytest

import holotype
from holotype.app.identifying import Asking, BusyError, Identifier
from holotype.collection.store import open_collection
from holotype.errors import SourceError
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.embedding import embed_inputs
from holotype.identify.inputs import Specimen, specimens
from holotype.identify.read_answers import read_answers


@pytest.fixture(scope="module")
def brought(tiny_collection, tmp_path_factory) -> list[str]:
    """Thirty images, thirty barcodes, and a file that is no image."""
    folder = tmp_path_factory.mktemp("brought")
    opened = open_collection(tiny_collection)
    written = opened.columns(["source_item", "barcode"]).to_pylist()
    for row, (_, content) in zip(written[:30], opened.images(), strict=False):
        (folder / f"{row['source_item']}.png").write_bytes(content)
    (folder / "broken.png").write_bytes(b"no image at all")
    fasta = folder / "barcodes.fasta"
    with_barcode = [row for row in written if row["barcode"]][:30]
    fasta.write_text("".join(f">{row['source_item']}\n{row['barcode']}\n" for row in with_barcode))
    return [str(fasta), *sorted(str(path) for path in folder.glob("*.png"))]


@pytest.fixture(scope="module")
def identifier(tiny_run):
    opened = Identifier.open(tiny_run)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def predicted(tiny_run, brought, tmp_path_factory):
    out: Path = tmp_path_factory.mktemp("predicted") / "answers.parquet"
    holotype.predict(tiny_run, brought, out=out)
    return read_answers(out).to_pylist()


def same(found, expected):
    """Whether two values are equal, figures to the sixth digit."""
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=2e-5, abs_tol=2e-6)
    if isinstance(expected, str) and expected.startswith("[{"):
        return same(json.loads(found), json.loads(expected))
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            same(found[name], value) for name, value in expected.items()
        )
    return found == expected


def assert_same(found, expected):
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert list(row) == ANSWER_SCHEMA.names
        wrong = {n: (row[n], wanted[n]) for n in row if not same(row[n], wanted[n])}
        assert not wrong


def test_rows_are_those_of_predict(identifier, brought, predicted):
    assert_same(asyncio.run(identifier.identify(list(specimens(brought)))), predicted)


def test_fifty_requests_at_a_time_get_the_rows_of_one_by_one(identifier, brought, predicted):
    told = []
    identifier.tell(lambda count, seconds: told.append(count))

    async def all_at_once():
        asked = [identifier.identify([one]) for one in [*specimens(brought), *specimens(brought)]]
        return await asyncio.gather(*asked)

    found = asyncio.run(all_at_once())
    assert len(found) > 50
    assert_same([row for rows in found for row in rows], predicted + predicted)
    assert len(told) < len(found) / 2


def test_each_request_has_its_own_settings(identifier, brought):
    images = list(specimens(brought[1:9]))

    async def at_once():
        return await asyncio.gather(
            identifier.identify(images, Asking(nearest=1)),
            identifier.identify(images),
            identifier.identify(images, Asking(nearest=0, max_error=0.5)),
        )

    one, usual, none = asyncio.run(at_once())
    assert {len(json.loads(row["nearest"])) for row in one if not row["failure"]} == {1}
    assert {len(json.loads(row["nearest"])) for row in usual if not row["failure"]} == {5}
    assert {row["nearest"] for row in none} == {None}
    for few, many in zip(one, usual, strict=True):
        assert same({**few, "nearest": None}, {**many, "nearest": None})


@pytest.mark.parametrize("asking", [Asking(max_error=0), Asking(nearest=-1), Asking(nearest=1000)])
def test_a_setting_that_makes_no_sense_is_refused(identifier, asking):
    with pytest.raises(SourceError):
        asyncio.run(identifier.identify([Specimen("a", barcode="ACGT")], asking))


def test_embeddings_are_those_of_embed(identifier, tiny_run, brought, tmp_path):
    embed_inputs(tiny_run, brought, out=tmp_path / "e.json")
    expected = json.loads((tmp_path / "e.json").read_text())["embeddings"]
    asked = list(specimens(brought))
    found = asyncio.run(identifier.embed(asked))
    assert {one.input for one, z in zip(asked, found, strict=True) if z is not None} == set(
        expected
    )
    for one, z_D in zip(asked, found, strict=True):
        assert z_D is None or z_D.tolist() == pytest.approx(expected[one.input], abs=2e-6)


def test_a_full_queue_says_when_to_ask_again(tiny_run, brought):
    opened = Identifier.open(tiny_run, max_queued=40)

    async def both():
        asked = list(specimens(brought))
        return await asyncio.gather(
            opened.identify(asked[:35]), opened.identify(asked[:35]), return_exceptions=True
        )

    try:
        first, second = asyncio.run(both())
        assert len(first) == 35
        assert isinstance(second, BusyError)
        assert second.retry_after_s > 0
        assert opened.queued == 0
    finally:
        opened.close()


def test_a_cancelled_request_leaves_the_queue(identifier, brought):
    async def given_up():
        task = asyncio.create_task(identifier.identify(list(specimens(brought))))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert identifier.queued == 0
        return await identifier.identify(list(specimens(brought[:1])))

    assert len(asyncio.run(given_up())) == 30


def test_nothing_is_answered_by_nothing(identifier):
    assert asyncio.run(identifier.identify([])) == []
