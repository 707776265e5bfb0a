"""How names run from what was written to a taxon, and the tree that they make."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from holotype.collection.summary.show_opening import share, taxa_in_words
from holotype.page.figures import Spec, short
from holotype.page.layout import Choice, Section, bars, heading, panels, paragraph, plot
from holotype.page.tables import heat_table
from holotype.page.tree import sunburst
from holotype.page.words import RANKS, count, plot_text, some

ALL_SOURCES = "all sources"
_TINTS = ("t1", "t2", "t3", "t4", "t5", "t6")
_NODE_PX = 30
_NAMES = {
    "name_status": "Last matching of names",
    "name_match": "How names were found",
    "backbone": "Reference taxonomy",
    "label_status": "State of the labels",
}


def names(content: Mapping[str, Any]) -> Section | None:
    """Returns the flow from sources and written labels to taxa, and how the names were matched."""
    flows = content["flows"]
    if not flows:
        return None
    sources = list(dict.fromkeys(flow["source"] or "" for flow in flows))
    ranks = list(dict.fromkeys(flow["rank"] for flow in flows))
    of = {(flow["source"] or "", flow["rank"]): flow for flow in flows}
    choices = (
        Choice("From", {name: name or ALL_SOURCES for name in sources}),
        Choice("to", {rank: rank for rank in ranks}),
    )

    def panel(keys: tuple[str, ...], name: str) -> str | None:
        return _flow(of[keys[0], keys[1]], name) if (keys[0], keys[1]) in of else None

    labels = sum(one["written_labels"] for one in content["sources"])
    written = content["classes"]["with_written_label"]
    title = (
        f"{some(labels, 'written label')} stand for {some(written, 'class', 'classes')}"
        if labels
        else f"{some(content['classes']['total'], 'class', 'classes')}, named by ranks and not by labels"
    )
    lead = (
        "Follow a band from left to right: its height is the number of records. Bands that end in "
        "“no taxon” or “no name” cannot be learnt as organisms. Names beyond the commonest are added up."
    )
    blocks = [
        bars(_NAMES[column], {_said(value): n for value, n in counts.items()})
        for column, counts in content["names"].items()
        if set(counts) - {"not stated"}
    ]
    matching = (
        heading("Names and their reference") + f'<div class="blocks">{"".join(blocks)}</div>'
        if blocks
        else paragraph(
            "Names are as the sources give them: they were not matched with a reference taxonomy "
            "(holotype names match).",
            kind="note",
        )
    )
    unnamed = content["classes"]["unnamed_records"]
    note = paragraph(f"{some(unnamed, 'record')} without any name.", kind="note") if unnamed else ""
    return Section("names", title, lead, panels("flow", choices, panel) + note + matching)


def _said(value: str) -> str:
    return value.replace("_", " ")


def _flow(flow: Mapping[str, Any], name: str) -> str:
    paths = flow["paths"]
    depth = len(flow["levels"])
    tallest = max(len({path[level] for path in paths}) for level in range(depth))
    caption = (
        " → ".join(flow["levels"])
        + f". {some(sum(path[-1] for path in paths), 'record')}; point at a band "
        "for its number."
    )
    biggest = ", ".join(f"{' to '.join(path[:-1])}: {path[-1]}" for path in paths[:5])
    return plot(
        name, _sankey(paths, depth), says=f"Flow of records. The largest: {biggest}.",
        height=max(260, 60 + _NODE_PX * tallest), caption=caption, kind="wide long",
    )  # fmt: skip


def _sankey(paths: Sequence[Sequence[Any]], depth: int) -> Spec:
    """Returns a Sankey diagram of paths: a name for each level, then a count."""
    sizes: dict[tuple[int, str], int] = {}
    links: dict[tuple[tuple[int, str], tuple[int, str]], int] = {}
    for *path, number in paths:
        nodes = list(enumerate(path))
        for node in nodes:
            sizes[node] = sizes.get(node, 0) + number
        for before, after in itertools.pairwise(nodes):
            links[before, after] = links.get((before, after), 0) + number
    ordered = sorted(sizes, key=lambda node: (node[0], -sizes[node], node[1]))
    place = {node: at for at, node in enumerate(ordered)}
    ends = [node for node in ordered if node[0] == depth - 1 and not _is_rest(node[1])]
    tint = {node: f"var(--{_TINTS[at]})" for at, node in enumerate(ends[: len(_TINTS)])}
    return {
        "data": [
            {
                "type": "sankey", "arrangement": "snap", "textfont": {"color": "var(--ink)"},
                "node": {
                    "pad": 13, "thickness": 12, "line": {"width": 0},
                    "label": [plot_text(short(name, 24 if depth > 2 else 36)) for _, name in ordered],
                    "color": [tint.get(node, "var(--grey)") for node in ordered],
                    "customdata": [f"{plot_text(n)}: {count(sizes[at, n])}" for at, n in ordered],
                    "hovertemplate": "%{customdata}<extra></extra>",
                },
                "link": {
                    "source": [place[before] for before, _ in links],
                    "target": [place[after] for _, after in links],
                    "value": list(links.values()),
                    "color": [
                        tint.get(after, "var(--neutral)") if after[0] == depth - 1 else "var(--neutral)"
                        for _, after in links
                    ],
                    "customdata": [
                        f"{plot_text(b[1])} → {plot_text(a[1])}: {count(n)}" for (b, a), n in links.items()
                    ],
                    "hovertemplate": "%{customdata}<extra></extra>",
                },
            }
        ],
        "layout": {"margin": {"l": 4, "r": 4, "t": 12, "b": 16}, "font": {"size": 12}},
    }  # fmt: skip


def _is_rest(name: str) -> bool:
    return name.startswith(("no ", "no taxon")) or name.endswith(" other taxa")


def tree(content: Mapping[str, Any]) -> Section | None:
    """Returns the tree of the lineages, and how far down the records are named."""
    found, ranks = content["lineages"], content["ranks"]
    living = sum(ranks["living"].values())
    if not living:
        return None
    total = sum(number for _, number in found["rows"])
    to_species = sum(ranks["named"]["species"].values())
    title = f"{share(to_species, living)} of the living records are named to species"
    lead = (
        "Each ring is a rank, kingdom innermost; the angle is the share of records. Click a taxon to look "
        "inside, the centre to come back. A taxon that ends early is named no further."
    )
    down = "" if found["down_to"] == "species" else f" Shown down to {found['down_to']}."
    figure = plot(
        "tree", sunburst(found["rows"]),
        says=f"Sunburst of {count(total)} records: {taxa_in_words(ranks['names'], RANKS)}.",
        height=640, caption=f"{taxa_in_words(ranks['names'], RANKS)}. Colours: the six largest phyla.{down}",
        kind="square",
    )  # fmt: skip
    sources = sorted(ranks["living"], key=lambda name: (-ranks["living"][name], name))[:12]
    rows = [
        (
            rank,
            f"{count(ranks['names'][rank])}",
            [
                sum(ranks["named"][rank].values()) / living,
                *(ranks["named"][rank].get(s, 0) / ranks["living"][s] for s in sources),
            ],
        )
        for rank in RANKS
    ]
    columns = [ALL_SOURCES, *sources]
    if len(sources) == 1:
        columns, rows = [ALL_SOURCES], [(a, b, cells[:1]) for a, b, cells in rows]
    completeness = heat_table(
        columns, rows, says="Share of living records that are named at each rank", corner="Rank",
        beside="Names", share=True,
        caption="Of the records of something living: the share that has a name at the rank, per cent.",
    )  # fmt: skip
    return Section(
        "tree", title, lead, figure + heading("How far down records are named") + completeness
    )
