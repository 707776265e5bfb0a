"""The commands ``index build`` and ``index add``: collections -> an index, gone on with after a stop.

What is embedded is kept in ``.building`` in the folder of the index, a piece at a time. The same command
again takes the pieces that are there; the index counts once ``index.json`` is written.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from holotype import files
from holotype.collection.store import Collection, open_collection
from holotype.errors import CollectionError, first_few
from holotype.index.embedding import Stretch, check_thumbnails, embedded, stretches
from holotype.index.pieces import Piece, piece_of_index, read_piece, write_piece
from holotype.index.store import EXACT_UP_TO, MANIFEST, Index, open_index
from holotype.index.writing import Making, is_left_over, write_pieces
from holotype.progress import note, tracked

if TYPE_CHECKING:
    from holotype.models.bundle import Bundle

BUILDING, PLAN, PIECE = ".building", "plan.json", "piece.json"


@dataclass(frozen=True)
class IndexReport:
    """What became of the records.

    Attributes:
        index: the folder.
        records: how many it holds now.
        added: how many of them came now.
        already_there: records whose id the index, or a collection before theirs, had: left out.
        vectors: by modality.
        failures: why an image or barcode could not be read, by record id; such a record is there without it.
        model: fingerprint of the model.
    """

    index: str
    records: int
    added: int
    already_there: int
    vectors: Mapping[str, int]
    failures: Mapping[str, str] = field(default_factory=dict)
    model: str = ""


def build_index(
    model: Path | str,
    collections: Sequence[Path | str],
    *,
    out: Path | str,
    thumbnails_px: int | None = None,
    exact_up_to: int = EXACT_UP_TO,
) -> IndexReport:
    """Embeds every image and barcode of some collections and writes an index of them.

    Memory does not grow with the images: a thousand records are read at a time. A build that was stopped goes
    on where it was.

    Args:
        model: a bundle, or ``starter``.
        collections: their folders; of records with one id the first is taken.
        out: folder of the index, new or empty.
        thumbnails_px: keep each image as JPEG with its longest side so small, 16 to 512 px; None keeps none.
        exact_up_to: so many vectors of a modality are searched exactly; more of them get cells.

    Raises:
        BundleError, CollectionError: when one of them cannot be opened, ``out`` holds something else, or no
            record has what the model reads.
    """
    from holotype.models.bundle import open_bundle

    path = Path(out)
    check_thumbnails(thumbnails_px)
    opened, bundle = _opened(collections), open_bundle(model)
    _check_free(path)
    bundle_place = _place_of(model, bundle, path)
    made = Making(bundle.fingerprint, bundle_place, (), thumbnails_px, exact_up_to)
    try:
        with files.only_one(path):
            return _extended(path, None, bundle, opened, made)
    finally:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def add_to_index(
    index: Path | str,
    collections: Sequence[Path | str],
    *,
    model: Path | str | None = None,
) -> IndexReport:
    """Adds the records of collections to an index; those whose id is there already are left out and counted.

    The index can be searched meanwhile; it changes in one step at the end.

    Args:
        index: folder of the index.
        collections: their folders.
        model: the bundle that the index was built with; where the index says it was by default.

    Raises:
        CollectionError: when the model is another one.
    """
    path = Path(index)
    opened = _opened(collections)
    bundle = model_of(open_index(path), model)
    with files.only_one(path):
        base = open_index(path, model=bundle.fingerprint)
        made = Making(
            base.model,
            base.manifest["bundle"],
            tuple(base.manifest["collections"]),
            base.manifest["thumbnails_px"],
            base.manifest["exact_up_to"],
        )
        return _extended(path, base, bundle, opened, made)


def model_of(index: Index, given: Path | str | None) -> "Bundle":
    """Returns the model of an index: the one given, or the one where the manifest says, or that it lies in.

    Raises:
        CollectionError: when it is another model, or none is given and none is found.
    """
    from holotype.models.bundle import open_bundle

    place = given if given is not None else _bundle_beside(index)
    if place is None:
        raise CollectionError(
            f"{index.path}: name the model that it was built with ({index.model}) by --model."
        )
    bundle = open_bundle(place)
    if bundle.fingerprint != index.model:
        raise CollectionError(
            f"{index.path}: made with model {index.model}, and {place} is {bundle.fingerprint}. Vectors of "
            "two models cannot be compared: name that model, or build an index with this one."
        )
    return bundle


def _bundle_beside(index: Index) -> Path | str | None:
    """Returns where the model of an index is: where the manifest says, or round it; None where it is not."""
    from holotype.models.places import STARTER, is_bundle

    place = index.manifest.get("bundle")
    if place == STARTER or index.path is None:
        return place
    likely = list(index.path.parents[:3])  # a model's references lie in it
    if place is not None:
        likely.insert(0, Path(os.path.normpath(index.path / str(place))))
    return next((folder for folder in likely if is_bundle(folder)), None)


def _opened(collections: Sequence[Path | str]) -> list[Collection]:
    if not collections:
        raise CollectionError("no collection given. Name one or several by --collection.")
    opened = [open_collection(Path(one)) for one in collections]
    prints = [one.fingerprint for one in opened]
    twice = [str(one.path) for i, one in enumerate(opened) if prints[i] in prints[:i]]
    if twice:
        raise CollectionError(f"{first_few(twice)} given twice. Name each collection once.")
    return opened


def _extended(
    path: Path,
    base: Index | None,
    bundle: "Bundle",
    collections: Sequence[Collection],
    made: Making,
) -> IndexReport:
    """Embeds what is new, writes the index with it, and says what became of the records."""
    known: set[str] = set() if base is None else set(base.columns(["record_id"])[0].to_pylist())
    rows = [_new_rows(one, known) for one in collections]
    wanted = [s for one, new in zip(collections, rows, strict=True) for s in stretches(one, new)]
    added = sum(map(len, rows))
    already_there = sum(map(len, collections)) - added
    if base is not None and not added:
        return _report(base, 0, already_there, {})
    building = path / BUILDING
    _begin(building, _plan(base, bundle, collections, made))
    about = _embed_missing(building, bundle, wanted, made.thumbnails_px)
    dim = bundle.model.embedding_dim
    pieces: list[Piece] = [] if base is None else [piece_of_index(base)]
    pieces += [read_piece(_folder(building, n), one, dim=dim) for n, one in enumerate(about)]
    if not any(piece.vectors for piece in pieces):
        _discard(building)
        reads = " or ".join(m for m in bundle.model.modalities if m != "caption")
        raise CollectionError(f"{path}: no record has what this model reads ({reads}).")
    told = [
        {"name": one.name, "fingerprint": one.fingerprint, "records": len(new)}
        for one, new in zip(collections, rows, strict=True)
    ]
    index = write_pieces(
        path,
        pieces,
        replace(made, collections=(*made.collections, *told)),
        dim=dim,
    )
    _discard(building)
    failures = {name: why for one in about for name, why in one["failures"].items()}
    return _report(index, added, already_there, failures)


def _new_rows(collection: Collection, known: set[str]) -> NDArray[np.int64]:
    """Returns the rows of records whose id is not known yet, and makes them known."""
    ids = collection.columns(["record_id"])["record_id"].to_pylist()
    new = [row for row, name in enumerate(ids) if name not in known]
    known.update(ids)
    return np.asarray(new, dtype=np.int64)


def _plan(
    base: Index | None, bundle: "Bundle", collections: Sequence[Collection], made: Making
) -> dict[str, Any]:
    return {
        "model": bundle.fingerprint,
        "collections": [one.fingerprint for one in collections],
        "base": None if base is None else base.data.name,
        "thumbnails_px": made.thumbnails_px,
    }


def _begin(building: Path, plan: dict[str, Any]) -> None:
    """Keeps the pieces of a build that was stopped, if it is this one; else they go."""
    text = json.dumps(plan, indent=2)
    if (building / PLAN).is_file():
        if (building / PLAN).read_text(encoding="utf-8") == text:
            note(f"{building.parent}: going on with a build that was stopped")
            return
        note(f"{building.parent}: another build was stopped here; its pieces are removed")
    _discard(building)
    files.write_text(building / PLAN, text)


def _discard(building: Path) -> None:
    """Removes the pieces of a build; its plan goes first, as without it they are no part of any."""
    (building / PLAN).unlink(missing_ok=True)
    files.remove_folder(building)


def _embed_missing(
    building: Path, bundle: "Bundle", wanted: Sequence[Stretch], thumbnails_px: int | None
) -> list[dict[str, Any]]:
    """Writes the pieces that are not there yet and returns what is said of each."""
    missing = [n for n in range(len(wanted)) if not (_folder(building, n) / PIECE).is_file()]
    parts = embedded(bundle, [wanted[n] for n in missing], thumbnails_px=thumbnails_px)
    total = len(missing)
    for number, part in zip(missing, tracked(parts, title="embed", total=total), strict=True):
        write_piece(
            _folder(building, number), part.records, part.vectors, {"failures": dict(part.failures)}
        )
    return [
        json.loads((_folder(building, n) / PIECE).read_text("utf-8")) for n in range(len(wanted))
    ]


def _folder(building: Path, number: int) -> Path:
    return building / f"{number:06d}"


def _place_of(given: Path | str, bundle: "Bundle", index: Path) -> str:
    """Returns where a bundle is from the folder of an index, or its name."""
    from holotype.models.places import STARTER

    if str(given) == STARTER:
        return STARTER
    return Path(os.path.relpath(bundle.path.resolve(), index.resolve())).as_posix()


def _check_free(path: Path) -> None:
    """Raises unless a folder is new, empty, or what a stopped build left."""
    if (path / MANIFEST).is_file():
        raise CollectionError(
            f"{path}: an index already. Add to it with holotype index add, or name a new folder."
        )
    held = [*path.iterdir()] if path.is_dir() else []
    foreign = [one.name for one in held if one.name != BUILDING and not is_left_over(one)]
    if path.is_file() or foreign:
        raise CollectionError(
            f"{path}: holds {first_few(foreign) or 'a file'}. Name a new folder for the index."
        )


def _report(
    index: Index, added: int, already_there: int, failures: Mapping[str, str]
) -> IndexReport:
    vectors = {modality: len(one) for modality, one in index.vectors.items()}
    return IndexReport(
        str(index.path), len(index), added, already_there, vectors, failures, index.model
    )
