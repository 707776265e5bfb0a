"""Retrieval with damaged reads: our DNA tower, a BERT over k-mers trained on the same data, and 5-mers.

Keys stay clean, queries are damaged. The peer is BarcodeBERT's tower (Millan Arias et al. 2023, arXiv
2311.02401) in a small size, from nothing, with CLIBD's tokens of 5 bases without overlap and reading from the
first base on, as CLIBD fine-tunes it (Gong et al. 2024, arXiv 2405.17537): the same records, objective,
batches and epochs; what its training may do to a barcode leaves the frame alone. Results are written after
each split, so that a run may be stopped.

Run: OMP_NUM_THREADS=1 python benchmarks/quality/reads.py [--splits 0 1 2]
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edlib
import numpy as np
from machine import real_data, write_results
from numpy.typing import NDArray

import holotype
from holotype.collection.store import open_collection
from holotype.evaluation.baselines import kmer_features
from holotype.inputs.dna import IUPAC_BASES, reverse_complement
from holotype.inputs.materials import prepare_loose
from holotype.models.bundle import open_bundle
from holotype.models.encode import encode
from holotype.models.towers import Modality
from holotype.randomness import generator
from holotype.splits.plan import Role, Status, read_split

COLLECTIONS = {
    "lepidoptera": ("dna/lepidoptera/sequences.tsv", ["barcode"]),
    "copepods": ("dna/copepods/sequences.tsv", ["marker=COI-5P"]),
}
OURS, PEER, KMERS = "ours", "k-mer BERT", "5-mers"
METHODS = (OURS, PEER, KMERS)
PARTS = (Status.SEEN.value, Status.UNSEEN.value)
IN_FRAME = [
    "damage.trim_bp=0",
    "damage.window_probability=0",
    "damage.primer_probability=0",
    "damage.deletion_rate=0",
    "damage.insertion_rate=0",
    "damage.reverse_probability=0",
]
OVERRIDES = {
    OURS: [],
    PEER: [
        *(
            "model.barcodes.tower=barcodebert",
            "model.barcodes.kmer_bp=5",
            "model.barcodes.max_bp=660",
        ),
        *("model.barcodes.width=64", "model.barcodes.depth=2"),
        *IN_FRAME,
    ],
}
REPLICATES = 1_000

LCO1490, HCO2198 = "GGTCAACAAATCATAAAGATATTGG", "TAAACTTCAGGGTGACCAAAAAATCA"
MLCOI_INT_F, SITE_EDITS = "GGWACWGGWTGAACWGTWTAYCCYCC", 8
MINI_BP, LEAST_MINI_BP = 313, 200
_EQUALITIES = [(c, b) for c, bases in IUPAC_BASES.items() if len(bases) > 1 for b in bases]


def upright(sequence: str) -> tuple[str, int | None]:
    """Returns the strand that the site of mlCOIintF is on, and where it ends; as given without one."""
    found: list[tuple[int, str, int]] = []
    for strand in (sequence, reverse_complement(sequence)):
        site = edlib.align(
            *(MLCOI_INT_F, strand),
            mode="HW",
            task="locations",
            k=SITE_EDITS,
            additionalEqualities=_EQUALITIES,
        )
        if site["editDistance"] >= 0:
            found.append((site["editDistance"], strand, site["locations"][0][1] + 1))
    return min(found)[1:] if found else (sequence, None)


def mini_barcode(sequence: str) -> str:
    """Returns the 313 bases after mlCOIintF (Leray et al. 2013), fewer where the barcode ends before.

    Without the site, or with fewer than 200 bases after it, these are the last 313.
    """
    strand, end = upright(sequence)
    if end is not None and len(strand) - end >= LEAST_MINI_BP:
        return strand[end : end + MINI_BP]
    return strand[-MINI_BP:]


def with_n(sequence: str, rng: np.random.Generator) -> str:
    """Returns the sequence with one base in fifty replaced by N."""
    letters = np.array(list(sequence))
    letters[rng.random(len(letters)) < 0.02] = "N"
    return "".join(letters)


def without_middle(sequence: str) -> str:
    """Returns the sequence without the base in its middle."""
    return sequence[: len(sequence) // 2] + sequence[len(sequence) // 2 + 1 :]


READS: dict[str, Callable[[str, np.random.Generator], str]] = {
    "clean": lambda s, _: s,
    "first base lost": lambda s, _: s[1:],
    "a base lost in the middle": lambda s, _: without_middle(s),
    "10 bases trimmed at the start": lambda s, _: s[10:],
    "10 bases trimmed at the end": lambda s, _: s[:-10],
    "reverse complement": lambda s, _: reverse_complement(s),
    "2 % N": with_n,
    "313-bp mini-barcode": lambda s, _: mini_barcode(s),
    "primers left on": lambda s, _: LCO1490 + upright(s)[0] + reverse_complement(HCO2198),
}


@dataclass(frozen=True)
class Split:
    """One split's barcodes: keys, queries whose species has a key, and what is known of them."""

    key_barcodes: list[str]
    key_species: NDArray[np.str_]
    queries: list[str]
    species_Q: NDArray[np.str_]
    part_Q: NDArray[np.str_]
    group_Q: NDArray[np.str_]


def main() -> None:
    """Trains both towers on each split of each collection and measures them on damaged reads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    hits: dict[tuple[str, str, str], list[NDArray[np.bool_]]] = defaultdict(list)
    asked_of: dict[str, list[Split]] = defaultdict(list)
    seconds: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (table, _) in COLLECTIONS.items():
            place = Path(folder) / name
            holotype.import_("table", [real_data() / table], into=place, preset="barcodes")
        for seed in asked.splits:
            for name, (_, require) in COLLECTIONS.items():
                place = Path(folder) / name
                parted = place.parent / f"{name}-{seed}.parquet"
                holotype.split(place, out=parted, method="seen-unseen", seed=seed, require=require)
                split = read_one(place, parted, seed)
                for method in METHODS:
                    started = time.monotonic()
                    embed = embedder(method, place, parted)
                    took = {"collection": name, "split": seed, "method": method}
                    seconds.append({**took, "train_s": round(time.monotonic() - started, 1)})
                    for read, found in answered(embed, split, seed).items():
                        hits[name, method, read].append(found)
                asked_of[name].append(split)
                rows = all_rows(hits, asked_of)
                write_results("reads", {"rows": rows, "training": seconds}, page(rows, seconds))


def read_one(place: Path, parted: Path, seed: int) -> Split:
    """Returns the barcodes of a split."""
    parts = read_split(parted)
    table = open_collection(place).columns(["barcode", "species"])
    barcode = table["barcode"].to_pylist()
    species = np.asarray([name or "" for name in table["species"].to_pylist()])
    present = np.asarray([text is not None for text in barcode])
    keys = np.flatnonzero(present & (parts.role_N == Role.KEY.value))
    tested = present & (parts.role_N == Role.TEST.value) & (species != "")
    tests = np.flatnonzero(tested & np.isin(species, species[keys]))
    return Split(
        [barcode[row] for row in keys],
        species[keys],
        [barcode[row] for row in tests],
        species[tests],
        np.where(parts.status_N[tests] == Status.UNSEEN.value, *reversed(PARTS)),
        np.asarray([f"{seed}-{group}" for group in parts.group_N[tests]]),
    )


def embedder(method: str, place: Path, parted: Path) -> Callable[[list[str]], NDArray[np.float32]]:
    """Returns what turns barcodes into unit vectors, after training it where it has to be."""
    if method == KMERS:
        return kmer_features
    run = parted.with_suffix(f".{method.replace(' ', '-')}")
    holotype.train("barcodes", collection=place, split=parted, out=run, overrides=OVERRIDES[method])
    model = open_bundle(run).model

    def embed(barcodes: list[str]) -> NDArray[np.float32]:
        count = len(barcodes)
        names = [str(place) for place in range(count)]
        materials, _ = prepare_loose(names, [None] * count, barcodes, pixels=None)
        return encode(model, materials)[Modality.BARCODE].z_RD

    return embed


def answered(
    embed: Callable[[list[str]], NDArray[np.float32]], split: Split, seed: int
) -> dict[str, NDArray[np.bool_]]:
    """Returns for each kind of read whether the nearest clean key is of the query's species."""
    key_KD = embed(split.key_barcodes)
    found = {}
    for read, damage in READS.items():
        rng = generator(seed, "reads", read)
        query_QD = embed([damage(barcode, rng) for barcode in split.queries])
        nearest_Q = (query_QD @ key_KD.T).argmax(axis=1)
        found[read] = split.key_species[nearest_Q] == split.species_Q
    return found


def all_rows(
    hits: dict[tuple[str, str, str], list[NDArray[np.bool_]]], asked_of: dict[str, list[Split]]
) -> list[dict[str, Any]]:
    """Returns accuracy, its share of the clean figure and our lead, with paired intervals."""
    rows = []
    for name, splits in asked_of.items():
        part_Q = np.concatenate([split.part_Q for split in splits])
        group_Q = np.concatenate([split.group_Q for split in splits])
        for part in PARTS:
            of_part = part_Q == part
            mean = {
                (method, read): means(
                    np.concatenate(hits[name, method, read])[of_part], group_Q[of_part]
                )
                for method in METHODS
                for read in READS
            }
            for (method, read), value_R in mean.items():
                clean_R = mean[method, "clean"]
                share_R = value_R / np.maximum(clean_R, 1e-9)
                ahead_R = mean[OURS, read] - value_R
                rows.append(
                    {
                        **{"collection": name, "part": part, "method": method, "read": read},
                        **{"splits": len(splits), "n": int(of_part.sum())},
                        **interval("top1", value_R),
                        **interval("share_of_clean", share_R),
                        **interval("ours_ahead", ahead_R),
                    }
                )
    return rows


def means(hit_Q: NDArray[np.bool_], group_Q: NDArray[np.str_]) -> NDArray[np.float64]:
    """Returns the share of hits, then its bootstrap replicates over groups; equal draws make them paired."""
    groups, index_Q = np.unique(group_Q, return_inverse=True)
    right_G, all_G = np.bincount(index_Q, hit_Q), np.bincount(index_Q)
    rng = generator(0, "bootstrap")
    drawn_RG = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=REPLICATES)
    drawn_RG = np.concatenate([np.ones((1, len(groups)), dtype=drawn_RG.dtype), drawn_RG])
    replicate_R: NDArray[np.float64] = (drawn_RG @ right_G) / (drawn_RG @ all_G)
    return replicate_R


def interval(name: str, value_R: NDArray[np.float64]) -> dict[str, float]:
    """Returns a figure with its 95 % interval; the first value is the figure."""
    low, high = np.percentile(value_R[1:], [2.5, 97.5])
    found = {name: value_R[0], f"{name}_low": low, f"{name}_high": high}
    return {key: round(float(value), 4) for key, value in found.items()}


def page(rows: list[dict[str, Any]], seconds: list[dict[str, Any]]) -> list[str]:
    """Returns the figures as Markdown tables."""
    lines = [
        "# Damaged reads: species of the nearest clean key, top-1",
        "",
        "Per cent right (its share of the clean figure, with a 95 % interval paired over groups of queries).",
        "The last column is our lead over the k-mer BERT in points, paired in the same way.",
    ]
    cell = {(r["collection"], r["part"], r["method"], r["read"]): r for r in rows}
    for name, part in dict.fromkeys((r["collection"], r["part"]) for r in rows):
        first = cell[name, part, OURS, "clean"]
        lines += [
            *(
                "",
                f"## {name}, {part} species: {first['n']} queries of {first['splits']} splits",
                "",
            ),
            f"| read | {' | '.join(METHODS)} | ours ahead |",
            f"| --- |{' --- |' * (len(METHODS) + 1)}",
        ]
        for read in READS:
            told = [shown(cell[name, part, method, read]) for method in METHODS]
            peer = cell[name, part, PEER, read]
            ahead = [100 * peer[key] for key in ("ours_ahead", "ours_ahead_low", "ours_ahead_high")]
            lines.append(
                f"| {read} | {' | '.join(told)} | {ahead[0]:+.1f} [{ahead[1]:+.1f}, {ahead[2]:+.1f}] |"
            )
    took = [
        f"{m} {np.mean([s['train_s'] for s in seconds if s['method'] == m]):.0f} s"
        for m in (OURS, PEER)
    ]
    return [*lines, "", f"Training, mean of the runs: {', '.join(took)}."]


def shown(row: dict[str, Any]) -> str:
    """Returns accuracy, share of clean and the interval of the share."""
    share = [100 * row[f"share_of_clean{end}"] for end in ("", "_low", "_high")]
    return f"{100 * row['top1']:.1f} ({share[0]:.1f} [{share[1]:.1f}, {share[2]:.1f}])"


if __name__ == "__main__":
    main()
