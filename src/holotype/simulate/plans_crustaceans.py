"""Body plans of crustaceans and other swimmers with a head, a trunk and a tail."""

import numpy as np

from holotype.simulate.canvas import Canvas
from holotype.simulate.geometry import Spine, ellipse, lobe, whip
from holotype.simulate.traits import Inks, Traits

_PI = np.pi


def draw_copepod(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A copepod from above: prosome, urosome, furca with setae, two long antennules."""
    spine = Spine.bent(bend=t.span("curvature", -0.3, 0.3) + 0.12 * rng.standard_normal())
    waist, girth = t.span("head", 0.6, 0.76), t.span("aspect", 0.19, 0.42)
    length, opening = t.span("reach", 0.55, 1.5), t.span("sweep", 0.85, 1.95)
    antennules = [
        whip(
            spine.at(0.07, side * 0.1)[0],
            angle=spine.heading(0.0) + _PI - side * (opening + 0.1 * rng.standard_normal()),
            length=length,
            bend=-side * t.span("taper", 0.1, 0.9),
        )
        for side in (-1, 1)
    ]
    canvas.lines(antennules, ink.line, width=0.04)
    _copepod_tail(canvas, t, ink, spine, waist)
    s_N = np.linspace(0.0, waist, 24)
    profile_N = np.sin(_PI * (s_N / waist) ** t.span("taper", 0.55, 1.0)) ** 0.62
    prosome = spine.tube(s_N, girth * profile_N + 0.015)
    canvas.fill(prosome, ink.body)
    canvas.fill(spine.tube(s_N, 0.55 * girth * profile_N), ink.body, opacity=0.3)
    if t.organ > 0.35:
        sac = spine.at(t.span("wings", 0.3, 0.5) * 1.05)[0]
        radii = (t.span("organ", 0.1, 0.34), 0.4 * girth)
        canvas.fill(ellipse(sac, radii, tilt=spine.heading(0.4)), ink.organ, opacity=0.7)
    for s in np.linspace(0.36, 0.96, t.count("segments", 3, 6)) * waist:
        w = girth * np.interp(s, s_N, profile_N)
        canvas.lines([spine.at([s, s + 0.015, s], [-w, 0, w])], ink.line, width=0.025)
    canvas.rim(prosome, ink.line, width=0.035)
    canvas.dots(spine.at(0.05), ink.accent, radius=0.05)
    if t.spots > 0.68:
        for side in (-1, 1):
            eggs = spine.at(waist + 0.11, side * 0.16)
            canvas.fill(ellipse(eggs, (0.19, 0.1), tilt=spine.heading(0.8)), ink.organ)


def _copepod_tail(canvas: Canvas, t: Traits, ink: Inks, spine: Spine, waist: float) -> None:
    """Urosome, furca and setae."""
    width = t.span("tail", 0.055, 0.11)
    tail_N = np.linspace(waist - 0.03, 0.9, 12)
    canvas.fill(spine.tube(tail_N, np.linspace(width, 0.75 * width, 12)), ink.body)
    canvas.rim(spine.tube(tail_N, np.linspace(width, 0.75 * width, 12)), ink.line, width=0.025)
    spread, setae = t.span("stripes", 0.12, 0.7), []
    for side in (-1, 1):
        root = spine.at(0.89, side * 0.6 * width)[0]
        for share in np.linspace(0.3, 1.0, 3):
            angle = spine.heading(1.0) + side * spread * share
            setae.append(whip(root, angle=angle, length=t.span("tail", 0.18, 0.5)))
    canvas.lines(setae, ink.line, width=0.03)


def draw_cladoceran(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A water flea from the side: carapace with brood, spine, head with eye, branched antenna."""
    height, spine_length = t.span("aspect", 0.48, 0.85), t.span("tail", 0.05, 0.95)
    turn_N = np.linspace(0, 2 * _PI, 60)
    bulge_N = 1 + t.span("curvature", -0.1, 0.22) * np.cos(2 * turn_N + 0.6)
    shell = np.stack([0.2 + 0.72 * np.cos(turn_N) * bulge_N, height * np.sin(turn_N)], axis=1)
    tip = whip([0.84, -0.1], angle=t.span("sweep", -0.6, 0.35), length=spine_length, bend=-0.3)
    canvas.lines([tip], ink.line, width=0.06)
    canvas.fill(shell, ink.body)
    brow = t.span("head", 0.2, 0.36)
    crest = t.span("taper", 0.0, 0.42)
    head = ellipse([-0.52 - crest / 3, 0.12], (brow + crest, brow), tilt=0.5)
    canvas.fill(head, ink.body)
    canvas.rim(head, ink.line, width=0.03, opacity=0.6)
    gut = whip([-0.5, 0.1], angle=0.2, length=1.25, bend=t.span("stripes", -1.0, -0.1))
    canvas.lines([gut], ink.organ, width=t.span("stripes", 0.08, 0.15), opacity=0.85)
    for k in range(t.count("organ", 0, 6)):
        egg = [0.22 + 0.24 * (k % 3), -0.28 * height - 0.2 * (k // 3) * height]
        canvas.fill(ellipse(egg, (0.13, 0.11)), ink.organ, opacity=0.8)
    legs = [
        whip([-0.25 + 0.16 * k, 0.45 * height], angle=1.9, length=0.3, bend=0.7) for k in range(5)
    ]
    canvas.lines(legs, ink.line, width=0.03, opacity=0.6)
    canvas.rim(shell, ink.line, width=0.035)
    length = t.span("reach", 0.45, 1.0)
    arm = whip([-0.42, 0.0], angle=-1.9 + 0.2 * rng.standard_normal(), length=length, bend=-0.6)
    twigs = [
        whip(arm[7], angle=-2.2 + turn, length=0.55 * length, bend=-0.4)
        for turn in np.linspace(-0.5, 0.6, t.count("number", 2, 4))
    ]
    canvas.lines([arm[:8], *twigs], ink.line, width=0.05)
    canvas.dots(
        np.array([[-0.66 - crest / 3, 0.2]]), ink.accent, radius=t.span("spots", 0.06, 0.12)
    )


def draw_krill(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A krill or amphipod from the side: bent trunk, legs below, tail fan, eye, antennae."""
    bend = t.span("curvature", -0.25, 1.5) + 0.15 * rng.standard_normal()
    spine = Spine.bent(bend=bend)
    girth = t.span("aspect", 0.13, 0.3)
    s_N = np.linspace(0.0, 0.93, 30)
    front = t.span("head", 0.25, 0.45)
    w_N = girth * np.interp(s_N, [0, 0.08, front, 0.93], [0.45, 0.9, 1.0, 0.35])
    length, legs = t.span("reach", 0.22, 0.62), []
    for s in np.linspace(0.16, 0.78, t.count("number", 6, 13)):
        angle = spine.heading(s) + t.span("sweep", 1.1, 2.1) + 0.1 * rng.standard_normal()
        scale = 1.0 if s < 0.5 else 0.6
        root = spine.at(s, 0.7 * float(np.interp(s, s_N, w_N)))[0]
        legs.append(whip(root, angle=angle, length=scale * length, bend=0.8))
    canvas.lines(legs, ink.line, width=0.032)
    fan = [
        lobe(spine.at(0.9)[0], angle=spine.heading(1.0) + turn, length=0.36, width=0.06, tip=0.6)
        for turn in t.span("tail", 0.15, 0.6) * np.array([-1.0, 0.0, 1.0])
    ]
    canvas.fill_all(fan, ink.body)
    feelers = [
        whip(spine.at(0.02)[0], angle=spine.heading(0.0) + _PI + turn, length=0.9 * reach, bend=0.5)
        for turn, reach in ((-0.15, t.span("wings", 0.25, 1.0)), (0.2, t.span("wings", 0.2, 0.7)))
    ]
    canvas.lines(feelers, ink.line, width=0.03)
    trunk = spine.tube(s_N, w_N)
    canvas.fill(trunk, ink.body)
    canvas.fill(
        spine.tube(s_N[4:16], 0.5 * w_N[4:16]), ink.organ, opacity=t.span("organ", 0.1, 0.9)
    )
    for s in np.linspace(front, 0.88, t.count("segments", 5, 8)):
        w = float(np.interp(s, s_N, w_N))
        canvas.lines([spine.at([s, s], [-w, w])], ink.line, width=0.028)
    if t.spots > 0.45:
        canvas.dots(spine.at(np.linspace(0.4, 0.85, 6), 0.3 * girth), ink.accent, radius=0.04)
    canvas.rim(trunk, ink.line, width=0.032)
    eye = spine.at(0.06, -0.25 * girth)
    canvas.dots(eye, ink.accent, radius=girth * t.span("stripes", 0.3, 0.62))


def draw_arrow_worm(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """An arrow worm: slender clear trunk, lateral fins, tail fin, head with hooks."""
    bend = t.span("curvature", -0.4, 0.4) + 0.3 * rng.standard_normal()
    spine = Spine.bent(bend=bend, wave=0.12 * rng.standard_normal())
    girth = t.span("aspect", 0.06, 0.13)
    for where, size in ((t.span("wings", 0.4, 0.55), 0.13), (t.span("wings", 0.62, 0.75), 0.16)):
        s_N = np.linspace(where, where + t.span("sweep", 0.1, 0.3), 10)
        fin_N = girth + t.span("reach", 0.4, 1.3) * size * np.sin(np.linspace(0.1, _PI, 10))
        canvas.fill(spine.tube(s_N, fin_N), ink.pale, opacity=0.9)
    root = spine.at(0.9)[0]
    for side in (-1, 1):
        angle = spine.heading(1.0) + side * t.span("tail", 0.25, 0.7)
        canvas.fill(lobe(root, angle=angle, length=0.34, width=0.1, tip=0.7), ink.pale)
    s_N = np.linspace(0.0, 0.97, 30)
    w_N = girth * np.interp(s_N, [0, 0.03, 0.07, 0.1, 0.5, 0.97], [0.7, 1.15, 1.1, 0.75, 1, 0.2])
    trunk = spine.tube(s_N, w_N)
    canvas.fill(trunk, ink.body)
    gut = spine.at(np.linspace(0.1, t.span("organ", 0.55, 0.8), 12))
    canvas.lines([gut], ink.organ, width=0.05, opacity=0.8)
    if t.spots > 0.3:
        s = t.span("organ", 0.55, 0.8)
        ovary_N = np.linspace(s - t.span("spots", 0.05, 0.3), s, 8)
        canvas.fill(spine.tube(ovary_N, np.full(8, 0.6 * girth)), ink.organ)
    canvas.rim(trunk, ink.line, width=0.03)
    for k in range(t.count("number", 2, 5)):
        for side in (-1, 1):
            angle = spine.heading(0.0) + _PI - side * (0.5 + 0.3 * k)
            hook = whip(spine.at(0.02, side * girth)[0], angle=angle, length=0.17, bend=side * 1.2)
            canvas.lines([hook], ink.accent, width=0.03)
    canvas.dots(spine.at([0.045, 0.045], [-0.4 * girth, 0.4 * girth]), ink.accent, radius=0.035)


def draw_bristle_worm(canvas: Canvas, t: Traits, ink: Inks, rng: np.random.Generator) -> None:
    """A swimming polychaete: paired feet along the trunk, long cirri at the head."""
    bend = t.span("curvature", -1.2, 1.2) + 0.4 * rng.standard_normal()
    spine = Spine.bent(bend=bend, wave=0.3 * rng.standard_normal())
    girth, feet = t.span("aspect", 0.07, 0.15), []
    for s in np.linspace(0.1, 0.88, t.count("number", 9, 17)):
        length = t.span("reach", 0.2, 0.5) * (1.1 - 0.6 * s)
        for side in (-1, 1):
            angle = spine.heading(s) + side * t.span("sweep", 0.9, 1.6)
            root = spine.at(s, side * 0.6 * girth)[0]
            feet.append(lobe(root, angle=angle, length=length, width=0.06, tip=0.65))
    canvas.fill_all(feet, ink.body)
    canvas.fill_all([0.35 * foot + 0.65 * foot[17] for foot in feet], ink.organ, opacity=0.7)
    s_N = np.linspace(0.0, 1.0, 30)
    trunk = spine.tube(s_N, girth * np.interp(s_N, [0, 0.05, 0.6, 1.0], [0.8, 1.1, 0.8, 0.15]))
    canvas.fill(trunk, ink.body)
    canvas.rim(trunk, ink.line, width=0.03)
    cirri = [
        whip(spine.at(0.03)[0], angle=spine.heading(0) + _PI + side * 0.9, length=0.7, bend=side)
        for side in (-1, 1)
    ]
    canvas.lines(cirri, ink.line, width=0.04)
    canvas.dots(spine.at([0.03, 0.03], [-0.05, 0.05]), ink.accent, radius=0.04)
