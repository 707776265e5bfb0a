"""A whole page: head, contents, sections, scripts; it opens offline and asks nothing of any address."""

from collections.abc import Mapping, Sequence
from importlib import resources

from plotly.offline import get_plotlyjs

from holotype.page.colours import colours
from holotype.page.layout import Section
from holotype.page.words import plain

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)
_DARK = "@media (prefers-color-scheme: dark) {{ :root:not(.printing) {} }}"
_NOSCRIPT = (
    "<noscript><p>Figures need JavaScript; every table can be read without it.</p></noscript>"
)


def document(
    title: str,
    top: str,
    sections: Sequence[Section],
    short: Mapping[str, str] | None = None,
    *,
    style: str = "",
    script: str = "",
) -> str:
    """Returns a page as HTML; the same parts give the same bytes.

    Args:
        title: of the window.
        top: HTML of the head of the page, with its ``<h1>``.
        sections: in order.
        short: name of a section -> its title as the table of contents has room for it.
        style: further rules of this kind of page.
        script: further behaviour.
    """
    inside = [section.html() for section in sections]
    has_plot = any('class="plot"' in html for html in inside)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{plain(title)}</title>",
            f"<style>\n{colours(_DARK)}{_part('page.css')}{style}</style>",
            "<script>document.documentElement.classList.add('js')</script>\n</head>\n<body>",
            '<a class="skip" href="#content">Skip to the content</a>',
            f'<div class="frame">\n{_contents(sections, short or {})}\n<main id="content">',
            f"<header>{top}{_NOSCRIPT}</header>",
            *inside,
            "</main>\n</div>",
            f"<script>{get_plotlyjs()}</script>" if has_plot else "",
            f"<script>\n{_part('page.js')}{script}</script>\n</body>\n</html>\n",
        ]
    )


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _contents(sections: Sequence[Section], short: Mapping[str, str]) -> str:
    entries = "".join(
        f'<li><a href="#{section.name}">{plain(short.get(section.name, section.title))}</a></li>'
        for section in sections
    )
    return f'<nav class="contents" aria-label="Contents"><ol>{entries}</ol></nav>'
