"""English words for groups and life stages, and what they stand for: taxonomy/words.tsv.

A word stands for a path of names, narrowest first ("Copepoda<Crustacea<Arthropoda<Animalia"). It means the
first of them that the backbone has under one of the wider ones, never a namesake elsewhere in the tree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources

from holotype.taxonomy.backbone.store import Backbone, Taxon
from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.names import name_key

KINGDOM_ALIASES = {
    "metazoa": "animalia", "viridiplantae": "plantae", "eubacteria": "bacteria", "pseudomonadati": "bacteria",
    "bacillati": "bacteria",
}  # fmt: skip


class WordSort(StrEnum):
    """What a word of the vocabulary is."""

    GROUP = "group"
    SYNONYM = "synonym"
    STAGE = "stage"
    FORM = "form"


@dataclass(frozen=True)
class Word:
    """One entry: its sort, and the names it stands for, narrowest first; none for a form."""

    sort: WordSort
    path: tuple[str, ...]


@cache
def vocabulary() -> dict[str, Word]:
    """Returns the words of the shipped table by their key."""
    text = resources.files("holotype.taxonomy").joinpath("words.tsv").read_text(encoding="utf-8")
    words: dict[str, Word] = {}
    for line in text.splitlines()[1:]:
        word, sort, path = line.split("\t")
        words[word] = Word(WordSort(sort), tuple(path.split("<")) if path else ())
    return words


@cache
def known_words() -> dict[str, list[str]]:
    """Returns the words of groups and stages that may be misspelt, by first letter."""
    found: dict[str, list[str]] = {}
    for word, entry in vocabulary().items():
        if entry.path and len(word) >= 5:
            found.setdefault(word[0], []).append(word)
    return found


def find_word(written: str) -> Word | None:
    """Returns the entry of a word or of its singular, None where the vocabulary lacks both."""
    words = vocabulary()
    key = name_key(written)
    return next((words[form] for form in (key, *singulars(key)) if form in words), None)


def singulars(word: str) -> Iterator[str]:
    """Yields what may be the singular of an English or Latin plural."""
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]
    if word.endswith("ae"):
        yield word[:-1]


_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("oid", ("oida", "oidea")),
    ("id", ("idae", "ida", "idea")),
    ("idean", ("idea",)),
    ("ean", ("ea", "eae")),
    ("ian", ("ia", "iae")),
    ("oan", ("oa",)),
    ("an", ("a", "ae")),
    ("ate", ("ata", "atae")),
    ("ete", ("eta", "etae")),
    ("ite", ("ita", "itae")),
    ("ine", ("ina", "inea")),
    ("yte", ("yta", "ytes")),
    ("ome", ("omata", "omida")),
    ("pod", ("poda", "podida")),
    ("phore", ("phora", "phorae")),
    ("medusa", ("medusae",)),
    ("gnath", ("gnatha",)),
    ("fer", ("fera",)),
    ("nect", ("nectae",)),
    ("monad", ("monadales", "monadida", "monada")),
    ("elid", ("elida",)),
    ("ad", ("ada", "adida")),
)
"""How English makes a word of a group's name (calanoid, ciliate, copepod), turned round."""

_WIDE = frozenset(rank for rank in Rank if rank.depth <= Rank.FAMILY.depth)
SHORTEST_DERIVED = 6


def derived(written: str, backbone: Backbone) -> list[Taxon]:
    """Returns the taxa of family rank and above whose name an English word is made of; [] for none.

    The first ending for which the backbone has any decides.
    """
    key = name_key(written)
    if len(key) < SHORTEST_DERIVED or " " in key:
        return []
    for form in (key, *singulars(key)):
        for ending, originals in _ENDINGS:
            if not form.endswith(ending):
                continue
            for original in originals:
                name = form[: -len(ending)] + original
                if found := [t for t in taxa_of(name, backbone) if t.rank in _WIDE]:
                    return found
    return []


def taxa_of(key: str, backbone: Backbone) -> list[Taxon]:
    """Returns the accepted taxa of all rows with a key, each once."""
    return accepted_of(backbone.rows_of(key), backbone)


def accepted_of(rows: Sequence[int], backbone: Backbone) -> list[Taxon]:
    """Returns the accepted taxa that rows stand for, each once."""
    found: dict[int, Taxon] = {}
    for row in rows:
        taxon = backbone.accepted_taxon(row)
        if taxon is not None:
            found.setdefault(taxon.row, taxon)
    return list(found.values())


def meant_by(word: Word, backbone: Backbone) -> list[Taxon]:
    """Returns the taxa that a word stands for in a backbone; [] where it has none of the path."""
    for place, name in enumerate(word.path):
        above = {canonical_kingdom(wider) for wider in word.path[place + 1 :]}
        taxa = taxa_of(name_key(name), backbone)
        if fitting := [taxon for taxon in taxa if _sits_under(taxon, above)]:
            return fitting
    return []


def _sits_under(taxon: Taxon, above: set[str]) -> bool:
    names = {canonical_kingdom(name) for rank, name in taxon.lineage if rank is not taxon.rank}
    if not above or not names:
        return taxon.rank is None or taxon.rank.depth <= Rank.PHYLUM.depth
    return bool(names & above)


@lru_cache(maxsize=1 << 16)
def canonical_kingdom(name: str) -> str:
    """Returns a name in lower case, a kingdom in the wording of WoRMS and GBIF."""
    key = name_key(name)
    return KINGDOM_ALIASES.get(key, key)
