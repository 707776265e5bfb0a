"""The records that an answer rests on: nearest by embedding, and of barcodes by alignment."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.reading import NEIGHBOURS, Read, Reader
from holotype.identify.alignment import Alignment
from holotype.index.store import Index
from holotype.models.towers import Modality


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
            row_RK, cosine_RK = self._found(read, modality, encoded.z_RD)
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
        if read.asked is not None and self.alignment is not None:
            told = self.alignment.told(read.asked, read.hits if self.index is None else None)
            for at, place in enumerate(read.encoded[Modality.BARCODE].row_R.tolist()):
                aligned = [
                    {**self._record(hit.row), "modality": Modality.BARCODE.value, **hit.figures}
                    for hit in told.hits[at][: self.count]
                ]
                found[place] = _merged(found[place], aligned)
                columns[place] = told.columns[at]
        for place, records in enumerate(found):
            if records:
                columns[place]["nearest"] = json.dumps(records, ensure_ascii=False)
        return columns

    def _found(
        self, read: Read, modality: Modality, z_RD: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns rows and cosines of the nearest records; the references were searched already."""
        if self.index is None and self.count <= NEIGHBOURS:
            kind = modality.value
            return read.neighbour_row[kind][:, : self.count], read.similarity[kind][:, : self.count]
        assert self.shown is not None
        return self.shown.nearest(modality, z_RD, k=max(1, min(self.count, len(self.shown))))

    @cached_property
    def alignment(self) -> Alignment | None:
        """The barcodes of the index that is searched; None without any."""
        assert self.shown is not None
        if Modality.BARCODE.value not in self.shown.modalities:
            return None
        return Alignment.of(self.shown, self.reader.library if self.index is None else None)

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
