"""The records that an answer rests on: nearest by embedding, and of barcodes by alignment."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from holotype.decisions.reading import HITS, Read, Reader
from holotype.index.barcodes.hits import BarcodeHits
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.store import Index
from holotype.models.towers import Modality

STRANDS = {1: "+", -1: "-"}


@dataclass(frozen=True)
class Nearest:
    """Where the nearest records come from.

    Attributes:
        reader: the model and its own references.
        index: the user's, or None to take the references.
        count: how many records are told.
    """

    reader: Reader
    index: Index | None
    count: int

    @classmethod
    def of(cls, reader: Reader, index: Index | None, *, count: int) -> "Nearest":
        """Returns it for a model, with the user's index or without."""
        return cls(reader, index, count)

    @property
    def shown(self) -> Index | None:
        """The index that is searched."""
        return self.index if self.index is not None else self.reader.references

    def of_rows(self, read: Read, count: int) -> list[dict[str, Any]]:
        """Returns for each specimen its columns ``nearest``, ``identity_pct``, ``strand`` ..."""
        if self.shown is None or not self.count:
            return [{} for _ in range(count)]
        found: list[list[dict[str, Any]]] = [[] for _ in range(count)]
        columns: list[dict[str, Any]] = [{} for _ in range(count)]
        for modality, encoded in read.encoded.items():
            if modality.value not in self.shown.modalities:
                continue
            row_RK, cosine_RK = self.shown.nearest(modality, encoded.z_RD, k=self.count)
            for place, rows, cosines in zip(encoded.row_R.tolist(), row_RK, cosine_RK, strict=True):
                found[place] += [
                    {
                        **self._record(row),
                        "modality": modality.value,
                        "similarity": round(float(cosine), 4),
                    }
                    for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True)
                    if row >= 0
                ]
        hits = read.hits if self.index is None else self._hits(read)
        if hits is not None:
            for at, place in enumerate(read.encoded[Modality.BARCODE].row_R.tolist()):
                aligned = self._aligned(hits, at)
                found[place] = _merged(found[place], aligned)
                columns[place] = _best(hits, at)
        for place, records in enumerate(found):
            if records:
                columns[place]["nearest"] = json.dumps(records, ensure_ascii=False)
        return columns

    def _hits(self, read: Read) -> BarcodeHits | None:
        if self._library is None or read.asked is None:
            return None
        return self._library.search(read.asked, k=HITS)

    @cached_property
    def _library(self) -> BarcodeLibrary | None:
        """The barcodes of the user's index; its species are those of its labels."""
        assert self.index is not None
        if Modality.BARCODE.value not in self.index.modalities:
            return None
        barcodes = self.index.columns(["barcode"])["barcode"].to_pylist()
        codes: dict[str | None, int] = {}
        species = [codes.setdefault(name, len(codes)) for name in self._labels]
        return BarcodeLibrary.of(barcodes, species_N=species)

    @cached_property
    def _labels(self) -> list[str | None]:
        assert self.shown is not None
        found: list[str | None] = self.shown.records["label"].to_pylist()
        return found

    @cached_property
    def _ids(self) -> list[str]:
        assert self.shown is not None
        found: list[str] = self.shown.records["record_id"].to_pylist()
        return found

    def _record(self, row: int) -> dict[str, Any]:
        return {"record_id": self._ids[row], "label": self._labels[row]}

    def _aligned(self, hits: BarcodeHits, at: int) -> list[dict[str, Any]]:
        rows = hits.row_QK[at].tolist()[: self.count]
        return [
            {
                **self._record(row),
                "modality": Modality.BARCODE.value,
                "identity_pct": round(float(hits.identity_QK[at, k]), 3),
                "overlap_bp": int(hits.overlap_QK[at, k]),
            }
            for k, row in enumerate(rows)
            if row >= 0
        ]


def _merged(
    by_vector: list[dict[str, Any]], aligned: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns records once each: one found by vector and by alignment has both figures."""
    known = {one["record_id"]: one for one in aligned}
    both = [
        {**one, **known.pop(one["record_id"])}
        if one["modality"] == Modality.BARCODE.value and one["record_id"] in known
        else one
        for one in by_vector
    ]
    return [*both, *known.values()]


def _best(hits: BarcodeHits, at: int) -> dict[str, Any]:
    """Returns the columns of the closest reference by alignment."""
    identity, gap = float(hits.identity_QK[at, 0]), float(hits.gap_Q[at])
    if np.isnan(identity):
        return {}
    return {
        "identity_pct": round(identity, 3),
        "overlap_bp": float(hits.overlap_QK[at, 0]),
        "strand": STRANDS.get(int(hits.strand_Q[at])),
        "gap_pct": None if np.isnan(gap) else round(gap, 3),
    }
