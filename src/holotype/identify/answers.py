"""Loaded specimens -> rows of the answer table: the safe answer, why it stops there, and what it rests on.

An image and a barcode of one specimen are read apart and together. The answer is the joint one where the
model was calibrated for both; where the two contradict one another it is what both say.
Shapes: B specimens of a chunk, R of them that a channel can read, L labels, D numbers of an embedding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.decisions.channels import Channel
from holotype.decisions.decisions import Decisions
from holotype.decisions.priors import Priors
from holotype.decisions.reading import BATCH, Reader, Reading
from holotype.decisions.risk import Threshold
from holotype.decisions.store import open_decisions
from holotype.decisions.verdicts import Verdicts, uncalibrated, verdicts
from holotype.errors import SourceError
from holotype.identify.columns import ANSWER_SCHEMA, CONTEXT, Decision
from holotype.identify.inputs import Loaded
from holotype.identify.loading import materials_of
from holotype.identify.nearest import Nearest
from holotype.identify.rows import RowWriter, Said
from holotype.index.store import open_index
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded, encode
from holotype.models.towers import Modality

MAX_ERROR = 0.05
MOST_AT_A_TIME = 4_096


@dataclass(frozen=True)
class AnswerSettings:
    """What decides the answers beside the model.

    Attributes:
        max_error: the share of answers that may be wrong, above 0, below 1.
        priors: tables of what is known beforehand (docs/formats/priors.md).
        index: an index to take the nearest records from; the model's own references by default.
        nearest: how many of them are told.
        batch_size: how many specimens the model reads at a time; figures may differ in their last digits.
    """

    max_error: float = MAX_ERROR
    priors: tuple[str, ...] = ()
    index: str | None = None
    nearest: int = 5
    batch_size: int = BATCH

    def __post_init__(self) -> None:
        if not 0 < self.max_error < 1:
            raise SourceError(f"max error {self.max_error:g}: it must be above 0 and below 1.")
        if self.nearest < 0:
            raise SourceError(
                f"nearest {self.nearest}: tell how many records to show, or 0 for none."
            )
        if not 1 <= self.batch_size <= MOST_AT_A_TIME:
            raise SourceError(
                f"batch size {self.batch_size}: choose from 1 to {MOST_AT_A_TIME} specimens."
            )


@dataclass(frozen=True)
class Chunk:
    """The answers to B specimens, failures included.

    Attributes:
        rows: B rows with the columns of ``ANSWER_SCHEMA``.
        scores_BL: float32, calibrated probabilities of the labels; nan where a specimen failed.
        embedding_BD: float32, likewise; of a specimen with image and barcode their mean, unit length.
    """

    rows: list[dict[str, Any]]
    scores_BL: NDArray[np.float32]
    embedding_BD: NDArray[np.float32]


@dataclass(frozen=True)
class _Heard:
    """What one channel says of the specimens that it can read."""

    place: dict[int, int]
    probability_RL: NDArray[np.float64]
    verdicts: Verdicts
    without_prior: Verdicts | None


@dataclass(frozen=True)
class Answerer:
    """A bundle that answers.

    Attributes:
        reader: the model and its references.
        decisions: how sure it may be; None for a bundle that was never calibrated.
        thresholds: by channel.
        priors: of the user, or None.
        nearest: where the nearest records come from.
        writer: of rows.
        batch_size: how many specimens the model reads at a time.
    """

    reader: Reader
    decisions: Decisions | None
    thresholds: dict[Channel, Threshold]
    priors: Priors | None
    nearest: Nearest
    writer: RowWriter
    batch_size: int = BATCH

    @classmethod
    def of(cls, bundle: Bundle, settings: AnswerSettings) -> "Answerer":
        """Returns a bundle ready to answer.

        Raises:
            BundleError, CollectionError, SourceError: where decisions, index or priors cannot be used.
        """
        opened = open_decisions(bundle)
        reader = opened.reader(bundle) if opened is not None else Reader(bundle, None)
        decisions = opened.decisions if opened is not None else None
        never = "the model was never calibrated (holotype calibrate)"
        thresholds = {
            channel: decisions.threshold(channel, max_error=settings.max_error)
            if decisions is not None
            else Threshold(2.0, settings.max_error, {}, {}, never)
            for channel in Channel
        }
        index = (
            open_index(Path(settings.index), model=bundle.fingerprint) if settings.index else None
        )
        return cls(
            reader,
            decisions,
            thresholds,
            Priors.read(settings.priors, bundle.labels) if settings.priors else None,
            Nearest(reader, index, settings.nearest),
            RowWriter(reader.tree, bundle.fingerprint, thresholds),
            settings.batch_size,
        )

    def answer(self, chunk: Sequence[Loaded]) -> Chunk:
        """Returns the answers to some specimens, in their order."""
        bundle = self.reader.bundle
        materials = materials_of(chunk, bundle.pixels)
        encoded = encode(bundle.model, materials, batch_size=self.batch_size)
        read = self.reader.read_encoded(encoded, materials.barcode_N)
        weight_BL = None
        if self.priors is not None:
            weight_BL = self.priors.weights(context_table(chunk))
        heard = {
            channel: self._heard(channel, of, weight_BL) for channel, of in read.readings.items()
        }
        nearest = self.nearest.of_rows(read, len(chunk))
        scores_BL = np.full((len(chunk), len(bundle.labels)), np.nan, dtype=np.float32)
        rows = []
        effect_B = self._effects(chunk, heard)
        for place, one in enumerate(chunk):
            said = {
                channel: Said(of.verdicts, of.probability_RL, of.place[place], of.without_prior)
                for channel, of in heard.items()
                if place in of.place
            }
            if not said:
                rows.append(self._failed(one))
                continue
            row, channel = self.writer.row(said)
            scores_BL[place] = heard[channel].probability_RL[heard[channel].place[place]]
            rows.append(
                {
                    **dict.fromkeys(ANSWER_SCHEMA.names),
                    **one.specimen.context,
                    **row,
                    **nearest[place],
                    "input": one.specimen.input,
                    "prior_effect": effect_B.get(place),
                    "failure": one.failure,
                }
            )
        return Chunk(
            rows, scores_BL, joint_embeddings(encoded, len(chunk), bundle.model.embedding_dim)
        )

    def _heard(
        self, channel: Channel, reading: Reading, weight_BL: NDArray[np.float64] | None
    ) -> _Heard:
        of = self.decisions.channels.get(channel) if self.decisions is not None else None
        pool = of.pool if of is not None else self.reader.usual_pool(channel)
        plain = reading.evidence(pool)
        evidence = plain
        if weight_BL is not None:
            evidence = plain.reweighted(weight_BL[reading.row_R])
        tree, threshold = self.reader.tree, self.thresholds[channel]

        def judged(asked: Any) -> Verdicts:
            if of is None:
                return uncalibrated(tree, threshold, asked)
            return verdicts(tree, of, threshold, asked)

        return _Heard(
            {row: at for at, row in enumerate(reading.row_R.tolist())},
            evidence.probability_BL,
            judged(evidence),
            judged(plain) if weight_BL is not None else None,
        )

    def _effects(self, chunk: Sequence[Loaded], heard: dict[Channel, _Heard]) -> dict[int, str]:
        """Returns what the priors changed, by place in the chunk."""
        if self.priors is None:
            return {}
        found: dict[int, str] = {}
        for channel in (Channel.IMAGE, Channel.BARCODE, Channel.BOTH):
            of = heard.get(channel)
            if of is not None and of.without_prior is not None:
                places = list(of.place)
                context = context_table([chunk[place] for place in places])
                before = of.without_prior.probability_RL
                told = self.priors.effects(context, before, of.probability_RL)
                found |= dict(zip(places, told, strict=True))
        return found

    def _failed(self, one: Loaded) -> dict[str, Any]:
        modalities = self.reader.bundle.model.modalities
        reads = " or ".join(m.value for m in modalities if m.value != "caption")
        return {
            **dict.fromkeys(ANSWER_SCHEMA.names),
            **one.specimen.context,
            "input": one.specimen.input,
            "decision": Decision.FAILED.value,
            "model": self.reader.bundle.fingerprint,
            "failure": one.failure or f"nothing here that this model reads ({reads})",
        }


def context_table(chunk: Sequence[Loaded]) -> pa.Table:
    """Returns what the inputs say of the specimens, one row each."""
    schema = pa.schema([(column.name, column.type) for column in CONTEXT])
    rows = [{name: one.specimen.context.get(name) for name in schema.names} for one in chunk]
    return pa.Table.from_pylist(rows, schema=schema)


def joint_embeddings(
    encoded_by: Mapping[Modality, Encoded], count: int, dim: int
) -> NDArray[np.float32]:
    """Returns the unit embedding of each specimen, the mean of its modalities; nan where it has none."""
    total_BD, seen_B = np.zeros((count, dim), dtype=np.float32), np.zeros(count, dtype=np.bool_)
    for encoded in encoded_by.values():
        total_BD[encoded.row_R] += encoded.z_RD
        seen_B[encoded.row_R] = True
    norm_B = np.maximum(np.linalg.norm(total_BD, axis=1, keepdims=True), 1e-12)
    return np.where(seen_B[:, None], total_BD / norm_B, np.nan).astype(np.float32)
