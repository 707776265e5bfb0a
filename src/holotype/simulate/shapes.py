"""From a species to the drawing of one individual: which body plan, how large, how it lies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.simulate import plans_crustaceans as crustaceans
from holotype.simulate import plans_diatoms as diatoms
from holotype.simulate import plans_gelatinous as gelatinous
from holotype.simulate import plans_insects as insects
from holotype.simulate import plans_protists as protists
from holotype.simulate.canvas import PX_PER_UNIT, Canvas, Pose
from holotype.simulate.traits import Inks, Traits, damaged, individual_traits, mix_inks
from holotype.simulate.tree import Species

Draw = Callable[[Canvas, Traits, Inks, np.random.Generator], None]


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """How the members of a class, order or family are drawn.

    Attributes:
        draw: Draws one body on a canvas.
        length_um: Typical body length.
        hues: Range of hue, 0..1 round the colour circle from red.
        density: Typical absorbance of the body, relative to a copepod's.
        is_upright: Whether the body has an upper side, so that it is mirrored left to right.
    """

    draw: Draw
    length_um: float
    hues: tuple[float, float]
    density: float = 1.0
    is_upright: bool = False


PLANS: Mapping[str, BodyPlan] = {
    "Copepoda": BodyPlan(crustaceans.draw_copepod, 1_800, (0.98, 1.12)),
    "Branchiopoda": BodyPlan(crustaceans.draw_cladoceran, 1_100, (0.08, 0.2), 0.8),
    "Malacostraca": BodyPlan(crustaceans.draw_krill, 14_000, (0.95, 1.08), 1.0),
    "Sagittoidea": BodyPlan(crustaceans.draw_arrow_worm, 16_000, (0.04, 0.14), 0.6),
    "Polychaeta": BodyPlan(crustaceans.draw_bristle_worm, 12_000, (0.0, 0.1), 0.8),
    "Diptera": BodyPlan(insects.draw_fly, 4_500, (0.05, 0.14), 1.3),
    "Lepidoptera": BodyPlan(insects.draw_butterfly, 26_000, (0.96, 1.07), 1.2),
    "Coleoptera": BodyPlan(insects.draw_beetle, 11_000, (0.98, 1.42), 1.3),
    "Hymenoptera": BodyPlan(insects.draw_bee, 13_000, (0.06, 0.15), 1.2),
    "Hydrozoa": BodyPlan(gelatinous.draw_medusa, 6_000, (0.5, 0.66), 0.6, is_upright=True),
    "Scyphozoa": BodyPlan(gelatinous.draw_medusa, 40_000, (0.72, 1.1), 0.8, is_upright=True),
    "Tentaculata": BodyPlan(gelatinous.draw_comb_jelly, 13_000, (0.5, 0.95), 0.6, is_upright=True),
    "Gastropoda": BodyPlan(gelatinous.draw_pteropod, 2_500, (0.7, 0.95), 1.2, is_upright=True),
    "Appendicularia": BodyPlan(gelatinous.draw_larvacean, 3_500, (0.5, 1.1), 0.8),
    "Eurotatoria": BodyPlan(gelatinous.draw_rotifer, 220, (0.1, 0.3), 0.9),
    "Dinophyceae": BodyPlan(protists.draw_horned_dinoflagellate, 220, (0.05, 0.2), 1.0),
    "Peridiniales": BodyPlan(protists.draw_armoured_dinoflagellate, 130, (0.95, 1.08), 1.0),
    "Dinophysales": BodyPlan(protists.draw_sailed_dinoflagellate, 75, (0.02, 0.16), 1.0),
    "Coscinodiscophyceae": BodyPlan(diatoms.draw_disc_diatom, 170, (0.12, 0.24), 0.9),
    "Chaetocerotales": BodyPlan(diatoms.draw_spiny_chain, 150, (0.12, 0.22), 1.0),
    "Thalassiosirales": BodyPlan(diatoms.draw_bead_chain, 120, (0.12, 0.24), 1.0),
    "Bacillariophyceae": BodyPlan(diatoms.draw_needle_chain, 160, (0.1, 0.22), 1.0),
    "Acantharia": BodyPlan(protists.draw_acantharian, 300, (0.0, 0.16), 1.0),
    "Globothalamea": BodyPlan(protists.draw_foram, 450, (0.04, 0.16), 0.9),
    "Oligotrichea": BodyPlan(protists.draw_tintinnid, 130, (0.06, 0.16), 1.0),
    "Chlorophyceae": BodyPlan(protists.draw_colony, 500, (0.24, 0.38), 1.0),
    "Closteriaceae": BodyPlan(protists.draw_crescent_desmid, 380, (0.26, 0.4), 1.0),
    "Zygnematophyceae": BodyPlan(protists.draw_desmid, 190, (0.26, 0.4), 1.0),
}
"""Body plans by class, or by an order or family that differs from its class."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One individual before any instrument saw it.

    Attributes:
        levels: Absorbance in steps of ``canvas.ABSORBANCE_STEP``, uint8, shape (H, W, 3), blue
            green red, cut to the body.
        um_per_level_px: Size of a pixel of ``levels``.
    """

    levels: NDArray[np.uint8]
    um_per_level_px: float


def plan_of(species: Species) -> BodyPlan:
    """The body plan of a species.

    Raises:
        KeyError: Neither the family, the order nor the class is in ``PLANS``.
    """
    names = species.true_names()
    for rank in ("family", "order", "class"):
        if names[rank] in PLANS:
            return PLANS[names[rank]]
    message = f"{names['class']} {names['order']}: no body plan; add one to shapes.PLANS."
    raise KeyError(message)


def draw_individual(
    seed: int,
    *,
    species: Species,
    rng: np.random.Generator,
    pose_spread_rad: float,
    is_damaged: bool = False,
) -> Drawing:
    """The drawing of one individual.

    Args:
        seed: The seed of the settings, which fixes the traits of every taxon.
        species: What is drawn.
        rng: The individual's own generator.
        pose_spread_rad: It lies at any angle up to this, either way; pi is every angle.
        is_damaged: Whether appendages are broken.
    """
    plan = plan_of(species)
    traits = individual_traits(seed, species=species, rng=rng)
    sign = float(rng.choice([-1.0, 1.0]))
    pose = Pose(
        angle=float(rng.uniform(-pose_spread_rad, pose_spread_rad)),
        signs=(sign, 1.0) if plan.is_upright else (1.0, sign),
    )
    inks = mix_inks(traits, hues=plan.hues, density=0.5 * plan.density)
    canvas = Canvas(pose=pose)
    plan.draw(canvas, damaged(traits, rng=rng) if is_damaged else traits, inks, rng)
    length_um = plan.length_um * 2 ** traits.span("size", -1.0, 1.0)
    return Drawing(levels=_cut(canvas.levels_HW3), um_per_level_px=length_um / (2 * PX_PER_UNIT))


def _cut(levels_HW3: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of a sheet that holds the body."""
    blue_HW, green_HW, red_HW = (np.asarray(plane, np.uint8) for plane in cv2.split(levels_HW3))
    seen_HW = cv2.threshold(blue_HW | green_HW | red_HW, 8, 1, cv2.THRESH_BINARY)[1]
    left, top, width, height = cv2.boundingRect(seen_HW)
    return levels_HW3[top : top + height, left : left + width]
