"""What a report shows beside its figures: the collection, confusions, classes, a map and examples."""

import base64
from collections import Counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.collection.store import Collection
from holotype.evaluation.classification import confusion
from holotype.evaluation.exam import RANKS, Exam, present_ranks
from holotype.evaluation.metrics import nearest
from holotype.models.bundle import Bundle, softmax
from holotype.models.towers import Modality
from holotype.randomness import generator
from holotype.splits.plan import Role

MAP_RECORDS = 1_500
NUM_EXAMPLES = 18
NUM_REFERENCES = 4


def composition(collection: Collection) -> dict[str, Any]:
    """Returns what a collection is made of: counts, and the tree with the records under each taxon."""
    table = collection.columns()
    columns = {
        name: dict(Counter(str(v) for v in table[name].to_pylist() if v is not None).most_common())
        for name in ("source", "instrument", "kind", "qualifier", "licence", "marker")
    }
    paths = Counter(zip(*(table[rank].to_pylist() for rank in RANKS), strict=True))
    return {
        "name": collection.name,
        "fingerprint": collection.fingerprint,
        "records": table.num_rows,
        "images": table.num_rows - table["image_sha256"].null_count,
        "barcodes": table.num_rows - table["barcode"].null_count,
        "taxa": {rank: len(set(table[rank].to_pylist()) - {None}) for rank in RANKS},
        "columns": columns,
        "lineages": [[list(path), count] for path, count in sorted(paths.items(), key=str)],
        "outcomes": collection.manifest["outcomes"],
        "findings": {
            name: value if isinstance(value, int) else len(value)
            for name, value in collection.manifest["findings"].items()
        },
    }


def confusion_cells(bundle: Bundle, exam: Exam) -> dict[str, Any] | None:
    """Returns the confusion of images (else barcodes), as triples of what was called what."""
    for modality in (Modality.IMAGE, Modality.BARCODE):
        encoded = exam.encoded.get(modality)
        if encoded is not None and encoded.logit_RL is not None:
            labels, counts = confusion(bundle, exam, encoded)
            rows, columns = np.nonzero(counts)
            cells = zip(
                rows.tolist(), columns.tolist(), counts[rows, columns].tolist(), strict=True
            )
            return {"modality": modality.value, "labels": labels, "cells": [list(c) for c in cells]}
    return None


def per_class(bundle: Bundle, exam: Exam) -> list[dict[str, Any]]:
    """Returns for each label its training records, test records and accuracy."""
    found = confusion_cells(bundle, exam)
    if found is None:
        return []
    size = len(bundle.labels)
    counts = np.zeros((size, size), dtype=np.int64)
    for row, column, count in found["cells"]:
        counts[row, column] = count
    rows = []
    for index, label in enumerate(bundle.labels.labels):
        tested = int(counts[index].sum())
        called = int(counts[:, index].sum())
        right = int(counts[index, index])
        rows.append(
            {
                "label": label.name,
                "lineage": label.concept.lineage.text(),
                "kind": label.concept.kind.value,
                "train": label.records,
                "test": tested,
                "recall": round(right / tested, 4) if tested else None,
                "precision": round(right / called, 4) if called else None,
            }
        )
    return rows


def embedding_map(exam: Exam, *, seed: int) -> dict[str, Any] | None:
    """Returns a plane map (t-SNE, van der Maaten & Hinton 2008) of test records and their names."""
    from sklearn.manifold import TSNE

    modality = Modality.IMAGE if Modality.IMAGE in exam.encoded else Modality.BARCODE
    encoded = exam.encoded[modality]
    tested = exam.among(encoded, Role.TEST)
    if len(tested) < 10:
        return None
    rng = generator(seed, "map")
    chosen = np.sort(rng.permutation(tested)[:MAP_RECORDS])
    perplexity = min(30.0, (len(chosen) - 1) / 3)
    plane = TSNE(
        2, perplexity=perplexity, init="pca", random_state=seed, max_iter=500, metric="cosine"
    ).fit_transform(encoded.z_RD[chosen])
    rows = encoded.row_R[chosen]
    ranks = present_ranks(exam, rows, with_label=True)
    return {
        "modality": modality.value,
        "x": np.round(plane[:, 0].astype(float), 2).tolist(),
        "y": np.round(plane[:, 1].astype(float), 2).tolist(),
        "names": {rank: exam.names_of(rank, rows) for rank in ranks},
        "status": exam.status_N[rows].tolist(),
        "instrument": [exam.table["instrument"][int(row)].as_py() for row in rows],
    }


def examples(bundle: Bundle, exam: Exam, *, seed: int) -> list[dict[str, Any]]:
    """Returns some test images with what they were called, how surely, and their nearest references."""
    encoded = exam.encoded.get(Modality.IMAGE)
    if encoded is None:
        return []
    tested, keys = exam.among(encoded, Role.TEST), exam.among(encoded, *exam.key_roles)
    chosen = generator(seed, "examples").permutation(tested)[:NUM_EXAMPLES]
    if not len(chosen) or not len(keys):
        return []
    index_QK, cosine_QK = nearest(encoded.z_RD[chosen], encoded.z_RD[keys], k=NUM_REFERENCES)
    probability: NDArray[np.float64] | None = None
    if encoded.logit_RL is not None:
        temperature = bundle.temperature.get(Modality.IMAGE, 1.0)
        probability = softmax(encoded.logit_RL[chosen], temperature=temperature)
    found = []
    for place, row in enumerate(encoded.row_R[chosen].tolist()):
        called, score = None, None
        if probability is not None:
            best = int(probability[place].argmax())
            called, score = bundle.labels.names[best], round(float(probability[place][best]), 4)
        references = [
            {
                "label": exam.names["label"][key_row],
                "cosine": round(float(cosine), 4),
                "thumbnail": _thumbnail(exam, key_row),
            }
            for key_row, cosine in zip(
                encoded.row_R[keys[index_QK[place]]].tolist(), cosine_QK[place], strict=True
            )
        ]
        found.append(
            {
                "record_id": exam.materials.record_id[row],
                "truth": exam.names["label"][row],
                "status": str(exam.status_N[row]),
                "called": called,
                "score": score,
                "thumbnail": _thumbnail(exam, row),
                "references": references,
            }
        )
    return found


def _thumbnail(exam: Exam, row: int) -> str:
    """Returns an image as the model sees it, as a data address (PNG)."""
    pixels = exam.materials.pixels_MSSC[exam.materials.image_N[row]]
    shown = pixels if pixels.shape[2] == 1 else pixels[..., ::-1]
    _, encoded = cv2.imencode(".png", shown)
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")
