"""Held-out records with true labels: what is known of a classifier's confusion.

A bundle keeps them in ``decisions/validation.parquet`` (docs/formats/bundle.md).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holotype import files
from holotype.decisions.store import validation_of
from holotype.errors import BundleError
from holotype.models.bundle import FORMAT, OLDER, VERSION
from holotype.models.labels import LabelSpace
from holotype.models.places import MANIFEST, bundle_folder
from holotype.models.towers import Modality

LEAST_RECORDS = 50
"""Fewer held-out records say too little to correct counts."""


@dataclass(frozen=True)
class Evidence:
    """What a classifier said of V held-out records, beside what they are.

    Attributes:
        label_V: int64, the true label, 0 to L - 1.
        probability_VL: float32, calibrated probabilities.
        group_V: int64, equal for records that belong together.
        instrument_V: the imaging system, "" where it is not known.
        z_VD: float32, embeddings, unit rows.
    """

    label_V: NDArray[np.int64]
    probability_VL: NDArray[np.float32]
    group_V: NDArray[np.int64]
    instrument_V: NDArray[np.str_]
    z_VD: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.label_V)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Evidence":
        """Returns the evidence of some records."""
        return Evidence(
            self.label_V[rows], self.probability_VL[rows], self.group_V[rows],
            self.instrument_V[rows], self.z_VD[rows],
        )  # fmt: skip

    def of_instrument(self, name: str | None) -> "Evidence":
        """Returns the records of an instrument where they are enough, else all."""
        own_V = self.instrument_V == name if name else np.zeros(len(self), dtype=np.bool_)
        return self.take(own_V) if own_V.sum() >= LEAST_RECORDS else self


@dataclass(frozen=True)
class BundleEvidence:
    """The evidence of a bundle.

    Attributes:
        evidence: its held-out images with a label of the space.
        labels: the label space.
        fingerprint: of the weights.
        left_out: held-out records that are of no label that it knows.
    """

    evidence: Evidence
    labels: LabelSpace
    fingerprint: str
    left_out: int


def read_evidence(bundle: Path | str, modality: Modality = Modality.IMAGE) -> BundleEvidence:
    """Returns the evidence that a bundle keeps.

    Args:
        bundle: its folder, or ``starter``.
        modality: of the records.

    Raises:
        BundleError: when there is no bundle, it keeps no evidence, or too little.
    """
    folder = bundle_folder(bundle)
    manifest = _manifest(folder)
    labels = LabelSpace.from_json(manifest)
    table = validation_of(folder)
    of_modality = np.asarray(table["modality"].to_pylist()) == modality.value
    table = table.filter(of_modality)
    label_V = labels.index_of(table["label"].to_pylist())
    known = np.flatnonzero(label_V >= 0)
    if len(known) < LEAST_RECORDS:
        raise BundleError(
            f"{folder}: {len(known)} held-out {modality.value}s of known labels; at least {LEAST_RECORDS} "
            "are needed to correct counts. Count without --evidence, or train with a larger validation part."
        )
    table = table.take(known)
    evidence = Evidence(
        label_V[known],
        np.asarray(table["probability"].to_pylist(), dtype=np.float32),
        np.asarray(table["group"].to_pylist(), dtype=np.int64),
        np.asarray([name or "" for name in table["instrument"].to_pylist()], dtype=np.str_),
        np.asarray(table["z"].to_pylist(), dtype=np.float32),
    )
    fingerprint = str(manifest["weights_sha256"])[:16]
    return BundleEvidence(evidence, labels, fingerprint, len(label_V) - len(known))


def _manifest(folder: Path) -> dict[str, object]:
    """Returns the content of ``bundle.json``, of any version that is read."""
    for version in (*OLDER, VERSION):
        try:
            return dict(
                files.read_manifest(
                    folder / MANIFEST, format_name=FORMAT, version=version, error=BundleError
                )
            )
        except BundleError:
            if version == VERSION:
                raise
    raise AssertionError
