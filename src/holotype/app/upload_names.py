"""Names of uploaded files, made safe: what is shown and stored is one plain name, never a path."""

import itertools
import re
import unicodedata
from collections.abc import Container, Iterator

from holotype.media.file_names import readable_name, safe_ending

LONGEST = 120
_STRANGE = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.I)
"""Names that are devices on Windows."""


def visible(written: str) -> str:
    r"""Returns a text without tabs, line ends, and letters that turn the direction of writing.

    >>> visible("x.zip/\t=1+1\u202egnp.png")
    'x.zip/=1+1gnp.png'
    """
    if written.isascii() and written.isprintable():
        return written
    return "".join(one for one in written if unicodedata.category(one)[0] not in "CZ" or one == " ")


def safe_name(written: str) -> str:
    r"""Returns the last part of a path as a name that any disk holds; never empty.

    Letters that cannot be seen or that turn the direction of writing are left out.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\crops\\a.png"), safe_name("nul.png"), safe_name("..")
    ('passwd', 'a.png', '_nul.png', 'file')
    """
    last = readable_name(written).replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = _STRANGE.sub("_", visible(unicodedata.normalize("NFC", last))).strip(" .")
    if not plain:
        return "file"
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    if len(plain.encode()) <= LONGEST:
        return plain
    ending = safe_ending(plain)
    kept = plain.encode()[: LONGEST - len(ending)].decode("utf-8", "ignore")
    return f"{kept.rstrip(' .')}{ending}"


def free_name(name: str, taken: Container[str]) -> str:
    """Returns the name, with a number before its ending where it is taken.

    >>> free_name("a.png", {"a.png", "a (2).png"})
    'a (3).png'
    """
    return next(one for one in _numbered(name) if one not in taken)


class Names:
    """Names that are given once each.

    Attributes:
        asked_for: what was asked for, by the name that was given instead.

    >>> names = Names()
    >>> [names.new("a.png") for _ in range(3)]
    ['a.png', 'a (2).png', 'a (3).png']
    """

    def __init__(self) -> None:
        self.asked_for: dict[str, str] = {}
        self._given: set[str] = set()
        self._next: dict[str, Iterator[str]] = {}

    def new(self, name: str) -> str:
        """Returns the name, with a number before its ending where it was given before."""
        free = self._next.setdefault(name, _numbered(name))  # goes on after the last number
        given = next(one for one in free if one not in self._given)
        self._given.add(given)
        if given != name:
            self.asked_for[given] = name
        return given


def _numbered(name: str) -> Iterator[str]:
    yield name
    ending = safe_ending(name)
    stem = name[: len(name) - len(ending)]
    yield from (f"{stem} ({number}){ending}" for number in itertools.count(2))
