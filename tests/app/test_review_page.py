"""The page Review in a real browser: by keyboard, by touch, by two at once, and after a kill."""

import asyncio
import json
import os
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serving import Server, served

import holotype
from holotype.app.exploring.selections import keep_selection
from holotype.app.pages.review_acts import likely_labels
from holotype.app.pages.review_fields import LabelField, meant
from holotype.app.pages.review_store import ReviewStore
from holotype.collection.store import open_collection
from holotype.identify.read_answers import read_answers
from holotype.reviewing.labels import LabelBook
from holotype.reviewing.log import LOG
from holotype.reviewing.make import new_session
from holotype.reviewing.review import Review
from holotype.reviewing.settle import Settle

CARD = "#review-grid [role=option]"
NAME = "net-1"
TAXON = "Arthropoda"


@pytest.fixture(scope="module")
def prepared(
    tiny_run: Path, tiny_collection: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a collection, and a session of it on pages of forty."""
    folder = tmp_path_factory.mktemp("review")
    collection = shutil.copytree(tiny_collection, folder / "collection")
    answers, embeddings = folder / "answers.parquet", folder / "embeddings.parquet"
    holotype.predict(tiny_run, [collection], out=answers, embeddings=embeddings)
    new_session(
        answers, collection=collection, embeddings=embeddings, out=folder / "workspace" / "reviews" / NAME,
        model=tiny_run,
    )  # fmt: skip
    return folder


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Path:
    """Such a folder of one's own; the session looks for the collection in it."""
    folder = shutil.copytree(prepared, tmp_path / "place")
    manifest = folder / "workspace" / "reviews" / NAME / "session.json"
    said = json.loads(manifest.read_text(encoding="utf-8"))
    said["collection"]["path"] = str(folder / "collection")
    manifest.write_text(json.dumps(said), encoding="utf-8")
    return folder


@pytest.fixture
def start(tiny_run: Path, place: Path) -> Callable[[], Any]:
    """Returns what starts a server of that folder."""
    return lambda: served(tiny_run, place / "workspace", "--collection", place / "collection")


def review_of(place: Path) -> Review:
    return Review.open(place / "workspace" / "reviews" / NAME)


def come(page: Any, server: Server, name: str, *, at: int = 1) -> None:
    """Opens the session and says who one is."""
    page.goto(f"{server.address}/review/{NAME}?page={at}")
    page.locator(CARD).first.wait_for()
    field = page.get_by_role("textbox", name="Name")
    field.fill(name)
    field.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_function("document.activeElement?.getAttribute('role') === 'option'")


def asked_for_a_label(page: Any) -> None:
    """Waits until what is typed goes into the field of the label."""
    page.get_by_role("combobox", name="Label or taxon").wait_for()
    page.wait_for_function("document.activeElement?.getAttribute('role') === 'combobox'")


def said(page: Any, words: str) -> None:
    """Waits until the page says so."""
    page.get_by_text(words).first.wait_for(timeout=10_000)


def full_page(place: Path) -> tuple[int, list[str]]:
    """A page of forty: its number from one, and its records."""
    session = review_of(place).session
    page = max(range(session.pages), key=lambda at: len(session.rows_of_page[at]))
    return page + 1, [session.record_ids[row] for row in session.rows_of_page[page].tolist()]


def test_forty_crops_by_keyboard_with_undo_survive_kill_9(page, start, place):
    at, records = full_page(place)
    assert len(records) == 40
    with start() as server:
        come(page, server, "Anna", at=at)
        assert page.locator(CARD).count() == 40
        # the first three, picked with shift, become another taxon
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        assert page.locator(f"{CARD}[aria-selected=true]").count() == 3
        said(page, "3 picked")
        page.keyboard.press("r")
        asked_for_a_label(page)
        page.keyboard.type(TAXON[:-2].lower())
        page.get_by_role("option", name=f"{TAXON}, phylum of Animalia").wait_for()
        page.keyboard.press("Enter")
        page.locator(".is-relabel").nth(2).wait_for()
        # one has no name, one gets a name that nobody knows
        page.keyboard.press("End")
        page.keyboard.press("x")
        page.locator(".is-unclassify").wait_for()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("r")
        asked_for_a_label(page)
        page.keyboard.type("Blob type 3", delay=20)
        page.get_by_role("option", name="new: without a lineage").wait_for()
        said(page, "Enter takes “Blob type 3”, a new label without a lineage.")
        page.locator("#review-found [role=option][aria-selected=true]", has_text="new:").wait_for()
        page.keyboard.press("Enter")
        page.locator(".is-relabel").nth(3).wait_for()
        # a wrong key, taken back
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Delete")
        page.locator(".is-unclassify").nth(1).wait_for()
        page.keyboard.press("Control+z")
        said(page, "Taken back: unclassify of 1 record.")
        assert page.locator(".is-unclassify").count() == 1
        # and one key for all that is left
        page.keyboard.press("Enter")
        page.locator(".is-confirm").nth(34).wait_for()
        said(page, "40 by you")
        server.kill()  # what the page has shown is on disk
    review = review_of(place)
    kinds = [review.decisions(one)["Anna"].kind.value for one in records]
    assert kinds == ["relabel"] * 3 + ["confirm"] * 35 + ["relabel", "unclassify"]
    assert {review.decisions(one)["Anna"].label for one in records[:3]} == {TAXON}
    assert review.decisions(records[38])["Anna"].label == "Blob type 3"
    assert review.state.new_labels() == {"Blob type 3": "Anna"}
    assert len(review.state.undone) == 1
    for record in records[3:38]:
        assert (
            review.decisions(record)["Anna"].label
            == review.proposals[review.session.row_of[record]]
        )
    with start() as server:
        page.goto(f"{server.address}/review/{NAME}?page={at}")
        page.locator(".is-confirm").nth(34).wait_for()
        said(page, "Anna")  # the name is known still, and nothing is lost
        assert page.locator(".is-relabel").count() == 4
        page.keyboard.press("u")
        said(page, "Taken back: confirm of 35 records.")
        assert page.locator(".is-confirm").count() == 0


def test_enter_takes_what_was_typed_and_no_near_name(page, start, place):
    at, records = full_page(place)
    genus = max(
        (one.name for one in review_of(place).session.book.labels if one.rank == "genus"), key=len
    )
    part = genus[1:].capitalize()  # as Calanus is of Eucalanus
    with start() as server:
        come(page, server, "Anna", at=at)
        for typed in (part, genus.lower()):
            page.keyboard.press("r")
            field = page.get_by_role("combobox", name="Label or taxon")
            field.wait_for()
            page.keyboard.type(typed)
            page.get_by_role("option", name=f"{genus}, ").first.wait_for()
            end = "”, a new label without a lineage." if typed == part else "”."
            said(page, f"Enter takes “{part if typed == part else genus}{end}")
            page.keyboard.press("Enter")
            page.get_by_role("dialog").wait_for(state="detached")
            said(page, f"✎ {part if typed == part else genus}")
            page.keyboard.press("ArrowRight")
    given = [review_of(place).decisions(one)["Anna"].label for one in records[:2]]
    assert given == [part, genus]


def test_labels_typed_without_waiting_go_to_their_records(page, start, place):
    at, records = full_page(place)
    typed = [f"Blob type {number}" for number in range(6)]
    with start() as server:
        come(page, server, "Anna", at=at)
        for label in typed:  # the field of the last one is still going when the next is asked for
            page.keyboard.press("r")
            page.keyboard.type(label)
            page.keyboard.press("Enter")
            page.keyboard.press("ArrowRight")
        said(page, f"{len(typed)} by you")
    given = [review_of(place).decisions(one)["Anna"].label for one in records[: len(typed)]]
    assert given == typed


def test_two_at_once_lose_nothing_and_see_each_other(chromium, start, place):
    at, records = full_page(place)
    with start() as server:
        people = {name: chromium.new_context().new_page() for name in ("Anna", "Bo")}
        for name, page in people.items():
            come(page, server, name, at=at)
        for turn in range(12):
            for (
                page
            ) in people.values():  # both at the same pictures, without waiting for one another
                page.keyboard.press("x" if turn % 2 else "1")
                page.keyboard.press("ArrowRight")
        for page in people.values():
            said(page, "12 by you")
        people["Anna"].keyboard.press("Enter")
        said(people["Anna"], "40 by you")
        people["Bo"].locator(".is-others").nth(39).wait_for(timeout=10_000)
        said(people["Bo"], "Anna ✓")
        people["Bo"].keyboard.press("Home")
        people["Bo"].keyboard.press("x")
        people["Anna"].locator(".is-disputed").wait_for(timeout=10_000)
        said(people["Anna"], "Bo ∅ unclassified")
        people["Anna"].keyboard.press("u")
        said(people["Anna"], "12 by you")
        assert people["Bo"].get_by_text("13 by you").count() == 0
        said(people["Bo"], "12 by you")
        people["Anna"].get_by_role("button", name="Agreement").click()
        said(people["Anna"], "Krippendorff’s alpha")
        for page in people.values():
            page.context.close()
    review = review_of(place)
    for name in people:
        mine = [one for one in records if name in review.decisions(one)]
        assert mine == records[:12]
    assert review.decisions(records[0])["Bo"].label is None
    assert review.status().damaged == {}


def test_labels_are_written_and_files_are_given(page, start, place):
    at, records = full_page(place)
    with start() as server:
        review_of(place).relabel("anna", records[:1], "Blob type 3")
        come(page, server, "ANNA", at=at)  # the same person
        page.keyboard.press("Enter")
        said(page, "40 by you")
        page.get_by_role("button", name="Write and export").click()
        for form, begins in (
            ("decisions.csv", b"\xef\xbb\xbfrecord_id,"), ("ecotaxa_update.zip", b"PK"),
            ("review.html", b"<!DOCTYPE"),
        ):  # fmt: skip
            address = page.locator(f"a[href*='{form}']").get_attribute("href")
            with urllib.request.urlopen(f"{server.address}{address}") as answer:
                assert answer.read().startswith(begins)
        page.get_by_role("button", name="Write labels …").click()
        page.get_by_role("button", name="Write", exact=True).click()
        said(page, "40 records changed.")
        said(page, "Without a lineage: Blob type 3.")
        # the pictures are those of the collection as it is now
        page.goto(f"{server.address}/review/{NAME}?page={at}")
        page.wait_for_function(
            f"[...document.querySelectorAll('{CARD} img')].filter(i => i.naturalWidth > 0).length > 5"
        )
    rows = open_collection(place / "collection").columns().to_pylist()
    written = {row["record_id"] for row in rows if row["label_status"] == "validated"}
    assert written == set(records)
    assert {row["labelled_by"] for row in rows if row["record_id"] in written} == {"anna"}


def test_a_session_is_made_on_the_page(page, start, place):
    with start() as server:
        page.goto(f"{server.address}/review")
        page.get_by_role("link", name=NAME).wait_for()
        page.get_by_role("link", name="New session").click()
        said(page, f"{len(open_collection(place / 'collection'))} records of")
        page.get_by_role("button", name="Name the records").click()
        page.get_by_role("textbox", name="Name of the session").wait_for(timeout=120_000)
        page.get_by_role("textbox", name="Name of the session").fill(NAME)
        page.get_by_role("button", name="Make the session").click()
        said(page, "there is a session")
        page.get_by_role("textbox", name="Name of the session").fill("net 2")
        page.get_by_role("button", name="Make the session").click()
        page.locator(CARD).first.wait_for(timeout=30_000)
        assert page.url.split("?")[0].endswith("/review/net-2")


def test_a_session_of_a_selection_names_that_alone(page, start, place):
    collection = open_collection(place / "collection")
    chosen = collection.columns(["record_id"])["record_id"].to_pylist()[5:40:3]
    key = keep_selection(place / "workspace", collection.path, chosen)
    with start() as server:
        page.goto(f"{server.address}/review/new?ids={key}")
        said(page, f"{len(chosen)} records of {collection.name}, selected on the page Explore.")
        page.get_by_role("button", name="Name the records").click()
        page.get_by_role("textbox", name="Name of the session").fill("chosen", timeout=120_000)
        page.get_by_role("button", name="Make the session").click()
        page.locator(CARD).first.wait_for(timeout=30_000)
    (answers,) = (place / "workspace" / "reviews" / ".answers").glob("*/answers.parquet")
    assert sorted(read_answers(answers)["record_id"].to_pylist()) == sorted(chosen)
    made = Review.open(place / "workspace" / "reviews" / "chosen")
    assert sorted(made.session.record_ids) == sorted(chosen)


def test_by_touch_on_a_phone(chromium, start, place):
    at, records = full_page(place)
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    with start() as server:
        come(page, server, "Anna", at=at)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator(CARD).nth(1).tap()
        page.locator(CARD).nth(2).tap()
        page.get_by_role("button", name="Unclassify").tap()
        page.locator(".is-unclassify").nth(1).wait_for()
        page.get_by_role("button", name="Relabel").tap()
        page.get_by_role("combobox", name="Label or taxon").fill(TAXON[:-2].lower())
        page.get_by_role("option", name=f"{TAXON}, phylum of Animalia").tap()
        page.locator(".is-relabel").wait_for()
        page.get_by_role("button", name="Confirm").tap()
        said(page, "40 by you")
        context.close()
    review = review_of(place)
    kinds = [review.decisions(one)["Anna"].kind.value for one in records]
    assert kinds == ["confirm", "unclassify", "relabel", *["confirm"] * 37]


def serious(page: Any) -> list[tuple[str, str]]:
    """What axe-core finds that is serious: the rule, and the element."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_function(
        "!document.querySelector('[class*=enter-active], [class*=leave-active]')"
    )
    page.wait_for_timeout(500)
    found = Axe().run(page).response["violations"]
    return [
        (one["id"], str(one["nodes"][0]["any"] or one["nodes"][0]["html"]))
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("look", ["light", "dark"])
def test_no_serious_fault_of_accessibility(chromium, start, place, look):
    context = chromium.new_context(color_scheme=look, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    review = review_of(place)
    review.relabel("Bo", review.session.record_ids[:3], TAXON)
    with start() as server:
        for address in ("/review", "/review/new", f"/review/{NAME}"):
            page.goto(server.address + address)
            page.get_by_role("heading", level=1).wait_for()
            assert serious(page) == []
        come(page, server, "Anna")
        page.keyboard.press("x")
        page.locator(".is-disputed").wait_for()
        page.keyboard.press("Shift+ArrowRight")
        assert serious(page) == []
        for key, title in (("?", "Keys"), ("r", "Label of 2 records"), ("m", "Note on 2 records")):
            page.keyboard.press(key)
            page.get_by_role("dialog", name=title).wait_for()
            assert serious(page) == []
            page.keyboard.press("Escape")
            page.get_by_role("dialog").wait_for(state="detached")
        for title in ("Agreement", "Write and export"):
            page.get_by_role("button", name=title).click()
            page.get_by_role("dialog", name=title).wait_for()
            assert serious(page) == []
            page.keyboard.press("Escape")
            page.get_by_role("dialog").wait_for(state="detached")
        context.close()


def test_the_page_to_send_counts_as_one_asks(place):
    review = review_of(place)
    record = review.session.record_ids[0]
    review.relabel("Anna", [record], TAXON)
    review.relabel("Bo", [record], "Blob type 3")
    store = ReviewStore(place / "workspace" / "reviews")
    newest, agreed = (
        store.written(NAME, "review.html", settle).decode()
        for settle in (Settle.NEWEST, Settle.AGREED)
    )
    assert "<small>counts as Blob type 3" in newest
    assert "<small>counts as" not in agreed


def press_at_once(page: Any, *keys: str) -> int:
    """Presses keys before the server can answer one of them; a letter that nobody takes goes into a field.

    Returns how many labels are highlighted then.
    """
    highlighted: int = page.evaluate(
        """keys => {
          for (const pressed of keys) {
            const at = document.activeElement;
            const ctrlKey = pressed.startsWith('Control+');
            const key = pressed.replace('Control+', '');
            const press = new KeyboardEvent('keydown', {key, ctrlKey, bubbles: true, cancelable: true});
            if (at.dispatchEvent(press) && key.length === 1 && at.matches('input, textarea')) {
              at.value += key;
              at.dispatchEvent(new Event('input', {bubbles: true}));
            }
          }
          return document.querySelectorAll('#review-found [aria-selected=true]').length;
        }""",
        list(keys),
    )
    return highlighted


def written(place: Path) -> list[tuple[str, int, str | None]]:
    """What the log says, in its order: the kind, how many records, their first label or the text."""
    events = review_of(place).state.events.values()
    return [
        (one.kind.value, len(one.records), one.text or next(iter(one.labels), None))
        for one in events
    ]


def wait_for(check: Callable[[], bool]) -> None:
    """Waits until something holds, at most ten seconds."""
    until = time.monotonic() + 10
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_arrow_keys_before_the_list_choose_from_that_of_these_letters(page, start, place):
    at, records = full_page(place)
    book = review_of(place).session.book
    letters = next(
        two for name in book.by_name if len(meant(book, two := name[:2].casefold())) >= 4
    )
    names = [name for name, _ in meant(book, letters)]
    with start() as server:
        come(page, server, "Anna", at=at)
        press_at_once(page, "r", *letters, "ArrowDown", "ArrowDown", "Enter", "ArrowRight", "x")
        page.locator(".is-unclassify").wait_for()
        # a list of fewer letters stands there: it is not what the arrow key goes through
        press_at_once(page, "ArrowRight", "r", letters[0])
        page.locator(f"#review-found[data-typed='{letters[0]}']").wait_for()
        assert press_at_once(page, letters[1], "ArrowDown") == 0
        highlighted = page.locator("#review-found [aria-selected=true]")
        said(page, f"Enter takes “{names[1]}”")
        assert highlighted.get_attribute("data-name") == names[1]
        page.keyboard.press("Enter")
        page.locator(".is-relabel, .is-confirm").nth(1).wait_for()
    review = review_of(place)
    given = [review.decisions(one)["Anna"].label for one in records[:3]]
    assert given == [names[2], None, names[1]]


def test_what_is_pressed_while_the_page_turns_is_done_on_the_new_one(page, start, place):
    review = review_of(place)
    assert review.session.pages > 3
    first = [review.session.record_ids[rows[0]] for rows in review.session.rows_of_page]
    with start() as server:
        come(page, server, "Anna")
        press_at_once(page, "n", "r", *"Blob A", "Backspace", "B", "Enter", "ArrowRight", "x")
        wait_for(lambda: len(written(place)) == 2)
        press_at_once(page, "n", "m", *"far left", "Control+Enter")
        wait_for(lambda: len(written(place)) == 3)
        press_at_once(page, "p", "p", "p", "x")  # there is no page before the first
        wait_for(lambda: len(written(place)) == 4)
        press_at_once(page, "Control+z", "n", "u")
        wait_for(lambda: len(written(place)) == 6)
    assert [one[::2] for one in written(place)] == [
        ("relabel", "Blob B"), ("unclassify", None), ("note", "far left"), ("unclassify", None),
        ("undo", None), ("undo", None),
    ]  # fmt: skip
    review = review_of(place)
    assert review.decisions(first[1])["Anna"].label == "Blob B"
    assert "Anna" not in review.decisions(first[0])
    assert review.state.notes(first[2]) == []  # what was said last was taken back


def test_an_act_of_a_page_that_was_left_is_not_done_without_a_word(page, start, place):
    with start() as server:
        come(page, server, "Anna")
        page.evaluate(
            "emitEvent('review', {what: 'unclassify', id: 'a'.repeat(32), page: '2', picked: [], focused: 0})"
        )
        said(page, "The page had turned: nothing was written.")
    assert written(place) == []


def test_two_enters_at_once_confirm_once_and_go_on(page, start, place):
    review = review_of(place)
    sizes = [len(rows) for rows in review.session.rows_of_page]
    with start() as server:
        come(page, server, "Anna")
        page.evaluate(  # as from two pages: neither waits for the other
            """() => ['a', 'b'].forEach(one => emitEvent(
              'review', {what: 'confirm', id: one.repeat(32), page: '0', picked: [], focused: 0}))"""
        )
        said(page, "Page 2 of")
        assert written(place)[0][:2] == ("confirm", sizes[0])
        press_at_once(page, "Enter", "Enter", "Enter", "x")  # confirmed, on, confirmed
        wait_for(lambda: len(written(place)) == 4)
    assert [one[:2] for one in written(place)] == [
        ("confirm", sizes[0]), ("confirm", sizes[1]), ("confirm", sizes[2]), ("unclassify", 1),
    ]  # fmt: skip


def test_what_others_did_just_before_agreement_is_shown(page, start, place):
    review = review_of(place)
    with start() as server:
        come(page, server, "Anna")
        for record in review.session.record_ids[:4]:
            review.relabel("Bo", [record], TAXON)
            page.get_by_role("button", name="Agreement").click()
            page.get_by_role("dialog", name="Agreement").wait_for()
            page.keyboard.press("Escape")
            page.get_by_role("dialog").wait_for(state="detached")
        page.locator(".is-others").nth(3).wait_for(timeout=6_000)


def test_nothing_looks_taken_while_the_server_is_away(page, start, place, tiny_run):
    with start() as server:
        come(page, server, "Anna")
        page.keyboard.press("m")
        page.keyboard.type("antennae broken")
        server.kill()
    page.wait_for_function("!window.socket.connected")
    page.keyboard.press("Control+Enter")
    told = page.get_by_role("dialog").get_by_text("The server is away: nothing was written.")
    told.wait_for()
    assert page.get_by_role("textbox", name="Note").input_value() == "antennae broken"
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    page.keyboard.press("x")
    assert page.locator(f"{CARD}[aria-selected=true]").count() == 1  # not sent: picked still
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.type("Blob 7")
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox", name="Label or taxon")
    assert field.input_value() == "Blob 7"
    port = server.address.rpartition(":")[2]
    with served(
        tiny_run, place / "workspace", "--collection", place / "collection", "--port", port
    ):
        said(page, "The page was loaded anew. See whether this was written: relabel “Blob 7”.")
    assert written(place) == []


def test_naming_the_records_is_asked_for_once_and_the_form_stands_still(chromium, start, place):
    with start() as server:
        people = [chromium.new_context().new_page() for _ in range(2)]
        buttons = [page.get_by_role("button", name="Name the records") for page in people]
        for page, button in zip(people, buttons, strict=True):
            page.goto(f"{server.address}/review/new")
            button.wait_for()
            button.focus()
        people[0].wait_for_timeout(4_500)  # looked at twice meanwhile
        assert "NAME THE RECORDS" in people[0].evaluate("document.activeElement.innerText").upper()
        people[0].evaluate(
            "() => { const at = document.activeElement; at.click(); at.click(); at.click(); }"
        )
        people[1].evaluate("document.activeElement.click()")
        for page in people:
            status = page.locator("[role=status]", has_text="The records are being named")
            status.wait_for(timeout=20_000)
            status.evaluate("one => { one.seen = true; }")
        people[1].wait_for_timeout(4_500)
        if status.count():  # it may have ended: else it is the same element that is told anew
            assert status.evaluate("one => one.seen")
        for page in people:
            page.get_by_role("textbox", name="Name of the session").wait_for(timeout=120_000)
            page.context.close()
    assert len(list((place / "workspace" / "jobs").glob("0*"))) == 1


def test_a_session_is_read_once_for_all_visitors(place):
    store = ReviewStore(place / "workspace" / "reviews")
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(store.review, [NAME] * 12))
    assert len({id(one) for one in found}) == 1
    shared, colleague = found[0], review_of(place)
    seen = shared.num_events
    colleague.unclassify("Bo", colleague.session.record_ids[:2])
    assert shared.status().decided == 2
    assert [one.reviewer for one in shared.events_after(seen)] == ["Bo"]
    assert shared.events_after(shared.num_events) == []


def test_a_shared_review_is_looked_at_while_many_write(place):
    shared = ReviewStore(place / "workspace" / "reviews").review(NAME)
    records = shared.session.record_ids[:3]
    seen: list[str] = []
    is_over = threading.Event()

    def look() -> None:
        number = 0
        while not is_over.is_set() or number < shared.num_events:
            shared.glance()
            fresh = shared.events_after(number)
            number += len(fresh)
            seen.extend(one.id for one in fresh)
            for record in records:
                assert set(shared.decisions(record)) <= {"A", "B"}

    def write(name: str) -> None:
        for _ in range(40):
            shared.relabel(name, records, TAXON)
            shared.undo(name)

    with ThreadPoolExecutor(3) as threads:
        looking = threads.submit(look)
        for one in [threads.submit(write, name) for name in "AB"]:
            one.result()
        is_over.set()
        looking.result()
    assert seen == list(review_of(place).state.events)
    assert shared.state.num_decided == 0


def test_the_list_reads_a_log_again_only_where_it_has_grown(place):
    review = review_of(place)
    review.unclassify("Bo", review.session.record_ids[:5])
    store = ReviewStore(place / "workspace" / "reviews")
    assert [one.decided for one in store.listed()] == [5]
    log = review.session.path / LOG
    content, then = log.read_bytes(), log.stat()
    log.write_bytes(b" " * len(content))
    os.utime(log, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert [one.decided for one in store.listed()] == [5]  # known
    log.write_bytes(content)
    review.unclassify("Bo", review.session.record_ids[:9])
    assert [one.decided for one in store.listed()] == [9]
    shared = store.review(NAME)
    shared.undo("Bo")
    assert [(one.decided, one.reviewers) for one in store.listed()] == [(5, ("Bo",))]


def test_no_record_has_no_likely_label(place):
    desk: Any = SimpleNamespace(review=review_of(place))
    assert likely_labels(desk, []) == []
    assert likely_labels(desk, [0, 1])


class SlowBook(LabelBook):
    """A book that takes its time, and counts how often it is searched."""

    searches = 0

    def found(self, typed: str, *, most: int = 12) -> list[Any]:
        type(self).searches += 1
        time.sleep(0.15)
        return super().found(typed, most=most)


def test_suggestions_hold_nobody_up_and_are_for_the_newest_letters(place):
    class Field(LabelField):
        drawn: list[str]

        def _draw_found(self, asked: str, typed: str, found: Any) -> None:
            self.drawn.append(typed)

    field = Field(SlowBook(review_of(place).session.book.labels))
    field.drawn = []
    SlowBook.searches = 0

    async def typing() -> float:
        longest = 0.0
        looks = [asyncio.create_task(field.suggest("a", TAXON[:n], [])) for n in range(1, 8)]
        while not all(one.done() for one in looks):
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before)
        return longest

    with ThreadPoolExecutor(1) as thread:  # the browser has a loop in this one
        assert thread.submit(asyncio.run, typing()).result() < 0.12
    assert field.drawn == [TAXON[:7]]
    assert SlowBook.searches == 2  # the first letter, and the newest ones: once each


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/review/{NAME}/pictures/..%2F..%2Fsession.json", 404),
        ("/review/..%2F..%2Fx/pictures/a", 404),
        ("/review/nobody/pictures/a", 404),
        (f"/review/{NAME}/pictures/a?side=100000", 422),
        (f"/review/{NAME}/files/session.json", 404),
        (f"/review/{NAME}/files/..%2Fsession.json", 404),
        (f"/review/{NAME}/files/ecotaxa_update.zip", 422),
        (f"/review/{NAME}/files/decisions.csv?settle=mine", 422),
        ("/review/nobody/files/decisions.csv", 422),
    ],
)
def test_what_there_is_not_is_not_given(review_server, path, code):
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(review_server.address + path)
    assert told.value.code == code
    assert str(review_server.workspace) not in told.value.read().decode(errors="replace")


@pytest.fixture(scope="module")
def review_server(tiny_run, prepared):
    with served(tiny_run, prepared / "workspace") as server:
        server.workspace = prepared
        yield server
