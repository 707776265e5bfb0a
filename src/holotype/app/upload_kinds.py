"""What an uploaded file is: by its name, else by its first bytes; and how large an image is."""

from enum import StrEnum
from io import BytesIO

from PIL import Image

from holotype.errors import MediaError
from holotype.media.headers import plain_header
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import is_archive_name

START_BYTES = 1 << 16
_TEXTS = (".fasta", ".fas", ".fa", ".fna", ".ffn", ".frn", ".csv", ".tsv", ".txt")
_COMPRESSED = (".gz", ".bz2", ".xz")


class Kind(StrEnum):
    """What can be uploaded."""

    IMAGE = "image"
    ARCHIVE = "archive"
    TEXT = "text"
    """FASTA, or a table of barcodes."""


def kind_of(name: str, start: bytes = b"") -> Kind | None:
    """Returns what a file is; None for what is not taken.

    Args:
        name: of the file.
        start: its first bytes, looked at where the name tells nothing.

    >>> kind_of("a.JPG"), kind_of("b.tar.gz"), kind_of("c.fasta.gz"), kind_of("d.exe")
    (<Kind.IMAGE: 'image'>, <Kind.ARCHIVE: 'archive'>, <Kind.TEXT: 'text'>, None)
    """
    lower = name.lower()
    ending = f".{lower.rpartition('.')[2]}"
    if ending in IMAGE_SUFFIXES:
        return Kind.IMAGE
    if is_archive_name(lower) and ending != ".zid":
        return Kind.ARCHIVE
    plain = lower.removesuffix(ending) if ending in _COMPRESSED else lower
    if plain.endswith(_TEXTS):
        return Kind.TEXT
    return Kind.IMAGE if start and size_px(start) is not None else None


def check_pixels(content: bytes, most: int) -> None:
    """Raises ``MediaError`` for an image of more pixels; reads its header alone."""
    size = size_px(content)
    if size is not None and size[0] * size[1] > most:
        raise MediaError(f"{size[0]:,} x {size[1]:,} px: at most {most:,} px are taken")


def size_px(content: bytes) -> tuple[int, int] | None:
    """Returns width and height by the header of an image; None where it has none."""
    plain = plain_header(content)
    if plain is not None:
        return plain.width, plain.height
    try:
        with Image.open(BytesIO(content)) as opened:
            return opened.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return 1 << 20, 1 << 20
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        return None
