"""The report as one page that opens offline: figures, tables, thumbnails, no address outside it."""

from typing import Any

from holotype.evaluation.report import closing, collected, confusion, doubt, naming, opening, space
from holotype.page.document import document
from holotype.page.layout import Section
from holotype.page.words import count, is_missing, plain, some

SECTIONS = (
    opening.question,
    opening.headline,
    collected.collection,
    naming.learning,
    naming.classification,
    confusion.confusion,
    doubt.decisions,
    naming.caption_classification,
    space.retrieval,
    space.cross_instrument,
    space.zero_shot,
    space.few_shot,
    space.hierarchy,
    space.embedding_map,
    closing.examples,
    closing.method,
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
    short = {section.name: _short(section) for section in sections}
    return document(title, _top(content, title), sections, short)


def _title(content: dict[str, Any]) -> str:
    name = (content.get("model") or {}).get("name")
    if name:
        return f"Evaluation of {name}"
    return str((content.get("question") or {}).get("title") or "Evaluation")


def _short(section: Section) -> str:
    """Returns the title of a section as the table of contents has room for it."""
    return {
        "question": "Question",
        "headline": "First figures",
        "collection": "Collection",
        "learning": "Learning",
        "confusion": "Confusion",
        "decisions": "How sure",
        "zero-shot": "Zero-shot",
        "caption-classification": "By captions",
        "cross-instrument": "Instruments",
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
    return "".join(lines)
