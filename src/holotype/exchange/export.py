"""The command ``export``: a collection, or the parts of a split, in a format that other programs train from.

The folder is complete when ``export.json`` is there: it is written last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype import files
from holotype._version import __version__
from holotype.collection.licensing import (
    CREDIT_COLUMNS,
    column_allowed,
    credits_text,
    licence_counts,
)
from holotype.collection.store import Collection, open_collection
from holotype.errors import CollectionError, did_you_mean
from holotype.exchange.card import dataset_card
from holotype.exchange.croissant import croissant
from holotype.exchange.folder import MANIFEST, check_free, filled
from holotype.exchange.hugging_face import write_parquet
from holotype.exchange.webdataset import write_tars
from holotype.splits.plan import Role, check_fits, read_split


class Form(StrEnum):
    """What to export."""

    HUGGINGFACE = "huggingface"
    WEBDATASET = "webdataset"


WRITERS: dict[Form, Callable[..., list[Mapping[str, Any]]]] = {
    Form.HUGGINGFACE: write_parquet,
    Form.WEBDATASET: write_tars,
}

PART_NAMES: dict[str, str] = {
    Role.TRAIN.value: "train",
    Role.VAL.value: "validation",
    Role.TEST.value: "test",
    Role.KEY.value: "key",
}
"""Roles of a split and the names of their parts in an export."""


@dataclass(frozen=True)
class ExportReport:
    """What an export holds; parts and the records left out add up to the collection.

    Attributes:
        out: its folder.
        form: the format.
        parts: records by part.
        left_out: records in no part, by reason.
        files: how many files hold the records.
    """

    out: str
    form: str
    parts: Mapping[str, int]
    left_out: Mapping[str, int]
    files: int


def export(
    collection: Path | str,
    *,
    out: Path | str,
    form: Form | str = Form.HUGGINGFACE,
    split: Path | str | None = None,
    allow_licence: Sequence[str] = (),
) -> ExportReport:
    """Writes a collection as a data set of another format, with a card, credits and Croissant metadata.

    Args:
        collection: its folder.
        out: an empty or new folder, or one that a stopped export left: that is cleared and written again.
        form: ``huggingface`` (Parquet with images, opened by ``datasets``) or ``webdataset`` (tars of image,
            caption and JSON, as open_clip reads them; records without an image are left out).
        split: its roles become the parts; without one, everything is ``train``.
        allow_licence: licences that may go out (``open``, ``CC-BY*``, ...); without any, all may.

    Raises:
        CollectionError: when the folder is not empty, the form is none, or a part that the split has would
            be empty.
        SplitError, SourceError: when the split does not fit, or a licence pattern is none.
    """
    opened, folder = open_collection(Path(collection)), Path(out)
    if form not in set(Form):
        raise CollectionError(f"no form '{form}'.{did_you_mean(str(form), [*Form])}")
    form = Form(form)
    check_free(folder)
    part_N, reasons = _parts(opened, Path(split) if split else None, form, allow_licence)
    named = sorted({str(part) for part in part_N if part}, key=[*PART_NAMES.values()].index)
    if not named:
        raise CollectionError(f"{opened.path}: no record is left to export: {dict(reasons)}.")
    parts = {part: int((part_N == part).sum()) for part in named}
    with filled(folder):
        entries = _write(opened, folder, form, part_N, parts, reasons)
    return ExportReport(str(folder), form.value, parts, reasons, len(entries))


def _write(
    opened: Collection,
    folder: Path,
    form: Form,
    part_N: NDArray[np.str_],
    parts: Mapping[str, int],
    reasons: Mapping[str, int],
) -> list[Mapping[str, Any]]:
    """Writes the records, what describes them and, last, the manifest; returns the files of records."""
    entries = WRITERS[form](opened, part_N, folder)
    table = opened.columns([*CREDIT_COLUMNS]).filter(pa.array(part_N != ""))
    described = {
        "name": opened.name,
        "form": form.value,
        "parts": parts,
        "licences": licence_counts(table),
        "citations": sorted(filter(None, table["citation"].unique().to_pylist())),
        "sources": sorted(table["source"].unique().to_pylist()),
    }
    files.write_text(
        folder / "ATTRIBUTION.md", credits_text(table, title=f"Sources of {opened.name}")
    )
    files.write_text(folder / "README.md", dataset_card(described, opened))
    if form is Form.HUGGINGFACE:
        files.write_json(folder / "croissant.json", croissant(described, entries))
    manifest = {
        "format": "holotype-export",
        "version": 1,
        "holotype": __version__,
        "collection": {"name": opened.name, "fingerprint": opened.fingerprint},
        **described,
        "left_out": reasons,
        "files": entries,
    }
    files.write_json(folder / MANIFEST, manifest)
    return entries


def _parts(
    opened: Collection, split: Path | None, form: Form, allow: Sequence[str]
) -> tuple[NDArray[np.str_], dict[str, int]]:
    """Returns the part of each record ("" for none), and why records have none."""
    table = opened.columns(["licence", "image_sha256"])
    part_N = np.full(table.num_rows, PART_NAMES[Role.TRAIN.value], dtype="<U10")
    wanted: set[str] = set()
    reasons: dict[str, int] = {}

    def leave_out(rows: NDArray[np.bool_], reason: str) -> None:
        rows = rows & (part_N != "")
        if rows.any():
            reasons[reason] = int(rows.sum())
            part_N[rows] = ""

    if split is not None:
        roles = read_split(split)
        check_fits(roles, opened)
        unused = roles.role_N == Role.UNUSED.value
        part_N = np.asarray([PART_NAMES.get(role, "") for role in roles.role_N.tolist()], "<U10")
        wanted = {str(part) for part in part_N if part}
        if unused.any():
            reasons["the split does not use it"] = int(unused.sum())
    if allow:
        leave_out(~column_allowed(table["licence"], allow).to_numpy(), "licence not allowed")
    if form is Form.WEBDATASET:
        missing = np.asarray(table["image_sha256"].is_null().to_numpy(), dtype=np.bool_)
        leave_out(missing, "no image")
    if emptied := sorted(wanted - {str(part) for part in part_N}):
        raise CollectionError(
            f"{opened.path}: nothing would be left of part '{emptied[0]}' ({reasons}). "
            "Split what is left, or allow more."
        )
    return part_N, reasons
