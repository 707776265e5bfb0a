"""The pictures of a page of a review, what was decided of each; and one of them in detail."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from holotype.app.pages.review_store import picture_url
from holotype.app.pages.text import heading, note, text
from holotype.page.words import DASH
from holotype.reviewing.events import Kind
from holotype.reviewing.review import Review
from holotype.reviewing.state import Decision

_SIGNS = {Kind.CONFIRM: "✓", Kind.RELABEL: "✎", Kind.UNCLASSIFY: "∅"}
_STATES = " ".join(f"is-{kind.value}" for kind in _SIGNS) + " is-disputed is-others"
BEST = 5
"""Labels that digits give."""


@dataclass
class _Card:
    whole: Element
    what: TextElement
    others: TextElement


class Cards:
    """The cards of one page of a session, for one visitor."""

    def __init__(self, review: Review, place: Element) -> None:
        self._review = review
        self._place = place
        self._cards: dict[int, _Card] = {}

    def draw(self, rows: Sequence[int], reviewer: str) -> None:
        """Draws the cards of rows, in their order."""
        self._place.clear()
        self._cards = {}
        items = self._review.session.items.take(list(rows)).to_pylist()
        with self._place:
            for at, (row, item) in enumerate(zip(rows, items, strict=True)):
                self._draw(row, item, is_first=at == 0)
                self.paint(row, reviewer)

    def _draw(self, row: int, item: Mapping[str, Any], *, is_first: bool) -> None:
        whole = ui.element("div").classes("review-card")
        whole.props(
            f"role=option aria-selected=false tabindex={0 if is_first else -1} data-row={row}"
        )
        with whole:
            if item["image_sha256"] is None:
                text("div", "barcode").classes("review-none")
            else:
                picture = ui.element("img").props('alt="" loading=lazy draggable=false')
                picture.props["src"] = picture_url(self._review.session, item["record_id"])
            what = text("div", "").classes("what")
            score = "" if item["score"] is None else f"{100 * item['score']:.0f} %"
            kind = "" if item["decision"] in (None, "named") else item["decision"]
            text("div", " · ".join(part for part in (score, kind) if part)).classes("sub")
            others = text("div", "").classes("others")
        self._cards[row] = _Card(whole, what, others)

    def paint(self, row: int, reviewer: str) -> None:
        """Writes what is decided of a row, where it is on the page."""
        card = self._cards.get(row)
        if card is None:
            return
        record = self._review.session.record_ids[row]
        decisions = self._review.decisions(record)
        mine = decisions.get(reviewer)
        proposed = self._review.proposals[row]
        others = [one for name, one in decisions.items() if name != reviewer]
        if mine is None:
            said = f"{proposed}?" if proposed else "no proposal"
        else:
            said = f"{_SIGNS[mine.kind]} {mine.label or 'unclassified'}"
        differ = len({one.label for one in decisions.values()}) > 1
        states = ["is-disputed"] if differ else ["is-others"] if others else []
        states += [f"is-{mine.kind.value}"] if mine is not None else []
        card.whole.classes(remove=_STATES, add=" ".join(states))
        card.what.set_text(said)
        told = [_others(one, proposed) for one in others]
        told += [f"{n.reviewer}: “{n.text}”" for n in self._review.state.notes(record)]
        card.others.set_text("; ".join(told))
        spoken = [said.strip("?"), "decided by you" if mine else "proposed"]
        spoken += ["reviewers differ"] if differ else []
        card.whole.props["aria-label"] = ", ".join([*spoken, *told])
        card.whole.update()

    @property
    def rows(self) -> list[int]:
        """The rows on the page."""
        return list(self._cards)


def _others(one: Decision, proposed: str | None) -> str:
    sign = _SIGNS[one.kind]
    same = one.label is not None and one.label == proposed
    return (
        f"{one.reviewer} {sign}" if same else f"{one.reviewer} {sign} {one.label or 'unclassified'}"
    )


def best_labels(item: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Returns the best labels of an item with their scores, at most ``BEST``."""
    try:
        found = json.loads(item["top_k"] or "[]")
        return [(str(one["label"]), float(one["score"])) for one in found][:BEST]
    except (ValueError, KeyError, TypeError):
        return []


def draw_detail(review: Review, row: int, place: Element) -> None:
    """Draws one record in detail: a larger picture, why the model stops, its best labels, who said what."""
    session = review.session
    item = session.items.slice(row, 1).to_pylist()[0]
    place.clear()
    with place:
        if item["image_sha256"] is not None:
            picture = ui.element("img").classes("review-large").props('alt="The focused record"')
            picture.props["src"] = picture_url(session, item["record_id"], side_px=480)
        heading(2, review.proposals[row] or "No proposal").classes("first")
        if item["decision_reason"]:
            note(item["decision_reason"])
        _facts(item)
        best = best_labels(item)
        if best:
            heading(3, "Best labels")
            with ui.element("ol").classes("review-best"):
                for label, score in best:
                    text("li", f"{label} {100 * score:.0f} %")
        decisions = review.decisions(item["record_id"])
        notes = review.state.notes(item["record_id"])
        if decisions or notes:
            heading(3, "Decisions")
            with ui.element("ul").classes("review-said"):
                for name, one in decisions.items():
                    text("li", f"{name}: {_SIGNS[one.kind]} {one.label or 'unclassified'}")
                for remark in notes:
                    text("li", f"{remark.reviewer}: “{remark.text}”")


def _facts(item: Mapping[str, Any]) -> None:
    wide, high, pixel = item["image_width_px"], item["image_height_px"], item["pixel_size_um"]
    size = f"{wide} × {high} px" if wide else None
    if wide and pixel:
        size = f"{size}, {wide * pixel:,.0f} × {high * pixel:,.0f} µm"
    status = f" ({item['label_status']})" if item["label_status"] else ""
    facts = {
        "Safe answer": f"{item['answer']} ({item['answer_level']})" if item["answer"] else "none",
        "Novelty": None if item["novelty"] is None else f"{100 * item['novelty']:.0f} %",
        "In the collection": (item["current"] or DASH) + status,
        "Size": size,
        "Instrument": item["instrument"],
        "Sample": item["sample_id"],
        "Record": item["record_id"],
    }
    with ui.element("dl").classes("review-facts"):
        for name, said in facts.items():
            if said:
                text("dt", name)
                text("dd", str(said))
