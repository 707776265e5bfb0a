"""Labels of an assessment on a slow link, and of two people at once: each goes to its own record."""

import json

import pytest
from serving import served
from slow_link import slow

from holotype.app.pages.assess_folder import open_assessment

NUMBERS = range(1, 9)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, png, chromium):
    """Address, workspace and key of an assessment of eight records."""
    place = tmp_path_factory.mktemp("labels")
    (place / "crops").mkdir()
    for number in range(8):
        (place / "crops" / f"{number}.png").write_bytes(png(number))
    with served("starter", place / "work", "--data", place) as server:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{server.address}/assess")
        page.get_by_label("Files and folders, one a line").fill("crops")
        page.get_by_label("How many to label").fill("8")
        page.get_by_role("button", name="Draw").click()
        page.get_by_label("What is it?").wait_for(timeout=120_000)
        key = page.url.rpartition("/")[2]
        context.close()
        yield server.address, open_assessment(place / "work", key)


@pytest.fixture
def labelled(drawn):
    """The same, where each record bears a label of its own."""
    address, found = drawn
    for number in NUMBERS:
        found.write(number, f"Taxon {number}", by="Ada")
    return address, found


def at_first(page, address, found):
    """Opens the desk at record 1; returns its field."""
    page.goto(f"{address}/assess/{found.key}")
    field = page.get_by_label("What is it?")
    field.wait_for()
    page.get_by_text("of 8 labelled").wait_for()
    for number in reversed(NUMBERS):
        page.get_by_text(f"Record {number} of 8").wait_for()
        if number > 1:
            field.press("PageUp")
    return field


def until(page, said):
    """Waits until something holds of what is on disk."""
    for _ in range(100):
        if said():
            return
        page.wait_for_timeout(100)
    assert said()


def test_enters_through_labelled_records_on_a_slow_link_change_nothing(page, labelled):
    address, found = labelled
    before = found.labels()
    with slow(address) as far:
        field = at_first(page, far, found)
        for _ in range(5):
            field.press("Enter")
            page.wait_for_timeout(100)
        page.get_by_text("Record 6 of 8").wait_for()
        page.wait_for_timeout(1000)
    assert found.labels() == before


def test_letters_on_a_slow_link_go_to_the_record_that_they_were_typed_for(page, labelled):
    address, found = labelled
    with slow(address) as far:
        field = at_first(page, far, found)
        page.keyboard.press("PageDown")
        page.keyboard.press("Control+a")
        page.keyboard.type("Xyz")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")  # nothing typed: record 3 stays
        page.keyboard.press("Control+a")
        page.keyboard.type("Qrs")
        page.keyboard.press("Enter")
        until(page, lambda: found.labels()[4] == "Qrs")
        assert found.labels() == {
            number: {2: "Xyz", 4: "Qrs"}.get(number, f"Taxon {number}") for number in NUMBERS
        }
        assert field.get_attribute("data-number") == "5"
        page.keyboard.press("PageUp")
        assert field.input_value() == "Qrs"


def test_arrow_keys_before_the_names_have_come_choose_among_them(page, labelled):
    address, found = labelled
    with slow(address) as far:
        field = at_first(page, far, found)
        field.press("Control+a")
        page.keyboard.type("copepod")
        page.keyboard.press("ArrowUp")  # the last of the names: the letters themselves
        page.keyboard.press("Enter")
        page.keyboard.press("Control+a")
        page.keyboard.type("copepod")
        page.keyboard.press("Enter")
        until(page, lambda: found.labels()[2] != "Taxon 2")
    assert found.labels()[1] == "copepod"
    assert found.labels()[2].startswith("Copepod")


def test_the_desk_is_accessible(page, labelled):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe")
    address, found = labelled
    field = at_first(page, address, found)
    field.press("Control+a")
    page.keyboard.type("copepod")
    page.get_by_role("option").first.wait_for()
    results = axe.Axe().run(page).response["violations"]
    assert [one["id"] for one in results if one["impact"] in ("serious", "critical")] == []


def test_a_label_is_taken_back_by_hand_alone(page, labelled):
    address, found = labelled
    field = at_first(page, address, found)
    page.evaluate(
        "document.getElementById('label-field').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, repeat: true}))"
    )
    assert field.get_attribute("data-number") == "1"
    field.press("Control+a")
    field.press("Delete")
    field.press("Enter")
    page.get_by_text("7 of 8 labelled").wait_for()
    assert [number for number, label in found.labels().items() if not label] == [1]
    field.press("PageUp")
    field.press("Enter")
    page.wait_for_timeout(300)
    assert found.labels()[2] == "Taxon 2"


def test_what_others_write_is_shown_and_writing_over_it_is_told(page, labelled):
    address, found = labelled
    field = at_first(page, address, found)
    found.write(3, "", by="Bo")
    found.write(1, "By <b>Bo</b>", by="Bo")
    page.wait_for_function("document.getElementById('label-field').value === 'By <b>Bo</b>'")
    page.get_by_text("Written by Bo.").wait_for()
    page.get_by_text("7 of 8 labelled").wait_for()
    field.press("PageDown")
    page.keyboard.press("Control+a")
    page.keyboard.type("Mine")
    found.write(2, "Bo's", by="Bo")
    page.get_by_text("Bo wrote “Bo's” here meanwhile").wait_for()
    assert field.input_value() == "Mine"


def test_what_was_written_since_the_page_was_drawn_is_told(page, labelled):
    address, found = labelled
    with slow(address, delay_s=0.5) as far:
        field = at_first(page, far, found)
        field.press("Control+a")
        page.keyboard.type("First")
        page.keyboard.press("Enter")
        found.write(1, "Late", by="Bo")
        told = "Record 1: Bo wrote “Late” meanwhile, and you wrote “First” over it."
        page.get_by_text(told).wait_for()
    assert found.labels()[1] == "First"
    lines = (found.folder / "labels.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines[-2:]] == ["Late", "First"]
