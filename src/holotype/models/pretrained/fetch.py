"""Published models: which there are, which are here, and fetching one. The only place that goes to a hub.

A hub's layout: ``/api/models/ORG/NAME/revision/REV?blobs=true`` lists the files with their sizes and
checksums, ``/ORG/NAME/resolve/COMMIT/FILE`` serves one. Downloads go on after a break and are checked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holotype import files
from holotype.catalogue.content import Expectation
from holotype.catalogue.download import download_file, fixed_address
from holotype.catalogue.web import Trouble, WebTrouble, asked_json, quoted
from holotype.catalogue.web_settings import WebSettings
from holotype.errors import RecipeError, SourceError
from holotype.models.pretrained.places import (
    PUBLISHED,
    WEIGHT_FILES,
    models_folder,
    repository_folder,
    repository_of,
)
from holotype.models.pretrained.published import PublishedModel, published_model, published_models

ENDPOINT = "https://huggingface.co"
MANIFEST = "fetched.json"
_SMALL_FILES = (
    "open_clip_config.json", "config.json", "vocab.txt", "tokenizer_config.json", "tokenizer.json",
    "special_tokens_map.json", "README.md",
)  # fmt: skip


@dataclass(frozen=True)
class ModelRow:
    """A published model in the list.

    Attributes:
        model: what is known of it.
        here: its folder or file on this machine, None where it is not.
    """

    model: dict[str, Any]
    here: str | None


@dataclass(frozen=True)
class ModelList:
    """Every published model that has a name here.

    Attributes:
        models: in the order of the table.
        folder: the folder of fetched models.
    """

    models: list[ModelRow]
    folder: str


@dataclass(frozen=True)
class FetchedFile:
    """One file of a fetched model.

    Attributes:
        name: inside the repository.
        bytes: its size.
        sha256: its checksum.
        state: ``fetched`` or ``kept`` (it was there already, unchanged).
        verified: whether the hub stated the checksum.
    """

    name: str
    bytes: int
    sha256: str
    state: str
    verified: bool


@dataclass(frozen=True)
class FetchedModel:
    """A model that is on this machine now.

    Attributes:
        weights: what a recipe says to use it.
        repository: where it came from.
        revision: the commit.
        folder: where it is.
        files: all of its files.
        licence: as far as it is known.
        paper: what to cite.
    """

    weights: str
    repository: str
    revision: str
    folder: str
    files: list[FetchedFile]
    licence: str | None
    paper: str | None


def list_models() -> ModelList:
    """Returns the published models that recipes can name, and which of them are on this machine."""
    rows = []
    for model in published_models().values():
        folder = repository_folder(model.hub)
        place = folder / model.file if model.file else folder / MANIFEST
        here = str(place if model.file else folder) if place.is_file() else None
        rows.append(ModelRow(model.model_dump(mode="json"), here))
    return ModelList(rows, str(models_folder()))


def get_model(
    weights: str,
    *,
    into: Path | None = None,
    endpoint: str = ENDPOINT,
    settings: WebSettings = WebSettings(),  # noqa: B008 - a frozen value
) -> FetchedModel:
    """Fetches a published model: resumed after a break, checked, complete when ``fetched.json`` is there.

    Args:
        weights: ``published:NAME``, ``hf-hub:ORG/NAME``, or the name alone.
        into: the folder of models; by default ``HOLOTYPE_MODELS``.
        endpoint: address of the hub.
        settings: patience and strictness.

    Raises:
        RecipeError: for a name that is unknown, or a model that has to be fetched by hand.
        SourceError: when the hub does not give the files.
        CollectionError: when another process fetches it.
    """
    said = weights if ":" in weights else f"{PUBLISHED}{weights}"
    found = repository_of(said)
    if found is None:
        raise RecipeError(f"'{weights}' is a path; give published:NAME or hf-hub:ORG/NAME.")
    repository, file = found
    model = published_model(said.removeprefix(PUBLISHED)) if said.startswith(PUBLISHED) else None
    folder = repository_folder(repository, into)
    revision, listed = _listed(repository, model, endpoint, settings, folder)
    wanted = _wanted(listed, file, repository)
    with files.only_one(folder):
        fetched = []
        for name in wanted:
            address = quoted(f"{endpoint}/{repository}/resolve/{revision}/{name}")
            fetched.append(_one_file(name, listed[name], folder, address, settings))
        report = FetchedModel(
            said, repository, revision, str(folder), fetched,
            model.licence if model else None, model.paper if model else None,
        )  # fmt: skip
        _write_manifest(folder, report, endpoint)
    return report


def _listed(
    repository: str,
    model: PublishedModel | None,
    endpoint: str,
    settings: WebSettings,
    folder: Path,
) -> tuple[str, dict[str, dict[str, Any]]]:
    """Returns the commit, and each file of the repository with what the hub knows of it."""
    revision = model.revision if model else "main"
    url = f"{endpoint}/api/models/{repository}/revision/{revision}?blobs=true"
    try:
        content, _ = asked_json(url, settings)
        return str(content["sha"]), {row["rfilename"]: row for row in content["siblings"]}
    except WebTrouble as reason:
        if reason.kind is Trouble.REFUSED:
            raise RecipeError(
                f"{repository}: {reason}. Its publisher gives it to accounts that accepted its terms. Accept "
                f"them at {endpoint}/{repository}, fetch the files in a browser, and put them into {folder}."
            ) from reason
        raise SourceError(
            f"{repository}: {reason}. Try again later, or put its files into {folder} by hand."
        ) from reason
    except (KeyError, TypeError) as reason:
        raise SourceError(
            f"{url}: not the answer of a hub ({reason!r}). Check the endpoint."
        ) from reason


def _wanted(listed: dict[str, Any], file: str | None, repository: str) -> list[str]:
    weights = [file] if file else [name for name in WEIGHT_FILES if name in listed][:1]
    if not weights or weights[0] not in listed:
        told = file or " or ".join(WEIGHT_FILES)
        raise SourceError(
            f"{repository}: has no {told} at this revision. Look at its files, and fetch them by hand."
        )
    return [*(name for name in _SMALL_FILES if name in listed), *weights]


def _one_file(
    name: str, row: dict[str, Any], folder: Path, address: str, settings: WebSettings
) -> FetchedFile:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SourceError(f"{address}: the file's name leads out of {folder}. Not fetched.")
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = (row.get("lfs") or {}).get("sha256")
    if path.is_file() and stated is not None:
        checksum = files.sha256_file(path)
        if checksum == stated:
            return FetchedFile(name, path.stat().st_size, checksum, "kept", verified=True)
    expected = Expectation(bytes=row.get("size"), sha256=stated)
    found = download_file([fixed_address(address)], path, expected=expected, settings=settings)
    return FetchedFile(name, found.bytes, found.sha256, "fetched", verified=stated is not None)


def _write_manifest(folder: Path, report: FetchedModel, endpoint: str) -> None:
    """Writes what was fetched; files of the repository that were fetched before stay listed."""
    path = folder / MANIFEST
    rows = {row["name"]: row for row in _held_rows(path)}
    rows |= {
        file.name: {
            "name": file.name,
            "bytes": file.bytes,
            "sha256": file.sha256,
            "revision": report.revision,
        }
        for file in report.files
    }
    files.write_json(
        path,
        {"repository": report.repository, "endpoint": endpoint, "files": list(rows.values())},
    )


def _held_rows(path: Path) -> list[dict[str, Any]]:
    import json

    if not path.is_file():
        return []
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError):
        return []
    return found
