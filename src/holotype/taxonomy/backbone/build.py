"""A snapshot of a reference taxonomy -> one backbone file."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from holotype._version import __version__
from holotype.errors import TaxonomyError, did_you_mean
from holotype.files import CHUNK_BYTES, sha256_file
from holotype.taxonomy.backbone.assemble import assemble, count_statuses
from holotype.taxonomy.backbone.bold import read_bold
from holotype.taxonomy.backbone.coldp import read_coldp
from holotype.taxonomy.backbone.dwca import read_dwca
from holotype.taxonomy.backbone.lineages import read_lineages, rows_of_lineages
from holotype.taxonomy.backbone.ncbi import read_ncbi
from holotype.taxonomy.backbone.store import write_backbone

Rows = tuple[pa.Table, dict[str, int]]


def _read_lineages(path: Path) -> Rows:
    return rows_of_lineages(read_lineages(path))


KINDS: Mapping[str, Callable[[Path], Rows]] = {
    "worms": lambda path: read_dwca(path, authority="aphia_id"),
    "gbif": lambda path: read_dwca(path, authority="gbif_id"),
    "dwca": lambda path: read_dwca(path, authority=None),
    "coldp": read_coldp,
    "ncbi": read_ncbi,
    "bold": read_bold,
    "lineages": _read_lineages,
}
"""The kinds of snapshot, and what reads each: its rows, and how many inputs had each problem."""


@dataclass(frozen=True)
class BackboneReport:
    """What became of a snapshot.

    Attributes:
        backbone: the file written.
        kind: of the snapshot.
        snapshot: its version or date.
        sha256: of the snapshot (a folder: of its files' names and contents).
        names: how many names the backbone has.
        statuses: names by status; they add up to ``names``.
        problems: how many rows had each problem; they are kept unless the word says otherwise.
    """

    backbone: str
    kind: str
    snapshot: str
    sha256: str
    names: int
    statuses: Mapping[str, int]
    problems: Mapping[str, int] = field(default_factory=dict)


def build_backbone(
    kind: str,
    snapshot: Path | str,
    *,
    out: Path | str,
    version: str | None = None,
    name: str | None = None,
) -> BackboneReport:
    """Reads a snapshot of a reference taxonomy and writes it as one backbone file.

    Args:
        kind: one of ``KINDS``.
        snapshot: file or folder, as its publisher gives it.
        out: the Parquet file to write.
        version: of the snapshot; by default the date of its file.
        name: what records say the names are from; by default the kind.

    Raises:
        TaxonomyError: when the snapshot as a whole cannot be read. Bad rows are counted instead.
    """
    if kind not in KINDS:
        raise TaxonomyError(f"no kind of backbone '{kind}'.{did_you_mean(kind, sorted(KINDS))}")
    path = Path(snapshot)
    if not path.exists():
        raise TaxonomyError(f"{path}: no such file or folder. Check the path of the snapshot.")
    raw, problems = KINDS[kind](path)
    return write_rows(raw, problems, kind=kind, out=Path(out), sha256=_fingerprint(path),
                      snapshot=version or _date_of(path), name=name or kind)  # fmt: skip


def write_rows(
    raw: pa.Table,
    problems: Mapping[str, int],
    *,
    kind: str,
    out: Path,
    sha256: str,
    snapshot: str,
    name: str,
) -> BackboneReport:
    """Puts raw rows together and writes them as a backbone file; see ``build_backbone``."""
    try:
        table, found = assemble(raw)
    except TaxonomyError as reason:
        raise TaxonomyError(f"{name} {snapshot}: {reason}") from None
    total = {key: problems.get(key, 0) + found.get(key, 0) for key in sorted({*problems, *found})}
    report = BackboneReport(
        backbone=str(out),
        kind=kind,
        snapshot=snapshot,
        sha256=sha256,
        names=table.num_rows,
        statuses=count_statuses(table),
        problems=total,
    )
    if sum(report.statuses.values()) != report.names:
        raise AssertionError("the statuses of a backbone do not add up")
    origin = {
        **asdict(report),
        "name": name,
        "made_on": datetime.now(UTC).date().isoformat(),
        "holotype": __version__,
    }
    origin.pop("backbone")
    write_backbone(table, origin, out)
    return report


def _date_of(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()


def _fingerprint(path: Path) -> str:
    """Returns the SHA-256 of a file, or of a folder's files with their names."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for inside in sorted(found for found in path.rglob("*") if found.is_file()):
        digest.update(inside.relative_to(path).as_posix().encode())
        with inside.open("rb") as handle:
            while chunk := handle.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()
