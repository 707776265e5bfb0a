"""The evidence of a simulated classifier as a bundle keeps it, and predictions of samples."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from five_labels import (
    LABELS,
    LINEAGES,
    NATURAL,
    WEIGHTS_SHA256,
    answer,
    said_of,
    table_of,
)

from holotype import files
from holotype.counting import correction
from holotype.decisions import store
from holotype.identify.columns import RANKS
from holotype.models import bundle


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer bootstrap draws, so that tests are quick."""
    monkeypatch.setattr(correction, "EVIDENCE_DRAWS", 5)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a count reads of a bundle: its manifest and its held-out records."""
    folder = tmp_path_factory.mktemp("model")
    labels = [
        {
            "name": name,
            "lineage": dict(zip(RANKS, lineage, strict=False)),
            "qualifier": "",
            "kind": "living" if lineage else "detritus",
            "group": None if lineage else name,
            "records": 10,
        }
        for name, lineage in LINEAGES.items()
    ]
    manifest = {
        "format": bundle.FORMAT,
        "version": bundle.VERSION,
        "weights_sha256": WEIGHTS_SHA256,
        "target": "concept",
        "labels": labels,
    }
    files.write_json(folder / bundle.MANIFEST, manifest)
    rng = np.random.default_rng(0)
    label = rng.choice(5, 700, p=NATURAL)
    probability, z = said_of(label, rng)
    table = pa.table(
        {
            "record_id": [str(n) for n in range(700)],
            "group": np.arange(700),
            "label": [LABELS[n] for n in label[:-1]] + ["a label that it lacks"],
            "modality": ["image"] * 700,
            "instrument": ["ISIIS-2"] * 350 + [None] * 350,
            "probability": pa.array(list(probability), pa.list_(pa.float32())),
            "z": pa.array(list(z.astype(np.float16)), pa.list_(pa.float16())),
        }
    )
    data = folder / "decisions" / "data-1"
    data.mkdir(parents=True)
    pq.write_table(table, data / store.VALIDATION)
    told = {"format": store.FORMAT, "version": store.VERSION, "data": data.name}
    files.write_json(folder / "decisions" / store.MANIFEST, told)
    return folder


@pytest.fixture
def predicted(tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Writes answers, scores and embeddings of samples: name -> numbers of specimens of each label."""

    def write(
        samples: dict[str, tuple[int, ...]], *, moved: float = 0.0, failed: int = 0, **more: object
    ) -> dict[str, Path]:
        rng = np.random.default_rng(1)
        rows, scores, vectors = [], [], []
        for name, numbers in samples.items():
            label = np.repeat(np.arange(5), numbers)
            probability, z = said_of(label, rng, moved=moved)
            rows += [answer(LABELS[b], sample_id=name, **more) for b in probability.argmax(axis=1)]
            rows += [answer(None, sample_id=name) for _ in range(failed)]
            blank = np.full((failed, 5), np.nan, np.float32)
            scores.append(np.concatenate([probability, blank]))
            vectors += [*z.tolist(), *[None] * failed]
        answers = table_of(rows)
        paths = {name: tmp_path / f"{name}.parquet" for name in ("answers", "scores", "embeddings")}
        about = {"holotype": json.dumps({"format": "holotype-answers", "version": 3})}
        pq.write_table(answers.replace_schema_metadata(about), paths["answers"])
        columns = np.concatenate(scores).T
        known = [pa.array(one, mask=np.isnan(one)) for one in columns]
        pq.write_table(
            pa.table([answers["input"], *known], names=["input", *LABELS]), paths["scores"]
        )
        kind = pa.list_(pa.float32())
        embedding = pa.array(vectors, kind)
        pq.write_table(
            pa.table([answers["input"], embedding], names=["input", "embedding"]),
            paths["embeddings"],
        )
        return paths

    return write
