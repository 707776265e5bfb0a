"""Lineages as reference libraries write them -> ranks: prefixed, counted, or by a table of ranks.

What only fills a place ("uncultured", "Dinophyceae_X", "Burkholderiales_incertae_sedis") is no name and is
left out; the lineage as written is kept beside it.
"""

import re
from collections.abc import Mapping, Sequence

from holotype.taxonomy.lineage import LINNAEAN_RANKS

LINNAEAN = tuple(rank.value for rank in LINNAEAN_RANKS)
DOMAIN = "rank:domain"

PREFIXES = {
    "d": DOMAIN,
    "sk": DOMAIN,
    "k": "kingdom",
    "p": "phylum",
    "c": "class",
    "o": "order",
    "f": "family",
    "g": "genus",
    "s": "species",
}
"""Letters before a name, as SINTAX ("k:"), QIIME 2, SILVA and UNITE ("k__") write them; "t" is a strain."""

KINGDOMS = frozenset(
    {
        "animalia", "metazoa", "plantae", "viridiplantae", "archaeplastida", "fungi", "chromista",
        "protozoa", "protista", "bacteria", "archaea", "viruses", "eukaryota", "eukarya",
    }
)  # fmt: skip
"""First names that show that a lineage starts at the kingdom (or above it)."""

PR2_NINE = ("domain", "supergroup", "division", "subdivision", "class", "order", "family", "genus")
PR2_EIGHT = ("domain", "supergroup", "division", "class", "order", "family", "genus")

_PREFIXED = re.compile(r"^\s*(sk|[dkpcofgst])__(.*)$", re.IGNORECASE)
_NO_NAME = re.compile(
    r"incertae[ _]sedis|^(un(cultured|identified|classified|known|assigned)|environmental|metagenome|"
    r"root$|na$|n/a$|none$|null$|not[ _]classified)|_X+$|^X+$",
    re.IGNORECASE,
)
_OPEN_SPECIES = re.compile(r"(^|[ _])(sp|spp|gen)\.?([ _]|$)", re.IGNORECASE)
_TAXID = re.compile(r"^(.*\D)_(\d+)$")
_SHIFTED_IN_PR2 = frozenset({"metazoa", "fungi", "streptophyta"})

Fields = dict[str, str]


def is_prefixed(text: str) -> bool:
    """Returns whether a lineage has its ranks in it: ``k__Animalia; p__Chordata``."""
    return _PREFIXED.match(text.partition(";")[0]) is not None


def lineage_fields(
    text: str, ranks: Mapping[tuple[str, int], str] | None = None
) -> tuple[Fields, str | None]:
    """Returns the columns of a lineage with ";" between names, and what could not be understood, or None.

    The lineage as written is under ``extra:lineage``.

    Args:
        text: the lineage; a first name "Root" is left out.
        ranks: (name, depth from the root, which is 0) -> rank, from the library's own table of ranks.

    >>> lineage_fields("k__Animalia; p__Chordata; s__")[0]["phylum"]
    'Chordata'
    """
    written = [part.strip() for part in text.strip().strip(";").split(";")]
    fields = {"extra:lineage": text.strip()}
    if is_prefixed(text):
        return fields | prefixed_names(written), None
    names = written[1:] if written[0].lower().startswith("root") else written
    targets = _counted(names) if ranks is None else _ranked(names, ranks)
    if targets is None:
        return fields, f"{len(names)} names without ranks"
    return fields | _placed(targets, names), None


def top_down_names(names: Sequence[str]) -> Fields:
    """Returns the columns of at most seven names that start at the kingdom, as DADA2 counts them."""
    return _placed(LINNAEAN[: len(names)], names)


def prefixed_names(parts: Sequence[str]) -> Fields:
    """Returns the columns of ``k__Animalia`` and the like; ``s__`` alone is missing."""
    found: Fields = {}
    for part in parts:
        if (match := _PREFIXED.match(part)) and (rank := PREFIXES.get(match[1].lower())):
            found[rank] = match[2]
    return _placed(list(found), list(found.values()))


def pr2_names(levels: Sequence[str]) -> Fields:
    """Returns the columns of the 8 (version 4) or 9 (version 5) levels of PR2 (Guillou et al. 2013).

    In animals, fungi and land plants PR2 writes the phylum where it writes the class elsewhere: there only
    genus and species are used. All levels are kept as ``extra:pr2_...``.
    """
    ranks = PR2_NINE if len(levels) == len(PR2_NINE) + 1 else PR2_EIGHT
    named = dict(zip((*ranks, "species"), levels, strict=True))
    fields = {f"extra:pr2_{rank}": name for rank, name in named.items() if name}
    shifted = any(name.lower() in _SHIFTED_IN_PR2 for name in levels)
    used = ("domain", "genus", "species") if shifted else ("domain", *LINNAEAN[2:])
    targets = [DOMAIN if rank == "domain" else rank for rank in used]
    return fields | _placed(targets, [named[rank] for rank in used])


def clean_name(written: str, target: str) -> str:
    """Returns a name of a lineage, or "" where it only fills the place.

    >>> clean_name("Calanus_glacialis", "species"), clean_name("Karenia_sp.", "species")
    ('Calanus glacialis', '')
    """
    name = written.strip().strip("[]")
    if not name or _NO_NAME.search(name):
        return ""
    if target == "species":
        name = name.replace("_", " ")
        return "" if _OPEN_SPECIES.search(name) else name
    return name.replace("Candidatus_", "Candidatus ")


def _placed(targets: Sequence[str], written: Sequence[str]) -> Fields:
    """Returns the columns of names; targets that are blank are left out."""
    names, taxid = _without_taxids(written)
    cleaned = {t: clean_name(name, t) for t, name in zip(targets, names, strict=True) if t}
    if cleaned.get("kingdom", "").lower().startswith("eukary"):
        cleaned[DOMAIN] = cleaned.pop("kingdom")
    found = {target: name for target, name in cleaned.items() if name}
    return found | ({"ncbi_id": taxid} if taxid else {})


def _counted(names: Sequence[str]) -> tuple[str, ...] | None:
    """Returns the ranks of names by their number, or None where that does not tell."""
    first = names[0].lower() if names else ""
    if len(names) == len(LINNAEAN) + 1 and first in KINGDOMS:
        return (DOMAIN, *LINNAEAN)
    if len(names) == len(LINNAEAN) or (len(names) < len(LINNAEAN) and first in KINGDOMS):
        return LINNAEAN[: len(names)]
    if len(names) == len(LINNAEAN) - 1:
        return LINNAEAN[1:]
    return None


def _ranked(names: Sequence[str], ranks: Mapping[tuple[str, int], str]) -> tuple[str, ...]:
    """Returns the column of each name by the library's own ranks; "" where a collection has none for it."""
    written = [ranks.get((name, depth), "").lower() for depth, name in enumerate(names, start=1)]
    known = [DOMAIN if rank in {"domain", "superkingdom"} else rank for rank in written]
    return tuple(rank if rank == DOMAIN or rank in LINNAEAN else "" for rank in known)


def _without_taxids(names: Sequence[str]) -> tuple[list[str], str]:
    """Returns names without the NCBI taxids that MIDORI2 appends to all of them, and the last taxid."""
    matches = [_TAXID.match(name) for name in names if name]
    if not matches or not all(matches):
        return list(names), ""
    parts = {match[0]: match.groups() for match in matches if match}
    last = next(reversed(parts.values()))[1]
    return [parts[name][0] if name in parts else "" for name in names], last
