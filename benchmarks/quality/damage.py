"""Damaged image files: which are refused by Holotype, by Pillow and by OpenCV, and which are decoded.

Run: python benchmarks/quality/damage.py [--files 100]

Work: crops of the real data where it is there and simulated ones, each as a JPEG or PNG of 8 bits, damaged in
every way below at a place among its pixels that a seed draws. A file is refused where a program gives no
pixels. Told is the share refused, with a 95 % interval (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404).
"""

import argparse
import io
import random
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "speed"))

import cv2
import numpy as np
from decode import crops
from machine import write_results
from PIL import Image

from holotype.decisions.curves import exact_interval
from holotype.errors import MediaError
from holotype.media.headers import JPEG_START, plain_header
from holotype.media.images import read_pixels

SEED = 3
LOST_BYTES = 200
END_OF_JPEG = b"\xff\xd9"
Damage = Callable[[bytes, random.Random], bytes]


def place_in_data(content: bytes, rng: random.Random) -> int:
    """Returns a place among the packed pixels."""
    if is_jpeg(content):
        return rng.randrange(content.index(b"\xff\xda") + 14, len(content) - len(END_OF_JPEG))
    start = content.index(b"IDAT") + 4
    return rng.randrange(start, start + int.from_bytes(content[start - 8 : start - 4]))


def is_jpeg(content: bytes) -> bool:
    """Returns whether a file is a JPEG."""
    return content.startswith(JPEG_START)


def cut(content: bytes, rng: random.Random) -> bytes:
    """Returns the file up to some place."""
    return content[: place_in_data(content, rng)]


def cut_and_closed(content: bytes, rng: random.Random) -> bytes:
    """Returns the file up to some place, with a right end: what repairs of files leave."""
    if is_jpeg(content):
        return cut(content, rng) + END_OF_JPEG
    width, height, _, colour = struct.unpack_from(">IIBB", content, 16)
    rows = zlib.decompress(b"".join(data for kind, data in chunks(content) if kind == b"IDAT"))
    row_bytes = 1 + width * (1 if colour == 0 else 3)
    kept = zlib.compress(rows[: row_bytes * rng.randrange(1, height)])
    return content[:33] + chunk(b"IDAT", kept) + chunk(b"IEND", b"")


def lost_block(content: bytes, rng: random.Random) -> bytes:
    """Returns the file with zeros where some bytes were, as from a disk or a network."""
    at = place_in_data(content, rng)
    lost = min(LOST_BYTES, len(content) - len(END_OF_JPEG) - at)
    return content[:at] + bytes(lost) + content[at + lost :]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Returns the file with one bit changed."""
    changed = bytearray(content)
    changed[place_in_data(content, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields kind and data of each chunk of a PNG."""
    place = 8
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        yield kind, content[place + 8 : place + 8 + length]
        place += 12 + length


def chunk(kind: bytes, data: bytes) -> bytes:
    """Returns a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def by_holotype(content: bytes) -> bool:
    """Returns whether Holotype refuses a file."""
    try:
        read_pixels(content)
    except MediaError:
        return True
    return False


def by_pillow(content: bytes) -> bool:
    """Returns whether Pillow refuses a file."""
    try:
        Image.open(io.BytesIO(content)).load()
    except Exception:  # noqa: BLE001 - it may fail in any way
        return True
    return False


def by_opencv(content: bytes) -> bool:
    """Returns whether OpenCV refuses a file."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) is None


KINDS: dict[str, Damage] = {
    "none": lambda content, _: content,
    "cut": cut,
    "cut and closed again": cut_and_closed,
    f"{LOST_BYTES} bytes lost": lost_block,
    "one bit changed": flipped,
}
PROGRAMS = {"Holotype": by_holotype, "Pillow": by_pillow, "OpenCV": by_opencv}


def main() -> None:
    """Damages all files in all ways and writes the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=100, help="of each set")
    asked = parser.parse_args()
    held: dict[str, list[bytes]] = {"JPEG": [], "PNG": []}
    sets = []
    for name, contents in crops(asked.files):
        plain = [content for content in contents if plain_header(content) is not None]
        sets.append(f"{name} ({len(plain)})")
        held["JPEG" if is_jpeg(plain[0]) else "PNG"] += plain
    rows = [row for form, contents in held.items() for row in figures(form, contents)]
    content = {"seed": SEED, "sets": sets, "rows": rows}
    write_results("damage", content, page(content))


def figures(form: str, contents: list[bytes]) -> Iterator[dict[str, Any]]:
    """Yields how many files of a format are refused, by damage."""
    for kind, damage in KINDS.items():
        rng = random.Random(SEED)
        damaged = [damage(content, rng) for content in contents]
        refused = {name: sum(map(refuses, damaged)) for name, refuses in PROGRAMS.items()}
        yield {"format": form, "damage": kind, "files": len(damaged), "refused": refused}


def page(content: dict[str, Any]) -> list[str]:
    """Returns the page of the figures."""
    lines = [
        "# Damaged image files that are refused",
        "",
        f"`python benchmarks/quality/damage.py`, seed {content['seed']}. Share refused, 95 % interval.",
        "A file that is not refused is decoded, with other pixels or made-up ones.",
        "",
        f"| Format | Damage | Files | {' | '.join(PROGRAMS)} |",
        "|---|---|---:|" + "---:|" * len(PROGRAMS),
    ]
    for row in content["rows"]:
        shares = " | ".join(share(row["refused"][name], row["files"]) for name in PROGRAMS)
        lines.append(f"| {row['format']} | {row['damage']} | {row['files']} | {shares} |")
    return [*lines, "", f"Files: {'; '.join(content['sets'])}."]


def share(refused: int, files: int) -> str:
    """Returns a share in percent with its interval."""
    low, high = exact_interval(refused, files)
    return f"{refused / files:.1%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    main()
