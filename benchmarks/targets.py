"""What was measured, beside what it should be: one table of all that has a target, met or not.

It reads the results that the benchmarks wrote last; what was not measured is said.

Run: python benchmarks/targets.py
"""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Figure = Callable[[Any], float]


@dataclass(frozen=True)
class Target:
    """Something to reach.

    Attributes:
        what: in words, with the peer.
        results: the file of figures.
        figure: takes the one that counts from it.
        least: it must be at least so much; None where it must be at most ``most``.
        most: likewise.
        unit: after the figure.
        why: it is not met, where it is not.
    """

    what: str
    results: str
    figure: Figure
    least: float | None = None
    most: float | None = None
    unit: str = "times"
    why: str = ""

    @property
    def asked(self) -> str:
        """What is asked, in words."""
        if self.least is not None:
            return f"at least {self.least:g} {self.unit}"
        return f"at most {self.most:g} {self.unit}"

    def is_met(self, found: float) -> bool:
        """Returns whether a figure reaches it."""
        return found >= self.least if self.least is not None else found <= (self.most or 0.0)


def contest(place: int, peer: str) -> Figure:
    """Returns what takes the ratio to a peer from the figures of images."""
    return lambda told: told["contests"][place]["ratio_to"][peer]


def agreement(place: int, key: str) -> Figure:
    """Returns what takes how near an engine is to its model."""
    return lambda told: told["contests"][place]["export"]["agreement"][key]


def of_vsearch(told: Any) -> float:
    """Returns barcodes a second against VSEARCH, one thread each."""
    seconds = {
        one["method"]: statistics.median(one["seconds"])
        for one in told["simulated"]
        if one["threads"] == 1
    }
    return seconds["vsearch"] / seconds["holotype"]


def of_faiss(told: Any) -> float:
    """Returns queries a second by cells against faiss's flat index, 256 at a time."""
    ways = told["kinds"]["clustered"]["ways"]
    return ways["cells"]["queries_per_s"]["256"] / ways["faiss IndexFlatIP"]["queries_per_s"]["256"]


def of_training(told: Any) -> float:
    """Returns records a second against open_clip, where both had what the machine has."""
    return told["runs"][-1]["ratio_of_medians"]


def of_intake(told: Any) -> float:
    """Returns crops a second against a plain loop of Pillow."""
    rates = {one["part"]: one["crops_per_s"] for one in told["rows"]}
    return rates["holotype"] / rates["pillow"]


def of_decode(form: str, way: str) -> Figure:
    """Returns what takes the ratio to Pillow of crops from their bytes to a square."""
    return lambda told: told["ratio"][form][way]


def levels_of_ours(told: Any) -> float:
    """Returns by how many levels a pixel of ours differs at most from the exact one, of small crops."""
    return max(one["most_levels"]["ours"] for one in told["small"])


def reduced(told: Any) -> float:
    """Returns the least ratio to Pillow of photographs that are decoded at a part of their size."""
    return min(way["ratio"] for one in told["large"] for way in one["ways"].values())


def waiting_for_images(told: Any) -> float:
    """Returns the largest share of its time for which the starter waits for images, in percent."""
    return 100 * max(told["waiting"].values())


def steepest(told: Any) -> float:
    """Returns the largest exponent by which the seconds of a command grow with its size."""
    return max(one["exponent"] for one in told["curves"])


def of_serving(place: int) -> Figure:
    """Returns what takes the share of predict's throughput that the server reaches."""
    return lambda told: 100 * told["loads"][place]["share_of_offline"]


def starting(name: str) -> Figure:
    """Returns what takes the median seconds of a command."""
    return lambda told: statistics.median(told["seconds"][name])


ONE_BY_ONE, SIXTEEN = "timm, one by one", "timm, 16 at a time"
TARGETS = (
    Target(
        "ViT-S at 96 px, files to rows: timm, one by one",
        "speed/images",
        contest(0, ONE_BY_ONE),
        least=6,
    ),
    Target("the same: timm, 16 at a time", "speed/images", contest(0, SIXTEEN), least=2),
    Target(
        "the same: best label kept",
        "speed/images",
        agreement(0, "same_label"),
        least=0.995,
        unit="",
    ),
    Target(
        "the same: mean cosine of embeddings",
        "speed/images",
        agreement(0, "mean_cosine"),
        least=0.998,
        unit="",
    ),
    Target(
        "ViT-B at 224 px, files to rows: pybioclip",
        "speed/images",
        contest(1, "pybioclip, 10 at a time"),
        least=2.5,
    ),
    Target(
        "the same: best label kept",
        "speed/images",
        agreement(1, "same_label"),
        least=0.995,
        unit="",
    ),
    Target(
        "the same: mean cosine of embeddings",
        "speed/images",
        agreement(1, "mean_cosine"),
        least=0.998,
        unit="",
    ),
    Target(
        "a million vectors of 512: faiss's flat index",
        "speed/index",
        of_faiss,
        least=30,
        why="half of the time is the exact comparison of what the codes propose",
    ),
    Target(
        "the same: recall at 10",
        "speed/index",
        lambda told: told["kinds"]["clustered"]["ways"]["cells"]["recall"],
        least=0.98,
        unit="",
    ),
    Target("barcodes: VSEARCH", "speed/barcode-search", of_vsearch, least=7),
    Target("training: open_clip's own loop", "speed/training", of_training, least=1),
    Target(
        "intake of crops: a loop of Pillow",
        "speed/intake",
        of_intake,
        least=3,
        why="listing, hashing and measuring take the time, not decoding; it was 2.9 on an Intel Xeon",
    ),
    Target(
        "server, the starter, one crop a request: predict",
        "speed/serve",
        of_serving(0),
        least=80,
        unit="%",
        why="a request costs as much as naming a crop by so small a tower: send several",
    ),
    Target("the same, eight crops a request", "speed/serve", of_serving(1), least=80, unit="%"),
    Target(
        "server, ViT-S at 96 px, one crop a request: predict",
        "speed/serve-vit-s",
        of_serving(0),
        least=80,
        unit="%",
        why="clients and server share the two cores; eight at a time reach it",
    ),
    *(
        Target(
            f"small {form} crops to a square, {way}: Pillow",
            "speed/decode",
            of_decode(form, way),
            least=3,
            why=why,
        )
        for form, way, why in (
            ("JPEG", "padded, 64 px, grey (the starter)", "what is left is the decoder"),
            ("PNG", "padded, 64 px, grey (the starter)", "inflating takes both as long"),
            ("JPEG", "padded, 224 px, colour", ""),
            ("PNG", "padded, 224 px, colour", ""),
            ("JPEG", "squashed, 224 px, colour", "the bicubic filter is Pillow's own"),
            ("PNG", "squashed, 224 px, colour", "the bicubic filter is Pillow's own"),
        )
    ),
    Target("the same: from the exact pixels", "speed/decode", levels_of_ours, most=1, unit="level"),
    Target("JPEG of 12 and 24 megapixels: Pillow", "speed/decode", reduced, least=1),
    Target("waiting for images, the starter", "speed/decode", waiting_for_images, most=5, unit="%"),
    Target("growth: the exponent of each command", "speed/growth", steepest, most=1.1, unit=""),
    Target("holotype --help", "speed/start", starting("holotype --help"), most=0.3, unit="s"),
    Target(
        "first answer of the starter",
        "speed/start",
        starting("first answer of the starter"),
        most=5,
        unit="s",
    ),
)
NOT_MEASURED = (
    ("embedding by ViT-B/16 and ViT-L/14 in bfloat16 on a GPU: open_clip", "no GPU was there"),
    ("a training step of three modalities on a GPU: open_clip", "no GPU was there"),
)
"""What is asked and was not measured, and why."""


def row(target: Target) -> str:
    """Returns the row of a target."""
    path = HERE / target.results.replace("/", "/results/")
    try:
        found = target.figure(json.loads(path.with_suffix(".json").read_text()))
    except (OSError, KeyError, IndexError, TypeError, ValueError) as reason:
        return f"| {target.what} | {target.asked} | not measured ({type(reason).__name__}) | | |"
    met = "yes" if target.is_met(found) else f"**no**: {target.why}"
    page = path.with_suffix(".md").relative_to(HERE)
    return f"| {target.what} | {target.asked} | {found:.4g} | {met} | [{page.stem}]({page}) |"


def main() -> None:
    """Writes the table and prints it."""
    lines = [
        "# Targets",
        "",
        "As measured last, on the machines that the pages name; where a target is not met, why.",
        "",
        "| what | asked | measured | met | page |",
        "| --- | --- | --: | --- | --- |",
        *map(row, TARGETS),
        *(f"| {what} | faster | not measured: {why} | | |" for what, why in NOT_MEASURED),
        "",
    ]
    text = "\n".join(lines)
    (HERE / "targets.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
