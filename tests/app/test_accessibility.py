"""What axe-core finds on each page, light and dark, on a phone and a wide screen: nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe

PATHS = ("/", "/explore", "/review", "/evidence", "/assess", "/jobs", "/nowhere")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("width", "look"), [(390, "dark"), (1280, "light")])
def test_no_serious_violation(chromium, tiny_server, path, width, look):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=look, bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{tiny_server.address}{path}")
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_timeout(500)
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    context.close()
    assert serious == []
    assert fits, "the page is wider than the screen"
