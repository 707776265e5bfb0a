"""Fetch a public source into a folder, whole; say how it is read.

Files go into ``INTO/NAME``. The manifest ``fetched.json`` is written last: its existence means complete. What
a broken run has finished is kept in a journal and not fetched again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holotype.catalogue.content import Expectation, Found, examined
from holotype.catalogue.download import Address, download_file, fixed_address, too_large
from holotype.catalogue.fetched import (
    MANIFEST,
    OWN_NAMES,
    FetchedFile,
    locked,
    read_fetched,
    read_journal,
    unfit,
    write_fetched,
    write_journal,
)
from holotype.catalogue.get_report import GetReport, Outcome, get_report
from holotype.catalogue.on_request import hub_files, made_package, package_address
from holotype.catalogue.public_source import How, PublicFile, Source
from holotype.catalogue.sources import find_public_source
from holotype.catalogue.web import WebTrouble
from holotype.catalogue.web_settings import WebSettings
from holotype.config import checked
from holotype.errors import RecipeError, SourceError, did_you_mean
from holotype.progress import note


def get_source(
    name: str,
    into: Path | str,
    *,
    catalogue: Sequence[Path] = (),
    files: Sequence[str] = (),
    mirror: int | None = None,
    urls: Mapping[str, str] | None = None,
    max_bytes: int | None = None,
    settings: WebSettings = WebSettings(),  # noqa: B008 - a frozen value
) -> GetReport:
    """Fetches a public source into ``into/name`` and returns what is there and what to do next.

    Args:
        name: of the source in the catalogue.
        into: folder that holds one folder a source.
        catalogue: own TOML files, or folders of them, beside the shipped ones.
        files: fetch these only; optional ones are named here. All but the optional ones when empty.
        mirror: take each file's address of this number (from 1) only.
        urls: file -> address to take in place of those of the catalogue.
        max_bytes: files of more than this together are not fetched in one run; a part counts whole.
        settings: patience and strictness of the requests.

    Raises:
        SourceError: unknown source, file or mirror; no address gave a file; it is over the limit or does
            not fit on the disk; another process is at work in the folder.
    """
    source = find_public_source(name, catalogue)
    source = _with_addresses(source, mirror, urls or {})
    unknown = sorted(set(files) - {file.name for file in source.files})
    if unknown and source.how is not How.HUB:
        known = [file.name for file in source.files]
        raise SourceError(f"{name} has no file '{unknown[0]}'.{did_you_mean(unknown[0], known)}")
    folder = Path(into) / name
    with locked(folder):
        held = _held(source, folder, files)
        complete = held.missing == [] and (folder / MANIFEST).is_file() and not held.damaged
        if complete:
            return get_report(source, folder, Outcome.COMPLETE, held.rows, 0)
        if source.how is How.MANUAL:
            return _by_hand(source, folder)
        wanted = _listed(source, files, settings) if held.missing is None else held.missing
        return _fetch(source, folder, held, wanted, max_bytes, settings)


def _with_addresses(source: Source, mirror: int | None, urls: Mapping[str, str]) -> Source:
    """Returns the source with the addresses that the user asks for."""
    if unknown := sorted(set(urls) - {file.name for file in source.files}):
        known = [file.name for file in source.files]
        raise SourceError(
            f"{source.name} has no file '{unknown[0]}'.{did_you_mean(unknown[0], known)}"
        )
    if mirror is None and not urls:
        return source
    changed = []
    for file in source.files:
        addresses = file.urls
        if mirror is not None and addresses:
            if not 1 <= mirror <= len(addresses):
                raise SourceError(
                    f"--mirror {mirror}: {file.name} of {source.name} has {len(addresses)} address(es)."
                )
            addresses = (addresses[mirror - 1],)
        if file.name in urls:
            addresses = (urls[file.name],)
        changed.append({**file.model_dump(), "urls": addresses})
    how = How.DIRECT if urls and all(row["urls"] for row in changed) else source.how
    content = {**source.model_dump(), "files": changed, "how": how}
    try:
        return checked(Source, content, where="--url")
    except RecipeError as reason:
        raise SourceError(str(reason)) from None


@dataclass(frozen=True)
class _Held:
    """What of a source is in its folder: whole, damaged, missing (None: the list has to be asked for)."""

    rows: dict[str, FetchedFile]
    damaged: frozenset[str]
    missing: list[PublicFile] | None


def _held(source: Source, folder: Path, only: Sequence[str]) -> _Held:
    """Compares the folder with its manifest, or with the journal of an unfinished run, by checksums."""
    manifest = read_fetched(folder)
    rows = dict(manifest if manifest is not None else read_journal(folder))
    wrong = unfit(folder, list(rows.values()), checksums=True)
    for file, told in wrong.items():
        note(f"{file}: {told}; it is fetched again")
        del rows[file]
    damaged = frozenset(wrong)
    if source.how is How.HUB or (source.how is How.MANUAL and not source.files):
        done = manifest is not None and not wrong and set(only) <= set(rows)
        return _Held(rows, damaged, [] if done else None)
    asked = [file for file in source.files if (file.name in only if only else not file.optional)]
    return _Held(rows, damaged, [file for file in asked if file.name not in rows])


def _listed(source: Source, only: Sequence[str], settings: WebSettings) -> list[PublicFile]:
    assert source.hub is not None
    try:
        found = hub_files(source.hub, settings)
    except WebTrouble as reason:
        raise SourceError(f"{source.name}: the list of files cannot be had: {reason}.") from reason
    listed = [file for file in found if not only or file.name in only]
    if not listed:
        raise SourceError(f"{source.name}: {source.hub.dataset} has none of the files asked for.")
    return listed


def _fetch(
    source: Source, folder: Path, found: _Held, wanted: Sequence[PublicFile],
    max_bytes: int | None, settings: WebSettings,
) -> GetReport:  # fmt: skip
    held = dict(found.rows)
    wanted = [file for file in wanted if file.name not in held]
    planned = sum(file.bytes or 0 for file in wanted)
    if max_bytes is not None and planned > max_bytes:
        raise too_large(source.name, planned, max_bytes)
    write_journal(folder, held)
    (folder / MANIFEST).unlink(missing_ok=True)
    came = 0
    for file in wanted:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        left = None if max_bytes is None else max_bytes - came
        row = None if file.name in found.damaged else _already_there(path, file, source.how)
        row = row or _come(source, file, path, left, settings)
        came += row.bytes if row.url is not None else 0
        held[file.name] = row
        write_journal(folder, held)
    _finish(source, folder, held)
    return get_report(source, folder, Outcome.FETCHED, held, came)


def _come(
    source: Source, file: PublicFile, path: Path, left: int | None, settings: WebSettings
) -> FetchedFile:
    expected = Expectation(file.bytes, file.sha256, file.md5)
    addresses: list[Address] = [fixed_address(url) for url in file.urls]
    if source.how is How.ON_DEMAND:
        assert source.on_demand is not None
        try:
            package = made_package(source.on_demand, settings)
        except WebTrouble as reason:
            raise SourceError(
                f"{source.name}: the package cannot be had: {reason}. {source.instructions or ''}"
            ) from reason
        expected = Expectation(package.bytes, package.sha256)
        addresses = [package_address(source.on_demand, package, settings)]
    note(f"{file.name}: fetching")
    got = download_file(addresses, path, expected=expected, max_bytes=left, settings=settings)
    return FetchedFile(
        file.name,
        got.identity,
        got.bytes,
        got.sha256,
        got.verified,
        got.etag,
        got.last_modified,
        _now(),
    )


def _already_there(path: Path, file: PublicFile, how: How) -> FetchedFile | None:
    """Returns a file that lies there under its name if it is known to be the right one.

    Raises:
        SourceError: it is there, and nothing says that it is whole, or it is not the right one.
    """
    if not path.is_file():
        return None
    found = examined(path, Expectation(file.bytes, file.sha256, file.md5))
    enough = {"size", "sha256", "md5"} | ({"ending"} if how is How.ON_DEMAND else set())
    if found.wrong is None and enough & set(found.verified):
        return _put_there(file.name, found)
    told = found.wrong or "the catalogue has neither its size nor its checksum"
    raise SourceError(
        f"{path}: a file is here that was not fetched by this command, and nothing says that it is "
        f"whole ({told}). Move it away, or add its sha256 to a catalogue file of your own."
    )


def _put_there(name: str, found: Found) -> FetchedFile:
    return FetchedFile(name, None, found.bytes, found.sha256, found.verified, None, None, _now())


def _by_hand(source: Source, folder: Path) -> GetReport:
    """Takes what a person has put into the folder; where something is missing, says what to do."""
    named = [file for file in source.files if not file.optional]
    if not named:
        lying = sorted(path for path in folder.rglob("*") if path.is_file())
        names = [path.relative_to(folder).as_posix() for path in lying]
        named = [PublicFile(name=n) for n in names if n not in OWN_NAMES and not n.startswith(".")]
    missing = [file.name for file in named if not (folder / file.name).is_file()]
    if missing or not named:
        return get_report(source, folder, Outcome.BY_HAND, {}, 0)
    held: dict[str, FetchedFile] = {}
    for file in named:
        found = examined(folder / file.name, Expectation(file.bytes, file.sha256, file.md5))
        if found.wrong is not None:
            raise SourceError(f"{folder / file.name}: {found.wrong}. Fetch it again.")
        held[file.name] = _put_there(file.name, found)
    _finish(source, folder, held)
    return get_report(source, folder, Outcome.COMPLETE, held, 0)


def _finish(source: Source, folder: Path, held: Mapping[str, FetchedFile]) -> None:
    about: dict[str, Any] = {
        "source": source.name,
        "title": source.title,
        "doi": source.doi,
        "licences": [
            {
                "of": row.of.value,
                "id": row.licence.id,
                "written": row.written,
                "stated_at": row.stated_at,
            }
            for row in source.licences
        ],
        "licence_conflict": source.licence_conflict,
        "terms": source.terms,
        "citation": source.citation,
        "finished": _now(),
    }
    write_fetched(folder, held, about)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
