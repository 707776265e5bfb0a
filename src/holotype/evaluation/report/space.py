"""What the embedding is worth: retrieval, captions, few examples, the tree, and a map."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from holotype.evaluation.report.scoring import Scores, evidence, pick, values_of
from holotype.evaluation.report.tree_figures import agreement, pairs_of, severity
from holotype.page.layout import (
    Choice,
    Section,
    embedded_json,
    heading,
    panels,
)
from holotype.page.tables import sortable
from holotype.page.words import (
    DASH,
    METRICS,
    PARTS,
    RANKS,
    capital,
    finite,
    metric_name,
    pair_name,
    part_name,
    plain,
    plot_text,
    some,
)

_PAIRS = (
    "image-image",
    "image-barcode",
    "barcode-image",
    "barcode-barcode",
    "image-caption",
    "barcode-caption",
    "image",
    "barcode",
)
COLOURED = 12


def retrieval(content: dict[str, Any]) -> Section | None:
    """Returns how well the nearest key names the query."""
    scores = pick(_scores(content), task="retrieval")
    lead = "Does the nearest key have the query's name? Query first, key second."
    if pick(scores, part="unseen"):
        lead = (
            "Does the nearest key have the query's name, also for species that training never saw? Query "
            "first, key second; the harmonic mean is high only if seen and unseen are both high."
        )
    return _pairs("retrieval", "Retrieval", lead, scores)


def zero_shot(content: dict[str, Any]) -> Section | None:
    """Returns how well captions alone name the query."""
    lead = (
        "Does the nearest caption name the query, with no example to look at? The candidates are the "
        "captions of every taxon of the rank."
    )
    return _pairs(
        "zero-shot", "Zero-shot by captions", lead, pick(_scores(content), task="zero_shot")
    )


def _scores(content: dict[str, Any]) -> Scores:
    return list(content.get("scores") or [])


def _pairs(name: str, title: str, lead: str, scores: Scores) -> Section | None:
    if not scores:
        return None
    choices = [
        Choice("Pair", {p: pair_name(p) for p in values_of(scores, "pair", _PAIRS)}),
        Choice("Metric", {m: metric_name(m) for m in values_of(scores, "metric", METRICS)}),
    ]

    def body(keys: tuple[str, ...], part_id: str) -> str | None:
        return evidence(
            part_id,
            pick(scores, pair=keys[0], metric=keys[1]),
            rows="rank",
            columns="part",
            column_order=PARTS,
            axis="per cent right",
            row_title="rank",
        )

    return Section(name, title, lead, panels(name, choices, body))


def few_shot(content: dict[str, Any]) -> Section | None:
    """Returns how well a handful of examples name the query."""
    scores = pick(_scores(content), task="few_shot")
    if not scores:
        return None
    choices = [
        Choice("Query", {p: p for p in values_of(scores, "pair", _PAIRS)}),
        Choice("Names", {r: r for r in values_of(scores, "rank", RANKS[::-1])}),
    ]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        return evidence(
            name,
            pick(scores, pair=keys[0], rank=keys[1]),
            rows="metric",
            columns="part",
            column_order=PARTS,
            axis="per cent right",
            row_title="examples of each name",
            caption="Per cent, with 95 % intervals over queries and draws of examples; n: queries asked.",
        )

    lead = (
        "How well do a few labelled examples of each name do, without training? Means of five draws of the "
        "examples; the interval holds the draws and the queries."
    )
    return Section("few-shot", "Few-shot", lead, panels("few-shot", choices, body))


def cross_instrument(content: dict[str, Any]) -> Section | None:
    """Returns how well the nearest image of another instrument names the query."""
    lead = (
        "Does the nearest image that another instrument took have the query's name? Images of the query's "
        "own instrument are barred: a space that sorts by camera fails here."
    )
    return _pairs(
        "cross-instrument",
        "Retrieval across instruments",
        lead,
        pick(_scores(content), task="cross_instrument"),
    )


def hierarchy(content: dict[str, Any]) -> Section | None:
    """Returns whether the space follows the tree: neighbours, similarity and mistakes."""
    scores = pick(_scores(content), task="hierarchy")
    exhibit = content.get("hierarchy") or {}
    if not scores and not exhibit:
        return None
    drawn = [
        part
        for kind, make in (("curves", agreement), ("mistakes", severity))
        for at, pair in enumerate(pairs_of({"model": exhibit}, kind))
        if (part := make({"model": exhibit}, f"tree-{at}", pair=pair)) is not None
    ]
    body = f'<div class="facets two">{"".join(drawn)}</div>' if drawn else ""
    body += _tree_numbers([s for s in scores if s["rank"] == _WHOLE_TREE])
    shares = [s for s in scores if s["rank"] != _WHOLE_TREE]
    if shares:
        titles = {m: _asked_of_the_tree(m) for m in values_of(shares, "metric")}

        def evidence_of(keys: tuple[str, ...], name: str) -> str | None:
            return evidence(
                name,
                pick(shares, metric=keys[0]),
                rows="rank",
                columns="pair",
                column_order=_PAIRS,
                axis="per cent that agree",
                row_title="rank",
            )

        body += heading("Agreement at wider ranks")
        body += panels("hierarchy", [Choice("Share of", titles)], evidence_of)
    lead = (
        "Does the space follow the tree? Similarity should fall as the common ancestor widens, mistakes "
        "should stay near, and a neighbour of another taxon should be a relative far more often than by "
        "chance."
    )
    return Section("hierarchy", "The space and the tree", lead, body)


_WHOLE_TREE = "tree"


def _asked_of_the_tree(metric: str) -> str:
    if metric.startswith("neighbour_of_another_"):
        return f"nearest keys of another {metric.removeprefix('neighbour_of_another_')}"
    return metric.replace("_", " ")


def _tree_numbers(scores: Scores) -> str:
    """Returns the figures over the whole tree, which are no shares, as a table."""
    if not scores:
        return ""
    rows = [
        [
            capital(_asked_of_the_tree(s["metric"])),
            pair_name(s["pair"]),
            part_name(s["part"]),
            s["method"],
            _number(s["value"]),
            f"{_number(s['low'])} to {_number(s['high'])}" if s["low"] is not None else DASH,
            s["n"],
        ]
        for s in sorted(scores, key=lambda s: (s["metric"], s["pair"], s["part"]))
    ]
    columns = ["Figure", "Pair", "Part", "Method", "Value", "95 % interval", "n"]
    said = (
        "Spearman's correlation of cosine distance and height of the common ancestor (1: the order of the "
        "tree); severity in ranks between the truth and the common ancestor with the answer."
    )
    return heading("Over the whole tree") + sortable(
        "tree-numbers", columns, rows, says="Figures over the whole tree", words=(1, 2, 3, 5),
        caption=said, noun="figure",
    )  # fmt: skip


def _number(value: Any) -> str:
    number = finite(value)
    return DASH if number is None else f"{number:.3f}"


def embedding_map(content: dict[str, Any]) -> Section | None:
    """Returns the map of the embedding, coloured by what the reader chooses."""
    found = content.get("map") or {}
    if not found.get("x"):
        return None
    names = found.get("names") or {}
    columns = {rank: names[rank] for rank in ("label", *RANKS) if rank in names}
    columns |= {rank: names[rank] for rank in names if rank not in columns}
    if found.get("instrument"):
        columns["instrument"] = found["instrument"]
    if len(set(found.get("status") or [])) > 1:
        columns["seen or unseen"] = found["status"]
    spec = {
        "x": found["x"],
        "y": found["y"],
        "columns": [_coded(column) for column in columns.values()],
        "titles": list(columns),
        "coloured": COLOURED,
    }
    first = list(columns).index("class") if "class" in columns else 0
    options = "".join(
        f'<option value="{at}"{" selected" if at == first else ""}>{plain(title)}</option>'
        for at, title in enumerate(columns)
    )
    body = (
        '<div class="selectors"><label for="map-by">Colour by '
        f'<select id="map-by" autocomplete="off">{options}</select></label></div>'
        '<figure class="figure"><div class="canvas"><div class="plot map" id="plot-map" role="img" '
        'aria-label="Scatter of test records in the plane; neighbours look alike to the model."></div></div>'
        f'<script type="application/json" id="plot-map-spec">{embedded_json(spec)}</script>'
        '<ul class="legend" id="map-legend" aria-label="Names on the map: press one to hide it"></ul>'
        f"<figcaption>t-SNE of {some(len(found['x']), 'test record')}, {plain(found.get('modality'))} "
        f"embeddings, by cosine. The {COLOURED} commonest names have colours, the others are grey. Only "
        "nearness tells: axes and distances between groups have no unit.</figcaption></figure>"
    )
    lead = (
        "Do records of one taxon lie together? Point at a record for its names; press a name below the map "
        "to hide it or show it again."
    )
    return Section("map", "Map of the embedding", lead, body)


def _coded(column: Sequence[str | None]) -> dict[str, Any]:
    """Returns a column as its names, commonest first, and each record's number, -1 for none."""
    counts = Counter(name for name in column if name is not None)
    names = sorted(counts, key=lambda name: (-counts[name], name))
    place = {name: at for at, name in enumerate(names)}
    return {
        "names": [plot_text(name) for name in names],
        "codes": [-1 if name is None else place[name] for name in column],
    }
