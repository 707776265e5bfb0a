"""The Explore page in a real browser: filters by keyboard, the tree, a record, a lasso, files, links."""

import csv
import json
import re
from pathlib import Path

import httpx
import pytest
from serving import served

from holotype.collection.store import Collection, open_collection

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright: pip install -e .[dev]"
)


@pytest.fixture(scope="module")
def collection(tiny_collection: Path) -> Collection:
    return open_collection(tiny_collection)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def address(tiny_collection: Path, workspace: Path):
    with served("starter", workspace, "--collection", tiny_collection) as server:
        yield server.address


def opened(page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#explore-count:not(:empty)", timeout=30_000)


def said(page, pattern: str) -> str:
    """Waits until the page says how many records are shown, in these words."""
    shown = page.locator("#explore-count")
    playwright.expect(shown).to_have_text(re.compile(pattern), timeout=10_000)
    return str(shown.inner_text()).replace("\u202f", "")


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text.split(" of ", maxsplit=1)[0]))


def counted(collection, **wanted: str) -> int:
    table = collection.columns(list(wanted)).to_pylist()
    return sum(all(row[name] == value for name, value in wanted.items()) for row in table)


def test_filters_and_tree_by_keyboard_and_the_link_says_them(page, chromium, address, collection):
    opened(page, f"{address}/explore")
    total = number(said(page, "records$"))
    assert total == len(collection)
    instrument = collection.columns(["instrument"])["instrument"].to_pylist()[0]
    page.get_by_role("checkbox", name=re.compile(f"^{instrument},")).focus()
    page.keyboard.press("Space")
    assert number(said(page, " of ")) == counted(collection, instrument=instrument)

    page.locator("ul.taxa [aria-selected=true]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    kingdom = page.locator("ul.taxa [aria-selected=true] .name")
    playwright.expect(kingdom).not_to_have_text("All names")
    name = kingdom.inner_text()
    playwright.expect(page.locator(f".chips >> text=kingdom: {name}")).to_be_visible()
    here = number(said(page, " of "))
    assert here == counted(collection, instrument=instrument, kingdom=name)
    playwright.expect(page).to_have_url(re.compile("taxon=kingdom%3A"))

    other = chromium.new_context().new_page()
    opened(other, page.url)
    assert number(said(other, " of ")) == here
    other.context.close()

    page.get_by_role("button", name="Clear all").click()
    assert number(said(page, "^[^f]*records$")) == total
    page.wait_for_timeout(500)
    assert number(said(page, "records$")) == total
    playwright.expect(page).to_have_url(re.compile("/explore$"))


def test_a_record_is_found_and_opened_by_keyboard(page, address, collection):
    record_id = collection.columns(["record_id"])["record_id"].to_pylist()[7]
    opened(page, f"{address}/explore")
    page.get_by_label("Search names, labels or record ids").click()
    page.keyboard.type(record_id, delay=5)
    playwright.expect(page.get_by_role("option").first).to_contain_text(record_id)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    playwright.expect(dialog).to_be_visible()
    playwright.expect(dialog.locator("dd", has_text=record_id).first).to_be_visible()
    image = dialog.get_by_role("img", name=f"Image of {record_id}").first
    playwright.expect(image).to_be_visible()
    page.wait_for_function("(image) => image.naturalWidth > 0", arg=image.element_handle())
    page.keyboard.press("Escape")
    playwright.expect(dialog).to_be_hidden()
    opened(page, f"{address}/explore?record={record_id}")
    playwright.expect(page.get_by_role("dialog")).to_be_visible()


def test_pages_are_turned_by_keyboard(page, address):
    opened(page, f"{address}/explore?order=collection")
    cards = page.locator("ul.cards button.card")
    playwright.expect(cards).to_have_count(48)
    first = cards.first.get_attribute("aria-label")
    cards.first.focus()
    page.keyboard.press("ArrowRight")
    playwright.expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("PageDown")
    playwright.expect(page.locator(".pager span.dim").first).to_contain_text("49")
    playwright.expect(cards.first).to_be_focused()
    assert cards.first.get_attribute("aria-label") != first
    page.keyboard.press("ArrowLeft")
    playwright.expect(page.locator(".pager span.dim").first).to_contain_text("1–48")


def test_lasso_review_and_files(page, address, workspace):
    opened(page, f"{address}/explore?tab=likeness")
    page.get_by_role("button", name="Make the map").click()
    page.wait_for_selector(".likeness .point", timeout=120_000)
    page.wait_for_timeout(800)
    box = page.locator(".likeness .nsewdrag").bounding_box()
    corners = [(0.05, 0.05), (0.55, 0.05), (0.55, 0.95), (0.05, 0.95), (0.05, 0.05)]
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    inside = number(said(page, " of "))
    playwright.expect(page).to_have_url(re.compile("selection="))
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Download as CSV").click()
    with Path(fetched.value.path()).open(encoding="utf-8", newline="") as handle:
        ids = [row["record_id"] for row in csv.DictReader(handle)]
    assert len(ids) == len(set(ids)) == inside
    page.get_by_role("button", name="Review these").click()
    page.wait_for_url("**/review/new?ids=*")
    kept = workspace / "selections" / f"{page.url.rsplit('=', 1)[1]}.json"
    assert sorted(json.loads(kept.read_text())["record_ids"]) == sorted(ids)


def test_map_and_bars_narrow(page, address):
    opened(page, f"{address}/explore?tab=places")
    page.wait_for_selector(".place .point")
    bar = page.locator("section[aria-label=Years] .point").first
    bar.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said(page, " of ")
    playwright.expect(page).to_have_url(re.compile("since="))


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (1920, "light")])
def test_fits_and_is_accessible(chromium, address, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe")
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = context.new_page()
    for query in ("?since=nonsense", "?tab=places", "?instrument=none"):
        opened(found, f"{address}/explore{query}")
        found.wait_for_timeout(700)
        assert found.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        serious(axe.Axe().run(found), query)
    if width < 1000:
        found.get_by_role("button", name="Filters").click()
        playwright.expect(found.locator("#filters")).to_be_visible()
        found.keyboard.press("Escape")
        playwright.expect(found.locator("#open-filters")).to_be_focused()
    opened(found, f"{address}/explore")
    found.locator("button.card").first.click()
    playwright.expect(found.get_by_role("dialog")).to_be_visible()
    found.wait_for_timeout(900)
    serious(axe.Axe().run(found), "record")
    context.close()


def serious(results, where: str) -> None:
    worst = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in results.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not worst, where


def test_without_a_collection_it_says_what_to_do(page, tmp_path):
    with served("starter", tmp_path) as server:
        page.goto(f"{server.address}/explore")
        playwright.expect(page.get_by_text("No collection is open.")).to_be_visible()
        playwright.expect(page.get_by_text("--collection FOLDER")).to_be_visible()
        assert httpx.get(f"{server.address}/explored/records.csv").status_code == 404


def test_files_by_link(address, collection):
    instrument = collection.columns(["instrument"])["instrument"].to_pylist()[0]
    answer = httpx.get(f"{address}/explored/ids.txt", params={"instrument": instrument})
    assert len(answer.text.splitlines()) == counted(collection, instrument=instrument)
    for path in ("records.csv?since=x", "records.csv?selection=" + "0" * 20, "secret.txt"):
        assert httpx.get(f"{address}/explored/{path}").status_code == 404
