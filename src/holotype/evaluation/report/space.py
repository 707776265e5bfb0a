"""What the embedding is worth: retrieval, captions, few examples, the tree, and a map."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from holotype.evaluation.report.scoring import Scores, evidence, pick, values_of
from holotype.page.layout import (
    Choice,
    Section,
    embedded_json,
    panels,
)
from holotype.page.words import (
    METRICS,
    PARTS,
    RANKS,
    metric_name,
    pair_name,
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
            caption="Per cent, with the lowest and highest of five draws; n: queries asked.",
        )

    lead = (
        "How well do one or five labelled examples of each name do, without training? The interval is the "
        "lowest and the highest of five draws of the examples."
    )
    return Section("few-shot", "Few-shot", lead, panels("few-shot", choices, body))


def hierarchy(content: dict[str, Any]) -> Section | None:
    """Returns whether neighbours of another taxon are its relatives."""
    scores = pick(_scores(content), task="hierarchy")
    if not scores:
        return None
    metrics = values_of(scores, "metric")
    barred = " or ".join(m.removeprefix("neighbour_of_another_") for m in metrics)
    lead = (
        f"Does the space follow the tree? The query may not find its own {barred}; the share of nearest keys "
        "that still agree at wider ranks should lie far beyond chance."
    )
    choices = [Choice("Barred", {m: m.removeprefix("neighbour_of_another_") for m in metrics})]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        return evidence(
            name,
            pick(scores, metric=keys[0]),
            rows="rank",
            columns="pair",
            column_order=_PAIRS,
            axis="per cent of neighbours that agree",
            row_title="rank",
        )

    return Section("hierarchy", "Neighbours and the tree", lead, panels("hierarchy", choices, body))


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
