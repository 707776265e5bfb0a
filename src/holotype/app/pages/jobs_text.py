"""Jobs in words: how long, how far, what came of it. Plain text, nothing of a page."""

import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from holotype.jobs import Job, Progress, State
from holotype.page.words import count

MOST_RESULT_ROWS = 30
MOST_VALUE = 300
ICONS = {
    State.WAITING: "hourglass_empty",
    State.RUNNING: "autorenew",
    State.DONE: "check_circle",
    State.FAILED: "error",
    State.CANCELLED: "cancel",
    State.INTERRUPTED: "power_off",
}


def command_line(job: Job) -> str:
    """Returns the command as a person would type it."""
    return shlex.join(["holotype", *job.words])


def state_told(job: Job) -> str:
    """Returns what became of a job, in a few words.

    ``done`` is told apart from done but for some inputs; a signal from outside from a failure.
    """
    if job.being_cancelled:
        return "being cancelled"
    if job.state is State.DONE and job.exit_code != 0:
        return "done, some inputs failed"
    if job.state is State.FAILED and job.exit_code == 1:
        return "failed, by a fault of ours"
    return job.state.value


def when_told(job: Job, now: datetime) -> str:
    """Returns when and for how long: ``began 12:31, for 4 min``; times are of the server's clock."""
    words = [
        f"asked for {_clock(job.asked, now)}" + (f" by {job.asked_by}" if job.asked_by else "")
    ]
    if job.started is not None:
        words.append(f"began {_clock(job.started, now)}")
        until = job.ended or (now if job.state is State.RUNNING else None)
        if until is not None:
            words.append(f"{'ran' if job.ended else 'running'} for {duration(until - job.started)}")
    if job.attempt > 1:
        words.append(f"attempt {job.attempt}")
    return ", ".join(words)


def progress_told(found: Progress, job: Job, now: datetime) -> str:
    """Returns how far a job is: what it does, how many of how many, how long is left."""
    done = f"{found.title}: {count(found.done)}"
    if found.total is None:
        return f"{done} done"
    told = f"{done} of {count(found.total)}"
    if job.started is None or job.state is not State.RUNNING or not found.share:
        return told
    if found.done <= found.kept:
        return told
    pace = (found.at - job.started) / (found.done - found.kept)
    left = pace * (found.total - found.done) - (now - found.at)
    return told if found.share >= 1 else f"{told}, about {duration(left)} left"


def duration(span: timedelta) -> str:
    """Returns a span of time with its unit, rounded.

    >>> duration(timedelta(seconds=4)), duration(timedelta(minutes=90)), duration(timedelta(days=3))
    ('4 s', '1 h 30 min', '3 d 0 h')
    """
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def result_rows(result: Any) -> list[tuple[str, str]]:
    """Returns the result of a command as rows of a name and a value; long ones are cut."""
    if not isinstance(result, Mapping):
        return []
    rows: list[tuple[str, str]] = []
    for name, value in result.items():
        title = str(name).replace("_", " ")
        if isinstance(value, Mapping):
            inside = [f"{key}: {_value(one)}" for key, one in value.items() if _is_plain(one)]
            rows += [(title, "; ".join(inside))] if inside else []
        elif isinstance(value, list):
            rows.append(
                (title, _value(len(value)) if not all(map(_is_plain, value)) else _listed(value))
            )
        else:
            rows.append((title, _value(value)))
    shown = [
        (name, value if len(value) <= MOST_VALUE else f"{value[:MOST_VALUE]}…")
        for name, value in rows
    ]
    if len(shown) > MOST_RESULT_ROWS:
        left = len(shown) - MOST_RESULT_ROWS
        shown = [*shown[:MOST_RESULT_ROWS], ("and", f"{left} more")]
    return [(name, value) for name, value in shown if value]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _listed(values: list[Any]) -> str:
    return ", ".join(_value(one) for one in values)


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _clock(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(), now.astimezone()
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"
