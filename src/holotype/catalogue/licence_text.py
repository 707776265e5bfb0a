"""What a source writes about its rights -> a licence with an SPDX id.

Place in the path: below ``licences``, which says what may be done. Nothing is guessed: ``CC BY`` without a
version stays without one; a text that names no licence, or two different ones, has no id.

Source of the identifiers: the SPDX licence list (https://spdx.org/licenses).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from holotype.catalogue.licence_table import CODE_IDS, CREATIVE_COMMONS, NAMED, PORTS, TERMS, Terms


class Standing(StrEnum):
    """How much the written text says."""

    LISTED = "listed"
    """The id is one of the SPDX list."""
    UNVERSIONED = "unversioned"
    """The licence is known but not its version; the id is the family, such as ``CC-BY``."""
    UNLISTED = "unlisted"
    """The statement is known, but is not on the SPDX list; the id begins with ``LicenseRef-``."""
    UNRECOGNISED = "unrecognised"
    """There is a text, and it names no licence, or several; there is no id."""
    NOT_STATED = "not_stated"
    """There is no text, or one that says that nothing is stated; there is no id."""


@dataclass(frozen=True)
class Licence:
    """One licence as a source states it.

    Attributes:
        id: SPDX id, family (version unknown), ``LicenseRef-...``, or None where nothing is known.
        family: the id without version and port: ``CC-BY-NC`` of ``CC-BY-NC-3.0-DE``; None without an id.
        version: as written, with both parts (``4.0``); None where unknown or where there is none.
        standing: how much the text says.
        written: the text as found; None where there was none.
    """

    id: str | None
    family: str | None
    version: str | None
    standing: Standing
    written: str | None

    @property
    def terms(self) -> Terms | None:
        """What the licence allows and asks for; None where that is unknown."""
        return TERMS.get(self.family) if self.family else None

    @property
    def is_for_code(self) -> bool:
        """Whether this is a licence of programs, which says nothing about images or sequences."""
        return self.family in CODE_IDS

    @property
    def is_open(self) -> bool:
        """Whether everybody may use, change and share the content for any purpose; False if unknown."""
        terms = self.terms
        return bool(terms and not self.is_for_code and terms.derivatives and terms.commercial)

    @property
    def url(self) -> str | None:
        """Address of the licence text, or None."""
        if self.id and self.version and self.family in CREATIVE_COMMONS:
            kind = self.family.removeprefix("CC-").lower()
            port = self.id.rpartition(self.version)[2].strip("-").lower()
            base = f"https://creativecommons.org/licenses/{kind}/{self.version}/"
            return f"{base}{port}/" if port else base
        fixed = {
            "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
            "CC-PDM": "https://creativecommons.org/publicdomain/mark/1.0/",
        }
        if self.family in fixed:
            return fixed[self.family]
        return f"https://spdx.org/licenses/{self.id}.html" if self.standing == "listed" else None

    def __str__(self) -> str:
        if self.id is None:
            return "not stated" if self.standing is Standing.NOT_STATED else f"'{self.written}'"
        return f"{self.id} (version not stated)" if self.standing == "unversioned" else self.id


_URL = re.compile(
    r"creativecommons\.org/licen[sc]es/(by(?:-(?:nc|nd|sa))*)(?:/(\d\.\d)(?:/([a-z]{2,3})\b)?)?"
)
_CC_WORDS: tuple[tuple[str, str], ...] = (
    (r"creative\s*commons", "cc"),
    (r"\battribution\b", "by"),
    (r"\bnon\W?commercial\b", "nc"),
    (r"\bshare\W?alike\b", "sa"),
    (r"\bno\W?deriv(?:ative)?s?(?:\W?works)?\b", "nd"),
    (r"\blicen[sc]e\b", ""),
    (r"[^a-z0-9.]+", " "),
)
_CC = re.compile(
    r"(?:\bcc|^) ?by((?: ?(?:nc|nd|sa)\b)*|(?:nc|nd|sa){1,2})(?: ?v(?:ersion)?)? ?"
    r"(?:(\d)(?:[. ](\d))?)?(?: (igo|at|au|de|fr|jp|nl|uk|us)\b)?(?![a-z0-9])"
)
_HEDGES = re.compile(r"\b(except|excluding|unless|not (?:under|licen[sc]ed|cc))\b", re.IGNORECASE)
_NOT_STATED = frozenset(
    {"", "unknown", "none", "null", "nan", "na", "n/a", "not stated", "unspecified", "not specified",
     "not choosen", "not chosen", "no licence", "no license"}
)  # fmt: skip


@lru_cache(maxsize=4096)
def parse_licence(text: str | None) -> Licence:
    """Returns the licence that a text states; never raises.

    Reads SPDX ids, Creative Commons names, codes and addresses, the statements of rightsstatements.org,
    and the writings of GBIF, BOLD, EcoTaxa, Hugging Face and DataCite. A text that names two different
    licences, or makes exceptions, is unrecognised.
    """
    written = (text or "").strip()
    if written.lower() in _NOT_STATED:
        return Licence(None, None, None, Standing.NOT_STATED, written or None)
    found = {*_creative_commons(written), *_named(written)}
    families = {family for family, _, _ in found}
    versions = {(version, port) for _, version, port in found if version}
    if len(families) != 1 or len(versions) > 1 or _HEDGES.search(written):
        return Licence(None, None, None, Standing.UNRECOGNISED, written)
    version, port = next(iter(versions), (None, None))
    return _licence(next(iter(families)), version, port, written)


def _licence(family: str, version: str | None, port: str | None, written: str) -> Licence:
    if family.startswith("LicenseRef-"):
        return Licence(family, family, None, Standing.UNLISTED, written)
    if family not in CREATIVE_COMMONS:
        plain = f"{family}-{version}" if version else family
        return Licence(plain, family, version, Standing.LISTED, written)
    if version is None:
        return Licence(family, family, None, Standing.UNVERSIONED, written)
    plain = f"{family}-{version}" + (f"-{port.upper()}" if port else "")
    if version not in CREATIVE_COMMONS[family]:
        return Licence(None, None, None, Standing.UNRECOGNISED, written)
    if port and plain not in PORTS:
        return Licence(f"LicenseRef-{plain}", family, version, Standing.UNLISTED, written)
    return Licence(plain, family, version, Standing.LISTED, written)


Found = tuple[str, str | None, str | None]


def _creative_commons(written: str) -> set[Found]:
    text = written.lower()
    found = {
        (family, version or None, port or None)
        for kind, version, port in _URL.findall(text)
        if (family := _cc_family(kind))
    }
    text = re.sub(r"\S*creativecommons\.org\S*", " ", text)
    for pattern, replacement in _CC_WORDS:
        text = re.sub(pattern, replacement, text)
    for match in _CC.finditer(text.strip()):
        kind, major, minor, port = match.groups()
        if family := _cc_family(kind):
            found.add((family, f"{major}.{minor or 0}" if major else None, port))
    return found


def _cc_family(kind: str) -> str | None:
    """Returns the family of the letters after BY in any order; None where they contradict."""
    letters = set(re.findall("nc|nd|sa", kind))
    if {"nd", "sa"} <= letters:
        return None
    return "-".join(["CC-BY", *(part.upper() for part in ("nc", "nd", "sa") if part in letters)])


def _named(written: str) -> set[Found]:
    return {
        (family, version, None)
        for pattern, family, version in NAMED
        if re.search(pattern, written, re.IGNORECASE)
    }
