"""How a card writes what users and files say: escaped, apart from the text around it, and as bars."""

import re
from collections.abc import Mapping
from typing import Any

from holotype.page.words import DASH, finite, plain, with_unit

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def said(value: object) -> str:
    """Returns text from outside as HTML: escaped, and its direction of writing kept to itself.

    >>> said("<b>"), said(None) == DASH
    ('<bdi>&lt;b&gt;</bdi>', True)
    """
    return DASH if value is None else f"<bdi>{plain(readable(value))}</bdi>"


def readable(value: object) -> str:
    """Returns text that can be written as UTF-8: halves of characters and control characters are marked."""
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub("\ufffd", text)


def bar(share: object) -> str:
    """Returns a share as a bar; an empty one where there is none."""
    number = finite(share)
    width = 0.0 if number is None else 100 * min(1.0, max(0.0, number))
    return f'<span class="bar" aria-hidden="true"><i style="width:{width:.1f}%"></i></span>'


def bar_row(kind: str, what: str, name: str, share: object) -> str:
    """Returns one line: what it is, a name, a bar, the share in per cent.

    Args:
        kind: a style: ``safe`` or ``below``.
        what: plain text.
        name: HTML.
        share: 0 to 1.
    """
    return (
        f'<li class="{kind}"><span class="what">{plain(what)}</span><span class="who">{name}</span>'
        f'{bar(share)}<span class="share">{with_unit(share)}</span></li>'
    )


def number_of(row: Mapping[str, Any], name: str, form: str) -> str | None:
    """Returns a number of a row in a form, None where it has none."""
    value = finite(row.get(name))
    return None if value is None else form.format(value)
