"""Operations that acknowledge what they wrote: logs, labels, jobs, downloads."""

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from faults_reading import json_of, unless_ours
from faults_states import ACKNOWLEDGED, Given, Operation

EVENTS = 5


def told(place: Path, what: str) -> None:
    """Notes that something was said to be safe."""
    descriptor = os.open(place / ACKNOWLEDGED, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{what}\n".encode())
    os.close(descriptor)


# what a reviewer decided


def new_log(place: Path, given: Given) -> None:
    from holotype.reviewing.log import new_log

    (place / "s").mkdir()
    new_log(place / "s")


def review(place: Path, given: Given) -> None:
    from holotype.reviewing.events import Asked, Kind
    from holotype.reviewing.log import ReviewLog

    log = ReviewLog(place / "s")
    for number in range(EVENTS):
        records = (f"r{number}", f"q{number}")
        log.append("Zoë", Asked(Kind.CONFIRM, records, ("Calanus",) * 2, id=f"event-{number}"))
        told(place, f"event-{number}")


def events(place: Path, given: Given) -> Any:
    from holotype.reviewing.log import ReviewLog

    log = ReviewLog(place / "s")
    found = log.refresh()
    assert log.damaged == {}, log.damaged
    return [(one.id, one.records, one.labels) for one in found]


# what a visitor wrote at an assessment


def an_assessment(place: Path, given: Given) -> None:
    (place / "a").mkdir()


def write_labels(place: Path, given: Given) -> None:
    from holotype.app.pages.assess_written import WrittenLabels

    written = WrittenLabels(place / "a")
    for number in range(1, EVENTS + 1):
        if number not in written.read():
            written.write(number, f"Calanus {number}", by="Zoë")
        told(place, str(number))


def labels(place: Path, given: Given) -> Any:
    from holotype.app.pages.assess_written import WrittenLabels

    return [(n, one.label) for n, one in sorted(WrittenLabels(place / "a").read().items())]


# jobs of the server


def _jobs(place: Path) -> Any:
    from holotype.jobs import Jobs

    command = (sys.executable, "-S", "-c", "import sys; print(sys.argv[1:])")
    return Jobs(place / "jobs", command=command, grace_seconds=0.2)


def start_jobs(place: Path, given: Given) -> None:
    """Two jobs, started and run to their ends; whatever was broken off is gone on with."""
    from holotype.jobs import State

    jobs = _jobs(place)
    for title in ("first", "second"):
        if title not in {one.title for one in jobs.all()}:
            jobs.start(title, [title], folder=place)
        told(place, title)
    end = time.monotonic() + 60
    while not all(one.state is State.DONE for one in jobs.all()):
        assert time.monotonic() < end, [str(one.state) for one in jobs.all()]
        for one in jobs.all():
            if one.state in (State.INTERRUPTED, State.FAILED):
                jobs.resume(one.id)
        jobs.turn()
        time.sleep(0.01)


def jobs_there(place: Path, given: Given) -> Any:
    if not (place / "jobs").is_dir():
        return []
    jobs = _jobs(place)
    assert jobs.unreadable() == {}
    return [(one.id, one.title, one.words) for one in reversed(jobs.all())]


# what comes from elsewhere


def get_source(place: Path, given: Given) -> None:
    from holotype.catalogue.get import get_source
    from holotype.catalogue.web_settings import WebSettings

    settings = WebSettings(attempts=2, sleep=lambda _: None, disk_reserve_bytes=0)
    get_source("lab", place, catalogue=[given["catalogue"]], settings=settings)


def fetched(place: Path, given: Given) -> Any:
    from holotype.catalogue.fetched import FolderState, folder_state

    folder = place / "lab"
    for name in ("a.zip", "b.tsv"):  # whatever bears its name is whole
        if (folder / name).exists():
            assert (folder / name).read_bytes() == (given["served"] / name).read_bytes(), name
    state = folder_state(folder)
    return str(state) if state is FolderState.COMPLETE else None


def get_model(place: Path, given: Given) -> None:
    from holotype.catalogue.web_settings import WebSettings
    from holotype.models.pretrained.fetch import get_model

    settings = WebSettings(attempts=2, sleep=lambda _: None, disk_reserve_bytes=0)
    endpoint = given["endpoint"].read_text(encoding="utf-8")
    get_model("hf-hub:org/name", into=place, endpoint=endpoint, settings=settings)


def fetched_model(place: Path, given: Given) -> Any:
    found = unless_ours(lambda: json_of("fetched.json", place / "org--name"))
    weights = place / "org--name" / "open_clip_model.safetensors"
    if weights.exists():
        assert weights.read_bytes() == (given["served"] / "weights").read_bytes()
    return found


def without_times(name: str, content: bytes) -> Any:
    """The bytes of a file without the moments in it."""
    return re.sub(rb"\d{4}-\d\d-\d\dT[0-9:.]+(\+00:00|Z)?", b"moment", content)


LOGS: dict[str, Operation] = {
    "review-log": Operation(
        review, events, new_log, is_log=True, plain=without_times, volatile="torn|acknowledged",
        quick=30,
    ),
    "assess-labels": Operation(
        write_labels, labels, an_assessment, is_log=True, plain=without_times,
        volatile="torn|acknowledged", quick=6,
    ),
    "jobs": Operation(start_jobs, jobs_there, is_log=True, volatile=".", quick=2),
    "download": Operation(get_source, fetched, volatile=r"fetched\.json$", quick=5),
    "download-model": Operation(get_model, fetched_model, plain=without_times),
}  # fmt: skip
"""By name; what each said is safe is there after a kill at every write."""
