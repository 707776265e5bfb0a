"""A hit: a word of a label with what it may stand for; and what the words by themselves tell."""

from dataclasses import dataclass, field

from holotype.taxonomy.backbone.store import Taxon
from holotype.taxonomy.matching.outcome import SCORES, How
from holotype.taxonomy.matching.vocabulary import Word, WordSort, find_word
from holotype.taxonomy.names import name_key, names_no_taxon


@dataclass(frozen=True)
class Hit:
    """A word, or a genus with its epithet, and what it may stand for.

    Attributes:
        written: the words.
        how: how they were found.
        candidates: accepted taxa, more than one for a homonym.
        score: see ``SCORES``.
        matched_name: the backbone's name, where it is a synonym or spelt otherwise.
        doubt: why a person should look, "" for none.
        lacking: what the word stands for, where the backbone has only a wider taxon.
    """

    written: str
    how: How
    candidates: tuple[Taxon, ...]
    score: float
    matched_name: str = ""
    doubt: str = ""
    lacking: str = ""


@dataclass
class Reading:
    """What a segment of a label says.

    Attributes:
        hits: what was found, in the order written.
        unknown_names: words written as names that the backbone lacks.
        unknown_epithets: what follows a known genus and is not known under it.
        other_words: words that say nothing of a taxon.
        maybe_authors: words that may be the authors of a species, though nothing but their place says so.
    """

    hits: list[Hit] = field(default_factory=list)
    unknown_names: list[str] = field(default_factory=list)
    unknown_epithets: list[str] = field(default_factory=list)
    other_words: list[str] = field(default_factory=list)
    maybe_authors: list[str] = field(default_factory=list)


def hit_of(
    written: str,
    how: How,
    taxa: list[Taxon],
    *,
    score: float | None = None,
    matched_name: str = "",
    doubt: str = "",
    lacking: str = "",
) -> Hit:
    """Returns a hit; the score is that of how it was found unless one is given."""
    return Hit(
        written,
        how,
        tuple(taxa),
        SCORES[how] if score is None else score,
        matched_name,
        doubt,
        lacking,
    )


def word_hit(written: str, word: Word, taxa: list[Taxon]) -> Hit:
    """Returns the hit of a word of the vocabulary, a wider one where the backbone lacks its taxon."""
    meant = {name_key(word.path[0])} if word.path else set()
    if any(name_key(taxon.name) in meant for taxon in taxa):
        return hit_of(written, How.WORD, taxa)
    return hit_of(written, How.WORD, taxa, score=SCORES[How.HIGHER], lacking=word.path[0])


def capital(key: str) -> str:
    """Returns a key with a capital, as a name is shown."""
    return key[:1].upper() + key[1:]


def is_form(word: str) -> bool:
    """Returns whether a word says a form, a number or a position and never a taxon."""
    found = find_word(word)
    return found is not None and found.sort is WordSort.FORM


def is_epithet_like(genus: str, word: str) -> bool:
    """Returns whether a word may be the epithet of the one before it, by its case."""
    if len(word) < 2 or not word.replace("-", "").isalpha() or names_no_taxon(word):
        return False
    return word.islower() or (word.isupper() and genus.isupper())
