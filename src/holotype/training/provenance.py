"""What a model was trained on, record by record, so that the question can be answered by hash later.

Written into every bundle: ``training-records.parquet`` (ids and hashes, no content) and ``ATTRIBUTION.md``.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.licensing import CREDIT_COLUMNS, credits_text
from holotype.collection.store import Collection
from holotype.models.bundle import ATTRIBUTION, TRAINING_RECORDS
from holotype.splits.plan import Role, Split

_COLUMNS = ("record_id", "source", "image_sha256", "image_phash", "haplotype", "licence")


def write_provenance(folder: Path, collection: Collection, split: Split, *, name: str) -> None:
    """Writes the records that training and validation saw, by hash, and whom to credit for them."""
    table = collection.columns([*dict.fromkeys((*_COLUMNS, *CREDIT_COLUMNS))])
    table = table.append_column("role", pa.array(split.role_N.tolist(), pa.string()))
    seen = pa.array([Role.TRAIN.value, Role.VAL.value])
    table = table.filter(pc.is_in(table["role"], seen))
    with files.written_whole(folder / TRAINING_RECORDS) as temporary:
        plain = table.select([*_COLUMNS, "role"]).replace_schema_metadata(None)
        pq.write_table(plain, temporary, compression="zstd")
    credits = credits_text(table, title=f"Sources that {name} learnt from")
    files.write_text(folder / ATTRIBUTION, credits)


def uses_lines(may: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Returns the lines of a card that say what may be done with a model, use by use."""
    lines = []
    for use, verdict in may.items():
        words = [*_listed(verdict["reasons"]), *_listed(verdict["conditions"])]
        lines.append(f"- {use}: **{verdict['answer']}**{': ' + '; '.join(words) if words else ''}")
    return lines


def _listed(words: object) -> list[str]:
    return [str(word).rstrip(".") for word in words] if isinstance(words, list) else []
