"""The benchmark of instruments without a tower: the 20 nearest thumbnails.

No training and no chance: what remains is how crops are read. Each training crop stands in its four quarter
turns and their mirror images; groups are weighted by how rare they are.
"""

from typing import Any

import cv2
import numpy as np
from instruments_page import INSTRUMENTS, RESAMPLES, SHOTS, Crops, interval
from numpy.typing import NDArray

from holotype.media.kmers import unit_rows
from holotype.media.pixels import Pixels
from holotype.media.preparation import PixelPreparation
from holotype.randomness import generator

SIDE_PX, NEAREST, SIZE_WEIGHT = 16, 20, 0.15


def thumbnails(decoded: list[Pixels], preparation: PixelPreparation) -> NDArray[np.float32]:
    """Returns grey thumbnails, (N, S, S) in [0, 1], shrunk from what a tower would read."""
    squares = (preparation.apply(pixels)[..., 0] for pixels in decoded)
    side = (SIDE_PX, SIDE_PX)
    small = [cv2.resize(square, side, interpolation=cv2.INTER_AREA) for square in squares]
    return np.stack(small).astype(np.float32) / 255


def named_by_thumbnails(
    crops: Crops, thumbnail_NSS: NDArray[np.float32], size_NF: NDArray[np.float32], held_out: str
) -> NDArray[np.bool_]:
    """Returns whether each crop of the instrument left out gets its group, among those of the others."""
    inside_N = crops.instrument_N != held_out
    groups = sorted(set(crops.group_N[inside_N].tolist()))
    train_T = np.flatnonzero(inside_N)
    test_Q = np.flatnonzero(~inside_N & np.isin(crops.group_N, groups))
    turned = [np.rot90(thumbnail_NSS[train_T], turns, (1, 2)) for turns in range(4)]
    turned += [view[:, :, ::-1] for view in turned]
    key_KD = np.concatenate([features(view, size_NF[train_T]) for view in turned])
    near_QK = np.argsort(-features(thumbnail_NSS[test_Q], size_NF[test_Q]) @ key_KD.T, axis=1)
    group_T = np.asarray([groups.index(g) for g in crops.group_N[train_T]])
    group_K = np.tile(group_T, len(turned))
    rarity_G = 1 / np.sqrt(np.bincount(group_T))
    votes_QG = np.zeros((len(test_Q), len(groups)))
    for place in range(NEAREST):
        said_Q = group_K[near_QK[:, place]]
        votes_QG[np.arange(len(test_Q)), said_Q] += rarity_G[said_Q]
    return np.asarray(groups)[votes_QG.argmax(axis=1)] == crops.group_N[test_Q]


def features(
    thumbnail_NSS: NDArray[np.float32], size_NF: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns centred thumbnails beside the size, unit rows."""
    flat_ND = thumbnail_NSS.reshape(len(thumbnail_NSS), -1)
    centred_ND = unit_rows(flat_ND - flat_ND.mean(axis=1, keepdims=True))
    return unit_rows(np.concatenate([centred_ND, SIZE_WEIGHT * size_NF], axis=1))


def thumbnail_figures(
    crops: Crops,
    hits: dict[str, dict[str, NDArray[np.bool_]]],
    few_shot: dict[str, dict[str, dict[int, list[float]]]],
) -> dict[str, dict[str, Any]]:
    """Returns macro accuracies with intervals, and the gain over the first way of reading.

    Intervals of ``hits`` resample crops, those of ``few_shot`` the draws of the examples.
    """
    rng = generator(0, "instruments", "thumbnails")
    readings = list(hits)
    rows: dict[str, list[NDArray[np.float64]]] = {name: [] for name in INSTRUMENTS}
    for held_out in INSTRUMENTS:
        known = crops.group_N[crops.instrument_N != held_out]
        test_N = (crops.instrument_N == held_out) & np.isin(crops.group_N, known)
        group_Q = crops.group_N[test_N]
        cells = [np.flatnonzero(group_Q == group) for group in sorted(set(group_Q.tolist()))]
        hit_VQ = np.stack([hits[reading][held_out] for reading in readings]).astype(np.float64)
        for number in range(RESAMPLES + 1):
            chosen = [rng.choice(cell, len(cell)) if number else cell for cell in cells]
            rows[held_out].append(np.mean([hit_VQ[:, c].mean(axis=1) for c in chosen], axis=0))
    sampled = {name: np.stack(values) for name, values in rows.items()}
    sampled["mean"] = np.mean([sampled[name] for name in INSTRUMENTS], axis=0)
    for shots in SHOTS:
        means = []
        for held_out in (name for name in INSTRUMENTS if few_shot[readings[0]][name][shots]):
            value_VD = np.asarray([few_shot[reading][held_out][shots] for reading in readings])
            draw_RD = rng.integers(0, value_VD.shape[1], (RESAMPLES, value_VD.shape[1]))
            resampled_RV = value_VD[:, draw_RD].mean(axis=2).T
            sampled[f"{held_out} {shots}-shot"] = np.vstack([value_VD.mean(axis=1), resampled_RV])
            means.append(sampled[f"{held_out} {shots}-shot"])
        sampled[f"mean {shots}-shot"] = np.mean(means, axis=0)
    found: dict[str, dict[str, Any]] = {"scores": {}, "gain": {}}
    for n, reading in enumerate(readings):
        found["scores"][reading] = {k: interval(v[:, n]) for k, v in sampled.items()}
        if n:
            found["gain"][reading] = {k: interval(v[:, n] - v[:, 0]) for k, v in sampled.items()}
    return found
