"""The pieces of the page: sections, figures, tables, panels to choose from."""

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from holotype.page.words import count, finite, plain


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        name: its id on the page.
        title: its heading.
        lead: one or two sentences: what is asked, and how to read the answer. Plain text.
        body: HTML.
    """

    name: str
    title: str
    lead: str
    body: str

    def html(self) -> str:
        """Returns the section."""
        heading = f'<h2 id="{self.name}-title">{plain(self.title)}</h2>'
        return (
            f'<section id="{self.name}" aria-labelledby="{self.name}-title">\n{heading}\n'
            f'<p class="lead">{plain(self.lead)}</p>\n{self.body}\n</section>'
        )


@dataclass(frozen=True)
class Choice:
    """One selector of a set of panels: its title, and its options as key -> written name."""

    title: str
    options: dict[str, str]


def heading(text: str) -> str:
    """Returns a heading under that of the section."""
    return f"<h3>{plain(text)}</h3>"


def paragraph(text: str, *, kind: str = "") -> str:
    """Returns a paragraph of plain text."""
    return f'<p class="{kind}">{plain(text)}</p>' if kind else f"<p>{plain(text)}</p>"


def embedded_json(value: Any) -> str:
    """Returns JSON that is inert inside ``<script>``: no ``<``, ``>`` or ``&``, NaN as null."""
    text = json.dumps(
        _without_nan(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plot(
    name: str,
    spec: dict[str, Any],
    *,
    says: str,
    height: int,
    title: str = "",
    caption: str = "",
    kind: str = "",
) -> str:
    """Returns a figure that is drawn when the page opens.

    Args:
        name: a part of its id, unique on the page.
        spec: ``data`` and ``layout``, as Plotly reads them; colours may be ``var(--name)``.
        says: what a screen reader says instead.
        height: in px.
        title: stands above.
        caption: stands below.
        kind: a style: ``wide`` scrolls sideways on a small screen, ``square`` is as high as wide.
    """
    above = f'<p class="figure-title" aria-hidden="true">{plain(title)}</p>' if title else ""
    below = caption or title
    hidden = ' class="spoken"' if not caption else ""
    size = "" if kind == "square" else f' style="height:{height}px"'
    scroll = ' tabindex="0" role="group" aria-label="Figure, scrolls sideways"'
    return (
        f'<figure class="figure {kind}">{above}<div class="canvas"{scroll if kind == "wide" else ""}>'
        f'<div class="plot" id="plot-{name}" role="img" aria-label="{plain(says)}"{size}></div></div>'
        f'<script type="application/json" id="plot-{name}-spec">{embedded_json(spec)}</script>'
        f"<figcaption{hidden}>{plain(below)}</figcaption></figure>"
    )


def panels(
    name: str, choices: Sequence[Choice], body: Callable[[tuple[str, ...], str], str | None]
) -> str:
    """Returns panels of which one is shown, and the selectors that choose it.

    Args:
        name: a part of the ids, unique on the page.
        choices: the selectors; one with a single option is not shown.
        body: the keys chosen, a name for ids -> HTML of that panel, None where there is nothing.
    """
    asked = "".join(
        f'<label for="{name}-choice-{at}"{"" if len(choice.options) > 1 else " hidden"}>'
        f"{plain(choice.title)} "
        f'<select id="{name}-choice-{at}" autocomplete="off">'
        + "".join(
            f'<option value="{place}">{plain(written)}</option>'
            for place, written in enumerate(choice.options.values())
        )
        + "</select></label>"
        for at, choice in enumerate(choices)
    )
    shown = []
    for places in itertools.product(*(range(len(choice.options)) for choice in choices)):
        keys = tuple(
            list(choice.options)[place] for choice, place in zip(choices, places, strict=True)
        )
        suffix = "-".join(map(str, places))
        inside = body(keys, f"{name}-{suffix}")
        written = ", ".join(c.options[k] for c, k in zip(choices, keys, strict=True))
        shown.append(
            f'<div class="panel{" off" if any(places) else ""}" data-key="{suffix}">'
            f'<p class="chosen">{plain(written)}</p>'
            f"{inside or paragraph('Not measured for this choice.', kind='note')}</div>"
        )
    several = any(len(choice.options) > 1 for choice in choices)
    selectors = f'<div class="selectors">{asked}</div>' if several else ""
    return f'<div class="choice" id="{name}-choice">{selectors}{"".join(shown)}</div>'


def scrolling(inside: str, *, says: str, kind: str = "") -> str:
    """Returns something wide in a box that scrolls, also by keyboard."""
    return (
        f'<div class="scroll {kind}" tabindex="0" role="region" aria-label="{plain(says)}">'
        f"{inside}</div>"
    )


def definitions(rows: Sequence[tuple[str, object]]) -> str:
    """Returns pairs of a name and what it is."""
    inside = "".join(f"<div><dt>{plain(n)}</dt><dd>{plain(v)}</dd></div>" for n, v in rows)
    return f'<dl class="facts">{inside}</dl>'


def bars(title: str, counts: dict[str, Any], *, most: int = 10, none: str = "") -> str:
    """Returns counts as a list with bars, the largest first; what is beyond ``most`` is added up."""
    rows = sorted(((n, int(finite(v) or 0)) for n, v in counts.items()), key=lambda r: -r[1])
    if len(rows) > most + 1:
        rest = rows[most:]
        rows = [*rows[:most], (f"{len(rest)} more", sum(number for _, number in rest))]
    largest = max((number for _, number in rows), default=0)
    inside = "".join(
        f'<li><span class="bar-name">{plain(n)}</span><span class="bar-count">{count(v)}</span>'
        f'<span class="bar" aria-hidden="true"><i style="width:{_width(v, largest)}%"></i></span>'
        "</li>"
        for n, v in rows
    )
    body = f'<ul class="bars">{inside}</ul>' if rows else paragraph(none or "None.", kind="note")
    return f'<div class="bar-block"><h4>{plain(title)}</h4>{body}</div>'


def _width(value: int, largest: int) -> str:
    return f"{100 * value / largest:.2f}" if largest else "0"


def legend(entries: Sequence[tuple[str, str, str]]) -> str:
    """Returns what symbols mean: name, colour (a variable of the style sheet), symbol."""
    inside = "".join(
        f'<li><svg viewBox="-8 -8 16 16" aria-hidden="true" style="color:var(--{colour})">'
        f"{_SYMBOLS[symbol]}</svg>{plain(name)}</li>"
        for name, colour, symbol in entries
    )
    return f'<ul class="legend">{inside}</ul>'


_SYMBOLS = {
    "circle": '<circle r="5.5" fill="currentColor"/>',
    "square": '<rect x="-4.5" y="-4.5" width="9" height="9" fill="currentColor"/>',
    "diamond": '<path d="M0-6.5 6.5 0 0 6.5-6.5 0Z" fill="currentColor"/>',
    "triangle-up": '<path d="M0-6 6 5-6 5Z" fill="currentColor"/>',
    "x": '<path d="M-5-5 5 5M5-5-5 5" stroke="currentColor" stroke-width="3"/>',
    "triangle-down": '<path d="M0 6 6-5-6-5Z" fill="currentColor"/>',
    "cross": '<path d="M0-6V6M-6 0H6" stroke="currentColor" stroke-width="3"/>',
}
