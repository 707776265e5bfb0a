"""The safe repairs: what is certain and can be taken back. Each is in the ledger; nothing is guessed.

A barcode on the other strand is turned; the letters as given stay in ``extra``. A record that repeats another
one of its source in every column is set aside: the image stays with the other, and the ledger says which.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.quality.finding import Finding, Repair
from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import LEDGER_SCHEMA, Outcome
from holotype.media.barcodes import clean_barcode
from holotype.media.strands import reverse_complement

AS_GIVEN = "barcode_as_given"
"""Where ``extra`` keeps the letters of a barcode that was turned."""
_REASONS = {
    Repair.REVERSE_COMPLEMENT: (
        "turned",
        "barcode turned to the strand of its marker; as given in extra",
    ),
    Repair.SET_ASIDE: ("repeated_record", "same image and same columns as {other}; set aside"),
}


def mend(path: Path, findings: Sequence[Finding]) -> dict[Repair, int]:
    """Makes the safe repairs that the findings ask for, and returns how many records each changed.

    Raises:
        CollectionError: when the collection cannot be rewritten; then it is as it was.
    """
    wanted = {
        found.record_id: (found.fix, found.other_record_id)
        for found in findings
        if found.fix is not None and found.record_id is not None
    }
    if not wanted:
        return {}
    ids = {repair: _ids(wanted, repair) for repair in Repair}

    def change(records: pa.Table) -> pa.Table:
        away = pc.is_in(records["record_id"], ids[Repair.SET_ASIDE])
        return _turned(records.filter(pc.invert(away)), ids[Repair.REVERSE_COMPLEMENT])

    counts = Counter(repair for repair, _ in wanted.values())
    step = {"step": "check", **{repair.value: counts[repair] for repair in Repair}}
    rewrite_records(path, change, step=step, ledger=_entries(wanted))
    return dict(counts)


def _ids(wanted: Mapping[str, tuple[Repair, str | None]], repair: Repair) -> pa.Array:
    return pa.array([i for i, (found, _) in wanted.items() if found is repair], pa.string())


def _turned(records: pa.Table, ids: pa.Array) -> pa.Table:
    """Returns the records with the barcodes of some of them turned."""
    turn = pc.is_in(records["record_id"], ids).to_pylist()
    if not any(turn):
        return records
    rows = records.select(["barcode", "haplotype", "extra"]).to_pylist()
    changed = [
        _turned_row(row) if is_to_turn else row for row, is_to_turn in zip(rows, turn, strict=True)
    ]
    for name in ("barcode", "haplotype", "extra"):
        place = records.schema.get_field_index(name)
        values = pa.array([row[name] for row in changed], records.schema.field(place).type)
        records = records.set_column(place, records.schema.field(place), values)
    return records


def _turned_row(row: Mapping[str, Any]) -> dict[str, Any]:
    barcode = clean_barcode(reverse_complement(row["barcode"]))
    extra = json.loads(row["extra"]) if row["extra"] else {}
    extra[AS_GIVEN] = row["barcode"]
    return {
        "barcode": barcode.nucleotides,
        "haplotype": barcode.haplotype,
        "extra": json.dumps(extra, ensure_ascii=False),
    }


def _entries(wanted: Mapping[str, tuple[Repair, str | None]]) -> pa.Table:
    rows = []
    for record_id, (repair, other) in wanted.items():
        reason, detail = _REASONS[repair]
        away = repair is Repair.SET_ASIDE
        rows.append(
            {
                "record_id": record_id,
                "outcome": (Outcome.SET_ASIDE if away else Outcome.IMPORTED_WITH_NOTE).value,
                "reason": reason,
                "detail": detail.format(other=other),
            }
        )
    return pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)
