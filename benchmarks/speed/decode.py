"""Encoded bytes -> the square that a tower reads: ours against Pillow, in turn, one thread.

Run: python benchmarks/speed/decode.py [--rounds 5] [--crops 100]

Work: real crops of several instruments where the real data is there, and simulated ones; crops of 30 to
200 px on their longer side. Pillow's part opens, converts and resizes with the filter of the same name to the
same size, as scripts around torchvision and open_clip do, and pads where ours pads. Photographs of 12 and 24
megapixels are made here: clouds of many sizes with the noise of a sensor. How far the pixels of both are from
an exact computation (``exact_pixels.py``) is told beside. At last: the share of its time that prediction and
training with the starter wait for images.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "quality"))

import cv2
import numpy as np
import tomli_w
from exact_pixels import levels_apart
from machine import machine_line, real_data
from PIL import Image

import holotype
from holotype.collection.sources import sources
from holotype.collection.sources.item import SourceOptions
from holotype.media.images import read_pixels
from holotype.media.locations import read_location
from holotype.media.pixels import Pixels
from holotype.media.preparation import PixelPreparation, PreparationKind

RESULTS = Path(__file__).parent / "results"
INSTRUMENTS = {"zoolake": "SPC", "flowcam": "FlowCam", "uvp6": "UVP6", "ifcb": "IFCB"}
LEAST_PX, MOST_PX = 30, 200
PADDED, SQUASHED, CROPPED = (
    PreparationKind.PADDED,
    PreparationKind.SQUASHED,
    PreparationKind.CENTRE_CROP,
)
STARTER = PixelPreparation(PADDED, 64, 1)
WAYS = {
    "padded, 64 px, grey (the starter)": STARTER,
    "padded, 224 px, colour": PixelPreparation(PADDED, 224, 3),
    "squashed, 224 px, colour": PixelPreparation(SQUASHED, 224, 3),
    "centre crop, 224 px, colour": PixelPreparation(CROPPED, 224, 3),
}
COMPARED = ("padded, 64 px, grey (the starter)", "squashed, 224 px, colour")
"""Ways in which photographs are made ready."""
PHOTOGRAPHS = {"12 megapixels": (3_000, 4_000), "24 megapixels": (4_000, 6_000)}
Way = Callable[[bytes], Pixels]


def main() -> None:
    """Runs all and writes the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--crops", type=int, default=100, help="of each set")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    if asked.peak:
        print(peak_of(*asked.peak))
        return
    small, load = [], os.getloadavg()[0]
    for name, contents in crops(asked.crops):
        decoding = in_turn(DECODERS, contents, asked.rounds)
        for told, way in WAYS.items():
            small.append(contest(name, contents, decoding, way, told, asked.rounds))
    large = [photograph(name, size, asked.rounds) for name, size in PHOTOGRAPHS.items()]
    cv2.setNumThreads(threads)
    content = {
        "machine": machine_line(),
        "load": load,
        "small": small,
        "ratio": summary(small),
        "large": large,
        "waiting": waiting(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "decode.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / "decode.md").write_text(page(content))
    print(page(content))


def crops(most: int) -> Iterator[tuple[str, list[bytes]]]:
    """Yields sets of small crops: those of each instrument, and simulated ones as JPEG and PNG."""
    try:
        plankton = real_data() / "plankton"
    except SystemExit:
        plankton = None
    if plankton is not None:
        isiis = (item.image for item in read("image-folder", plankton / "isiis/planktonset1.zip"))
        yield named("ISIIS", islice((read_location(at) for at in isiis if at), 0, None, 40), most)
        for folder, name in INSTRUMENTS.items():
            paths = sorted(path for path in (plankton / folder / "images").rglob("*.*"))
            step = max(1, len(paths) // most)
            yield named(name, (path.read_bytes() for path in paths[::step]), most)
    with tempfile.TemporaryDirectory() as scratch:
        settings = Path(scratch) / "settings.toml"
        settings.write_text("num_species = 60\n")
        pixels = [read_pixels(item.content) for item in read("simulated", settings) if item.content]
    for ending in ("jpg", "png"):
        yield named("simulated", (encoded(one, f".{ending}") for one in pixels), most)


def read(kind: str, path: Path) -> Any:
    """Returns the items of a source."""
    return sources()[kind].read(path, SourceOptions())


def encoded(pixels: Pixels, ending: str) -> bytes:
    """Returns the pixels as a file."""
    return cv2.imencode(ending, pixels[..., ::-1] if pixels.shape[2] == 3 else pixels)[1].tobytes()


def named(name: str, contents: Iterator[bytes], most: int) -> tuple[str, list[bytes]]:
    """Returns a set's name with its format, and the small ones of its crops."""
    kept = [one for one in contents if LEAST_PX <= max(read_pixels(one).shape[:2]) <= MOST_PX]
    form = "PNG" if kept[0].startswith(b"\x89PNG") else "JPEG"
    return f"{name}, {form}", kept[:most]


def ours(content: bytes, way: PixelPreparation) -> Pixels:
    """Returns the square as training and prediction make it."""
    return way.apply(way.read(content).pixels_HWC)


def by_pillow(content: bytes, way: PixelPreparation) -> Pixels:
    """Returns the square as a script around Pillow makes it."""
    mode = "L" if way.channels == 1 else "RGB"
    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert(mode)
    side = way.side_px
    if way.kind is SQUASHED:
        return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
    if way.kind is CROPPED:
        scale = side / min(image.size)
        grown = image.resize(
            tuple(max(side, int(length * scale)) for length in image.size), Image.Resampling.BICUBIC
        )
        left, top = (round((length - side) / 2) for length in grown.size)
        return np.asarray(grown.crop((left, top, left + side, top + side)))
    pixels = np.asarray(image)
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    colour = np.median(border, axis=0).astype(int)
    scale = side / max(image.size)
    size = tuple(max(1, round(length * scale)) for length in image.size)
    resized = image.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    square = Image.new(mode, (side, side), tuple(np.atleast_1d(colour).tolist()))
    square.paste(resized, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(square)


def in_turn(ways: dict[str, Way], contents: Sequence[bytes], rounds: int) -> dict[str, list[float]]:
    """Returns the microseconds of the processor an image by each way and round; a first round warms up."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            started = time.process_time()
            for content in contents:
                way(content)
            took[name].append((time.process_time() - started) / len(contents) * 1e6)
    return {name: found[1:] for name, found in took.items()}


DECODERS: dict[str, Way] = {
    "ours": read_pixels,
    "pillow": lambda content: np.asarray(Image.open(io.BytesIO(content))),
}


def contest(
    name: str,
    contents: Sequence[bytes],
    decoding: dict[str, list[float]],
    way: PixelPreparation,
    told: str,
    rounds: int,
) -> dict[str, Any]:
    """Returns the figures of one set of crops, made ready in one way."""
    ways = {"ours": partial(ours, way=way), "pillow": partial(by_pillow, way=way)}
    all_of_it = in_turn(ways, contents, rounds)
    decoded = [read_pixels(one) for one in contents]
    apart = {
        who: [
            levels_apart(square(one).reshape(way.shape), pixels, way)
            for one, pixels in zip(contents[::8], decoded[::8], strict=True)
        ]
        for who, square in ways.items()
    }
    return {
        "crops": name,
        "way": told,
        "number": len(contents),
        "median_side_px": statistics.median(max(one.shape[:2]) for one in decoded),
        "decode_us": {who: statistics.median(found) for who, found in decoding.items()},
        "decode_ratio": ratio(decoding),
        "us": {who: statistics.median(found) for who, found in all_of_it.items()},
        "ratio": ratio(all_of_it),
        "most_levels": {who: max(int(one.max()) for one in found) for who, found in apart.items()},
        "mean_levels": {
            who: statistics.mean(float(one.mean()) for one in found) for who, found in apart.items()
        },
    }


def ratio(took: dict[str, list[float]]) -> float:
    """Returns the median over the rounds of how many times as long Pillow took."""
    rounds = zip(took["pillow"], took["ours"], strict=True)
    return statistics.median(theirs / own for theirs, own in rounds)


def summary(small: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Returns for each way the median ratio over the sets of JPEG and over those of PNG."""
    return {
        form: {
            told: statistics.median(
                one["ratio"] for one in small if one["way"] == told and one["crops"].endswith(form)
            )
            for told in WAYS
        }
        for form in ("JPEG", "PNG")
    }


def whole(content: bytes, way: PixelPreparation) -> Pixels:
    """Returns the square from all of the pixels."""
    return way.apply(read_pixels(content))


LARGE: dict[str, Callable[[bytes, PixelPreparation], Pixels]] = {
    "ours": ours,
    "whole": whole,
    "pillow": by_pillow,
}


def photograph(name: str, size: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Returns the figures of one large JPEG: reduced decoding, decoding of all, Pillow; peaks of memory."""
    content = cloudy(*size)
    pixels = read_pixels(content)
    found: dict[str, Any] = {"photograph": name, "megabytes": len(content) / 1e6, "ways": {}}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "photograph.jpg"
        path.write_bytes(content)
        for told in COMPARED:
            way = WAYS[told]
            ways = {who: partial(square, way=way) for who, square in LARGE.items()}
            took = in_turn(ways, [content], max(5, rounds))
            apart = None
            if pixels.size < 40_000_000:  # the exact computation takes long
                apart = levels_apart(ours(content, way), pixels, way)
            found["ways"][told] = {
                "ms": {who: statistics.median(each) / 1e3 for who, each in took.items()},
                "ratio": ratio(took),
                "most_levels": None if apart is None else int(apart.max()),
                "mean_levels": None if apart is None else float(apart.mean()),
                "peak_mib": {who: peak_in_process(who, told, path) for who in LARGE},
            }
    return found


def cloudy(height: int, width: int) -> bytes:
    """Returns a JPEG of clouds of many sizes, in colour, with noise."""
    rng = np.random.default_rng(0)
    pixels = np.full((height, width, 3), 128, np.float32)
    for step in (1_000, 250, 60, 15, 4):
        small = rng.normal(0, 18, (height // step + 2, width // step + 2, 3)).astype(np.float32)
        pixels += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    pixels += rng.normal(0, 4, pixels.shape).astype(np.float32)
    kept = np.clip(pixels, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", kept, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def peak_in_process(who: str, told: str, path: Path) -> float:
    """Returns by how many MiB the memory of a process of its own grows while it makes a photograph ready."""
    words = [sys.executable, __file__, "--peak", who, told, str(path)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def peak_of(who: str, told: str, path: str) -> float:
    """Returns the growth of this process's peak, in MiB."""
    content = Path(path).read_bytes()
    LARGE[who](encoded(np.zeros((40, 40, 3), np.uint8), ".jpg"), WAYS[told])
    before = most_memory()
    LARGE[who](content, WAYS[told])
    return (most_memory() - before) / 1024


def most_memory() -> int:
    """Returns the peak of this process's memory, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def waiting() -> dict[str, float]:
    """Returns the share of its time that the starter waits for images, on simulated crops."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        settings = folder / "settings.toml"
        settings.write_text(
            "num_species = 60\nbarcode_fraction = 0.0\nunnamed_species_fraction = 0.0\n"
        )
        holotype.import_("simulated", [settings], into=folder / "collection")
        holotype.split(folder / "collection", out=folder / "split.parquet", seed=0)
        shares = {"predict": while_predicting(folder / "collection", folder)}
        for pixels in ("memory", "stream"):
            recipe = starter_recipe(pixels)
            (folder / "recipe.toml").write_text(tomli_w.dumps(recipe))
            report = holotype.train(
                folder / "recipe.toml",
                collection=folder / "collection",
                split=folder / "split.parquet",
                out=folder / f"run-{pixels}",
            )
            shares[f"train, pixels in {pixels}"] = report.figures["data_wait"]
    return shares


def starter_recipe(pixels: str) -> dict[str, Any]:
    """Returns the recipe of the starter for a single epoch."""
    recipe = tomllib.loads((Path(holotype.__file__).parent / "starter/recipe.toml").read_text())
    recipe["schedule"] |= {"epochs": 1, "pixels": pixels}
    return recipe


def while_predicting(collection: Path, folder: Path) -> float:
    """Returns the share of waiting for images while the starter answers for a folder of crops as files."""
    from holotype.collection.store import open_collection
    from holotype.identify.answering import chunks
    from holotype.identify.answers import Answerer, AnswerSettings
    from holotype.identify.inputs import specimens
    from holotype.identify.loading import load, loaded_ahead
    from holotype.models.bundle import open_bundle

    place = folder / "crops"
    place.mkdir()
    for number, (_, content) in enumerate(open_collection(collection).images()):
        (place / f"{number:06d}.png").write_bytes(content or b"")
    bundle = open_bundle("starter")
    answerer = Answerer.of(bundle, AnswerSettings())
    ready = chunks(loaded_ahead(specimens([str(place)]), partial(load, pixels=bundle.pixels)))
    waited, answered = [], []
    while True:
        started = time.perf_counter()
        chunk = next(ready, None)
        waited.append(time.perf_counter() - started)
        if chunk is None:
            break
        answerer.answer(chunk)
        answered.append(time.perf_counter() - started - waited[-1])
    # the first chunk has nothing to hide behind
    return sum(waited[1:]) / (sum(waited[1:]) + sum(answered[1:]))


ABOUT = """# Decoding and resizing

Microseconds of the processor a crop from its bytes to the square of a tower: medians of rounds in turn, one
thread. Levels: the largest and the mean difference to an exact computation on the same decoded pixels. What
Pillow calls BOX takes whole pixels where areas are asked for: hence its larger differences.

| crops | way | decoding: ours, Pillow | ratio | all: ours, Pillow | **ratio** | levels: ours | Pillow |
| --- | --- | --: | --: | --: | --: | --: | --: |
"""
PHOTOGRAPHS_ABOUT = """
## Photographs (made for this: clouds and noise)

Milliseconds of the processor and growth of memory (MiB); whole: ours without the reduced scale.
Levels: of the reduced scale, to the exact computation on all pixels.

| photograph | way | ours | whole | Pillow | **ratio** | MiB: ours, whole, Pillow | levels |
| --- | --- | --: | --: | --: | --: | --: | --: |
"""


def levels_told(found: dict[str, Any]) -> str:
    """Returns the differences in words; nothing where they were not computed."""
    if found["most_levels"] is None:
        return ""
    return f"{found['most_levels']}, {found['mean_levels']:.2f}"


def page(content: dict[str, Any]) -> str:
    """Returns the figures as a Markdown page."""
    lines = ABOUT.splitlines()
    for one in content["small"]:
        decoding, took = one["decode_us"], one["us"]
        lines.append(
            f"| {one['crops']} ({one['number']}, {one['median_side_px']:.0f} px) | {one['way']} "
            f"| {decoding['ours']:.0f}, {decoding['pillow']:.0f} | {one['decode_ratio']:.2f} "
            f"| {took['ours']:.0f}, {took['pillow']:.0f} | **{one['ratio']:.2f}** "
            + "".join(
                f"| {one['most_levels'][who]}, {one['mean_levels'][who]:.3f} "
                for who in ("ours", "pillow")
            )
            + "|"
        )
    lines += ["", "Median ratio over the sets:", "", "| way | JPEG | PNG |", "| --- | --: | --: |"]
    lines += [
        f"| {told} | {content['ratio']['JPEG'][told]:.2f} | {content['ratio']['PNG'][told]:.2f} |"
        for told in WAYS
    ]
    lines += PHOTOGRAPHS_ABOUT.splitlines()
    for one in content["large"]:
        for told, found in one["ways"].items():
            took, peak = found["ms"], found["peak_mib"]
            lines.append(
                f"| {one['photograph']}, {one['megabytes']:.1f} MB | {told} | {took['ours']:.0f} "
                f"| {took['whole']:.0f} | {took['pillow']:.0f} | **{found['ratio']:.2f}** "
                f"| {peak['ours']:.0f}, {peak['whole']:.0f}, {peak['pillow']:.0f} "
                f"| {levels_told(found)} |"
            )
    lines += ["", "## Share of the time that the starter waits for images", ""]
    lines += ["| | share |", "| --- | --: |"]
    lines += [f"| {name} | {100 * share:.1f} % |" for name, share in content["waiting"].items()]
    lines += ["", f"Machine: {content['machine']}, load at the start {content['load']:.1f}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
