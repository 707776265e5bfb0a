"""The page Identify, as a visitor uses it: images, barcodes, downloads, a reload after a kill."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from serving import served

from holotype.collection.store import open_collection


@pytest.fixture(scope="module")
def brought(tiny_collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images, the barcodes of two of them and of another record, and a file that is damaged."""
    folder = tmp_path_factory.mktemp("brought")
    rows = []
    for shard in open_collection(tiny_collection).shard_paths():
        rows += pq.read_table(shard, columns=["image", "barcode"]).slice(0, 40).to_pylist()
    both = [row for row in rows if row["image"] and row["barcode"]]
    for number, row in enumerate(both[:3]):
        (folder / f"crop-{number}.png").write_bytes(row["image"]["bytes"])
    (folder / "broken.png").write_bytes(both[0]["image"]["bytes"][:60])
    named = [("crop-0", both[0]), ("crop-1", both[1]), ("other", both[3])]
    (folder / "barcodes.fasta").write_text("".join(f">{n}\n{row['barcode']}\n" for n, row in named))
    return folder


def identify(page, address, brought):
    page.goto(address)
    files = sorted(map(str, brought.glob("*.png")))
    page.set_input_files("input[type=file]", files)
    page.get_by_text(f"{len(files)} files brought").wait_for()
    page.get_by_label("Paste FASTA, or one sequence").fill((brought / "barcodes.fasta").read_text())
    page.get_by_role("button", name="Identify").click()
    page.locator("article.evidence").first.wait_for(timeout=60_000)


def test_images_and_barcodes_are_answered_and_fetched(page, tiny_server, brought):
    identify(page, tiny_server.address, brought)
    assert page.get_by_role("heading", name="5 answers").is_visible()
    assert page.locator("article.evidence").count() == 5
    joined = page.locator("article.evidence", has_text="crop-0.png")
    assert joined.get_by_text("image alone").is_visible()
    assert joined.get_by_text("Closest by alignment").is_visible()
    joined.locator("summary", has_text="Aligned with").click()
    assert "||||" in joined.locator("pre.aligned").inner_text()
    assert joined.locator("img.thumbnail").count() > 1
    assert (
        page.locator("article.evidence", has_text="broken.png").get_by_text("failed").is_visible()
    )
    key = page.url.partition("run=")[2]
    answers = page.request.get(f"{tiny_server.address}/identified/{key}/csv").text()
    inputs = [row["input"] for row in csv.DictReader(io.StringIO(answers))]
    assert inputs == ["broken.png", "crop-0.png", "crop-1.png", "crop-2.png", "pasted.fasta/other"]
    packed = page.request.get(f"{tiny_server.address}/identified/{key}/ecotaxa").body()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        tables = [name for name in archive.namelist() if name.endswith(".tsv")]
        assert len([name for name in archive.namelist() if "crop-" in name]) == 3
        assert str(brought) not in archive.read(tables[0]).decode()
    sent = page.request.get(f"{tiny_server.address}/identified/{key}/page.html").text()
    assert sent.count("<article") == 5
    assert "http://" not in sent.replace("http://www.w3.org", "")


def test_one_key_leads_nowhere_else(page, tiny_server):
    for key in ("../../etc", "A" * 16, "%2e%2e%2fx"):
        assert page.request.get(f"{tiny_server.address}/identified/{key}/csv").status == 404
    page.goto(f"{tiny_server.address}/?run=../../../etc")
    assert page.get_by_text("no longer kept").is_visible()


def test_answers_outlive_the_server(page, tiny_run, brought, tmp_path):
    with served(tiny_run, tmp_path) as first:
        identify(page, first.address, brought)
        key = page.url.partition("run=")[2]
        first.kill()
    with served(tiny_run, tmp_path) as second:
        page.goto(f"{second.address}/?run={key}")
        page.locator("article.evidence").first.wait_for()
        assert page.locator("article.evidence").count() == 5


def test_only_some_answers_are_shown_and_pages_are_turned(page, tiny_server, brought):
    identify(page, tiny_server.address, brought)
    page.get_by_label("Only").click()
    page.get_by_role("option", name="failed (1)").click()
    page.keyboard.press("Escape")
    page.locator("article.evidence").nth(1).wait_for(state="detached")
    assert page.locator("article.evidence").count() == 1


def test_nothing_brought_is_said(page, tiny_server):
    page.goto(tiny_server.address)
    page.get_by_role("button", name="Identify").click()
    page.get_by_text("Bring files, or paste a barcode, first.").wait_for()
    page.get_by_label("Paste FASTA, or one sequence").fill("what is this otter?")
    page.get_by_role("button", name="Identify").click()
    page.locator("article.evidence", has_text="Could not be read").wait_for()


@pytest.mark.parametrize(("path", "act"), [("/", "Identify"), ("/assess", "Draw")])
def test_files_that_are_still_coming_are_waited_for(page, tiny_server, tmp_path, path, act):
    rng = np.random.default_rng(0)
    for number in range(6):
        side = 260 if number else 12  # the first one comes soon
        pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    page.goto(f"{tiny_server.address}{path}")
    button = page.get_by_role("button", name=act)
    button.wait_for()
    page.wait_for_timeout(500)
    link = page.context.new_cdp_session(page)
    link.send("Network.enable")
    slow = {
        "offline": False,
        "latency": 40,
        "downloadThroughput": -1,
        "uploadThroughput": 300 << 10,
    }
    link.send("Network.emulateNetworkConditions", slow)
    page.set_input_files("input[type=file]", sorted(map(str, tmp_path.glob("*.png"))))
    page.get_by_text("1 file brought").wait_for()
    button.click()
    page.get_by_text("still coming. Wait, or take them away.").wait_for()
    page.get_by_text("6 files brought").wait_for()
    if act == "Identify":
        button.click()
        page.get_by_role("heading", name="6 answers").wait_for(timeout=30_000)
        assert page.locator(".q-uploader__file").count() == 0
