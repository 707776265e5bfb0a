"""Answers that the tests of machine formats share: rows of the answer table, written out by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.identify.columns import ANSWER_SCHEMA, RANKS

GOLDEN = Path(__file__).parents[1] / "golden" / "answers"
DATED = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
BEAR = ("Animalia", "Chordata", "Mammalia", "Carnivora", "Ursidae", "Ursus", "Ursus arctos")
BLACK_BEAR = (*BEAR[:6], "Ursus americanus")
FLY = ("Animalia", "Arthropoda", "Insecta", "Diptera", "Syrphidae", "Eristalis", "Eristalis tenax")
NASTY = (
    "O'Brien's",
    'say "hi"',
    "a,b",
    "a;b",
    "a:b(c)",
    "a\tb",
    "two\nlines",
    "carriage\rreturn",
    "line\u2028separator",
    "\u202eright to left",
    "octopus \U0001f419 é ﬁ",
    "long " * 2_000,
    "=cmd()",
    "-1+1",
    "\uff1dwide()",
    "'quoted",
    "../../up",
)
"""Names that formats stumble over."""


def answer(input_: str, **given: Any) -> dict[str, Any]:
    """A row with nulls where nothing is given; ``lineage`` fills ranks, ``best`` the labels."""
    lineage = given.pop("lineage", ())
    best = given.pop("best", ())
    row = {**dict.fromkeys(ANSWER_SCHEMA.names), "input": input_, "status": "PredictedByMachine"}
    row |= {"model": "f00d", "decision": "named"}
    if lineage:
        row |= dict(zip(RANKS, lineage, strict=False))
        row |= {f"score_{rank}": 0.99 - 0.01 * at for at, rank in enumerate(RANKS[: len(lineage)])}
        row |= {"taxon": lineage[-1], "taxon_rank": RANKS[len(lineage) - 1]}
        row |= {"answer": lineage[-1], "answer_level": "label"}
    if best:
        row |= {"label": best[0][0], "score": best[0][1]}
        row["top_k"] = json.dumps([{"label": n, "score": s} for n, s in best], ensure_ascii=False)
        row["answer_score"] = best[0][1]
    return row | given


def failed(input_: str, **given: Any) -> dict[str, Any]:
    """The row of an input that could not be read."""
    return answer(input_, decision="failed", failure="truncated", status=None, **given)


def table(*rows: dict[str, Any]) -> pa.Table:
    """Rows as a table of answers."""
    return pa.Table.from_pylist(list(rows), schema=ANSWER_SCHEMA)


def validated(input_: str, **given: Any) -> dict[str, Any]:
    """The row of a record that a person validated: a name and no scores."""
    return answer(
        input_,
        lineage=BEAR,
        status="ValidatedByHuman",
        label="Ursus arctos",
        labelled_by="Ada",
        **given,
    )


def golden(name: str, found: str) -> None:
    """Checks text against a golden file."""
    path = GOLDEN / name
    assert found == path.read_text(encoding="utf-8"), f"{path}: other than what was written"


BEST = (("Ursus arctos", 0.9), ("Ursus americanus", 0.06), ("rock", 0.02))


def camera_rows(**context: Any) -> list[dict[str, Any]]:
    """Pictures of a camera trap: one of each kind of answer, then those that formats leave out."""
    two = (("Ursus arctos", 0.6), ("Ursus americanus", 0.38))
    return [
        answer("in/a.jpg", lineage=BEAR, best=BEST, decision_reason="safe", **context),
        answer("in/b.jpg", lineage=BEAR[:6], best=two, answer_level="genus", answer_score=0.98,
               decision="ambiguous", decision_reason="two species are likely", **context),
        answer("in/c.jpg", best=(("blank", 0.97),), answer="blank", answer_level="label", **context),
        answer("in/d.jpg", best=(("Ursus arctos", 0.3),), decision="unplaced", answer_score=None,
               decision_reason="no taxon is safe", **context),
        answer("in/e.jpg", lineage=BLACK_BEAR, best=(("Ursus americanus", 0.95),), **context),
        failed("in/f.jpg", **context),
        validated("in/g.jpg", **context),
        answer("in/a.jpg", lineage=BEAR, best=BEST, **context),
        answer("in/h.jpg", lineage=("Plantae", "Tracheophyta"), best=(("Quercus", 0.9),),
               answer="Quercus", **context),
    ]  # fmt: skip


def barcode_rows() -> list[dict[str, Any]]:
    """Barcodes of a FASTA file: named, cut to a genus, turned, without a safe taxon, failed."""
    near = [
        {"record_id": f"r{n}", "label": label, "modality": "barcode", "similarity": 0.9,
         "identity_pct": pct, "overlap_bp": 600}
        for n, (label, pct) in enumerate(
            [("Eristalis tenax", 99.5), ("Eristalis tenax", 98.0), ("Eristalis arbustorum", 97.2)]
        )
    ]  # fmt: skip
    other = (*FLY[:6], "Eristalis arbustorum")
    barcode = {"barcode": "ACGT", "strand": "+"}
    return [
        answer("q.fasta/OTU_1", lineage=FLY, best=(("Eristalis tenax", 0.93),), identity_pct=99.5,
               nearest=json.dumps(near), **barcode),
        answer("q.fasta/OTU_2", lineage=FLY[:6], best=(("Eristalis tenax", 0.6),),
               answer_level="genus", decision="ambiguous", answer_score=0.94, identity_pct=96.0,
               nearest=json.dumps([{**near[0], "identity_pct": 96.0}]), **barcode),
        answer("q.fasta/OTU_3", lineage=other, best=(("Eristalis arbustorum", 0.93),),
               identity_pct=93.0, nearest=json.dumps([{**near[2], "identity_pct": 93.0}]),
               barcode="ACGT", strand="-"),
        answer("q.fasta/OTU_4", best=(("Eristalis tenax", 0.2),), decision="unplaced",
               answer_score=None, identity_pct=41.0, **barcode),
        answer("q.fasta/OTU_5", best=(("Eristalis tenax", 0.1),), decision="unplaced",
               answer_score=None, **barcode),
        failed("q.fasta/OTU_6"),
    ]  # fmt: skip


def region_rows() -> list[dict[str, Any]]:
    """Regions of two IFCB bins, and what has no bin."""
    old, new = "IFCB5_2012_028_081515", "D20130526T095207_IFCB013"
    cell = ("Chromista", "Ciliophora")
    return [
        answer(f"x/{new}_00014.png", lineage=cell, answer="Ciliates",
               best=(("Ciliates", 0.9), ("detritus", 0.1))),
        answer("c/7", source_item=f"{new}_00003", record_id=f"ifcb/{new}_00003", answer="detritus",
               answer_level="label", best=(("detritus", 0.7), ("Ciliates", 0.2), ("Ditylum", 0.1))),
        answer("c/8", source_item=f"{old}_00001", lineage=cell, answer_level="phylum",
               decision="ambiguous", best=(("Ciliates", 0.5), ("Ditylum", 0.45))),
        answer("c/9", source_item=f"{old}_00001", best=(("Ciliates", 0.5),)),
        answer("c/plain.png", best=(("Ciliates", 0.5),)),
        failed(f"x/{new}_00015.png"),
    ]  # fmt: skip
