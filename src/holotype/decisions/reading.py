"""A model and its references over prepared records -> evidence by channel.

A record with image and barcode is read through three channels: each alone, and both together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import AnswerTree
from holotype.decisions.channels import OF_MODALITY, Channel, pooled
from holotype.decisions.evidence import IDENTITY, Evidence, Neighbours
from holotype.errors import BundleError
from holotype.index.barcodes.hits import BarcodeHits
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.search import search
from holotype.index.store import Index
from holotype.inputs.captions import written_or_next
from holotype.inputs.materials import Materials
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded, encode, encode_captions
from holotype.models.towers import Modality

NEIGHBOURS = 32
BATCH = 32
HITS = 16
FURTHEST_COSINE, FURTHEST_IDENTITY = -1.0, 60.0
MODEL, REFERENCES = " model", " references"
"""Endings of the names of parts: what the model says, and how near the references of each label are."""
WIDTHS = {Modality.IMAGE.value: NEIGHBOURS, Modality.BARCODE.value: NEIGHBOURS, IDENTITY: HITS}
NOT_LEARNT = -1e9
"""What stands for the logit of a label that was not learnt."""


@dataclass(frozen=True)
class Reading:
    """What one channel says of the records that it can read, R of them.

    Attributes:
        row_R: int64, their rows.
        parts: name -> float64 (R, L), what is pooled into one score of each label.
        near: kind of closeness -> the nearest references.
    """

    row_R: NDArray[np.int64]
    parts: dict[str, NDArray[np.float64]]
    near: dict[str, Neighbours]

    def __len__(self) -> int:
        return len(self.row_R)

    def evidence(self, weight: Mapping[str, float]) -> Evidence:
        """Returns the evidence, its parts pooled by weights."""
        model = {name: part for name, part in self.parts.items() if name.endswith(MODEL)}
        return Evidence(pooled(self.parts, weight), model, self.near)

    def nearer(self, hidden_RL: NDArray[np.bool_] | None = None) -> "Reading":
        """Returns it with as many neighbours as answers rest on; as if some labels had not been learnt.

        Args:
            hidden_RL: the labels that were not; none by default. One label of each record must stay.
        """
        near, parts = {}, dict(self.parts)
        for kind, found in self.near.items():
            left = found if hidden_RL is None else found.without(hidden_RL)
            near[kind] = left.nearest(WIDTHS[kind])
            name = f"{kind}{REFERENCES}"
            parts[name] = near[kind].by_label(parts[name].shape[1])
        if hidden_RL is not None:
            parts = {name: np.where(hidden_RL, NOT_LEARNT, part) for name, part in parts.items()}
        return Reading(self.row_R, parts, near)

    def take(self, places: NDArray[np.int64]) -> "Reading":
        """Returns what it says of some of the records."""
        return Reading(
            self.row_R[places],
            {name: part[places] for name, part in self.parts.items()},
            {kind: near.take(places) for kind, near in self.near.items()},
        )


@dataclass
class Read:
    """What a model and its references say of N records.

    Attributes:
        readings: by channel, where there is any record.
        encoded: embeddings by modality.
        neighbour_row: by modality, int64 (R, V), rows of the references, best first, -1 for none.
        similarity: by modality, float32 (R, V), their cosines.
        hits: of the barcodes, the references nearest by alignment.
        asked: the barcodes that these are of.
    """

    readings: dict[Channel, Reading]
    encoded: dict[Modality, Encoded]
    neighbour_row: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    similarity: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    hits: BarcodeHits | None = None
    asked: list[str | None] | None = None


@dataclass(frozen=True)
class Reader:
    """A bundle ready to read records: by its head, or by the captions of its labels where it has none.

    Attributes:
        bundle: the model.
        references: records that it learnt from, or None.
    """

    bundle: Bundle
    references: Index | None

    @cached_property
    def tree(self) -> AnswerTree:
        """The possible answers."""
        return AnswerTree.of(self.bundle.labels)

    @cached_property
    def library(self) -> BarcodeLibrary | None:
        """The barcodes of the references, one row each; None without any."""
        if self.references is None or Modality.BARCODE.value not in self.references.modalities:
            return None
        barcodes = self.references.columns(["barcode"])["barcode"].to_pylist()
        return BarcodeLibrary.of(barcodes, species_N=self.reference_label)

    @cached_property
    def reference_label(self) -> NDArray[np.int64]:
        """The label of each reference, int64, -1 for none."""
        assert self.references is not None
        return self.bundle.labels.index_of(self.references.records["label"].to_pylist())

    def read(self, materials: Materials) -> Read:
        """Returns what the model and its references say of records."""
        encoded = encode(self.bundle.model, materials, batch_size=BATCH)
        return self.read_encoded(encoded, materials.barcode_N)

    def read_encoded(
        self,
        encoded_by: Mapping[Modality, Encoded],
        barcode_N: Sequence[str | None],
        *,
        wide: int = 1,
    ) -> Read:
        """Does what ``read`` does with records that are embedded already.

        Args:
            encoded_by: their embeddings and logits by modality.
            barcode_N: the barcodes of all records that ``encoded_by`` counts rows of.
            wide: how many times the usual number of neighbours are looked for.
        """
        found = Read({}, dict(encoded_by))
        for modality, encoded in found.encoded.items():
            near: dict[str, Neighbours] = {}
            if self.references is not None and modality.value in self.references.modalities:
                row_RV, cosine_RV = self.references.nearest(
                    modality, encoded.z_RD, k=wide * NEIGHBOURS
                )
                found.neighbour_row[modality.value] = row_RV
                found.similarity[modality.value] = cosine_RV
                near[modality.value] = self.neighbours(row_RV, cosine_RV, FURTHEST_COSINE)
            asked = [barcode_N[row] for row in encoded.row_R.tolist()]
            if modality is Modality.BARCODE:
                found.asked = asked
            if modality is Modality.BARCODE and self.library is not None:
                found.hits, near[IDENTITY] = self.by_identity(self.library, asked, k=wide * HITS)
            parts = {f"{modality.value}{MODEL}": self._logits(encoded)}
            for kind, neighbours in near.items():
                parts[f"{kind}{REFERENCES}"] = neighbours.by_label(len(self.bundle.labels))
            found.readings[OF_MODALITY[modality]] = Reading(encoded.row_R, parts, near)
        if len(found.readings) > 1:
            self._join(found)
        return found

    def usual_pool(self, channel: Channel) -> dict[str, float]:
        """Returns the weights of a bundle that was not calibrated: temperatures, the mean of two logits."""
        sharp = {m: 1 / self.bundle.temperature.get(m, 1.0) for m in OF_MODALITY}
        of = [m for m in OF_MODALITY if channel in (OF_MODALITY[m], Channel.BOTH)]
        return {f"{m.value}{MODEL}": sharp[m] / len(of) for m in of}

    def neighbours(
        self, row_RV: NDArray[np.int64], closeness_RV: NDArray[np.floating], far: float
    ) -> Neighbours:
        """Returns found references with their labels."""
        label_RV = np.where(row_RV >= 0, self.reference_label[np.maximum(row_RV, 0)], -1)
        closeness = np.where(row_RV >= 0, closeness_RV.astype(np.float64), np.nan)
        return Neighbours(label_RV, closeness, far)

    def by_identity(
        self, library: BarcodeLibrary, barcodes: Sequence[str | None], *, k: int = HITS
    ) -> tuple[BarcodeHits, Neighbours]:
        """Returns the references nearest by alignment, and how near they are in per cent of equal bases."""
        hits = search(library, barcodes, k=k)
        equal_QK = 100 * (1 - hits.distance_QK)
        return hits, self.neighbours(hits.row_QK, equal_QK, FURTHEST_IDENTITY)

    def _join(self, found: Read) -> None:
        image, barcode = found.readings[Channel.IMAGE], found.readings[Channel.BARCODE]
        row_R, at_image, at_barcode = np.intersect1d(
            image.row_R, barcode.row_R, return_indices=True
        )
        if len(row_R):
            first, second = image.take(at_image), barcode.take(at_barcode)
            parts, near = {**first.parts, **second.parts}, {**first.near, **second.near}
            found.readings[Channel.BOTH] = Reading(row_R, parts, near)

    def _logits(self, encoded: Encoded) -> NDArray[np.float64]:
        """Returns the logits of the head, or of the captions of the labels; float64 (R, L)."""
        if encoded.logit_RL is not None:
            return encoded.logit_RL.astype(np.float64)
        scale = float(self.bundle.model.scale.detach())
        return scale * (encoded.z_RD @ self._caption_LD.T).astype(np.float64)

    @cached_property
    def _caption_LD(self) -> NDArray[np.float32]:
        bundle = self.bundle
        if Modality.CAPTION not in bundle.model.modalities:
            raise BundleError(f"{bundle.path}: neither a head nor captions, so it names nothing.")
        texts = [
            written_or_next(label.concept, bundle.texts.types[0], vernacular=None)[0]
            for label in bundle.labels.labels
        ]
        return encode_captions(bundle.model, texts)


def label_probabilities(
    bundle: Bundle, materials: Materials, known: Mapping[Modality, Encoded] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Returns what the model alone says of records, by its temperatures.

    Args:
        bundle: the model.
        materials: the records.
        known: their embeddings and logits, where they are computed already.

    Returns:
        The rows that it can read, int64 (R,), and probabilities of the labels, (R, L).
    """
    reader = Reader(bundle, None)
    encoded = known or encode(bundle.model, materials, batch_size=BATCH)
    read = reader.read_encoded(encoded, materials.barcode_N)
    found_NL = np.full((len(materials), len(bundle.labels)), np.nan)
    for channel in (Channel.IMAGE, Channel.BARCODE, Channel.BOTH):
        if channel in read.readings:
            reading = read.readings[channel]
            evidence = reading.evidence(reader.usual_pool(channel))
            found_NL[reading.row_R] = evidence.probability_BL
    row_R = np.flatnonzero(np.isfinite(found_NL).all(axis=1))
    return row_R, found_NL[row_R]
