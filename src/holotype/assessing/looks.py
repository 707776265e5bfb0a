"""What images look like before a model reads them: polarity, greys, colour, size; how two sets differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holotype.decisions.summary import GREY_EDGES, SIZE_EDGES
from holotype.media.pixels import Pixels, with_channels

DARK, BRIGHT = "dark field", "bright field"
GREY_STEP = 40
"""Mean greys that differ by more, of 255, are told."""
SIZE_STEP = 2.0
"""Sizes whose medians differ by more than this factor are told."""
COLOUR_STEP = 20.0
"""Differences between red, green and blue from here on are colour; those of compression are below."""
MIDDLE = 127.5


@dataclass(frozen=True)
class Look:
    """One image: square root of its area in px; mean grey, grey of the border, colourfulness, 0 to 255."""

    size_px: float
    grey: float
    border: float
    colour: float

    @property
    def polarity(self) -> str:
        """Whether its background is darker than what is on it."""
        return DARK if self.border < self.grey else BRIGHT


def look(pixels_HWC: Pixels) -> Look:
    """Returns what one image looks like."""
    grey_HW = with_channels(pixels_HWC, channels=1)[:, :, 0].astype(np.float64)
    edges = np.concatenate([grey_HW[0], grey_HW[-1], grey_HW[:, 0], grey_HW[:, -1]])
    colour = 0.0
    if pixels_HWC.ndim == 3 and pixels_HWC.shape[2] >= 3:
        rgb = pixels_HWC[:, :, :3].astype(np.float64)
        colour = float(np.percentile(rgb.max(axis=2) - rgb.min(axis=2), 99))
    size_px = float(np.sqrt(grey_HW.size))
    return Look(size_px, float(grey_HW.mean()), float(np.median(edges)), colour)


def summary_of(looks: Iterable[Look]) -> dict[str, Any] | None:
    """Returns medians and the share of dark field of many images; None for none."""
    found = list(looks)
    if not found:
        return None
    return {
        "images": len(found),
        "size_px": float(np.median([one.size_px for one in found])),
        "grey": float(np.mean([one.grey for one in found])),
        "colour": float(np.median([one.colour for one in found])),
        "dark_field": float(np.mean([one.polarity == DARK for one in found])),
    }


def known_looks(summary: Mapping[str, Any]) -> dict[str, float] | None:
    """Returns the mean grey and median size of the images a model was validated on, None where not kept.

    Args:
        summary: of the bundle's decisions, as ``decisions.summary.training_summary`` returns.
    """
    grey, size = (np.asarray(summary.get(name, ()), np.float64) for name in ("grey", "size"))
    if not grey.sum() or not size.sum():
        return None
    middle = (GREY_EDGES[:-1] + GREY_EDGES[1:]) / 2
    at = int(np.searchsorted(np.cumsum(size), size.sum() / 2))
    return {
        "grey": float(np.average(middle, weights=grey)),
        "size_px": float(np.sqrt(SIZE_EDGES[at] * SIZE_EDGES[at + 1])),
    }


def differences(own: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Returns in words how the user's images differ from those the model was validated on.

    Args:
        own: as ``summary_of`` returns.
        known: as ``known_looks`` returns.
    """
    told = []
    if abs(own["grey"] - known["grey"]) > GREY_STEP:
        brighter = "brighter" if own["grey"] > known["grey"] else "darker"
        greys = f"grey {own['grey']:.0f} in the mean, all of the model's {known['grey']:.0f}"
        text = f"yours are {brighter}: {greys}"
        if (own["grey"] - MIDDLE) * (known["grey"] - MIDDLE) < 0:
            text += " (dark field against bright field, it seems)"
        told.append(text)
    ratio = own["size_px"] / max(known["size_px"], 1e-9)
    if not 1 / SIZE_STEP <= ratio <= SIZE_STEP:
        told.append(
            f"size {own['size_px']:.0f} px, all of the model's {known['size_px']:.0f} px (median)"
        )
    return told


def in_words(own: Mapping[str, Any]) -> str:
    """Returns what the user's images look like."""
    colour = "in colour" if own["colour"] > COLOUR_STEP else "grey"
    greys = f"mean grey {own['grey']:.0f} of 255"
    return f"{_field(own)}, {colour}, {greys}, size {own['size_px']:.0f} px (median)"


def _field(of: Mapping[str, Any]) -> str:
    if of["dark_field"] >= 0.8:
        return DARK
    return BRIGHT if of["dark_field"] <= 0.2 else "of both polarities"
