"""Safe ranks, calibration and novelty on held-out records: crops of ISIIS, barcodes of two groups.

``starter``: its recipe on all its sources, tested on crops that neither training nor calibration saw.
``crops-label`` and ``crops-genus``: the same recipe, 8 epochs, on PlanktonSet 1.0 with a fifth of the written
labels, or of the genera, held out. ``lepidoptera``, ``copepods``: `recipes/barcodes.toml` with species held
out, ``-1`` and ``-2`` in other splits, on which no setting was chosen; ``-genus`` with genera held out. An
error is one at the rank that was answered.

Run: python benchmarks/quality/decisions.py [--only NAME ...] [--keep FOLDER]
A folder kept with --keep goes on where it stopped.
"""

import argparse
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import real_data, write_results

import holotype
from holotype.collection.store import open_collection
from holotype.evaluation.decisions import decisions_exhibit
from holotype.evaluation.exam import Beside, prepare_exam
from holotype.models.bundle import open_bundle
from holotype.splits.plan import read_split


@dataclass(frozen=True)
class Case:
    """One model: what it learns from, how, and how the records are parted."""

    collection: str
    recipe: str
    split: dict[str, Any]
    changes: list[str] = field(default_factory=list)


SPECIES = {"method": "seen-unseen"}
COI = {"require": ["marker=COI-5P"]}
CROPS = {"method": "held-out-taxa", "require": ["image"]}
CASES: dict[str, Case] = {
    "starter": Case("all-crops", "starter", {"fractions": (0.80, 0.08, 0.12)}),
    "crops-label": Case(
        "crops", "starter", {**CROPS, "rank": "written_label"}, ["schedule.epochs=8"]
    ),
    "crops-genus": Case("crops", "starter", {**CROPS, "rank": "genus"}, ["schedule.epochs=8"]),
    "lepidoptera": Case(
        "lepidoptera", "barcodes", {"method": "seen-unseen", "require": ["barcode"]}
    ),
    "lepidoptera-genus": Case(
        "lepidoptera",
        "barcodes",
        {"method": "held-out-taxa", "rank": "genus", "require": ["barcode"]},
    ),
    "copepods": Case("copepods", "barcodes", {"method": "seen-unseen", **COI}),
    "lepidoptera-1": Case(
        "lepidoptera", "barcodes", {**SPECIES, "require": ["barcode"], "seed": 1}
    ),
    "lepidoptera-2": Case(
        "lepidoptera", "barcodes", {**SPECIES, "require": ["barcode"], "seed": 2}
    ),
    "copepods-1": Case("copepods", "barcodes", {**SPECIES, **COI, "seed": 1}),
    "copepods-2": Case("copepods", "barcodes", {**SPECIES, **COI, "seed": 2}),
    "copepods-genus": Case(
        "copepods", "barcodes", {"method": "held-out-taxa", "rank": "genus", **COI}
    ),
}


def main() -> None:
    """Trains what is not there yet, examines every model, and writes the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--keep", type=Path, help="folder for collections, splits and runs")
    asked = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = asked.keep or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        for name in asked.only:
            found[name] = examined(name, CASES[name], scratch)
    write_results("decisions", found, page(found))


def examined(name: str, case: Case, scratch: Path) -> dict[str, Any]:
    """Returns the figures of one model."""
    place = scratch / case.collection
    if not (place / "collection.json").is_file():
        build(case.collection, place)
    parted, run = scratch / f"{name}.split.parquet", scratch / f"{name}-run"
    if not parted.is_file():
        holotype.split(place, out=parted, **{"seed": 0, **case.split})
    if not (run / "bundle.json").is_file():
        holotype.train(case.recipe, collection=place, split=parted, out=run, overrides=case.changes)
    bundle = open_bundle(run)
    exam = prepare_exam(
        bundle, open_collection(place), read_split(parted), seed=0, beside=Beside.NOTHING
    )
    shown = decisions_exhibit(bundle, exam)
    assert shown is not None
    return next(iter(shown.values()))


def build(name: str, into: Path) -> None:
    """Imports a collection."""
    data = real_data()
    if name in ("crops", "all-crops"):
        if name == "all-crops":
            from starter import build as build_all

            build_all(into)
            return
        holotype.import_(
            "image-folder", [data / "plankton/isiis/planktonset1.zip"], into=into,
            source="planktonset1.0", labels=data / "taxonomy/planktonzilla_taxonomy.csv",
        )  # fmt: skip
    else:
        holotype.import_(
            "table", [data / f"dna/{name}/sequences.tsv"], into=into, preset="barcodes"
        )


def page(found: dict[str, dict[str, Any]]) -> list[str]:
    """Returns the figures as Markdown."""
    lines = [
        "# Safe ranks, where 5 % may be wrong", "",
        (
            "Errors at the rank that was answered, with exact 95 % intervals. Thresholds were set so that, "
            "with 90 % certainty over validation parts, the error of each part is at most what was allowed."
        ), "",
        "| model, part | records | answered | with a label | error | 95 % | remark |",
        "| --- | --: | --: | --: | --: | --- | --- |",
    ]  # fmt: skip
    for name, of in found.items():
        for row in of["errors"]:
            if row["allowed"] == 0.05 and not row["part"].startswith("instrument"):
                span = f"{percent(row['low'])}-{percent(row['high'])}" if row["judged"] else ""
                answered, named = (percent(row[k] / row["records"]) for k in ("answered", "named"))
                lines.append(
                    f"| {name}, {row['part']} | {row['records']:,} | {answered} | {named} | "
                    f"{percent(row['error'])} | {span} | {row['remark'] or ''} |"
                )
    lines += ["", "# How deep the answers go (per cent answered at this rank or deeper)", ""]
    levels = [row["level"] for row in next(iter(found.values()))["levels"]]
    lines += ["| model | " + " | ".join(levels) + " |", "| --- |" + " --: |" * len(levels)]
    for name, of in found.items():
        shares = [percent(row["share_at_least"]) for row in of["levels"]]
        lines.append(f"| {name} | " + " | ".join(shares) + " |")
    lines += ["", "# Expected calibration error, per cent (10 bins)", ""]
    lines += [
        "| model | of the answer | family | genus | species | label |",
        "| --- |" + " --: |" * 5,
    ]
    for name, of in found.items():
        known = {row["of"]: percent(row["error"]) for row in of["calibration"]}
        cells = [known.get(k, "") for k in ("answer", "family", "genus", "species", "label")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "# Novelty: area under the ROC curve, held-out taxa against the others", ""]
    lines += ["| model | held out | method | area | 95 % | novel | of taxa | known |"]
    lines += ["| --- | --- | --- | --: | --- | --: | --: | --: |"]
    for name, of in found.items():
        lines += [
            f"| {name} | {row['held_out']} | {row['method']} | {row['value']:.4f} | "
            f"{spanned(row)} | {row['novel']} | {row['taxa']} | {row['known']} |"
            for row in of["novelty"]
        ]
    return lines


def spanned(row: dict[str, Any]) -> str:
    """Returns the interval of an area, over taxa; empty where all that is novel is one taxon."""
    return "" if row["low"] is None else f"{row['low']:.4f}-{row['high']:.4f}"


def percent(value: float | None) -> str:
    """Returns a share in per cent."""
    return "" if value is None else f"{100 * value:.1f}"


if __name__ == "__main__":
    main()
