"""Barcodes identified by a library, by VSEARCH and by BLAST: queries a second, and how many are right.

The same FASTA files and the same number of threads for all, run in turn; the time to read and index the
references is counted on every side. Simulated references have near relatives 0.8 per cent apart; queries
differ from theirs, lack ends, have N, lost and gained bases, and half of them are on the other strand. Real
ones are lepidoptera and copepods, split so that queries and references share no haplotype. Then: how time and
memory grow from 10,000 to 1,000,000 references; and how well queries of absent species are told. The rules
for that are set on other splits than those they are tried on.

Run: python benchmarks/speed/barcode_search.py [--references 20000] [--queries 1000] [--repeats 3]
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from machine import machine_line, real_data

import holotype
from holotype.collection.store import open_collection
from holotype.index.barcodes.absent import absence, learn_absence
from holotype.index.barcodes.library import MANY, BarcodeLibrary
from holotype.index.barcodes.search import search
from holotype.index.barcodes.votes import species_by_votes, taxon_by_votes
from holotype.media.strands import reverse_complement
from holotype.randomness import generator
from holotype.splits.plan import read_split

RESULTS = Path(__file__).parent / "results"
RANKS = ("species", "genus", "family")
SPECIES_SHARE, GENUS_SHARE, FAMILY_SHARE, ORDER_SHARE = 0.004, 0.08, 0.10, 0.15
PER_SPECIES, PER_GENUS, PER_FAMILY, PER_ORDER = 2, 5, 5, 10
LENGTH_BP, CHUNK = 658, 10_000
CODON = np.resize([0.25, 0.1, 1.0], LENGTH_BP) / np.resize([0.25, 0.1, 1.0], LENGTH_BP).mean()
LETTERS = np.frombuffer(b"ACGT", np.uint8)
BLASTN_QUERIES = 50
TOO_SLOW = {"lepidoptera": ("megablast",), "copepods": ()}
"""Where nearly all references are hits, megablast takes a minute for what takes VSEARCH ten seconds."""
MORE_QUERIES, BOOTSTRAPS = 3000, 1000
LIMIT_S = 600
REAL = {
    "lepidoptera": ("dna/lepidoptera/sequences.tsv", ["barcode"]),
    "copepods": ("dna/copepods/sequences.tsv", ["marker=COI-5P"]),
}


class Task(NamedTuple):
    """References and queries, and the taxa of both at each of ``RANKS``; -1 where there is none."""

    references: list[str]
    queries: list[str]
    taxon_NR: NDArray[np.int64]
    wanted_QR: NDArray[np.int64]


def main() -> None:
    """Measures everything and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--references", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--draws", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--splits", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--rule-splits", type=int, nargs="*", default=[3, 4, 5])
    parser.add_argument("--growth", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    asked = parser.parse_args()
    content: dict[str, Any] = {"machine": machine_line(), "load_average": os.getloadavg()[0]}
    content |= {"references": asked.references, "queries": asked.queries, "repeats": asked.repeats}
    content["versions"] = {
        "vsearch": said(["vsearch", "--version"]),
        "blast": said(["blastn", "-version"]),
    }
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        task = simulated(asked.references, asked.queries)
        content["simulated"] = contest(task, place, threads=(1, 2), repeats=asked.repeats)
        content["blastn"] = slow_one(task, place)
        content["more"] = [
            {"draw": draw, **row}
            for draw in asked.draws
            for row in contest(
                simulated(
                    asked.references, min(MORE_QUERIES, asked.references // PER_SPECIES), draw
                ),
                place,
                threads=(2,),
                repeats=1,
            )
        ]
        content["real"], told = real_ones(place, asked.splits)
        content["ahead"] = ahead(content["real"])
        for row in (*content["simulated"], *content["more"], *content["real"]):
            for key in ("marks", "of_species"):
                row.pop(key, None)
        content["absent"] = [
            {"collection": t.collection, "split": t.split, **areas(t)} for t in told
        ]
        _, before = real_ones(place, asked.rule_splits, contested=False)
        content["rules"] = rules(before, told)
    content["growth"] = [in_process(grown, size, asked.queries) for size in asked.growth]
    content["load_after"] = os.getloadavg()[0]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "barcode-search.json").write_text(json.dumps(content, indent=2) + "\n")
    text = "\n".join(page(content)) + "\n"
    (RESULTS / "barcode-search.md").write_text(text)
    print(text)


def said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return next(line for line in lines if line.startswith(command[0]))


def in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Returns what a function gives in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def evolved(
    parent_NL: NDArray[np.uint8], share: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Returns sequences that differ from theirs in a share of the bases, third places of codons most."""
    hit_NL = rng.random(parent_NL.shape, np.float32) < share * CODON.astype(np.float32)
    child_NL = parent_NL.copy()
    child_NL[hit_NL] = (child_NL[hit_NL] + rng.integers(1, 4, int(hit_NL.sum()))) % 4
    return child_NL


def species_of(number: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Returns the barcodes of so many species, as base codes; congeners differ by 0.8 per cent."""
    genera = -(-number // PER_GENUS)
    families = -(-genera // PER_FAMILY)
    root = rng.choice(4, size=LENGTH_BP, p=[0.3, 0.16, 0.16, 0.38]).astype(np.uint8)
    order = evolved(np.tile(root, (-(-families // PER_ORDER), 1)), ORDER_SHARE, rng)
    family = evolved(order[np.arange(families) // PER_ORDER], FAMILY_SHARE, rng)
    genus = evolved(family[np.arange(genera) // PER_FAMILY], GENUS_SHARE, rng)
    parts = [
        evolved(
            genus[np.arange(start, min(start + CHUNK, number)) // PER_GENUS], SPECIES_SHARE, rng
        )
        for start in range(0, number, CHUNK)
    ]
    return np.concatenate(parts)


def simulated(references: int, queries: int, draw: int = 0) -> Task:
    """Returns a task of which every species has ``PER_SPECIES`` references."""
    rng = generator(draw, "barcode search", references)
    species_SL = species_of(-(-references // PER_SPECIES), rng)
    texts = []
    for start in range(0, references, CHUNK):
        rows = np.arange(start, min(start + CHUNK, references)) // PER_SPECIES
        texts += [LETTERS[row].tobytes().decode() for row in evolved(species_SL[rows], 0.001, rng)]
    wanted_Q = rng.choice(len(species_SL), queries, replace=False)
    read = [read_of(row, rng) for row in evolved(species_SL[wanted_Q], 0.004, rng)]
    above = (1, PER_GENUS, PER_GENUS * PER_FAMILY)
    species_N = np.arange(references) // PER_SPECIES
    taxon_NR, wanted_QR = (
        np.stack([codes // size for size in above], axis=1) for codes in (species_N, wanted_Q)
    )
    return Task(texts, read, taxon_NR, wanted_QR)


def read_of(row_L: NDArray[np.uint8], rng: np.random.Generator) -> str:
    """Returns what a sequencer makes of a barcode: N, a base lost or gained, ends lost, either strand."""
    letters = list(LETTERS[row_L].tobytes().decode())
    if rng.random() < 0.15:
        place = int(rng.integers(30, LENGTH_BP - 30))
        letters[place] = rng.choice(["", "A" + letters[place], "C" + letters[place]])
    if rng.random() < 0.3:
        for place in rng.integers(0, len(letters), rng.integers(1, 8)).tolist():
            letters[place] = "N"
    lost = rng.integers(0, 61, 2)
    text = "".join(letters[lost[0] : len(letters) - lost[1]])
    return reverse_complement(text) if rng.random() < 0.5 else text


def contest(
    task: Task,
    place: Path,
    *,
    threads: tuple[int, ...],
    repeats: int,
    left_out: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """Returns seconds of each run and the share of right answers, by method and number of threads."""
    references, queries = place / "references.fasta", place / "queries.fasta"
    for path, texts in ((references, task.references), (queries, task.queries)):
        path.write_text("".join(f">{row}\n{text}\n" for row, text in enumerate(texts)))
    rows = {
        (name, number): {"method": name, "threads": number, "seconds": [], "cpu_seconds": []}
        for number in threads
        for name in METHODS
        if name not in left_out
    }
    for _ in range(repeats):
        for (name, number), row in rows.items():
            row.setdefault("load", []).append(os.getloadavg()[0])
            started, before = time.monotonic(), sum(os.times()[:4])
            found_Q = METHODS[name](task, references, queries, number)
            row["seconds"].append(time.monotonic() - started)
            row["cpu_seconds"].append(sum(os.times()[:4]) - before)
            row["marks"] = marks(task, found_Q)
            row.update(shares(task, found_Q))
    return list(rows.values())


def slow_one(task: Task, place: Path) -> dict[str, Any]:
    """Returns seconds and right answers of blastn, which is slow, on the first of the queries."""
    some = task._replace(
        queries=task.queries[:BLASTN_QUERIES], wanted_QR=task.wanted_QR[:BLASTN_QUERIES]
    )
    references, queries = place / "references.fasta", place / "first.fasta"
    queries.write_text("".join(f">{row}\n{text}\n" for row, text in enumerate(some.queries)))
    started, before = time.monotonic(), sum(os.times()[:4])
    found_Q = by_blast(some, references, queries, 1, "blastn")
    took, cpu = time.monotonic() - started, sum(os.times()[:4]) - before
    mine_Q = by_library(some, references, queries, 1)
    return {
        "queries": len(some.queries), "seconds": took, "cpu_seconds": cpu, **shares(some, found_Q),
        "holotype": shares(some, mine_Q),
    }  # fmt: skip


def shares(task: Task, found_Q: NDArray[np.int64]) -> dict[str, Any]:
    """Returns how many of the queries whose taxon the references have are given it, by rank.

    Args:
        task: what was asked.
        found_Q: the row found for each query, or for each query and rank; -1 for none.
    """
    mark_QR = marks(task, found_Q)
    return {
        rank: {"right": int(np.nansum(mark_Q)), "of": int((~np.isnan(mark_Q)).sum())}
        for rank, mark_Q in zip(RANKS, mark_QR.T, strict=True)
    }


def marks(task: Task, found_Q: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns 1 for a right answer, 0 for a wrong one, by query and rank; NaN where no reference has it."""
    mark_QR = np.full(task.wanted_QR.shape, np.nan)
    for place in range(len(RANKS)):
        known = set(task.taxon_NR[:, place].tolist()) - {-1}
        asked = np.array([taxon in known for taxon in task.wanted_QR[:, place].tolist()], np.bool_)
        row_Q = found_Q if found_Q.ndim == 1 else found_Q[:, place]
        taxon_Q = np.where(row_Q < 0, -1, task.taxon_NR[row_Q, place])
        mark_QR[asked, place] = taxon_Q[asked] == task.wanted_QR[asked, place]
    return mark_QR


def texts_of(fasta: Path) -> list[str]:
    return [
        entry.partition("\n")[2].replace("\n", "") for entry in fasta.read_text().split(">")[1:]
    ]


def by_library(task: Task, references: Path, queries: Path, threads: int) -> NDArray[np.int64]:
    library = BarcodeLibrary.of(texts_of(references), species_N=task.taxon_NR[:, 0])
    hits = search(library, texts_of(queries), k=10, threads=threads)
    taxon_QKR = np.where(hits.row_QK[:, :, None] >= 0, task.taxon_NR[hits.row_QK], -1)
    places = [taxon_by_votes(hits, taxon_QKR[:, :, rank]).place_Q for rank in range(len(RANKS))]
    return np.take_along_axis(hits.row_QK, np.maximum(np.stack(places, axis=1), 0), axis=1)


def by_vsearch(task: Task, references: Path, queries: Path, threads: int) -> NDArray[np.int64]:
    out = references.with_suffix(".vsearch")
    command = [
        "vsearch", "--usearch_global", queries, "--db", references, "--id", "0.7", "--strand", "both",
        "--maxaccepts", "16", "--maxrejects", "32", "--maxhits", "1", "--threads", str(threads),
        "--userout", out, "--userfields", "query+target", "--quiet",
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=LIMIT_S)
    return first_hits(task, out)


def by_blast(
    task: Task, references: Path, queries: Path, threads: int, kind: str = "megablast"
) -> NDArray[np.int64]:
    out, base = references.with_suffix(".blast"), references.with_suffix(".base")
    subprocess.run(
        ["makeblastdb", "-in", references, "-dbtype", "nucl", "-out", base],
        check=True,
        capture_output=True,
    )
    command = [
        "blastn", "-task", kind, "-query", queries, "-db", base, "-out", out, "-outfmt", "6 qseqid sseqid",
        "-max_target_seqs", "16", "-num_threads", str(threads),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    return first_hits(task, out)


METHODS: dict[str, Callable[[Task, Path, Path, int], NDArray[np.int64]]] = {
    "holotype": by_library,
    "vsearch": by_vsearch,
    "megablast": by_blast,
}


def first_hits(task: Task, table: Path) -> NDArray[np.int64]:
    found_Q = np.full(len(task.queries), -1, np.int64)
    for line in reversed(table.read_text().splitlines()):
        query, target = line.split("\t")[:2]
        found_Q[int(query)] = int(target)
    return found_Q


class Told(NamedTuple):
    """How queries of present and absent species score; the higher, the likelier absent."""

    collection: str
    split: int
    haplotypes: list[str]
    absent_Q: NDArray[np.bool_]
    score: dict[str, NDArray[np.float64]]


def real_ones(
    place: Path, splits: list[int], *, contested: bool = True
) -> tuple[list[dict[str, Any]], list[Told]]:
    """Returns the contest on real barcodes, and how queries of absent species score."""
    rows, absent = [], []
    for name, (table, require) in REAL.items():
        if not (place / name).exists():
            holotype.import_("table", [real_data() / table], into=place / name, preset="barcodes")
        columns = open_collection(place / name).columns(["barcode", *RANKS]).to_pydict()
        taxa = np.stack([codes_of(columns[rank]) for rank in RANKS], axis=1)
        texts = [text or "" for text in columns["barcode"]]
        for seed in splits:
            parted = place / f"{name}-{seed}.parquet"
            holotype.split(
                place / name, out=parted, method="seen-unseen", seed=seed, require=require
            )
            split = read_split(parted)
            is_key = np.isin(split.role_N, ["train", "key"]) & (taxa[:, 0] >= 0)
            asked = np.flatnonzero(np.isin(split.role_N, ["test", "val"]) & (taxa[:, 0] >= 0))
            without = is_key & (split.status_N != "unseen")
            for kind, chosen in (("all species", is_key), ("seen species", without)):
                keys = np.flatnonzero(chosen)
                task = Task(
                    [texts[row] for row in keys],
                    [texts[row] for row in asked],
                    taxa[keys],
                    taxa[asked],
                )
                found = (
                    contest(task, place, threads=(1,), repeats=1, left_out=TOO_SLOW[name])
                    if contested
                    else []
                )
                species_Q = [f"{name} {code}" for code in task.wanted_QR[:, 0].tolist()]
                rows += [
                    {
                        "collection": name,
                        "split": seed,
                        "references": kind,
                        "of_species": species_Q,
                        **row,
                    }
                    for row in found
                ]
            absent.append(telling(task, name, seed))
    return rows, absent


def ahead(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns by how many points the library is ahead of VSEARCH, with intervals over species.

    Queries of one species are right or wrong together, so species are drawn, not queries: 1,000 bootstraps.
    """
    told = []
    for collection in ("both", *REAL):
        for kind in dict.fromkeys(row["references"] for row in rows):
            own, theirs = (
                [
                    row
                    for row in rows
                    if row["method"] == method
                    and row["references"] == kind
                    and collection in ("both", row["collection"])
                ]
                for method in ("holotype", "vsearch")
            )
            more_QR = np.concatenate([row["marks"] for row in own]) - np.concatenate(
                [row["marks"] for row in theirs]
            )
            _, species_Q = np.unique(
                [name for row in own for name in row["of_species"]], return_inverse=True
            )
            for rank, more_Q in zip(RANKS, more_QR.T, strict=True):
                asked = ~np.isnan(more_Q)
                told.append(
                    {"collection": collection, "references": kind, "rank": rank}
                    | points_ahead(more_Q[asked], species_Q[asked])
                )
    return told


def points_ahead(more_Q: NDArray[np.float64], species_Q: NDArray[np.int64]) -> dict[str, Any]:
    """Returns the mean difference in points, and its 95 % interval over species."""
    rng = generator(0, "barcode search", "ahead")
    _, species_Q = np.unique(species_Q, return_inverse=True)
    number = int(species_Q.max()) + 1
    sum_S, size_S = np.bincount(species_Q, more_Q), np.bincount(species_Q)
    drawn = rng.integers(0, number, (BOOTSTRAPS, number))
    means = sum_S[drawn].sum(axis=1) / size_S[drawn].sum(axis=1)
    return {
        "queries": len(more_Q),
        "species": number,
        "points": float(100 * more_Q.mean()),
        "interval": (100 * np.quantile(means, [0.025, 0.975])).tolist(),
    }


def codes_of(names: list[str | None]) -> NDArray[np.int64]:
    number = {name: code for code, name in enumerate(sorted({n for n in names if n}))}
    return np.array([number[name] if name else -1 for name in names], np.int64)


def telling(task: Task, collection: str, split: int) -> Told:
    """Returns what says of each query that its species is absent."""
    library = BarcodeLibrary.of(task.references, species_N=task.taxon_NR[:, 0])
    hits = search(library, task.queries)
    model = learn_absence(library, seed=0)
    assert model is not None
    present = set(task.taxon_NR[:, 0].tolist())
    absent_Q = np.array([species not in present for species in task.wanted_QR[:, 0].tolist()])
    score = {
        "learnt": absence(library, hits, model),
        "identity": 100 - np.nan_to_num(hits.identity_QK[:, 0]),
        "gap": -np.nan_to_num(hits.gap_Q),
    }
    names = [collection + text for text in task.queries]
    return Told(collection, split, names, absent_Q, score)


def areas(told: Told) -> dict[str, Any]:
    """Returns areas under the curve for telling queries of absent species from others."""
    counts = {"absent": int(told.absent_Q.sum()), "present": int((~told.absent_Q).sum())}
    return counts | {
        name: float(roc_auc_score(told.absent_Q, score)) for name, score in told.score.items()
    }


def pooled(told: list[Told]) -> Told:
    """Returns the queries of all splits and collections together."""
    return Told(
        "",
        -1,
        [name for one in told for name in one.haplotypes],
        np.concatenate([one.absent_Q for one in told]),
        {name: np.concatenate([one.score[name] for one in told]) for name in told[0].score},
    )


def rules(before: list[Told], told: list[Told]) -> list[dict[str, Any]]:
    """Returns how rules that are one for all collections do; those that are set, on other splits.

    Intervals are of 1,000 bootstraps over haplotypes.
    """
    ground = pooled(before)
    known = {name: score[~ground.absent_Q] for name, score in ground.score.items()}
    cuts = {
        "identity 97 %": ("identity", 3.0),
        "identity 98 %": ("identity", 2.0),
        "learnt, one half": ("learnt", 0.5),
    }
    for keep in (0.95, 0.98, 0.99):
        for name in ("identity", "learnt"):
            cut = float(np.quantile(known[name], keep, method="higher"))
            cuts[f"{name}, set to keep {keep:.0%}"] = name, cut
    rows: list[dict[str, Any]] = []
    for collection in ("", *dict.fromkeys(one.collection for one in told)):
        every = pooled([one for one in told if collection in ("", one.collection)])
        _, haplotype_Q = np.unique(every.haplotypes, return_inverse=True)
        rng = generator(0, "barcode search", "bootstrap")
        number = int(haplotype_Q.max()) + 1
        draws = [
            np.bincount(rng.integers(0, number, number), minlength=number)[haplotype_Q]
            for _ in range(BOOTSTRAPS)
        ]
        for rule, (name, cut) in cuts.items():
            rows.append(
                {"collection": collection or "both", "rule": rule}
                | kept_and_accepted(every, every.score[name] <= cut, draws)
            )
        for keep in (0.95, 0.98, 0.99):
            taken = {}
            for name in ("identity", "learnt"):
                own = every.score[name][~every.absent_Q]
                taken[name] = every.score[name] <= np.quantile(own, keep, method="higher")
                rows.append(
                    {"collection": collection or "both", "rule": f"{name}, {keep:.0%} kept here"}
                    | kept_and_accepted(every, taken[name], draws)
                )
            less = [
                share(taken["identity"], every.absent_Q * draw)
                - share(taken["learnt"], every.absent_Q * draw)
                for draw in draws
            ]
            rows[-1]["less_than_identity"] = np.quantile(less, [0.025, 0.975]).tolist()
    return rows


def share(flag_Q: NDArray[np.bool_], weight_Q: NDArray[Any]) -> float:
    return float((flag_Q * weight_Q).sum() / weight_Q.sum())


def kept_and_accepted(
    told: Told, taken_Q: NDArray[np.bool_], draws: list[NDArray[np.int64]]
) -> dict[str, Any]:
    """Returns the shares of queries of present and of absent species that a rule takes for present."""
    accepted = [share(taken_Q, told.absent_Q * draw) for draw in draws]
    return {
        "kept": share(taken_Q, ~told.absent_Q),
        "accepted": share(taken_Q, told.absent_Q),
        "interval": np.quantile(accepted, [0.025, 0.975]).tolist(),
    }


def grown(references: int, queries: int) -> dict[str, Any]:
    """Returns CPU seconds and memory for a library of that size, with a scan and by rare words."""
    task = simulated(references, queries)
    row: dict[str, Any] = {"references": references, "queries": queries, "made_mb": peak_mb()}
    for name, many in (("scan", references + 1), ("rare words", 1)):
        if name == "scan" and references > MANY:
            continue
        started = time.process_time()
        library = BarcodeLibrary.of(task.references, species_N=task.taxon_NR[:, 0], many=many)
        built = time.process_time()
        hits = search(library, task.queries, k=10)
        done = time.process_time()
        right = int((species_by_votes(hits).taxon_Q == task.wanted_QR[:, 0]).sum())
        row[name] = {"build_s": built - started, "search_s": done - built, "right": right}
    return {**row, "peak_mb": peak_mb()}


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def page(content: dict[str, Any]) -> list[str]:
    """Returns the figures as a page."""
    queries, blastn = content["queries"], content["blastn"]
    versions = f"{content['versions']['vsearch']}; {content['versions']['blast']}."
    lines = [
        "# Barcodes identified",
        "",
        f"{content['references']:,} simulated references, congeners 0.8 % apart; {queries:,} queries on",
        "either strand. Reading and indexing the references is in the time, on every side.",
        f"Medians of {content['repeats']} runs in turn. {versions}",
        "Load: the load average of the machine when a run began; it has two cores.",
        "",
        (
            "| method | threads | s | CPU s | queries/s | times VSEARCH | by CPU | species | genus "
            "| family | load |"
        ),
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    times = len({row.get("draw") for row in content["more"]})
    draws = "once" if times == 1 else f"{times} times"
    rivals = {r["threads"]: r for r in content["simulated"] if r["method"] == "vsearch"}
    for row in content["simulated"]:
        took, cpu = (statistics.median(row[key]) for key in ("seconds", "cpu_seconds"))
        rival = rivals[row["threads"]]
        ratios = [
            statistics.median(rival[key]) / mine
            for key, mine in (("seconds", took), ("cpu_seconds", cpu))
        ]
        lines.append(
            f"| {row['method']} | {row['threads']} | {took:.2f} | {cpu:.2f} | {queries / took:,.0f} | "
            f"{ratios[0]:.1f} | {ratios[1]:.1f} | {by_rank(row)} | {statistics.median(row['load']):.1f} |"
        )
    lines += [
        "",
        f"blastn (not mega) on the first {blastn['queries']} queries, one thread: {blastn['seconds']:.0f} s",
        f"({blastn['cpu_seconds']:.0f} s of CPU). Right, species / genus / family:",
        f"{by_rank(blastn, ' / ')}; the library {by_rank(blastn['holotype'], ' / ')}.",
        "",
        f"Other queries of other references, drawn {draws} more, two threads, sums:",
        "",
        "| method | CPU s | species right | of | per cent | each draw |",
        "| --- | --: | --: | --: | --: | --- |",
        *(summed_draws([r for r in content["more"] if r["method"] == name]) for name in METHODS),
        "",
        "## Real barcodes",
        "",
        "Per cent right, sums over the splits. All species: held-out species have references of other",
        "haplotypes. Seen species: they have none; only their genus and family can be right. Megablast was",
        "left out where it takes minutes.",
        "",
        "| collection | references of | method | CPU s | species | genus | family |",
        "| --- | --- | --- | --: | --: | --: | --: |",
    ]
    kinds = dict.fromkeys((r["collection"], r["references"], r["method"]) for r in content["real"])
    for kind in kinds:
        found = [
            r for r in content["real"] if (r["collection"], r["references"], r["method"]) == kind
        ]
        summed = {
            rank: {key: sum(row[rank][key] for row in found) for key in ("right", "of")}
            for rank in RANKS
        }
        cpu = sum(sum(row["cpu_seconds"]) for row in found)
        lines.append(f"| {' | '.join(kind)} | {cpu:.1f} | {by_rank(summed)} |")
    lines += [
        "",
        "Points by which the library is ahead of VSEARCH, with 95 % intervals over species: queries of one",
        "species are right or wrong together.",
        "",
        "| collections | references of | rank | queries | species | points ahead | interval |",
        "| --- | --- | --- | --: | --: | --: | --- |",
        *(
            f"| {r['collection']} | {r['references']} | {r['rank']} | {r['queries']:,} | "
            f"{r['species']} | {r['points']:+.1f} | {r['interval'][0]:+.1f} to {r['interval'][1]:+.1f} |"
            for r in content["ahead"]
        ),
        "",
        "## Species that the library lacks",
        "",
        "Area under the curve for telling queries of absent species: learnt from the library alone, and",
        "cut-offs of one figure.",
        "",
        "| collection | split | absent | present | learnt | identity | gap |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {r['collection']} | {r['split']} | {r['absent']} | {r['present']} | {r['learnt']:.4f} | "
        f"{r['identity']:.4f} | {r['gap']:.4f} |"
        for r in content["absent"]
    ]
    lines += [
        "",
        "One rule for both collections, splits together. Kept: queries of present species taken for present;",
        "accepted: queries of absent species taken for present, 95 % intervals over haplotypes. Rules that",
        'were set, were set on other splits; those "kept here" compare both scores at equal shares kept.',
        "",
        "| collections | rule | kept, % | accepted, % | interval | fewer than by identity, points |",
        "| --- | --- | --: | --: | --- | --- |",
    ]
    for r in content["rules"]:
        low, high = (100 * end for end in r["interval"])
        less = r.get("less_than_identity")
        told = f"{100 * less[0]:.1f} to {100 * less[1]:.1f}" if less else ""
        lines.append(
            f"| {r['collection']} | {r['rule']} | {100 * r['kept']:.1f} | {100 * r['accepted']:.1f} | "
            f"{low:.1f} to {high:.1f} | {told} |"
        )
    lines += [
        "",
        "## Growth",
        "",
        f"{queries:,} queries, one thread, CPU seconds. Memory is of the process, with what the references",
        "took to make.",
        "",
        "| references | candidates by | build, s | search, s | queries/s | species right | peak, MB (made) |",
        "| --: | --- | --: | --: | --: | --: | --: |",
    ]
    for row in content["growth"]:
        for name in ("scan", "rare words"):
            if name in row:
                one = row[name]
                lines.append(
                    f"| {row['references']:,} | {name} | {one['build_s']:.1f} | {one['search_s']:.2f} | "
                    f"{row['queries'] / one['search_s']:,.0f} | {one['right']} | "
                    f"{row['peak_mb']:,.0f} ({row['made_mb']:,.0f}) |"
                )
    load = f"Load average before {content['load_average']:.1f}, after {content['load_after']:.1f}"
    return [*lines, "", f"{load} on two cores. Machine: {content['machine']}"]


def summed_draws(rows: list[dict[str, Any]]) -> str:
    """Returns the line of one method, summed over draws of references and queries."""
    right = [row["species"]["right"] for row in rows]
    asked = sum(row["species"]["of"] for row in rows)
    cpu = sum(sum(row["cpu_seconds"]) for row in rows)
    return (
        f"| {rows[0]['method']} | {cpu:.1f} | {sum(right):,} | {asked:,} | "
        f"{100 * sum(right) / asked:.2f} | {', '.join(f'{one:,}' for one in right)} |"
    )


def by_rank(row: dict[str, Any], between: str = " | ") -> str:
    told = [row[rank] for rank in RANKS]
    return between.join(
        f"{100 * one['right'] / one['of']:.1f}" if one["of"] else "" for one in told
    )


if __name__ == "__main__":
    main()
