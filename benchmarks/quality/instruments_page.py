"""The figures of the benchmark of instruments: means with intervals, and their page."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

INSTRUMENTS = ("uvp6", "zoolake", "isiis", "flowcam", "ifcb")
SHOTS, DRAWS, RESAMPLES = (1, 5, 10), 20, 1000


@dataclass(frozen=True)
class Crops:
    """The crops of the shared groups.

    Attributes:
        row_N: rows of the collection.
        instrument_N, group_N, label_N: names.
        conflicting: records left out because the same file bears labels that exclude each other.
    """

    row_N: NDArray[np.int64]
    instrument_N: NDArray[np.str_]
    group_N: NDArray[np.str_]
    label_N: NDArray[np.str_]
    conflicting: int


@dataclass(frozen=True)
class Answer:
    """What one model says of the held-out crops: right or not, and accuracies by number of shots."""

    hit_Q: NDArray[np.bool_]
    few_shot: dict[int, list[float]]


def figures(
    crops: Crops, answers: dict[tuple[str, str, int], Answer], variants: list[str], seeds: int
) -> dict[str, Any]:
    """Returns means with intervals: by variant and instrument, over instruments, and against plain."""
    rng = generator(0, "instruments", "bootstrap")
    cells: dict[str, list[NDArray[np.int64]]] = {}
    for held_out in INSTRUMENTS:
        known = sorted(set(crops.group_N[crops.instrument_N != held_out].tolist()))
        test_Q = (crops.instrument_N == held_out) & np.isin(crops.group_N, known)
        group_Q = crops.group_N[test_Q]
        cells[held_out] = [np.flatnonzero(group_Q == g) for g in sorted(set(group_Q.tolist()))]
    named = {
        held_out: np.stack(
            [
                np.stack([answers[v, held_out, s].hit_Q for s in range(seeds)]).astype(np.float64)
                for v in variants
            ]
        )
        for held_out in INSTRUMENTS
    }
    draws: dict[str, list[NDArray[np.float64]]] = {held_out: [] for held_out in INSTRUMENTS}
    for number in range(RESAMPLES + 1):
        chosen_S = rng.integers(0, seeds, seeds) if number else np.arange(seeds)
        for held_out in INSTRUMENTS:
            hit_VSQ = named[held_out][:, chosen_S]
            accuracy_GV = [
                hit_VSQ[..., rng.choice(cell, len(cell)) if number else cell].mean(axis=(1, 2))
                for cell in cells[held_out]
            ]
            draws[held_out].append(np.mean(accuracy_GV, axis=0))
    sampled = {held_out: np.stack(values) for held_out, values in draws.items()}
    sampled["mean"] = np.mean([sampled[held_out] for held_out in INSTRUMENTS], axis=0)
    for shots in SHOTS:
        few = _few_shot_draws(answers, variants, seeds, shots, rng)
        sampled |= {f"{name} {shots}-shot": values for name, values in few.items()}
    return {
        "scores": {
            variant: {name: interval(values_RV[:, n]) for name, values_RV in sampled.items()}
            for n, variant in enumerate(variants)
        },
        "gain": {
            variant: {
                name: interval(values_RV[:, n] - values_RV[:, 0])
                for name, values_RV in sampled.items()
            }
            for n, variant in enumerate(variants)
            if n
        },
    }


def _few_shot_draws(
    answers: dict[tuple[str, str, int], Answer],
    variants: list[str],
    seeds: int,
    shots: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    """Returns resampled accuracies (R, V) by instrument and their mean; the first row is not resampled."""
    found: dict[str, NDArray[np.float64]] = {}
    for held_out in INSTRUMENTS:
        if not answers[variants[0], held_out, 0].few_shot[shots]:
            continue
        value_VSD = np.asarray(
            [[answers[v, held_out, s].few_shot[shots] for s in range(seeds)] for v in variants]
        )
        rows = [value_VSD.mean(axis=(1, 2))]
        for _ in range(RESAMPLES):
            seed_S = rng.integers(0, seeds, seeds)[:, None]
            draw_SD = rng.integers(0, DRAWS, (seeds, DRAWS))
            rows.append(value_VSD[:, seed_S, draw_SD].mean(axis=(1, 2)))
        found[held_out] = np.stack(rows)
    return found | {"mean": np.mean(list(found.values()), axis=0)}


def interval(value_R: NDArray[np.float64]) -> dict[str, float]:
    """Returns the first value, and the range of the middle 95 % of the others."""
    low, high = np.quantile(value_R[1:], [0.025, 0.975])
    return {"value": float(value_R[0]), "low": float(low), "high": float(high)}


def described(crops: Crops) -> dict[str, Any]:
    """Returns how many crops there are, by group and instrument, and how often chance is right."""
    counted: dict[str, dict[str, int]] = defaultdict(dict)
    for group, instrument in zip(crops.group_N.tolist(), crops.instrument_N.tolist(), strict=True):
        counted[group][instrument] = counted[group].get(instrument, 0) + 1
    chance = {
        name: 1 / len(set(crops.group_N[crops.instrument_N != name].tolist()))
        for name in INSTRUMENTS
    }
    return {"crops": dict(counted), "conflicting": crops.conflicting, "chance": chance}


def page(content: dict[str, Any]) -> list[str]:
    """Returns the figures as Markdown."""
    lines = [
        "# Another instrument: trained on four, tested on the fifth",
        "",
        f"At most {content['most_crops']} crops a group and instrument, drawn once (seed 0).",
        f"{content['conflicting']} records are left out: the same file bears two labels (UVP6:",
        "darksphere as Copepoda). Groups are the classes that two or more instruments show, a phylum",
        "where more show it than any class of it, and detritus. Crops:",
        "",
        f"| {' | '.join(['group', *INSTRUMENTS])} |",
        f"| --- |{' --: |' * len(INSTRUMENTS)}",
    ]
    for group, counted in sorted(content["crops"].items()):
        lines.append(f"| {group} | {' | '.join(str(counted.get(i, '')) for i in INSTRUMENTS)} |")
    chance = ", ".join(f"{name} {value:.2f}" for name, value in content["chance"].items())
    lines += [
        "",
        "Figures are macro accuracies over the groups of the instrument left out, among all groups of the",
        f"others. Chance: {chance}.",
        "With examples: nearest class mean among the groups of that instrument (IFCB: its labels, as it",
        f"has one group), {DRAWS} draws of the examples. Intervals (95 %) resample crops within groups,",
        "or the draws.",
        "Micrometres are nominal (UVP6 73, ISIIS 70, IFCB 0.294 a pixel), unknown for FlowCam and ZooLake.",
        f"Crops with a burnt-in mark: {content['changed']}; without one, removal changes no pixel.",
    ]
    if content["seeds"]:
        tower = content["tower"]
        lines += [
            "",
            "## A small tower",
            "",
            f"Width {tower['width']}, depth {tower['depth']}, grey crops of {tower['side_px']} px,",
            f"{content['steps']} batches of {tower['batch']}, {content['seeds']} seeds, resampled too.",
            *_tables(content),
        ]
    return [
        *lines,
        "",
        "## Without a tower: thumbnails",
        "",
        "The 20 nearest thumbnails of 16 px beside the size: no training and no seeds, so that style",
        "augmentation has no part in it.",
        *_tables(content["thumbnails"]),
    ]


def _tables(content: dict[str, Any]) -> list[str]:
    lines = []
    for shots in (0, *SHOTS):
        example = "example" if shots == 1 else "examples"
        lines += [
            "",
            f"| {shots or 'no'} {example} | {' | '.join([*INSTRUMENTS, 'mean', 'mean against plain'])} |",
            f"| --- |{' --- |' * (len(INSTRUMENTS) + 2)}",
            *_rows(content, f" {shots}-shot" if shots else ""),
        ]
    return lines


def _rows(content: dict[str, Any], ending: str) -> list[str]:
    rows = []
    for variant, scores in content["scores"].items():
        cells = [_cell(scores.get(f"{name}{ending}")) for name in (*INSTRUMENTS, "mean")]
        gain = content["gain"].get(variant, {}).get(f"mean{ending}")
        told = f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})" if gain else ""
        rows.append(f"| {variant} | {' | '.join(cells)} | {told} |")
    return rows


def _cell(found: dict[str, float] | None) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" if found else ""
