"""The page Evidence and the wizard in a browser: figures of the files; labels that outlive a server."""

import json
import re

import pytest
from serving import served


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of the model that ships; it is calibrated, and has no report here."""
    with served("starter", tmp_path_factory.mktemp("work")) as found:
        yield found


@pytest.fixture
def crops(tmp_path, png):
    folder = tmp_path / "crops"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.png").write_bytes(png(number))
    return folder


def test_a_model_shows_what_it_knows_of_itself(server, page):
    page.goto(f"{server.address}/evidence")
    for name in ("The model", "Reliability", "Thresholds and coverage", "Across instruments"):
        page.get_by_role("heading", name=name, exact=True).wait_for()
    page.get_by_text("There is no report of this model here.").wait_for()
    assert page.get_by_role("heading", name="Classes").count() == 0
    assert page.locator(".js-plotly-plot").count() >= 2
    matrix = page.get_by_role("region", name="Nearest references by instrument")
    rows = matrix.locator("tbody tr").count()
    assert rows == matrix.locator("thead th").count() - 1 >= 2
    page.goto(f"{server.address}/evidence/report/index.html")
    page.get_by_text("There is no report.").wait_for()
    page.goto(f"{server.address}/evidence")
    page.get_by_role("link", name="Examine the model").click()
    page.get_by_label("Split", exact=True).wait_for()
    assert page.get_by_label("Model", exact=True).input_value() == "starter"


def test_thresholds_follow_the_error_that_is_chosen(server, page):
    page.goto(f"{server.address}/evidence")
    table = page.get_by_role("region", name="Thresholds by rank")
    before = table.inner_text()
    page.get_by_label("Error allowed").click()
    page.get_by_role("option", name="20.0\u202f%").click()
    page.wait_for_function(
        "before => document.querySelector('[aria-label=\"Thresholds by rank\"]')?.innerText !== before",
        arg=before,
    )


def test_a_report_is_shown_as_it_is(tmp_path, tiny_run, tiny_collection, page):
    """Also one of other weights, which is said; names in it are text."""
    folder = tmp_path / "report"
    folder.mkdir()
    rows = [
        {"label": f"Taxon {at:03}", "lineage": "Animalia", "kind": "living", "train": at, "test": 9,
         "recall": at / 100, "precision": None}
        for at in range(60)
    ]  # fmt: skip
    rows[7]["label"] = "<img src=x onerror=alert(1)>"
    content = {
        "format": "holotype-report", "version": 1, "model": {"name": "another", "fingerprint": "0"},
        "per_class": rows, "scores": [], "decisions": None,
    }  # fmt: skip
    (folder / "report.json").write_text(json.dumps(content))
    (folder / "index.html").write_text("<title>whole</title><h1>The whole of it</h1>")
    with served(tiny_run, tmp_path / "work", "--report", folder) as server:
        page.goto(f"{server.address}/evidence")
        page.get_by_text("is of other weights: another (0)").wait_for()
        classes = page.get_by_role("region", name="Table of labels").last
        assert classes.locator("tbody th").first.inner_text() == "Taxon 000"
        assert classes.locator("tbody tr").count() == 25
        classes.get_by_role("button", name="Found").click()
        page.wait_for_function(
            "document.querySelectorAll('#classes tbody th')[0].innerText === 'Taxon 059'"
        )
        assert classes.locator("th[aria-sort=descending]").inner_text().startswith("Found")
        page.locator("#classes").get_by_label("Find labels").fill("onerror")
        page.get_by_text("1 of 60 labels").wait_for()
        assert classes.locator("tbody th").inner_text() == rows[7]["label"]
        page.get_by_text("never calibrated").or_(
            page.get_by_text("cannot say how sure")
        ).first.wait_for()
        page.goto(f"{server.address}/evidence/report/index.html")
        page.get_by_role("heading", name="The whole of it").wait_for()


def test_records_are_labelled_by_keyboard_and_nothing_is_lost(tmp_path, crops, page):
    work = tmp_path / "work"
    with served("starter", work, "--data", tmp_path) as server:
        page.goto(f"{server.address}/assess")
        page.get_by_label("Files and folders, one a line").fill("../elsewhere")
        page.get_by_role("button", name="Draw").click()
        page.get_by_text("outside of the folders").wait_for()
        page.get_by_label("Files and folders, one a line").fill("crops")
        page.get_by_label("How many to label").fill("8")
        page.get_by_role("button", name="Draw").click()
        field = page.get_by_label("What is it?")
        field.wait_for(timeout=120_000)
        page.get_by_text("0 of 8 labelled").wait_for()
        field.focus()
        written = ("Copepoda", "?", "calan", "Nowhere to be found", "Copepoda")
        for word in written:  # as fast as anybody can: no letter may be lost
            page.keyboard.type(word)
            page.keyboard.press("Enter")
        page.get_by_text("5 of 8 labelled").wait_for()
        page.keyboard.type("calan")
        page.get_by_role("option", name="as written").wait_for()
        page.keyboard.press("ArrowUp")
        page.get_by_role("option", name="as written", selected=True).wait_for()
        page.keyboard.press("Enter")
        page.get_by_text("6 of 8 labelled").wait_for()
        page.keyboard.press("PageUp")
        page.wait_for_function("document.querySelector('[role=combobox]').value === 'calan'")
        page.keyboard.press("PageUp")
        page.wait_for_function("document.querySelector('[role=combobox]').value === 'Copepoda'")
        address = page.url
        server.kill()
        page.goto("about:blank")  # else the page finds the next server and loads itself meanwhile
    with served("starter", work, "--data", tmp_path, "--port", _port(address)) as server:
        page.goto(address)
        page.get_by_text("6 of 8 labelled").wait_for()
        key = address.rpartition("/")[2]
        kept = (work / "assessments" / key / "labels.jsonl").read_text().splitlines()
        said = [json.loads(line)["label"] for line in kept]
        assert [said[0], said[1], said[3], said[4]] == [written[at] for at in (0, 1, 3, 4)]
        assert said[2].lower().startswith("calan")
        assert said[2] != "calan"
        page.get_by_role("button", name="Say how good it is").click()
        page.get_by_role("heading", name="How good it is").wait_for(timeout=60_000)
        page.get_by_text("Nowhere to be found").first.wait_for()
        page.get_by_text("On 3 labelled records, which stand for 8.").wait_for()
        page.reload()
        page.get_by_role("heading", name="How good it is").wait_for()
        page.get_by_role("link", name="The report as one page").wait_for()
        page.goto(f"{server.address}/assess")
        page.get_by_text("6 labels written, with a report").wait_for()


def _port(address: str) -> str:
    found = re.search(r":(\d+)/", address)
    assert found is not None
    return found[1]
