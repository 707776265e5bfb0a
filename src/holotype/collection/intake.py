"""Inputs -> a collection, with a ledger that adds up.

Items stream through in shards; each finished shard is kept with its ledger, so an interrupted import
goes on where it stopped. The manifest is written last.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype import files
from holotype._version import __version__
from holotype.collection.quality import Findings, find_quality_issues
from holotype.collection.schema import FORMAT, LEDGER_SCHEMA, VERSION, Outcome
from holotype.collection.sources import SOURCES
from holotype.collection.sources.item import SourceOptions
from holotype.collection.staging import Job, Seen, stage
from holotype.collection.store import MANIFEST, open_collection
from holotype.errors import CollectionError, SourceError, did_you_mean
from holotype.progress import note
from holotype.taxonomy.label_table import LabelTable, read_label_table


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        collection: its folder.
        records: how many records the collection holds now.
        outcomes: items read in this run, by what became of them; their sum is ``items``.
        items: how many items the inputs held.
        labels: how many different written labels were met.
        labels_matched: how many of them the label table knows; None without a table.
        findings: duplicates and conflicts in the whole collection.
    """

    collection: str
    records: int
    items: int
    outcomes: Mapping[str, int]
    labels: int
    labels_matched: int | None
    findings: Findings = field(default_factory=Findings)

    @property
    def failed(self) -> int:
        """How many items could not be read."""
        return self.outcomes.get(Outcome.REJECTED, 0)


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
) -> ImportReport:
    """Reads inputs into a collection (a new one, or one that is there already).

    Args:
        kind: one of ``holotype.collection.sources.SOURCES``.
        inputs: folders, archives or files of that kind.
        into: the collection's folder.
        source: name of the data set; by default the input's file name without endings.
        labels: a label table, joined by (source, written label).
        preset: a named column map, for tables.
        columns: column of a collection -> column of the table.
        images: folder or archive that a table's image paths are relative to.

    Raises:
        SourceError, TaxonomyError, CollectionError: when an input as a whole cannot be used. Single
            bad items never raise: they are in the ledger.
    """
    if kind not in SOURCES:
        raise SourceError(f"no kind of input '{kind}'.{did_you_mean(kind, sorted(SOURCES))}")
    if not inputs:
        raise SourceError("no input given. Name at least one file or folder.")
    options = SourceOptions(preset, dict(columns or {}), Path(images) if images else None)
    table = read_label_table(Path(labels)) if labels else None
    jobs = [Job(kind, Path(path), source or source_name(Path(path)), options) for path in inputs]
    for job in jobs:
        if table is not None:
            table.check_source(job.source)
    return _run(jobs, table, Path(into))


def source_name(path: Path) -> str:
    """Returns a file name without the endings of archives and tables."""
    name = path.name or path.resolve().name
    for ending in (".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".csv", ".tsv", ".parquet"):
        name = name.removesuffix(ending)
    return name.removesuffix(".fasta").removesuffix(".fas").removesuffix(".fa") or "source"


def _run(jobs: Sequence[Job], table: LabelTable | None, into: Path) -> ImportReport:
    existing = open_collection(into) if (into / MANIFEST).exists() else None
    others = {p.name for p in into.iterdir()} if into.is_dir() else set()
    others = {name for name in others if not name.endswith(".part")}
    if existing is None and not others <= {".intake", "records", "ledger.parquet"}:
        raise CollectionError(f"{into}: holds other files. Name an empty or new folder.")
    seen = Seen()
    if existing is not None:
        seen.add_table(existing.columns(list(Seen.COLUMNS)))
    staged: list[Path] = []
    imports_before = len(existing.manifest["imports"]) if existing else 0
    for number, job in enumerate(jobs, start=imports_before):
        folder = into / ".intake" / job.key(table, number)
        stage(job, table, folder, seen)
        staged.append(folder)
    ledgers = [pq.read_table(p) for folder in staged for p in sorted(folder.glob("ledger-*"))]
    ledger = pa.concat_tables(ledgers) if ledgers else LEDGER_SCHEMA.empty_table()
    if not ledger.num_rows:
        files.remove_folder(into / ".intake")
        raise SourceError(f"{jobs[0].path}: nothing in it. Check the path.")
    shards = _publish(staged, into, already=len(existing.manifest["shards"]) if existing else 0)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "name": existing.name if existing else into.name,
        "holotype": __version__,
        "shards": [*(existing.manifest["shards"] if existing else []), *shards],
        "imports": [
            *(existing.manifest["imports"] if existing else []),
            *(_describe(job, table) for job in jobs),
        ],
        "outcomes": {},
        "findings": {},
    }
    whole_ledger = pa.concat_tables([existing.ledger(), ledger]) if existing else ledger
    with files.written_whole(into / "ledger.parquet") as temporary:
        pq.write_table(whole_ledger, temporary)
    manifest["outcomes"] = dict(sorted(Counter(whole_ledger["outcome"].to_pylist()).items()))
    findings = find_quality_issues([into / shard["path"] for shard in manifest["shards"]])
    manifest["findings"] = asdict(findings)
    files.write_json(into / MANIFEST, manifest)
    files.remove_folder(into / ".intake")
    return _report(into, ledger, table, findings)


def _publish(staged: Sequence[Path], into: Path, *, already: int) -> list[dict[str, Any]]:
    """Puts finished shards in their place and returns their entries in the manifest.

    The staged files stay until the manifest is written: a crash in between costs nothing. A place is named
    by number and content, so no shard of an earlier import is ever overwritten.
    """
    (into / "records").mkdir(parents=True, exist_ok=True)
    shards: list[dict[str, Any]] = []
    for folder in staged:
        for path in sorted(folder.glob("shard-*.parquet")):
            rows, digest = pq.read_metadata(path).num_rows, files.sha256_file(path)
            place = into / "records" / f"{already + len(shards):05d}-{digest[:12]}.parquet"
            with files.written_whole(place) as temporary:
                shutil.copyfile(path, temporary)
            inside = place.relative_to(into).as_posix()
            shards.append({"path": inside, "rows": rows, "sha256": digest})
    return shards


def _describe(job: Job, table: LabelTable | None) -> dict[str, Any]:
    return {
        "kind": job.kind,
        "input": job.path.name,
        "source": job.source,
        "sha256": files.sha256_file(job.path) if job.path.is_file() else None,
        "preset": job.options.preset,
        "columns": dict(job.options.columns),
        "labels": table.path.name if table else None,
        "labels_sha256": files.sha256_file(table.path) if table else None,
    }


def _report(
    into: Path, ledger: pa.Table, table: LabelTable | None, findings: Findings
) -> ImportReport:
    collection = open_collection(into)
    outcomes = Counter(ledger["outcome"].to_pylist())
    if sum(outcomes.values()) != ledger.num_rows:
        raise AssertionError("the ledger does not add up")
    _tell(ledger)
    columns = collection.columns(["source", "written_label"])
    pairs = set(zip(*(columns[c].to_pylist() for c in ("source", "written_label")), strict=True))
    met = {(source, label) for source, label in pairs if label is not None}
    matched = sum(table.find(*pair) is not None for pair in met) if table else None
    return ImportReport(
        collection=str(into),
        records=len(collection),
        items=ledger.num_rows,
        outcomes=dict(sorted(outcomes.items())),
        labels=len(met),
        labels_matched=matched,
        findings=findings,
    )


def _tell(ledger: pa.Table, *, lines: int = 8) -> None:
    """Prints one line on stderr for each of the first items that have something to say."""
    for outcome in (Outcome.REJECTED, Outcome.REPEATED, Outcome.IMPORTED_WITH_NOTE):
        told = ledger.filter(pc.equal(ledger["outcome"], outcome.value))
        for entry in told.slice(0, lines).to_pylist():
            row = f", row {entry['row']}" if entry["row"] is not None else ""
            note(f"{outcome.value}: {entry['input']}: {entry['item']}{row}: {entry['detail']}")
        if told.num_rows > lines:
            note(f"{outcome.value}: {told.num_rows - lines:,} more, all in ledger.parquet")
