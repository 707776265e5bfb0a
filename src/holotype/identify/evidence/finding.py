"""Answers -> their images again, made small: read from where the answers say that they lie.

Inputs are found by name alone: an image is shown where its whole name is that of the answer, never one that
is merely alike. Folders are walked only where a prediction says that it was given them, or the user does.
"""

import base64
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype.collection.store import MANIFEST
from holotype.errors import HolotypeError
from holotype.identify.inputs import LIST_MARK, Reading, Specimen, specimens
from holotype.index.embedding import thumbnail
from holotype.media.images import IMAGE_SUFFIXES, read_pixels
from holotype.media.locations import AbsentError

SIDE_PX = 96
"""The longest side of a thumbnail."""


class Missing(StrEnum):
    """Why there is no picture."""

    NONE = "no image"
    GONE = "image not found again"
    DAMAGED = "image cannot be read"


@dataclass(frozen=True)
class Picture:
    """A thumbnail as a ``data:`` address, or why there is none."""

    address: str | None
    missing: Missing | None = None


@dataclass(frozen=True)
class Given:
    """What the prediction was given.

    Attributes:
        inputs: as they were named.
        reading: what was said of them.
    """

    inputs: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def of(cls, sidecar: Path) -> "Given":
        """Returns what the file beside some answers says; nothing where there is none, or it is damaged."""
        try:
            told = json.loads(sidecar.read_text(encoding="utf-8"))
            inputs = tuple(str(one["path"]) for one in told["inputs"])
            said = told["reading"]
            return cls(inputs, Reading(*(_text(said.get(n)) for n in ("kind", "preset", "images"))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()


@dataclass(frozen=True)
class _Search:
    """One input to look through: ``names`` are those of its specimens -> the input as the answer has it."""

    given: str
    names: Mapping[str, str]


_Way = Callable[[Sequence[str]], Iterable[_Search]]


def pictures(
    wanted: Collection[str], *, given: Given, root: Path | None = None, shared: str = ""
) -> dict[str, Picture]:
    """Returns the thumbnails of inputs; one that is not found again is told so.

    Args:
        wanted: inputs, as the answers have them.
        given: what the prediction was given.
        root: where the images lie now; where the answers say by default.
        shared: what the inputs of all answers begin with, up to a ``/``: it may lie elsewhere now.
    """
    images = given.reading.images if root is None else str(root)
    reading = Reading(given.reading.kind, given.reading.preset, images)
    found: dict[str, Picture] = {}
    ways: list[_Way] = [_as_named, lambda left: _as_given(left, given.inputs)]
    if root is not None:
        ways = [
            lambda left: _moved(left, str(root), shared),
            lambda left: _anywhere(left, str(root), shared),
            *ways,
        ]
    for way in ways:
        for search in way([one for one in wanted if one not in found]):
            _look(search, reading, found)
    return {one: found.get(one, Picture(None, Missing.GONE)) for one in wanted}


def _as_named(left: Iterable[str]) -> list[_Search]:
    """Returns the files and collections that inputs are, or lie in."""
    names: dict[str, dict[str, str]] = {}
    for one in left:
        if whole := _whole(one):
            names.setdefault(whole, {})[one] = one
    return [_Search(whole, inside) for whole, inside in names.items()]


def _as_given(left: Collection[str], inputs: Iterable[str]) -> Iterator[_Search]:
    """Yields what was given to the prediction, as far as it has one of these inputs."""
    for given in dict.fromkeys(inputs):
        is_list = given.startswith(LIST_MARK) and not os.path.exists(given)  # noqa: PTH110 - any text
        start = f"{given.rstrip('/')}/"
        names = {one: one for one in left if is_list or one == given or one.startswith(start)}
        if names:
            yield _Search(given, names)


def _moved(left: Iterable[str], root: str, shared: str) -> list[_Search]:
    """Returns the files and collections below a folder that inputs are now, or lie in."""
    names: dict[str, dict[str, str]] = {}
    for one in left:
        for tail in _tails(one, shared):
            if whole := _whole(f"{root}/{tail}", above=root):
                names.setdefault(whole, {})[f"{root}/{tail}"] = one
    return [_Search(whole, inside) for whole, inside in names.items()]


def _anywhere(left: Iterable[str], root: str, shared: str) -> list[_Search]:
    """Returns the folder itself: its records and members bear the names of the inputs."""
    names = {f"{root}/{tail}": one for one in left for tail in _tails(one, shared)}
    return [_Search(root, names)] if names else []


def _tails(text: str, shared: str) -> Iterator[str]:
    """Yields an input without its first folders, as far as all inputs share them: tails are unique."""
    yield text.lstrip("/")
    for at, letter in enumerate(shared[: len(text)]):
        if letter == "/" and at:
            yield text[at + 1 :]


def _whole(text: str, above: str = "") -> str | None:
    """Returns the file or collection that a path names, or lies in; None where there is none.

    Args:
        text: the path, perhaps with the name of a member, row or record after it.
        above: a folder that is not left.
    """
    end = len(text)
    while end > 0 and end >= len(above):
        head = text[:end]
        if os.path.isfile(head) or os.path.isfile(f"{head}/{MANIFEST}"):  # noqa: PTH113 - any text
            return head
        if os.path.exists(head):  # noqa: PTH110
            return None
        end = text.rfind("/", 0, end)
    return None


def _look(search: _Search, reading: Reading, found: dict[str, Picture]) -> None:
    """Adds the pictures of the inputs that one place has."""
    alone = search.given.lower().endswith(tuple(IMAGE_SUFFIXES))
    left = set(search.names.values())
    for one in specimens([search.given], reading=Reading() if alone else reading):
        name = search.names.get(one.input)
        if name in left:
            found[name] = picture_of(one)
            left.discard(name)
        if not left:
            return


def picture_of(one: Specimen) -> Picture:
    """Returns the thumbnail of a specimen, or why there is none."""
    if one.read_image is None:
        lost = one.failure is not None and one.barcode is None
        return Picture(None, Missing.DAMAGED if lost else Missing.NONE)
    try:
        return Picture(data_address(thumbnail(read_pixels(one.read_image()), side_px=SIDE_PX)))
    except AbsentError:
        return Picture(None, Missing.NONE)
    except (HolotypeError, OSError, ValueError):
        return Picture(None, Missing.DAMAGED)


def data_address(jpeg: bytes) -> str:
    """Returns a JPEG as the address of an image inside the page."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
