"""Names -> answers: one backbone or several in order, labels of one source helping each other.

Rules, in the order in which they are tried: exact; synonym; the ending that follows the genus's gender;
English group words and words made of a group's name; a misspelling; a wider taxon of the label.
Sources of the method: Global Names (Mozzherin et al. 2017, doi:10.1186/s12859-017-1663-3) for names without
authorship and stems of epithets; TAXAMATCH (Rees 2014,
doi:10.1371/journal.pone.0107510) for genus and epithet apart.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from holotype.taxonomy.backbone.store import Backbone, Taxon
from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.matching.doubts import as_doubted, denial, denied, doubted, without_authors
from holotype.taxonomy.matching.fuzzy import fuzzy_words, rank_ending
from holotype.taxonomy.matching.hit import Hit, Reading, is_form
from holotype.taxonomy.matching.hits import Finder
from holotype.taxonomy.matching.neighbours import helped, neighbours_of
from holotype.taxonomy.matching.outcome import SCORES, SURE, How, MatchStatus, NameMatch, Query
from holotype.taxonomy.matching.settle import Verdict, is_above, settle, under_context
from holotype.taxonomy.names import clean_text, is_latin_like, label_words, names_no_taxon


class Matcher(Protocol):
    """What answers queries: a backbone, or a part that a third party adds. It may raise."""

    @property
    def name(self) -> str:
        """What it is called, with its version."""
        ...

    def match(self, query: Query) -> NameMatch:
        """Returns the answer to one query."""
        ...


class BackboneMatcher:
    """Matches names against one open backbone; answers are the same whatever was asked before."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._finder = Finder(backbone, fuzzy_words(backbone))

    @property
    def name(self) -> str:
        """The backbone's name and version."""
        return self.backbone.name

    def match(self, query: Query) -> NameMatch:
        """Returns the answer to one query: what the label says, or what the source's lineage adds."""
        return doubted(self._match(query))

    def _match(self, query: Query) -> NameMatch:
        answer = self._label(query)
        given = query.lineage
        if answer.status is MatchStatus.AMBIGUOUS or given.rank is None or given.name is None:
            return answer
        taxon = answer.taxon
        if taxon is not None and (taxon.rank is None or not taxon.rank.is_above(given.rank)):
            return answer
        other = self._label(replace(query, written=given.name, rank=given.rank))
        if other.taxon is None or (taxon is not None and not is_above(taxon, other.taxon)):
            return answer
        found = replace(other, query=query, reason=f"the source's lineage: {other.reason}")
        wide = given.rank.is_above(Rank.SPECIES)
        missing = answer.unknown if wide or is_latin_like(answer.unknown) else ""
        if not missing and answer.how is not How.HIGHER:
            return found
        reason = f"{answer.reason.partition('; the source says ')[0]}; {found.reason}"
        score = min(found.score, SCORES[How.HIGHER])
        return replace(found, how=How.HIGHER, score=score, reason=reason, unknown=missing)

    def _label(self, query: Query) -> NameMatch:
        """Returns what the label says by itself, under the context."""
        if (plain := self._plain(query)) is not None:
            return plain
        answer = NameMatch(query, MatchStatus.NO_MATCH, "", backbone=self.name)
        if not clean_text(query.written):
            return replace(answer, reason="blank")
        words = label_words(query.written)
        if not words.segments:
            return replace(answer, reason="no word in it that may be a name")
        readings = [self._finder.read(segment) for segment in words.segments]
        readings = [without_authors(reading, query.written) for reading in readings]
        if (against := denial(words.segments, self._finder.read)) is not None:
            return denied(answer, *against)
        refused: list[Hit] = []
        allowed: list[list[Hit]] = []
        for reading in readings:
            fitting = [(hit, under_context(hit, query)) for hit in reading.hits]
            refused += [hit for hit, kept in fitting if not kept.candidates]
            allowed.append([kept for _, kept in fitting if kept.candidates])
        if refused:
            return _refused(answer, refused)
        for place, found in enumerate(allowed):
            if found:
                hits = _not_below_unknown(found, readings[place])
                beside = [hit for wider in allowed[place + 1 :] for hit in wider]
                verdict = settle(hits, beside, self.backbone)
                return _answered(answer, verdict, readings[: place + 1])
        return _nothing(answer, readings, query)

    def _plain(self, query: Query) -> NameMatch | None:
        """Returns the answer to a plain binomial of one taxon at once: most names of a checklist are such."""
        if _BINOMIAL.fullmatch(query.written) is None:
            return None
        hit = self._finder.exact(query.written.lower(), query.written)
        if hit is None or len(hit.candidates) != 1:
            return None
        if not under_context(hit, query).candidates:
            return None
        return NameMatch(query, MatchStatus.MATCHED, in_words(hit, hit.candidates[0]), hit.candidates[0],
                         hit.how, hit.score, hit.matched_name, hit.candidates, self.name)  # fmt: skip


_BINOMIAL = re.compile("[A-Z][a-z]+ [a-z]{2,}")


def _not_below_unknown(hits: list[Hit], reading: Reading) -> list[Hit]:
    """Where one species of a genus is unknown, another one of the label does not stand for both."""
    genera = {text.split(" ")[0] for text in reading.unknown_epithets}
    of_unknown = [hit for hit in hits if hit.written in genera and len(hit.candidates) == 1]
    return [
        hit
        for hit in hits
        if hit in of_unknown
        or not any(is_above(g.candidates[0], t) for g in of_unknown for t in hit.candidates)
    ]


def _refused(answer: NameMatch, refused: Sequence[Hit]) -> NameMatch:
    hit = refused[0]
    listed = "; ".join(taxon.label for taxon in hit.candidates[:4])
    reason = f"'{hit.written}' is in the backbone only as {listed}, which the context excludes"
    return replace(answer, status=MatchStatus.AMBIGUOUS, reason=reason, candidates=hit.candidates)


def _answered(answer: NameMatch, verdict: Verdict, readings: Sequence[Reading]) -> NameMatch:
    """Returns the answer of a verdict, with the doubt that unknown words of the same label bring."""
    if verdict.taxon is None:
        return replace(
            answer,
            status=MatchStatus.AMBIGUOUS,
            reason=verdict.reason,
            candidates=verdict.candidates,
            is_homonym=verdict.is_homonym,
        )
    unknown = [
        name for reading in readings for name in reading.unknown_names if not rank_ending(name)
    ]
    epithets = [name for reading in readings for name in reading.unknown_epithets]
    taxon, hit = verdict.taxon, verdict.hit
    narrow = taxon.rank is not None and taxon.rank.depth >= Rank.GENUS.depth
    if unknown and (narrow or verdict.how is How.COMMON):
        reason = f"'{unknown[0]}' beside {taxon.name} is not in the backbone"
        return replace(answer, status=MatchStatus.AMBIGUOUS, reason=reason, candidates=(taxon,))
    how, score, reason = (
        verdict.how or How.EXACT,
        hit.score if hit else SCORES[How.COMMON],
        verdict.reason,
    )
    if unknown or epithets:
        how, score = How.HIGHER, SCORES[How.HIGHER]
        missing = (unknown + epithets)[0]
        reason = f"'{missing}' is not in the backbone; {taxon.name} is the narrowest word that is"
    elif hit is not None and hit.lacking:
        how = How.HIGHER
        reason = f"'{hit.written}' is {hit.lacking}, which is not in the backbone; {taxon.name} above it is"
    elif not reason and hit is not None:
        reason = in_words(hit, taxon)
    name = hit.matched_name if hit else ""
    found = replace(answer, status=MatchStatus.MATCHED, taxon=taxon, how=how, score=round(score, 3),
                    reason=reason, matched_name=name, candidates=verdict.candidates)  # fmt: skip
    authors = [name for reading in readings for name in reading.maybe_authors]
    if not authors or how not in SURE:
        return found
    said = f"{reason}; '{authors[0]}' is taken for its author, but no year or brackets say so"
    return as_doubted(found, said)


def in_words(hit: Hit, taxon: Taxon) -> str:
    """Returns why a hit is that taxon."""
    sentences = {
        How.EXACT: f"'{hit.written}' is a name of the backbone",
        How.SYNONYM: f"'{hit.matched_name or hit.written}' is a synonym of {taxon.name}",
        How.ENDING: f"'{hit.written}' is {hit.matched_name} with another ending",
        How.WORD: f"'{hit.written}' is a word for {taxon.name}",
        How.DERIVED: f"'{hit.written}' is made of {taxon.name}",
        How.FUZZY: f"'{hit.written}' is nearly '{hit.matched_name}'",
    }
    return sentences.get(hit.how, "")


def _nothing(answer: NameMatch, readings: Sequence[Reading], query: Query) -> NameMatch:
    unknown = [name for reading in readings for name in reading.unknown_names]
    if unknown:
        return _from_lineage(
            replace(answer, reason=f"'{unknown[0]}' is not in the backbone", unknown=unknown[0]),
            query,
        )
    silent = all(not reading.unknown_epithets for reading in readings)
    words = [word for reading in readings for word in reading.other_words]
    own = [word for word in words if not names_no_taxon(word) and not is_form(word)]
    own += [epithet for reading in readings for epithet in reading.unknown_epithets]
    reason = f"'{' '.join(words)}' names no taxon"
    return _from_lineage(
        replace(answer, reason=reason, names_no_taxon=silent, unknown=own[0] if own else ""), query
    )


def _from_lineage(answer: NameMatch, query: Query) -> NameMatch:
    """Notes that the source itself gives a lineage, so that a person sees both."""
    if not query.lineage:
        return answer
    return replace(
        answer,
        reason=f"{answer.reason}; the source says {query.lineage.text()}",
        names_no_taxon=False,
    )


def match_all(queries: Iterable[Query], matchers: Sequence[Matcher]) -> list[NameMatch]:
    """Returns the answer to each query, in order; each different query is matched once.

    Matchers are asked in order until one matches. One that raises gives ``service_failed`` unless a later one
    matches: it is never taken for "no such name".
    """
    asked = list(queries)
    answers: dict[Query, NameMatch] = {}
    for query in asked:
        if query not in answers:
            answers[query] = _first_match(query, matchers)
    by_source: dict[str, list[NameMatch]] = {}
    for answer in answers.values():
        by_source.setdefault(answer.query.source, []).append(answer)
    for found in by_source.values():
        neighbours = neighbours_of(found)
        for answer in found:
            answers[answer.query] = helped(answer, neighbours)
    return [answers[query] for query in asked]


def _first_match(query: Query, matchers: Sequence[Matcher]) -> NameMatch:
    best: NameMatch | None = None
    failed: NameMatch | None = None
    for matcher in matchers:
        try:
            answer = matcher.match(query)
        except Exception as reason:  # noqa: BLE001 - whatever a part raises, the name is not "unknown"
            text = f"{matcher.name}: {type(reason).__name__}: {reason}"
            failed = failed or NameMatch(
                query, MatchStatus.SERVICE_FAILED, text, backbone=matcher.name
            )
            continue
        if answer.status is MatchStatus.SERVICE_FAILED:
            failed = failed or answer
        elif answer.status is MatchStatus.MATCHED:
            return answer
        elif best is None or (best.status, answer.status) == (
            MatchStatus.NO_MATCH,
            MatchStatus.AMBIGUOUS,
        ):
            best = answer
    if best is not None and best.status is MatchStatus.AMBIGUOUS:
        return best
    return failed or best or NameMatch(query, MatchStatus.SERVICE_FAILED, "no matcher was given")
