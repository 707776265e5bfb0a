"""Imaging FlowCytobot: raw bins of both generations, with class and feature files.

Images are read straight out of the ``.roi`` file. A line of the ``.adc`` table is an item; a bin that cannot
be read is one item with its error. Format: docs/formats/sources/ifcb.md.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from holotype.collection.sources.ifcb.bins import (
    BinFiles,
    Roi,
    parse_header,
    parse_roi,
    table_columns,
)
from holotype.collection.sources.ifcb.fields import OpenedBin, bin_fields
from holotype.collection.sources.ifcb.labels import (
    BinLabels,
    ClassFiles,
    class_file_of,
    is_thresholds,
)
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import MediaError, SourceError
from holotype.media.capture_times import CaptureTime, capture_time
from holotype.media.locations import FileAt, GreyAt, SliceAt
from holotype.media.members import Member, members, unpacked

_PARTS = (".hdr", ".adc", ".roi")


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields the regions of every bin and what else lies beside it, folder by folder.

    Raises:
        SourceError: when the path is missing, or holds no bin.
    """
    classes = _class_files(path, options)
    whole: dict[str, _Known] = {}
    for _, inside in groupby(_by_folder(path, options.spool), key=_folder):
        bins, others = _grouped(inside)
        for files in bins:
            yield from _bin_items(files, whole, classes, options.spool)
        for member in others:
            if not _is_class_file(member):
                yield left_out(member, "no file of an IFCB bin")
    yield from classes.left()


def _folder(member: Member) -> str:
    return member.name.rpartition("/")[0]


def _by_folder(path: Path, spool: Path | None) -> Iterator[Member]:
    """Yields the members so that those of one folder follow one another."""
    if path.is_dir():
        yield from members(path, spool)
    else:
        yield from sorted(members(path, spool), key=lambda m: (_folder(m), m.name))


def _is_class_file(member: Member) -> bool:
    known = class_file_of(member.name) is not None or is_thresholds(member.name)
    return known and member.skip_reason is None


def _part_of(member: Member) -> CaptureTime | None:
    """Returns what the name says of the bin that a file is a part of, or None where it is none."""
    if member.suffix not in _PARTS or member.skip_reason is not None:
        return None
    stem = member.name[: -len(member.suffix)]
    named = capture_time(stem)
    return named if named and named.bin_id and stem.endswith(named.bin_id) else None


def _grouped(inside: Iterable[Member]) -> tuple[list[BinFiles], list[Member]]:
    """Returns the bins of one folder in order of their names, and its other files."""
    parts: dict[str, dict[str, Member]] = {}
    names: dict[str, CaptureTime] = {}
    others = []
    for member in inside:
        if (named := _part_of(member)) is None:
            others.append(member)
        else:
            stem = member.name[: -len(member.suffix)]
            names[stem] = named
            parts.setdefault(stem, {})[member.suffix] = member
    bins = [
        BinFiles(stem, names[stem], *(parts[stem].get(part) for part in _PARTS))
        for stem in sorted(parts)
    ]
    return bins, others


def _class_files(path: Path, options: SourceOptions) -> ClassFiles:
    """Returns the class files beside the bins and those the user named; checks that there are bins."""
    own, has_bins = [], False
    for member in members(path, options.spool):
        if _is_class_file(member):
            own.append(member)
        has_bins = has_bins or _part_of(member) is not None
    if not has_bins:
        raise SourceError(
            f"{path}: no IFCB bin (.hdr, .adc and .roi named D20130526T095207_IFCB013 or "
            "IFCB5_2012_028_081515). Give the folder or zip of the raw files."
        )
    if options.annotations is None:
        return ClassFiles(own)
    given = [
        Member(f"{options.annotations.name}/{member.name}", None, member.at, member.size)
        for member in members(options.annotations, options.spool)
        if _is_class_file(member)
    ]
    if not ClassFiles(given):
        raise SourceError(
            f"{options.annotations}: no class file named by its bin (D20220522T000439_IFCB134.mat, "
            "..._class.h5, ...csv). Check --annotations."
        )
    taken = {member.name for member in given}
    return ClassFiles([*given, *(member for member in own if member.name not in taken)])


class _Known(NamedTuple):
    """A bin that was read: its path, and the sizes of its table and pixels."""

    place: str
    sizes: tuple[int, ...]


def _bin_items(
    files: BinFiles, whole: dict[str, _Known], classes: ClassFiles, spool: Path | None
) -> Iterator[Item]:
    try:
        opened = _opened(files)
        known = _Known(
            files.place, tuple(part.size for part in (files.table, files.pixels) if part)
        )
        earlier = whole.get(files.bin_id)
        if earlier is not None:
            yield _second_copy(files, known, earlier)
            return
        if not opened.lines:
            yield Item(files.place, skip_reason="a bin without a trigger: its table is empty")
            return
        whole[files.bin_id] = known
        pixels = _pixels(files, spool)
        labels = classes.of_bin(files.bin_id, len(opened.lines))
    except (SourceError, MediaError) as reason:
        yield Item(files.place, error=str(reason))
        return
    yield from _roi_items(opened, pixels, labels)
    yield from labels.items


def _opened(files: BinFiles) -> OpenedBin:
    missing = [
        part
        for part, member in zip(_PARTS, (files.header, files.table, files.pixels), strict=True)
        if member is None
    ]
    if missing:
        raise SourceError(
            f"{files.place}{missing[0]}: missing; a bin has .hdr, .adc and .roi. Copy it from the "
            "instrument, or remove the other parts."
        )
    assert files.header is not None
    assert files.table is not None
    if files.header.size == 0:
        raise SourceError(
            f"{files.header.name}, line 1: empty (0 bytes), the bin was never written. Copy the bin again, "
            "or remove it."
        )
    header = parse_header(files.header.read().decode("latin-1"))
    places = table_columns(header, is_old=files.is_old, called=files.header.name)
    text = files.table.read().decode("latin-1")
    return OpenedBin(
        files, header, places, [line.split(",") for line in text.rstrip().splitlines()]
    )


def _second_copy(files: BinFiles, known: _Known, earlier: _Known) -> Item:
    if known.sizes == earlier.sizes:
        return Item(files.place, skip_reason=f"the same bin as {earlier.place}")
    return Item(
        files.place,
        error=f"{files.place}.adc: bin {files.bin_id} is also {earlier.place}, with other content. "
        "Remove the wrong one.",
    )


def _pixels(files: BinFiles, spool: Path | None) -> SliceAt:
    """Returns where the bytes of the .roi file lie, uncompressed."""
    assert files.pixels is not None
    at, size = files.pixels.at, files.pixels.size
    if isinstance(at, SliceAt):
        return at
    path = at.path if isinstance(at, FileAt) else str(unpacked(files.pixels, spool))
    return SliceAt(path, 0, size)


def _roi_items(opened: OpenedBin, pixels: SliceAt, labels: BinLabels) -> Iterator[Item]:
    files, bin_id = opened.files, opened.files.bin_id
    assert files.table is not None
    rois: list[Roi | str] = []
    for number, cells in enumerate(opened.lines, start=1):
        try:
            rois.append(parse_roi(number, cells, opened.places))
        except SourceError as reason:
            rois.append(
                f"{files.table.name}, line {number}, {reason}. Copy the bin from the instrument again."
            )
    base, remark = bin_fields(opened, [roi for roi in rois if isinstance(roi, Roi)])
    if remark and files.header is not None:
        yield Item(files.header.name, skip_reason=f"header, read; {remark}")
    parts = _touching([roi for roi in rois if isinstance(roi, Roi)])
    for number, roi in enumerate(rois, start=1):
        name = f"{bin_id}_{number:05d}"
        if isinstance(roi, str):
            yield Item(name, number, error=roi)
        elif roi.width == 0 or roi.height == 0:
            yield Item(name, number, skip_reason="a trigger without an image (0 pixels)")
        elif roi.end > pixels.length:
            yield Item(
                name,
                number,
                error=f"{files.table.name}, line {number}, column startbyte: '{roi.start}': the image ends "
                f"at byte {roi.end:,}, but {bin_id}.roi has {pixels.length:,}. Copy the .roi from the "
                "instrument again.",
            )
        else:
            yield _roi_item(name, roi, pixels, {**base, **labels.fields(number)}, parts.get(number))


def _roi_item(
    name: str, roi: Roi, pixels: SliceAt, fields: dict[str, str], parts: list[int] | None
) -> Item:
    fields["extra:trigger"] = str(roi.trigger)
    fields["extra:roi_x"], fields["extra:roi_y"] = str(roi.left), str(roi.top)
    notes: tuple[tuple[str, str], ...] = ()
    if parts is not None:
        fields["specimen_id"] = f"{name[:-6]}_{parts[0]:05d}"
        others = ", ".join(f"{number:05d}" for number in parts if number != roi.number)
        said = f"its box overlaps that of {others} of trigger {roi.trigger}"
        notes = (("overlapping_regions", f"{said}: parts of one particle, each kept"),)
    at = SliceAt(pixels.path, pixels.start + roi.start, roi.width * roi.height)
    image = GreyAt(at, roi.width, roi.height)
    return Item(name, roi.number, fields, image, image_name=f"{name}.png", notes=notes)


def _touching(rois: list[Roi]) -> dict[int, list[int]]:
    """Returns, for each region whose box overlaps another one of its trigger, the numbers of all of them."""
    by_trigger: dict[int, list[Roi]] = {}
    for roi in rois:
        if roi.width and roi.height:
            by_trigger.setdefault(roi.trigger, []).append(roi)
    found: dict[int, list[int]] = {}
    for group in by_trigger.values():
        if len(group) > 1:
            hit = [a for a in group if any(a is not b and a.overlaps(b) for b in group)]
            found |= {roi.number: [other.number for other in hit] for roi in hit}
    return found


SOURCE = Source(
    "ifcb",
    "Imaging FlowCytobot bins (.hdr, .adc, .roi), old and new, with class and feature files",
    read,
    instrument="IFCB",
)
