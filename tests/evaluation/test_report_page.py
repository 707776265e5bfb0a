"""The report page: what it shows, what it leaves out, and that nothing in it comes alive."""

import copy
import itertools
import json
import re
from typing import Any

import pytest

from holotype.evaluation.report import figures
from holotype.evaluation.report.collected import sunburst
from holotype.evaluation.report.page import page
from holotype.page.layout import embedded_json
from holotype.page.words import DASH, RANKS, interval, measured, wilson
from page_reader import Reader

HOSTILE = (
    '</script><script>alert(1)</script>"><img src=x onerror=alert(2)><a href=https://evil.example>'
)
PIXEL = "data:image/png;base64,iVBORw0KGgo="
LINEAGES = [
    [
        [
            "Animalia",
            "Arthropoda",
            "Copepoda",
            "Calanoida",
            "Acartiidae",
            "Acartia",
            "Acartia tonsa",
        ],
        6,
    ],
    [["Animalia", "Arthropoda", "Copepoda", None, None, None, None], 3],
    [["Animalia", None, None, None, "Incertidae", None, None], 2],
    [[None] * 7, 4],
]
ALL = [
    "question", "headline", "collection", "learning", "classification", "confusion",
    "caption-classification", "retrieval", "cross-instrument", "zero-shot", "few-shot", "hierarchy", "map",
    "examples", "method",
]  # fmt: skip


def score(task: str, metric: str, value: float | None = 0.5, **other: Any) -> dict[str, Any]:
    row = {
        "task": task, "method": "model", "pair": "image", "rank": "species", "part": "all",
        "metric": metric, "value": value, "low": 0.4, "high": 0.6, "n": 17, "left_out": 0,
    }  # fmt: skip
    return row | other


def make_content() -> dict[str, Any]:
    metrics = ("top1_micro", "top1_macro", "top5_micro", "top5_macro")
    scores = [
        score("classification", metric, rank=rank, method=method)
        for metric in metrics
        for rank in ("label", "species", "genus")
        for method in ("model", "nearest image by pixels", "commonest name")
    ]
    scores.append(score("classification", "macro_f1", 0.25, rank="label", low=None, high=None))
    scores.append(score("classification", "calibration_error", 0.1, rank="label"))
    scores.append(score("caption_classification", "top1_micro", 0.3, rank="label"))
    scores.append(score("cross_instrument", "top1_micro", 0.2, pair="image-image", rank="genus"))
    scores += [
        score("hierarchy", metric, value, pair="image-image", rank="tree", low=0.1, high=2.5)
        for metric, value in (("tree_distance_spearman", 0.31), ("mistake_severity", 2.25))
    ]
    scores += [
        score(task, metric, pair=pair, part=part, method=method, left_out=3)
        for task, pairs in (
            ("retrieval", ("image-image", "image-barcode")),
            ("zero_shot", ("image-caption",)),
        )
        for pair in pairs
        for metric in metrics
        for part in ("all", "seen", "unseen", "harmonic")
        for method in ("model", "commonest name")
    ]
    scores += [
        score("few_shot", shots, part=p) for shots in ("1_shot", "5_shot") for p in ("all", "seen")
    ]
    scores.append(score("hierarchy", "neighbour_of_another_species", rank="genus"))
    scores.append(
        score(
            "hierarchy",
            "neighbour_of_another_species",
            0.1,
            rank="genus",
            method="chance",
            low=None,
        )
    )
    return {
        "format": "holotype-report", "version": 1, "holotype": "0.1.0",
        "model": {
            "name": "small", "about": "A model for a test.", "fingerprint": "f00d",
            "modalities": ["image", "barcode"], "target": "tree", "labels": 2, "records": 1200,
            "parameters": 3830217, "calibration": {"image": 0.9},
            "history": [
                {"epoch": 1, "loss": 2.0, "loss_labels": 1.0, "loss_image-caption": 1.0,
                 "val_top1_image": 0.2, "score": 0.2},
                {"epoch": 2, "loss": 1.0, "loss_labels": 0.5, "loss_image-caption": 0.5,
                 "val_top1_image": None, "score": 0.3},
            ],
        },
        "split": {
            "method": "seen-unseen", "seed": 0, "fractions": [0.7, 0.1, 0.2], "held_out": None,
            "audit": {
                "clean": False, "crossing": {"specimen_id": 2, "haplotype": 0},
                "unseen_in_train": ["Acartia tonsa"], "seen_not_in_train": 0, "without_key": None,
                "unused": {"the species has one record": 5},
                "counts": {"train seen": 10, "test seen": 3, "test unseen": 2},
            },
        },
        "hierarchy": {
            "ancestors": ["species", "genus", "none"],
            "curves": [
                {"pair": "image-image", "method": method, "pairs": [8, 0, 4], "mean": [top, None, 0.1],
                 **{f"q{q}": [top, None, 0.1] for q in (10, 25, 50, 75, 90)}}
                for method, top in (("model", 0.9), ("pixels", 0.4))
            ],
            "mistakes": [
                {"pair": "image-image", "method": "model", "judged": 10, "wrong": 4, "severity": 1.5,
                 "counts": [0, 3, 1]},
                {"pair": "image", "method": "model", "judged": 10, "wrong": 0, "severity": None,
                 "counts": [0, 0, 0]},
            ],
        },
        "composition": {
            "name": "c", "fingerprint": "beef", "records": 15, "images": 15, "barcodes": 9,
            "taxa": {"kingdom": 1, "species": 1},
            "columns": {"instrument": {"UVP6": 9, "IFCB": 6}, "marker": {}},
            "lineages": LINEAGES, "outcomes": {"imported": 15}, "findings": {"identical_images": 1},
        },
        "headline": {"image label top1_micro": 0.5, "image-image species unseen": 0.5},
        "scores": scores,
        "confusion": {"modality": "image", "labels": ["Acartia", "fibre"], "cells": [[0, 0, 3], [0, 1, 1]]},
        "per_class": [
            {"label": "Acartia", "lineage": "Animalia", "kind": "living", "train": 9, "test": 4,
             "recall": 0.75, "precision": 1.0},
            {"label": "fibre", "lineage": "", "kind": "detritus", "train": 3, "test": 0,
             "recall": None, "precision": 0.0},
        ],
        "map": {
            "modality": "image", "x": [0.0, 1.0, 2.0], "y": [1.0, float("nan"), 0.0],
            "names": {"label": ["Acartia", "Acartia", "fibre"], "class": ["Copepoda", "Copepoda", None]},
            "status": ["seen", "unseen", "seen"], "instrument": ["UVP6", None, "IFCB"],
        },
        "examples": [
            {"record_id": "a/1", "truth": "Acartia", "status": "seen", "called": called, "score": None,
             "thumbnail": PIXEL, "references": [{"label": "Acartia", "cosine": 0.9, "thumbnail": PIXEL}]}
            for called in ("Acartia", "fibre", None)
        ],
        "question": {
            "title": "Does DNA help?", "answer": "It does.", "notes": ["One seed."],
            "rows": [
                {"name": "with DNA", "value": 0.4, "low": 0.3, "high": 0.5, "n": 20},
                {"name": "without DNA", "value": None, "low": None, "high": None, "n": None},
            ],
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def full() -> Reader:
    return Reader(page(make_content()))


def test_every_section_stands_in_its_order_with_the_question_first(full: Reader) -> None:
    assert full.sections == ALL


@pytest.mark.parametrize(
    ("absent", "gone"),
    [
        ("question", {"question"}),
        ("headline", {"headline"}),
        ("confusion", set()),
        ("map", {"map"}),
        ("examples", {"examples"}),
        (
            "scores",
            {
                "classification",
                "caption-classification",
                "retrieval",
                "cross-instrument",
                "zero-shot",
                "few-shot",
            },
        ),
        ("hierarchy", set()),
    ],
)
def test_what_has_no_evidence_is_left_out(absent: str, gone: set[str]) -> None:
    content = make_content()
    content[absent] = None
    found = Reader(page(content))
    assert found.sections == [name for name in ALL if name not in gone]
    links = {attrs["href"] for tag, attrs in found.elements if tag == "a"}
    assert links == {"#content", *(f"#{name}" for name in found.sections)}


def test_nothing_at_all_is_still_a_page() -> None:
    assert Reader(page({})).sections == ["method"]


def test_ids_are_unique_and_labels_and_links_find_them(full: Reader) -> None:
    assert len(full.ids) == len(set(full.ids))
    for _, attrs in full.elements:
        for name in ("for", "aria-labelledby"):
            assert attrs.get(name) is None or attrs[name] in full.ids


def test_headings_go_down_one_step_at_a_time(full: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in full.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_nothing_is_loaded_from_outside(full: Reader) -> None:
    for tag, attrs in full.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "action", "srcset", "data"):
            value = attrs.get(name)
            assert value is None or value.startswith(("#", "data:image/"))
    policy = next(a for t, a in full.elements if t == "meta" and "http-equiv" in a)
    assert str(policy["content"]).startswith("default-src 'none'")


def test_the_same_content_gives_the_same_bytes() -> None:
    assert page(make_content()) == page(copy.deepcopy(make_content()))


def test_the_page_stays_under_six_megabytes() -> None:
    assert len(page(make_content()).encode()) < 6e6


def test_missing_figures_are_dashes(full: Reader) -> None:
    for wrong in ("None", "nan", "NaN", "null"):
        assert not re.search(rf"\b{wrong}\b", full.text)
    assert f"without DNA {DASH} {DASH}" in full.text
    assert full.json["plot-map-spec"]["y"] == [1.0, None, 0.0]


def test_figures_stand_with_interval_n_and_what_was_left_out(full: Reader) -> None:
    assert f"with DNA 40.0 30.0{DASH}50.0 20" in full.text
    assert "n 17 3 left out" in full.text
    assert "no interval" in full.text


def replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {replaced(k, old, new): replaced(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(one, old, new) for one in value]
    return new if value == old else value


@pytest.mark.parametrize(
    "old",
    ["Acartia", "Copepoda", "UVP6", "small", "living", "commonest name", "imported", "a/1", "image",
     "seen", "unseen", "image-image", "top1_micro", "with DNA", "It does.", "One seed.", PIXEL, "tree"],
)  # fmt: skip
def test_hostile_text_is_inert_wherever_it_stands(old: str, full: Reader) -> None:
    content = replaced(make_content(), old, HOSTILE)
    assert content != make_content()
    found = Reader(page(content))
    assert not [a for _, a in found.elements if "onerror" in a or a.get("src") == "x"]
    scripts = [a.get("type") for t, a in found.elements if t == "script"]
    assert scripts.count(None) == 3
    assert all(str(a["href"]).startswith("#") for t, a in found.elements if t == "a")
    assert len(found.ids) == len(set(found.ids))


def test_names_in_figures_cannot_become_markup() -> None:
    found = Reader(page(replaced(make_content(), "Acartia", "<b>%{x}</b><a href='https://x'>")))
    texts = json.dumps(found.json)
    assert "<a" not in texts
    assert "&lt;b&gt;%{x}" in texts


def test_a_thumbnail_that_is_no_image_in_the_page_is_not_loaded() -> None:
    found = Reader(page(replaced(make_content(), PIXEL, "https://example.org/x.png")))
    assert not [tag for tag, _ in found.elements if tag == "img"]


def test_right_and_wrong_are_words(full: Reader) -> None:
    for verdict in ("✓ right", "✗ wrong", f"{DASH} not called", "✗ Not clean"):
        assert verdict in full.text


def test_many_labels_get_a_table_of_confusions_and_a_smaller_map() -> None:
    content = make_content()
    labels = [f"taxon {at:02}" for at in range(60)]
    cells = [[at, at, 5] for at in range(60)] + [
        [at, (at + 1) % 60, 1 + (at == 7)] for at in range(60)
    ]
    content["confusion"] = {"modality": "image", "labels": labels, "cells": cells}
    found = Reader(page(content))
    assert "The 25 most frequent confusions of 60" in found.text
    assert "taxon 07 taxon 08 2 7 28.6" in found.text
    assert len(found.json["plot-confusion-spec"]["data"][0]["z"]) == 30


def test_confusion_rows_are_shares_of_their_own_records() -> None:
    heat = figures.heat(["a", "b"], ["a", "b"], [[3, 1], [0, 0]])["data"][0]
    assert heat["z"] == [[75.0, 25.0], [None, None]]


def test_the_tree_adds_up_and_skips_missing_ranks() -> None:
    tree = sunburst(LINEAGES)["data"][0]
    value = dict(zip(tree["ids"], tree["values"], strict=True))
    label = dict(zip(tree["ids"], tree["labels"], strict=True))
    parent = dict(zip(tree["ids"], tree["parents"], strict=True))
    root = next(node for node, above in parent.items() if above == "")
    by_name = {label[node]: node for node in value if node != root}
    assert value[root] == 15
    assert (value[by_name["Animalia"]], value[by_name["Copepoda"]], value[by_name["no taxon"]]) == (
        11,
        9,
        4,
    )
    assert label[parent[by_name["Incertidae"]]] == "Animalia"
    for node, records in value.items():
        assert sum(value[child] for child, above in parent.items() if above == node) <= records


def test_dots_have_their_interval_around_them() -> None:
    spec = figures.dots(
        ["genus"],
        [figures.Series("model", [figures.Dot(0.5, 0.4, 0.7, 9)])],
        axis="per cent",
        mark_of=figures.marks(["model"]),
    )
    trace = spec["data"][0]
    assert trace["x"] == [50.0]
    assert (trace["error_x"]["arrayminus"], trace["error_x"]["array"]) == ([10.0], [20.0])


def test_every_method_has_a_mark_of_its_own() -> None:
    methods = ["model", "nearest image by pixels", "nearest barcode by identity", "commonest name"]
    marks = figures.marks(methods)
    assert len(set(marks.values())) == len(methods)
    assert marks["model"] == figures.MODEL_MARK


def test_the_tree_is_drawn_by_common_ancestor(full: Reader) -> None:
    curves = full.json["plot-tree-0-agreement-spec"]
    names = [trace["name"] for trace in curves["data"]]
    assert names == ["model", "pixels"]
    assert curves["data"][0]["y"] == [0.9, 0.1]  # no pair meets in a genus: no point
    assert curves["layout"]["xaxis"]["ticktext"] == ["same species", "same genus", "nothing shared"]
    bars = full.json["plot-tree-0-mistakes-spec"]["data"]
    assert {bar["name"]: bar["x"] for bar in bars} == {
        "same genus": [75.0],
        "nothing shared": [25.0],
    }
    assert "model (4 of 10)" in bars[0]["y"]
    assert "plot-tree-1-mistakes-spec" not in full.json  # nothing was wrong
    assert "Mistake severity image → image all records model 2.250 0.100 to 2.500 17" in full.text


def test_embedded_json_holds_no_markup_and_no_nan() -> None:
    text = embedded_json({"<a>": [float("nan"), "</script>&", float("inf")]})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"<a>": [None, "</script>&", None]}


def test_written_figures() -> None:
    assert interval(0.1, 0.25) == f"10.0{DASH}25.0"
    assert interval(-0.1, 0.25) == "-10.0 to 25.0"
    assert measured(None, 0.1, 0.2) == measured(float("nan"), None, None) == DASH
    assert measured(0.5, None, None) == f"<b>50.0</b> <small>{DASH}</small>"


def test_wilson_against_a_published_example() -> None:
    # Newcombe 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E), table I.
    low, high = wilson(81, 263)
    assert low == pytest.approx(0.2553, abs=5e-5)
    assert high == pytest.approx(0.3662, abs=5e-5)
    assert wilson(0, 0) == (None, None)


def test_ranks_stand_from_wide_to_narrow() -> None:
    content = make_content()
    content["scores"] = [score("classification", "top1_micro", rank=rank) for rank in RANKS[::-1]]
    spec = Reader(page(content)).json["plot-classification-0-0-0-spec"]
    assert spec["layout"]["yaxis"]["ticktext"] == list(RANKS)
