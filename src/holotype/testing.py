"""Contracts that a part from outside must keep, as checks to call in its own tests.

A package that adds a source by the entry point group ``holotype.sources`` calls ``check_source`` on a good
and on a defective input; the shipped sources pass the same check.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from holotype.collection.schema import BOUNDS, COLUMN_NAMES, REAL_COLUMNS, KnownFrom
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import SourceError
from holotype.media.images import read_pixels
from holotype.media.location_text import parsed_location, written_location
from holotype.media.locations import read_location
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Rank

FOUND_BY_INTAKE = frozenset(
    {
        "image_width_px", "image_height_px", "image_sha256", "image_phash", "grey_mean", "grey_sd",
        "object_esd_px", "haplotype", "other_ranks", "source", "source_item", "environment", "extra",
        "record_id", "content_hash", "given_lineage", "image", "name_status", "name_match", "backbone",
    }
)  # fmt: skip
"""Columns that no source may give: intake finds them."""
_ORIGINS = frozenset(KnownFrom)
_WORDS: Mapping[str, frozenset[str]] = {
    "kind": frozenset(Kind),
    "label_status": frozenset({"validated", "predicted", "dubious"}),
    "extra:place_from": _ORIGINS,
    "extra:depth_from": _ORIGINS,
    "extra:time_from": _ORIGINS,
}
"""Columns whose values are words of a list."""


@dataclass(frozen=True)
class SourceCheck:
    """What a source yielded.

    Attributes:
        items: all of them, in order.
        records, skipped, errors: their numbers; they add up to the items.
    """

    items: tuple[Item, ...]
    records: int
    skipped: int
    errors: int


def check_source(
    source: Source,
    path: Path,
    options: SourceOptions | None = None,
    *,
    readable_images: bool = True,
) -> SourceCheck:
    """Reads an input with a source and checks that it keeps the contract of ``Item``.

    Args:
        source: the source.
        path: an input of its kind.
        options: what a user would say.
        readable_images: whether every image location must give an image that decodes; set it to False for an
            input with damaged images.

    Returns:
        What it yielded.

    Raises:
        AssertionError: says which item breaks which rule: the items differ between two readings; a name is
            blank or comes twice; an item is two of record, skipped and error; a field is no column, is no
            text, or no word of the column's list; a number lies out of bounds; a location does not survive
            JSON; an error names no place and no remedy.
    """
    options = options or SourceOptions()
    items = tuple(source.read(path, options))
    again = tuple(source.read(path, options))
    assert items == again, f"{source.name}: two readings of {path} differ"
    assert items, f"{source.name}: {path} gives no item and no error"
    times = Counter(item.name for item in items)
    assert all(name.strip() for name in times), f"{source.name}: a blank item name in {path}"
    twice = sorted(name for name, count in times.items() if count > 1)
    assert not twice, f"{source.name}: items of the same name: {twice[:3]}"
    counts = {"records": 0, "skipped": 0, "errors": 0}
    for item in items:
        counts[_kind(item)] += 1
        _check_fields(item)
        _check_image(item, readable=readable_images)
    return SourceCheck(items, **counts)


def check_refusal(source: Source, path: Path, options: SourceOptions | None = None) -> str:
    """Checks that a source refuses an input as a whole, and says why as a user needs it.

    Returns:
        What it says.

    Raises:
        AssertionError: when it reads the input, or does not name the input and what to do.
    """
    try:
        items = list(source.read(path, options or SourceOptions()))
    except SourceError as reason:
        said = str(reason)
        assert path.name in said, f"{source.name}: '{said}' does not name {path.name}"
        assert said.rstrip().endswith("."), f"{source.name}: '{said}' must end with what to do"
        return said
    raise AssertionError(f"{source.name}: {path} was read, {len(items)} items, and should not be")


def _kind(item: Item) -> str:
    assert not (item.error and item.skip_reason), f"{item.name}: both an error and skipped"
    if item.error is not None:
        said = f"{item.name}: error '{item.error}'"
        assert len(item.error.split()) >= 4, f"{said} says too little"
        assert item.error.rstrip().endswith("."), (
            f"{said} must end with a sentence that says what to do"
        )
        return "errors"
    if item.skip_reason is not None:
        assert item.skip_reason.strip(), f"{item.name}: skipped without a reason"
        return "skipped"
    return "records"


def _check_fields(item: Item) -> None:
    assert isinstance(item.fields, Mapping), f"{item.name}: fields must be a mapping"
    for column, written in item.fields.items():
        assert isinstance(written, str), f"{item.name}: {column} is {type(written)}, not text"
        words = _WORDS.get(column)
        assert not written or words is None or written in words, (
            f"{item.name}: {column} '{written}' is none of {', '.join(sorted(words or ()))}"
        )
        if column.startswith("extra:"):
            continue
        if column.startswith("rank:"):
            Rank.parse(column.removeprefix("rank:"))
            continue
        assert column in COLUMN_NAMES, f"{item.name}: a collection has no column '{column}'"
        assert column not in FOUND_BY_INTAKE, f"{item.name}: intake finds '{column}', not a source"
        if written and column in REAL_COLUMNS:
            low, high = BOUNDS[column]
            assert low <= float(written) <= high, f"{item.name}: {column} {written} out of bounds"
    for note in item.notes:
        said = [part.strip() for part in note]
        assert len(said) == 2, f"{item.name}: note {note} is no (code, sentence)"
        assert all(said), f"{item.name}: note {note} has a blank part"


def _check_image(item: Item, *, readable: bool) -> None:
    if item.image is not None:
        text = written_location(item.image)
        assert parsed_location(text) == item.image, (
            f"{item.name}: its location does not survive JSON"
        )
        assert item.content is None, f"{item.name}: both a location and content"
    if (item.image is None and item.content is None) or not readable or item.error:
        return
    assert item.image_name, f"{item.name}: an image without a file name"
    read_pixels(read_location(item.image) if item.image is not None else item.content or b"")
