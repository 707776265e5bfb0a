"""Body plans of jellies, pteropods, larvaceans and rotifers."""

import numpy as np

from holotype.simulate.canvas import Canvas
from holotype.simulate.geometry import Spine, ellipse, lobe, polar, whip
from holotype.simulate.traits import Inks, Traits

_PI = np.pi


def draw_medusa(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A medusa from the side: bell with canals, gonads, manubrium and tentacles."""
    height, width = t.span("aspect", 0.5, 1.05), t.span("taper", 0.55, 0.85)
    _medusa_arms(canvas, t, ink, rng, height=height, width=width)
    turn_N = np.linspace(_PI, 2 * _PI, 40)
    squareness = t.span("curvature", 0.55, 1.1)
    bell_top = np.stack(
        [
            width * np.cos(turn_N),
            height * np.sign(np.sin(turn_N)) * np.abs(np.sin(turn_N)) ** squareness,
        ],
        axis=1,
    )
    x_N = np.linspace(width, -width, 30)
    lappets = t.count("segments", 4, 10)
    scallop_N = 0.05 + 0.07 * np.abs(np.sin(lappets * _PI * (x_N / width + 1) / 2))
    bell = np.concatenate([bell_top, np.stack([x_N, scallop_N], axis=1)])
    canvas.fill(bell, ink.body, opacity=0.75)
    canvas.fill(bell * (0.72, 0.7), ink.pale, opacity=0.5)
    for share in np.linspace(-0.8, 0.8, t.count("stripes", 0, 9)) if t.stripes > 0.25 else ():
        arc_N = np.linspace(0, _PI / 2, 12)
        canal = np.stack([share * width * np.sin(arc_N), -height * np.cos(arc_N)], axis=1)
        canvas.lines([canal], ink.organ, width=t.span("stripes", 0.02, 0.07), opacity=0.7)
    for k in range(t.count("organ", 1, 4)):
        x = 0.3 * width * (k - (t.count("organ", 1, 4) - 1) / 2)
        gonad = ellipse([x, -0.5 * height], (0.1 * width + 0.03, t.span("organ", 0.08, 0.2)))
        canvas.fill(gonad, ink.organ, opacity=0.85)
    if t.spots > 0.6:
        canvas.dots(bell_top[5:36:4] * 0.86, ink.accent, radius=0.045)
    canvas.rim(bell, ink.line, width=0.03)


def _medusa_arms(
    canvas: Canvas,
    t: Traits,
    ink: Inks,
    rng: np.random.Generator,
    *,
    height: float,
    width: float,
) -> None:
    """Tentacles along the rim of a bell, and frilled arms at its mouth."""
    length, tentacles = t.span("reach", 0.35, 1.35), []
    for share in np.linspace(-0.95, 0.95, t.count("number", 5, 19)):
        angle = _PI / 2 - 0.35 * share + 0.12 * rng.standard_normal()
        wave = t.span("sweep", 0.0, 0.7) * rng.normal(1.0, 0.3)
        own = length * rng.uniform(0.75, 1.1)
        tentacles.append(whip([share * width, 0.0], angle=angle, length=own, wave=wave))
    canvas.lines(tentacles, ink.line, width=0.028, opacity=0.8)
    for k in range(t.count("tail", 1, 4)):
        x = 0.16 * (k - (t.count("tail", 1, 4) - 1) / 2)
        arm_spine = Spine.bent(bend=0.3 * rng.standard_normal(), length=t.span("tail", 0.35, 1.1))
        s_N = np.linspace(0, 1, 16)
        frill_N = np.interp(s_N, [0, 0.2, 1], [0.05, 0.1, 0.01]) * (1 + 0.35 * np.sin(26 * s_N))
        arm = arm_spine.tube(s_N, frill_N)
        arm = np.stack([-arm[:, 1], arm[:, 0] - arm[:, 0].min()], axis=1)
        canvas.fill(arm + np.array([x, -0.35 * height]), ink.body, opacity=0.9)


def draw_comb_jelly(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A comb jelly: clear globe, eight rows of combs, two long tentacles with side threads."""
    width, height = t.span("aspect", 0.5, 0.75), t.span("taper", 0.65, 0.95)
    for side in (-1, 1):
        stem = whip(
            [side * 0.4 * width, 0.1],
            angle=_PI / 2 - side * (0.6 + 0.2 * rng.standard_normal()),
            length=t.span("reach", 1.1, 1.8),
            bend=side * 0.6,
            wave=0.4 * rng.standard_normal(),
        )
        threads = [whip(p, angle=_PI / 2 + side * 0.7, length=0.25, bend=0.5) for p in stem[6::1]]
        canvas.lines([stem, *threads], ink.line, width=0.028, opacity=0.8)
    body = ellipse([0.0, -0.1], (width, height), num=48)
    canvas.fill(body, ink.body, opacity=0.7)
    for share in np.linspace(-0.86, 0.86, t.count("segments", 5, 8)):
        arc_N = np.linspace(-1.15, 1.05, t.count("stripes", 8, 16))
        row = np.stack([share * width * np.cos(arc_N), height * np.sin(arc_N) - 0.1], axis=1)
        canvas.dots(row, ink.organ, radius=0.035)
    canvas.fill(ellipse([0.0, -0.15], (0.1, 0.45 * height)), ink.organ, opacity=0.5)
    canvas.dots(np.array([[0.0, -0.95 * height]]), ink.accent, radius=0.06)
    canvas.rim(body, ink.line, width=0.028)


def draw_pteropod(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A shelled pteropod: coiled shell with whorls, two swimming wings."""
    for side in (-1, 1):
        angle = -_PI / 2 + 0.15 + side * t.span("sweep", 0.35, 0.9) + 0.12 * rng.standard_normal()
        wing = lobe(
            [-0.3, -0.35], angle=angle, length=t.span("wings", 0.6, 1.1), width=0.24, tip=0.75
        )
        canvas.fill(wing, ink.body, opacity=0.8)
        canvas.rim(wing, ink.line, width=0.028)
    turns = t.span("segments", 1.8, 3.4)
    growth = t.span("aspect", 0.09, 0.15)
    angle_N = np.linspace(0.0, 2 * _PI * turns, 70)
    radius_N = 0.82 * np.exp(-growth * angle_N)
    slant = t.span("tail", 0.0, 0.5)
    centre_N2 = np.stack([slant * (1 - radius_N / 0.82), 0.15 * slant * (1 - radius_N)], axis=1)
    coil = polar(radius_N, angle_N + 2.6) * (1.0, t.span("taper", 0.75, 1.0)) + centre_N2
    one_turn = int(np.searchsorted(angle_N, 2 * _PI))
    canvas.fill(coil[:one_turn], ink.body)
    canvas.fill(0.75 * coil[:one_turn] + 0.25 * centre_N2[one_turn], ink.pale, opacity=0.35)
    for k in range(t.count("stripes", 4, 12)):
        outer = coil[1 + one_turn * k // 12]
        canvas.lines([np.stack([outer, 0.3 * centre_N2[20] + 0.7 * outer])], ink.organ, width=0.04)
    canvas.lines([coil], ink.line, width=0.045)
    canvas.dots(coil[[2]], ink.accent, radius=t.span("spots", 0.05, 0.14))


def draw_larvacean(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """An appendicularian: compact trunk, long bent tail with a muscle band."""
    spine = Spine.bent(
        bend=t.span("curvature", 0.3, 1.9) + 0.2 * rng.standard_normal(),
        wave=0.25 * rng.standard_normal(),
    )
    start, fin = t.span("head", 0.26, 0.36), t.span("tail", 0.07, 0.2)
    s_N = np.linspace(start - 0.06, 1.0, 26)
    shape_N = np.sin(np.linspace(0.35, _PI, 26)) ** t.span("taper", 0.4, 1.2)
    canvas.fill(spine.tube(s_N, fin * shape_N + 0.01), ink.pale)
    canvas.rim(spine.tube(s_N, fin * shape_N + 0.01), ink.line, width=0.024)
    canvas.fill(spine.tube(s_N[:-2], np.full(24, t.span("stripes", 0.02, 0.05))), ink.line)
    centre = spine.at(start / 2)[0]
    radii = (start * 1.05, t.span("aspect", 0.15, 0.32))
    trunk = ellipse(centre, radii, tilt=spine.heading(0.1))
    canvas.fill(trunk, ink.body)
    for k in range(t.count("number", 2, 5)):
        organ = spine.at(start * (0.3 + 0.18 * k), 0.06 * (-1) ** k)
        canvas.dots(organ, ink.organ, radius=t.span("organ", 0.06, 0.11))
    canvas.dots(spine.at(start * 0.9), ink.accent, radius=t.span("spots", 0.05, 0.13))
    canvas.rim(trunk, ink.line, width=0.032)


def draw_rotifer(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A rotifer: armoured lorica with spines before and behind, crown of cilia, eye."""
    girth, spines = t.span("aspect", 0.4, 0.62), []
    for share in np.linspace(-0.8, 0.8, t.count("number", 4, 6)):
        long = t.span("reach", 0.15, 0.5) * (1.2 - 0.5 * abs(share))
        spines.append(whip([-0.52, share * girth], angle=_PI - 0.35 * share, length=long))
    for side in (-1, 1) if t.tail < 0.6 else (0,):
        root = [0.55, side * 0.6 * girth]
        spines.append(whip(root, angle=side * 0.15, length=t.span("tail", 0.15, 0.85)))
    canvas.lines(spines, ink.line, width=0.06)
    cilia = [
        whip([-0.62, y], angle=_PI + 0.9 * y + 0.2 * rng.standard_normal(), length=0.22)
        for y in np.linspace(-0.7, 0.7, 11) * girth
    ]
    canvas.lines(cilia, ink.line, width=0.024)
    x_N = np.linspace(-0.62, 0.62, 20)
    w_N = girth * np.interp(x_N, [-0.62, -0.3, 0.3, 0.62], [0.8, 0.95, 1.0, t.taper])
    shell = np.concatenate([np.stack([x_N, w_N], 1), np.stack([x_N[::-1], -w_N[::-1]], 1)])
    canvas.fill(shell, ink.body)
    for x in np.linspace(-0.35, 0.45, t.count("segments", 1, 4)):
        canvas.lines(
            [np.array([[x, -0.7 * girth], [x + 0.12, 0.0], [x, 0.7 * girth]])],
            ink.line,
            width=0.028,
        )
    canvas.fill(ellipse([0.1, 0.1], (t.span("organ", 0.12, 0.3), 0.16)), ink.organ, opacity=0.8)
    canvas.dots(np.array([[-0.42, 0.0]]), ink.accent, radius=0.07)
    canvas.rim(shell, ink.line, width=0.045)
