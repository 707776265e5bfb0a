"""Inputs -> a collection, with a ledger that adds up.

Each input is listed, its chunks are examined in parallel, ids are settled, and shards and ledger are put in
their places; the manifest is written last. An interrupted import goes on where it stopped.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype import files
from holotype.collection.assembly import Staged, keys_of_shards, publish, settle_ids
from holotype.collection.examination import Examination
from holotype.collection.import_report import ImportReport, report_of
from holotype.collection.known_sources import constants_of_source
from holotype.collection.listing import Job, list_input
from holotype.collection.manifest import INTAKE, OURS, write_manifest
from holotype.collection.reading.fields import parse_number
from holotype.collection.schema import BOUNDS, COLUMN_NAMES, REAL_COLUMNS
from holotype.collection.sources import find_source
from holotype.collection.sources.item import SourceOptions
from holotype.collection.sources.table import FOUND_BY_INTAKE
from holotype.collection.store import MANIFEST, Collection, open_collection
from holotype.engine import LOCAL, check_engine, run_tasks
from holotype.errors import CollectionError, SourceError, did_you_mean
from holotype.progress import note, tracked
from holotype.taxonomy.label_table import LabelTable, read_label_table

EXAMINE = "holotype.collection.examination:examine_chunk"


class Existing(StrEnum):
    """What to do with records of the same source that the collection has already."""

    KEEP = "keep"
    REPLACE = "replace"


def import_(
    kind: str,
    inputs: Sequence[Path | str],
    *,
    into: Path | str,
    source: str | None = None,
    labels: Path | str | None = None,
    preset: str | None = None,
    columns: Mapping[str, str] | None = None,
    images: Path | str | None = None,
    annotations: Path | str | None = None,
    label_folder: int = 1,
    inside: str | None = None,
    constants: Mapping[str, str] | None = None,
    existing: Existing | str = Existing.KEEP,
    engine: str = LOCAL,
) -> ImportReport:
    """Reads inputs into a collection (a new one, or one that is there already).

    Args:
        kind: one of ``holotype.collection.sources.sources()``.
        inputs: folders, archives or files of that kind.
        into: the collection's folder.
        source: name of the data set; by default the input's file name without endings.
        labels: a label table, joined by (source, written label).
        preset: a named column map, for tables.
        columns: column of a collection -> column of the table.
        images: folder or archive that a table's image paths are relative to.
        annotations: file or folder with the labels, where they do not lie beside the images.
        label_folder: which folder above an image is its label, for class folders: 1 is the nearest.
        inside: folder of the input that alone is read, for class folders.
        constants: column of a collection -> text for the records whose source does not give it
            (instrument, licence, citation, cruise, latitude_deg ...).
        existing: whether records of the same source stay, or make way for these.
        engine: ``local``, ``ray`` or ``ray://host:port``; the records are the same.

    Raises:
        SourceError, TaxonomyError, CollectionError, EngineError: when an input as a whole cannot be used.
            Single bad items never raise: they are in the ledger.
    """
    kind = find_source(kind).name
    check_engine(engine)
    if not inputs:
        raise SourceError("no input given. Name at least one file or folder.")
    if label_folder < 1:
        raise SourceError(f"--label-folder {label_folder}: 1 is the folder that the image lies in.")
    table = read_label_table(Path(labels)) if labels else None
    options = SourceOptions(
        preset=preset,
        columns=dict(columns or {}),
        images=Path(images).absolute() if images else None,
        annotations=Path(annotations).absolute() if annotations else None,
        label_folder=label_folder,
        inside=inside.strip("/") if inside else None,
        spool=Path(into).absolute() / INTAKE / "unpacked",
    )
    jobs = [Job(kind, Path(path), source or source_name(Path(path)), options) for path in inputs]
    if existing not in set(Existing):
        raise SourceError(f"no --existing {existing}.{did_you_mean(str(existing), [*Existing])}")
    for job in jobs:
        _check_source_name(job.source)
        if table is not None:
            table.check_source(job.source)
    given = _checked_constants({**_constants_of(kind), **(constants or {})})
    with files.only_one(_own_folder(Path(into))):
        return _run(jobs, table, Path(into), given, Existing(existing), engine)


def source_name(path: Path) -> str:
    """Returns a file name without the endings of archives and tables."""
    name = path.name or path.resolve().name
    for ending in (".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".csv", ".tsv", ".parquet"):
        name = name.removesuffix(ending)
    return name.removesuffix(".fasta").removesuffix(".fas").removesuffix(".fa") or "source"


def _constants_of(kind: str) -> dict[str, str]:
    instrument = find_source(kind).instrument
    return {"instrument": instrument} if instrument else {}


_NO_CONSTANTS = FOUND_BY_INTAKE | {
    "record_id", "specimen_id", "image", "image_url", "barcode", "licence_from", "name_status",
    "name_match", "backbone", "content_hash", "given_lineage", "image_flags",
}  # fmt: skip


def _checked_constants(constants: Mapping[str, str]) -> dict[str, str]:
    given = [name for name in COLUMN_NAMES if name not in _NO_CONSTANTS]
    for name, text in constants.items():
        if name in _NO_CONSTANTS:
            raise SourceError(f"constant {name}={text}: each record has its own; leave it out.")
        if name not in given:
            raise SourceError(f"a collection has no column '{name}'.{did_you_mean(name, given)}")
        if name in REAL_COLUMNS:
            low, high = BOUNDS[name]
            number = parse_number(text)
            if number is None or not low <= number <= high:
                raise SourceError(
                    f"constant {name}={text}: give a number from {low:g} to {high:g}."
                )
    return dict(constants)


def _check_source_name(name: str) -> None:
    if "/" in name or not name.strip() or not name.isprintable():
        raise SourceError(
            f"source {name!r}: ids are made of it and '/'. Name it with --source, in printable "
            "letters without '/'."
        )


def _refuse_to_empty(before: Collection | None, fresh: Sequence[Mapping[str, Any]]) -> None:
    """Keeps a source that would be replaced by nothing."""
    for source in before.sources if before is not None else []:
        own = [one for one in fresh if one["source"] == source]
        if own and not any(shard["rows"] for one in own for shard in one["shards"]):
            raise CollectionError(
                f"no record of the input can be read, so source '{source}' stays as it is. Look at "
                "the lines above, or take it out with holotype drop."
            )


def _steps_after(
    before: Collection | None, fresh: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the steps so far; where there are any, they do not hold for what was imported after them."""
    steps = list(before.manifest["steps"]) if before is not None else []
    if steps:
        done = ", ".join(dict.fromkeys(str(step.get("step")) for step in steps))
        note(f"done before this import, and not on its records: {done}. Run these again.")
        steps.append({"step": "import", "sources": [one["source"] for one in fresh]})
    return steps


def _own_folder(into: Path) -> Path:
    if not (into / MANIFEST).exists() and into.is_dir():
        others = {path.name for path in into.iterdir() if not path.name.endswith(".part")}
        if not others <= OURS:
            raise CollectionError(f"{into}: holds other files. Name an empty or new folder.")
    return into


def _run(
    jobs: Sequence[Job],
    table: LabelTable | None,
    into: Path,
    constants: Mapping[str, str],
    existing: Existing,
    engine: str,
) -> ImportReport:
    before = open_collection(into) if (into / MANIFEST).exists() else None
    imports = list(before.manifest["imports"]) if before is not None else []
    if existing is Existing.REPLACE:
        replaced = {job.source for job in jobs}
        imports = [one for one in imports if one["source"] not in replaced]
    staged = _stage(jobs, table, into, constants, engine)
    fresh = []
    for source in dict.fromkeys(job.source for job in jobs):
        own = [one for one, job in zip(staged, jobs, strict=True) if job.source == source]
        shards = [s["path"] for one in imports if one["source"] == source for s in one["shards"]]
        settlement = settle_ids(keys_of_shards([into / path for path in shards]), own)
        for one, job in zip(own, (job for job in jobs if job.source == source), strict=True):
            placed, ledger, outcomes = publish(one, settlement, into)
            fresh.append(
                {
                    **_described(job, table, constants),
                    "items": ledger["rows"],
                    "outcomes": outcomes,
                    "shards": placed,
                    "ledger": ledger,
                }
            )
    if existing is Existing.REPLACE:
        _refuse_to_empty(before, fresh)
    write_manifest(
        into,
        name=before.name if before is not None else into.resolve().name,
        imports=[*imports, *fresh],
        steps=_steps_after(before, fresh),
    )
    files.take_away_folder(into / INTAKE)
    return report_of(open_collection(into), fresh, table)


def _stage(
    jobs: Sequence[Job],
    table: LabelTable | None,
    into: Path,
    constants: Mapping[str, str],
    engine: str,
) -> list[Staged]:
    """Lists and examines the inputs; what an interrupted import has done is not done again."""
    staged: list[Staged] = []
    tasks: list[str] = []
    place = table.path.absolute() if table else None
    labels = (str(place), files.sha256_file(place)) if place else None
    for number, job in enumerate(jobs):
        known = constants_of_source(job.source)
        work = Examination(job.path.resolve().name, job.source, labels, constants, known)
        folder = into.absolute() / INTAKE / f"{number:04d}-{work.fingerprint}"
        chunks = list_input(replace(job, path=job.path.absolute()), folder)
        if not chunks:
            files.take_away_folder(into / INTAKE)
            raise SourceError(f"{job.path}: nothing in it. Check the path.")
        staged.append(Staged(job.path.name, tuple(chunks)))
        tasks += [work.task(chunk) for chunk in chunks]
    done = run_tasks(EXAMINE, tasks, engine=engine)
    if len(tasks) > 1:
        done = tracked(done, title="examine (chunks)", total=len(tasks))
    deque(done, maxlen=0)
    return staged


def _described(job: Job, table: LabelTable | None, constants: Mapping[str, str]) -> dict[str, Any]:
    options = job.options
    return {
        "kind": job.kind,
        "input": job.path.name,
        "source": job.source,
        "sha256": files.sha256_file(job.path) if job.path.is_file() else None,
        "preset": options.preset,
        "columns": dict(options.columns),
        "constants": dict(constants),
        "annotations": options.annotations.name if options.annotations else None,
        "label_folder": options.label_folder,
        "inside": options.inside,
        "labels": table.path.name if table else None,
        "labels_sha256": files.sha256_file(table.path) if table else None,
    }
