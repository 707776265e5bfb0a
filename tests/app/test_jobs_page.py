"""The page Jobs in a browser: what is refused, what runs, what goes on after a server was killed."""

import shutil
import sys

import pytest
from serving import served

from holotype.app.pages.jobs_form import check_unclaimed
from holotype.jobs import JobError, Jobs, State


def start(page, title, fields):
    """Chooses a command, fills in fields by their labels, and starts it."""
    page.get_by_label("What", exact=True).click()
    page.get_by_role("option", name=title, exact=True).click()
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Start", exact=True).click()


@pytest.fixture(scope="module")
def crops(tmp_path_factory, png):
    folder = tmp_path_factory.mktemp("jobs") / 'crops "and" more' / "Copepoda"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.png").write_bytes(png(number))
    return folder.parent


@pytest.fixture(scope="module")
def server(tiny_run, crops):
    with served(tiny_run, crops.parent / "work", "--data", crops.parent) as found:
        yield found


def test_what_cannot_be_started_says_why(server, page):
    page.goto(f"{server.address}/jobs")
    start(page, "Identify many", {"Inputs": "/etc/hostname", "Write to": "x.txt"})
    page.get_by_text("Not started: 2 fields to mend.").wait_for()
    page.get_by_text("outside of the folders whose files may be named here").wait_for()
    page.get_by_text("end it in .parquet or .csv or .json").wait_for()
    page.get_by_text("No job yet.").wait_for()
    page.get_by_label("Inputs", exact=True).fill('crops "and" more')
    page.get_by_text("outside of the folders").wait_for(state="hidden")


def test_a_job_is_started_watched_and_removed(server, page, crops):
    page.goto(f"{server.address}/jobs?command=import")
    page.get_by_label("What it is", exact=True).click()
    page.get_by_role("option", name="image-folder", exact=True).click()
    page.get_by_label("Inputs", exact=True).fill(crops.name)
    page.get_by_label("Collection", exact=True).fill("made <b>here</b>")
    page.get_by_role("button", name="Start", exact=True).click()
    card = page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name="Import records")
    )
    card.get_by_text("done", exact=True).wait_for(timeout=60_000)
    assert card.locator("dd").filter(has_text="made <b>here</b>").count() == 1  # text, not HTML
    assert (crops.parent / "made <b>here</b>" / "collection.json").is_file()
    card.get_by_role("button", name="Log of Import records 1").click()
    card.get_by_role("log").filter(has_text="3 done").wait_for()
    page.reload()
    page.get_by_role("button", name="Remove Import records 1 from the list").click()
    page.get_by_role("heading", name="Import records").wait_for(state="detached")


def test_a_job_outlives_its_server_and_goes_on(tmp_path, tiny_run, crops, page):
    work = tmp_path / "work"
    jobs = Jobs(
        work / "jobs", command=["sleep"]
    )  # a command that takes long; the server knows no such
    job = jobs.start("A long one", ["300"])
    with served(tiny_run, work, "--data", crops.parent) as server:
        page.goto(f"{server.address}/jobs")
        page.get_by_role("button", name="Cancel A long one 1").wait_for()
        start(page, "Check a collection", {"Collection": ".", "Write to": "seen"})
        page.get_by_text("no collection is in this folder").wait_for()
        server.kill()
    assert jobs.get(job.id).state is State.RUNNING
    with served(tiny_run, work, "--data", crops.parent) as server:
        page.goto(f"{server.address}/jobs")
        page.get_by_role("button", name="Cancel A long one 1").click()
        page.get_by_role("button", name="Go on with A long one 1").wait_for()
        assert jobs.get(job.id).state is State.CANCELLED
        page.get_by_role("button", name="Go on with A long one 1").click()
        page.get_by_text("attempt 2").wait_for()


def test_a_broken_collection_keeps_no_page_shut_and_nothing_of_it_is_replaced(
    tmp_path, tiny_run, tiny_collection, crops, page
):
    own = tmp_path / "crops"
    shutil.copytree(tiny_collection, own)
    before = (own / "collection.json").read_bytes()
    with served(tiny_run, tmp_path / "work", "--collection", own, "--data", tmp_path) as server:
        page.goto(f"{server.address}/jobs")
        (tmp_path / "a.png").write_bytes((crops / "Copepoda" / "0.png").read_bytes())
        start(page, "Identify many", {"Inputs": "a.png", "Write to": "crops/collection.json"})
        page.get_by_text("lies in a collection, crops").wait_for()
        assert (own / "collection.json").read_bytes() == before
        assert Jobs(tmp_path / "work" / "jobs").ids() == []
        (own / "collection.json").write_bytes(before[:200])
        page.goto(f"{server.address}/jobs?command=check")
        page.get_by_text("The collection of this server cannot be read").wait_for()
        start(page, "Check a collection", {"Write to": "crops"})
        page.get_by_text("lies in a collection, crops").wait_for()


def test_two_jobs_that_wait_never_write_one_file(tmp_path):
    jobs = Jobs(tmp_path / "jobs", command=[sys.executable, "-c", "import time; time.sleep(60)"])
    words = ["predict", "--model=starter", "/x.png", "--out=/x.csv", "--json"]
    job = jobs.start("A long one", words)
    try:
        with pytest.raises(JobError, match=r"/x\.csv: job 1, A long one, writes there"):
            check_unclaimed(jobs, ["suspects", "m", "--out=/x.csv", "--json"])
        check_unclaimed(jobs, ["suspects", "m", "--out=/y.csv", "--json"])
    finally:
        jobs.cancel(job.id)
    while not jobs.get(job.id).is_over:
        jobs.turn()
    check_unclaimed(jobs, words)


def test_the_form_works_by_keyboard_alone(server, page):
    page.goto(f"{server.address}/jobs?command=summary")
    page.get_by_label("Collection", exact=True).focus()
    page.keyboard.type("nothing")
    page.keyboard.press("Tab")
    page.keyboard.type("seen")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("no such file or folder").wait_for()
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "Collection"
