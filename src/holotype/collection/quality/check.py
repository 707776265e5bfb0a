"""Every check of a collection: findings as a table beside it, a report for a person, and the safe repairs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pyarrow.parquet as pq

from holotype import files
from holotype.collection.quality import taxa
from holotype.collection.quality.barcodes import barcode_faults
from holotype.collection.quality.copies import identical_images
from holotype.collection.quality.finding import Check, Finding, Severity, findings_table
from holotype.collection.quality.image_faults import image_faults
from holotype.collection.quality.lookalikes import similar_images
from holotype.collection.quality.mending import mend
from holotype.collection.quality.misplaced import misplaced_barcodes
from holotype.collection.store import Collection, open_collection
from holotype.progress import note

FINDINGS_FILE = "findings.parquet"


class Fix(StrEnum):
    """What ``check`` may change: nothing, or what is safe and can be taken back."""

    NOTHING = "nothing"
    SAFE = "safe"


@dataclass(frozen=True)
class CheckCount:
    """How many findings one check has in one source, and the gravest of them."""

    check: str
    severity: str
    source: str | None
    findings: int
    fixable: int
    example: str


@dataclass(frozen=True)
class CheckReport:
    """What a check of a collection found.

    Attributes:
        collection: its folder.
        records: how many it holds (after the repairs).
        findings: how many findings there are, by severity.
        counts: the findings by check and source, in the order of the report.
        mended: how many records each repair changed.
        not_judged: what could not be judged, and of how many records.
        table: the file with all findings.
        report: the page for a person; None when none was asked for.
    """

    collection: str
    records: int
    findings: Mapping[str, int]
    counts: Sequence[CheckCount]
    mended: Mapping[str, int]
    not_judged: Mapping[str, int]
    table: str
    report: str | None = None


@dataclass(frozen=True)
class _Found:
    findings: list[Finding] = field(default_factory=list)
    not_judged: Mapping[str, int] = field(default_factory=dict)


def check(
    collection: Path | str, *, fix: Fix = Fix.NOTHING, out: Path | str | None = None
) -> CheckReport:
    """Checks a collection, writes ``findings.parquet`` into it, and returns what was found.

    With ``Fix.SAFE`` the safe repairs are made first and the collection is checked again, so that the
    findings are those of the collection as it is now. A second time finds nothing more to repair.

    Args:
        collection: its folder.
        fix: what may be changed.
        out: folder for the page ``index.html``; none is written without it.

    Raises:
        CollectionError: when the collection cannot be opened or rewritten.
    """
    path = Path(collection)
    opened = open_collection(path)
    found = _check_all(opened)
    mended: Mapping[str, int] = {}
    if fix is Fix.SAFE and any(one.fix for one in found.findings):
        mended = {repair.value: count for repair, count in mend(path, found.findings).items()}
        opened = open_collection(path)
        found = _check_all(opened)
    table = findings_table(found.findings).replace_schema_metadata(
        {"holotype": f'{{"collection": "{opened.fingerprint}"}}'}
    )
    with files.written_whole(path / FINDINGS_FILE) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    page = None
    if out is not None:
        from holotype.collection.quality.page import write_page

        page = write_page(opened, table, Path(out), not_judged=found.not_judged)
    severities = Counter(table["severity"].to_pylist())
    return CheckReport(
        collection=str(path),
        records=len(opened),
        findings={severity.value: severities[severity.value] for severity in Severity},
        counts=count_findings(found.findings),
        mended=mended,
        not_judged=found.not_judged,
        table=str(path / FINDINGS_FILE),
        report=str(page) if page else None,
    )


def _check_all(collection: Collection) -> _Found:
    note(f"check {collection.name}: images")
    findings = [
        *identical_images(collection),
        *similar_images(collection),
        *image_faults(collection),
    ]
    note(f"check {collection.name}: barcodes")
    faults = barcode_faults(collection)
    findings += faults.findings
    note(f"check {collection.name}: barcodes against names")
    findings += taxa.shared_barcodes(collection)
    findings += taxa.bin_conflicts(collection)
    findings += misplaced_barcodes(collection, turned=faults.turned, left_out=faults.off_marker)
    return _Found(findings, dict(sorted(faults.not_judged.items())))


def count_findings(findings: Sequence[Finding]) -> list[CheckCount]:
    """Returns the findings counted by check and source, the checks in the order of the report."""
    gravity = list(Severity)
    order = list(Check)
    groups: dict[tuple[Check, str], list[Finding]] = {}
    for found in findings:
        groups.setdefault((found.check, found.source or ""), []).append(found)
    counts = []
    for (kind, source), members in sorted(
        groups.items(), key=lambda g: (order.index(g[0][0]), g[0][1])
    ):
        worst = min(members, key=lambda found: gravity.index(found.severity))
        counts.append(
            CheckCount(
                check=kind.value,
                severity=worst.severity.value,
                source=source or None,
                findings=len(members),
                fixable=sum(found.fix is not None for found in members),
                example=f"{worst.record_id}: {worst.detail}" if worst.record_id else worst.detail,
            )
        )
    return counts
