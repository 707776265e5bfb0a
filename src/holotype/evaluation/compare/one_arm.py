"""One arm in a process of its own: train, examine, write. Started by ``running`` with the path of a job."""

import json
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holotype import files
from holotype.errors import HolotypeError

FAILURE, COST = "failure.json", "cost.json"


@dataclass(frozen=True)
class Job:
    """All that a process needs to know.

    Attributes:
        arm, seed, split: which run this is; ``split`` is the name of the split.
        recipe: a complete recipe as JSON.
        collection, split_file: where they are.
        folder: of the run.
        fingerprint: of all that decides the figures.
        exam_seed: of the examination, the same for every arm on this split.
        baselines: whether what needs no model is measured as well.
        accelerator: as of ``train``.
    """

    arm: str
    seed: int
    split: str
    recipe: dict[str, Any]
    collection: str
    split_file: str
    folder: str
    fingerprint: str
    exam_seed: int
    baselines: bool
    accelerator: str

    @property
    def said(self) -> str:
        """The run in words."""
        return f"{self.arm} seed {self.seed} on {self.split}"


def work(job: Job) -> None:
    """Trains the arm (or goes on, or finds it done), examines it and writes its figures."""
    import torch

    from holotype.collection.store import open_collection
    from holotype.evaluation.compare.examined import Examined, write_examined
    from holotype.evaluation.evaluate import TASKS
    from holotype.evaluation.exam import Beside, prepare_exam
    from holotype.evaluation.hierarchy import hierarchy_exhibit
    from holotype.models.bundle import open_bundle
    from holotype.models.places import MANIFEST
    from holotype.splits.plan import read_split
    from holotype.training.recipe import Recipe
    from holotype.training.train import train

    torch.set_num_threads(1)
    folder = Path(job.folder)
    finished = (folder / MANIFEST).is_file()
    sittings = _sittings(folder)
    if not finished:
        files.write_json(folder / COST, {"sittings": [*sittings, {"ended": False}]})
    began, cpu = time.monotonic(), time.process_time()
    train(
        Recipe.model_validate(job.recipe), collection=job.collection, split=job.split_file,
        out=folder, accelerator=job.accelerator,
    )  # fmt: skip
    if not finished:
        sitting = {
            "ended": True,
            "seconds": round(time.monotonic() - began, 2),
            "cpu_seconds": round(time.process_time() - cpu, 2),
        }
        files.write_json(folder / COST, {"sittings": [*sittings, sitting]})
    bundle = open_bundle(folder)
    collection, split = open_collection(Path(job.collection)), read_split(Path(job.split_file))
    beside = Beside.BASELINES if job.baselines else Beside.NOTHING
    exam = prepare_exam(bundle, collection, split, seed=job.exam_seed, beside=beside)
    scores = [score for task in TASKS for score in task(bundle, exam)]
    training = bundle.manifest["training"]
    model = {
        "fingerprint": bundle.fingerprint,
        "modalities": [modality.value for modality in bundle.model.modalities],
        "head": bundle.model.head is not None,
        "target": bundle.labels.target.value,
        "labels": len(bundle.labels),
        "records": training["records"],
        "parameters": sum(p.numel() for p in bundle.model.parameters()),
        "history": training["history"],
    }
    write_examined(
        Examined(job.fingerprint, scores, model, hierarchy_exhibit(bundle, exam)), folder
    )


def _sittings(folder: Path) -> list[dict[str, Any]]:
    path = folder / COST
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["sittings"]
    return found


def main() -> int:
    """Works on the job whose file is the first argument; says on disk why it failed."""
    place = Path(sys.argv[1])
    job = Job(**json.loads(place.read_text(encoding="utf-8")))
    failure = Path(job.folder) / FAILURE
    failure.unlink(missing_ok=True)
    try:
        work(job)
    except HolotypeError as reason:
        files.write_json(failure, {"reason": str(reason)})
        return 2
    except Exception as reason:  # noqa: BLE001 - the outermost frame of the process
        traceback.print_exc()
        files.write_json(failure, {"reason": f"{type(reason).__name__}: {reason}"})
        return 1
    return 0


def write_job(job: Job) -> Path:
    """Writes a job into its run's folder and returns the file."""
    path = Path(job.folder) / "job.json"
    files.write_json(path, asdict(job))
    return path


if __name__ == "__main__":
    sys.exit(main())
