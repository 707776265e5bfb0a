"""A biologist's afternoon with real ISIIS crops and the starter: identify, find, review, a crash, export."""

import csv
import re
import zipfile
from pathlib import Path

import pytest
from serving import served

import holotype
from holotype.reviewing.export import export_review

pytestmark = pytest.mark.real
CROPS = 240
CARD = "#review-grid [role=option]"


@pytest.fixture(scope="module")
def crops(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of all classes, as a folder of class folders."""
    folder = tmp_path_factory.mktemp("isiis")
    with zipfile.ZipFile(real_data / "plankton" / "isiis" / "planktonset1.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        archive.extractall(folder, names[:: len(names) // CROPS])
    return folder / "planktonset1"


@pytest.fixture(scope="module")
def collection(crops: Path) -> Path:
    """The same as a collection."""
    into = crops.parent / "collection"
    holotype.import_("image-folder", [crops], into=into, source="planktonset1.0")
    return into


def test_identify_find_review_and_export(page, crops, collection, tmp_path):
    workspace = tmp_path / "workspace"
    words = ("--collection", collection, "--data", tmp_path)
    with served("starter", workspace, *words) as server:
        page.goto(server.address)
        page.set_input_files("input[type=file]", sorted(map(str, crops.glob("copepod*/*")))[:3])
        page.get_by_text("3 files brought").wait_for()
        page.get_by_role("button", name="Identify").click()
        page.locator("article.evidence").nth(2).wait_for(timeout=60_000)
        assert page.locator("article.evidence").count() == 3

        page.goto(f"{server.address}/explore")
        page.get_by_text("records shown").wait_for()
        page.get_by_label("Search names, labels or record ids").click()
        page.keyboard.type("copepod", delay=10)
        page.get_by_role("option", name=re.compile("copepod")).first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("copepod"))
        page.goto(f"{server.address}/explore")
        page.get_by_role("link", name="Review these").or_(
            page.get_by_role("button", name="Review these")
        ).click()
        page.wait_for_url(re.compile("/review/new"))
        page.get_by_role("button", name="Name the records").click()
        page.get_by_label("Name of the session").wait_for(timeout=180_000)
        page.get_by_label("Name of the session").fill("afternoon")
        page.get_by_role("button", name="Make the session").click()
        page.locator(CARD).first.wait_for(timeout=60_000)
        page.get_by_role("textbox", name="Name").fill("Anna")
        page.get_by_role("textbox", name="Name").press("Enter")
        page.get_by_role("dialog").wait_for(state="detached")
        shown = page.locator(CARD).count()
        page.locator(CARD).first.focus()
        page.keyboard.press("x")
        page.locator(".is-unclassify").wait_for()
        page.keyboard.press("Control+z")
        page.locator(".is-unclassify").wait_for(state="detached")
        page.keyboard.press("Enter")
        page.get_by_text(f"{shown} by you").first.wait_for()
        server.kill()
    session = workspace / "reviews" / "afternoon"
    with served("starter", workspace, *words) as server:
        page.goto(f"{server.address}/review")
        page.get_by_role("link", name="afternoon").first.click()
        page.locator(".is-confirm").nth(shown - 1).wait_for(timeout=30_000)
    export_review(session, to="csv", out=tmp_path / "reviewed.csv")
    with (tmp_path / "reviewed.csv").open(encoding="utf-8") as handle:
        decided = [row for row in csv.DictReader(handle) if row["labelled_by"] == "Anna"]
    assert len(decided) == shown
