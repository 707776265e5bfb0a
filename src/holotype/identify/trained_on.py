"""The command ``trained-on``: was this image, or this barcode, in the training of a model? By hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.errors import BundleError, HolotypeError
from holotype.files import sha256_bytes
from holotype.identify.inputs import Specimen, specimens
from holotype.media.barcodes import Barcode, clean_barcode
from holotype.media.images import read_pixels
from holotype.media.measures import measure
from holotype.media.strands import reverse_complement
from holotype.models.bundle import TRAINING_RECORDS
from holotype.models.places import bundle_folder
from holotype.splits.plan import Role

NEAR_BITS = 6
"""Images whose perceptual hashes differ in at most so many of 64 bits are told as near."""


class Seen(StrEnum):
    """Whether a specimen was in training."""

    SAME = "same"
    NEAR = "near"
    NO = "no"
    FAILED = "failed"


@dataclass(frozen=True)
class TrainedOnReport:
    """One answer for each specimen.

    Attributes:
        run: folder of the model.
        rows: ``input``, ``seen`` (same, near, no, failed), ``role`` (train or val), ``record_id`` of the
            nearest training record, ``bits`` by which the perceptual hashes differ, ``detail``. Of several
            equally near records the first of ``train`` is named, and one of ``val`` only if there is none.
    """

    run: str
    rows: tuple[dict[str, Any], ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many specimens have each answer."""
        return {seen.value: sum(row["seen"] == seen for row in self.rows) for seen in Seen}


def trained_on(run: Path | str, inputs: Sequence[str]) -> TrainedOnReport:
    """Returns for each image and barcode whether the model was trained or validated on it.

    ``same`` is an equal file, or an equal barcode on either strand; ``near`` an image that looks the same
    to a perceptual hash (another encoding or size of it, or a very similar crop).

    Raises:
        BundleError: when the run holds no record of its training.
    """
    path = bundle_folder(run) / TRAINING_RECORDS
    if not path.is_file():
        raise BundleError(f"{path}: missing, so it cannot be said. Restore the bundle's files.")
    ledger = _Ledger(pq.read_table(path))
    rows = tuple(_row(specimen, ledger) for specimen in specimens(inputs))
    return TrainedOnReport(str(run), rows)


class _Ledger:
    """The training records by hash, those of ``train`` before those of ``val``."""

    def __init__(self, table: pa.Table) -> None:
        role_N = np.asarray(table["role"].to_pylist(), dtype=object)
        table = table.take(pa.array(np.argsort(role_N != Role.TRAIN.value, kind="stable")))
        self._ids = table["record_id"].to_pylist()
        self._roles = table["role"].to_pylist()
        self._same: dict[str, int] = {}
        for name in ("haplotype", "image_sha256"):
            for row, value in enumerate(table[name].to_pylist()):
                if value is not None:
                    self._same.setdefault(value, row)
        hashes = table["image_phash"].to_pylist()
        self._hashed = np.asarray([r for r, h in enumerate(hashes) if h is not None], np.int64)
        self._hash_N: NDArray[np.uint64] = np.asarray(
            [int(h, 16) for h in hashes if h is not None], dtype=np.uint64
        )

    def same(self, value: str) -> dict[str, Any] | None:
        row = self._same.get(value)
        return None if row is None else self._found(Seen.SAME, row, 0)

    def near(self, phash: int) -> dict[str, Any] | None:
        if not len(self._hash_N):
            return None
        bits_N = np.bitwise_count(self._hash_N ^ np.uint64(phash))
        best = int(bits_N.argmin())
        if bits_N[best] > NEAR_BITS:
            return None
        return self._found(Seen.NEAR, int(self._hashed[best]), int(bits_N[best]))

    def _found(self, seen: Seen, row: int, bits: int) -> dict[str, Any]:
        role, record_id = self._roles[row], self._ids[row]
        return {"seen": seen.value, "role": role, "record_id": record_id, "bits": bits}


def _row(specimen: Specimen, ledger: _Ledger) -> dict[str, Any]:
    nothing = {"role": None, "record_id": None, "bits": None, "detail": None}
    row: dict[str, Any] = {"input": specimen.input, "seen": Seen.NO.value, **nothing}
    if specimen.failure is not None:
        return {**row, "seen": Seen.FAILED.value, "detail": specimen.failure}
    try:
        return {**row, **_nearest(specimen, ledger)}
    except (HolotypeError, OSError) as reason:
        return {**row, "seen": Seen.FAILED.value, "detail": " ".join(str(reason).split())}


def _nearest(specimen: Specimen, ledger: _Ledger) -> dict[str, Any]:
    """Returns what is known of the barcode, or of the image where that says more."""
    barcode = _barcode(specimen, ledger)
    if barcode is not None and barcode["role"] == Role.TRAIN.value:
        return barcode
    found = [one for one in (barcode, _image(specimen, ledger)) if one is not None]
    order = {Seen.SAME.value: 0, Seen.NEAR.value: 1}
    return min(
        found, key=lambda one: (order[one["seen"]], one["role"] != Role.TRAIN.value), default={}
    )


def _barcode(specimen: Specimen, ledger: _Ledger) -> dict[str, Any] | None:
    """Returns the record with this barcode, read from either end; in ``train`` rather than in ``val``."""
    if specimen.barcode is None:
        return None
    written = clean_barcode(specimen.barcode)
    other = Barcode(reverse_complement(written.nucleotides), written.ambiguous)
    as_written, turned = ledger.same(written.haplotype), ledger.same(other.haplotype)
    if turned is not None:
        turned = {**turned, "detail": "as its reverse complement"}
    found = [one for one in (as_written, turned) if one is not None]
    return min(found, key=lambda one: one["role"] != Role.TRAIN.value, default=None)


def _image(specimen: Specimen, ledger: _Ledger) -> dict[str, Any] | None:
    if specimen.read_image is None:
        return None
    content = specimen.read_image()
    if (found := ledger.same(sha256_bytes(content))) is not None:
        return found
    phash = measure(read_pixels(content)).phash
    return None if phash is None else ledger.near(phash)
