"""Whatever was brought -> the embedding of each specimen: a JSON object as pybioclip writes it, or Parquet.

Nothing is held of what went by, but the names in a JSON file: an object has each of its keys once.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.decisions.reading import BATCH
from holotype.errors import SourceError
from holotype.identify import devices
from holotype.identify.answering import chunks
from holotype.identify.answers import joint_embeddings
from holotype.identify.inputs import Reading, specimens
from holotype.identify.loading import load, loaded_ahead, materials_of
from holotype.identify.writers import check_ending, check_places
from holotype.models.bundle import Bundle, open_bundle
from holotype.models.encode import encode
from holotype.progress import tracked

JSON, PARQUET = ".json", ".parquet"
"""The forms of a file of embeddings, by their usual endings."""
Part = tuple[list[str], NDArray[np.float32]]


@dataclass(frozen=True)
class EmbedInputsReport:
    """What was embedded.

    Attributes:
        embeddings: the file.
        specimens: how many were read.
        dim: numbers of an embedding.
        failures: why some have none, by name.
    """

    embeddings: str
    specimens: int
    dim: int
    failures: Mapping[str, str]


def embed_inputs(
    run: Path | str,
    inputs: Sequence[Path | str],
    *,
    out: Path | str,
    form: str | None = None,
    reading: Reading | None = None,
    device: str = devices.CPU,
    batch_size: int = BATCH,
) -> EmbedInputsReport:
    """Writes the unit embedding of every specimen, the mean of image and barcode where it has both.

    Args:
        run: a bundle, or ``starter``.
        inputs: what ``predict`` takes.
        out: the file. What cannot be read is not in it.
        form: ``.json`` for ``{"model": ..., "embeddings": {name: [...]}}``, ``.parquet`` for the columns
            ``input`` and ``embedding``; by the ending of ``out`` by default.
        reading: what the user says of the inputs.
        device: where the model works.
        batch_size: how many specimens the model reads at a time.

    Raises:
        SourceError, BundleError: when the model, ``out`` or the device cannot be used, or nothing is given.
    """
    path = Path(out)
    if form is None:
        check_ending(path, (JSON, PARQUET))
    check_places([path], inputs)
    if not inputs:
        raise SourceError("no input given. Name images, folders, archives, FASTA or tables.")
    if batch_size < 1:
        raise SourceError(f"batch size {batch_size}: read at least one specimen at a time.")
    how = reading or Reading()
    how.check()
    bundle = open_bundle(run)
    devices.move(bundle, device)
    failures: dict[str, str] = {}
    parts = _parts(bundle, [str(one) for one in inputs], how, batch_size, failures)
    with files.written_whole(path) as temporary:
        count = _WRITERS[form or path.suffix.lower()](temporary, bundle, parts)
    return EmbedInputsReport(str(out), count, bundle.model.embedding_dim, failures)


def _parts(
    bundle: Bundle,
    inputs: Sequence[str],
    reading: Reading,
    batch_size: int,
    failures: dict[str, str],
) -> Iterator[Part]:
    """Yields names and embeddings, some specimens at a time; what cannot be read is told."""
    found = tracked(specimens(inputs, reading=reading), title="embed")
    reads = " or ".join(m.value for m in bundle.model.modalities if m.value != "caption")
    for chunk in chunks(loaded_ahead(found, partial(load, pixels=bundle.pixels))):
        encoded = encode(bundle.model, materials_of(chunk, bundle.pixels), batch_size=batch_size)
        z_BD = joint_embeddings(encoded, len(chunk), bundle.model.embedding_dim)
        kept = np.flatnonzero(~np.isnan(z_BD).any(axis=1)).tolist()
        for place in sorted({*range(len(chunk))} - {*kept}):
            name, why = chunk[place].specimen.input, chunk[place].failure
            failures[name] = (why or f"nothing here that this model reads ({reads})").removeprefix(
                f"{name}: "
            )
        yield [chunk[place].specimen.input for place in kept], z_BD[kept]


def _write_json(path: Path, bundle: Bundle, parts: Iterator[Part]) -> int:
    seen: set[str] = set()
    with path.open("w", encoding="utf-8", errors="backslashreplace") as handle:
        handle.write('{\n    "model": ' + json.dumps(bundle.fingerprint) + ',\n    "embeddings": {')
        for names, z_BD in parts:
            for name, z_D in zip(names, z_BD, strict=True):
                if name in seen:
                    continue
                handle.write(",\n" if seen else "\n")
                numbers = ", ".join(map(repr, z_D.astype(float).tolist()))
                handle.write(f"        {json.dumps(name, ensure_ascii=False)}: [{numbers}]")
                seen.add(name)
        handle.write("\n    }\n}\n")
    return len(seen)


def _write_parquet(path: Path, bundle: Bundle, parts: Iterator[Part]) -> int:
    vector = pa.list_(pa.float32(), bundle.model.embedding_dim)
    about = {"format": "holotype-embeddings", "version": 1, "model": bundle.fingerprint}
    schema = pa.schema(
        [("input", pa.string()), ("embedding", vector)], metadata={"holotype": json.dumps(about)}
    )
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for names, z_BD in parts:
            flat = pa.array(np.ascontiguousarray(z_BD).ravel())
            vectors = pa.FixedSizeListArray.from_arrays(flat, type=vector)
            writer.write_table(pa.table([pa.array(names, pa.string()), vectors], schema=schema))
            count += len(names)
    return count


_WRITERS: dict[str, Callable[[Path, Bundle, Iterator[Part]], int]] = {
    JSON: _write_json,
    PARQUET: _write_parquet,
}
