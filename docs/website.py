"""Makes a static site of the documentation, which needs no network: python docs/website.py [FOLDER].

The pages are those of this folder as they are. Their order, and the front page of each part, are those of
``README.md``: a page that it does not name fails, as does a broken link or anchor.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holotype import __version__

DOCS = Path(__file__).parent
SITE = DOCS.parent / "build" / "site"
FOLDERS = ("tutorials", "how-to", "reference", "formats", "why")
"""The parts of the site, in the order of its head; each has a section of this name in ``README.md``."""
_SECTION = re.compile(r"^## (.+?)$\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_FENCED = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)
SETTINGS: dict[str, Any] = {
    "project": "Holotype",
    "version": __version__,
    "release": __version__,
    "extensions": ["myst_parser"],
    "myst_heading_anchors": 6,
    "html_theme": "pydata_sphinx_theme",
    "html_title": f"Holotype {__version__}",
    "html_show_sourcelink": False,
    "html_copy_source": False,
    "html_show_copyright": False,
    "html_show_search_summary": False,  # they are fetched, which browsers refuse of files
    "html_show_sphinx": False,
    "html_last_updated_fmt": None,
    "html_sidebars": {"index": []},
    "html_theme_options": {
        "footer_start": [],
        "footer_end": [],
        "header_links_before_dropdown": len(FOLDERS),
        "navbar_align": "left",
        "pygments_light_style": "a11y-high-contrast-light",
        "pygments_dark_style": "a11y-high-contrast-dark",
        "secondary_sidebar_items": ["page-toc"],
        "show_prev_next": True,
    },
    "highlight_language": "none",
}
"""Of Sphinx, of its Markdown parser and of its theme."""


@dataclass(frozen=True)
class Part:
    """One part of the documentation, as ``README.md`` has it.

    Attributes:
        title: of its front page.
        text: the section.
        pages: what it names, in its order, without ending.
    """

    title: str
    text: str
    pages: tuple[str, ...]


def parts(readme: str) -> dict[str, Part]:
    """Returns the parts of the documentation by folder, from the sections of ``README.md``."""
    found = {}
    for title, text in _SECTION.findall(readme):
        name = title.partition(":")[0]
        pages = [target.removesuffix(".md") for _, target in _LINK.findall(text)]
        found[name.lower()] = Part(name, text, tuple(dict.fromkeys(pages)))
    return {folder: found[folder] for folder in FOLDERS}


def _contents(pages: Iterable[str]) -> str:
    """Returns what tells Sphinx the order of pages, unseen by readers."""
    return "\n".join(("", "```{toctree}", ":hidden:", "", *pages, "```", ""))


def site_pages(docs: Path = DOCS) -> Iterator[tuple[str, str]]:
    """Yields every page of the site: its path, and its Markdown."""
    readme = (docs / "README.md").read_text(encoding="utf-8")
    named = parts(readme)
    yield "index.md", readme + _contents(named)
    for folder, part in named.items():
        yield f"{folder}.md", f"# {part.title}\n{part.text}{_contents(part.pages)}"
    for path in sorted(docs.rglob("*.md")):
        if path != docs / "README.md":
            yield path.relative_to(docs).as_posix(), _within(path, docs)


def _within(path: Path, docs: Path) -> str:
    """Returns a page without the links that lead out of the documentation: their words stay."""

    def kept(link: re.Match[str]) -> str:
        place = (path.parent / link[2].partition("#")[0]).resolve()
        leads_out = not re.match(r"[a-z]+:|#", link[2]) and not place.is_relative_to(docs.resolve())
        return link[1] if leads_out else link[0]

    pieces = _FENCED.split(path.read_text(encoding="utf-8"))
    return "".join(piece if n % 2 else _LINK.sub(kept, piece) for n, piece in enumerate(pieces))


def make_site(out: Path = SITE, docs: Path = DOCS) -> int:
    """Writes the site into a folder, replacing what is there; returns 1 where a warning came, else 0."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    with tempfile.TemporaryDirectory() as scratch, docutils_namespace():
        place = Path(scratch)
        for name, text in site_pages(docs):
            path = place / "pages" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        shutil.copytree(docs / "images", place / "pages" / "images", dirs_exist_ok=True)
        app = Sphinx(
            place / "pages",
            confdir=None,
            outdir=place / "made",
            doctreedir=place / "trees",
            buildername="html",
            confoverrides=SETTINGS,
            status=None,
            warning=sys.stderr,
            warningiserror=True,
        )
        app.build(force_all=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(place / "made", out)
        return int(app.statuscode)


if __name__ == "__main__":
    sys.exit(make_site(Path(sys.argv[1]) if sys.argv[1:] else SITE))
