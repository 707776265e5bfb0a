"""One million rows of metadata: imported, their names matched, reviewed names applied.

Run: python benchmarks/speed/million_rows.py [--rows 1000000]

Rows bear one of 58,471 species names of Lepidoptera (real data, taxonomy/lepidoptera_gbif), some written with
authorship or a typing error; the backbone is made from the lineages of the same list.
"""

import argparse
import csv
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "quality"))

import holotype

RANKS = ("Kingdom", "Phylum", "Class", "Order", "Family", "Genus", "Species")


def main() -> None:
    """Makes the rows, runs the three commands, writes the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = run(Path(scratch), asked.rows)
    write(figures)


def run(scratch: Path, rows: int) -> dict[str, Any]:
    """Returns seconds of each step, and what came out."""
    species = known_species()
    write_labels(scratch / "lineages.csv", species)
    write_rows(scratch / "rows.tsv", species, rows)
    backbone, review, into = (scratch / n for n in ("backbone.parquet", "review.csv", "c"))
    holotype.build_backbone("lineages", scratch / "lineages.csv", out=backbone)
    seconds = {}
    start = time.perf_counter()
    imported = holotype.import_("table", [scratch / "rows.tsv"], into=into, source="rows")
    seconds["import"] = time.perf_counter() - start
    start = time.perf_counter()
    matched = holotype.match_names(into, backbone=backbone, out=review)
    seconds["names match"] = time.perf_counter() - start
    start = time.perf_counter()
    holotype.apply_names(into, review, backbone=backbone)
    seconds["names apply"] = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return {
        "rows": rows,
        "records": imported.records,
        "names": matched.names,
        "statuses": dict(matched.statuses),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "total_seconds": round(sum(seconds.values()), 1),
        "peak_mib": peak,
        "largest_worker_mib": children,
    }


def known_species() -> list[dict[str, str]]:
    """Returns the species of the real list."""
    from machine import real_data

    path = real_data() / "taxonomy/lepidoptera_gbif/taxonomy_map.csv"
    with path.open(encoding="utf-8") as handle:
        return [row for row in csv.DictReader(handle) if row["species"] and row["family"]]


def write_labels(path: Path, species: list[dict[str, str]]) -> None:
    """Writes the lineages as a label table."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["Dataset", "Raw_Labels", *RANKS])
        for row in species:
            higher = ["Animalia", "Arthropoda", "Insecta", "Lepidoptera"]
            names = [*higher, row["family"], row["genus"], row["species"]]
            writer.writerow(["gbif", row["species"], *names])


def write_rows(path: Path, species: list[dict[str, str]], rows: int) -> None:
    """Writes the rows: 90 % of the names as they are, 5 % with authorship, 5 % with a letter lost."""
    dice = random.Random(0)
    with path.open("w", encoding="utf-8") as handle:
        columns = ["record_id", "written_label", "latitude_deg", "longitude_deg", "collected_on"]
        handle.write("\t".join([*columns, "sample_id", "instrument"]) + "\n")
        for number in range(rows):
            name = dice.choice(species)["species"]
            kind = dice.random()
            if kind < 0.05:
                name += " Linnaeus, 1758"
            elif kind < 0.1:
                cut = dice.randrange(3, len(name) - 1)
                name = name[:cut] + name[cut + 1 :]
            place = f"{dice.uniform(-60, 60):.4f}\t{dice.uniform(-180, 180):.4f}"
            day = f"20{dice.randrange(10, 25)}-0{dice.randrange(1, 10)}-1{dice.randrange(10)}"
            handle.write(f"r{number}\t{name}\t{place}\t{day}\tS{number % 500}\tMothTrap\n")


def write(figures: dict[str, Any]) -> None:
    """Writes the figures as JSON and as a page."""
    from machine import machine_line

    lines = [
        f"# {figures['rows']:,} rows of metadata",
        "",
        "| step | seconds |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in figures["seconds"].items()),
        f"| all | {figures['total_seconds']} |",
        "",
        (
            f"{figures['names']:,} different names: {figures['statuses']}. Peak memory of the three steps "
            f"in one process: {figures['peak_mib']:,} MiB; largest worker: "
            f"{figures['largest_worker_mib']:,} MiB."
        ),
        "",
        f"Machine: {machine_line()}",
    ]
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "million_rows.json").write_text(json.dumps(figures, indent=2) + "\n")
    (results / "million_rows.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
