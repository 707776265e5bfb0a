"""The tree of the page Explore: rings to click, and the same as a list for the keyboard."""

from dataclasses import replace
from typing import Any

from nicegui import events, ui

from holotype.app.exploring.filters import path_of, path_text
from holotype.app.exploring.lineages import NO_NAME, NONE, Path
from holotype.app.exploring.tree import TreeNode, children, counts_of, drawn
from holotype.app.pages.explore_figures import sunburst
from holotype.app.pages.explore_state import Desk, Shown, named
from holotype.app.pages.text import heading, text
from holotype.page.words import count, some

MOST_LISTED = 150
_MOVE = """(e) => {
  const items = [...e.currentTarget.querySelectorAll('[role=treeitem]')];
  const at = items.indexOf(document.activeElement);
  const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1}[e.key];
  if (to !== undefined) { e.preventDefault(); items[to]?.focus(); return; }
  const now = items[at];
  if (!now) return;
  const open = e.key === 'Enter' || e.key === ' ';
  if (open || (e.key === 'ArrowRight' && now.getAttribute('aria-expanded') === 'false')) {
    e.preventDefault(); emit('to', now.dataset.path);
  } else if (e.key === 'ArrowLeft') { e.preventDefault(); emit('out', ''); }
}"""
_KINDS = {"kind": "kind of thing", "group": "class that is no taxon", NONE: ""}


class TreePanel:
    """Rings and list of the node that the records are narrowed to."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sectors: list[Path] = []

    def draw(self) -> None:
        """Draws the panel, empty."""
        with ui.element("section").classes("tree-panel").props('aria-label="Tree of names"'):
            with ui.element("div").props("role=img") as self._picture:
                self._plot = ui.plotly({"data": [], "layout": {}}).classes("sunburst")
            self._plot.on(
                "plotly_click", self._clicked, js_handler="(e) => emit(Number(e.points[0].id))"
            )
            with ui.element("div"):
                heading(2, "Names").classes("first")
                self._list = ui.element("ul").classes("taxa").props('role=tree aria-label="Names"')
                self._list.on("keydown", self._moved, js_handler=_MOVE)
                self._note = text("p", "").classes("note")

    def show(self, shown: Shown, *, is_focused: bool = False) -> None:
        """Draws the tree from the node that is chosen."""
        path = shown.asked.filters.taxon
        tree = drawn(shown.view, path)
        figure, self._sectors = sunburst(tree)
        self._plot.update_figure(figure)
        of = path[-1][1] if path else "all names"
        shares = ", ".join(f"{one.name} {count(one.records)}" for one in tree.children[:5])
        said = f"Rings of {of}: {some(tree.records, 'record')}. {shares}"
        named(self._picture, aria_label=said).update()
        self._fill(shown, path, tree)
        if is_focused:
            ui.run_javascript(
                "setTimeout(() => document.querySelector('ul.taxa [aria-selected=true]')?.focus(), 60)"
            )

    def _fill(self, shown: Shown, path: Path, tree: TreeNode) -> None:
        below = children(shown.view, path)
        lineages, counts = shown.view.facts.lineages, counts_of(shown.view)
        total = int(shown.view.lineage_L.sum())
        above = [path[:end] for end in range(len(path) + 1)]
        records = [total, *(int(counts[at]) if (at := lineages.place.get(one)) is not None else 0
                            for one in above[1:])]  # fmt: skip
        self._list.clear()
        with self._list:
            for one, number in zip(above, records, strict=True):
                self._item(one, number, is_open=True, is_here=one == path)
            for node in below[:MOST_LISTED]:
                self._item(
                    node.path, node.records,
                    is_open=False if node.path in lineages.children else None, is_here=False,
                )  # fmt: skip
        own = tree.records - sum(node.records for node in below)
        notes = []
        if own and below:
            notes.append(f"{some(own, 'record')} named no further.")
        if len(below) > MOST_LISTED:
            notes.append(f"{count(len(below) - MOST_LISTED)} rarer names: search for them.")
        self._note.set_text(" ".join(notes))

    def _item(self, path: Path, records: int, *, is_open: bool | None, is_here: bool) -> None:
        rank, name = path[-1] if path else ("", "All names")
        rank = "" if name == NO_NAME else _KINDS.get(rank, rank)
        item = ui.element("li").props("role=treeitem")
        item.props["data-path"] = path_text(path)
        item.props["aria-level"] = str(len(path) + 1)
        item.props["tabindex"] = "0" if is_here else "-1"
        item.props["aria-selected"] = "true" if is_here else "false"
        if is_open is not None:
            item.props["aria-expanded"] = "true" if is_open else "false"
        named(item, aria_label=f"{name}{', ' + rank if rank else ''}, {some(records, 'record')}")
        item.style(f"padding-left: {0.45 + 0.7 * len(path):.2f}rem")
        item.on("click", lambda: self._to(path))
        with item:
            text("span", "" if is_open is None else "▾" if is_open else "▸").classes("turn")
            text("span", name).classes("name")
            text("span", rank).classes("rank")
            text("span", count(records)).classes("many")

    async def _clicked(self, event: events.GenericEventArguments) -> None:
        at = event.args
        if isinstance(at, int) and 0 <= at < len(self._sectors):
            path = self._sectors[at]
            here = self._desk.asked.filters.taxon
            await self._to(path[:-1] if path == here and at == 0 else path)

    async def _moved(self, event: events.GenericEventArguments) -> None:
        said: Any = event.args
        if not isinstance(said, list) or len(said) != 2:
            return
        what, named_path = said
        if what == "out":
            await self._to(self._desk.asked.filters.taxon[:-1], is_focused=True)
            return
        try:
            path = path_of(str(named_path)) if named_path else ()
        except ValueError:
            return
        await self._to(path, is_focused=True)

    async def _to(self, path: Path, *, is_focused: bool = False) -> None:
        asked = self._desk.asked
        if path != asked.filters.taxon:
            await self._desk.change(asked.with_filters(replace(asked.filters, taxon=path)))
        if is_focused:
            self.show(self._desk.shown, is_focused=True)
