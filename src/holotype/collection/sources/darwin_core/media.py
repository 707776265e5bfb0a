"""Media of an occurrence: pictures that lie in the archive, pictures at a URL, and what is no picture.

Sources: GBIF Simple Multimedia, http://rs.gbif.org/terms/1.0/Multimedia; Audiovisual Core (TDWG), terms
``accessURI``, ``xFrac`` and so on.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from holotype.collection.reading.joined import KeyedRow
from holotype.collection.reading.pictures import FindPicture, ending, file_name, is_url
from holotype.collection.reading.tabular import present
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import Location

_NO_PICTURE = {
    "sound",
    "movingimage",
    "text",
    "interactiveresource",
    "dataset",
    "collection",
    "software",
}
_NO_PICTURE_FORMATS = ("audio/", "video/", "text/", "application/")
_BOX = ("xFrac", "yFrac", "widthFrac", "heightFrac")
_PLACES = ("accessURI", "identifier", "furtherInformationURL")
_KEPT = (
    "title",
    "description",
    "created",
    "CreateDate",
    "creator",
    "source",
    "captureDevice",
    *_BOX,
)


@dataclass(frozen=True)
class Picture:
    """One picture of an occurrence.

    Attributes:
        fields: columns that it gives: URL, licence, holder of the rights, the rest as ``extra:media_...``.
        image: where it lies, or None.
        image_name: its file name.
        notes: what is odd about it.
    """

    fields: Mapping[str, str]
    image: Location | None = None
    image_name: str | None = None
    notes: tuple[tuple[str, str], ...] = field(default_factory=tuple)


def pictures_of(
    rows: Iterable[KeyedRow], called: str, find: FindPicture
) -> tuple[list[Picture], list[str]]:
    """Returns the pictures among media rows, and the places of the media that are none (sound, video)."""
    pictures: list[Picture] = []
    others: list[str] = []
    for row in rows:
        values = row.values
        place = next((text for name in _PLACES if (text := present(values.get(name, "")))), "")
        where = f"{called}, line {row.line}"
        if not _is_picture(values, place):
            others.append(place or where)
        else:
            pictures.append(_picture(values, place, where, find))
    return pictures, others


def _is_picture(values: Mapping[str, str], place: str) -> bool:
    kind = present(values.get("type", "")).rpartition("/")[2].lower()
    form = present(values.get("format", "")).lower()
    suffix = ending(place)
    if kind in _NO_PICTURE:
        return False
    return not form.startswith(_NO_PICTURE_FORMATS) or suffix in IMAGE_SUFFIXES


def _picture(values: Mapping[str, str], place: str, where: str, find: FindPicture) -> Picture:
    fields: dict[str, str] = {}
    notes: list[tuple[str, str]] = []
    for target, names in (
        ("licence", ("license", "UsageTerms", "WebStatement", "rights", "accessRights")),
        ("rights_holder", ("rightsHolder", "Owner", "creator", "Creator")),
    ):
        found = [present(values.get(name, "")) for name in names]
        if text := next((text for text in found if text), ""):
            fields[target] = text
    if "licence" in fields:
        fields["extra:licence_of"] = "media"
    for name in _KEPT:
        if text := present(values.get(name, "")):
            fields[f"extra:media_{name}"] = text
    if any(present(values.get(name, "")) for name in _BOX):
        notes.append(
            (
                "box",
                f"{where}: the box xFrac ... heightFrac is kept in extra; the whole picture is read",
            )
        )
    image = find(place) if place else None
    if is_url(place):
        fields["image_url"] = place
    elif image is None:
        said = f"'{place}' is no file of the archive and no URL" if place else "is blank"
        notes.append(
            (
                "image",
                f"{where}, column identifier: {said}: no picture; put the file there, or give --images",
            )
        )
    return Picture(fields, image, file_name(place) or None, tuple(notes))


def listed_pictures(written: str, where: str, find: FindPicture) -> list[Picture]:
    """Returns the pictures that ``associatedMedia`` lists; links to pages are none."""
    parts = [
        part.strip() for part in re.split(r"\s*[|;]\s*|\s+(?=https?://)", written) if part.strip()
    ]
    named = [part for part in parts if ending(part) in IMAGE_SUFFIXES]
    return [_picture({}, part, where, find) for part in named]
