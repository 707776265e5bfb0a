"""The starter bundle: trained on real crops, shrunk to int8, examined source by source, and written to ship.

PlanktonSet 1.0 (ISIIS), and small labelled sets of ZooLake (Scripps Plankton Camera), a FlowCam and an IFCB.
The figures are those of the bundle that ships, on a test part of 12 % that no training or calibration saw.

Run: python benchmarks/quality/starter.py [--epochs N] [--out src/holotype/starter] [--keep FOLDER]
A folder kept with --keep goes on where it stopped.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine_line, real_data, write_results
from numpy.typing import NDArray

import holotype
from holotype import files
from holotype.adapting.shrinking import compare
from holotype.collection.licensing import licence_counts, what_may_be_done
from holotype.collection.sources.presets import PRESETS
from holotype.collection.store import Collection, open_collection
from holotype.decisions.calibrating import calibrate_on
from holotype.decisions.course import course_of
from holotype.decisions.reading import label_probabilities
from holotype.evaluation.metrics import Estimate, macro_accuracy, micro_accuracy, numbered_names
from holotype.identify.inputs import Specimen
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import WEIGHTS, Bundle, open_bundle, write_bundle
from holotype.models.quantised import WeightKind
from holotype.splits.plan import Role, Split, read_split
from holotype.taxonomy.lineage import LINNAEAN_RANKS
from holotype.taxonomy.tree import linnaean_columns
from holotype.training.provenance import uses_lines, write_provenance
from holotype.training.recipe import read_recipe

SHIPPED = Path(__file__).parents[2] / "src" / "holotype" / "starter"
MOST_BYTES = 10_000_000
RANKS = [rank.value for rank in LINNAEAN_RANKS]
TABLES: dict[str, dict[str, str]] = {
    "zoolake": {
        "licence": "CC0-1.0",
        "citation": "Kyathanahally et al. 2021, doi:10.3389/fmicb.2021.746297; data doi:10.25678/0004DY",
    },
    "flowcam": {"citation": "Decrop et al. 2025, LifeWatch/VLIZ FlowCam demonstration images"},
    "ifcb": {
        "licence": "CC-BY-4.0",
        "citation": "SMHI IFCB Plankton Image Reference Library, doi:10.17044/scilifelab.25883455",
    },
}
"""What is known of the small sets beside their tables: the licence of the images, never that of code."""


def main() -> None:
    """Trains, shrinks, examines and writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, help="other than the recipe's")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--keep", type=Path, help="folder for collection, split and run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = asked.keep or Path(folder)
        place, parted, run = scratch / "collection", scratch / "split.parquet", scratch / "run"
        if not place.is_dir():
            build(place)
        if not parted.is_file():
            holotype.split(place, out=parted, fractions=(0.80, 0.08, 0.12), seed=0)
        changes = [f"schedule.epochs={asked.epochs}"] if asked.epochs else []
        if not (run / "bundle.json").is_file():
            holotype.train("starter", collection=place, split=parted, out=run, overrides=changes)
        content, lines = shipped(run, open_collection(place), read_split(parted), asked.out)
    write_results("starter", content, lines)


def build(into: Path) -> None:
    """Imports the four sources into one collection."""
    data = real_data() / "plankton"
    holotype.import_(
        "image-folder",
        [data / "isiis/planktonset1.zip"],
        into=into,
        source="planktonset1.0",
        labels=real_data() / "taxonomy/planktonzilla_taxonomy.csv",
    )
    columns = {k: v for k, v in PRESETS["crops"].columns.items() if k != "licence"}
    for name, constants in TABLES.items():
        holotype.import_(
            "table",
            [data / name / "labels.csv"],
            into=into,
            source=f"crops-{name}",
            columns=columns,
            constants=constants,
        )


def shipped(
    run: Path, collection: Collection, split: Split, out: Path
) -> tuple[dict[str, Any], list[str]]:
    """Writes the bundle to ship; returns its figures and their page."""
    trained = open_bundle(run)
    files.remove_folder(out)
    out.mkdir(parents=True)
    table = collection.columns(["licence"]).take(split.rows(Role.TRAIN))
    licences = licence_counts(table)
    training = {
        **trained.manifest["training"],
        "recipe": {
            **trained.manifest["training"]["recipe"],
            "about": read_recipe("starter").about,
        },
        "licences": licences,
        "may": what_may_be_done(licences),
    }
    model, small = trained.model, out / "README.md"
    write_provenance(out, collection, split, name="the starter")
    shutil.copyfile(run / "recipe.toml", out / "recipe.toml")
    write_bundle(
        out, model.settings, model.state_dict(), trained.labels, trained.temperature, training,
        "", kind=WeightKind.INT8,
    )  # fmt: skip
    bundle = open_bundle(out)
    calibrate_on(bundle, course_of(bundle, collection, split), seed=0)
    rows = split.rows(Role.TEST)
    agreement = asdict(compare(trained, bundle, iter(loose(collection, rows))))
    figures = examine(bundle, collection, split, rows)
    content = {
        "epochs": len(training["history"]),
        "labels": len(bundle.labels),
        "weights_bytes": (out / WEIGHTS).stat().st_size,
        "int8_and_float32": agreement,
        "figures": figures,
    }
    lines = page(content)
    files.write_text(small, card(bundle, lines))
    content["bundle_bytes"] = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if content["bundle_bytes"] > MOST_BYTES:
        raise SystemExit(f"{content['bundle_bytes']:,} bytes are too many to ship")
    return content, lines


def loose(collection: Collection, rows: NDArray[np.int64]) -> list[Specimen]:
    """Returns records of a collection as a user's images."""
    wanted = set(rows.tolist())
    return [
        Specimen(name, read_image=lambda content=content: content)
        for row, (name, content) in enumerate(collection.images())
        if row in wanted and content is not None
    ]


def examine(
    bundle: Bundle, collection: Collection, split: Split, rows: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Returns accuracy by source and rank, each with a 95 % interval over groups."""
    materials = prepare_collection(collection, pixels=bundle.pixels, rows=rows)
    table = collection.columns(["source", "written_label", *RANKS]).take(rows).to_pydict()
    row_B, probability_BL = label_probabilities(bundle, materials)
    assert len(row_B) == len(rows)
    best_B = probability_BL.argmax(axis=1)
    own = bundle.labels.names_of(table["written_label"], materials.concept_N)
    truth_B = bundle.labels.index_of(own)
    source_B, group_B = np.asarray(table["source"]), split.group_N[rows]
    agrees_B = (truth_B >= 0) & bundle.labels.agrees_LL[np.maximum(truth_B, 0), best_B]
    answers = [
        linnaean_columns(bundle.labels.labels[best].concept.lineage) for best in best_B.tolist()
    ]
    found = []
    for source in ["all", *sorted(set(table["source"]))]:
        of_source = (source_B == source) | (source == "all")
        asked: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_], Sequence[str | None]]] = {
            "label": (agrees_B, np.ones(len(rows), dtype=np.bool_), own)
        }
        for rank in RANKS:
            named = np.asarray([name is not None for name in table[rank]])
            hit = np.asarray([a[rank] == t for a, t in zip(answers, table[rank], strict=True)])
            asked[rank] = (hit & named, named, table[rank])
        for what, (hit_B, used_B, names) in asked.items():
            use = of_source & used_B
            if use.sum() < 10:
                continue
            micro = micro_accuracy(hit_B[use], group_B[use], seed=0)
            number, _ = numbered_names([names[row] for row in np.flatnonzero(use).tolist()])
            macro = macro_accuracy(hit_B[use], number, group_B[use], seed=0)
            found.append(
                {"source": source, "what": what, "of": int(of_source.sum()), "n": micro.n,
                 "micro": plain(micro), "macro": plain(macro)}
            )  # fmt: skip
    return found


def plain(found: Estimate) -> dict[str, float]:
    """Returns an estimate as JSON has it."""
    return {"value": found.value, "low": found.low, "high": found.high}


def page(content: dict[str, Any]) -> list[str]:
    """Returns the figures as Markdown."""
    agreement = content["int8_and_float32"]
    lines = [
        "# The starter bundle",
        "",
        (
            f"{content['labels']} labels, {content['epochs']} epochs, {content['weights_bytes']:,} bytes "
            "of int8 weights. Test part: 12 % of the records of each class, parted by image; no "
            "training and no calibration saw it. 95 % intervals by bootstrap over groups."
        ),
        "",
        "| source | asked for | images | right | interval | mean over classes | interval |",
        "| --- | --- | --: | --: | --- | --: | --- |",
    ]
    for one in content["figures"]:
        micro, macro = one["micro"], one["macro"]
        lines.append(
            f"| {one['source']} | {one['what']} | {one['n']:,} of {one['of']:,} | {micro['value']:.3f} | "
            f"{micro['low']:.3f} to {micro['high']:.3f} | {macro['value']:.3f} | "
            f"{macro['low']:.3f} to {macro['high']:.3f} |"
        )
    return [
        *lines,
        "",
        (
            "`label`: the best label is the record's, or below it in the tree. A rank is asked of those "
            "that have a name at it. What fewer than 10 test images ask has no row (IFCB as a whole)."
        ),
        "",
        (
            f"int8 against float32 on {agreement['specimens']:,} test images: the same best label for "
            f"{agreement['same_label']:.4f}, cosine of embeddings {agreement['mean_cosine']:.5f} on "
            f"average and {agreement['least_cosine']:.5f} at least."
        ),
    ]


def card(bundle: Bundle, lines: list[str]) -> str:
    """Returns the model card of the starter: ``starter_card.md`` with the figures in their places."""
    training = bundle.manifest["training"]
    counted = {
        name: ", ".join(f"{one} ({count:,})" for one, count in training[name].items())
        for name in ("sources", "instruments", "licences")
    }
    return (
        (Path(__file__).parent / "starter_card.md")
        .read_text(encoding="utf-8")
        .format(
            records=training["records"],
            validation_records=training["validation_records"],
            may="\n".join(uses_lines(training["may"])),
            figures="\n".join(lines[2:]),
            machine=machine_line(),
            **counted,
        )
    )


if __name__ == "__main__":
    main()
