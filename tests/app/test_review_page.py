"""The page Review in a real browser: by keyboard, by touch, by two at once, and after a kill."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serving import Server, served

import holotype
from holotype.app.exploring.selections import keep_selection
from holotype.app.pages.review_store import ReviewStore
from holotype.collection.store import open_collection
from holotype.identify.read_answers import read_answers
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
