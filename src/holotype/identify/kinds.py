"""What kind of input a path is: found from the names in it, and from the first line of a table.

The kinds are those of ``holotype import``. A folder or archive in which nothing speaks for one of them is a
bag of images.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from holotype.collection.sources import table
from holotype.collection.store import MANIFEST
from holotype.errors import HolotypeError
from holotype.identify.walking import file_names
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import is_archive, members

COLLECTION, IMAGES, ONE_IMAGE, FASTA, TABLE = "collection", "images", "image", "fasta", "table"

_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ecotaxa", re.compile(r"(^|/)ecotaxa[^/]*\.(tsv|txt)(\.gz)?$")),
    ("zooprocess", re.compile(r"_dat1\.(pid|txt)$", re.I)),
    ("zooimage", re.compile(r"\.zi[dm]$", re.I)),
    ("ifcb", re.compile(r"\.adc$", re.I)),
    ("flowcam", re.compile(r"\.lst$", re.I)),
    (
        "plankton-imager",
        re.compile(
            r"(^|/)(pi[a-z]*\d+\.\d{4}-\d\d-\d\d\.\d{4}\+N\d+[^/]*\.tiff?|cameralog\.txt)$", re.I
        ),
    ),
    ("ecotaxa", re.compile(r"_Images\.zip$")),
    ("camtrap-dp", re.compile(r"^([^/]*/)?datapackage\.json$")),
    ("darwin-core", re.compile(r"^([^/]*/)?meta\.xml$")),
    ("hf-parquet", re.compile(r"-\d{4,6}-of-\d{4,6}[^/]*\.parquet$")),
)
"""Kinds by the name of a file inside, the most telling first."""
_ALONE: dict[str, str] = {".zid": "zooimage", ".zim": "zooimage", ".pid": "zooprocess"}
"""Kinds of lone files by their ending."""
_PARTS: dict[str, str] = {".adc": "ifcb", ".hdr": "ifcb", ".roi": "ifcb", ".lst": "flowcam"}
"""Lone files that are a part of a whole which lies beside them."""
_FASTA = re.compile(r"\.(fasta|fas|fa|fna|ffn|frn|crabs)(\.(gz|bz2|xz))?$", re.I)
_TABLE = re.compile(r"\.((csv|tsv|txt)(\.gz)?|parquet)$", re.I)
_JSON = (
    ("coco-camera-traps", b'"annotations"'),
    ("speciesnet", b'"predictions"'),
    ("speciesnet", b'"instances"'),
)


def kind_of(path: Path) -> str:
    """Returns the kind of an input that is there.

    Raises:
        SourceError: when it is an archive or table that cannot be opened.
    """
    if (path / MANIFEST).is_file():
        return COLLECTION
    if path.is_dir() or is_archive(path):
        return _kind_inside(_ALONE.get(path.suffix.lower(), ""), path)
    return _kind_of_file(path)


def whole_of(path: Path) -> Path:
    """Returns the folder that a lone part of a bin or run belongs to; any other path as it is."""
    return path.parent if path.is_file() and path.suffix.lower() in _PARTS else path


def _kind_inside(named: str, path: Path) -> str:
    if named:
        return named
    best = len(_SIGNS)
    for name in _names_inside(path):
        for place, (_, sign) in enumerate(_SIGNS[:best]):
            if sign.search(name):
                best = place
                break
        if best == 0:
            break
    return _SIGNS[best][0] if best < len(_SIGNS) else IMAGES


def _names_inside(path: Path) -> Iterator[str]:
    if path.is_dir():
        return file_names(path)
    return (member.name for member in members(path) if member.skip_reason is None)


def _kind_of_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _ALONE or suffix in _PARTS:
        return _ALONE.get(suffix) or _PARTS[suffix]
    if suffix in IMAGE_SUFFIXES:
        return ONE_IMAGE
    if _FASTA.search(path.name):
        return FASTA
    if suffix == ".json":
        return _kind_of_json(path)
    return _kind_of_table(path) if _TABLE.search(path.name) else ONE_IMAGE


def _kind_of_json(path: Path) -> str:
    with path.open("rb") as handle:
        start = handle.read(1 << 20)
    return next((kind for kind, key in _JSON if key in start), "coco-camera-traps")


def _kind_of_table(path: Path) -> str:
    try:
        header = {name.strip().lower() for name in table.table_header(path)}
    except HolotypeError:
        return TABLE
    if "object_id" in header and path.suffix.lower() != ".parquet":
        return "ecotaxa"
    if {"processid", "sampleid"} <= header and header & {"nuc", "nucraw", "nuc_san"}:
        return "bold"
    return TABLE
