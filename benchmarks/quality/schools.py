"""Three schools and a fourth on one backbone: on a simulated collection, and on real crops and barcodes.

Simulated: the collection of ``holotype demo``, species seen and unseen. Real: PlanktonSet 1.0 (Cowen et al.
2015, doi:10.7289/V5D21VJD) with a fifth of its labels held out as unseen, beside COI of Arctic copepods and
of Lepidoptera with species seen and unseen; no specimen there has both an image and a barcode.

In both, queries of the validation part are put to the test part: these recipes keep the last weights, so
nothing is chosen by them. A few of the training records stay for the temperature of calibration.

``targets`` and ``targets-real`` ask of the same two collections whether targets by taxon beat identity.

Run: python benchmarks/quality/schools.py [--only NAME] [--jobs 2] [--out schools]
"""

import argparse
import dataclasses
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from machine import real_data, write_results
from numpy.typing import NDArray

import holotype
from holotype.collection.store import Collection, open_collection
from holotype.demonstration import SIMULATION
from holotype.randomness import generator
from holotype.splits.groups import group_records
from holotype.splits.methods import seen_unseen
from holotype.splits.plan import Role, Split, Status, read_split, write_split
from holotype.splits.roles import Roles

CROPS_A_LABEL = 50
"""PlanktonSet has up to 1,187 crops a label: the others are left out, to train in minutes."""
CALIBRATION_SHARE = 0.03
COMPARISONS = {
    "simulated": ("schools", "simulated"),
    "real": ("schools-real", "real"),
    "targets": ("targets", "simulated"),
    "targets-real": ("targets-real", "real"),
}
"""Comparison and collection by name."""


def main() -> None:
    """Makes both collections and their splits, compares the schools on each, and keeps the pages."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=list(COMPARISONS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", help="other than the comparison's")
    parser.add_argument("--out", type=Path, default=Path("schools"))
    asked = parser.parse_args()
    makers = {"simulated": simulated, "real": real}
    for name in [asked.only] if asked.only else COMPARISONS:
        comparison, kind = COMPARISONS[name]
        started = time.monotonic()
        place, parted = makers[kind](asked.out / kind)
        holotype.compare(
            [comparison], collection=place, splits=[parted], seeds=asked.seeds or (),
            out=asked.out / f"{name}-report", jobs=asked.jobs,
        )  # fmt: skip
        content = json.loads((asked.out / f"{name}-report" / "report.json").read_text())
        minutes = (time.monotonic() - started) / 60
        write_results(f"schools-{name}", kept(content), page(content, minutes))


def kept(content: dict[str, Any]) -> dict[str, Any]:
    """Returns what is worth keeping of a report: claims, headlines, what each school wins, and costs."""
    runs = [{k: v for k, v in run.items() if k != "history"} for run in content["runs"]]
    parts = ("name", "about", "seeds", "arms", "claims", "wins")
    return {name: content[name] for name in parts} | {"headlines": headlines(content), "runs": runs}


def headlines(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the figures that people ask for first, by arm."""
    words = ("task", "pair", "rank", "part", "metric")
    asked = {tuple(one[word] for word in words): one for one in content["headlines"]}
    return [
        {
            "title": asked[key]["title"],
            "share": asked[key]["share"],
            **{k: v for k, v in figure.items() if k != "by_seed"},
        }
        for figure in content["figures"]
        if (key := tuple(figure[word] for word in words)) in asked
    ]


def page(content: dict[str, Any], minutes: float) -> list[str]:
    """Returns claims and headlines as Markdown."""
    arms = [arm["name"] for arm in content["arms"]]
    told = f"{len(content['runs'])} runs in {minutes:.0f} minutes (finished ones are used again)"
    lines = [f"# {content['name']}: claims", "", f"{told}, seeds {content['seeds']}.", ""]
    lines += ["Intervals of 95 % hold the sampling of queries and the seeds of training.", ""]
    lines += [f"- **{one['says']}** {one['answer']}" for one in content["claims"]]
    lines += ["", "# Figures, in per cent where they are shares", ""]
    lines += ["| task | " + " | ".join(arms) + " |", "| --- |" + " --- |" * len(arms)]
    found = headlines(content)
    for title in dict.fromkeys(one["title"] for one in found):
        cells = {one["arm"]: one for one in found if one["title"] == title}
        shown = [_shown(cells[arm]) if arm in cells else "" for arm in arms]
        lines.append(f"| {title} | " + " | ".join(shown) + " |")
    seconds = {arm: [r["cpu_seconds"] for r in content["runs"] if r["arm"] == arm] for arm in arms}
    costs = [
        f"{np.mean([s for s in seconds[arm] if s is not None] or [np.nan]):.0f} s" for arm in arms
    ]
    lines.append("| CPU time of training | " + " | ".join(costs) + " |")
    return lines


def _shown(figure: dict[str, Any]) -> str:
    scale = 100 if figure["share"] else 1
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    span = "" if low is None else f" ({scale * low:.1f} to {scale * high:.1f})"
    return f"{scale * value:.1f}{span}"


def simulated(folder: Path) -> tuple[Path, Path]:
    """Returns the simulated collection and its split."""
    place, parted = folder / "collection", folder / "split.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "simulation.toml").write_text(SIMULATION)
    if not (place / "collection.json").is_file():
        holotype.import_("simulated", [folder / "simulation.toml"], into=place, source="simulated")
    holotype.split(place, out=parted, method="seen-unseen", require=["image"])
    write_split(all_tested(read_split(parted)), parted)
    return place, parted


def real(folder: Path) -> tuple[Path, Path]:
    """Returns crops and barcodes in one collection, and its split."""
    place, parted = folder / "collection", folder / "split.parquet"
    data = real_data()
    if not (place / "collection.json").is_file():
        holotype.import_(
            "image-folder", [data / "plankton/isiis/planktonset1.zip"], into=place,
            source="planktonset1.0", labels=data / "taxonomy/planktonzilla_taxonomy.csv",
        )  # fmt: skip
        for name in ("copepods", "lepidoptera"):
            holotype.import_(
                "table",
                [data / f"dna/{name}/sequences.tsv"],
                into=place,
                preset="barcodes",
                source=name,
            )
    collection = open_collection(place)
    write_split(all_tested(by_label_or_species(collection)), parted)
    return place, parted


def by_label_or_species(collection: Collection) -> Split:
    """Returns a split in which labels of crops, and species of barcodes, are seen or unseen."""
    table = collection.columns()
    columns = {name: table[name].to_pylist() for name in ("written_label", "species", "marker")}
    is_crop = np.asarray([value is not None for value in table["image_sha256"].to_pylist()])
    is_coi = np.asarray([marker in ("COI-5P", None) for marker in columns["marker"]])
    used = np.where(is_crop, thinned(columns["written_label"], is_crop), is_coi)
    rows, group_N = np.flatnonzero(used), group_records(table)
    classes = np.where(is_crop, columns["written_label"], columns["species"])
    asked = table.set_column(
        table.column_names.index("species"), "species", pa.array(classes.tolist(), pa.string())
    )
    roles = seen_unseen(asked.take(rows), group_N[rows], seed=0)
    whole = Roles.unused(len(table))
    whole.role_N[rows], whole.status_N[rows] = roles.role_N, roles.status_N
    whole.leave_out(np.flatnonzero(~used).tolist(), "left out to train in minutes")
    return Split(
        record_id=tuple(table["record_id"].to_pylist()),
        role_N=whole.role_N,
        status_N=whole.status_N,
        group_N=group_N,
        reason_N=tuple(whole.reason_N),
        made_by={
            "method": "seen-unseen",
            "seed": 0,
            "of_crops": "written labels",
            "crops_a_label": CROPS_A_LABEL,
            "collection": collection.name,
            "fingerprint": collection.fingerprint,
        },
    )


def thinned(written: list[str | None], is_crop: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which crops stay: at most so many of a label, drawn by a seed."""
    kept = np.zeros(len(written), dtype=np.bool_)
    count: Counter[str | None] = Counter()
    for row in generator(0, "thinned").permutation(np.flatnonzero(is_crop)).tolist():
        count[written[row]] += 1
        kept[row] = count[written[row]] <= CROPS_A_LABEL
    return kept


def all_tested(split: Split) -> Split:
    """Returns the split with queries of validation put to the test part, and a few of training instead.

    What calibration is fitted on must bear names that were trained on; groups stay together.
    """
    role_N = split.role_N.copy()
    role_N[split.role_N == Role.VAL.value] = Role.TEST.value
    named = (split.role_N == Role.TRAIN.value) & (split.status_N == Status.SEEN.value)
    groups = np.unique(split.group_N[named])
    drawn = generator(0, "calibration").random(len(groups)) < CALIBRATION_SHARE
    role_N[named & np.isin(split.group_N, groups[drawn])] = Role.VAL.value
    return dataclasses.replace(split, role_N=role_N)


if __name__ == "__main__":
    main()
