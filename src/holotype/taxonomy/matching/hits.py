"""The words of a label -> hits: what each name or group word in it may stand for in a backbone."""

from dataclasses import replace
from functools import lru_cache

from holotype.taxonomy.backbone.store import Backbone, Taxon
from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.matching.fuzzy import (
    FuzzyWords,
    allowed_distance,
    nearest_epithet,
    nearest_words,
)
from holotype.taxonomy.matching.hit import (
    Hit,
    Reading,
    capital,
    hit_of,
    is_epithet_like,
    is_form,
    word_hit,
)
from holotype.taxonomy.matching.outcome import SCORES, How
from holotype.taxonomy.matching.vocabulary import (
    WordSort,
    accepted_of,
    derived,
    find_word,
    known_words,
    meant_by,
    taxa_of,
    vocabulary,
)
from holotype.taxonomy.names import epithet_stem, is_latin_like, name_key, names_no_taxon

_UNSURE = frozenset(("cf", "aff", "nr", "near", "x"))
"""Words between a genus and its epithet that leave the name as it is."""


class Finder:
    """Looks words up in one backbone; holds its search table for misspelt words."""

    def __init__(self, backbone: Backbone, fuzzy: FuzzyWords) -> None:
        self.backbone = backbone
        self._near = lru_cache(maxsize=4096)(fuzzy.near)

    def read(self, words: tuple[str, ...]) -> Reading:
        """Returns what the words of one segment say."""
        reading = Reading()
        place = 0
        genus = ""
        while place < len(words):
            word = words[place]
            hit, used = self._several(words, place)
            if hit is None and _may_be_epithet(genus, word):
                reading.unknown_epithets.append(f"{genus} {word}")
                genus, place = "", place + 1
                continue
            if hit is None:
                hit, used = self.one(word), 1
            if hit is None and "-" in word:
                parts = (part for part in word.split("-") if part)
                words = (*words[:place], *parts, *words[place + 1 :])
                continue
            if hit is not None:
                reading.hits.append(hit)
            elif names_no_taxon(word) or is_form(word):
                reading.other_words.append(word)
            elif is_epithet_like(genus, word) and genus:
                reading.unknown_epithets.append(f"{genus} {word}")
            elif is_latin_like(word):
                reading.unknown_names.append(word)
            else:
                reading.other_words.append(word)
            if word.lower() not in _UNSURE:
                genus = word if hit is not None and used == 1 and _is_genus(hit) else ""
            place += used
        return reading

    def _several(self, words: tuple[str, ...], place: int) -> tuple[Hit | None, int]:
        """Returns the hit of three or two words that begin here, and how many they are."""
        if place + 1 >= len(words):
            return None, 0
        first, second = words[place], words[place + 1]
        skipped = 1
        while (
            names_no_taxon(second)
            and second.lower() in _UNSURE
            and place + skipped + 1 < len(words)
        ):
            skipped += 1
            second = words[place + skipped]
        pair = vocabulary().get(name_key(f"{first} {second}"))
        if pair is not None and (taxa := meant_by(pair, self.backbone)):
            return word_hit(f"{first} {second}", pair, taxa), skipped + 1
        if not is_epithet_like(first, second):
            return None, 0
        if place + skipped + 1 < len(words) and is_epithet_like(
            first, third := words[place + skipped + 1]
        ):
            key = name_key(f"{first} {second} {third}")
            if found := self.exact(key):
                return found, skipped + 2
        hit = self.binomial(first, second)
        return hit, skipped + 1 if hit is not None else 0

    def exact(self, key: str, written: str = "") -> Hit | None:
        """Returns the hit of a key that the backbone has, None where it has not."""
        rows = self.backbone.rows_of(key)
        taxa = accepted_of(rows, self.backbone) if rows else []
        if not taxa:
            return None
        all_synonyms = all(self.backbone.is_synonym(row) for row in rows)
        name = key[:1].upper() + key[1:] if all_synonyms else ""
        return hit_of(
            written or key, How.SYNONYM if all_synonyms else How.EXACT, taxa, matched_name=name
        )

    def binomial(self, genus: str, epithet: str) -> Hit | None:
        """Returns the hit of a genus with an epithet: exact, by its ending, misspelt; None for none."""
        written = f"{genus} {epithet}"
        genus_key, epithet_key = name_key(genus), name_key(epithet)
        if not genus_key or not epithet_key:
            return None
        if found := self.exact(f"{genus_key} {epithet_key}", written):
            return found
        if is_form(epithet) or names_no_taxon(epithet) or find_word(epithet) is not None:
            return None
        if found := self._within(genus_key, epithet_key, written):
            return found
        other = vocabulary().get(genus_key)
        if other is not None and other.sort is WordSort.SYNONYM:
            for taxon in meant_by(other, self.backbone):
                if taxon.rank is Rank.GENUS and (
                    found := self._of_genus(taxon, epithet_key, written)
                ):
                    return found
        if other is None:
            return self._misspelt_genus(genus_key, epithet_key, written)
        return None

    def _of_genus(self, genus: Taxon, epithet: str, written: str) -> Hit | None:
        key = name_key(genus.name)
        found = self.exact(f"{key} {epithet}", written) or self._same_stem(key, epithet, written)
        return replace(found, how=How.SYNONYM, score=SCORES[How.SYNONYM]) if found else None

    def _within(self, genus: str, epithet: str, written: str) -> Hit | None:
        """Returns the species of a known genus with another ending or a misspelt epithet."""
        if found := self._same_stem(genus, epithet, written):
            return found
        distance, keys = nearest_epithet(epithet, self._species_keys(genus))
        if not keys:
            return None
        taxa = {t.row: t for key in keys for t in taxa_of(key, self.backbone)}
        return hit_of(written, How.FUZZY, list(taxa.values()), score=1 - distance / len(written),
                    matched_name=capital(keys[0]))  # fmt: skip

    def _species_keys(self, genus: str) -> list[str]:
        first, last = self.backbone.word_block(genus)
        return self.backbone.keys_between(first, last)

    def _same_stem(self, genus: str, epithet: str, written: str) -> Hit | None:
        stem = epithet_stem(epithet)
        keys = [
            key
            for key in self._species_keys(genus)
            if key.count(" ") == 1 and epithet_stem(key.split(" ")[1]) == stem
        ]
        taxa = {t.row: t for key in keys for t in taxa_of(key, self.backbone)}
        if not taxa:
            return None
        return hit_of(written, How.ENDING, list(taxa.values()), matched_name=capital(keys[0]))

    def _misspelt_genus(self, genus: str, epithet: str, written: str) -> Hit | None:
        found: dict[int, Taxon] = {}
        best, name = 9, ""
        for distance, near in self._near(genus):
            if distance > best:
                break
            taxa = taxa_of(f"{near} {epithet}", self.backbone)
            if not taxa and (stemmed := self._same_stem(near, epithet, written)):
                taxa = list(stemmed.candidates)
            if taxa:
                best, name = distance, name or f"{near} {epithet}"
                found |= {taxon.row: taxon for taxon in taxa}
        if not found:
            return None
        score = 1 - best / len(written)
        return hit_of(
            written, How.FUZZY, list(found.values()), score=score, matched_name=capital(name)
        )

    def one(self, written: str) -> Hit | None:
        """Returns the hit of a single word: a name, a word of the vocabulary, a derivation, a misspelling."""
        key = name_key(written)
        word = find_word(written)
        if len(key) < 3 or (word is not None and word.sort is WordSort.FORM):
            return None
        if names_no_taxon(written) and (word is None or word.sort is not WordSort.STAGE):
            return None
        exact = self.exact(key, written)
        if (
            word is not None
            and word.sort is not WordSort.SYNONYM
            and (taxa := meant_by(word, self.backbone))
        ):
            both = {t.row: t for t in (*(exact.candidates if exact else ()), *taxa)}
            if exact is None or len(both) > len(exact.candidates):
                return word_hit(written, word, list(both.values()))
        if exact is not None:
            return exact
        if word is not None:
            taxa = meant_by(word, self.backbone)
            return hit_of(written, How.SYNONYM, taxa) if taxa else None
        if taxa := derived(written, self.backbone):
            return hit_of(written, How.DERIVED, taxa)
        return self._misspelt(written, key)

    def _misspelt(self, written: str, key: str) -> Hit | None:
        if allowed_distance(key) == 0 or " " in key:
            return None
        found: dict[int, Taxon] = {}
        best, name, lacking = 9, "", ""
        for distance, near in self._near(key):
            if distance > best:
                break
            for taxon in taxa_of(near, self.backbone):
                if taxon.row in found or not is_latin_like(written.capitalize()):
                    continue
                best, name = distance, name or near
                found[taxon.row] = taxon
        for distance, near in nearest_words(key, known_words()):
            taxa = meant_by(vocabulary()[near], self.backbone)
            if taxa and distance <= best:
                if distance < best:
                    found.clear()
                best, name = distance, near
                lacking = word_hit(near, vocabulary()[near], taxa).lacking
                found |= {taxon.row: taxon for taxon in taxa}
        if not found:
            return None
        narrow = all(
            t.rank is not None and t.rank.depth >= Rank.GENUS.depth for t in found.values()
        )
        doubt = (
            f"'{written}' is {best} letters away from '{capital(name)}'"
            if narrow and best > 1
            else ""
        )
        return hit_of(written, How.FUZZY, list(found.values()), score=1 - best / len(key),
                    matched_name=capital(name), doubt=doubt, lacking=lacking)  # fmt: skip


def _is_genus(hit: Hit) -> bool:
    return any(taxon.rank is Rank.GENUS for taxon in hit.candidates)


def _may_be_epithet(genus: str, word: str) -> bool:
    """Returns whether a small word behind a genus with a capital is an epithet, whatever else it may name.

    "Pyrocystis noctiluca" is a Pyrocystis, and not a Noctiluca beside one.
    """
    return is_latin_like(genus) and is_epithet_like(genus, word) and find_word(word) is None
