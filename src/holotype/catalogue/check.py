"""Before fetching: is a source still there, is it what the catalogue says, is there room for it?"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from holotype.catalogue.fetched import FolderState, folder_state
from holotype.catalogue.on_request import hub_files, ready_package
from holotype.catalogue.probe import Availability, Probe, failed_probe, probed
from holotype.catalogue.public_source import How, Source
from holotype.catalogue.sources import catalogue as read_catalogue
from holotype.catalogue.sources import find_public_source
from holotype.catalogue.web import WebTrouble
from holotype.catalogue.web_settings import WebSettings

DISK_FACTOR = 2
"""Room that is wanted, as a multiple of the archives: themselves, and the collection made of them."""
CHECK_SETTINGS = WebSettings(stall_s=30.0, attempts=1)
_THREADS = 8


@dataclass(frozen=True)
class AddressCheck:
    """What one address of one file answered.

    Attributes:
        file: name of the file; ``package`` or ``list of files`` where that is asked for.
        url: the address.
        state: available, not available, or check failed.
        bytes: size as announced, or None.
        expected_bytes: size of the catalogue, or None.
        resumes: whether a broken download can be gone on with; None where it is not known.
        detail: what is to be said about it, or None.
    """

    file: str
    url: str
    state: Availability
    bytes: int | None
    expected_bytes: int | None
    resumes: bool | None
    detail: str | None


@dataclass(frozen=True)
class SourceCheck:
    """Whether a source can be fetched, and what is here of it already.

    Attributes:
        source: its name.
        how: how it is had.
        state: ``available`` when every file has an address that is; ``not_available`` when a file has none
            left; else ``check_failed``.
        addresses: every address that was asked.
        bytes: size of the files together as announced or as in the catalogue; None if one is unknown.
        free_bytes: free space where it would go; None when no folder was given.
        room: whether twice the size is free; None where that is not known.
        folder: what its folder is; None when no folder was given.
    """

    source: str
    how: How
    state: Availability
    addresses: tuple[AddressCheck, ...]
    bytes: int | None
    free_bytes: int | None
    room: bool | None
    folder: FolderState | None


@dataclass(frozen=True)
class CheckReport:
    """The checks of one or all sources.

    Attributes:
        sources: one check each, in alphabetical order.
        not_available: sources that are gone.
        check_failed: sources of which it is not known.
    """

    sources: tuple[SourceCheck, ...]
    not_available: tuple[str, ...]
    check_failed: tuple[str, ...]


def check_sources(
    names: Sequence[str] = (),
    *,
    root: Path | str | None = None,
    catalogue: Sequence[Path] = (),
    settings: WebSettings = CHECK_SETTINGS,
) -> CheckReport:
    """Asks the hosts of some sources, or of all, whether their files can be had; fetches nothing.

    Args:
        names: the sources; all of the catalogue when empty.
        root: the folder that fetched sources are in, or would go into.
        catalogue: own TOML files, or folders of them, beside the shipped ones.
        settings: patience and strictness of the requests.

    Raises:
        SourceError: a name is unknown, or a manifest cannot be read.
    """
    chosen = [find_public_source(name, catalogue) for name in names]
    if not names:
        chosen = list(read_catalogue(catalogue).values())
    place = None if root is None else Path(root)
    with ThreadPoolExecutor(_THREADS) as pool:
        checks = tuple(pool.map(lambda source: _checked(source, place, settings), chosen))
    return CheckReport(
        checks,
        tuple(c.source for c in checks if c.state is Availability.NOT_AVAILABLE),
        tuple(c.source for c in checks if c.state is Availability.CHECK_FAILED),
    )


def _checked(source: Source, root: Path | None, settings: WebSettings) -> SourceCheck:
    addresses = _ASK[source.how](source, settings)
    by_file: dict[str, list[AddressCheck]] = {}
    for row in addresses:
        by_file.setdefault(row.file, []).append(row)
    sizes = [
        next(
            (row.bytes or row.expected_bytes for row in rows if row.bytes or row.expected_bytes),
            None,
        )
        for rows in by_file.values()
    ]
    total = sum(size or 0 for size in sizes) if sizes and all(sizes) else source.planned_bytes
    free = None if root is None else shutil.disk_usage(_existing(root)).free
    room = None if free is None or total is None else free >= DISK_FACTOR * total
    folder = None if root is None else folder_state(root / source.name)
    state = _worst([_best(rows) for rows in by_file.values()])
    return SourceCheck(source.name, source.how, state, tuple(addresses), total, free, room, folder)


def _best(rows: Sequence[AddressCheck]) -> Availability:
    """One mirror that has the file is enough; it is gone only when every mirror says so."""
    states = {row.state for row in rows}
    for state in (Availability.AVAILABLE, Availability.CHECK_FAILED):
        if state in states:
            return state
    return Availability.NOT_AVAILABLE


def _worst(states: Sequence[Availability]) -> Availability:
    for state in (Availability.NOT_AVAILABLE, Availability.CHECK_FAILED):
        if state in states:
            return state
    return Availability.AVAILABLE


def _existing(path: Path) -> Path:
    """Returns the nearest folder above that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def _row(file: str, url: str, probe: Probe, expected: int | None = None) -> AddressCheck:
    differs = expected is not None and probe.bytes not in {None, expected}
    if differs and probe.state is Availability.AVAILABLE:
        told = f"announces {probe.bytes:,} bytes, the catalogue says {expected:,}"
        probe = replace(probe, state=Availability.CHECK_FAILED, detail=told)
    return AddressCheck(file, url, probe.state, probe.bytes, expected, probe.resumes, probe.detail)


def _ask_direct(source: Source, settings: WebSettings) -> list[AddressCheck]:
    return [
        _row(file.name, url, probed(url, file.name, settings), file.bytes)
        for file in source.files
        if not file.optional
        for url in file.urls
    ]


def _ask_fairdata(source: Source, settings: WebSettings) -> list[AddressCheck]:
    assert source.on_demand is not None
    url = f"{source.on_demand.api}/requests?cr_id={source.on_demand.dataset}"
    try:
        package = ready_package(source.on_demand, settings)
    except WebTrouble as reason:
        return [_row("package", url, failed_probe(reason))]
    told = None if package else "no package is ready; one is made when it is fetched"
    size = package.bytes if package else None
    return [_row("package", url, Probe(Availability.AVAILABLE, size, resumes=False, detail=told))]


def _ask_hub(source: Source, settings: WebSettings) -> list[AddressCheck]:
    assert source.hub is not None
    url = f"{source.hub.endpoint}/datasets/{source.hub.dataset}"
    try:
        files = hub_files(source.hub, settings)
    except WebTrouble as reason:
        return [_row("list of files", url, failed_probe(reason))]
    size, told = sum(file.bytes or 0 for file in files) or None, f"{len(files):,} files"
    return [_row("list of files", url, Probe(Availability.AVAILABLE, size, detail=told))]


def _ask_page(source: Source, settings: WebSettings) -> list[AddressCheck]:
    probe = probed(source.page, "page.html", settings)
    return [_row("page", source.page, replace(probe, bytes=None, resumes=None))]


_ASK = {
    How.DIRECT: _ask_direct,
    How.ON_DEMAND: _ask_fairdata,
    How.HUB: _ask_hub,
    How.MANUAL: _ask_page,
}
