"""The runs of a comparison, several processes at once; what failed is said, and the rest goes on."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype import files
from holotype._version import __version__
from holotype.collection.store import Collection
from holotype.evaluation.compare.examined import examined_job
from holotype.evaluation.compare.one_arm import COST, FAILURE, Job, write_job
from holotype.evaluation.compare.settings import Arm
from holotype.models.places import MANIFEST
from holotype.progress import note
from holotype.randomness import stream_seed
from holotype.splits.plan import Split

LOG = "log.txt"
_POLL_SECONDS = 0.1
_TOLD_SECONDS = 60.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class State(StrEnum):
    """What became of a run."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Ended:
    """A run that has ended: done, or failed and why."""

    job: Job
    state: State
    reason: str | None
    cost: dict[str, Any]


def plan_jobs(
    arms: Sequence[Arm],
    seeds: Sequence[int],
    collection: Collection,
    splits: dict[str, tuple[Path, Split]],
    out: Path,
    *,
    accelerator: str,
) -> list[Job]:
    """Returns a job for every split, seed and arm, in that order; runs lie in OUT/runs/SPLIT/ARM-SEED."""
    jobs = []
    for split_name, (path, split) in splits.items():
        exam_seed = stream_seed(0, "compare", split_name) % 2**31
        parted = files.sha256_bytes(
            json.dumps([split.made_by, split.role_N.tolist(), split.status_N.tolist()]).encode()
        )
        for seed in seeds:
            for arm in arms:
                recipe = arm.recipe.model_copy(update={"seed": seed}).model_dump(mode="json")
                decides = [recipe, collection.fingerprint, parted, exam_seed, _code()]
                jobs.append(
                    Job(
                        arm=arm.name,
                        seed=seed,
                        split=split_name,
                        recipe=recipe,
                        collection=str(collection.path.resolve()),
                        split_file=str(path.resolve()),
                        folder=str((out / "runs" / split_name / f"{arm.name}-{seed}").resolve()),
                        fingerprint=files.sha256_bytes(json.dumps(decides).encode())[:16],
                        exam_seed=exam_seed,
                        baselines=seed == seeds[0],
                        accelerator=accelerator,
                    )
                )
    return jobs


def run_jobs(jobs: Sequence[Job], *, at_once: int) -> list[Ended]:
    """Returns what became of every job, in their order; those examined before are not run again.

    Each runs in a process of its own with one thread, so that what others do changes no figure. A killed
    run goes on where its last finished epoch was when the same comparison is started again.
    """
    waiting = [job for job in jobs if not _is_done(job)]
    if len(waiting) < len(jobs):
        note(f"compare: {len(jobs) - len(waiting)} of {len(jobs)} runs were done before")
    running: dict[subprocess.Popen[bytes], tuple[Job, float]] = {}
    codes: dict[str, int] = {}
    began, told, total = time.monotonic(), time.monotonic(), len(waiting)
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                running[_start(job)] = (job, time.monotonic())
                note(f"compare: {job.said}: started ({len(codes) + len(running)} of {total})")
            time.sleep(_POLL_SECONDS)
            for process in [one for one in running if one.poll() is not None]:
                job, since = running.pop(process)
                codes[job.folder] = process.returncode
                left = (time.monotonic() - began) / len(codes) * (total - len(codes))
                said = "done" if process.returncode == 0 else f"failed: {_reason(job, process)}"
                note(
                    f"compare: {job.said}: {said} ({time.monotonic() - since:.0f} s; "
                    f"about {left / 60:.0f} min to go)"
                )
            if time.monotonic() - told > _TOLD_SECONDS:
                told = time.monotonic()
                for job, _ in running.values():
                    note(f"compare: {job.said}: {_last_line(job)}")
    finally:
        for process in running:  # only after an interruption
            process.terminate()
        for process in running:
            process.wait()
    return [_ended(job) for job in jobs]


def _start(job: Job) -> subprocess.Popen[bytes]:
    Path(job.folder).mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    command = [sys.executable, "-m", "holotype.evaluation.compare.one_arm", str(write_job(job))]
    with (Path(job.folder) / LOG).open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)


def _is_done(job: Job) -> bool:
    folder = Path(job.folder)
    return (folder / MANIFEST).is_file() and examined_job(folder) == job.fingerprint


def _ended(job: Job) -> Ended:
    folder = Path(job.folder)
    cost: dict[str, Any] = {}
    if (folder / COST).is_file():
        cost = json.loads((folder / COST).read_text(encoding="utf-8"))
    if _is_done(job):
        return Ended(job, State.DONE, None, cost)
    return Ended(job, State.FAILED, _written_reason(job) or _last_line(job), cost)


def _reason(job: Job, process: "subprocess.Popen[bytes]") -> str:
    if process.returncode < 0 and _written_reason(job) is None:
        reason = (
            f"ended by signal {-process.returncode}; start the comparison again to go on. Signal 9 is "
            "often a lack of memory: try fewer --jobs."
        )
        files.write_json(Path(job.folder) / FAILURE, {"reason": reason})
    return _written_reason(job) or _last_line(job)


def _written_reason(job: Job) -> str | None:
    path = Path(job.folder) / FAILURE
    if not path.is_file():
        return None
    return str(json.loads(path.read_text(encoding="utf-8"))["reason"])


def _last_line(job: Job) -> str:
    path = Path(job.folder) / LOG
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "starting")


def _code() -> str:
    """Returns the version and a checksum of the code that examines: figures of other code are made anew."""
    folder = Path(__file__).parents[1]
    paths = [*sorted(folder.glob("*.py")), folder / "compare" / "one_arm.py"]
    return __version__ + files.sha256_bytes(b"".join(path.read_bytes() for path in paths))
