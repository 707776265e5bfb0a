"""Names per second against a backbone of three million names, with fuzzy matching; load time and memory.

The backbone is made from real names: each species of the Lepidoptera checklist again and again, with a
syllable put into its genus, a fifth of them synonyms. Run: python benchmarks/speed/names.py [--names 3000000]
"""

import argparse
import csv
import json
import multiprocessing
import os
import platform
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.taxonomy.backbone.build import write_rows
from holotype.taxonomy.backbone.schema import RAW_COLUMNS, RAW_SCHEMA
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.matching.match import BackboneMatcher, match_all
from holotype.taxonomy.matching.outcome import MatchStatus, Query

RESULTS = Path(__file__).parent / "results"
MIX = {
    "exact": 0.5,
    "synonym": 0.15,
    "misspelt epithet": 0.1,
    "misspelt genus": 0.1,
    "unknown": 0.15,
}
CONSONANTS, VOWELS = "bcdfglmnprstvz", "aeiou"
QUERIES = 40_000


def main() -> None:
    """Makes the backbone, measures in processes of their own, writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", type=int, default=3_000_000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "backbone.parquet"
        busy = os.getloadavg()[0]
        built = in_process(build, path, asked.names)
        started = time.monotonic()
        with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
            parts = pool.starmap(measure, [(path, seed) for seed in range(asked.processes)])
        content = {
            "names": built["names"], "words": parts[0]["words"], "file_mb": path.stat().st_size / 1e6,
            "build": built, "mix": MIX,
            "load_average": busy, "processes": asked.processes, "queries_each": QUERIES, "parts": parts,
            "names_per_s": sum(part["names_per_s"] for part in parts),
            "wall_s": time.monotonic() - started, "machine": machine_line(),
        }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "names.json").write_text(json.dumps(content, indent=2) + "\n")
    text = "\n".join(page(content)) + "\n"
    (RESULTS / "names.md").write_text(text)
    print(text)


def real_data() -> Path:
    """Returns the folder of the real data."""
    named = os.environ.get("HOLOTYPE_REAL_DATA")
    root = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    if not root.is_dir():
        raise SystemExit("no real data: set HOLOTYPE_REAL_DATA to its folder")
    return root


def machine_line() -> str:
    """Returns processor, cores and Python in one line, without importing what would count as memory."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), ""
    )
    return f"{model or platform.processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def in_process(function: Any, *arguments: Any) -> Any:
    """Returns what a function gives in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def build(path: Path, wanted: int) -> dict[str, Any]:
    """Makes the rows and writes the backbone; returns how long it took, and the peak of memory."""
    started = time.monotonic()
    raw = rows(wanted)
    made = time.monotonic() - started
    report = write_rows(
        raw, {}, kind="dwca", out=path, sha256="", snapshot="made", name="perturbed"
    )
    return {
        "names": report.names, "make_s": made, "build_s": time.monotonic() - started - made,
        "peak_mb": peak_mb(), "statuses": dict(report.statuses), "problems": dict(report.problems),
    }  # fmt: skip


def rows(wanted: int) -> pa.Table:
    """Returns raw rows: families, genera and species; every fifth species is a synonym of the one before."""
    with (real_data() / "taxonomy/lepidoptera_gbif/taxonomy_map.csv").open(newline="") as handle:
        species = [
            (row["family"], row["genus"], row["species"].partition(" ")[2])
            for row in csv.DictReader(handle)
        ]
    syllables = [c + v for c in CONSONANTS for v in VOWELS]
    columns: dict[str, list[str | None]] = {
        "taxon_id": [],
        "accepted_id": [],
        "parent_id": [],
        "written_name": [],
        "rank_written": [],
    }

    def add(*values: str | None) -> None:
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)

    add("K", None, None, "Animalia", "kingdom")
    add("O", None, "K", "Lepidoptera", "order")
    genera: set[str] = set()
    number, last = 0, ""
    for syllable in ["", *syllables]:
        for family, genus, epithet in species:
            middle = len(genus) // 2
            name = (genus[:middle] + syllable + genus[middle:]).capitalize()
            if family not in genera:
                genera.add(family)
                add(family, None, "O", family, "family")
            if name not in genera:
                genera.add(name)
                add(name, None, family, name, "genus")
            number += 1
            is_synonym = number % 5 == 0
            add(
                f"s{number}",
                last if is_synonym else None,
                None if is_synonym else name,
                f"{name} {epithet}",
                "species",
            )
            last = last if is_synonym else f"s{number}"
            if len(columns["taxon_id"]) >= wanted:
                count = len(columns["taxon_id"])
                return pa.table(
                    {n: columns.get(n, [None] * count) for n in RAW_COLUMNS}, schema=RAW_SCHEMA
                )
    raise SystemExit(f"only {number:,} names can be made")


def measure(path: Path, seed: int) -> dict[str, Any]:
    """Opens the backbone, matches a mix of names, and returns times, memory and how many were right."""
    before = peak_mb()
    started, cpu = time.monotonic(), time.process_time()
    matcher = BackboneMatcher(open_backbone(path))
    load_s, load_cpu_s = time.monotonic() - started, time.process_time() - cpu
    loaded_mb = peak_mb()
    asked, expected, sorts = queries(matcher, random.Random(seed))
    started, cpu = time.monotonic(), time.process_time()
    answers = match_all(asked, [matcher])
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu
    right = dict.fromkeys(MIX, 0)
    total = dict.fromkeys(MIX, 0)
    for answer, taxon, sort in zip(answers, expected, sorts, strict=True):
        total[sort] += 1
        found = answer.taxon.taxon_id if answer.taxon else None
        if sort == "unknown":
            right[sort] += answer.status is not MatchStatus.MATCHED
        else:
            right[sort] += found == taxon or (
                answer.taxon is None and taxon in [t.taxon_id for t in answer.candidates]
            )
    return {
        "load_s": load_s, "before_mb": before, "loaded_mb": loaded_mb, "peak_mb": peak_mb(),
        "names_per_s": len(asked) / seconds, "names_per_cpu_s": len(asked) / cpu_seconds,
        "load_cpu_s": load_cpu_s, "right": right, "total": total, "words": len(matcher.backbone.words),
    }  # fmt: skip


def queries(
    matcher: BackboneMatcher, chance: random.Random
) -> tuple[list[Query], list[str], list[str]]:
    """Returns distinct queries of the mix, the taxon that each should reach, and their sort."""
    backbone = matcher.backbone
    asked: list[Query] = []
    expected: list[str] = []
    sorts: list[str] = []
    while len(asked) < QUERIES:
        row = chance.randrange(len(backbone))
        key = backbone.keys_between(row, row + 1)[0]
        taxon = backbone.accepted_taxon(row)
        if " " not in key or taxon is None:
            continue
        sort = chance.choices(list(MIX), list(MIX.values()))[0]
        if (sort == "synonym") != backbone.is_synonym(row) and sort in ("exact", "synonym"):
            continue
        genus, epithet = key.split(" ", 1)
        if sort == "misspelt epithet":
            epithet = misspelt(epithet, chance)
        elif sort == "misspelt genus":
            genus = misspelt(genus, chance)
        elif sort == "unknown":
            genus, epithet = invented(chance), invented(chance)
        asked.append(Query(f"{genus.capitalize()} {epithet}"))
        expected.append(taxon.taxon_id)
        sorts.append(sort)
    return asked, expected, sorts


def misspelt(word: str, chance: random.Random) -> str:
    """Returns a word with one edit behind its first letter."""
    place = chance.randrange(1, len(word))
    letter = chance.choice(VOWELS + CONSONANTS)
    return chance.choice(
        (
            word[:place] + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + letter + word[place + 1 :],
        )
    )


def invented(chance: random.Random) -> str:
    """Returns a word of four syllables."""
    return "".join(chance.choice(CONSONANTS) + chance.choice(VOWELS) for _ in range(4))


def peak_mb() -> float:
    """Returns the peak of this process's memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def page(content: dict[str, Any]) -> list[str]:
    """Returns the figures as a Markdown page."""
    part, made = content["parts"][0], content["build"]
    lines = [
        "# Names per second",
        "",
        f"A backbone of {content['names']:,} names ({content['words']:,} different first words), made from",
        "58,471 real ones by putting syllables into their genera; a fifth are synonyms.",
        "",
        "| what | measured |",
        "| --- | --: |",
        f"| matched, {content['processes']} processes at once | {content['names_per_s']:,.0f} names/s |",
        f"| one of them | {part['names_per_s']:,.0f} names/s |",
        f"| per second of processor time, one core | {part['names_per_cpu_s']:,.0f} names/s |",
        f"| load | {part['load_s']:.1f} s ({part['load_cpu_s']:.1f} s of processor time) |",
        f"| others running meanwhile (load average before) | {content['load_average']:.1f} |",
        f"| memory after loading, peak | {part['loaded_mb']:,.0f} MB, {part['peak_mb']:,.0f} MB |",
        f"| file | {content['file_mb']:,.0f} MB |",
        f"| build | {made['build_s']:.0f} s, peak {made['peak_mb']:,.0f} MB (the made rows among them) |",
        "",
        "| names asked | share | right |",
        "| --- | --: | --: |",
    ]
    for sort, share in content["mix"].items():
        right = sum(p["right"][sort] for p in content["parts"])
        total = sum(p["total"][sort] for p in content["parts"])
        lines.append(
            f"| {sort} | {100 * share:.0f} % | {right:,} of {total:,} ({100 * right / total:.1f} %) |"
        )
    lines += [
        "",
        "Right: the taxon that the name was made from, or among the candidates left for review; an",
        "invented name is right where nothing is matched. Every query is different.",
        "",
        f"Machine: {content['machine']}",
    ]
    return lines


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
