"""What a person brought, and the answers to it: a folder that a link leads back to, also after a restart.

``files/`` has what was brought, ``answers.parquet`` the answers as ``holotype predict`` writes them, and
``identified.json``, written last, what was refused. Folders are forgotten after some days.
"""

import asyncio
import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype import files
from holotype._version import __version__
from holotype.app.pairing import paired
from holotype.app.references import with_references
from holotype.app.upload_names import Names
from holotype.app.upload_scratch import finished
from holotype.app.uploads import Refused, Upload, UploadLimits, scratch_folder, specimens_of
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError, SourceError
from holotype.exchange.answers.container import container
from holotype.exchange.answers.made import made
from holotype.exchange.answers.publish import PublishReport, publish_table
from holotype.exchange.webdataset import image_ending
from holotype.identify import sidecar
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.evidence.card import Card
from holotype.identify.evidence.choosing import Order, chosen
from holotype.identify.evidence.finding import Missing, Picture, picture_of
from holotype.identify.evidence.page import Told, page
from holotype.identify.evidence.references import nearest_of
from holotype.identify.inputs import Specimen
from holotype.identify.read_answers import read_answers
from holotype.identify.writers import write_tables
from holotype.page.words import count

FILES, ANSWERS, MANIFEST = "files", "answers.parquet", "identified.json"
PASTED = "pasted.fasta"
DAYS = 7
MOST = 300
"""Cards of a page to send; the most doubtful answers first."""
TABLES: dict[str, str] = {"csv": ".csv", "json": ".json", "parquet": ".parquet"}
"""The answers themselves, by the ending of their file."""
ENDINGS_OF: dict[str, str] = TABLES | {
    "speciesnet": ".json", "megadetector": ".json", "sintax": ".txt", "qiime": ".tsv", "rdp": ".txt",
    "boldigger": ".csv", "pybioclip": ".csv", "darwin-core": ".zip",
}  # fmt: skip
"""Endings of formats that are one file; the others are folders."""
WITH_IMAGES = frozenset({"ecotaxa"})
_KEY = re.compile(r"[A-Za-z0-9_-]{16}")


@dataclass(frozen=True)
class Identification:
    """Answers to what was brought.

    Attributes:
        folder: where it lies.
        uploads: what was brought.
        refused: what was brought and is not answered, with the reason.
    """

    folder: Path
    uploads: tuple[Upload, ...]
    refused: tuple[Refused, ...]

    @property
    def key(self) -> str:
        """What a link to it says."""
        return self.folder.name

    @property
    def answers(self) -> Path:
        """The file of answers."""
        return self.folder / ANSWERS

    @cached_property
    def table(self) -> pa.Table:
        """The answers, one row a specimen."""
        return read_answers(self.answers)


def new_folder(workspace: Path) -> Path:
    """Returns an empty folder for what a person brings; its name cannot be guessed. Old ones go."""
    forget_old(workspace)
    folder = workspace / "uploads" / secrets.token_urlsafe(12)
    (folder / FILES).mkdir(parents=True)
    return folder


def forget_old(workspace: Path, *, days: float = DAYS) -> int:
    """Removes what was brought more than so many days ago; returns how many folders that were."""
    before = time.time() - days * 86_400
    old = [
        folder
        for folder in (workspace / "uploads").glob("*")
        if folder.is_dir() and _written_at(folder) < before
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _written_at(folder: Path) -> float:
    """Returns when answers were written, else when the folder was made or changed."""
    manifest = folder / MANIFEST
    return (manifest if manifest.is_file() else folder).stat().st_mtime


def as_fasta(text: str) -> str:
    r"""Returns pasted letters as FASTA: lines without a name before them are one barcode.

    >>> as_fasta("ACGT\\nACGA")
    '>pasted barcode\\nACGT\\nACGA\\n'
    """
    bare = text.strip()
    return f"{bare}\n" if bare.startswith(">") else f">pasted barcode\n{bare}\n"


async def identify(workbench: Workbench, folder: Path, uploads: Sequence[Upload]) -> Identification:
    """Answers what was brought, and writes it down; images and barcodes of one name are joined.

    Args:
        workbench: what answers.
        folder: of ``new_folder``; the uploads lie in it.
        uploads: what was brought.

    Raises:
        SourceError: when nothing that was brought can be read.
    """
    started = sidecar.now()
    with scratch_folder(folder) as scratch:
        found, refused = await finished(partial(_specimens, workbench, uploads, scratch))
        if not found:
            said = "; ".join(f"{one.name}: {one.reason}" for one in refused[:5])
            raise SourceError(f"Nothing to identify was found. {said}".strip())
        rows = await workbench.identifier.identify(found)
    told = {
        "versions": sidecar.versions(),
        "model": sidecar.model_of(workbench.identifier.bundle),
        "settings": {"max_error": workbench.settings.max_error},
    }
    done = Identification(folder, tuple(uploads), tuple(refused))
    await asyncio.to_thread(_write, done, rows, told, started)
    return done


def open_identification(workspace: Path, key: str) -> Identification | None:
    """Returns what was identified under a key; None where there is no such thing any more."""
    folder = workspace / "uploads" / key
    if _KEY.fullmatch(key) is None or not (folder / MANIFEST).is_file():
        return None
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    uploads = tuple(Upload(one["name"], folder / FILES / one["file"]) for one in said["uploads"])
    return Identification(folder, uploads, tuple(Refused(**one) for one in said["refused"]))


def _write(
    done: Identification, rows: Sequence[Mapping[str, Any]], told: Mapping[str, Any], started: str
) -> None:
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=ANSWER_SCHEMA)
    write_tables([table], ANSWER_SCHEMA, done.answers, temporary=done.folder / f"{ANSWERS}.partial")
    sidecar.write_sidecar(done.answers, told, started=started)
    uploads = [{"name": one.name, "file": one.path.name} for one in done.uploads if one.path]
    refused = [asdict(one) for one in done.refused]
    files.write_json(done.folder / MANIFEST, {"uploads": uploads, "refused": refused})


def _specimens(
    workbench: Workbench, uploads: Sequence[Upload], scratch: Path
) -> tuple[list[Specimen], list[Refused]]:
    names = Names()
    limits = UploadLimits.of(workbench.settings)
    found, refused = specimens_of(uploads, limits, scratch, names=names)
    return paired(found, names.asked_for), refused


def cards(
    workbench: Workbench, done: Identification, rows: Sequence[Mapping[str, Any]]
) -> list[Card]:
    """Returns some answers as cards with pictures, references and aligned barcodes."""
    wanted = {str(row["input"]) for row in rows}
    with scratch_folder(done.folder) as scratch:
        found, _ = _specimens(workbench, done.uploads, scratch)
        seen = {one.input: picture_of(one) for one in found if one.input in wanted}
    gone = Picture(None, Missing.GONE)
    bare = [
        Card(number, row, seen.get(str(row["input"]), gone), nearest_of(row["nearest"]), None)
        for number, row in enumerate(rows, start=1)
    ]
    return with_references(workbench, bare)


def page_of(workbench: Workbench, done: Identification) -> str:
    """Returns the answers as one page of HTML that opens offline, the most doubtful first."""
    chosen_rows = chosen(done.table, most=MOST, decisions=(), order=Order.DOUBT)
    rows = done.table.take(pa.array(chosen_rows.row_S)).to_pylist()
    told = Told(
        done.answers.name,
        sorted({row["model"] for row in rows if row["model"] is not None}),
        done.table.num_rows,
        chosen_rows.matching,
        (),
        Order.DOUBT,
        [("answers", count(done.table.num_rows)), ("refused", count(len(done.refused)))],
        [f"{one.name}: {one.reason}" for one in done.refused],
    )
    return page(cards(workbench, done, rows), told)


def exported(workbench: Workbench, done: Identification, form: str) -> tuple[str, bytes]:
    """Returns the answers in a format as the name of a file and its content; a folder as a zip.

    Args:
        workbench: what answered.
        done: what was identified.
        form: ``csv``, ``json``, ``parquet``, or one of ``holotype publish``.

    Raises:
        SourceError: when the format cannot hold these answers.
    """
    with scratch_folder(done.folder) as scratch:
        how = made(done.answers)
        table = _with_images(workbench, done, scratch) if form in WITH_IMAGES else done.table
        out, _ = write_form(table, form, scratch, dated=how.dated, version=how.version)
        return out.name, out.read_bytes()


def write_form(
    table: pa.Table, form: str, folder: Path, *, dated: str, version: str = __version__
) -> tuple[Path, PublishReport | None]:
    """Writes answers in a format.

    Args:
        table: of ``ANSWER_SCHEMA``.
        form: one of ``TABLES``, or of ``holotype publish``.
        folder: where to; nothing else lies there.
        dated: when they were made.
        version: of Holotype that made them.

    Returns:
        The file, a zip for a format that is a folder; and what of the answers is in it, where not all are.

    Raises:
        SourceError: when the format cannot hold these answers.
    """
    if form in TABLES:
        out = folder / f"answers{TABLES[form]}"
        write_tables([table], ANSWER_SCHEMA, out, temporary=folder / "whole")
        return out, None
    out = folder / f"{form}-answers{ENDINGS_OF.get(form, '')}"
    done = publish_table(table, to=form, out=out, dated=dated, version=version)
    if out.is_file():
        return out, done
    packed = folder / f"{out.name}.zip"
    with container(packed) as archive:
        for path in sorted(out.rglob("*")):
            if path.is_file():
                archive.add_file(path.relative_to(out).as_posix(), path)
    return packed, done


def _with_images(workbench: Workbench, done: Identification, scratch: Path) -> pa.Table:
    """Returns the answers with files of ours as their inputs, written below ``scratch``.

    Names of visitors are no paths: a format that looks for images would find those of this machine.
    """
    folder = scratch / "images"
    folder.mkdir()
    place_of = {name: row for row, name in enumerate(done.table["input"].to_pylist())}
    found, _ = _specimens(workbench, done.uploads, scratch)
    paths = [str(folder / f"none-{row}") for row in range(done.table.num_rows)]
    for one in found:
        row = place_of.get(one.input)
        if row is None or one.read_image is None:
            continue
        try:
            content = one.read_image()
        except (HolotypeError, OSError, ValueError):
            continue
        path = folder / f"{row}.{image_ending(content)}"
        path.write_bytes(content)
        paths[row] = str(path)
    at = done.table.schema.get_field_index("input")
    return done.table.set_column(at, "input", pa.array(paths, pa.string()))
