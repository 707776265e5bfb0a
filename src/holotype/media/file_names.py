"""Names of files as they are written: readable whatever their bytes, and found in any Unicode normal form.

A name whose bytes are no UTF-8 (old archives and disks) reaches Python with lone surrogates, which no UTF-8
file takes. Such a name is shown as Windows-1252, the superset of Latin-1 that such files are mostly in.
"""

import os
import re
import unicodedata
from collections.abc import Iterator

_SAFE_ENDING = re.compile(r"(\.tar)?\.[a-z0-9]{1,8}\Z")

_JUNK_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def readable_name(written: str) -> str:
    r"""Returns a name that UTF-8 can hold: the name itself, or its bytes read as Windows-1252.

    >>> readable_name("copépode.png"), readable_name("cop\udce9pode.png")
    ('copépode.png', 'copépode.png')
    """
    if written.isascii():
        return written
    try:
        written.encode()
    except UnicodeEncodeError:
        content = written.encode("utf-8", "surrogateescape")
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:  # five bytes have no letter in Windows-1252
            return content.decode("latin-1")
    return written


def composed(name: str) -> str:
    """Returns a name in Unicode normal form C: one and the same for every way to write its accents."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def spellings(name: str) -> Iterator[str]:
    """Yields the ways in which a disk may have a name: as given, the other normal forms, in Windows-1252."""
    yield name
    if name.isascii():
        return
    nfc = composed(name)
    yield from (form for form in (nfc, unicodedata.normalize("NFD", name)) if form != name)
    try:
        old = nfc.encode("cp1252")
    except UnicodeEncodeError:
        return
    yield os.fsdecode(old)


def safe_ending(name: str) -> str:
    """Returns the ending of a name as a short ASCII text, "" where it has none such.

    >>> safe_ending("a b.TAR.gz"), safe_ending("x.é"), safe_ending("scan.png")
    ('.tar.gz', '', '.png')
    """
    found = _SAFE_ENDING.search(name.lower())
    return found.group() if found else ""


def reason_to_skip(name: str) -> str | None:
    """Returns why a member of a folder or archive is unsafe or no content by its name alone, or None."""
    if "\\" in name:
        name = name.replace("\\", "/")
    parts = name.split("/")
    if not name.strip("./"):
        return "no name"
    if name.startswith("/") or ".." in parts or ":" in parts[0]:
        return "a path that leaves the archive"
    if "__MACOSX" in parts or parts[-1] in _JUNK_NAMES or parts[-1].startswith("._"):
        return "left by an operating system"
    return None
