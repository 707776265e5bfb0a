"""How much a job that answers has to do, and what an earlier attempt left of it, as its folders say."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from holotype.jobs.job import Job, Progress

PREDICT = "predict"
"""The title under which answers are counted, one a specimen."""
_FIRST_INPUT = {"predict": 1, "assess": 2}
"""Where inputs begin among the words without an option."""
_ANSWERS = {"predict": "", "assess": "answers.parquet"}
"""The file of answers, below ``--out``; "" for itself."""


def counted(found: Progress, job: Job) -> Progress:
    """Returns progress with its total, where all inputs are collections, and with what was done before.

    Args:
        found: as the attempt says; that of other work than answers stays as it is.
        job: whose words name inputs and answers.
    """
    words = job.words
    if found.title != PREDICT or found.total is not None or words[0] not in _FIRST_INPUT:
        return found
    kept = 0 if job.started is None else _kept(words, job.folder, job.started)
    return replace(found, done=found.done + kept, total=_records(words, job.folder), kept=kept)


def _records(words: Sequence[str], folder: Path) -> int | None:
    """Returns how many records the inputs have; None where one is no collection that can be read."""
    plain = [word for word in words if not word.startswith("--")]
    inputs = plain[_FIRST_INPUT[words[0]] :]
    try:
        tables = [json.loads((folder / one / "collection.json").read_bytes()) for one in inputs]
        shards = [shard for told in tables for one in told["imports"] for shard in one["shards"]]
        return sum(int(shard["rows"]) for shard in shards) if inputs else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _kept(words: Sequence[str], folder: Path, began: datetime) -> int:
    """Returns how many specimens were safe on disk before an attempt began: docs/formats/sidecar.md."""
    out = next((word.partition("=")[2] for word in words if word.startswith("--out=")), "")
    if not out:
        return 0
    answers = folder / out / _ANSWERS[words[0]]
    partial = answers.with_name(answers.name + ".partial")
    kept = 0
    try:
        for line in (partial / "journal.jsonl").read_text(encoding="utf-8").splitlines()[1:]:
            part = json.loads(line)
            made = partial / f"answers-{part['number']:06d}.parquet"
            if made.stat().st_mtime >= began.timestamp():
                break
            kept = int(part["end"])
    except (OSError, ValueError, KeyError, TypeError):
        return kept
    return kept
