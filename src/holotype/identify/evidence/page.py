"""All cards as one page that opens offline."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from holotype.identify.columns import DECISIONS, Decision
from holotype.identify.evidence.card import Card
from holotype.identify.evidence.choosing import ORDERS, Order
from holotype.identify.evidence.look import SCRIPT, STYLE
from holotype.identify.evidence.words import readable, said
from holotype.page.document import document
from holotype.page.layout import Section, definitions, paragraph
from holotype.page.words import capital, count, plain, some

_BARS = (
    "How sure the model is of the likeliest taxon of each rank, calibrated. Below the safe answer bars are "
    "grey: no name there is safe."
)
_SIMILARITY = (
    "The cosine of two embeddings, 1 for alike. It says what the model finds alike, not that two records "
    "are of one taxon."
)
_IDENTITY = (
    "Of barcodes: bases alike over the overlap, per cent. The next species is that of the closest reference "
    "of another species."
)
_TERMS: tuple[tuple[str, str], ...] = (
    *((name.value, f"{capital(text).replace('``', '')}.") for name, text in DECISIONS.items()),
    ("bars", _BARS),
    ("novelty", "How likely it is of a taxon that was not learnt, and how far down it still fits."),
    ("similarity", _SIMILARITY),
    ("identity", _IDENTITY),
)


@dataclass(frozen=True)
class Told:
    """What the head of the page says.

    Attributes:
        name: of the file of answers.
        models: fingerprints.
        answers: how many are in the file.
        matching: how many have one of the decisions asked for.
        decisions: these; empty for all.
        order: of the cards.
        facts: name -> figure.
        notes: what is missing, and what to do.
    """

    name: str
    models: Sequence[str]
    answers: int
    matching: int
    decisions: Sequence[Decision]
    order: Order
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]


def page(cards: Sequence[Card], told: Told) -> str:
    """Returns the page as HTML; the same cards give the same bytes."""
    only = f" that are {' or '.join(told.decisions)}" if told.decisions else ""
    shown = f"{count(len(cards))} of {some(told.matching, 'answer')}{only}"
    of = f", of {count(told.answers)} in the file" if told.decisions else ""
    top = (
        f"<h1>Evidence for {some(len(cards), 'answer')}</h1>"
        f'<p class="about">{said(told.name)}, by model {said(", ".join(told.models) or None)}</p>'
        f'<p class="dim">{plain(f"{shown}{of} are shown: {ORDERS[told.order]}.")}</p>'
        + definitions(told.facts)
        + "".join(paragraph(note, kind="note") for note in told.notes)
    )
    inside = "\n".join(card.html() for card in cards)
    lead = (
        "Each card is an answer: the record, how far down it is safe, why it stops there, and the records "
        "most like it that the model knows."
    )
    answers = Section(
        "answers", "Answers", lead, f'{_choice(cards)}<div class="evidence-list">{inside}</div>'
    )
    terms = "".join(f"<dt>{plain(name)}</dt><dd>{plain(text)}</dd>" for name, text in _TERMS)
    reading = Section(
        "reading", "How to read a card", "What the words mean.", f'<dl class="terms">{terms}</dl>'
    )
    title = f"Evidence: {readable(told.name)}"
    return document(title, top, [answers, reading], style=STYLE, script=SCRIPT)


def _choice(cards: Sequence[Card]) -> str:
    """Returns the box that filters the cards, and a tick for each decision."""
    counted = Counter(str(card.row["decision"] or "") for card in cards)
    known = [name.value for name in DECISIONS]
    names = [*known, *sorted(set(counted) - set(known))]
    ticks = "".join(
        f'<label><input type="checkbox" value="{plain(name)}" checked autocomplete="off">'
        f"{said(name or 'no decision')} ({count(counted[name])})</label>"
        for name in names
        if counted[name]
    )
    return (
        '<fieldset class="evidence-choice" id="evidence-choice"><legend class="spoken">Cards to show</legend>'
        '<label>Show cards with <input type="search" autocomplete="off"></label>'
        f'{ticks}<span id="evidence-count" role="status">{some(len(cards), "card")}</span></fieldset>'
    )
