"""Everything that an evaluation asks about, in one value: records, roles, names and embeddings."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import Collection
from holotype.errors import SplitError
from holotype.evaluation.evidence import Questions
from holotype.inputs.materials import Materials, prepare_collection
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded, encode
from holotype.models.towers import Modality
from holotype.splits.plan import Role, Split, Status
from holotype.taxonomy.lineage import LINNAEAN_RANKS

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)


class Beside(StrEnum):
    """What is measured beside the model."""

    BASELINES = "baselines"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Exam:
    """The records of a split that are used, N of them, and what the model says of them.

    Attributes:
        materials: the records.
        table: their columns.
        role_N, status_N, group_N: as in the split.
        names: rank or ``label`` -> the name of each record, None where it has none.
        encoded: embeddings and logits by modality.
        seed: of every random choice of the evaluation.
        beside: whether nearest neighbours without a model are measured too.
    """

    materials: Materials
    table: pa.Table
    role_N: NDArray[np.str_]
    status_N: NDArray[np.str_]
    group_N: NDArray[np.int64]
    names: dict[str, list[str | None]]
    encoded: dict[Modality, Encoded]
    seed: int
    beside: Beside = Beside.BASELINES

    def among(self, encoded: Encoded, *roles: Role) -> NDArray[np.int64]:
        """Returns the places in ``encoded`` of records with one of the roles, int64."""
        return np.flatnonzero(np.isin(self.role_N[encoded.row_R], [role.value for role in roles]))

    @property
    def key_roles(self) -> tuple[Role, ...]:
        """The roles whose records are searched.

        Keys; with the training part where no key is of a seen species (BIOSCAN-5M, whose training records
        are its seen keys, and splits without keys).
        """
        keys = self.role_N == Role.KEY.value
        if (keys & (self.status_N == Status.SEEN.value)).any():
            return (Role.KEY,)
        return (Role.TRAIN, Role.KEY)

    def names_of(self, rank: str, rows: NDArray[np.int64]) -> list[str | None]:
        """Returns the names of some records at a rank."""
        return [self.names[rank][row] for row in rows.tolist()]

    def questions(self, rows: NDArray[np.int64], answerable: dict[str, set[str]]) -> Questions:
        """Returns the questions about some records, given what can be answered at each rank."""
        return Questions(
            truth_by_rank={rank: self.names_of(rank, rows) for rank in answerable},
            part_Q=self.status_N[rows],
            group_Q=self.group_N[rows],
            answerable_by_rank=answerable,
            seed=self.seed,
        )


def prepare_exam(
    bundle: Bundle,
    collection: Collection,
    split: Split,
    *,
    seed: int,
    beside: Beside = Beside.BASELINES,
) -> Exam:
    """Returns the exam of a model on a split: every used record is read and embedded once.

    Raises:
        SplitError: when the split has nothing to test on that the model can read.
    """
    rows = np.flatnonzero(split.role_N != Role.UNUSED.value)
    table = collection.columns().take(rows)
    materials = prepare_collection(collection, pixels=bundle.pixels, rows=rows)
    encoded = encode(bundle.model, materials)
    role_N = split.role_N[rows]
    status_N = split.status_N[rows]
    if not any((role_N[found.row_R] == Role.TEST.value).any() for found in encoded.values()):
        raise SplitError(
            "no test record has what the model reads. Make a split with test records that have "
            f"{' or '.join(m for m in bundle.model.modalities if m is not Modality.CAPTION)}."
        )
    written = table["written_label"].to_pylist()
    labels = bundle.labels.names_of(written, materials.concept_N)
    names = {"label": labels, **{rank: table[rank].to_pylist() for rank in RANKS}}
    status_N[status_N == Status.UNNAMED.value] = Status.SEEN.value
    return Exam(
        materials, table, role_N, status_N, split.group_N[rows], names, encoded, seed, beside
    )


def present_ranks(exam: Exam, rows: NDArray[np.int64], *, with_label: bool) -> list[str]:
    """Returns the ranks at which some of the records differ, and ``label`` first when asked."""
    ranks = [rank for rank in RANKS if len(set(exam.names_of(rank, rows)) - {None}) > 1]
    return ["label", *ranks] if with_label else ranks
