"""Body plans of diatoms: single discs, and chains with setae, threads or overlapping tips."""

import numpy as np

from holotype.simulate.canvas import Canvas
from holotype.simulate.geometry import Spine, ellipse, polar, whip
from holotype.simulate.traits import Inks, Traits

_PI = np.pi
_GOLDEN = _PI * (3 - np.sqrt(5.0))


def draw_disc_diatom(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A centric diatom: glass disc with rows of pores, a rosette, plastids."""
    squash = t.span("aspect", 0.8, 1.0)
    valve = ellipse([0, 0], (0.98, 0.98 * squash), num=60)
    canvas.fill(valve, ink.pale)
    num_rays, pores = t.count("number", 10, 26), []
    for ring in np.linspace(t.span("head", 0.15, 0.5), 0.88, t.count("segments", 4, 8)):
        turn_N = np.arange(num_rays) * 2 * _PI / num_rays + t.span("sweep", 0.0, 3.0) * ring
        pores.append(polar(np.full(num_rays, ring), turn_N) * (1, squash))
    canvas.dots(np.concatenate(pores), ink.line, radius=t.span("taper", 0.02, 0.05))
    num_plastids = t.count("organ", 6, 30)
    index_N = np.arange(num_plastids)
    spread_N = np.sqrt((index_N + 0.5) / num_plastids) * t.span("reach", 0.45, 0.88)
    plastids = polar(spread_N, index_N * _GOLDEN + rng.uniform(0, 2 * _PI)) * (1, squash)
    canvas.dots(plastids, ink.organ, radius=t.span("spots", 0.04, 0.11), opacity=0.75)
    canvas.rim(valve, ink.line, width=t.span("stripes", 0.05, 0.14))
    canvas.rim(valve * t.span("curvature", 0.8, 0.93), ink.line, width=0.025)


def draw_spiny_chain(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A chain of diatom cells that carry pairs of long setae."""
    spine = Spine.bent(bend=t.span("curvature", -1.4, 1.4) + 0.25 * rng.standard_normal())
    num_cells = t.count("number", 4, 9) + int(rng.integers(0, 2))
    girth, gap = t.span("aspect", 0.1, 0.3), t.span("segments", 0.08, 0.3)
    setae, cells, plastids = [], [], []
    for k in range(num_cells):
        start, stop = (k + gap / 2) / num_cells, (k + 1 - gap / 2) / num_cells
        s_N = np.linspace(start, stop, 6)
        pinch_N = girth * (1 - t.span("taper", 0.0, 0.3) * np.sin(np.linspace(0, _PI, 6)))
        cells.append(spine.tube(s_N, pinch_N))
        plastids.append(spine.at((start + stop) / 2, 0.4 * girth * (t.wings - 0.5))[0])
        for side in (-1, 1):
            for s, lean in ((start, 1), (stop, -1)):
                tilt = lean * t.span("sweep", -0.1, 0.6) + 0.06 * rng.standard_normal()
                angle = spine.heading(s) + side * (_PI / 2 + tilt)
                root = spine.at(s, side * girth)[0]
                bend = side * lean * t.span("tail", -0.8, 0.8)
                setae.append(whip(root, angle=angle, length=t.span("reach", 0.35, 1.15), bend=bend))
    canvas.lines(setae, ink.line, width=0.026, opacity=0.85)
    canvas.fill_all(cells, ink.body)
    for cell in cells:
        canvas.rim(cell, ink.line, width=0.032)
    canvas.dots(np.stack(plastids), ink.organ, radius=0.35 * girth + t.span("organ", 0.0, 0.05))


def draw_bead_chain(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A chain of drum-shaped diatom cells on a thread."""
    spine = Spine.bent(bend=t.span("curvature", -1.3, 1.3) + 0.3 * rng.standard_normal())
    num_cells = t.count("number", 3, 8) + int(rng.integers(0, 2))
    girth, fill = t.span("aspect", 0.12, 0.34), t.span("segments", 0.4, 0.9)
    canvas.lines([spine.at(np.linspace(0.03, 0.97, 20))], ink.line, width=0.03)
    for k in range(num_cells):
        centre = (k + 0.5) / num_cells
        s_N = np.linspace(centre - fill / num_cells / 2, centre + fill / num_cells / 2, 8)
        corner_N = np.sin(np.linspace(0.25, _PI - 0.25, 8)) ** t.span("taper", 0.05, 0.6)
        cell = spine.tube(s_N, girth * corner_N)
        canvas.fill(cell, ink.body)
        for j in range(t.count("organ", 2, 4)):
            offset = 0.5 * girth * np.sin(2.4 * j + 6 * t.spots)
            where = spine.at(centre + 0.2 * fill / num_cells * np.cos(2.4 * j), offset)
            canvas.dots(where, ink.organ, radius=t.span("spots", 0.03, 0.08))
        threads = [
            whip(
                spine.at(centre, side * girth)[0],
                angle=spine.heading(centre) + side * turn,
                length=0.3 * t.reach,
            )
            for side in (-1, 1)
            for turn in (1.1, 2.0)
        ]
        canvas.lines(threads, ink.line, width=0.02)
        canvas.rim(cell, ink.line, width=0.034)


def draw_needle_chain(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """Pennate diatoms: needles overlapping in a stepped chain, or side by side in a ribbon."""
    num_cells = t.count("number", 2, 6)
    girth = t.span("aspect", 0.05, 0.15)
    step, shift = t.span("wings", 0.25, 1.0), 1.6 * girth
    length = 1.9 / (1 + 0.45 * step * (num_cells - 1))
    s_N = np.linspace(-1, 1, 22)
    tip_N = (1 - np.abs(s_N) ** t.span("taper", 2.0, 7.0)) ** 0.8
    bent_N = t.span("curvature", -0.12, 0.12) * s_N**2
    for k in range(num_cells):
        middle = k - (num_cells - 1) / 2
        centre = np.array([0.9 * step * length * middle * 0.5, shift * middle])
        centre = centre + 0.03 * rng.standard_normal(2)
        x_N, w_N = 0.5 * length * s_N, girth * tip_N
        upper = np.stack([x_N, w_N + bent_N], axis=1)
        lower = np.stack([x_N[::-1], (bent_N - w_N)[::-1]], axis=1)
        cell = np.concatenate([upper, lower]) + centre
        canvas.fill(cell, ink.body)
        for side in (-1, 1):
            plastid = ellipse(
                centre + np.array([side * t.span("organ", 0.12, 0.3) * length, 0.0]),
                (t.span("spots", 0.06, 0.2) * length, 0.6 * girth),
            )
            canvas.fill(plastid, ink.organ, opacity=0.85)
        canvas.rim(cell, ink.line, width=0.034)
        for x in (
            np.linspace(-0.4, 0.4, t.count("segments", 3, 9)) * length if t.stripes > 0.5 else ()
        ):
            rib = np.array([[x, -0.7 * girth], [x, 0.7 * girth]]) + centre
            canvas.lines([rib], ink.line, width=0.02)
