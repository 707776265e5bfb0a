"""What tests of reviews share: a small collection with answers and embeddings, and a session of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.collection.store import open_collection
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.reviewing.make import new_session


def write_answers(collection: Path, into: Path, *, seed: int = 0) -> tuple[Path, Path]:
    """Answers that name each record's genus, one in five wrong; embeddings near one another by genus."""
    table = open_collection(collection).columns()
    rng = np.random.default_rng(seed)
    rows, vectors = [], []
    genera = sorted({g for g in table["genus"].to_pylist() if g})
    centre = {g: rng.standard_normal(16) for g in [*genera, None]}
    of = {row["genus"]: row for row in table.to_pylist() if row["genus"]}
    for row in table.to_pylist():
        wrong = rng.random() < 0.2 or not row["genus"]
        said = genera[int(rng.integers(len(genera)))] if wrong else row["genus"]
        score = float(rng.uniform(0.3, 1))
        names = {r: of[said][r] for r in ("kingdom", "phylum", "class", "order", "family", "genus")}
        best = [{"label": said, "score": score}, {"label": genera[0], "score": 1 - score}]
        rows.append(
            {
                "input": f"c/{row['record_id']}", "record_id": row["record_id"],
                "label": said, "score": score,
                "answer": said, "answer_level": "label", "answer_score": score, **names, "taxon": said,
                "taxon_rank": "genus", "decision": "named" if score > 0.5 else "novel",
                "decision_reason": "as it is", "novelty": 1 - score, "top_k": json.dumps(best), "model": "m",
                "status": "PredictedByMachine",
            }
        )  # fmt: skip
        z = centre[row["genus"]] + 0.4 * rng.standard_normal(16)
        vectors.append((z / np.linalg.norm(z)).astype(np.float32))
    answers, embeddings = into / "answers.parquet", into / "embeddings.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA), answers)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate(vectors)), 16)
    inputs = pa.array([row["input"] for row in rows])
    pq.write_table(pa.table({"input": inputs, "embedding": flat}), embeddings)
    return answers, embeddings


@pytest.fixture(scope="session")
def answered(tiny_collection: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Answers and embeddings of the tiny collection; read only."""
    return write_answers(tiny_collection, tmp_path_factory.mktemp("answered"))


@pytest.fixture(scope="session")
def made_session(
    tiny_collection: Path, answered: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A session of the tiny collection, pages of ten; read only."""
    out = tmp_path_factory.mktemp("reviews") / "first"
    new_session(
        answered[0], collection=tiny_collection, embeddings=answered[1], out=out, page_size=10
    )
    return out


@pytest.fixture
def session(made_session: Path, tmp_path: Path) -> Path:
    """A session of one's own."""
    return shutil.copytree(made_session, tmp_path / "session")


@pytest.fixture
def collection(tiny_collection: Path, tmp_path: Path) -> Path:
    """A collection of one's own."""
    return shutil.copytree(tiny_collection, tmp_path / "collection")


@pytest.fixture(scope="session")
def make_answers() -> Callable[..., tuple[Path, Path]]:
    """Returns what writes answers and embeddings of a collection."""
    return write_answers
