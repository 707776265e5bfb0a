"""The site of the documentation: every page is in the navigation, links hold, it needs no other host."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OF_SPHINX = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)\"|<link\b([^>]*)>")


@pytest.fixture
def website(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import website

    yield website
    sys.modules.pop("website", None)


def test_every_page_is_in_the_navigation_of_its_folder(website):
    named = website.parts((DOCS / "README.md").read_text(encoding="utf-8"))
    for folder in website.FOLDERS:
        there = {
            page.relative_to(DOCS).with_suffix("").as_posix()
            for page in (DOCS / folder).rglob("*.md")
        }
        assert set(named[folder].pages) == there, folder
    assert {
        path.parts[0] for page in DOCS.rglob("*.md") if (path := page.relative_to(DOCS)).parts[1:]
    } == set(website.FOLDERS)


def test_links_out_of_the_documentation_keep_their_words_alone(website, tmp_path):
    (tmp_path / "why").mkdir()
    page = tmp_path / "why" / "a.md"
    page.write_text(
        "[`a test`](../../tests/a.py), [b](b.md#c), [d](#d), [e](https://example.org)\n"
        "```\n[f](../../tests/f.py)\n```\n"
    )
    (tmp_path / "README.md").write_text(
        "".join(f"## {one.capitalize()}: x\n" for one in website.FOLDERS)
    )
    told = dict(website.site_pages(tmp_path))["why/a.md"]
    assert told.startswith("`a test`, [b](b.md#c), [d](#d), [e](https://example.org)\n")
    assert "[f](../../tests/f.py)" in told


def loaded(page: Path):
    """Yields what a page makes a browser fetch."""
    for source, link in LOADED.findall(page.read_text(encoding="utf-8")):
        if source:
            yield source
        elif not re.search(r'rel="(?:canonical|author|next|prev|index|search)"', link):
            yield re.search(r'href="([^"]*)"', link)[1]


@pytest.mark.slow
@OF_SPHINX
def test_the_site_is_made_without_a_warning_and_needs_no_network(website, tmp_path):
    assert website.make_site(tmp_path / "site") == 0
    pages = [
        page for page in sorted((tmp_path / "site").rglob("*.html")) if "_static" not in page.parts
    ]
    made = {page.relative_to(tmp_path / "site").with_suffix("").as_posix() for page in pages}
    assert made >= {name.removesuffix(".md") for name, _ in website.site_pages()} | {"search"}
    for page in pages:
        for address in loaded(page):
            assert not re.match(r"(?:[a-z]+:)?//", address), f"{page.name}: {address}"
            if not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0]).resolve().is_file(), address
    styles = [path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.css")]
    assert not any(re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text) for text in styles)


@pytest.mark.slow
@OF_SPHINX
@pytest.mark.parametrize("fault", ["[x](missing.md)", "[x](a.md#missing)", "![x](missing.png)"])
def test_a_broken_link_fails(website, tmp_path, fault, capsys):
    docs = tmp_path / "docs"
    (docs / "images").mkdir(parents=True)
    for folder in website.FOLDERS:
        (docs / folder).mkdir()
        (docs / folder / "a.md").write_text("# A\n\nSee [A](a.md#a).\n")
    listed = [f"## {one.capitalize()}: x\n\n- [A]({one}/a.md)\n\n" for one in website.FOLDERS]
    (docs / "README.md").write_text(f"# Documentation\n\n{''.join(listed)}")
    assert website.make_site(tmp_path / "site", docs) == 0
    (docs / "why" / "a.md").write_text(f"# A\n\n{fault}\n")
    assert website.make_site(tmp_path / "site", docs) == 1
    assert "missing" in capsys.readouterr().err
