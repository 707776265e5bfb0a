"""WebDataset tars, as open_clip and others read them: image, caption and JSON under one key.

Keys are unique in the whole data set, tars of equal records have equal bytes, and every part of a split is
there. The caption is the lineage, from kingdom down (Stevens et al. 2024, arXiv 2311.18803).
"""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import Collection, concepts_of
from holotype.progress import tracked

SHARD_RECORDS = 1_000
_BATCH = 256
_ENDINGS = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"),
    (b"II*\0", "tif"), (b"MM\0*", "tif"), (b"II+\0", "tif"), (b"MM\0+", "tif"),
    (b"BM", "bmp"), (b"GIF87a", "gif"), (b"GIF89a", "gif"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"P1", "pbm"), (b"P4", "pbm"), (b"P2", "pgm"), (b"P5", "pgm"), (b"P3", "ppm"), (b"P6", "ppm"),
)  # fmt: skip
_OTHER = "img"


def write_tars(
    collection: Collection, part_N: NDArray[np.str_], folder: Path
) -> list[Mapping[str, Any]]:
    """Writes ``PART/NNNNN.tar`` for each part: ``KEY.png`` (as it came), ``KEY.txt`` and ``KEY.json``.

    The ending of the image says what its bytes are (png, jpg, tif ...), whatever its file was called.

    Returns:
        Of each file: ``path``, ``part``, ``rows``, ``bytes``, ``sha256``, in order.
    """
    entries: list[Mapping[str, Any]] = []
    for part in sorted(set(part_N.tolist()) - {""}):
        samples = tracked(_samples(collection, part_N == part), title=f"export {part}")
        number = -1
        while group := list(islice(samples, SHARD_RECORDS)):
            number += 1
            name = f"{part}/{number:05d}.tar"
            with files.written_whole(folder / name) as temporary:
                _write_tar(temporary, group)
            path = folder / name
            entries.append(
                {
                    "path": name,
                    "part": part,
                    "rows": len(group),
                    "bytes": path.stat().st_size,
                    "sha256": files.sha256_file(path),
                }
            )
    return entries


def _samples(
    collection: Collection, wanted_N: NDArray[np.bool_]
) -> Iterator[list[tuple[str, bytes]]]:
    """Yields the members of each sample: (name, content)."""
    row = 0
    for shard in collection.shard_paths():
        with pq.ParquetFile(shard) as opened:
            for batch in opened.iter_batches(_BATCH):
                table = pa.Table.from_batches([batch]).cast(RECORDS_SCHEMA)
                concepts = concepts_of(table)
                for record, concept in zip(table.to_pylist(), concepts, strict=True):
                    if wanted_N[row]:
                        yield _members(row, record, concept)
                    row += 1


def image_ending(content: bytes) -> str:
    """Returns the usual file ending of an encoded image by its first bytes; ``img`` for one not known.

    >>> image_ending(b"GIF89a..."), image_ending(b"RIFF....WEBPVP8 "), image_ending(b"?")
    ('gif', 'webp', 'img')
    """
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    return next((ending for start, ending in _ENDINGS if content.startswith(start)), _OTHER)


def _members(row: int, record: dict[str, Any], concept: Any) -> list[tuple[str, bytes]]:
    image = record.pop("image")
    key = f"{row:09d}"
    caption = concept.lineage.text() or concept.name if concept is not None else ""
    known = {name: value for name, value in record.items() if value is not None}
    plain = json.dumps(known, ensure_ascii=False, sort_keys=True)
    return [
        (f"{key}.{image_ending(image['bytes'])}", image["bytes"]),
        (f"{key}.json", plain.encode()),
        (f"{key}.txt", caption.encode()),
    ]


def _write_tar(path: Path, samples: Sequence[list[tuple[str, bytes]]]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in (member for members in samples for member in members):
            header = tarfile.TarInfo(name)
            header.size, header.mtime, header.mode = len(content), 0, 0o644
            archive.addfile(header, io.BytesIO(content))
