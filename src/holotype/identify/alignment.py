"""Barcodes against references, base by base: identity, strand, frame, gap to the next species, consensus."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.reading import HITS
from holotype.index.barcodes.consensus import THRESHOLDS_PCT, consensus
from holotype.index.barcodes.frames import UNREAD, frames
from holotype.index.barcodes.hits import BarcodeHits
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.search import search
from holotype.index.store import Index
from holotype.media.genetic_codes import codes_for
from holotype.taxonomy.lineage import Rank

STRANDS = {1: "+", -1: "-"}
RANKS = tuple(THRESHOLDS_PCT)


@dataclass(frozen=True)
class Hit:
    """A reference that was aligned: its row, and its figures as an answer has them."""

    row: int
    figures: dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What alignment says of some barcodes: the columns of their answers, and their hits, the best first."""

    columns: list[dict[str, Any]]
    hits: list[list[Hit]]


@dataclass(frozen=True)
class Alignment:
    """References to align with.

    Attributes:
        library: their barcodes; rows are those of the index.
        taxon_NR: int64, the code of each reference's taxon at each of ``RANKS``, -1 for none.
        names: of the codes.
        codes: genetic codes that may translate their marker, the usual one first; none for no protein.
    """

    library: BarcodeLibrary
    taxon_NR: NDArray[np.int64]
    names: tuple[str, ...]
    codes: tuple[int, ...]

    @classmethod
    def of(cls, index: Index, library: BarcodeLibrary | None) -> "Alignment":
        """Returns the references of an index.

        Args:
            index: with barcodes.
            library: of its barcodes, where that is made already.
        """
        code_of: dict[str, int] = {}
        columns = [
            [-1 if name is None else code_of.setdefault(name, len(code_of)) for name in written]
            for written in (index.records[rank.value].to_pylist() for rank in RANKS)
        ]
        if library is None:
            labels: dict[str | None, int] = {}
            named = index.records["label"].to_pylist()
            species = [labels.setdefault(name, len(labels)) for name in named]
            barcodes = index.columns(["barcode"])["barcode"].to_pylist()
            library = BarcodeLibrary.of(barcodes, species_N=species)
        taxon_NR = np.asarray(columns, dtype=np.int64).reshape(len(RANKS), len(index)).T
        return cls(library, taxon_NR, tuple(code_of), _codes_of(index))

    def told(self, barcodes: Sequence[str | None], hits: BarcodeHits | None) -> Told:
        """Returns what alignment says of barcodes.

        Args:
            barcodes: the queries.
            hits: of them in this library, where they were searched already.
        """
        found = hits if hits is not None else search(self.library, barcodes, k=HITS)
        there = found.row_QK >= 0
        taxon_QKR = np.where(there[:, :, None], self.taxon_NR[np.maximum(found.row_QK, 0)], -1)
        agreed = consensus(found.identity_QK, taxon_QKR, ranks=RANKS)
        frame_Q = np.full(len(barcodes), UNREAD, dtype=np.int64)
        if self.codes:
            frame_Q = frames(self.library, barcodes, found, codes=self.codes)
        columns, listed = [], []
        for at in range(len(barcodes)):
            listed.append(_hits(found, at))
            row = _best(found, at)
            if row and agreed.taxon_Q[at] >= 0:
                row["consensus"] = self.names[int(agreed.taxon_Q[at])]
                row["consensus_rank"] = RANKS[int(agreed.rank_Q[at])].value
            if row and frame_Q[at] != UNREAD:
                row["frame"] = float(frame_Q[at])
            columns.append(row)
        return Told(columns, listed)


def _codes_of(index: Index) -> tuple[int, ...]:
    """Returns the genetic codes of the commonest marker and lineage among the references."""
    names = ("marker", Rank.CLASS.value, Rank.PHYLUM.value, Rank.KINGDOM.value)
    found = Counter(zip(*(index.records[name].to_pylist() for name in names), strict=True))
    if not found:
        return ()
    marker, *lineage = found.most_common(1)[0][0]
    return codes_for(marker or "COI-5P", dict(zip(names[1:], lineage, strict=True)))


def _hits(found: BarcodeHits, at: int) -> list[Hit]:
    return [
        Hit(
            row,
            {
                "identity_pct": round(float(found.identity_QK[at, k]), 3),
                "overlap_bp": int(found.overlap_QK[at, k]),
            },
        )
        for k, row in enumerate(found.row_QK[at].tolist())
        if row >= 0
    ]


def _best(found: BarcodeHits, at: int) -> dict[str, Any]:
    """Returns the columns of the closest reference; none without hits."""
    identity, gap = float(found.identity_QK[at, 0]), float(found.gap_Q[at])
    if np.isnan(identity):
        return {}
    return {
        "identity_pct": round(identity, 3),
        "overlap_bp": float(found.overlap_QK[at, 0]),
        "strand": STRANDS.get(int(found.strand_Q[at])),
        "gap_pct": None if np.isnan(gap) else round(gap, 3),
    }
