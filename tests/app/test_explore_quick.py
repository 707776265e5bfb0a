"""The Explore page when much happens at once: quick filters, keys before the answer, others who write."""

import re
import shutil
from pathlib import Path

import pytest
from explore_collection import collection_of
from serving import served
from slow_link import slow

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright: pip install -e .[dev]"
)
SITES = 100
RECORDS = 250


def rows():
    """Records at a hundred sites; the last two sites have one record, all others more."""
    return [
        {
            "record_id": f"r{at:03}", "source": "made", "source_item": str(at), "kingdom": "Animalia",
            "genus": "Tripos" if at % 2 else "Calanus",
            "species": "Tripos muelleri" if at % 2 else "Calanus finmarchicus",
            "site": f"Bay {at % (SITES - 2):02}" if at < RECORDS - 2 else f"Rare cove {at}",
            "instrument": ("IFCB", "UVP6", "ZooScan")[at % 3],
            "licence": "CC0-1.0" if at % 5 else "CC-BY-4.0",
            "depth_min_m": float(at % 40), "collected_on": f"{2010 + at % 10}-07",
        }
        for at in range(RECORDS)
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    collection_of(tmp_path / "c", rows())
    return tmp_path / "c"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    place = tmp_path_factory.mktemp("quick")
    collection_of(place / "c", rows())
    with served("starter", place / "work", "--collection", place / "c") as server:
        yield server.address


def opened(page, address: str, query: str = "") -> None:
    page.goto(f"{address}/explore{query}")
    page.wait_for_selector("#explore-count:not(:empty)", timeout=30_000)
    page.wait_for_timeout(400)


def has(page, *parts: str) -> None:
    """Waits until the address of the page says all of this."""
    for part in parts:
        playwright.expect(page).to_have_url(re.compile(re.escape(part)))


def test_of_filters_that_are_set_quickly_none_is_lost(page, address):
    with slow(address, delay_s=0.05) as far:
        opened(page, far)
        names = ("IFCB,", "UVP6,", "CC0-1.0,")
        page.evaluate(
            "names => names.forEach(name => document.querySelector("
            "`.q-checkbox[aria-label^='${name}']`).click())",
            names,
        )
        has(page, "instrument=IFCB", "instrument=UVP6", "licence=CC0-1.0")
        page.wait_for_timeout(800)
        for name in names:
            box = page.get_by_role("checkbox", name=re.compile(f"^{re.escape(name)}"))
            assert box.get_attribute("aria-checked") == "true"


def test_fields_keep_what_is_typed_while_another_filter_is_shown(page, address):
    with slow(address, delay_s=0.1) as far:
        opened(page, far)
        page.get_by_label("From", exact=True).fill("2012")
        page.keyboard.press("Tab")
        page.keyboard.type("2015", delay=60)
        page.keyboard.press("Tab")
        has(page, "since=2012", "until=2015")
        page.wait_for_timeout(600)
        assert page.get_by_label("To", exact=True).input_value() == "2015"
        page.get_by_role("button", name="Clear all").click()
        page.wait_for_function("!document.querySelector('[aria-label=\"To\"]').value")


def test_pages_turn_as_often_as_the_key_is_pressed(page, address):
    with slow(address) as far:
        opened(page, far)
        page.locator("button.card").first.focus()
        for _ in range(3):
            page.keyboard.press("PageDown")
        has(page, "page=4")
        playwright.expect(page.locator(".pager span.dim").first).to_contain_text("145")
        opened(page, far, "?page=99")
        has(page, "page=6")


@pytest.mark.parametrize("pause", [0, 900])
def test_enter_takes_what_the_letters_mean_not_what_fewer_meant(page, address, pause):
    with slow(address) as far:
        opened(page, far)
        box = page.get_by_label("Search names, labels or record ids")
        box.click()
        page.keyboard.type("tr")
        page.wait_for_timeout(pause)
        page.keyboard.type("ipos muelleri")
        page.keyboard.press("Enter")
        playwright.expect(page.locator(".chips")).to_contain_text("species: Tripos muelleri")
        page.wait_for_timeout(600)
        assert box.input_value() == ""
        assert not page.locator("#search-suggestions").is_visible()
        box.click()
        page.keyboard.type("calanus")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        playwright.expect(page.locator(".chips")).to_contain_text("species: Calanus finmarchicus")
        box.click()
        page.keyboard.type("zzz")
        page.keyboard.press("Enter")
        page.locator(".q-notification", has_text="No name is like this.").wait_for()


def test_every_value_of_a_long_facet_can_be_found(page, address):
    opened(page, address)
    page.locator("summary", has_text="Site").click()
    rare = f"Rare cove {RECORDS - 1}"
    assert page.get_by_role("checkbox", name=re.compile(rare)).count() == 0
    page.get_by_label("Find in Site").fill("cove")
    page.get_by_text("2 values").wait_for()
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe")
    results = axe.Axe().run(page).response["violations"]
    assert [one["id"] for one in results if one["impact"] in ("serious", "critical")] == []
    page.get_by_role("checkbox", name=f"{rare}, 1").click()
    has(page, "site=Rare+cove+249")
    playwright.expect(page.locator("#explore-count")).to_have_text(re.compile("^1 of"))
    box = page.get_by_role("checkbox", name=f"{rare}, 1")
    playwright.expect(box).to_have_attribute("aria-checked", "true")
    page.get_by_label("Find in Site").fill("bay")
    page.get_by_text("78 more: write on.").wait_for()


def test_picks_outlive_a_change_of_the_collection_and_what_is_gone_is_told(
    page, folder: Path, tmp_path
):
    with served("starter", tmp_path / "work", "--collection", folder) as server:
        opened(page, server.address, "?order=collection")
        for record in ("r000", "r001", "r002"):
            page.get_by_role("checkbox", name=f"Pick {record}").click()
        page.get_by_text("3 records picked:").wait_for()
        collection_of(tmp_path / "new", [{**row, "genus": "Other"} for row in reversed(rows()[1:])])
        shutil.rmtree(folder)
        (tmp_path / "new").rename(folder)
        page.get_by_role("button", name="Next page").first.click()
        page.get_by_text("2 records picked:").wait_for()
        page.get_by_text("No longer in it: 1 of 3 picked records.").wait_for()
        page.get_by_role("button", name="Download ids").click()
        page.wait_for_timeout(500)
        kept = list((tmp_path / "work" / "selections").iterdir())
        assert [path.read_text().count("r00") for path in kept] == [2]
        assert '"r001"' in kept[0].read_text()


def test_a_bar_of_depth_gives_as_many_records_as_it_shows(page, address):
    opened(page, address, "?tab=places&depth_from=10&depth_under=20")
    playwright.expect(page.locator("#explore-count")).to_have_text(re.compile("^60 of"))
    assert page.get_by_label("To, m").input_value() == "<20"
    page.get_by_label("To, m").fill("20")
    page.keyboard.press("Enter")
    has(page, "depth_to=20")
    playwright.expect(page.locator("#explore-count")).to_have_text(re.compile("^66 of"))
    page.get_by_role("button", name="Take away: 10 m or deeper").click()
    has(page, "/explore?depth_to=20&tab=places")
