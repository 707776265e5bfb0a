"""Does labelling what `holotype queue` chooses teach more than labelling at random?

Crops of ISIIS that the shipped starter was not trained on, and those of UVP6 (an instrument that it never
saw; images that bear two labels are left out). Half of them are the pool, half the examination, dealt anew by
each seed. The head is a nearest class mean or a linear discriminant of the starter's embeddings.

Run: python benchmarks/quality/label_queue.py [--seeds 5]
"""

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from machine import real_data, write_results
from numpy.typing import NDArray

from holotype.assessing.choosing import choose
from holotype.assessing.probe import discriminant
from holotype.assessing.worth import Why, worth
from holotype.files import sha256_bytes
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.inputs.materials import prepare_loose
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import members
from holotype.models.bundle import TRAINING_RECORDS, Bundle, open_bundle, softmax
from holotype.models.encode import encode
from holotype.randomness import generator

BUDGETS = (20, 50, 100, 200)
SETS = {"isiis": "plankton/isiis/planktonset1.zip", "uvp6": "plankton/uvp6/images"}


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    bundle = open_bundle("starter")
    rows = []
    for name, place in SETS.items():
        z_ND, p_NL, class_N = embedded(bundle, real_data() / place)
        for seed in range(seeds):
            rows += [{"set": name, **row} for row in one_seed(bundle, z_ND, p_NL, class_N, seed)]
    write_results("label_queue", {"rows": rows, "model": bundle.fingerprint}, page(rows))


def embedded(
    bundle: Bundle, place: Path
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """Returns embeddings, probabilities and classes of the crops that the starter did not learn from."""
    seen = set(pq.read_table(bundle.path / TRAINING_RECORDS)["image_sha256"].to_pylist())
    label_of: dict[str, set[str]] = {}
    contents: dict[str, bytes] = {}
    for name, content in crops(place):
        key = sha256_bytes(content)
        if key not in seen:
            label_of.setdefault(key, set()).add(name.split("/")[-2])
            contents[key] = content
    keys = sorted(key for key, labels in label_of.items() if len(labels) == 1)
    vectors, scores, classes = [], [], []
    items = iter(keys)
    while part := list(islice(items, 512)):
        images = [contents[key] for key in part]
        found, _ = prepare_loose(part, images, [None] * len(part), pixels=bundle.pixels)
        for modality, of in encode(bundle.model, found).items():
            vectors.append(of.z_RD)
            scores.append(softmax(of.logit_RL, temperature=bundle.temperature.get(modality, 1.0)))
            classes += [next(iter(label_of[part[row]])) for row in of.row_R]
    _, class_N = np.unique(classes, return_inverse=True)
    return np.concatenate(vectors), np.concatenate(scores), class_N.astype(np.int64)


def crops(place: Path) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of the images of a folder or zip."""
    for member in members(place):
        if member.skip_reason is None and member.error is None and member.suffix in IMAGE_SUFFIXES:
            yield member.name, member.read()


def one_seed(
    bundle: Bundle,
    z_ND: NDArray[np.float32],
    p_NL: NDArray[np.float64],
    class_N: NDArray[np.int64],
    seed: int,
) -> Iterator[dict[str, object]]:
    """Yields the figures of each way of choosing, for each budget."""
    order = generator(seed, "queue benchmark").permutation(len(z_ND))
    pool, asked = order[: len(order) // 2], order[len(order) // 2 :]
    value = worth(answers_of(bundle, p_NL[pool]))
    for n in BUDGETS:
        ways = {
            "queue": choose(value.worth_N, z_ND[pool], n=n, seed=seed).row_K,
            "random": generator(seed, "random", n).choice(len(pool), n, replace=False),
            "most doubtful": np.argsort(-value.rank_N[Why.DOUBT], kind="stable")[:n],
        }
        for way, chosen in ways.items():
            rows = pool[chosen]
            for head, said in heads(
                z_ND[rows], class_N[rows], z_ND[asked], int(class_N.max()) + 1
            ).items():
                right = said == class_N[asked]
                classes = [right[class_N[asked] == c].mean() for c in np.unique(class_N[asked])]
                yield {
                    "seed": seed, "n": n, "way": way, "head": head, "micro": float(right.mean()),
                    "macro": float(np.mean(classes)), "classes_found": len(set(class_N[rows].tolist())),
                }  # fmt: skip


def heads(
    z_ND: NDArray[np.float32], class_N: NDArray[np.int64], query_QD: NDArray[np.float32], classes: int
) -> dict[str, NDArray[np.int64]]:  # fmt: skip
    """Returns what each head answers."""
    sum_CD = np.zeros((classes, z_ND.shape[1]))
    np.add.at(sum_CD, class_N, z_ND)
    mean_CD = sum_CD / np.maximum(np.linalg.norm(sum_CD, axis=1, keepdims=True), 1e-9)
    near_QC = query_QD @ mean_CD.T
    near_QC[:, np.bincount(class_N, minlength=classes) == 0] = -np.inf
    return {
        "class means": near_QC.argmax(axis=1),
        "discriminant": discriminant(z_ND, class_N, query_QD, classes).argmax(axis=1),
    }


def answers_of(bundle: Bundle, p_NL: NDArray[np.float64]) -> pa.Table:
    """Returns answers as `holotype predict` writes them, as far as the queue reads them."""
    names, rows = bundle.labels.names, []
    for p_L in p_NL:
        best = np.argsort(-p_L, kind="stable")[:5].tolist()
        top = [{"label": names[k], "score": float(p_L[k])} for k in best]
        rows.append({"label": names[best[0]], "score": top[0]["score"], "top_k": json.dumps(top)})
    return pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA)


def page(rows: list[dict[str, object]]) -> list[str]:
    """Returns the figures as a table: macro accuracy, means over seeds, difference to random."""
    lines = [
        "# What to label next\n",
        "| crops | head | labels | queue | random | difference (least, most) | most doubtful |",
        "|---|---|---|---|---|---|---|",
    ]
    cells: dict[tuple[object, ...], dict[object, list[float]]] = {}
    for row in rows:
        key = (row["set"], row["head"], row["n"])
        cells.setdefault(key, {}).setdefault(row["way"], []).append(float(str(row["macro"])))
    for key, found in cells.items():
        gap = np.asarray(found["queue"]) - np.asarray(found["random"])
        mean = {way: np.mean(values) for way, values in found.items()}
        lines.append(
            f"| {key[0]} | {key[1]} | {key[2]} | {mean['queue']:.3f} | {mean['random']:.3f} | "
            f"{gap.mean():+.3f} ({gap.min():+.3f}, {gap.max():+.3f}) | {mean['most doubtful']:.3f} |"
        )
    return lines


if __name__ == "__main__":
    main()
