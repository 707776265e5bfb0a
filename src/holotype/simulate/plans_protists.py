"""Body plans of dinoflagellates, rhizarians, ciliates and green algae."""

import numpy as np

from holotype.simulate.canvas import Canvas
from holotype.simulate.geometry import Spine, ellipse, polar, whip
from holotype.simulate.traits import Inks, Traits

_PI = np.pi
_GOLDEN = _PI * (3 - np.sqrt(5.0))


def draw_horned_dinoflagellate(
    canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator
) -> None:
    """A horned dinoflagellate: one horn ahead, two behind, girdle between the plates."""
    girth, length = t.span("aspect", 0.2, 0.48), t.span("reach", 0.1, 1.0)
    apical = whip([-0.2, 0.0], angle=_PI + 0.08 * rng.standard_normal(), length=0.3 + length)
    horns = [(apical, 0.1)]
    spread = t.span("sweep", -0.15, 1.3)
    bend = t.span("curvature", 0.2, 2.6) * min(1.0, 0.3 + spread)
    for side, share in ((-1, 1.0), (1, t.span("taper", 0.35, 1.0))):
        root = [0.22, side * 0.62 * girth]
        angle = side * (0.1 + spread + 0.06 * rng.standard_normal())
        own = share * t.span("tail", 0.35, 1.35)
        horns.append((whip(root, angle=angle, length=own, bend=side * bend), 0.075))
    for curve, width in horns:
        canvas.lines([curve], ink.line, width=width * 0.6)
        canvas.lines([curve[:9]], ink.line, width=width)
        canvas.lines([curve[:5]], ink.body, width=width * 1.8)
    epitheca = np.array([[-0.55, 0.05], [-0.02, girth], [-0.02, -girth], [-0.55, -0.05]])
    hypotheca = np.array(
        [[0.04, girth], [0.34, 0.85 * girth], [0.4, 0.0], [0.34, -0.85 * girth], [0.04, -girth]]
    )
    for plate in (epitheca, hypotheca):
        canvas.fill(plate, ink.body)
        canvas.rim(plate, ink.line, width=0.04)
    canvas.fill(
        ellipse([0.12, 0.0], (0.16, 0.5 * girth)), ink.organ, opacity=t.span("organ", 0.2, 0.9)
    )
    pores = rng.uniform(
        [-0.25, -0.5 * girth], [0.3, 0.5 * girth], size=(t.count("spots", 3, 14), 2)
    )
    canvas.dots(pores, ink.organ, radius=0.035)


def draw_armoured_dinoflagellate(
    canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator
) -> None:
    """A plated dinoflagellate: pear or diamond shape, net of plates, two short horns."""
    girth = t.span("aspect", 0.48, 0.85)
    waist = t.span("taper", -0.15, 0.25)
    half = np.array(
        [[-0.95, 0.04], [-0.55, 0.22], [waist, girth], [0.55, 0.6 * girth], [0.7, 0.45 * girth]]
    )
    tips = np.array([[0.7 + t.span("tail", 0.02, 0.4), t.span("sweep", 0.2, 0.6) * girth]])
    upper = np.concatenate([half, tips, [[0.52, 0.0]]])
    theca = np.concatenate([upper, upper[::-1] * (1, -1)])
    canvas.fill(theca, ink.body)
    mottle = rng.uniform(
        [-0.4, -0.5 * girth], [0.5, 0.5 * girth], size=(t.count("spots", 6, 22), 2)
    )
    canvas.dots(mottle, ink.organ, radius=t.span("organ", 0.05, 0.11), opacity=0.7)
    for x in np.linspace(-0.5, 0.5, t.count("segments", 2, 5)):
        w = float(np.interp(x, half[:, 0], half[:, 1]))
        canvas.lines([np.array([[x, -w], [x - 0.1, 0.0], [x, w]])], ink.line, width=0.03)
    canvas.lines(
        [np.array([[waist, -girth], [waist + 0.08, 0], [waist, girth]])], ink.line, width=0.1
    )
    canvas.rim(theca, ink.line, width=0.05)


def draw_sailed_dinoflagellate(
    canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator
) -> None:
    """A Dinophysis-like cell: oval body, small cap, a ribbed sail along one side, a foot."""
    girth = t.span("aspect", 0.42, 0.72)
    sail = np.array(
        [
            [-0.62, -0.2],
            [-0.72, -girth - t.span("reach", 0.1, 0.5)],
            [0.1, -girth - t.span("wings", 0.1, 0.5)],
            [t.span("sweep", 0.2, 0.7), -0.75 * girth],
        ]
    )
    canvas.fill(sail, ink.pale)
    canvas.rim(sail, ink.line, width=0.03)
    for share in np.linspace(0.2, 0.85, t.count("number", 2, 4)):
        outer = (1 - share) * sail[1] + share * sail[2]
        canvas.lines(
            [np.stack([(1 - share) * sail[0] + share * sail[3], outer])], ink.line, width=0.035
        )
    turn_N = np.linspace(0, 2 * _PI, 50, endpoint=False)
    tail = t.span("tail", 0.0, 0.55)
    x_N = 0.62 * np.cos(turn_N) + tail * np.maximum(0, np.cos(turn_N)) ** 6
    x_N = x_N + 0.05
    y_N = girth * np.sin(turn_N) * (1 - t.span("taper", 0.0, 0.35) * np.cos(turn_N))
    cell = np.stack([x_N, y_N], axis=1)
    canvas.fill(cell, ink.body)
    mottle = rng.uniform(
        [-0.3, -0.55 * girth], [0.45, 0.55 * girth], size=(t.count("spots", 4, 16), 2)
    )
    canvas.dots(mottle, ink.organ, radius=t.span("organ", 0.05, 0.12), opacity=0.75)
    canvas.rim(cell, ink.line, width=0.045)
    collar = ellipse([-0.64, 0.0], (0.1, t.span("head", 0.2, 0.42)))
    canvas.fill(collar, ink.line)


def draw_acantharian(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """An acantharian: radial spicules through a round capsule, fine threads around."""
    num_spines = t.count("number", 8, 20)
    start = rng.uniform(0, 2 * _PI)
    core, spines = t.span("aspect", 0.28, 0.55), []
    for k in range(num_spines):
        angle = start + 2 * _PI * k / num_spines
        own = t.span("reach", 0.75, 1.15) * (1.0 if k % 2 else t.span("stripes", 0.55, 1.0))
        spines.append(np.array([[0, 0], [own * np.cos(angle), own * np.sin(angle)]]))
    halo = polar(core * 1.45 + 0.04 * np.sin(np.arange(60) * 1.7), np.arange(60) * _PI / 30)
    canvas.fill(halo, ink.pale, opacity=0.8)
    canvas.lines(spines, ink.line, width=t.span("taper", 0.03, 0.07))
    canvas.fill(ellipse([0, 0], (core, core)), ink.body)
    num_cells = t.count("spots", 5, 24)
    index_N = np.arange(num_cells)
    cells = polar(core * 1.15 * np.sqrt(index_N / num_cells), index_N * _GOLDEN + start)
    canvas.dots(cells, ink.organ, radius=t.span("organ", 0.05, 0.1))
    canvas.rim(ellipse([0, 0], (core, core)), ink.line, width=0.04)


def draw_foram(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A planktonic foraminifer: globular chambers on a growing spiral, spines, pores."""
    num_chambers = t.count("number", 6, 10)
    turn, growth = t.span("sweep", 1.15, 1.7), t.span("aspect", 1.1, 1.3)
    spines = [
        whip([0, 0], angle=angle, length=t.span("reach", 0.2, 1.5))
        for angle in np.arange(30) * 2 * _PI / 30 + rng.uniform(0, 1)
    ]
    canvas.lines(spines, ink.line, width=0.024, opacity=0.75)
    last = 0.55
    for k in range(num_chambers):
        radius = last * growth ** (k - num_chambers + 1)
        centre = polar(np.array([0.85 * radius]), np.array([turn * k]))[0]
        lean = t.span("taper", 0.75, 1.0)
        chamber = ellipse(centre, (radius, lean * radius), tilt=turn * k, num=30)
        canvas.fill(chamber, ink.body)
        canvas.fill(
            ellipse(centre - 0.2 * radius, (0.5 * radius, 0.4 * radius)), ink.pale, opacity=0.4
        )
        num_pores = t.count("spots", 3, 12)
        index_N = np.arange(num_pores)
        pores = polar(0.75 * radius * np.sqrt((index_N + 0.5) / num_pores), index_N * _GOLDEN)
        canvas.dots(pores + centre, ink.line, radius=t.span("organ", 0.02, 0.045))
        canvas.rim(chamber, ink.line, width=t.span("stripes", 0.035, 0.08))


def draw_tintinnid(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A tintinnid: vase-shaped lorica with grains, the ciliate inside, crown of cilia."""
    x_N = np.linspace(-0.6, 1.0, 30)
    girth, belly = t.span("aspect", 0.25, 0.48), t.span("taper", 0.1, 0.6)
    flare = t.span("wings", 0.75, 1.35)
    pointed = t.span("tail", 0.03, 0.35)
    w_N = girth * np.interp(x_N, [-0.6, -0.4, belly, 0.75, 1.0], [flare, 0.85, 1.0, 0.55, 0])
    w_N[-6:] = np.minimum(w_N[-6:], pointed)
    cilia = [
        whip(
            [-0.55, y],
            angle=_PI - 1.2 * y + 0.15 * rng.standard_normal(),
            length=t.span("reach", 0.25, 0.5),
            bend=-y,
        )
        for y in np.linspace(-0.85, 0.85, t.count("number", 7, 13)) * girth
    ]
    canvas.lines(cilia, ink.line, width=0.03)
    vase = np.concatenate([np.stack([x_N, w_N], 1), np.stack([x_N[::-1], -w_N[::-1]], 1)])
    canvas.fill(vase, ink.pale)
    cell = ellipse([-0.05, 0.0], (t.span("organ", 0.3, 0.55), 0.62 * girth))
    canvas.fill(cell, ink.organ, opacity=0.75)
    grains = rng.uniform(
        [-0.5, -0.8 * girth], [0.6, 0.8 * girth], size=(t.count("spots", 8, 34), 2)
    )
    canvas.dots(grains, ink.accent, radius=0.03)
    for x in np.linspace(-0.55, 0.1, t.count("segments", 1, 6)):
        w = float(np.interp(x, x_N, w_N))
        canvas.lines([np.array([[x, -w], [x, w]])], ink.line, width=0.03)
    canvas.rim(vase, ink.line, width=0.045)


def draw_colony(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A Volvox-like colony: clear sphere, many small cells, daughter colonies inside."""
    squash = t.span("taper", 0.82, 1.0)
    sphere = ellipse([0, 0], (0.96, 0.96 * squash), num=50)
    canvas.fill(sphere, ink.pale)
    num_cells = t.count("number", 16, 110)
    index_N = np.arange(num_cells)
    cells = polar(0.92 * np.sqrt((index_N + 0.5) / num_cells), index_N * _GOLDEN) * (1, squash)
    canvas.dots(cells, ink.organ, radius=t.span("spots", 0.03, 0.075))
    num_daughters = t.count("organ", 0, 7)
    for k in range(num_daughters):
        turn = 2 * _PI * k / max(1, num_daughters) + rng.uniform(-0.25, 0.25)
        centre = polar(np.array([0.5 * rng.uniform(0.8, 1.1)]), np.array([turn]))[0]
        size = t.span("aspect", 0.1, 0.26)
        canvas.fill(ellipse(centre, (size, size)), ink.organ, opacity=0.9)
        canvas.rim(ellipse(centre, (size, size)), ink.accent, width=0.035)
    canvas.rim(sphere, ink.line, width=t.span("stripes", 0.025, 0.06))


def draw_crescent_desmid(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A Closterium-like desmid: a crescent with two ridged plastids."""
    spine = Spine.bent(bend=t.span("curvature", 0.2, 2.2) + 0.1 * rng.standard_normal())
    s_N = np.linspace(0, 1, 40)
    w_N = t.span("aspect", 0.1, 0.3) * np.sin(_PI * s_N) ** t.span("taper", 0.6, 1.2) + 0.015
    cell = spine.tube(s_N, w_N)
    canvas.fill(cell, ink.body)
    gap = t.count("tail", 1, 3)
    share = t.span("organ", 0.4, 0.8)
    for low, high in ((4, 20 - gap), (20 + gap, 36)):
        canvas.fill(spine.tube(s_N[low:high], share * w_N[low:high]), ink.organ, opacity=0.8)
    dots = spine.at(np.linspace(0.12, 0.88, 2 * t.count("segments", 2, 6)))
    canvas.dots(dots, ink.accent, radius=t.span("spots", 0.025, 0.05))
    canvas.rim(cell, ink.line, width=0.045)


def draw_desmid(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A desmid: two mirrored half cells, lobed or armed, that meet at a narrow waist."""
    turn_N = np.linspace(0, 2 * _PI, 120)
    waist_N = 1 - t.span("organ", 0.5, 0.85) * np.exp(-((np.abs(np.sin(turn_N)) - 1) ** 2) / 0.02)
    num_arms = t.count("number", 1, 2)
    arms_N = 1 + t.span("reach", 0.0, 0.7) * np.cos(2 * num_arms * turn_N) ** 8
    wobble_N = 1 + 0.03 * rng.standard_normal() * np.cos(turn_N)
    cell = polar(0.62 * waist_N * arms_N * wobble_N, turn_N) * (1.0, t.span("aspect", 0.8, 1.3))
    canvas.fill(cell, ink.body)
    plastids = [t.span("taper", 0.3, 0.5) * cell + np.array([0.26 * side, 0]) for side in (-1, 1)]
    canvas.fill_all(plastids, ink.organ, opacity=0.7)
    canvas.dots(0.85 * cell[:: t.count("spots", 6, 12)], ink.line, radius=0.03)
    canvas.rim(cell, ink.line, width=0.045)
