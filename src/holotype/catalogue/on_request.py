"""Files whose addresses have to be asked for: packages of Fairdata, data sets of the Hugging Face hub."""

import re
import urllib.parse
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from holotype.catalogue.download import Address
from holotype.catalogue.public_source import Hub, OnDemand, PublicFile
from holotype.catalogue.web import Trouble, WebTrouble, asked_json
from holotype.catalogue.web_settings import WebSettings

_READY = frozenset({"SUCCESS", "SUCCESSFUL", "COMPLETE", "COMPLETED", "READY", "GENERATED"})
_MAX_PAGES = 10_000


@dataclass(frozen=True)
class Package:
    """A package of Fairdata that is ready to be fetched.

    Attributes:
        name: as the service calls it.
        bytes: its size, or None.
        sha256: its checksum, or None.
    """

    name: str
    bytes: int | None
    sha256: str | None


def ready_package(on_demand: OnDemand, settings: WebSettings) -> Package | None:
    """Returns the package of a whole data set that is ready, or None where one has to be made first.

    Raises:
        WebTrouble: the service does not answer, or knows no such data set.
    """
    query = urllib.parse.urlencode({"cr_id": on_demand.dataset})
    content, _ = asked_json(f"{on_demand.api}/requests?{query}", settings)
    if not isinstance(content, dict) or not isinstance(content.get("package"), str):
        return None
    if str(content.get("status", "")).upper() not in _READY:
        return None
    size, checksum = content.get("size"), str(content.get("checksum") or "")
    match = re.fullmatch(r"(?:sha256:)?([0-9a-f]{64})", checksum.lower())
    return Package(
        content["package"],
        size if isinstance(size, int) and size > 0 else None,
        match[1] if match else None,
    )


def made_package(on_demand: OnDemand, settings: WebSettings) -> Package:
    """Returns the package of a whole data set; has it made, and waits for it, where there is none.

    Raises:
        WebTrouble: the service does not answer, or the package is not ready in time.
    """
    package = ready_package(on_demand, settings)
    if package is not None:
        return package
    asked_json(f"{on_demand.api}/requests", settings, {"cr_id": on_demand.dataset})
    for _ in range(settings.polls):
        settings.sleep(settings.poll_s)
        package = ready_package(on_demand, settings)
        if package is not None:
            return package
    waited = settings.polls * settings.poll_s
    raise WebTrouble(Trouble.BUSY, f"the package was not ready after {waited:,.0f} s")


def package_address(on_demand: OnDemand, package: Package, settings: WebSettings) -> Address:
    """Returns the address of a package; each attempt asks for a new one, since one works only once."""

    def authorised() -> str:
        sent = {"cr_id": on_demand.dataset, "package": package.name}
        content, _ = asked_json(f"{on_demand.api}/authorize", settings, sent)
        url = content.get("url") if isinstance(content, dict) else None
        if not isinstance(url, str):
            raise WebTrouble(Trouble.REFUSED, "the service gave no address for the package")
        return url

    return Address(f"{on_demand.api}/requests?cr_id={on_demand.dataset}#{package.name}", authorised)


def hub_files(hub: Hub, settings: WebSettings) -> list[PublicFile]:
    """Returns the files of a hub data set that its patterns name, with sizes, and checksums of large ones.

    Raises:
        WebTrouble: the hub does not answer, or has no such data set.
    """
    revision = urllib.parse.quote(hub.revision, safe="")
    url: str | None = f"{hub.endpoint}/api/datasets/{hub.dataset}/tree/{revision}?recursive=true"
    found: list[PublicFile] = []
    for _ in range(_MAX_PAGES):
        if url is None:
            break
        content, headers = asked_json(url, settings)
        if not isinstance(content, list):
            raise WebTrouble(Trouble.REFUSED, "the hub answers with no list of files")
        found += [_hub_file(row, hub, revision) for row in content if _is_wanted(row, hub)]
        match = re.search(r'<([^>]+)>;\s*rel="next"', headers.get("link", ""))
        url = urllib.parse.urljoin(url, match[1]) if match else None
    return found


def _is_wanted(row: Any, hub: Hub) -> bool:
    if not isinstance(row, dict) or row.get("type") != "file":
        return False
    path = str(row.get("path", ""))
    return not hub.only or any(fnmatchcase(path, pattern) for pattern in hub.only)


def _hub_file(row: dict[str, Any], hub: Hub, revision: str) -> PublicFile:
    path = str(row["path"])
    large = row.get("lfs") if isinstance(row.get("lfs"), dict) else None
    place = f"{hub.endpoint}/datasets/{hub.dataset}/resolve/{revision}"
    return PublicFile(
        name=path,
        urls=(f"{place}/{urllib.parse.quote(path)}",),
        bytes=row.get("size") or None,
        sha256=(large or {}).get("oid"),
    )
