"""The pictures of the workbench in ``docs/images``, taken of the demo: python docs/pictures.py demo.

A folder of the demo that is named as the server shows it is in the pictures: name it by a relative path.
Starts the server on the demo and takes each page at the width of a phone, a laptop and a wide screen; needs
Chromium (Debian: apt install chromium).
"""

import argparse
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "app"))
from serving import served  # noqa: E402 - lies beside the tests

import holotype  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTHS = {390: 844, 1280: 900, 1920: 1080}
BROUGHT = 8
"""Images and barcodes that are identified."""
SETTLED_MS = 2_500
SESSION = "net-1"


def main() -> None:
    """Takes all pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("demo", type=Path)
    demo = parser.parse_args().demo
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        place = Path(scratch)
        words = ("--collection", demo / "collection", "--report", demo / "report")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        session(demo, place / "workspace")
        with served(demo / "run", place / "workspace", *words) as server:
            for name, way in PAGES.items():
                take(browser, server.address, name, way, place, demo)
        browser.close()


def session(demo: Path, workspace: Path) -> None:
    """Makes a review session of the demo's collection."""
    answers, embeddings = (workspace / f"{name}.parquet" for name in ("answers", "embeddings"))
    workspace.mkdir()
    holotype.predict(demo / "run", [demo / "collection"], out=answers, embeddings=embeddings)
    holotype.new_session(
        answers, collection=demo / "collection", embeddings=embeddings, model=demo / "run",
        out=workspace / "reviews" / SESSION,
    )  # fmt: skip


def take(
    browser: Any, address: str, name: str, way: Callable[..., None], place: Path, demo: Path
) -> None:
    """Takes one page at every width; the widest of them in the dark look."""
    page = browser.new_page()
    way(page, address, place, demo)
    for width, height in WIDTHS.items():
        page.emulate_media(color_scheme="dark" if width == max(WIDTHS) else "light")
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("document.getElementById('answers')?.scrollIntoView()")
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=IMAGES / f"workbench-{name}-{width}.png")
    page.close()


def identify(page: Any, address: str, place: Path, demo: Path) -> None:
    """Brings images of the demo and the barcodes of some of them."""
    with zipfile.ZipFile(demo / "new-specimens.zip") as archive:
        names = [n for n in archive.namelist() if n.endswith((".png", ".jpg"))][:BROUGHT]
        archive.extractall(place, names)
    page.goto(address)
    page.set_input_files("input[type=file]", [place / name for name in names])
    barcodes = (demo / "new-barcodes.fasta").read_text().splitlines()[:BROUGHT]
    page.get_by_label("Paste FASTA, or one sequence").fill("\n".join(barcodes))
    page.get_by_text(f"{len(names)} files brought").wait_for()
    page.get_by_role("button", name="Identify").click()
    page.locator("article.evidence").first.wait_for(timeout=60_000)


def review(page: Any, address: str, _place: Path, _demo: Path) -> None:
    """Confirms one page and picks some crops of the next."""
    page.goto(f"{address}/review/{SESSION}?page=20")
    page.get_by_role("textbox", name="Name").fill("Anna")
    page.get_by_role("textbox", name="Name").press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
    card = page.locator("#review-grid [role=option]")
    card.nth(3).click()
    page.keyboard.press("Space")
    page.keyboard.press("x")
    page.locator(".is-unclassify").first.wait_for()
    card.nth(8).click()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")


def at(path: str) -> Callable[..., None]:
    """Returns the way to a page that needs nothing but its address."""

    def go(page: Any, address: str, _place: Path, _demo: Path) -> None:
        page.goto(f"{address}{path}")

    return go


PAGES: dict[str, Callable[..., None]] = {
    "identify": identify,
    "explore": at("/explore"),
    "review": review,
    "evidence": at("/evidence"),
    "jobs": at("/jobs"),
}


if __name__ == "__main__":
    main()
