"""Names of uploaded files, made safe: what is shown and stored is one plain name, never a path."""

import re
import unicodedata
from collections.abc import Container

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
    if name not in taken:
        return name
    ending = safe_ending(name)
    stem, number = name[: len(name) - len(ending)], 2
    while (other := f"{stem} ({number}){ending}") in taken:
        number += 1
    return other
