"""The licences that sources of biodiversity data use, as tables: their ids and what they allow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """What a licence allows and asks for.

    Attributes:
        redistribution: others may pass the content on.
        derivatives: others may change it and pass the changed content on.
        commercial: others may do so for money.
        attribution: the source must be credited.
        share_alike: changed content must be under the same licence.
    """

    redistribution: bool
    derivatives: bool
    commercial: bool
    attribution: bool
    share_alike: bool


_ALL = ("redistribution", "derivatives", "commercial")
_TERMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CC0 CC-PDM CC-PDDC PDDL LicenseRef-Public-Domain", _ALL),
    ("CC-BY ODC-By OGL-UK etalab MIT Apache BSD-2-Clause BSD-3-Clause", (*_ALL, "attribution")),
    ("CC-BY-SA ODbL", (*_ALL, "attribution", "share_alike")),
    ("CC-BY-NC", ("redistribution", "derivatives", "attribution")),
    ("CC-BY-NC-SA", ("redistribution", "derivatives", "attribution", "share_alike")),
    ("CC-BY-ND", ("redistribution", "commercial", "attribution")),
    ("CC-BY-NC-ND", ("redistribution", "attribution")),
    ("LicenseRef-All-Rights-Reserved LicenseRef-InC-1.0", ()),
)
TERMS: dict[str, Terms] = {
    family: Terms(**{field: field in held for field in Terms.__dataclass_fields__})
    for families, held in _TERMS
    for family in families.split()
}
"""Licence family -> its terms, which are those of every version of it."""

CODE_IDS = frozenset({"MIT", "Apache", "BSD-2-Clause", "BSD-3-Clause"})
"""Families written for programs."""

_ALL_VERSIONS = frozenset({"1.0", "2.0", "2.5", "3.0", "4.0"})
CREATIVE_COMMONS: dict[str, frozenset[str]] = {
    "CC-BY": _ALL_VERSIONS,
    "CC-BY-NC": _ALL_VERSIONS,
    "CC-BY-ND": _ALL_VERSIONS,
    "CC-BY-NC-ND": _ALL_VERSIONS,
    "CC-BY-NC-SA": _ALL_VERSIONS,
    "CC-BY-SA": _ALL_VERSIONS | {"2.1"},
}
"""Creative Commons licence family -> its versions."""

PORTS = frozenset(
    f"CC-{kind}-{version}"
    for kind, versions in {
        "BY": "2.5-AU 3.0-AT 3.0-AU 3.0-DE 3.0-IGO 3.0-NL 3.0-US",
        "BY-NC": "3.0-DE",
        "BY-ND": "3.0-DE",
        "BY-NC-ND": "3.0-DE 3.0-IGO",
        "BY-NC-SA": "2.0-DE 2.0-FR 2.0-UK 3.0-DE 3.0-IGO",
        "BY-SA": "2.0-UK 2.1-JP 3.0-AT 3.0-DE 3.0-IGO",
    }.items()
    for version in versions.split()
)
"""Versions for one country that the SPDX list has."""

NAMED: tuple[tuple[str, str, str | None], ...] = (
    (r"\bcc[-_ ]?(0|zero)\b|creativecommons\.org/publicdomain/zero|\bcommons zero\b", "CC0", "1.0"),
    (r"\bno rights reserved\b|\bcc[-_ ]?0[-_ ]1[._]0\b", "CC0", "1.0"),
    (
        r"\bpublic domain mark\b|creativecommons\.org/publicdomain/mark|\bcc[- ]pdm\b",
        "CC-PDM",
        "1.0",
    ),
    (r"\bcc[- ]pddc\b|creativecommons\.org/licenses/publicdomain", "CC-PDDC", None),
    (
        r"^\s*(in the )?public[- _]?domain\s*$|^cc[-_ ]public[-_ ]?domain$",
        "LicenseRef-Public-Domain",
        None,
    ),
    (r"\bodbl\b|open database licen[sc]e", "ODbL", "1.0"),
    (r"\bodc[- ]by\b|open data commons attribution", "ODC-By", "1.0"),
    (r"\bpddl\b|public domain dedication and licen[sc]e", "PDDL", "1.0"),
    (r"\bogl[- ]uk[- ]3|open government licen[sc]e v?3", "OGL-UK", "3.0"),
    (r"\betalab[- ]2|licence ouverte v?2", "etalab", "2.0"),
    (r"\bmit\b", "MIT", None),
    (r"\bapache[- ](licen[sc]e[, ]*)?(version )?2(\.0)?\b", "Apache", "2.0"),
    (r"\bbsd[- ]2[- ]clause\b", "BSD-2-Clause", None),
    (r"\bbsd[- ]3[- ]clause\b", "BSD-3-Clause", None),
    (r"\ball rights reserved\b|^\s*(copyright|©)\s*$", "LicenseRef-All-Rights-Reserved", None),
    (r"rightsstatements\.org/(vocab|page)/inc/1\.0|^inc[- ]1\.0$", "LicenseRef-InC-1.0", None),
)
"""Pattern of a writing -> family and version, for all but the Creative Commons BY licences."""
