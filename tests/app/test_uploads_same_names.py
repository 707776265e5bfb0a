"""Members of one name in an archive are two specimens: two answers, two pictures, two files of a download."""

import asyncio
import csv
import io
import time
import zipfile

import pytest

from holotype.app.identifications import FILES, cards, exported, identify, new_folder
from holotype.app.settings import ServeSettings
from holotype.app.upload_names import Names
from holotype.app.upload_scratch import finished
from holotype.app.uploads import Upload, UploadLimits, specimens_of
from holotype.app.workbench import Workbench


def twice(png):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", png(0))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", png(1))
        archive.writestr("b.png", png(2))
    return packed.getvalue()


@pytest.fixture
def workbench(tiny_run, tmp_path):
    opened = Workbench.open(str(tiny_run), settings=ServeSettings(), workspace=tmp_path)
    yield opened
    opened.close()


def test_members_of_one_name_are_answered_shown_and_exported_apart(workbench, png):
    folder = new_folder(workbench.workspace)
    path = folder / FILES / "0.zip"
    path.write_bytes(twice(png))
    done = asyncio.run(identify(workbench, folder, [Upload("z.zip", path)]))
    inputs = ["z.zip/a.png", "z.zip/a (2).png", "z.zip/b.png"]
    assert done.table["input"].to_pylist() == inputs
    assert len({str(card.picture) for card in cards(workbench, done, done.table.to_pylist())}) == 3
    _, packed = exported(workbench, done, "ecotaxa")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        images = [archive.read(one) for one in archive.namelist() if one.endswith(".png")]
    assert sorted(images) == sorted(png(number) for number in range(3))


def test_answers_are_fetched_as_a_table_by_their_name(workbench, png):
    folder = new_folder(workbench.workspace)
    path = folder / FILES / "0.png"
    path.write_bytes(png(1))
    done = asyncio.run(identify(workbench, folder, [Upload("a.png", path)]))
    name, content = exported(workbench, done, "csv")
    assert name == "answers.csv"
    assert [row["input"] for row in csv.DictReader(io.StringIO(content.decode()))] == ["a.png"]


def test_records_of_one_id_have_a_name_each(tmp_path):
    fasta = "".join(f">s1\n{letter * 200}\n" for letter in ("AC", "GT")).encode()
    found, _ = specimens_of([Upload("b.fasta", content=fasta)], UploadLimits(), tmp_path)
    assert len({one.input for one in found}) == len(found) == 2


def test_many_of_one_name_are_named_in_the_time_of_as_many_names():
    names, started = Names(), time.perf_counter()
    given = {names.new("a.png") for _ in range(20_000)}
    assert len(given) == 20_000
    assert names.asked_for["a (20000).png"] == "a.png"
    assert time.perf_counter() - started < 5


def test_what_is_given_up_ends_after_its_thread():
    ended = []

    async def given_up():
        async with asyncio.timeout(0.05):
            await finished(lambda: (time.sleep(0.5), ended.append(True)))

    with pytest.raises(TimeoutError):
        asyncio.run(given_up())
    assert ended == [True]
