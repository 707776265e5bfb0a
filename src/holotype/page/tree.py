"""The tree of lineages as a figure: kingdom innermost, the angle is the share of records."""

from collections import defaultdict
from typing import Any

from holotype.page.figures import HUES, Spec
from holotype.page.words import RANKS, count, plot_text, some


def sunburst(lineages: list[list[Any]]) -> Spec:
    """Returns the tree of lineages; a lineage without some ranks skips them."""
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    rank_of: dict[tuple[str, ...], str] = {}
    phylum_of: dict[tuple[str, ...], str | None] = {}
    for path, number in lineages:
        known = [(rank, str(n)) for rank, n in zip(RANKS, path, strict=False) if n is not None]
        named = known or [("", "no taxon")]
        phylum = next((name for rank, name in known if rank == "phylum"), None)
        counts[()] += int(number)
        for depth in range(1, len(named) + 1):
            node = tuple(name for _, name in named[:depth])
            counts[node] += int(number)
            rank_of[node] = named[depth - 1][0]
            phylum_of[node] = phylum if rank_of[node] != "kingdom" else None
    sizes: dict[str, int] = defaultdict(int)
    for node, phylum in phylum_of.items():
        if phylum is not None and rank_of[node] == "phylum":
            sizes[phylum] += counts[node]
    by_size = sorted(sizes, key=lambda name: (-sizes[name], name))
    hue = {name: f"var(--t{1 + at})" for at, name in enumerate(by_size[: len(HUES)])}
    nodes = sorted(counts)
    number_of = {node: str(at) for at, node in enumerate(nodes)}
    total = counts[()]
    return {
        "data": [
            {
                "type": "sunburst", "branchvalues": "total", "sort": True, "maxdepth": 6,
                "ids": [number_of[node] for node in nodes],
                "parents": ["" if not node else number_of[node[:-1]] for node in nodes],
                "labels": [plot_text(node[-1]) if node else count(total) for node in nodes],
                "values": [counts[node] for node in nodes],
                "text": [
                    f"<b>{plot_text(node[-1]) if node else 'all records'}</b>"
                    f"<br>{rank_of.get(node, '')}<br>{some(counts[node], 'record')}"
                    f", {100 * counts[node] / max(1, total):.1f}\u202f%"
                    for node in nodes
                ],
                "textinfo": "label", "hoverinfo": "text", "insidetextorientation": "auto",
                "marker": {
                    "colors": [
                        "var(--paper)" if not node
                        else hue.get(phylum_of[node] or "", "var(--neutral)") for node in nodes
                    ],
                    "line": {"color": "var(--paper)", "width": 1},
                },
                "leaf": {"opacity": 1}, "insidetextfont": {"color": "var(--ink)"},
            }
        ],
        "layout": {
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "uniformtext": {"minsize": 9, "mode": "hide"},
        },
    }  # fmt: skip
