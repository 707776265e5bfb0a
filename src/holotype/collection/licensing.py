"""Under which licences the records of a collection are, what that allows, and whom to credit.

A licence belongs to a record's image or barcode, not to the code beside it. Where none is stated nothing is
allowed; that is said, never assumed away.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.catalogue.licences import Answer, Licence, Use, licence_filter, may, parse_licence
from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import LEDGER_SCHEMA, Outcome
from holotype.collection.store import Collection, open_collection

CREDIT_COLUMNS = ("source", "licence", "rights_holder", "citation")
_LEDGER_NOTE = "licence_not_allowed"
_MARKDOWN = re.compile(r"[\\`*\[\]<>|]")


@dataclass(frozen=True)
class LicenceReport:
    """The licences of a collection.

    Attributes:
        collection: its folder.
        records: how many records it holds now.
        licences: records by licence; "not stated" where there is none.
        may: for each use (share, adapt, commercial): ``answer``, ``reasons`` and ``conditions`` for a data
            set or model made of all records.
        set_aside: records taken out because their licence is not one of those asked for.
        attribution: the file with the credits, or None where none was asked for.
    """

    collection: str
    records: int
    licences: Mapping[str, int]
    may: Mapping[str, Mapping[str, object]]
    set_aside: int = 0
    attribution: str | None = None


@cache
def licence_of(written: str | None) -> Licence:
    """Returns the licence of a record's ``licence`` column."""
    return parse_licence(written or "")


def licence_counts(table: pa.Table) -> dict[str, int]:
    """Returns the records by licence, commonest first."""
    counted = table.group_by("licence").aggregate([([], "count_all")])
    pairs = zip(counted["licence"].to_pylist(), counted["count_all"].to_pylist(), strict=True)
    named = {str(licence or "not stated"): count for licence, count in pairs}
    return dict(sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))


def what_may_be_done(licences: Mapping[str, int]) -> dict[str, dict[str, object]]:
    """Returns what each use of all these records together needs, as plain values for JSON and cards.

    Without a record nothing is known: the answers are ``unknown``.
    """
    if not licences:
        nothing = {"answer": Answer.UNKNOWN.value, "reasons": ["no records"], "conditions": []}
        return {use.value: dict(nothing) for use in Use}
    found = [licence_of(None if name == "not stated" else name) for name in licences]
    verdicts = {use.value: may(found, use) for use in Use}
    return {
        use: {
            "answer": verdict.answer.value,
            "reasons": list(verdict.reasons),
            "conditions": list(verdict.conditions),
        }
        for use, verdict in verdicts.items()
    }


def rows_allowed(licences: Sequence[str | None], patterns: Sequence[str]) -> NDArray[np.bool_]:
    """Returns for each record whether its licence is one of those allowed, bool (N,).

    Raises:
        SourceError: when a pattern names no licence.
    """
    test = licence_filter(patterns)
    known = {written: test(licence_of(written)) for written in set(licences)}
    return np.asarray([known[written] for written in licences], dtype=np.bool_)


def column_allowed(licences: pa.ChunkedArray, patterns: Sequence[str]) -> pa.ChunkedArray:
    """Returns ``rows_allowed`` of a whole column, as booleans: each licence is looked at once.

    Raises:
        SourceError: when a pattern names no licence.
    """
    written = licences.unique().to_pylist()
    fine = [
        name for name, good in zip(written, rows_allowed(written, patterns), strict=True) if good
    ]
    return pc.is_in(licences, pa.array(fine, pa.string()))


def markdown_line(text: str) -> str:
    r"""Returns a text as one line that Markdown shows as it is written: no heading, link or tag in it.

    >>> markdown_line(" Ann [1]  ")
    'Ann \\[1\\]'
    """
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def credits_text(table: pa.Table, *, title: str) -> str:
    """Returns the content of an ATTRIBUTION file: each source, licence, rights holder and citation once.

    Args:
        table: records with ``CREDIT_COLUMNS``.
        title: what the credits are for.
    """
    counted = table.select(CREDIT_COLUMNS).group_by(CREDIT_COLUMNS).aggregate([([], "count_all")])
    rows = sorted(
        counted.to_pylist(),
        key=lambda row: (row["source"], -row["count_all"], *(str(row[n]) for n in CREDIT_COLUMNS)),
    )
    lines = [f"# {markdown_line(title)}", ""]
    source = None
    for row in rows:
        if row["source"] != source:
            source = row["source"]
            lines += [f"## {markdown_line(source)}", ""]
        parts = [f"{row['count_all']:,} records", row["licence"] or "licence not stated"]
        parts += [f"rights holder: {row['rights_holder']}"] if row["rights_holder"] else []
        parts += [f"cite: {row['citation']}"] if row["citation"] else []
        lines.append("- " + "; ".join(map(markdown_line, parts)))
    return "\n".join(lines).replace("\n## ", "\n\n## ").replace("\n\n\n", "\n\n") + "\n"


def licences(
    collection: Path | str,
    *,
    allow: Sequence[str] = (),
    attribution: Path | str | None = None,
) -> LicenceReport:
    """Returns the licences of a collection and what they allow; takes out what is not allowed.

    Args:
        collection: its folder.
        allow: licences that may stay: ``CC-BY-4.0``, ``CC-BY*``, ``open``, ``non-commercial``, ``gbif``.
            Records under others are set aside with a reason in the ledger; without any, nothing changes.
        attribution: the file of credits to write.

    Raises:
        SourceError: when a pattern names no licence.
        CollectionError: when the collection cannot be opened.
    """
    path = Path(collection)
    opened = open_collection(path)
    gone = _set_aside(opened, allow) if allow else 0
    opened = open_collection(path)
    table = opened.columns(list(CREDIT_COLUMNS))
    counts = licence_counts(table)
    if attribution is not None:
        files.write_text(Path(attribution), credits_text(table, title=f"Sources of {opened.name}"))
    return LicenceReport(
        collection=str(path),
        records=len(opened),
        licences=counts,
        may=what_may_be_done(counts),
        set_aside=gone,
        attribution=str(attribution) if attribution is not None else None,
    )


def _set_aside(opened: Collection, allow: Sequence[str]) -> int:
    entries = pa.concat_tables(
        [LEDGER_SCHEMA.empty_table(), *(_entries(path, allow) for path in opened.shard_paths())]
    )
    if not entries.num_rows:
        return 0

    def change(shard: pa.Table) -> pa.Table:
        return shard.filter(column_allowed(shard["licence"], allow))

    step = {"step": "licences", "allow": list(allow)}
    rewrite_records(opened.path, change, step=step, ledger=entries)
    return int(entries.num_rows)


def _entries(shard: Path, allow: Sequence[str]) -> pa.Table:
    """Returns the ledger's entries for the records of a shard whose licence is not allowed."""
    table = pq.read_table(shard, columns=["record_id", "licence"])
    table = table.filter(pc.invert(column_allowed(table["licence"], allow)))
    wrong = table["licence"].unique()
    detail = [
        f"licence '{licence or 'not stated'}' is none of {', '.join(allow)}"
        for licence in wrong.to_pylist()
    ]
    place = pc.index_in(table["licence"], wrong)
    filled = {
        "record_id": table["record_id"],
        "outcome": pa.repeat(pa.scalar(Outcome.SET_ASIDE.value), table.num_rows),
        "reason": pa.repeat(pa.scalar(_LEDGER_NOTE), table.num_rows),
        "detail": pa.array(detail, pa.string()).take(place.combine_chunks()),
    }
    columns = [filled.get(f.name, pa.nulls(table.num_rows, f.type)) for f in LEDGER_SCHEMA]
    return pa.table(columns, schema=LEDGER_SCHEMA)
