"""Plankton Imager (PI-10, PIA): runs as folders, tars or zips of TIFF files, sorted into classes or not.

Position, time and pixel size stand in the tags of every TIFF; they are read while listing, the pixels are
not. Format: docs/formats/sources/plankton-imager.md.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from holotype.collection.schema import BOUNDS
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.collection.sources.plankton_imager.sidecars import Result, Sidecars, put, run_of
from holotype.errors import MediaError, SourceError
from holotype.media.locations import FileAt
from holotype.media.members import Member, is_archive, members, nested_members
from holotype.media.tiff_tags import DESCRIPTION, SOFTWARE, TiffTags, read_tags

_NAME = re.compile(
    r"(?P<camera>pi[a-z]*\d+)\.(?P<date>\d{4}-\d{2}-\d{2})\.(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)\+N\d+(_\w+)?\.tiff?",
    re.IGNORECASE,
)
_NO_RECORDS = {
    "background.tif": "background frame",
    "background.tiff": "background frame",
    "cameralog.txt": "log of the camera",
    "bubbles.txt": "log of the bubbles",
    "threshold.txt": "threshold of the run",
}
_MAX_NESTING = 3
_NO_LABEL = re.compile(
    r"(raw)?images|\d{4}-\d{2}-\d{2}|(untarred_)?\d{4}|.*\.(zip|tar|tgz|tar\.gz)", re.IGNORECASE
)


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each file, first those that tell of a run, then the others.

    Raises:
        SourceError: when the path is missing.
    """
    runs: dict[str, Sidecars] = {}
    copied_from: set[str] = set()
    for member in _everything(path, options.spool):
        if isinstance(member, Item) or member.skip_reason is not None:
            continue
        if (run := run_of(member.name)) is not None:
            put(runs.setdefault(run, Sidecars()), member)
        elif "/images.zip/" in f"/{member.name.lower()}":
            copied_from.add(member.name.lower().partition("images.zip/")[0])
    sorted_as = _sorted_images(path, options, copied_from) if copied_from else {}
    for run in sorted(runs):
        yield from runs[run].items
    for member in _everything(path, options.spool):
        if isinstance(member, Item):
            yield member
        elif run_of(member.name) is None or member.skip_reason is not None:
            yield _item(member, runs, sorted_as)


def _everything(path: Path, spool: Path | None) -> Iterator[Member | Item]:
    """Yields all members, those of archives in place of them; an archive that is damaged is an item."""
    for member in members(path, spool):
        if isinstance(member.at, FileAt) and Path(member.at.path) == path:
            yield member
        else:
            yield from _inside(member, spool, _MAX_NESTING)


def _inside(member: Member, spool: Path | None, depth: int) -> Iterator[Member | Item]:
    if member.skip_reason is not None or not depth or not is_archive(Path(member.name)):
        yield member
        return
    try:
        for part in nested_members(member, spool):
            yield from _inside(part, spool, depth - 1)
    except (SourceError, MediaError) as reason:
        wrong = str(reason).rstrip(".")
        yield Item(member.name, error=f"{member.name}: {wrong}. Copy it again.")


def _sorted_images(
    path: Path, options: SourceOptions, runs: set[str]
) -> dict[tuple[str, str], str]:
    """Returns the path of every image sorted into a class, by run and file name in lower case."""
    found = {}
    for member in _everything(path, options.spool):
        if not isinstance(member, Item) and "/images.zip/" not in f"/{member.name.lower()}":
            before, images, _ = member.name.lower().partition("images/")
            if images and before in runs:
                found[before, member.name.lower().rpartition("/")[2]] = member.name
    return found


def _item(
    member: Member, runs: Mapping[str, Sidecars], sorted_as: Mapping[tuple[str, str], str]
) -> Item:
    last = member.name.rpartition("/")[2]
    if member.skip_reason is not None:
        return left_out(member)
    if last.lower() in _NO_RECORDS:
        return Item(member.name, skip_reason=_NO_RECORDS[last.lower()])
    if last.lower().endswith("_labels.xml"):
        return Item(member.name, skip_reason="classes of the classifier")
    if member.suffix not in {".tif", ".tiff"}:
        return Item(member.name, skip_reason="no image of a Plankton Imager")
    before, zipped, _ = member.name.lower().partition("images.zip/")
    if zipped and (twin := sorted_as.get((before, last.lower()))):
        return Item(member.name, skip_reason=f"copy of {twin}, before sorting")
    named = _NAME.fullmatch(last)
    if named is None:
        return Item(
            member.name,
            skip_reason="not named as a Plankton Imager image (pia1.2023-05-10.1100+N5127.tif)",
        )
    if member.size == 0 or member.at is None:
        wrong = f"{member.name}: empty (0 bytes). Copy it from the instrument again, or remove it."
        return Item(member.name, error=wrong)
    run = _run(member.name, runs)
    fields = _fields(member, named, runs.get(run, Sidecars()), run)
    return Item(member.name, fields=fields, image=member.at, image_name=last)


def _run(name: str, runs: Mapping[str, Sidecars]) -> str:
    """Returns the nearest folder above a file that is a run, or "" where none is."""
    for folder in PurePosixPath(name).parents:
        path = "" if str(folder) == "." else str(folder)
        if path in runs:
            return path
    return ""


def _fields(member: Member, named: re.Match[str], run: Sidecars, folder: str) -> dict[str, str]:
    result = run.results.get(member.name.rpartition("/")[2].lower())
    tags = _tags(member)
    acquisition = "{camera}.{date}.{hour}{minute}".format(**named.groupdict())
    fields = {"acquisition_id": acquisition, "extra:camera": named["camera"]}
    if result is not None:
        fields |= result.fields
    if tags.moment:
        fields["collected_on"] = tags.moment
    elif "collected_on" not in fields:
        fields["collected_on"] = "{date}T{hour}:{minute}:00".format(**named.groupdict())
        fields["extra:time_from"] = "file_name"
    if tags.position is not None:
        fields["latitude_deg"], fields["longitude_deg"] = map(repr, tags.position)
    low, high = BOUNDS["pixel_size_um"]
    if tags.pixel_size_um is not None and low <= tags.pixel_size_um <= high:
        fields["pixel_size_um"] = repr(tags.pixel_size_um)
    if run.fraction is not None:
        fields["subsample_fraction"] = repr(run.fraction)
    return fields | _label(member.name, folder, result, tags, run.classifier)


def _tags(member: Member) -> TiffTags:
    """Returns the tags of an image; none where it is damaged: whoever decodes it says so."""
    if member.at is None:
        return TiffTags({}, {})
    try:
        return read_tags(member.at, member.size)
    except MediaError:
        return TiffTags({}, {})


def _label(
    name: str, run: str, result: Result | None, tags: TiffTags, classifier: str
) -> dict[str, str]:
    """Returns the label: the folder, predicted where the classifier said so too; else the classifier's."""
    by_tag = tags.text(DESCRIPTION) if tags.text(SOFTWARE).startswith("DNN") else ""
    machine = result.label if result else by_tag
    by = classifier or tags.text(SOFTWARE).rpartition("Model-")[2]
    found = {"extra:dnn_class": machine} if machine else {}
    folder = name.rpartition("/")[0]
    label = "" if folder == run else folder.rpartition("/")[2]
    label = "" if _NO_LABEL.fullmatch(label) else label
    if label and label.lower() != machine.lower():
        return found | {"written_label": label}
    if machine:
        found |= {"written_label": label or machine, "label_status": "predicted"}
        found |= {"labelled_by": by} if by else {}
    return found


SOURCE = Source(
    "plankton-imager",
    "Plankton Imager (PI-10, PIA) runs: TIFF files in folders, tars or zips",
    read,
    instrument="Plankton Imager",
)
