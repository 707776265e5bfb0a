"""Nearest records among a million: queries per second, recall and memory, exact and by cells; faiss beside.

Speed is told by processor time, so that a busy machine does not blur it: give it one thread
(OMP_NUM_THREADS=1).
Vectors are unit rows: half of the runs on clusters (like the embeddings of species), half without any order,
which no index can shorten. Run: python benchmarks/speed/index.py [--vectors 1000000] [--dim 256]
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.index.exact import nearest_exact
from holotype.index.store import Index, open_index
from holotype.index.vectors import Vectors
from holotype.index.writing import write_index

RESULTS = Path(__file__).parent / "results"
KINDS = ("clustered", "random")
CENTRES, SPREAD = 5_000, 1.0
K, QUERIES = 10, 256
BATCHES = (1, 16, 256)
BLOCK = 65_536


def main() -> None:
    """Makes the vectors, measures each way in a process of its own, writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--without-cells", action="store_true", help="search exactly alone: quicker"
    )
    asked = parser.parse_args()
    content: dict[str, Any] = {
        "vectors": asked.vectors, "dim": asked.dim, "k": K, "queries": QUERIES,
        "threads": os.environ.get("OMP_NUM_THREADS", "all"), "machine": machine_line(), "kinds": {},
    }  # fmt: skip
    for kind in asked.kinds:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            exactly = in_process(write, folder, kind, asked.vectors, asked.dim)
            cells = None if asked.without_cells else in_process(write_cells, folder)
            ways = {
                name: in_process(measure, folder, name)
                for name in WAYS
                if cells is not None or name != "cells"
            }
        content["kinds"][kind] = {
            "written": exactly, "cells": cells, "ways": ways, "load": os.getloadavg()[0],
        }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "index.json").write_text(json.dumps(content, indent=2) + "\n")
    text = "\n".join(page(content)) + "\n"
    (RESULTS / "index.md").write_text(text)
    print(text)


def in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Returns what a function gives in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def made(kind: str, count: int, dim: int, *, seed: int) -> NDArray[np.float16]:
    """Returns unit vectors; ``clustered`` ones lie about the same centres for every seed."""
    rng = np.random.default_rng(seed)
    centre_CD = np.random.default_rng(1).standard_normal((CENTRES, dim), dtype=np.float32)
    found = np.empty((count, dim), dtype=np.float16)
    for start in range(0, count, BLOCK):
        stop = min(count, start + BLOCK)
        block = rng.standard_normal((stop - start, dim), dtype=np.float32)
        if kind == "clustered":
            block = centre_CD[rng.integers(0, CENTRES, stop - start)] + SPREAD * block
        found[start:stop] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return found


def write(folder: Path, kind: str, count: int, dim: int) -> dict[str, Any]:
    """Writes the queries, and the vectors as an index that is searched exactly."""
    z_VD = made(kind, count, dim, seed=2)
    np.save(folder / "queries.npy", made(kind, QUERIES, dim, seed=3).astype(np.float32))
    records = pa.table({"record_id": [f"r{number}" for number in range(count)]})
    vectors = {"image": Vectors.of(z_VD)}
    index = write_index(folder / "exact", records, vectors, model="made", exact_up_to=count)
    size_mb = (index.data / "image.npy").stat().st_size / 1e6
    return {"vectors_mb": size_mb, "peak_mb": peak_mb()}


def write_cells(folder: Path) -> dict[str, Any]:
    """Writes the same vectors as an index that is searched by cells."""
    exactly = open_index(folder / "exact")
    started = time.process_time()
    records = exactly.columns(["record_id"])
    index = write_index(folder / "cells", records, exactly.vectors, model="made", exact_up_to=0)
    return {
        "build_s": time.process_time() - started,
        "cells_mb": (index.data / "image.cells.faiss").stat().st_size / 1e6,
        "peak_mb": peak_mb(),
        **index.manifest["vectors"]["image"],
    }


def measure(folder: Path, name: str) -> dict[str, Any]:
    """Returns queries per second by batch, recall at 10 against float64, and memory of one way."""
    query_QD = np.load(folder / "queries.npy")
    before = peak_mb()
    started = time.process_time()
    search = WAYS[name](folder)
    opened = time.process_time() - started
    search(query_QD[:1])
    rates = {}
    for batch in BATCHES:
        asked = QUERIES if batch > 1 else 32
        started = time.process_time()
        for start in range(0, asked, batch):
            search(query_QD[start : start + batch])
        rates[str(batch)] = asked / (time.process_time() - started)
    memory = peak_mb() - before
    found_QK = search(query_QD)
    keys = open_index(folder / "exact").vectors["image"].z_VD
    true_QK, _ = nearest_exact(query_QD, keys, k=K)
    shared = [len({*a} & {*b}) for a, b in zip(found_QK.tolist(), true_QK.tolist(), strict=True)]
    return {
        "open_s": opened, "queries_per_s": rates, "memory_mb": memory,
        "recall": sum(shared) / (K * QUERIES),
    }  # fmt: skip


Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]


def ours(folder: Path, name: str) -> Search:
    """Returns search in an index of ours."""
    index: Index = open_index(folder / name)
    return lambda query_QD: index.nearest("image", query_QD, k=K)[0]


def filtered(folder: Path) -> Search:
    """Returns exact search among a tenth of the records; its recall is not of all of them."""
    index = open_index(folder / "exact")
    among = np.arange(len(index)) % 10 == 0
    return lambda query_QD: index.nearest("image", query_QD, k=K, among=among)[0]


def faiss_flat(folder: Path) -> Search:
    """Returns faiss's exact search over float32."""
    import faiss

    keys = open_index(folder / "exact").vectors["image"].z_VD
    flat = faiss.IndexFlatIP(keys.shape[1])
    for start in range(0, len(keys), BLOCK):
        flat.add(np.asarray(keys[start : start + BLOCK], dtype=np.float32))
    return lambda query_QD: flat.search(query_QD, K)[1]


def faiss_half(folder: Path) -> Search:
    """Returns faiss's exact search over float16."""
    import faiss

    keys = open_index(folder / "exact").vectors["image"].z_VD
    half = faiss.ScalarQuantizer.QT_fp16
    flat = faiss.IndexScalarQuantizer(keys.shape[1], half, faiss.METRIC_INNER_PRODUCT)
    for start in range(0, len(keys), BLOCK):
        flat.add(np.asarray(keys[start : start + BLOCK], dtype=np.float32))
    return lambda query_QD: flat.search(query_QD, K)[1]


WAYS: dict[str, Callable[[Path], Search]] = {
    "exact": lambda folder: ours(folder, "exact"),
    "exact, among a tenth": filtered,
    "cells": lambda folder: ours(folder, "cells"),
    "faiss IndexFlatIP": faiss_flat,
    "faiss fp16": faiss_half,
}


def peak_mb() -> float:
    """Returns the most memory that this process has held, mapped files that were read included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def machine_line() -> str:
    """Returns processor, cores and Python in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), ""
    )
    return f"{model or platform.processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def page(content: dict[str, Any]) -> list[str]:
    """Returns the lines of the page."""
    lines = [
        "# Nearest records",
        "",
        (
            f"{content['vectors']:,} vectors of {content['dim']} numbers, the {content['k']} nearest of "
            f"{content['queries']} queries; {content['machine']}; threads: {content['threads']}. "
            "Seconds are of processor time."
        ),
    ]
    for kind, found in content["kinds"].items():
        lines += ["", f"## {kind.capitalize()} vectors", "", made_line(found), ""]
        lines += [
            "| way | queries/s, one at a time | by 16 | by 256 | recall at 10 | memory, MB | ready, s |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for name, way in found["ways"].items():
            rates = " | ".join(f"{way['queries_per_s'][str(batch)]:,.1f}" for batch in BATCHES)
            recall = "-" if "among" in name else f"{way['recall']:.3f}"
            lines.append(
                f"| {name} | {rates} | {recall} | {way['memory_mb']:,.0f} | {way['open_s']:.1f} |"
            )
    return lines


def made_line(found: dict[str, Any]) -> str:
    """Returns what was made before searching, in words."""
    text = (
        f"Load of the machine {found['load']:.1f}. Vectors {found['written']['vectors_mb']:.0f} MB."
    )
    cells = found["cells"]
    if cells is None:
        return text
    return (
        f"{text} {cells['cells']:,} cells: {cells['build_s']:.0f} s to make, {cells['cells_mb']:.0f} MB, "
        f"{cells['probes']} looked into; recall when written {cells['recall']:.3f}, of strangers "
        f"{cells['recall_of_strangers']:.3f}."
    )


if __name__ == "__main__":
    main()
