"""CLIBD: BIOSCAN images, barcodes and names in one HDF5 file, a group for each part of the split.

Gong et al. 2025 (arXiv:2405.17537). A sample lies in several groups, because some of them are unions
(``all_keys``, ``no_split_and_seen_train``): it becomes one record, with the smallest of its groups as its
part, and all of them in ``extra:clibd_groups``. Text tokens and features that the file carries are left
out: they are made from names, images and barcodes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype import files
from holotype.collection.reading.distinct import name_hash
from holotype.collection.reading.rows import binomial
from holotype.collection.reading.tabular import present
from holotype.collection.reading.trial import check_survived
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import MAX_MEMBER_BYTES, HdfRowAt

_CHUNK_ROWS = 4_096
_MAX_TEXT_BYTES = 1 << 16
_MAX_ROWS = 1 << 28
_MAX_STORED_RATIO = 2_000
"""Beyond this many declared bytes for each stored byte a data set is a bomb, not data."""
_REMEDY = "Fetch it again."
_KINDS_OF, _KINDS_OF_TEXT = {"image": "u", "image_mask": "bui"}, "SOU"
"""Of numpy: what a data set may be."""
_IDS = ("processid", "sampleid")
_RANKS = ("order", "family", "genus")
_TEXTS = ("barcode", *_RANKS, "species", *_IDS, "image_file", "dna_bin", "bin_uri")


@dataclass(frozen=True)
class _Group:
    """A group: its name, rows, text data sets, whether it has images, hashes of its ids in order."""

    name: str
    rows: int
    texts: tuple[str, ...]
    has_images: bool
    codes: NDArray[np.uint64]


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row of each group, the smallest group first.

    The texts are read twice, the first time on trial: the library of HDF5 may die of a damaged file.

    Raises:
        SourceError: when the file is no HDF5, or has no group with ``processid`` or ``sampleid``.
    """
    del options
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check the path.")
    check_survived(__name__, read_through.__name__, path)
    yield from _items(path)


def read_through(path: Path) -> None:
    """Reads all that ``read`` reads, and keeps nothing."""
    for _ in _items(path):
        pass


def _items(path: Path) -> Iterator[Item]:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as reason:
        raise SourceError(f"{path}: not a whole HDF5 file ({reason}). Fetch it again.") from None
    with file:
        usable: list[str] = []
        with files.read_whole(path, SourceError, remedy=_REMEDY):
            names = sorted(file)
        for name in names:
            try:
                wrong = _why_not(file, name, h5py)
            except files.MISREAD as reason:
                wrong = f"damaged ({reason}). Fetch the file again"
            if wrong:
                yield Item(name, error=f"{path}, group {name}: {wrong}.")
            elif not {"processid", "sampleid"} & set(file[name]):
                yield Item(name, skip_reason="a group without processid and sampleid")
            else:
                usable.append(name)
        column = next((c for c in _IDS if usable and all(c in file[name] for name in usable)), None)
        if column is None:
            raise SourceError(
                f"{path}: no processid or sampleid in all of its groups: not a file of CLIBD. "
                "Name the HDF5 file with the images."
            )
        with files.read_whole(path, SourceError, remedy=_REMEDY):
            groups = sorted((_listed(file[name], name, column) for name in usable), key=_size)
        known = {group.name: np.sort(group.codes) for group in groups}
        for number, group in enumerate(groups):
            earlier = [other.name for other in groups[:number]]
            with files.read_whole(path / group.name, SourceError, remedy=_REMEDY):
                yield from _rows(path, file[group.name], group, known, earlier)


def _size(group: _Group) -> tuple[int, str]:
    return group.rows, group.name


def _why_not(file: Any, name: str, h5py: Any) -> str | None:
    """Returns why a group cannot be used, with what to do, or None; nothing of it is read for that."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return "a link to somewhere else. Put the data into the file itself"
    group = file[name]
    if not isinstance(group, h5py.Group):
        return "a data set where a group was expected. Remove it"
    rows = set()
    for column in group:
        if column not in {*_TEXTS, "image", "image_mask"}:
            continue
        if not isinstance(group.get(column, getlink=True), h5py.HardLink):
            return f"{column} is a link to somewhere else. Put the data into the file itself"
        held = group[column]
        if not isinstance(held, h5py.Dataset) or not held.shape:
            return f"{column} is no list of values. Write one value for each sample"
        if held.is_virtual or held.external:
            return f"{column} lies in another file. Put the data into the file itself"
        if held.dtype.kind not in _KINDS_OF.get(column, _KINDS_OF_TEXT):
            return f"{column} is of type {held.dtype}. Get the file from its authors again"
        if too_large := _too_large(held, column):
            return f"{too_large}. Get the file from its authors again"
        rows.add(held.shape[0])
    if len(rows) > 1:
        return f"its data sets have {sorted(rows)} rows. They must have one row for each sample"
    if ("image" in group) != ("image_mask" in group):
        return "image and image_mask belong together, and one is missing. Add it"
    return None


def _too_large(held: Any, column: str) -> str | None:
    row_bytes = int(np.prod(held.shape[1:], dtype=object)) * held.dtype.itemsize
    declared = held.shape[0] * row_bytes
    limit = MAX_MEMBER_BYTES if column.startswith("image") else _MAX_TEXT_BYTES
    stored = max(1, held.id.get_storage_size())
    if held.shape[0] > _MAX_ROWS or row_bytes > limit:
        return f"{column} declares {held.shape[0]:,} rows of {row_bytes:,} bytes"
    if declared > (1 << 30) and declared > _MAX_STORED_RATIO * stored:
        return f"{column} declares {declared:,} bytes and stores {stored:,}"
    if (
        held.chunks
        and int(np.prod(held.chunks, dtype=object)) * held.dtype.itemsize > MAX_MEMBER_BYTES
    ):
        return f"{column} has chunks of more than {MAX_MEMBER_BYTES:,} bytes"
    return None


def _listed(group: Any, name: str, column: str) -> _Group:
    rows = group[column].shape[0]
    codes = np.empty(rows, np.uint64)
    for start in range(0, rows, _CHUNK_ROWS):
        for at, raw in enumerate(group[column][start : start + _CHUNK_ROWS], start=start):
            codes[at] = name_hash(_text(raw) or f"{name}/{at}")
    texts = tuple(text for text in _TEXTS if text in group)
    return _Group(name, rows, texts, "image" in group, codes)


def _rows(
    path: Path,
    held: Any,
    group: _Group,
    known: Mapping[str, NDArray[np.uint64]],
    earlier: list[str],
) -> Iterator[Item]:
    others = [name for name in known if name != group.name]
    first_of_group = _first_rows(group.codes)
    for start in range(0, group.rows, _CHUNK_ROWS):
        stop = min(start + _CHUNK_ROWS, group.rows)
        codes = group.codes[start:stop]
        inside = {name: _is_in(codes, known[name]) for name in others}
        texts = {text: held[text][start:stop] for text in group.texts}
        imaged = _has_image(held, start, stop) if group.has_images else np.zeros(stop - start, bool)
        for at in range(stop - start):
            row = start + at
            also = [name for name in others if inside[name][at]]
            before = [name for name in also if name in earlier]
            values = {text: _text(column[at]) for text, column in texts.items()}
            if before:
                reason = f"the same sample as in group {before[0]}"
                yield Item(f"{group.name}/{row}", row + 1, skip_reason=reason)
            elif not first_of_group[row]:
                yield Item(f"{group.name}/{row}", row + 1, skip_reason="twice in its group")
            else:
                image = HdfRowAt(str(path), f"{group.name}/image", f"{group.name}/image_mask", row)
                yield _record(values, (group, row, also), image if imaged[at] else None)


def _first_rows(codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    first = np.zeros(codes.size, bool)
    first[np.unique(codes, return_index=True)[1]] = True
    return first


def _is_in(codes: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(known, codes), max(known.size - 1, 0))
    found: NDArray[np.bool_] = known[places] == codes if known.size else np.zeros(codes.size, bool)
    return found


def _has_image(held: Any, start: int, stop: int) -> NDArray[np.bool_]:
    """Returns which rows have an image: a length above 0, or a mask that starts with one."""
    mask = held["image_mask"]
    first = mask[start:stop] if mask.ndim == 1 else mask[start:stop, 0]
    return np.asarray(first).astype(bool)


def _text(raw: object) -> str:
    """Returns a value of a text data set: bytes or str, padded or not; "" where it is missing."""
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else str(raw)
    return present(text.rstrip("\0 ").lstrip())


def _record(
    values: Mapping[str, str], place: tuple[_Group, int, list[str]], image: HdfRowAt | None
) -> Item:
    group, row, also = place
    name = values.get("processid") or values.get("sampleid") or f"{group.name}/{row}"
    genus, species = values.get("genus", ""), values.get("species", "")
    fields = {
        "specimen_id": values.get("sampleid", ""),
        "kingdom": "Animalia",
        "phylum": "Arthropoda",
        **{rank: values.get(rank, "") for rank in _RANKS},
        "species": binomial(genus, species),
        "barcode": values.get("barcode", ""),
        "marker": "COI-5P" if values.get("barcode") else "",
        "bin_uri": values.get("dna_bin", "") or values.get("bin_uri", ""),
        "upstream_split": group.name,
        "extra:clibd_groups": ";".join(sorted([group.name, *also])) if also else "",
        "extra:image_file": values.get("image_file", ""),
    }
    label = next(
        (fields[rank] for rank in ("species", "genus", "family", "order") if fields[rank]), ""
    )
    fields = {column: text for column, text in {**fields, "written_label": label}.items() if text}
    if image is not None:
        file_name = values.get("image_file") or f"{name}.jpg"
        return Item(name, row + 1, fields, image=image, image_name=file_name.rpartition("/")[2])
    said = f"group {group.name}, row {row + 1}: no image in the file: kept without it"
    return Item(name, row + 1, fields, notes=(("image", said),) if group.has_images else ())


SOURCE = Source("clibd", "CLIBD: images, barcodes and names of BIOSCAN in one HDF5 file", read)
