"""What tests of the workbench share: a browser, where the machine has one, and a server of a small model."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from serving import Server, served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium; gone after each file, as an event loop runs in this thread while it is there."""
    place = shutil.which("chromium") or shutil.which("chromium-browser")
    if place is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of a visitor of their own; what goes wrong in its scripts fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("request", lambda asked: faults.extend(_elsewhere(asked.url)))
    yield page
    context.close()
    assert not faults


def _elsewhere(address: str) -> list[str]:
    """What is asked of another host: nothing may be."""
    parts = urlsplit(address)
    is_here = parts.scheme in {"data", "blob", "about"} or parts.hostname == "127.0.0.1"
    return [] if is_here else [f"asked of another host: {address}"]


@pytest.fixture(scope="session")
def tiny_server(
    tiny_run: Path, tiny_collection: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of the tiny model and its collection; what tests write lies in its own workspace."""
    workspace = tmp_path_factory.mktemp("workspace")
    with served(tiny_run, workspace, "--collection", tiny_collection) as server:
        yield server
