"""Body plans of insects, pinned and seen from above."""

import numpy as np

from holotype.simulate.canvas import Canvas
from holotype.simulate.geometry import Points, ellipse, lobe, whip
from holotype.simulate.traits import Inks, Traits

_PI = np.pi


def _legs(
    canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator, *, at: tuple[float, float]
) -> None:
    """Three pairs of kneed legs between two places along the body."""
    length, legs = t.span("reach", 0.5, 1.0), []
    for x, turn in zip(np.linspace(*at, 3), (-0.55, 0.1, 0.75), strict=True):
        for side in (-1, 1):
            angle = side * (_PI / 2 - turn + 0.12 * rng.standard_normal())
            thigh = whip([x, side * 0.1], angle=angle, length=0.45 * length)
            shin = whip(thigh[-1], angle=angle - side * 0.7, length=0.55 * length, bend=-side * 0.4)
            legs.append(np.concatenate([thigh, shin]))
    canvas.lines(legs, ink.line, width=t.span("opacity", 0.03, 0.05))


def _antennae(canvas: Canvas, t: Traits, ink: Inks, *, x: float, clubbed: bool) -> None:
    """Two antennae, with clubs where the order has them."""
    length, spread = t.span("tail", 0.25, 0.6), t.span("sweep", 0.3, 0.8)
    curves = [
        whip([x, side * 0.06], angle=_PI - side * spread, length=length, bend=side * 0.4)
        for side in (-1, 1)
    ]
    canvas.lines(curves, ink.line, width=0.035)
    if clubbed:
        canvas.dots(np.stack([curve[-1] for curve in curves]), ink.accent, radius=0.05)


def _abdomen(
    canvas: Canvas, t: Traits, ink: Inks, *, at: tuple[float, float], girth: float
) -> None:
    """A banded abdomen between two places along the body."""
    middle, half = (at[0] + at[1]) / 2, (at[1] - at[0]) / 2
    outline = ellipse([middle, 0.0], (half, girth))
    canvas.fill(outline, ink.body)
    num_bands = t.count("segments", 3, 7)
    for x in np.linspace(at[0], at[1], num_bands + 2)[1:-1]:
        w = girth * np.sqrt(max(0.0, 1 - ((x - middle) / half) ** 2))
        band = np.array([[x - 0.02, -w], [x + 0.03, 0], [x - 0.02, w]])
        canvas.lines([band], ink.accent, width=t.span("stripes", 0.03, 0.12))
    canvas.rim(outline, ink.line, width=0.035)


def draw_fly(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A fly or mosquito: two clear veined wings, long legs, large eyes."""
    _legs(canvas, t, ink, rng, at=(-0.45, -0.1))
    girth = t.span("aspect", 0.12, 0.3)
    _abdomen(canvas, t, ink, at=(-0.1, 0.98), girth=girth)
    canvas.fill(ellipse([-0.35, 0.0], (0.36, t.span("taper", 0.22, 0.36))), ink.body)
    canvas.rim(ellipse([-0.35, 0.0], (0.36, t.span("taper", 0.22, 0.36))), ink.line, width=0.035)
    length, width = t.span("wings", 0.85, 1.3), t.span("number", 0.16, 0.34)
    for side in (-1, 1):
        angle = side * (t.span("sweep", 0.25, 1.1) + 0.08 * rng.standard_normal())
        wing = lobe([-0.3, side * 0.16], angle=angle, length=length, width=width, tip=0.65)
        canvas.fill(wing, ink.pale, opacity=0.75)
        root = wing[0]
        canvas.lines([np.stack([root, wing[k]]) for k in (14, 17, 22)], ink.line, width=0.02)
        canvas.rim(wing, ink.line, width=0.025)
        if t.spots > 0.55:
            canvas.dots(0.35 * root + 0.65 * wing[[15]], ink.accent, radius=0.08)
    canvas.fill(ellipse([-0.78, 0.0], (0.14, 0.2)), ink.line)
    eyes = np.array([[-0.8, -0.14], [-0.8, 0.14]])
    canvas.dots(eyes, ink.organ, radius=t.span("head", 0.09, 0.15))
    _antennae(canvas, t, ink, x=-0.9, clubbed=False)
    beak = np.array([[-0.9, 0.0], [-0.9 - t.span("organ", 0.0, 0.45), 0.0]])
    canvas.lines([beak], ink.line, width=0.05)


def draw_butterfly(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A butterfly or moth, wings spread: borders, bands and eye spots."""
    opening = t.span("sweep", 1.3, 1.75) + 0.06 * rng.standard_normal()
    hind_length = t.span("tail", 0.65, 1.0)
    for side in (-1, 1):
        fore = lobe(
            [-0.32, side * 0.05],
            angle=side * opening,
            length=t.span("wings", 1.0, 1.35),
            width=t.span("aspect", 0.3, 0.52),
            tip=t.span("taper", 0.6, 0.82),
        )
        hind = lobe(
            [-0.1, side * 0.05], angle=side * 0.85, length=hind_length, width=0.42, tip=0.62
        )
        for wing in (hind, fore):
            _patterned_wing(canvas, t, ink, wing)
    canvas.fill(ellipse([0.12, 0.0], (0.6, t.span("head", 0.08, 0.15))), ink.accent)
    canvas.fill(ellipse([-0.4, 0.0], (0.26, 0.14)), ink.line)
    canvas.dots(np.array([[-0.66, 0.0]]), ink.accent, radius=0.1)
    _antennae(canvas, t, ink, x=-0.7, clubbed=t.organ > 0.5)


def _patterned_wing(canvas: Canvas, t: Traits, ink: Inks, wing: Points) -> None:
    """One wing with its border, bands and eye spots, all scaled from the wing's own outline."""
    root, middle = wing[0], wing.mean(axis=0)
    canvas.fill(wing, ink.accent if t.opacity > 0.6 else ink.line)
    inner = root + t.span("curvature", 0.72, 0.95) * (wing - root)
    canvas.fill(inner, ink.organ if t.hue > 0.5 else ink.body)
    num_bands = t.count("segments", 0, 3)
    for share in np.linspace(0.35, 0.75, num_bands) if num_bands else ():
        band = root + share * (wing[9:27] - root)
        canvas.lines([band], ink.accent, width=t.span("stripes", 0.04, 0.13))
    for k in range(t.count("number", 0, 3)):
        spot = 0.25 * middle + 0.15 * root + 0.6 * wing[12 + 4 * k]
        canvas.dots(spot[None], ink.pale, radius=t.span("spots", 0.05, 0.13) + 0.04)
        canvas.dots(spot[None], ink.accent, radius=t.span("spots", 0.05, 0.13))
    canvas.rim(wing, ink.accent, width=0.03)


def draw_beetle(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A beetle: domed wing cases with grooves or spots, pronotum, stout legs."""
    _legs(canvas, t, ink, rng, at=(-0.4, 0.15))
    girth = t.span("aspect", 0.36, 0.74)
    wing_case = ellipse([0.25, 0.0], (0.75, girth), num=48)
    canvas.fill(wing_case, ink.organ)
    canvas.fill(ellipse([0.2, -0.15 * girth], (0.5, 0.55 * girth)), ink.pale, opacity=0.45)
    num_grooves = t.count("segments", 0, 4)
    for share in np.linspace(0.2, 0.8, num_grooves) if t.stripes > 0.4 else ():
        for side in (-1, 1):
            arc = ellipse([0.25, 0.0], (0.72, share * girth), num=48)
            canvas.lines([arc[:25] * (1, side)], ink.line, width=0.03, opacity=0.8)
    if t.spots > 0.3:
        num_spots = t.count("number", 1, 5)
        for k in range(num_spots):
            x = -0.2 + 0.95 * (k + 0.5) / num_spots
            y = girth * (0.25 + 0.32 * (k % 2)) * np.sqrt(max(0.1, 1 - ((x - 0.25) / 0.8) ** 2))
            spots = np.array([[x, y], [x, -y]])
            canvas.dots(spots, ink.accent, radius=t.span("spots", 0.04, 0.17))
    canvas.lines([np.array([[-0.45, 0.0], [1.0, 0.0]])], ink.accent, width=0.035)
    canvas.rim(wing_case, ink.accent, width=0.04)
    neck = ellipse([-0.5, 0.0], (t.span("taper", 0.17, 0.28), girth * t.span("wings", 0.55, 0.85)))
    canvas.fill(neck, ink.accent if t.hue > 0.4 else ink.line)
    canvas.fill(ellipse([-0.78, 0.0], (0.18, t.span("head", 0.16, 0.3))), ink.accent)
    _antennae(canvas, t, ink, x=-0.88, clubbed=False)


def draw_bee(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A bee: banded abdomen, furry thorax, four narrow wings."""
    _legs(canvas, t, ink, rng, at=(-0.4, 0.0))
    girth = t.span("aspect", 0.26, 0.48)
    _abdomen(canvas, t, ink, at=(-0.15, t.span("taper", 0.8, 1.05)), girth=girth)
    for side in (-1, 1):
        spread = t.span("sweep", 0.45, 1.0) + 0.08 * rng.standard_normal()
        for scale, x, turn in ((0.7, -0.2, 0.75), (1.0, -0.34, 1.0)):
            wing = lobe(
                [x, side * 0.2],
                angle=side * spread * turn,
                length=scale * t.span("wings", 0.9, 1.25),
                width=scale * t.span("number", 0.15, 0.26),
                tip=0.68,
            )
            canvas.fill(wing, ink.pale, opacity=0.8)
            canvas.rim(wing, ink.line, width=0.025)
    size = t.span("head", 0.24, 0.38)
    turn_N = np.linspace(0, 2 * _PI, 60, endpoint=False)
    fur_N = size * (1 + 0.1 * (np.arange(60) % 2))
    fur = np.stack([-0.4 + fur_N * np.cos(turn_N), fur_N * np.sin(turn_N)], axis=1)
    canvas.fill(fur, ink.organ)
    if t.spots > 0.45:
        canvas.fill(ellipse([-0.4, 0.0], (0.1 + 0.1 * t.spots, 0.9 * size)), ink.accent)
    canvas.fill(ellipse([-0.78, 0.0], (0.15, 0.22)), ink.accent)
    _antennae(canvas, t, ink, x=-0.88, clubbed=False)
