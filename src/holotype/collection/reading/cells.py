r"""Text in the cells of a CSV: what a spreadsheet would run gets an apostrophe, and loses it again.

A spreadsheet runs a cell that starts with ``=``, ``+``, ``-`` or ``@``, with a tab or a line end before one,
or with the full-width forms of these signs. Such text is written with ``'`` before it. What reads as a number
is a number, and a sign alone is no formula: both stay as they are.
"""

import re

_RUN = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_NUMBER = re.compile(
    r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.A | re.I
)


def escaped(text: str) -> str:
    r"""Returns the text as a cell that no spreadsheet runs; ``unescaped`` gives the text back.

    >>> escaped("=1+1"), escaped("-12.5"), escaped("'@x"), escaped("Calanus sp.")
    ("'=1+1", '-12.5', "''@x", 'Calanus sp.')
    """
    return f"'{text}" if _is_run(text) else text


def unescaped(cell: str) -> str:
    """Returns the text that ``escaped`` made a cell of.

    >>> unescaped("'=1+1"), unescaped("-12.5"), unescaped("''@x"), unescaped("'t Hooft")
    ('=1+1', '-12.5', "'@x", "'t Hooft")
    """
    return cell[1:] if cell[:1] == "'" and _is_run(cell) else cell


def _is_run(text: str) -> bool:
    """Returns whether the text, less apostrophes before it, would be run; a sign alone is not."""
    if not text or (text[0] != "'" and text[0] not in _RUN):
        return False
    bare = text.lstrip("'")
    return len(bare) > 1 and bare[0] in _RUN and _NUMBER.fullmatch(bare) is None
