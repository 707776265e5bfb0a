"""Three instruments that see one drawing in three ways.

They stand for a shadowgraph towed through the sea (bright field, grey), an in-situ dark-field
camera (small, noisy) and a colour scanner or microscope in a laboratory. They differ in polarity,
blur, pixel size, noise, background, crop margin and file format, as real archives do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.simulate.canvas import ABSORBANCE_STEP
from holotype.simulate.shapes import Drawing

Image = NDArray[np.float32]
"""Light or absorbance, shape (H, W, 3), channels blue green red."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """How one instrument takes an image.

    Attributes:
        name: The instrument's name in the records.
        expose: Turns absorbance into light 0..1, shape (H, W, 3).
        base_pixel_um: Pixel size at magnification 1; others differ by powers of two.
        blur_px: Typical standard deviation of the point spread, in image pixels.
        noise: Standard deviation of the read noise, as a share of full scale.
        margin: Typical free border on each side, as a share of the body's longest side.
        pose_spread_rad: Specimens lie at any angle up to this, either way; pi is every angle.
        fills_frame: Whether magnification makes specimens as large as the side limit allows, not
            as small.
        suffix: File suffix, ``.jpg`` or ``.png``.
        is_grey: Whether files hold one channel.
    """

    name: str
    expose: Callable[[Image, np.random.Generator], Image]
    base_pixel_um: float
    blur_px: float
    noise: float
    margin: float
    pose_spread_rad: float
    fills_frame: bool
    suffix: str
    is_grey: bool


@dataclass(frozen=True, slots=True)
class Capture:
    """One image file and its pixel size.

    Attributes:
        encoded: The bytes of a JPEG or PNG file.
        pixel_size_um: Size of an image pixel in the specimen, in micrometres.
    """

    encoded: bytes
    pixel_size_um: float


def capture(
    drawing: Drawing,
    *,
    instrument: Instrument,
    rng: np.random.Generator,
    min_side_px: int,
    max_side_px: int,
) -> Capture:
    """The image that an instrument takes of a drawing.

    Args:
        drawing: The individual.
        instrument: One of ``INSTRUMENTS``.
        rng: The individual's own generator.
        min_side_px: Lower bound of height and width.
        max_side_px: Upper bound of height and width, at least twice the lower one.
    """
    height, width = drawing.levels.shape[:2]
    margin = instrument.margin * float(rng.uniform(0.5, 1.5))
    frame_um = max(height, width) * drawing.um_per_level_px * (1 + 2 * margin)
    pixel_um = _pixel_size(
        frame_um, instrument=instrument, min_side_px=min_side_px, max_side_px=max_side_px
    )
    scale = drawing.um_per_level_px / pixel_um
    body_px = (max(1, round(width * scale)), max(1, round(height * scale)))
    body_HW3 = cv2.resize(drawing.levels, body_px, interpolation=cv2.INTER_AREA)
    border = round(margin * max(body_px))
    sides = [min(max(side + 2 * border, min_side_px), max_side_px) for side in body_px[::-1]]
    absorbance_HW3 = np.zeros((*sides, 3), dtype=np.float32)
    top, left = ((free - own) // 2 for free, own in zip(sides, body_px[::-1], strict=True))
    absorbance_HW3[top : top + body_px[1], left : left + body_px[0]] = body_HW3 * np.float32(
        ABSORBANCE_STEP
    )
    blur_px = instrument.blur_px * float(rng.lognormal(0.0, 0.3))
    absorbance_HW3 = np.asarray(cv2.GaussianBlur(absorbance_HW3, (0, 0), blur_px), np.float32)
    light_HW3 = instrument.expose(absorbance_HW3, rng)
    return Capture(
        encoded=_encode(light_HW3, instrument=instrument, rng=rng), pixel_size_um=pixel_um
    )


def _pixel_size(
    frame_um: float, *, instrument: Instrument, min_side_px: int, max_side_px: int
) -> float:
    """The pixel size, a power of two from the base, at which the frame meets the limits."""
    if instrument.fills_frame:
        power = np.ceil(np.log2(frame_um / (instrument.base_pixel_um * max_side_px)))
    else:
        power = np.floor(np.log2(frame_um / (instrument.base_pixel_um * min_side_px)))
    return float(instrument.base_pixel_um * 2.0**power)


def _encode(light_HW3: Image, *, instrument: Instrument, rng: np.random.Generator) -> bytes:
    """The file: noise added, 8 bits, the instrument's format."""
    light = light_HW3.mean(axis=2) if instrument.is_grey else light_HW3
    noisy = light + instrument.noise * rng.standard_normal(light.shape, dtype=np.float32)
    pixels = np.asarray(np.clip(noisy * 255 + 0.5, 0, 255), dtype=np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90] if instrument.suffix == ".jpg" else []
    _, encoded = cv2.imencode(instrument.suffix, pixels, quality)
    return encoded.tobytes()


def _ramp(shape: tuple[int, ...], rng: np.random.Generator, *, strength: float) -> Image:
    """Uneven lighting: a plane around 1 in a random direction, shape (H, W, 1)."""
    dy, dx = strength * rng.uniform(-1, 1, size=2)
    rows = np.linspace(-dy, dy, shape[0], dtype=np.float32)[:, None, None]
    columns = np.linspace(-dx, dx, shape[1], dtype=np.float32)[None, :, None]
    return np.asarray(1 + rows + columns, dtype=np.float32)


def _expose_shadowgraph(absorbance_HW3: Image, rng: np.random.Generator) -> Image:
    """A dark body with sharpened rims on an uneven light ground, without colour."""
    grey_HW1 = absorbance_HW3.mean(axis=2, keepdims=True)
    soft_HW1 = cv2.GaussianBlur(grey_HW1, (0, 0), 2.0)[:, :, None]
    rimmed_HW1 = np.maximum(grey_HW1 + 0.5 * (grey_HW1 - soft_HW1), -0.06)
    ground = rng.uniform(0.76, 0.9) * _ramp(grey_HW1.shape, rng, strength=0.08)
    return np.asarray(np.repeat(ground * np.exp(-1.5 * rimmed_HW1), 3, axis=2), np.float32)


def _expose_dark_field(absorbance_HW3: Image, rng: np.random.Generator) -> Image:
    """Scattered light: a bright body with bright edges on black, shot noise, drifting specks."""
    grey_HW = absorbance_HW3.mean(axis=2)
    edges_HW = cv2.morphologyEx(grey_HW, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    gain = rng.uniform(0.75, 1.25)
    light_HW = 0.03 + gain * (0.72 * (1 - np.exp(-1.2 * grey_HW)) + 0.25 * edges_HW)
    light_HW = light_HW + _specks(light_HW.shape, rng)
    shot_HW = rng.standard_normal(light_HW.shape, dtype=np.float32)
    light_HW = light_HW + 0.06 * np.sqrt(light_HW) * shot_HW
    return np.asarray(np.repeat(light_HW[:, :, None], 3, axis=2), dtype=np.float32)


def _specks(shape: tuple[int, ...], rng: np.random.Generator) -> Image:
    """A few small blurred particles on black, shape (H, W)."""
    specks_HW = np.zeros(shape, dtype=np.float32)
    num_specks = int(rng.poisson(1.2))
    rows, columns = rng.integers(shape[0], size=num_specks), rng.integers(shape[1], size=num_specks)
    specks_HW[rows, columns] = rng.uniform(0.6, 2.5, size=num_specks)
    return np.asarray(cv2.GaussianBlur(specks_HW, (0, 0), 0.7), dtype=np.float32)


def _expose_colour_scan(absorbance_HW3: Image, rng: np.random.Generator) -> Image:
    """Colours on a cream ground, lightly uneven, at times with a scale bar burnt in."""
    cream = np.array([0.86, 0.94, 0.98], dtype=np.float32) * rng.uniform(0.94, 1.02)
    ground = cream * _ramp(absorbance_HW3.shape, rng, strength=0.03)
    light_HW3 = np.asarray(ground * np.exp(-absorbance_HW3), dtype=np.float32)
    if rng.random() < 0.12:
        height, width = light_HW3.shape[:2]
        length = int(width * rng.uniform(0.2, 0.35))
        light_HW3[height - 5 : height - 3, width - 4 - length : width - 4] = 0.1
    return light_HW3


INSTRUMENTS: Mapping[str, Instrument] = {
    "shadowgraph": Instrument(
        name="shadowgraph",
        expose=_expose_shadowgraph,
        base_pixel_um=50.0,
        blur_px=0.6,
        noise=0.018,
        margin=0.08,
        pose_spread_rad=np.pi,
        fills_frame=True,
        suffix=".jpg",
        is_grey=True,
    ),
    "dark-field camera": Instrument(
        name="dark-field camera",
        expose=_expose_dark_field,
        base_pixel_um=22.0,
        blur_px=0.75,
        noise=0.02,
        margin=0.16,
        pose_spread_rad=np.pi,
        fills_frame=False,
        suffix=".png",
        is_grey=True,
    ),
    "colour scanner": Instrument(
        name="colour scanner",
        expose=_expose_colour_scan,
        base_pixel_um=10.6,
        blur_px=0.35,
        noise=0.008,
        margin=0.05,
        pose_spread_rad=0.8,
        fills_frame=True,
        suffix=".jpg",
        is_grey=False,
    ),
}
"""The instruments by name."""
