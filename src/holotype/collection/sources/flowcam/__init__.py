"""FlowCam runs as VisualSpreadsheet saves them: collages of particles, cut up by the run's list.

A row of the ``.lst`` is an item. The moment that a FlowCam took an image is kept as ``extra:imaged_on``: it
is when the sample was run, perhaps years after it was taken. Format: docs/formats/sources/flowcam.md.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from holotype.collection.reading.fields import parse_date, parse_number
from holotype.collection.schema import BOUNDS
from holotype.collection.sources.flowcam.lists import (
    BOX,
    ParticleList,
    parse_list,
    pixels,
)
from holotype.collection.sources.flowcam.runs import MEASURES, Run, read_run
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import MediaError, SourceError
from holotype.media.locations import CropAt, Location
from holotype.media.members import Member, members
from holotype.media.tiff_tags import HEIGHT, WIDTH, read_tags

_NO_RECORDS = (
    (re.compile(r"_bin\.tif$"), "mask of a collage"),
    (re.compile(r"(^|/)cal_image_\d+\.tif$"), "calibration image"),
    (re.compile(r"(^|/)rawfile_[\w-]*\.tif$"), "whole camera frame"),
    (re.compile(r"\.edg$"), "outlines of the particles"),
)
_COLLAGE = re.compile(r"_\d{6}\.tif$")
_AGAIN = "Copy the run from the instrument again."


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields the particles of every run, then what else lies in the input.

    Raises:
        SourceError: when the path is missing or holds no ``.lst``.
    """
    everything = sorted(members(path, options.spool), key=lambda member: member.name)
    inside = {m.name.lower(): m for m in everything if m.skip_reason is None}
    lists = [m for m in inside.values() if m.suffix == ".lst"]
    if not lists:
        raise SourceError(
            f"{path}: no .lst file of a FlowCam run. Give the run's folder as VisualSpreadsheet saved it, "
            "or a zip of it."
        )
    told = {member.name for member in lists}
    for member in lists:
        for item in _run_items(member, inside, told):
            if item.image is None:
                told.add(item.name)
            yield item
    for member in everything:
        if member.name not in told:
            yield _other(member)


def _other(member: Member) -> Item:
    if member.skip_reason is not None:
        return left_out(member)
    name = member.name.lower()
    for pattern, reason in _NO_RECORDS:
        if pattern.search(name):
            return Item(member.name, skip_reason=reason)
    if _COLLAGE.search(name):
        wrong = f"{member.name}: a collage that no readable .lst names. Copy the .lst of its run beside it."
        return Item(member.name, error=wrong)
    return Item(member.name, skip_reason="no part of a FlowCam run that is read")


def _run_items(member: Member, inside: Mapping[str, Member], told: set[str]) -> Iterator[Item]:
    """Yields the particles of a run; the collages that it names are added to ``told``."""
    stem = member.name[: -len(member.suffix)]
    try:
        particles = parse_list(member.name, member.read().decode("cp1252", "replace"))
    except (SourceError, MediaError) as reason:
        yield Item(member.name, error=str(reason))
        return
    run = read_run(stem, inside)
    folder = stem.rpartition("/")[0]
    collage_of = _collages(folder, inside)
    seen: set[str] = set()
    for line, row in particles.rows():
        where = f"{particles.name}, line {line}"
        if isinstance(row, str):
            yield Item(f"{stem}/line {line}", line, error=row)
            continue
        particle = row["id"].strip()
        if particle in seen or not particle:
            wrong = f"{where}, column id: '{particle}' is blank or there twice. {_AGAIN}"
            yield Item(f"{stem}/line {line}", line, error=wrong)
            continue
        seen.add(particle)
        name = f"{stem}/{particle}"
        try:
            whole, width, height = collage_of(row["collage_file"].strip())
            image = _box(row, whole, width, height)
        except SourceError as reason:
            yield Item(name, line, error=f"{where}, {reason}. {_AGAIN}")
        else:
            fields, notes = _fields(where, particle, row, run)
            image_name = f"{run.fields['acquisition_id']}_{particle.zfill(6)}.png"
            yield Item(name, line, fields, image, image_name=image_name, notes=notes)
    told |= {
        m.name for m in (_collage(folder, n, inside) for n in _named(particles)) if m is not None
    }
    yield from run.items
    if not seen:
        wrong = f"{member.name}, line {particles.first_line}: fields and no particle. {_AGAIN}"
        yield Item(member.name, error=wrong)


def _named(particles: ParticleList) -> set[str]:
    return {row["collage_file"].strip() for _, row in particles.rows() if not isinstance(row, str)}


def _collage(folder: str, name: str, inside: Mapping[str, Member]) -> Member | None:
    last = name.replace("\\", "/").rpartition("/")[2]
    return inside.get(f"{folder}/{last}".lstrip("/").lower())


def _collages(
    folder: str, inside: Mapping[str, Member]
) -> Callable[[str], tuple[Location, int, int]]:
    @cache
    def collage_of(name: str) -> tuple[Location, int, int]:
        member = _collage(folder, name, inside)
        if member is None or member.at is None:
            raise SourceError(f"column collage_file: '{name}' is not beside the list")
        try:
            tags = read_tags(member.at, member.size)
        except MediaError as reason:
            raise SourceError(f"column collage_file: '{name}': {reason}") from reason
        return member.at, int(tags.number(WIDTH) or 0), int(tags.number(HEIGHT) or 0)

    return collage_of


def _box(row: Mapping[str, str], whole: Location, width: int, height: int) -> CropAt:
    left, top, across, down = (pixels(row, column) for column in BOX)
    if not across or not down:
        raise SourceError(f"columns image_w, image_h: a box of {across} x {down} px")
    if left + across > width or top + down > height:
        raise SourceError(
            f"columns image_x to image_h: the box x {left} to {left + across}, y {top} to {top + down} "
            f"leaves the collage of {width} x {height} px"
        )
    return CropAt(whole, left, top, across, down)


def _fields(
    where: str, particle: str, row: Mapping[str, str], run: Run
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    fields = dict(run.fields)
    notes = []
    written = row.get("cal_const", "").strip()
    size = parse_number(written)
    low, high = BOUNDS["pixel_size_um"]
    if size is not None and low <= size <= high:
        fields["pixel_size_um"] = repr(size)
    elif written:
        found = f"{where}, column cal_const: '{written[:40]}' is no size of a pixel in micrometres"
        notes.append(("number", f"{found}: left out; correct the calibration"))
    if imaged := parse_date(row.get("timestamp", "")):
        fields["extra:imaged_on"] = imaged
    measured = run.measured.get(particle, {})
    for name, same in MEASURES.items():
        if text := measured.get(name, "") or row.get(same, "").strip():
            fields[f"extra:{name}"] = text
    fields |= run.label_fields(particle)
    return fields, tuple(notes)


SOURCE = Source(
    "flowcam",
    "FlowCam runs as VisualSpreadsheet saves them: collages, cut up by the .lst",
    read,
    instrument="FlowCam",
)
