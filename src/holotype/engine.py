"""Many independent tasks, on this machine or on a Ray cluster, by one Daft query.

A task is a line of text; the work is a named function from text to text that leaves its result in a file.
What it writes depends on the task alone, so the bytes are the same wherever and in whatever order tasks run.
"""

import gc
import logging
import os
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

from holotype.errors import EngineError

LOCAL, RAY = "local", "ray"
_QUIET = {
    "DAFT_PROGRESS_BAR": "0",
    "DAFT_ANALYTICS_ENABLED": "0",
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
}
"""Nothing is sent anywhere, and the progress is ours."""
_FAILED, _DISK = "failed:", "disk:"


class _Worker:
    """One process of the pool: finds the function once, then works through tasks."""

    def __init__(self, work: str) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._function = _function(work)

    def __call__(self, task: str) -> str:
        try:
            return "ok:" + self._function(task)
        except OSError as reason:
            return f"{_DISK}{reason}"
        except Exception:  # noqa: BLE001 - told to the process that asked, which raises it again
            return _FAILED + traceback.format_exc()


def _function(work: str) -> Callable[[str], str]:
    module, _, name = work.partition(":")
    function: Callable[[str], str] = getattr(import_module(module), name)
    return function


def check_engine(engine: str) -> None:
    """Raises ``EngineError`` unless this is the name of an engine that is installed."""
    if engine not in {LOCAL, RAY} and not engine.startswith(f"{RAY}://"):
        raise EngineError(f"no engine '{engine}'. Use local, ray or ray://host:port.")
    if engine != LOCAL:
        try:
            import_module("ray")
        except ImportError:
            raise EngineError("Ray is not installed. Install it with: pip install ray") from None


def run_tasks(work: str, tasks: Sequence[str], *, engine: str = LOCAL) -> Iterator[str]:
    """Yields the results of a function for all tasks, each as it is finished.

    A single task runs in this process.

    Args:
        work: the function, as "package.module:function"; it takes and returns text.
        tasks: what to call it with.
        engine: ``local`` (a process for each core of this machine), ``ray`` (the Ray cluster that this
            machine belongs to, or a new one on it) or ``ray://host:port``. The folders that tasks name must
            be visible to every machine of the cluster, and Holotype installed there.

    Raises:
        EngineError: when there is no such engine, or a task fails by a fault of the function.
        OSError: when a task meets a full disk or the like.
    """
    check_engine(engine)
    if engine == LOCAL and len(tasks) <= 1:
        yield from map(_function(work), tasks)
        return
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import daft

    workers = _local_workers(daft) if engine == LOCAL else _ray_workers(daft, engine)
    pool: Any = daft.cls(
        _Worker, max_concurrency=min(workers, len(tasks)), use_process=engine == LOCAL or None
    )
    result = pool(work)(daft.col("task")).alias("result")
    query = daft.from_pydict({"task": list(tasks)}).into_batches(1).select(result)
    rows = cast("Generator[dict[str, Any]]", query.iter_rows())
    try:
        while (row := _next(rows)) is not None:
            yield _result_of(str(row["result"]))
    finally:
        rows.close()
        del rows, query, result, pool
        _collect_pipes()


def _next(rows: Iterator[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Daft leaves the pipes of its workers to the garbage collector, which complains of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        return next(rows, None)


def _collect_pipes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _result_of(answer: str) -> str:
    if answer.startswith(_FAILED):
        raise EngineError(f"a task failed:\n{answer.removeprefix(_FAILED)}")
    if answer.startswith(_DISK):
        raise OSError(answer.removeprefix(_DISK))
    return answer.removeprefix("ok:")


def _local_workers(daft: Any) -> int:
    _use_runner("native", daft.set_runner_native)
    return available_cores()


_runner: list[str] = []


def _use_runner(name: str, start: Callable[[], Any]) -> None:
    """Daft takes one runner for the life of a process."""
    if not _runner:
        start()
        _runner.append(name)
    elif _runner != [name]:
        raise EngineError("this process has used the other engine already: start a new one.")


def available_cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ray_workers(daft: Any, engine: str) -> int:
    import ray

    if not ray.is_initialized():
        address = engine if engine != RAY else os.environ.get("RAY_ADDRESS")
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as reason:
            raise EngineError(f"{engine}: no Ray cluster there ({reason}).") from reason
    _use_runner("ray", lambda: daft.set_runner_ray(noop_if_initialized=True))
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))
