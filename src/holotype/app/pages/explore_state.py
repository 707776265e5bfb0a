"""What one visitor of the page Explore asks for, as a link says it, and what is shown of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

import numpy as np
from nicegui.element import Element
from numpy.typing import NDArray

from holotype.app.exploring.filters import Filters, read_filters
from holotype.app.exploring.likeness import Likeness
from holotype.app.exploring.opened import CollectionNow, Explored
from holotype.app.exploring.selections import SelectionRows
from holotype.app.exploring.view import Order, View

if TYPE_CHECKING:
    from holotype.app.workbench import Workbench

PAGE = "/explore"
DOWNLOADS = "/explored"
CARDS = 48


class Tab(StrEnum):
    """What is shown of the records."""

    RECORDS = "records"
    PLACES = "places"
    LIKENESS = "likeness"


TABS: dict[Tab, str] = {
    Tab.RECORDS: "Records",
    Tab.PLACES: "Places and dates",
    Tab.LIKENESS: "Likeness",
}


@dataclass(frozen=True)
class Asked:
    """What a visitor asks for.

    Attributes:
        filters: which records.
        order: what comes first.
        words: the records most like these words come first, and they alone; "" for none.
        page: of the records, from 1.
        tab: what is shown of them.
        record: id of the record that is open, None for none.
    """

    filters: Filters = field(default_factory=Filters)
    order: Order = Order.MIXED
    words: str = ""
    page: int = 1
    tab: Tab = Tab.RECORDS
    record: str | None = None

    def with_page_of(self, records: int) -> "Asked":
        """Returns the same at the last page, where so many records have no page of that number."""
        return replace(self, page=min(self.page, max(1, -(-records // CARDS))))

    def with_filters(self, filters: Filters) -> "Asked":
        """Returns the same with other filters, from the first page."""
        return replace(self, filters=filters, page=1)

    def link(self) -> str:
        """Returns the address of the page that shows this."""
        usual = Asked()
        rest = {
            "order": self.order.value if self.order != usual.order else "",
            "words": self.words,
            "page": str(self.page) if self.page > 1 else "",
            "tab": self.tab.value if self.tab != usual.tab else "",
            "record": self.record or "",
        }
        said = urlencode({name: value for name, value in rest.items() if value}, quote_via=quote)
        both = "&".join(part for part in (self.filters.query(), said) if part)
        return f"{PAGE}?{both}" if both else PAGE


def read_asked(pairs: Iterable[tuple[str, str]]) -> tuple[Asked, tuple[str, ...]]:
    """Returns what a link asks for, and what in it could not be read, in words."""
    known = list(pairs)
    filters, problems = read_filters(known)
    last = dict(known)
    page = last.get("page", "1")
    asked = Asked(
        filters,
        Order(last["order"]) if last.get("order") in set(Order) else Order.MIXED,
        last.get("words", "").strip()[:200],
        max(1, int(page[:9])) if page.isdecimal() and page.isascii() else 1,
        Tab(last["tab"]) if last.get("tab") in set(Tab) else Tab.RECORDS,
        last.get("record") or None,
    )
    return asked, problems


@dataclass(frozen=True)
class Shown:
    """What is shown.

    Attributes:
        asked: what was asked for.
        explored: the collection.
        view: what passes the filters.
        whole: the counts without any filter.
        row_R: int64, the records in their order; only the likest ones where words were asked for.
        picked: ids of the records that the visitor picked by hand.
    """

    asked: Asked
    explored: Explored
    view: View
    whole: View
    row_R: NDArray[np.int64]
    picked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shared:
    """What all visitors share."""

    workbench: "Workbench"
    now: CollectionNow | None
    likeness: Likeness
    selections: SelectionRows


class Desk(Protocol):
    """What the parts of the page may ask of it.

    Attributes:
        shared: what all visitors share.
        shown: what is shown; a change shows some time after it was asked for.
        asked: what was asked for last. The next change is made from this one, never from what is shown:
            of two that come quickly one after another both hold.
    """

    shared: Shared
    shown: Shown
    asked: Asked

    async def change(self, asked: Asked) -> None:
        """Shows something else."""

    async def open_record(self, record_id: str) -> None:
        """Opens a record."""

    def close_record(self) -> None:
        """Says that no record is open any more."""

    async def pick(self, record_id: str, *, is_picked: bool) -> None:
        """Picks a record, or no longer."""

    async def pick_none(self) -> None:
        """Picks no record any more."""

    async def select(self, rows: list[int]) -> None:
        """Narrows to some records."""


def named(element: Element, **said: str) -> Element:
    """Returns the element with properties whose text comes from files or people: never parsed.

    An underscore stands for a hyphen: ``aria_label`` for ``aria-label``.
    """
    for name, value in said.items():
        element.props[name.replace("_", "-")] = value
    return element
