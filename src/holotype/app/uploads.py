"""Uploaded files -> specimens to name: images, zips and tars of images, FASTA, tables of barcodes.

Files are read by the readers of the command line, inside a scratch folder that goes with the request. Nothing
outside it can be named from inside a file, and no reason says where it lies. What cannot be taken is refused
with its reason; the others are answered.
"""

import itertools
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from holotype.app.upload_archives import UNPACKERS, archive_members, unpacked_whole
from holotype.app.upload_kinds import START_BYTES, Kind, check_pixels, kind_of
from holotype.app.upload_limits import Budget, UploadLimits
from holotype.app.upload_names import Names, safe_name, visible
from holotype.app.upload_scratch import ScratchPlace, scratch_folder
from holotype.errors import HolotypeError, MediaError
from holotype.identify.context import NOTHING_TO_NAME
from holotype.identify.inputs import Specimen, specimens
from holotype.media.capture_times import capture_time
from holotype.media.members import Member, unpacked

__all__ = ["Refused", "Upload", "UploadLimits", "scratch_folder", "specimens_of"]

NOT_TAKEN = (
    "not taken: images, zips and tars of them, FASTA (.fasta, .fa) and tables of barcodes (.csv, .tsv) are. "
    "End the name accordingly"
)
NO_IMAGES_OF_TABLES = "images that a table names are not read here. Upload them in a zip"


@dataclass(frozen=True)
class Upload:
    """One uploaded file.

    Attributes:
        name: as the client called it.
        path: where it was stored.
        content: its bytes, where it was not stored.
    """

    name: str
    path: Path | None = None
    content: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        if self.content is not None:
            return len(self.content)
        return self.path.stat().st_size if self.path is not None else 0

    def start(self) -> bytes:
        """Returns its first bytes."""
        if self.path is None:
            return (self.content or b"")[:START_BYTES]
        with self.path.open("rb") as handle:
            return handle.read(START_BYTES)

    def read(self) -> bytes:
        """Returns its bytes."""
        if self.content is not None:
            return self.content
        return self.path.read_bytes() if self.path is not None else b""


@dataclass(frozen=True)
class Refused:
    """A file, or a part of one, that is not answered.

    Attributes:
        name: as it is shown.
        reason: why, and what to do.
    """

    name: str
    reason: str


def specimens_of(
    uploads: Sequence[Upload],
    limits: UploadLimits,
    scratch: Path | Callable[[], Path],
    *,
    names: Names | None = None,
) -> tuple[list[Specimen], list[Refused]]:
    """Returns what there is to name in uploaded files, in their order, and what of them is refused.

    Args:
        uploads: the files.
        limits: of the request.
        scratch: a folder to unpack into, removed by the caller when the specimens are answered; or what
            returns it, asked when something is unpacked.
        names: gives each specimen another one; knows afterwards which were asked for.
    """
    taking = _Taking(Budget(limits), ScratchPlace(scratch), names or Names())
    for number, upload in enumerate(uploads):
        name = taking.names.new(safe_name(upload.name))
        if number >= limits.files:
            rest = len(uploads) - number
            taking.refuse(
                name, f"this and {rest - 1:,} more: at most {limits.files:,} files a request"
            )
            break
        taking.upload(name, upload)
    return taking.found, taking.refused


@dataclass
class _Taking:
    """Goes through the uploads of one request."""

    budget: Budget
    scratch: ScratchPlace
    names: Names
    found: list[Specimen] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    stored: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def limits(self) -> UploadLimits:
        return self.budget.limits

    def refuse(self, name: str, reason: object) -> None:
        self.refused.append(Refused(name, self.without_places(name, str(reason)).rstrip(".") + "."))

    def without_places(self, name: str, text: str) -> str:
        """Returns what a reader said, without the folders of the server."""
        for place in self.scratch.spellings():
            inside = rf"{re.escape(place)}(/file-\d+)?(/plain)?"
            text = re.sub(inside, "the upload", re.sub(f"{inside}/", "", text))
        return " ".join(text.split()).removeprefix(f"{name}: ")

    def upload(self, name: str, upload: Upload) -> None:
        """Takes one upload, or says why not."""
        if upload.size > self.limits.file_bytes:
            self.refuse(
                name, f"{upload.size:,} bytes; at most {self.limits.file_bytes:,} are taken"
            )
        elif not upload.size:
            self.refuse(name, "empty file (0 bytes)")
        elif (kind := kind_of(name, upload.start())) is Kind.IMAGE:
            self.image(name, upload.read, upload.size)
        elif kind is None:
            self.refuse(name, NOT_TAKEN)
        else:
            self.stored_file(name, self.as_file(name, upload), kind, depth=1)

    def image(self, name: str, read: Callable[[], bytes], size: int) -> None:
        moment = capture_time(name)
        context = {"record_id": name} | ({"collected_on": moment.moment} if moment else {})
        if self.room_for_one(name):
            self.found.append(
                Specimen(name, partial(self.checked, name, read), context=context, state=str(size))
            )

    def room_for_one(self, name: str) -> bool:
        """Counts a specimen; tells once that there are too many."""
        self.budget.members += 1
        most = max(self.limits.members, self.limits.files)
        if self.budget.members == most + 1:
            self.refuse(name, f"this and all that follows: at most {most:,} specimens a request")
        return self.budget.members <= most

    def checked(self, name: str, read: Callable[[], bytes]) -> bytes:
        """Returns the bytes of an image that is not too large; errors name no folder."""
        try:
            content = read()
        except (HolotypeError, OSError) as reason:
            raise MediaError(self.without_places(name, str(reason))) from None
        check_pixels(content, self.limits.pixels)
        return content

    def as_file(self, name: str, upload: Upload) -> Path:
        """Returns where an upload lies under its own name: readers go by it."""
        place = self.scratch.path / f"file-{next(self.stored)}" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if upload.path is not None:
            _linked(upload.path, place)
        else:
            place.write_bytes(upload.read())
        return place

    def stored_file(self, name: str, path: Path, kind: Kind, *, depth: int) -> None:
        """Takes an archive, FASTA or table."""
        try:
            if kind is Kind.ARCHIVE:
                self.archive(name, path, depth)
            else:
                self.text(name, path)
        except (HolotypeError, OSError, UnicodeError) as reason:
            self.refuse(name, reason)

    def archive(self, name: str, path: Path, depth: int) -> None:
        if depth > self.limits.depth:
            self.refuse(name, f"an archive {depth:,} deep. Unpack it and upload what is in it")
            return
        before = len(self.found) + len(self.refused)
        for seen, member in enumerate(archive_members(path, path.parent, self.budget)):
            if seen == self.limits.members:
                self.refuse(
                    name, f"more than {self.limits.members:,} files in it: the rest is not read"
                )
                break
            self.member(self.names.new(visible(f"{name}/{member.name}")), member, depth)
        if len(self.found) + len(self.refused) == before:
            self.refuse(name, "no image, FASTA or table in it")

    def member(self, name: str, member: Member, depth: int) -> None:
        """Takes one member of an archive; what is no specimen and harmless is passed over."""
        kind = kind_of(member.name)
        if member.error is not None:
            self.refuse(name, member.error)
        elif member.skip_reason is not None:
            if kind is not None and "operating system" not in member.skip_reason:
                self.refuse(name, member.skip_reason)
        elif kind is Kind.IMAGE:
            self.image(name, member.read, member.size)
        elif kind is not None:
            try:
                inner = unpacked(member, self.scratch.path / f"file-{next(self.stored)}")
            except (HolotypeError, OSError) as reason:
                self.refuse(name, reason)
                return
            self.stored_file(name, inner, kind, depth=depth + 1)

    def text(self, name: str, path: Path) -> None:
        """Takes the barcodes of a FASTA file or table."""
        if path.suffix.lower() in UNPACKERS:
            path = unpacked_whole(path, path.parent / "plain" / path.stem, self.budget)
        start = str(path)
        for one in specimens([start]):
            if one.input == start:
                self.refuse(name, self.without_places(path.name, one.failure or NOTHING_TO_NAME))
            elif self.room_for_one(name):
                self.found.append(self.row(name, start, one))
            else:
                break

    def row(self, name: str, start: str, one: Specimen) -> Specimen:
        """Returns a row of a text as it is shown; images that it names are not read."""
        failure = one.failure and self.without_places(name, one.failure)
        own = f"outside {Path(start).parent.name}"
        if failure and failure.endswith(own):
            failure = failure.removesuffix(own) + f"outside {name}"
        if one.read_image is not None:
            failure = failure or NO_IMAGES_OF_TABLES
        shown = self.names.new(visible(f"{name}{one.input.removeprefix(start)}"))
        return replace(one, input=shown, read_image=None, failure=failure)


def _linked(path: Path, place: Path) -> None:
    """Has a file under another name, too."""
    try:
        place.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, place)
