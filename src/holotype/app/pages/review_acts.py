"""What a reviewer does with the pictures of a page: one function an act, all in one table."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holotype.app.pages.review_cards import best_labels
from holotype.app.pages.review_fields import meant
from holotype.page.words import some
from holotype.reviewing.events import Kind, new_id

if TYPE_CHECKING:
    from holotype.app.pages.review_desk import ReviewDesk

_ID = re.compile(r"[0-9a-f]{32}")
_LIKELY, _LOOKED_AT = 5, 8


@dataclass(frozen=True)
class Asked:
    """What a key or a button asks for.

    Attributes:
        event_id: of what will be written: asked twice, it counts once.
        picked: rows that are picked.
        focused: the row that has the focus, None where none has.
        number: a digit that was pressed.
        typed: what was written into a field.
        name: the label that was chosen there, "" where the letters came before the list.
    """

    event_id: str
    picked: tuple[int, ...]
    focused: int | None
    number: int | None
    typed: str = ""
    name: str = ""

    @property
    def chosen(self) -> tuple[int, ...]:
        """The rows that are picked, else the focused one."""
        return self.picked or (() if self.focused is None else (self.focused,))

    @classmethod
    def of(cls, said: Mapping[str, Any], here: Sequence[int]) -> "Asked":
        """Returns what a browser asks; rows that are not on the page are not taken."""
        rows = said.get("picked")
        picked = tuple(row for row in here if isinstance(rows, list) and row in rows)
        focused, number, key = said.get("focused"), said.get("number"), str(said.get("id"))
        return cls(
            key if _ID.fullmatch(key) else new_id(),
            picked,
            focused if isinstance(focused, int) and focused in here else None,
            number if isinstance(number, int) else None,
            str(said.get("typed") or ""),
            str(said.get("name") or ""),
        )


Act = Callable[["ReviewDesk", Asked], Awaitable[None]]


async def confirm(desk: "ReviewDesk", asked: Asked) -> None:
    """Confirms what is picked, else all that is open on the page; where nothing is, goes on.

    What is open is asked when its turn comes: what was pressed before is on disk then.
    """
    rows = asked.picked or tuple(desk.review.undecided(desk.rows, desk.name))
    if not rows:
        await desk.next_open()
        return
    proposed = [row for row in rows if desk.review.proposals[row] is not None]
    if not proposed:
        desk.say("Nothing is proposed for these. Give them a label.", "warning")
        return
    await desk.write(
        lambda: desk.review.confirm(desk.name, desk.ids(proposed), event_id=asked.event_id)
    )
    if len(proposed) < len(rows):
        left = len(rows) - len(proposed)
        desk.say(f"{some(left, 'record')} without a proposal left open.", "warning")


async def relabel(desk: "ReviewDesk", asked: Asked) -> None:
    """Gives what is picked the label that was chosen, or the one that the letters mean."""
    if asked.chosen and (asked.name or asked.typed.strip()):
        label = asked.name or await asyncio.to_thread(_first_meant, desk, asked.typed)
        await _give(desk, asked, label)


def _first_meant(desk: "ReviewDesk", typed: str) -> str:
    found = meant(desk.review.session.book, typed)
    return found[0][0] if found else typed


def likely_labels(desk: "ReviewDesk", rows: Sequence[int]) -> list[str]:
    """Returns the best labels of the first of some rows, to choose from; none for no rows."""
    if not rows:
        return []
    items = desk.review.session.items.take(list(rows[:_LOOKED_AT])).to_pylist()
    return list(dict.fromkeys(label for item in items for label, _ in best_labels(item)))[:_LIKELY]


async def best(desk: "ReviewDesk", asked: Asked) -> None:
    """Gives one of the best labels of the focused record to what is picked."""
    if asked.focused is None or asked.number is None:
        return
    labels = best_labels(desk.review.session.items.slice(asked.focused, 1).to_pylist()[0])
    if 1 <= asked.number <= len(labels):
        await _give(desk, asked, labels[asked.number - 1][0])


async def _give(desk: "ReviewDesk", asked: Asked, label: str) -> None:
    """Gives a label; where it is what was proposed for all of them, it is a confirmation."""
    ids, review = desk.ids(asked.chosen), desk.review
    if all(review.proposals[row] == label for row in asked.chosen):
        await desk.write(lambda: review.confirm(desk.name, ids, event_id=asked.event_id))
    else:
        await desk.write(lambda: review.relabel(desk.name, ids, label, event_id=asked.event_id))


async def unclassify(desk: "ReviewDesk", asked: Asked) -> None:
    """Says that what is picked has no name."""
    if asked.chosen:
        ids = desk.ids(asked.chosen)
        await desk.write(lambda: desk.review.unclassify(desk.name, ids, event_id=asked.event_id))


async def note(desk: "ReviewDesk", asked: Asked) -> None:
    """Writes a remark on what is picked."""
    written = asked.typed.strip()
    if asked.chosen and written:
        ids = desk.ids(asked.chosen)
        await desk.write(lambda: desk.review.note(desk.name, ids, written, event_id=asked.event_id))


async def undo(desk: "ReviewDesk", asked: Asked) -> None:
    """Takes back the reviewer's last decision, wherever it was, and goes there."""
    done = await desk.write(lambda: desk.review.undo(desk.name, event_id=asked.event_id))
    if done is None:
        desk.say("You have nothing left to take back.")
        return
    taken_back = desk.review.state.events[done.undoes or ""]
    what = "the note on" if taken_back.kind is Kind.NOTE else f"{taken_back.kind.value} of"
    desk.say(f"Taken back: {what} {some(len(taken_back.records), 'record')}.")
    desk.go_to_record(taken_back.records[0])


ACTS: dict[str, Act] = {
    "confirm": confirm,
    "relabel": relabel,
    "best": best,
    "unclassify": unclassify,
    "note": note,
    "undo": undo,
}
ANYWHERE = frozenset({"undo"})
"""Acts that are of the reviewer, not of the pictures of the page."""
