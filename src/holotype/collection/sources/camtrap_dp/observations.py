"""Observations of a package by the file or the event that they are of."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from holotype.collection.reading.joined import Joined, KeyedRow
from holotype.collection.reading.tabular import present
from holotype.collection.sources.camtrap_dp.package import Package
from holotype.collection.sources.item import Item

OF_MEDIA, OF_SEQUENCE, OF_DEPLOYMENT = "media", "sequence", "deployment"
OBSERVATION, EVENT_USED = "observation", "event used"
_BATCH = 5_000
_KEPT_DEPLOYMENTS = 8


@dataclass(frozen=True)
class _Timed:
    """The observations of the events of one deployment, by their start."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    rows: tuple[KeyedRow, ...]
    longest: float

    def at(self, moment: float) -> list[KeyedRow]:
        """Returns those whose event lasts at a moment."""
        found: list[KeyedRow] = []
        place = bisect_right(self.starts, moment)
        while place and moment - self.starts[place - 1] <= self.longest:
            place -= 1
            if self.ends[place] >= moment:
                found.append(self.rows[place])
        return found[::-1]


def seconds(written: str) -> float | None:
    """Returns a time as seconds since 1970, or None; UTC where no offset is written.

    >>> seconds("2020-05-30T02:57:37Z") == seconds("2020-05-30T04:57:37+02:00")
    True
    """
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class Observations:
    """Finds the observations of a file: its own, else those of the event that it belongs to."""

    def __init__(self, joined: Joined) -> None:
        """Takes the joined rows that ``add_observations`` put there."""
        self._joined = joined
        self._timed: dict[str, _Timed] = {}

    def of_file(self, media: str) -> list[KeyedRow]:
        """Returns the observations that name a file."""
        return self._joined.rows(OF_MEDIA, media)

    def of_event(self, sequence: str, deployment: str, timestamp: str) -> list[KeyedRow]:
        """Returns the observations of the sequence (version 0), else of the events that last at the time."""
        found = self._joined.rows(OF_SEQUENCE, sequence) if sequence else []
        moment = seconds(timestamp)
        if not found and deployment and moment is not None:
            found = self._of_deployment(deployment).at(moment)
        for row in found:
            self._joined.claim(str(row.line), row.line, kind=EVENT_USED)
        return found

    def _of_deployment(self, deployment: str) -> _Timed:
        if deployment not in self._timed:
            if len(self._timed) >= _KEPT_DEPLOYMENTS:
                self._timed.pop(next(iter(self._timed)))
            timed = []
            for row in self._joined.rows(OF_DEPLOYMENT, deployment):
                start = seconds(row.values.get("eventStart", ""))
                end = seconds(row.values.get("eventEnd", ""))
                if start is not None and end is not None:
                    timed.append((start, end, row))
            timed.sort(key=lambda each: (each[0], each[2].line))
            self._timed[deployment] = _Timed(
                tuple(start for start, _, _ in timed),
                tuple(end for _, end, _ in timed),
                tuple(row for _, _, row in timed),
                max((end - start for start, end, _ in timed), default=0.0),
            )
        return self._timed[deployment]


def add_observations(package: Package, joined: Joined) -> Iterator[Item]:
    """Puts the observations where files find them; yields those that cannot be used."""
    if "observations" not in package.tables:
        return
    file = package.tables["observations"].member.name
    rows = package.rows("observations")
    while batch := list(islice(rows, _BATCH)):
        keyed: dict[str, list[KeyedRow]] = {OF_MEDIA: [], OF_SEQUENCE: [], OF_DEPLOYMENT: []}
        for row in batch:
            name = present(row.values.get("observationID", ""))
            where = f"{file}, line {row.line}"
            before = joined.claim(name, row.line, kind=OBSERVATION) if name else None
            if row.error is not None:
                error = f"{where}: {row.error}"
                yield Item(where, row.line, error=error)
            elif before is not None:
                said = f"{where}, column observationID: '{name}' is the id of line {before} too."
                yield Item(where, row.line, error=f"{said} Give each observation its own id.")
            else:
                kind, key = _key(row.values)
                if key:
                    keyed[kind].append(KeyedRow(key, row.line, row.values))
                else:
                    said = f"{where}, column deploymentID: blank, and no file or sequence is named."
                    yield Item(where, row.line, error=f"{said} Fill in mediaID or deploymentID.")
        for kind, found in keyed.items():
            joined.add(kind, found)


def _key(values: Mapping[str, str]) -> tuple[str, str]:
    if media := present(values.get("mediaID", "")):
        return OF_MEDIA, media
    if sequence := present(values.get("sequenceID", "")):
        return OF_SEQUENCE, sequence
    return OF_DEPLOYMENT, present(values.get("deploymentID", ""))


def left_over(package: Package, joined: Joined, files: str) -> Iterator[Item]:
    """Yields the observations that no file took.

    Args:
        package: the package.
        joined: its observations.
        files: the kind under which the ids of the files were claimed.
    """
    if "observations" not in package.tables:
        return
    file = package.tables["observations"].member.name
    for row in joined.orphans(OF_MEDIA, files):
        where = f"{file}, line {row.line}"
        said = f"{where}, column mediaID: '{row.key}' is the id of no file in the table of media."
        yield Item(where, row.line, error=f"{said} Correct it, or add the file.")
    for kind in (OF_SEQUENCE, OF_DEPLOYMENT):
        for row in joined.all_rows(kind):
            if joined.known(str(row.line), kind=EVENT_USED):
                continue
            name = present(row.values.get("observationID", "")) or f"line {row.line}"
            reason = (
                "of an event: its files have observations of their own, or none lies in its time"
            )
            yield Item(f"observation {name}", row.line, skip_reason=reason)
