"""The report as one page that opens offline: figures, tables, thumbnails, no address outside it."""

from collections.abc import Sequence
from importlib import resources
from typing import Any

from plotly.offline import get_plotlyjs

from holotype.evaluation.report import closing, collected, confusion, naming, opening, space
from holotype.evaluation.report.layout import Section
from holotype.evaluation.report.words import count, is_missing, plain, some

SECTIONS = (
    opening.question,
    opening.headline,
    collected.collection,
    naming.learning,
    naming.classification,
    confusion.confusion,
    space.retrieval,
    space.zero_shot,
    space.few_shot,
    space.hierarchy,
    space.embedding_map,
    closing.examples,
    closing.method,
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)


def page(content: dict[str, Any]) -> str:
    """Returns the report as HTML; the same content gives the same bytes.

    Args:
        content: what ``examine`` returns, as in docs/formats/report.md. Sections without evidence are left
            out. ``question``, where present, comes first: ``title``, ``answer``, ``rows`` of ``name``,
            ``value``, ``low``, ``high`` and ``n``, and ``notes``.
    """
    sections = [found for make in SECTIONS if (found := make(content)) is not None]
    title = _title(content)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{plain(title)}</title>",
            f"<style>\n{_part('page.css')}</style>",
            "<script>document.documentElement.classList.add('js')</script>\n</head>\n<body>",
            '<a class="skip" href="#content">Skip to the content</a>',
            f'<div class="frame">\n{_contents(sections)}\n<main id="content">',
            _top(content, title),
            *(section.html() for section in sections),
            "</main>\n</div>",
            f"<script>{get_plotlyjs()}</script>",
            f"<script>\n{_part('page.js')}</script>\n</body>\n</html>\n",
        ]
    )


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _title(content: dict[str, Any]) -> str:
    name = (content.get("model") or {}).get("name")
    if name:
        return f"Evaluation of {name}"
    return str((content.get("question") or {}).get("title") or "Evaluation")


def _contents(sections: Sequence[Section]) -> str:
    entries = "".join(f'<li><a href="#{s.name}">{plain(_short(s))}</a></li>' for s in sections)
    return f'<nav class="contents" aria-label="Contents"><ol>{entries}</ol></nav>'


def _short(section: Section) -> str:
    """Returns the title of a section as the table of contents has room for it."""
    return {
        "question": "Question",
        "headline": "First figures",
        "collection": "Collection",
        "learning": "Learning",
        "confusion": "Confusion",
        "zero-shot": "Zero-shot",
        "hierarchy": "The tree",
        "map": "Map",
        "method": "Method",
    }.get(section.name, section.title)


def _top(content: dict[str, Any], title: str) -> str:
    """Returns the head of the page: what the model is, in a few words."""
    model = content.get("model") or {}
    made_of = content.get("composition") or {}
    split = content.get("split") or {}
    words = []
    if model.get("modalities"):
        words.append("Reads " + ", ".join(map(str, model["modalities"])))
    if not is_missing(model.get("labels")):
        words.append(f"{some(int(model['labels']), 'name')} taught")
    if not is_missing(model.get("records")):
        words.append(some(int(model["records"]), "training record"))
    if not is_missing(model.get("parameters")):
        words.append(f"{count(model['parameters'])} parameters")
    asked = []
    if made_of.get("name"):
        asked.append(f"Collection {made_of['name']}")
    if split.get("method"):
        asked.append(f"{split['method']} split")
    lines = [f"<h1>{plain(title)}</h1>"]
    if model.get("about"):
        lines.append(f'<p class="about">{plain(model["about"])}</p>')
    if words:
        lines.append(f'<p class="dim">{plain("; ".join(words))}.</p>')
    if asked:
        lines.append(f'<p class="dim">{plain(", ".join(asked))}.</p>')
    lines.append(
        "<noscript><p>Figures need JavaScript; every table can be read without it.</p></noscript>"
    )
    return f"<header>{''.join(lines)}</header>"
