"""What visitors brought to be assessed, and the pictures of it: kept no longer than it is needed."""

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from holotype import files
from holotype.app.thumbnails import thumbnail_of
from holotype.errors import MediaError
from holotype.identify.inputs import specimens

STARTED, DRAW, PICTURES, BROUGHT = "started.json", "draw", "pictures", "brought"
KEY = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
SIDE_PX = 720
DAYS = 7


def make_pictures(folder: Path, inputs: Sequence[str], numbers: Mapping[str, int]) -> None:
    """Writes the drawn images that are not there yet, large; what cannot be read stays small.

    Args:
        folder: of the assessment.
        inputs: what was drawn from; what is gone since is left aside.
        numbers: number by input.
    """
    place = folder / PICTURES
    place.mkdir(exist_ok=True)
    wanted = {one: at for one, at in numbers.items() if not (place / f"{at}.image").is_file()}
    there = [one for one in inputs if os.path.lexists(one)]
    if not wanted or not there:
        return
    for one in specimens(there):
        at = wanted.pop(one.input, None)
        if at is not None and one.read_image is not None:
            try:
                small = thumbnail_of(one.read_image(), side_px=SIDE_PX)
            except (MediaError, OSError, ValueError):
                continue
            if small.failure is None:
                with files.written_whole(place / f"{at}.image") as temporary:
                    temporary.write_bytes(small.content)
        if not wanted:
            return


def let_go(folder: Path) -> None:
    """Removes what was brought to an assessment: the draw and its pictures are all that is needed then."""
    shutil.rmtree(folder / BROUGHT, ignore_errors=True)


def forget_old(place: Path, *, days: float = DAYS) -> int:
    """Removes what was brought and is not at work for so many days; returns of how many folders.

    An assessment that was begun keeps its draw, labels and report; one that never was goes whole.

    Args:
        place: the folder of all assessments.
        days: after how many.
    """
    before = time.time() - days * 86_400
    forgotten = 0
    for folder in place.iterdir() if place.is_dir() else ():
        if not KEY.fullmatch(folder.name) or _touched(folder) >= before:
            continue
        if not (folder / STARTED).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            forgotten += 1
        elif (folder / BROUGHT).is_dir():
            let_go(folder)
            forgotten += 1
    return forgotten


def _touched(folder: Path) -> float:
    """Returns when something was last brought, begun or drawn."""
    draw = folder / DRAW
    times = [0.0]
    for one in (folder, folder / STARTED, folder / BROUGHT, draw, *draw.glob("*.partial")):
        try:
            times.append(one.stat().st_mtime)
        except OSError:
            continue
    return max(times)
