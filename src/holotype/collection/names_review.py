"""The review of names: a table that a taxonomist edits in a spreadsheet (docs/formats/names-review.md).

It is written for spreadsheets (UTF-8 with a byte order mark, no cell that begins a formula), read with care:
``;`` or tabs between columns, another order of columns or rows, all of that is well.
"""

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from holotype import files
from holotype.errors import TaxonomyError, did_you_mean, first_few
from holotype.taxonomy.matching.outcome import SURE, MatchStatus, NameMatch

COLUMNS = ("attention", "source", "written_label", "records", "status", "proposed_taxon", "rank", "lineage",
           "how", "score", "reason", "candidates", "decision", "reviewer", "comment", "taxon_id",
           "given_lineage", "backbone", "row_key")  # fmt: skip
NEEDED = ("row_key", "status", "taxon_id", "backbone", "decision")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")  # noqa: RUF001 - as spreadsheets read them
MAX_PROBLEMS = 20
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])?", re.IGNORECASE)


class Decision(StrEnum):
    """What a reviewer may write; anything else is the id or the name of a taxon."""

    ACCEPT = "accept"
    REJECT = "reject"
    NOT_A_TAXON = "not a taxon"


class Attention(StrEnum):
    """How much a row needs a person."""

    DECIDE = "decide"
    CHECK = "check"
    NONE = ""


@dataclass(frozen=True)
class ReviewRow:
    """One name of a collection, as the review has it: its columns as text, and its row in the file."""

    attention: str
    source: str
    written_label: str
    records: str
    status: str
    proposed_taxon: str
    rank: str
    lineage: str
    how: str
    score: str
    reason: str
    candidates: str
    decision: str
    reviewer: str
    comment: str
    taxon_id: str
    given_lineage: str
    backbone: str
    row_key: str
    number: int = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing can be done before someone decides."""
        return self.status == MatchStatus.AMBIGUOUS and not self.decision


def row_key(source: str, written: str, given: str) -> str:
    """Returns the key of a name in a review: it stays when a spreadsheet mends the label."""
    text = "\x1f".join((source, written, given))
    return "k" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def review_row(match: NameMatch, *, written: str, given: str, records: int) -> ReviewRow:
    """Returns the row of one answer."""
    taxon = match.taxon
    return ReviewRow(
        attention=attention(match).value,
        source=match.query.source,
        written_label=written,
        records=str(records),
        status=match.status.value,
        proposed_taxon=taxon.name if taxon else "",
        rank=taxon.rank.value if taxon and taxon.rank else "",
        lineage=" > ".join(name for _, name in taxon.lineage) if taxon else "",
        how=match.how.value if match.how else "",
        score=f"{match.score:g}" if taxon else "",
        reason=match.reason,
        candidates="; ".join(f"{found.taxon_id} = {found.label}" for found in match.candidates),
        decision="",
        reviewer="",
        comment="",
        taxon_id=taxon.taxon_id if taxon else "",
        given_lineage=given,
        backbone=match.backbone,
        row_key=row_key(match.query.source, written, given),
    )


def attention(match: NameMatch) -> Attention:
    """Returns how much an answer needs a person."""
    if match.status in (MatchStatus.AMBIGUOUS, MatchStatus.SERVICE_FAILED):
        return Attention.DECIDE
    if match.status is MatchStatus.NO_MATCH:
        return Attention.NONE if match.names_no_taxon else Attention.CHECK
    return Attention.NONE if match.how in SURE else Attention.CHECK


_ORDER = {Attention.DECIDE.value: 0, Attention.CHECK.value: 1, Attention.NONE.value: 2}


def write_review(rows: Sequence[ReviewRow], out: Path) -> None:
    """Writes a review, the rows that need a person first, then the commonest."""
    ordered = sorted(
        rows,
        key=lambda r: (_ORDER[r.attention], -int(r.records), r.source, r.written_label, r.row_key),
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in ordered:
        writer.writerow([safe_cell(getattr(row, name)) for name in COLUMNS])
    files.write_text(out, "\ufeff" + text.getvalue())


def safe_cell(text: str) -> str:
    """Returns a cell that no spreadsheet takes for a formula; ``plain_cell`` turns it back."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain_cell(text: str) -> str:
    """Returns what ``safe_cell`` was given."""
    return text[1:] if text.startswith("'") else text


def read_review(path: Path) -> list[ReviewRow]:
    """Returns the rows of a review, edited or not, in the order of the file.

    Raises:
        TaxonomyError: names file, row, column and remedy of everything that is wrong, together.
    """
    header, cells = _table(path)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise TaxonomyError(
            f"{path}, row 1: no column {first_few(missing)}; found {first_few(header)}. "
            "Keep the columns of the review as holotype names match wrote them."
        )
    rows: list[ReviewRow] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    for number, row in cells:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            problems.append(
                f"row {number}: {len(row)} columns, not {len(header)}: quote cells that hold the delimiter"
            )
            continue
        found = dict(zip(header, row, strict=True))
        record = ReviewRow(
            **{name: plain_cell(found.get(name, "")) for name in COLUMNS}, number=number
        )
        problem = _problem(record, seen.setdefault(record.row_key, number), number)
        if problem:
            problems.append(f"row {number}, {problem}")
        rows.append(record)
    if problems:
        more = f" and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
        raise TaxonomyError(f"{path}: " + "; ".join(problems[:MAX_PROBLEMS]) + more)
    return rows


def _problem(row: ReviewRow, first: int, number: int) -> str:
    """Returns what is wrong with a row, as "column ...: found. Remedy", "" for nothing."""
    if first != number:
        return f"column row_key: '{row.row_key}' is in row {first} too. Keep one of the two"
    if not row.row_key.startswith("k") or len(row.row_key) != 17:
        return f"column row_key: '{row.row_key[:40]}' is no key. Copy it from the first review"
    if row.status not in set(MatchStatus):
        near = did_you_mean(row.status[:40], list(MatchStatus))
        return f"column status: '{row.status[:40]}'.{near} Leave it as it was"
    decision = decision_of(row)
    if decision is Decision.ACCEPT and not row.taxon_id:
        return "column decision: accept, but no taxon is proposed. Write the id or the name of one, or reject"
    if isinstance(decision, str) and not isinstance(decision, Decision) and len(decision) > 200:
        return "column decision: too long for a name. Write accept, reject, not a taxon, or a taxon"
    return ""


def decision_of(row: ReviewRow) -> Decision | str:
    """Returns the decision of a row: one of ours, the id or name of a taxon, "" for none yet."""
    text = " ".join(row.decision.split())
    word = text.lower().replace("_", " ").rstrip(".")
    return Decision(word) if word in set(Decision) else text


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Returns header and numbered rows of a review, whatever a spreadsheet put between the columns."""
    if not path.is_file():
        raise TaxonomyError(f"{path}: no such file. Make it with: holotype names match.")
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TaxonomyError(f"{path}: in UTF-16. Save it as CSV UTF-8.")
    if content.startswith(b"PK\x03\x04"):
        raise TaxonomyError(f"{path}: a workbook, not a CSV. Save it as CSV UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        line = content[: reason.start].count(b"\n") + 1
        raise TaxonomyError(
            f"{path}, row {line}: not UTF-8 (byte 0x{content[reason.start]:02x}, Latin-1?). "
            "Save it as CSV UTF-8."
        ) from None
    lines = text.split("\n", 2)
    told = _SEPARATOR_LINE.fullmatch(lines[0].strip('\r "')) if len(lines) > 1 else None
    first = lines[1] if told else lines[0]
    delimiter = told[1] if told and told[1] else max(",;\t", key=first.count)
    skipped = 1 if told else 0
    csv.field_size_limit(1 << 24)
    rows: list[tuple[int, list[str]]] = []
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1
        ):
            rows.append((number, row))
    except csv.Error as reason:
        raise TaxonomyError(
            f"{path}, row {len(rows) + 1}: {reason}. Save it as CSV UTF-8."
        ) from None
    if len(rows) <= skipped:
        raise TaxonomyError(f"{path}: empty. Make it with: holotype names match.")
    return [name.strip().lower() for name in rows[skipped][1]], rows[skipped + 1 :]
