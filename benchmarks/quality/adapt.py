"""What a few labelled images teach: a model of one instrument adapted to the labels of three others.

The model learnt PlanktonSet 1.0 (ISIIS) alone; crops of ZooLake (Scripps Plankton Camera), a FlowCam and an
IFCB are new to it, and nearly all of their labels. k images a label are drawn five times, the rest is named;
labels with too few images for a k are left out of it. The same heads on thumbnails tell what the model adds.

Run: python benchmarks/quality/adapt.py [--run BUNDLE]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from machine import real_data, write_results
from numpy.typing import NDArray
from starter import build

import holotype
from holotype.adapting.choice import CANDIDATES, Examples, Method, choose, solved
from holotype.adapting.new_model import image_embeddings
from holotype.collection.store import Collection, open_collection
from holotype.evaluation.baselines import pixel_features
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import Bundle, open_bundle
from holotype.randomness import generator

SHOTS = (1, 5, 8)
DRAWS = 5


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, help="a bundle trained on ISIIS alone")
    parser.add_argument("--collection", type=Path, help="of all four instruments, where it is made")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = asked.collection or Path(folder) / "all"
        if asked.collection is None:
            build(place)
        run = asked.run or trained(Path(folder))
        bundle = open_bundle(run)
        if set(bundle.manifest["training"]["sources"]) != {"planktonset1.0"}:
            raise SystemExit(f"{run}: not a model of ISIIS alone")
        rows = [
            row
            for name in ("zoolake", "flowcam", "ifcb")
            for row in few(bundle, open_collection(place), f"crops-{name}")
        ]
    write_results("adapt", {"rows": rows, "model": bundle.fingerprint}, page(rows))


def trained(scratch: Path) -> Path:
    """Trains recipes/crops-supervised.toml on ISIIS."""
    place, parted = scratch / "isiis", scratch / "isiis.parquet"
    holotype.import_(
        "image-folder",
        [real_data() / "plankton/isiis/planktonset1.zip"],
        into=place,
        source="planktonset1.0",
        labels=real_data() / "taxonomy/planktonzilla_taxonomy.csv",
    )
    holotype.split(place, out=parted, seed=0)
    holotype.train("crops-supervised", collection=place, split=parted, out=scratch / "run")
    return scratch / "run"


def few(bundle: Bundle, collection: Collection, source: str) -> list[dict[str, Any]]:
    """Returns accuracy by method and k: mean, standard deviation and range over the draws."""
    table = collection.columns(["source", "written_label"]).to_pydict()
    rows = np.flatnonzero(np.asarray(table["source"]) == source)
    materials = prepare_collection(collection, pixels=bundle.pixels, rows=rows)
    written = np.asarray(table["written_label"])[rows]
    spaces = {
        "model": image_embeddings(bundle.model, materials),
        "pixels": pixel_features(materials.pixels_MSSC, materials.size_M4[:, :2]),
    }
    found = []
    for shots in SHOTS:
        names, counts = np.unique(written, return_counts=True)
        names = names[counts >= shots + 1]
        use = np.isin(written, names)
        label_N = np.searchsorted(names, written[use])
        if len(names) < 2:
            continue
        for space, z_ND in spaces.items():
            for method in (Method.PROTOTYPES, Method.PROBE):
                right = [drawn(z_ND[use], label_N, shots, method, seed) for seed in range(DRAWS)]
                found.append(
                    {
                        "source": source,
                        "labels": len(names),
                        "shots": shots,
                        "space": space,
                        "method": method.value,
                        "accuracy": float(np.mean(right)),
                        "sd": float(np.std(right, ddof=1)),
                        "least": float(np.min(right)),
                        "most": float(np.max(right)),
                        "chance": 1 / len(names),
                        "queries": len(label_N) - shots * len(names),
                    }
                )
                print(found[-1], flush=True)
    return found


def drawn(
    z_ND: NDArray[np.float32], label_N: NDArray[np.int64], shots: int, method: Method, seed: int
) -> float:
    """Returns the accuracy on the images that one draw leaves."""
    rng = generator(seed, "adapt", shots)
    support = np.zeros(len(label_N), dtype=np.bool_)
    for label in np.unique(label_N):
        support[rng.choice(np.flatnonzero(label_N == label), shots, replace=False)] = True
    own = np.arange(len(label_N))
    examples = Examples(z_ND, label_N, own, int(label_N.max()) + 1).at(support)
    head = solved(choose(CANDIDATES[method], examples, seed=seed), examples)
    return float((head.logits(z_ND[~support]).argmax(axis=1) == label_N[~support]).mean())


def page(rows: list[dict[str, Any]]) -> list[str]:
    """Returns the figures as a Markdown table."""
    lines = [
        "# A model of one instrument, adapted to the labels of others",
        "",
        f"Accuracy on the images left over, mean over {DRAWS} draws, and the range over draws.",
        "",
        "| source | labels | images a label | embedding | method | right | range | chance | queries |",
        "| --- | --: | --: | --- | --- | --: | --- | --: | --: |",
    ]
    lines += [
        f"| {one['source']} | {one['labels']} | {one['shots']} | {one['space']} | {one['method']} | "
        f"{one['accuracy']:.3f} | {one['least']:.3f} to {one['most']:.3f} | {one['chance']:.3f} | "
        f"{one['queries']} |"
        for one in rows
    ]
    return lines


if __name__ == "__main__":
    main()
