"""Pictures that a table names: found in the package or in a folder of images, and cut by a box.

Boxes of camera traps are relative, so the size of the picture is needed: its header is read for that, and
nothing is decoded.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from holotype.collection.sources.table import FindImage, images_of
from holotype.errors import MediaError
from holotype.media.locations import CropAt, FileAt, Location, read_location
from holotype.media.members import Member

FindPicture = Callable[[str], Location | None]
"""From a path or URL to the place of the picture, or None where no file is there."""
_SLACK_PX = 1.5
_TURNED = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112


def is_url(written: str) -> bool:
    """Returns whether a text is a URL rather than a path.

    >>> is_url("https://a.org/b.jpg"), is_url("media/b.jpg")
    (True, False)
    """
    return "://" in written


def file_name(written: str) -> str:
    r"""Returns the last part of a path or URL.

    >>> file_name("https://a.org/x/b.jpg?size=2"), file_name("x\\b.jpg")
    ('b.jpg', 'b.jpg')
    """
    path = unquote(urlsplit(written).path) if is_url(written) else written.replace("\\", "/")
    return path.rstrip("/").rpartition("/")[2]


def ending(written: str) -> str:
    """Returns the lower-case ending of the file that a path or URL names, with its dot; "" for none."""
    _, dot, last = file_name(written).rpartition(".")
    return f"{dot}{last}".lower() if dot else ""


def picture_finder(
    members: Mapping[str, Member], used: set[str], images: Path | None, spool: Path | None
) -> FindPicture:
    """Returns the way from a path or URL to a picture: in the package, then in the folder of images.

    A URL is looked for as ``host/path`` and as ``path``, the layouts that download tools leave. The names of
    members that were found are added to ``used``.

    Raises:
        SourceError: when ``images`` is given and not there.
    """
    given = images_of(images, spool) if images is not None else None

    def find(written: str) -> Location | None:
        url = urlsplit(written) if is_url(written) else None
        path = (
            unquote(url.path).strip("/") if url else written.replace("\\", "/").removeprefix("./")
        )
        if url is None and (member := members.get(path)) is not None:
            used.add(path)
            return member.at
        for place in [f"{url.netloc}/{path}", path] if url else [path]:
            if (found := _given(given, place)) is not None:
                return found
        return None

    return find


def _given(given: FindImage | None, place: str) -> Location | None:
    if given is None or not place:
        return None
    try:
        found = given(place)
    except MediaError:
        return None
    return None if isinstance(found, FileAt) and not Path(found.path).is_file() else found


def picture_size(location: Location) -> tuple[int, int]:
    """Returns width and height in pixels, upright, from the header of a picture.

    Raises:
        MediaError: when it cannot be read.
    """
    from PIL import Image

    place = location.path if isinstance(location, FileAt) else io.BytesIO(read_location(location))
    try:
        with Image.open(place) as picture:
            turned = picture.getexif().get(_ORIENTATION, 1) in _TURNED
            width, height = picture.size
    except Exception as reason:  # a decoder may fail in any way on damaged bytes
        raise MediaError(f"not a readable image: {' '.join(str(reason).split())}") from reason
    return (height, width) if turned else (width, height)


def cut(
    whole: Location,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
) -> CropAt:
    """Returns the place of a box of a picture, rounded to whole pixels.

    Args:
        whole: the picture.
        size: its width and height in pixels.
        box: left, top, width and height in pixels; 1.5 px beyond an edge are taken for rounding.

    Raises:
        MediaError: when the box is empty or leaves the picture.
    """
    width, height = size
    left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
    said = f"the box x {left:g} to {right:g}, y {top:g} to {bottom:g}"
    inside = left >= -_SLACK_PX and right <= width + _SLACK_PX
    if not (inside and top >= -_SLACK_PX and bottom <= height + _SLACK_PX):
        raise MediaError(f"{said} leaves the picture of {width} x {height} px")
    first, upper = max(round(left), 0), max(round(top), 0)
    last, lower = min(round(right), width), min(round(bottom), height)
    if last <= first or lower <= upper:
        raise MediaError(f"{said} is empty")
    return CropAt(whole, first, upper, last - first, lower - upper)
