"""The command ``suspects``: records whose written label may be wrong, the most doubtful first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.assessing.classes import Classes
from holotype.assessing.contradictions import Contradiction, copies, minorities
from holotype.assessing.doubting import Doubt, doubt
from holotype.assessing.writing import check_ending, write_rows
from holotype.collection.store import Collection, concepts_of, open_collection
from holotype.errors import CollectionError
from holotype.inputs.materials import prepare_collection
from holotype.models.bundle import TRAINING_RECORDS, Bundle, open_bundle, softmax
from holotype.models.encode import Encoded, encode
from holotype.models.labels import LabelSpace

SUSPICIOUS = 0.5
SHOWN = 10
COLUMNS: dict[str, str] = {
    "place": "1 for the most doubtful",
    "record_id": "the record",
    "written_label": "as the source has it",
    "label": "what it means",
    "suggested": "the label with most evidence that excludes it",
    "suspicion": "0 to 1; above 0.5 the suggested label has more evidence",
    "evidence": "`same_image`, `same_barcode`, `same_bin`, `image` or `barcode`: what speaks against it most",
    "reason": "in words",
    "image_suspicion": "by the images alone; null without one",
    "barcode_suspicion": "by the barcodes alone; null without one",
    "confident": "whether confident learning counts it as an error",
    "in_training": "`train` or `val` where the model learnt from it, so that it was not asked",
    "other_record": "the record that it contradicts, or its nearest one of the suggested label",
    "nearest": "its nearest records, ';' between them",
}
"""The columns of the table."""


@dataclass(frozen=True)
class SuspectsReport:
    """What was found: the file, records looked at, suspects, and those by evidence."""

    out: str
    records: int
    suspects: int
    evidence: dict[str, int]
    in_training: int
    without_label: int


def suspects(
    run: Path | str, *, collection: Path | str, out: Path | str, seed: int = 0
) -> SuspectsReport:
    """Writes the records whose written label may be wrong, the most doubtful first.

    Every label is judged by records other than its own: by a probe that did not learn from it, by its
    neighbours, and by the model where that did not learn from it.

    Args:
        run: the bundle whose embeddings are used.
        collection: the collection's folder.
        out: the table to write: CSV or Parquet.
        seed: of the folds.

    Raises:
        BundleError, CollectionError: when one cannot be opened, or fewer than two labels are there.
    """
    check_ending(Path(out))
    bundle, opened = open_bundle(run), open_collection(Path(collection))
    table = opened.columns()
    classes = Classes.of(table)
    role_N = _roles(bundle, table)
    known = np.flatnonzero(classes.class_N >= 0)
    if len(classes.names) < 2:
        raise CollectionError(
            f"{opened.path}: fewer than two labels, so none can be doubted. Name a collection with labels "
            "of two kinds at least."
        )
    doubts = {
        modality: (rows, found)
        for modality, rows, found in _doubts(
            bundle, opened, table, classes, role_N, known, seed=seed
        )
    }
    against = _contradictions(table, classes, doubts)
    rows = _ranked(table, classes, doubts, against, role_N)
    write_rows(rows, Path(out), list(COLUMNS))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["evidence"]] = counts.get(row["evidence"], 0) + 1
    seen = sum(role is not None for role in role_N)
    return SuspectsReport(str(out), len(known), len(rows), counts, seen, len(table) - len(known))


def _roles(bundle: Bundle, table: pa.Table) -> list[str | None]:
    """Returns whether the model was trained or validated on each record: by image, else by barcode."""
    path = bundle.path / TRAINING_RECORDS
    if not path.is_file():
        return [None] * len(table)
    ledger = pq.read_table(path, columns=["image_sha256", "haplotype", "role"]).to_pylist()
    role_of: dict[str, str] = {}
    for row in sorted(ledger, key=lambda one: str(one["role"]) != "train"):
        for name in ("image_sha256", "haplotype"):
            if row[name] is not None:
                role_of.setdefault(row[name], row["role"])
    pairs = zip(table["image_sha256"].to_pylist(), table["haplotype"].to_pylist(), strict=True)
    return [role_of.get(image or "") or role_of.get(code or "") for image, code in pairs]


def _doubts(
    bundle: Bundle,
    opened: Collection,
    table: pa.Table,
    classes: Classes,
    role_N: Sequence[str | None],
    known: NDArray[np.int64],
    *,
    seed: int,
) -> list[tuple[str, NDArray[np.int64], Doubt]]:
    materials = prepare_collection(opened, pixels=bundle.pixels, rows=known)
    own = _own_labels(bundle.labels, table, classes)
    found = []
    keys = {"image": "image_sha256", "barcode": "haplotype"}
    for modality, encoded in encode(bundle.model, materials).items():
        rows = known[encoded.row_R]
        if len(rows) < 2:
            continue
        texts = table[keys[modality.value]].to_pylist()
        numbers = {text: at for at, text in enumerate(dict.fromkeys(texts))}
        group = np.asarray([numbers[texts[row]] for row in rows], dtype=np.int64)
        asked = np.asarray([role_N[row] is None for row in rows], dtype=np.bool_)
        temperature = bundle.temperature.get(modality, 1.0)
        model = _model_says(temperature, encoded, own, len(classes.names))
        judged = doubt(
            encoded.z_RD, classes.class_N[rows], group, classes.excludes_CC,
            model_NC=model, asked_model_N=asked if model is not None else None, seed=seed,
        )  # fmt: skip
        found.append((modality.value, rows, judged))
    return found


def _own_labels(labels: LabelSpace, table: pa.Table, classes: Classes) -> NDArray[np.int64]:
    """Returns the class of each of the model's labels, -1 where the collection has none of it."""
    rows = table.take(pa.array(classes.first_C))
    names = labels.names_of(rows["written_label"].to_pylist(), concepts_of(rows))
    class_of = np.full(len(labels), -1, dtype=np.int64)
    for at, label in enumerate(labels.index_of(names).tolist()):
        if label >= 0:
            class_of[label] = at
    return class_of


def _model_says(
    temperature: float, encoded: Encoded, own: NDArray[np.int64], classes: int
) -> NDArray[np.float64] | None:
    """Returns the model's probabilities by class, None where it has no head or knows few of the labels."""
    if encoded.logit_RL is None or (own >= 0).sum() < max(2, classes // 2):
        return None
    p_RL = softmax(encoded.logit_RL, temperature=temperature)
    found = np.zeros((len(p_RL), classes))
    for label in np.flatnonzero(own >= 0).tolist():
        found[:, own[label]] += p_RL[:, label]
    return found


_Doubts = Mapping[str, tuple[NDArray[np.int64], Doubt]]


def _contradictions(
    table: pa.Table, classes: Classes, doubts: _Doubts
) -> dict[int, tuple[str, Contradiction]]:
    class_N, excludes = classes.class_N, classes.excludes_CC
    lists: list[tuple[str, list[Contradiction]]] = []
    if "image" in doubts:
        rows, judged = doubts["image"]
        hashes = table["image_sha256"].take(pa.array(rows)).to_pylist()
        inside = copies(hashes, class_N[rows], excludes, judged.probe_NC, classes.names)
        moved = [
            Contradiction(int(rows[c.row]), int(rows[c.other]), c.suggested, c.suspicion, c.detail)
            for c in inside
        ]
        lists.append(("same_image", moved))
    labelled = [None if c < 0 else True for c in class_N.tolist()]
    for column, evidence, what, most in (
        ("haplotype", "same_barcode", "barcode", 0.95), ("bin_uri", "same_bin", "BIN", 0.85),
    ):  # fmt: skip
        keys = [
            k if ok else None for k, ok in zip(table[column].to_pylist(), labelled, strict=True)
        ]
        lists.append(
            (evidence, minorities(keys, class_N, excludes, classes.names, what=what, most=most))
        )
    found: dict[int, tuple[str, Contradiction]] = {}
    for evidence, several in lists:
        for one in several:
            if one.row not in found or found[one.row][1].suspicion < one.suspicion:
                found[one.row] = (evidence, one)
    return found


def _ranked(
    table: pa.Table,
    classes: Classes,
    doubts: _Doubts,
    against: Mapping[int, tuple[str, Contradiction]],
    role_N: Sequence[str | None],
) -> list[dict[str, Any]]:
    ids, written = table["record_id"].to_pylist(), table["written_label"].to_pylist()
    place = {m: {int(r): at for at, r in enumerate(rows)} for m, (rows, _) in doubts.items()}
    found = []
    for n in np.flatnonzero(classes.class_N >= 0).tolist():
        by = {m: float(doubts[m][1].suspicion_N[place[m][n]]) for m in doubts if n in place[m]}
        certain = against.get(n)
        best = max(by, key=lambda m: by[m]) if by else None
        row: dict[str, Any] = {
            "record_id": ids[n], "written_label": written[n], "label": classes.names[classes.class_N[n]],
            "image_suspicion": by.get("image"), "barcode_suspicion": by.get("barcode"),
            "confident": any(bool(doubts[m][1].confident_N[place[m][n]]) for m in by),
            "in_training": role_N[n], "suspicion": by[best] if best else 0.0, "_certain": False,
        }  # fmt: skip
        if best is not None:
            row |= _evidence(best, doubts[best], place[best][n], classes, ids)
        if certain is not None and (
            certain[0] == "same_image" or certain[1].suspicion > row["suspicion"]
        ):
            evidence, one = certain
            row |= {
                "suspicion": max(one.suspicion, row["suspicion"]), "evidence": evidence,
                "suggested": classes.names[one.suggested], "reason": one.detail,
                "other_record": ids[one.other], "_certain": evidence == "same_image",
            }  # fmt: skip
        if row["suspicion"] > SUSPICIOUS:
            found.append(row)
    found.sort(key=lambda one: (not one["_certain"], -one["suspicion"], one["record_id"]))
    for at, row in enumerate(found, start=1):
        row["place"] = at
        del row["_certain"]
    return found


def _evidence(
    modality: str,
    of: tuple[NDArray[np.int64], Doubt],
    at: int,
    classes: Classes,
    ids: Sequence[str],
) -> dict[str, Any]:
    rows, judged = of
    best = int(judged.best_N[at])
    near = [int(rows[r]) for r in judged.near_NK[at].tolist() if r >= 0]
    like = next((n for n in near if classes.class_N[n] == best), None)
    return {
        "evidence": modality,
        "suggested": classes.names[best] if best >= 0 else None,
        "reason": (
            f"{judged.agreeing_N[at]} of its {judged.asked_N[at]} nearest {modality}s agree; probability "
            f"of its label {judged.given_N[at]:.3f}, of the other {judged.other_N[at]:.3f}"
        ),
        "other_record": None if like is None else ids[like],
        "nearest": ";".join(ids[n] for n in near[:SHOWN]),
    }  # fmt: skip
