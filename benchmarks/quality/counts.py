"""Counts of samples: as answered, and corrected for the classifier's confusion; and where they are refused.

Simulated: a fixed confusion of ten labels, records drawn from it. ISIIS: the shipped starter on the crops of
PlanktonSet 1.0 that it did not learn from: its validation part is the evidence, its test part the pool that
samples are drawn from, with other shares of labels each time. UVP6, ZooLake and changed ISIIS crops stand for
another domain. Errors are of the counts in the drawn samples, over the labels of the starter.

Run: python benchmarks/quality/counts.py [--samples 30] [--keep FOLDER]
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import pyarrow.parquet as pq
from machine import real_data, write_results
from numpy.typing import NDArray

import holotype
from holotype.collection.store import Collection, open_collection
from holotype.counting.correction import Corrector
from holotype.counting.domain import LARGE, LEAST_CHANCE, SMALL
from holotype.counting.evidence import Evidence
from holotype.counting.quantifiers import (
    adjusted_count,
    chosen_strength,
    classify_and_count,
    em_prior_shift,
    probabilistic_adjusted_count,
)
from holotype.inputs.materials import prepare_loose
from holotype.media.images import read_pixels
from holotype.models.bundle import TRAINING_RECORDS, Bundle, open_bundle, softmax
from holotype.models.encode import encode
from holotype.models.towers import Modality
from holotype.randomness import generator
from holotype.taxonomy.lineage import Rank

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

SIZES = (100, 500)
FEW_LABELS = 10
ENOUGH_RECORDS = 10
SIMULATED_TEMPERATURE = 0.7
"""The simulated classifier is so much too sure: its probabilities to this power are the true densities."""
DRAWS: dict[str, str] = {
    "natural": "the shares of the pool",
    "near": "Dirichlet about the shares of the pool, of 30 specimens",
    "far": "Dirichlet about the shares of the pool, of 5 specimens",
    "few": "ten labels of the pool by lot, any shares",
    "even": "all labels of the pool, any shares",
    "enough": "the labels of the pool with ten held-out records or more, any shares",
}
"""How the shares of a sample are drawn."""
CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "gamma 1.2": lambda grey: (255 * (grey / 255.0) ** 1.2).astype(np.uint8),
    "gamma 1.8": lambda grey: (255 * (grey / 255.0) ** 1.8).astype(np.uint8),
    "half the resolution": lambda grey: np.asarray(
        cv2.resize(
            grey,
            (max(8, grey.shape[1] // 2), max(8, grey.shape[0] // 2)),
            interpolation=cv2.INTER_AREA,
        ),
        dtype=np.uint8,
    ),
    "noise of 8 grey levels": lambda grey: np.clip(
        grey + np.random.default_rng(0).normal(0, 8, grey.shape), 0, 255
    ).astype(np.uint8),
    "inverted": lambda grey: (255 - grey).astype(np.uint8),
}
"""ISIIS as another camera might show it."""


@dataclass(frozen=True)
class Said:
    """What the starter said of crops: true label (-1 for none), probabilities, embeddings."""

    label_N: Whole
    probability_NL: NDArray[np.float32]
    z_ND: NDArray[np.float32]

    def take(self, rows: Any) -> "Said":
        """Returns that of some crops."""
        return Said(self.label_N[rows], self.probability_NL[rows], self.z_ND[rows])


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=30, help="of each kind and size")
    parser.add_argument("--keep", type=Path, help="folder for the collection")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = (asked.keep or Path(folder)) / "collection"
        if not place.is_dir():
            build(place)
        bundle = open_bundle("starter")
        said = told(bundle, open_collection(place))
    content = {
        "samples": asked.samples,
        "simulated": simulated(asked.samples),
        **real(bundle, said, asked.samples),
    }
    write_results("counts", content, page(content))


def build(into: Path) -> None:
    """Imports the crops."""
    crops = real_data() / "plankton"
    labels = real_data() / "taxonomy/planktonzilla_taxonomy.csv"
    archive = crops / "isiis/planktonset1.zip"
    holotype.import_("image-folder", [archive], into=into, source="planktonset1.0", labels=labels)
    for name in ("uvp6", "zoolake"):
        table = crops / name / "labels.csv"
        holotype.import_("table", [table], into=into, source=name, preset="crops")


def told(bundle: Bundle, collection: Collection) -> dict[str, Said]:
    """Returns what the starter says of what it did not learn from, by part and change."""
    records = pq.read_table(bundle.path / TRAINING_RECORDS, columns=["image_sha256", "role"])
    role = {one["image_sha256"]: one["role"] for one in records.to_pylist()}
    table = collection.columns(["source", "written_label", "image_sha256"]).to_pylist()
    parts: dict[str, list[bytes]] = {}
    rows: dict[str, list[int]] = {}
    for row, (one, (_, content)) in enumerate(zip(table, collection.images(), strict=True)):
        part = role.get(one["image_sha256"], "test")
        name = part if one["source"] == "planktonset1.0" else one["source"]
        if part != "train" and content is not None:
            parts.setdefault(name, []).append(content)
            rows.setdefault(name, []).append(row)
    from holotype.collection.store import concepts_of

    concepts = concepts_of(collection.columns())
    found = {}
    for name, contents in parts.items():
        written = [table[row]["written_label"] for row in rows[name]]
        own = bundle.labels.names_of(written, [concepts[row] for row in rows[name]])
        label_N = bundle.labels.index_of(own)
        found[name] = say(bundle, contents, label_N)
        if name == "test":
            for change, how in CHANGES.items():
                grey = [how(_grey(content)) for content in contents]
                found[change] = say(bundle, [_png(one) for one in grey], label_N)
    return found


def say(bundle: Bundle, contents: list[bytes], label_N: Whole) -> Said:
    """Returns what the starter says of encoded images."""
    names = [str(number) for number in range(len(contents))]
    materials, failures = prepare_loose(
        names, contents, [None] * len(contents), pixels=bundle.pixels
    )
    assert not failures
    encoded = encode(bundle.model, materials, batch_size=64)[Modality.IMAGE]
    assert encoded.logit_RL is not None
    probability = softmax(encoded.logit_RL, temperature=bundle.temperature[Modality.IMAGE])
    return Said(label_N, probability.astype(np.float32), encoded.z_RD)


def _grey(content: bytes) -> NDArray[np.uint8]:
    pixels = read_pixels(content)
    return np.asarray(pixels if pixels.ndim == 2 else pixels[:, :, 0], dtype=np.uint8)


def _png(grey: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", grey)[1])


def drawn_shares(kind: str, natural_L: Real, records_L: Whole, rng: np.random.Generator) -> Real:
    """Returns the shares of a sample, drawn as ``DRAWS`` says; ``records_L`` are held-out ones."""
    have = np.flatnonzero(natural_L)
    if kind == "enough":
        have = np.flatnonzero((natural_L > 0) & (records_L >= ENOUGH_RECORDS))
    share_L = np.zeros(len(natural_L))
    if kind == "natural":
        return natural_L
    if kind in ("near", "far"):
        share_L[have] = rng.dirichlet({"near": 30, "far": 5}[kind] * natural_L[have])
    elif kind == "few":
        chosen = rng.choice(have, FEW_LABELS, replace=False)
        share_L[chosen] = rng.dirichlet(np.ones(FEW_LABELS))
    else:
        share_L[have] = rng.dirichlet(np.ones(len(have)))
    return share_L


def drawn_rows(label_N: Whole, share_L: Real, size: int, rng: np.random.Generator) -> Whole:
    """Returns rows of a pool, with replacement, of labels drawn by their shares."""
    number_L = rng.multinomial(size, share_L)
    parts = [
        rng.choice(np.flatnonzero(label_N == label), number)
        for label, number in enumerate(number_L)
        if number
    ]
    return np.concatenate(parts)


def errors(found_L: Real, true_L: Real, size: int) -> dict[str, float]:
    """Returns the errors of shares: Bray-Curtis, mean absolute, mean relative of the labels that occur.

    The relative error is that of Sebastiani 2020, smoothed by half a specimen.
    """
    off_L = np.abs(found_L - true_L)
    here_L = true_L > 0
    smooth = 1 / (2 * size)
    relative = (off_L / (true_L + smooth))[here_L].mean()
    return {
        "bray_curtis": float(off_L.sum() / 2),
        "mean_absolute": float(off_L[here_L].mean()),
        "mean_relative": float(relative),
    }


def estimates(
    said: Said, evidence: Evidence, corrector: Corrector, rng: Any, *, power: float | None
) -> dict[str, Real]:
    """Returns the shares that each method finds, over all labels; the last ones are on recalibrated scores.

    Args:
        said: of the sample.
        evidence: held-out records.
        corrector: made of them.
        rng: of the strength.
        power: the probabilities to this power are the true densities, where these are known.
    """
    probability_NL = said.probability_NL.astype(np.float64)
    held_VL, label_V = evidence.probability_VL.astype(np.float64), evidence.label_V
    found_NK = corrector.recalibration.apply(said.probability_NL)
    strength = chosen_strength(found_NK, corrector.prior_K, rng)
    true_V = np.searchsorted(corrector.known_K, label_V)

    def wide(share_K: Real) -> Real:
        share_L = np.zeros(held_VL.shape[1])
        share_L[corrector.known_K] = share_K
        return share_L

    known: dict[str, Real] = {}
    if power is not None:
        density_NL = probability_NL**power
        even_L = np.full(density_NL.shape[1], 1.0 / density_NL.shape[1])
        found_L = em_prior_shift(density_NL, even_L, strength=float(len(even_L)))
        known["EM on the true densities, which no one knows"] = found_L
    return known | {
        "as answered": classify_and_count(probability_NL),
        "ACC": adjusted_count(probability_NL, held_VL, label_V),
        "PACC": probabilistic_adjusted_count(probability_NL, held_VL, label_V),
        "EM": em_prior_shift(probability_NL, held_VL.mean(axis=0)),
        "recalibrated, as answered": wide(classify_and_count(found_NK)),
        "recalibrated, PACC": wide(
            probabilistic_adjusted_count(found_NK, corrector.held_out_VK, true_V)
        ),
        "recalibrated, EM": wide(em_prior_shift(found_NK, corrector.prior_K)),
        "recalibrated, EM drawn to the evidence (default)": wide(
            em_prior_shift(found_NK, corrector.prior_K, strength=strength)
        ),
    }


def summary(values: list[float]) -> dict[str, float]:
    """Returns the median over samples with its 95 % interval, by bootstrap over samples."""
    value_S = np.asarray(values)
    drawn = generator(0, "counts", "summary").integers(0, len(value_S), (1000, len(value_S)))
    low, high = np.percentile(np.median(value_S[drawn], axis=1), [2.5, 97.5])
    return {"median": float(np.median(value_S)), "low": float(low), "high": float(high)}


def measured(
    pool: Said, evidence: Evidence, corrector: Corrector, kind: str, size: int, samples: int,
    class_L: Whole | None = None, power: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Returns errors of all methods over samples of one kind, how many are refused, and the coverage.

    Args:
        pool: what samples are drawn from.
        evidence: held-out records.
        corrector: made of them.
        kind: how shares are drawn.
        size: specimens of a sample.
        samples: how many.
        class_L: a coarser class of each label, to measure the errors at that level as well.
        power: as in ``estimates``.
    """
    num_labels = pool.probability_NL.shape[1]
    natural_L = np.bincount(pool.label_N, minlength=num_labels) / len(pool.label_N)
    records_L = np.bincount(evidence.label_V, minlength=num_labels)
    found: dict[str, dict[str, list[float]]] = {}
    refused, inside, asked, ratios = 0, 0, 0, []
    for number in range(samples):
        rng = generator(number, "counts", kind, size)
        share_L = drawn_shares(kind, natural_L, records_L, rng)
        said = pool.take(drawn_rows(pool.label_N, share_L, size, rng))
        true_L = np.bincount(said.label_N, minlength=num_labels) / size
        for method, found_L in estimates(said, evidence, corrector, rng, power=power).items():
            off = errors(found_L, true_L, size)
            if class_L is not None:
                at_class = errors(_summed(found_L, class_L), _summed(true_L, class_L), size)
                off |= {f"class_{name}": value for name, value in at_class.items()}
            for name, value in off.items():
                found.setdefault(method, {}).setdefault(name, []).append(value)
        correction = corrector.correct(said.probability_NL, said.z_ND, name=f"{kind} {number}")
        refused += not correction.domain.is_same
        if len(correction.replicate_RK):
            true_K = share_L[corrector.known_K] * size
            low_K, high_K = np.percentile(correction.replicate_RK, [2.5, 97.5], axis=0)
            ask_K = true_K >= 5
            inside += int(((true_K >= low_K) & (true_K <= high_K))[ask_K].sum())
            asked += int(ask_K.sum())
    default = list(found)[-1]
    for name, values in found[default].items():
        raw = np.asarray(found["as answered"][name])
        ratios.append((name, summary(list(np.asarray(values) / np.maximum(raw, 1e-9)))))
    return {
        "errors": {m: {n: summary(v) for n, v in by.items()} for m, by in found.items()},
        "ratio": dict(ratios),
        "refused": refused / samples,
        "coverage": inside / asked if asked else None,
        "intervals": asked,
    }


def _summed(share_L: Real, class_L: Whole) -> Real:
    return np.bincount(class_L, weights=share_L, minlength=int(class_L.max()) + 1)


def simulated(samples: int) -> dict[str, Any]:
    """Returns the figures where all is as assumed: ten labels, specimens drawn about their places."""
    rng = generator(0, "counts", "simulated")
    place_LD = rng.normal(size=(10, 4)) * 1.1

    def drawn(label_N: Whole) -> Said:
        x_ND = place_LD[label_N] + rng.normal(size=(len(label_N), 4))
        square_NL = ((x_ND[:, None, :] - place_LD) ** 2).sum(axis=2)
        probability = softmax(
            (-square_NL / 2).astype(np.float32), temperature=SIMULATED_TEMPERATURE
        )
        z_ND = x_ND / np.linalg.norm(x_ND, axis=1, keepdims=True)
        return Said(label_N, probability.astype(np.float32), z_ND.astype(np.float32))

    natural_L = rng.dirichlet(np.ones(10) * 2)
    held, pool = (drawn(rng.choice(10, n, p=natural_L)) for n in (1500, 20_000))
    evidence = as_evidence(held)
    corrector = Corrector(evidence)
    return {
        kind: {
            str(size): measured(
                pool, evidence, corrector, kind, size, samples, power=SIMULATED_TEMPERATURE
            )
            for size in (SIZES[1],)
        }
        for kind in ("natural", "far", "even")
    }


def as_evidence(said: Said) -> Evidence:
    """Returns held-out crops as evidence, each a group of its own."""
    known = said.take(np.flatnonzero(said.label_N >= 0))
    names = np.full(len(known.label_N), "", dtype=np.str_)
    group_V = np.arange(len(known.label_N))
    return Evidence(known.label_N, known.probability_NL, group_V, names, known.z_ND)


def real(bundle: Bundle, said: dict[str, Said], samples: int) -> dict[str, Any]:
    """Returns the figures on real crops."""
    evidence, pool = as_evidence(said["val"]), said["test"]
    corrector = Corrector(evidence)
    class_L = bundle.labels.tree.node_at_rank_L(Rank.CLASS)
    no_class = class_L < 0
    class_L[no_class] = class_L.max() + 1 + np.arange(no_class.sum())
    isiis = {
        kind: {
            str(size): measured(pool, evidence, corrector, kind, size, samples, class_L)
            for size in SIZES
        }
        for kind in DRAWS
    }
    elsewhere = {name: refusals(said[name], corrector, samples) for name in ("uvp6", "zoolake")}
    changed = {
        change: changed_figures(said[change], evidence, corrector, max(1, samples // 3))
        for change in CHANGES
    }
    return {
        "evidence": len(evidence),
        "labels_with_evidence": len(corrector.known_K),
        "pool": len(pool.label_N),
        "isiis": isiis,
        "other_instruments": elsewhere,
        "changed_isiis": changed,
    }


def refusals(said: Said, corrector: Corrector, samples: int) -> dict[str, Any]:
    """Returns how often random parts of another instrument are refused, and as a whole."""
    size = min(300, len(said.label_N) * 2 // 3)
    distances, refused = [], 0
    for number in range(samples):
        rng = generator(number, "counts", "elsewhere")
        rows = rng.choice(len(said.label_N), size, replace=False)
        one = said.take(rows)
        domain = corrector.estimate(one.probability_NL, one.z_ND, name=str(number)).domain
        refused += not domain.is_same
        distances.append(domain.distance)
    return {"size": size, "refused": refused / samples, "distance": summary(distances)}


def changed_figures(
    said: Said, evidence: Evidence, corrector: Corrector, samples: int
) -> dict[str, Any]:
    """Returns refusals of changed crops, and what the correction would have done."""
    found = {
        kind: measured(said, evidence, corrector, kind, SIZES[1], samples) for kind in ("natural",)
    }
    return {
        kind: {
            "refused": one["refused"],
            "bray_curtis_as_answered": one["errors"]["as answered"]["bray_curtis"],
            "bray_curtis_corrected": list(one["errors"].values())[-1]["bray_curtis"],
        }
        for kind, one in found.items()
    }


def _interval(one: dict[str, float], digits: int = 2) -> str:
    return f"{one['median']:.{digits}f} ({one['low']:.{digits}f} to {one['high']:.{digits}f})"


ISIIS_COLUMNS = (
    "samples", "size", "raw", "corrected", "ratio", "mean relative error, ratio", "by class: raw",
    "by class: corrected", "by class: ratio", "refused", "in the interval",
)  # fmt: skip


def page(content: dict[str, Any]) -> list[str]:
    """Returns the figures as Markdown."""
    samples = content["samples"]
    lines = [
        "# Counts, corrected for confusion",
        "",
        (
            f"The starter on ISIIS crops that it did not learn from. Evidence: its validation part, "
            f"{content['evidence']:,} crops of {content['labels_with_evidence']} labels. Samples are drawn "
            f"with replacement from its test part, {content['pool']:,} crops. Medians over {samples} "
            "samples, with 95 % intervals. Bray-Curtis is half the sum of the differences of shares: the "
            "part of the specimens that is counted under a wrong label."
        ),
        "",
        "## Error of the corrected counts, as a part of that of the raw ones",
        "",
        f"| {' | '.join(ISIIS_COLUMNS)} |",
        "| --- | --: | --: | --: | --- | --- | --: | --: | --- | --: | --: |",
    ]
    for kind, by_size in content["isiis"].items():
        for size, one in by_size.items():
            lines.append(_isiis_line(kind, size, one))
    lines += ["", *(f"`{kind}`: {what}." for kind, what in DRAWS.items())]
    lines += [
        "",
        (
            "`in the interval`: labels of which 5 or more were expected, and whose expected number lies in "
            "their 95 % interval. `by class`: labels summed to the class of their lineage."
        ),
        "",
        "## Methods",
        "",
        f"Median Bray-Curtis, samples of {SIZES[1]}.",
        "",
        f"| method | {' | '.join(DRAWS)} |",
        f"| --- | {' | '.join('--:' for _ in DRAWS)} |",
    ]
    by_kind = {kind: by_size[str(SIZES[1])]["errors"] for kind, by_size in content["isiis"].items()}
    for method in by_kind["natural"]:
        cells = [f"{by_kind[kind][method]['bray_curtis']['median']:.3f}" for kind in DRAWS]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    lines += _simulated_lines(content["simulated"])
    return [*lines, *_refused_lines(content)]


def _isiis_line(kind: str, size: str, one: dict[str, Any]) -> str:
    raw, best = one["errors"]["as answered"], list(one["errors"].values())[-1]
    cells = [
        kind, size, f"{raw['bray_curtis']['median']:.3f}", f"{best['bray_curtis']['median']:.3f}",
        _interval(one["ratio"]["bray_curtis"]), _interval(one["ratio"]["mean_relative"]),
        f"{raw['class_bray_curtis']['median']:.3f}", f"{best['class_bray_curtis']['median']:.3f}",
        _interval(one["ratio"]["class_bray_curtis"]), f"{one['refused']:.0%}",
        "" if one["coverage"] is None else f"{one['coverage']:.0%} of {one['intervals']:,}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _simulated_lines(content: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## Simulated",
        "",
        "Ten labels, 1,500 held-out records, all as the correction assumes. Median Bray-Curtis.",
        "",
        "| samples | size | method | error | refused | in the interval |",
        "| --- | --: | --- | --- | --: | --: |",
    ]
    for kind, by_size in content.items():
        for size, one in by_size.items():
            for method, by in one["errors"].items():
                last = method.endswith("(default)")
                ends = f"{one['refused']:.0%} | {one['coverage']:.0%}" if last else " | "
                error = _interval(by["bray_curtis"], 3)
                lines.append(f"| {kind} | {size} | {method} | {error} | {ends} |")
    return lines


def _refused_lines(content: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "## Refused",
        "",
        (
            f"A sample is refused above a distance of {LARGE}, and above {SMALL} where fewer than "
            f"{LEAST_CHANCE:.0%} of samples of the held-out records are as far."
        ),
        "",
        "| images | refused | distance | error as answered | error if it were corrected |",
        "| --- | --: | --- | --: | --: |",
    ]
    for name, one in content["other_instruments"].items():
        distance = _interval(one["distance"], 3)
        lines.append(f"| {name}, {one['size']} at a time | {one['refused']:.0%} | {distance} | | |")
    for change, by_kind in content["changed_isiis"].items():
        for kind, one in by_kind.items():
            lines.append(
                f"| ISIIS, {change}, {kind} | {one['refused']:.0%} | | "
                f"{one['bray_curtis_as_answered']['median']:.3f} | "
                f"{one['bray_curtis_corrected']['median']:.3f} |"
            )
    return lines


if __name__ == "__main__":
    main()
