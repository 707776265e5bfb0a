"""One collection from all the real data: every input, what became of each item, and why; the counts add up.

Run: python benchmarks/quality/collection.py [--keep FOLDER]

Inputs that cannot be used as a whole (broken on purpose, or checklists) are listed with what was
said of them; inputs of a kind that is no record (checklists, feature tables) are not asked for.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import real_data, write_results

import holotype
from holotype.collection.store import open_collection
from holotype.errors import HolotypeError


@dataclass(frozen=True)
class Input:
    """One thing to import: its kind, its place in the real data, the name of its source, and options."""

    kind: str
    path: str
    source: str
    options: dict[str, Any] = field(default_factory=dict)


def plankton() -> Iterator[Input]:
    """Yields the labelled crops of five instruments."""
    labels = {"labels": real_data() / "taxonomy/planktonzilla_taxonomy.csv"}
    yield Input("image-folder", "plankton/isiis/planktonset1.zip", "planktonset1.0", labels)
    for name in ("uvp6", "zoolake", "flowcam", "ifcb"):
        yield Input("table", f"plankton/{name}/labels.csv", f"crops-{name}", {"preset": "crops"})


def barcodes() -> Iterator[Input]:
    """Yields the barcode tables and files."""
    for name in ("copepods", "lepidoptera", "metazoan_orders"):
        yield Input("table", f"dna/{name}/sequences.tsv", name, {"preset": "barcodes"})
    yield Input("table", "dna/lepidoptera/ACG.csv", "dimacs-acg", {"preset": "dimacs"})
    yield Input("fasta", "dna/metazoan_orders/one_seq_per_order_658.fas", "orders-fasta")


def formats() -> Iterator[Input]:
    """Yields every sample of every format, each as a source of its own."""
    root = real_data() / "formats"
    qa = root / "ecotaxa_qa"
    exports = qa / "ref_exports"
    for path in sorted([*qa.iterdir(), *exports.iterdir()]):
        if (
            path.is_dir() and path != exports and any(path.rglob("*.tsv"))
        ) or path.suffix == ".zip":
            yield one("ecotaxa", path, root)
    for path in sorted((root / "ifcb_bins").iterdir()):
        yield one("ifcb", path, root)
    for path in sorted((root / "flowcam_raw").iterdir()):
        yield one("flowcam", path, root)
    yield one("plankton-imager", root / "pi10_raw", root)
    yield one("zooimage", root / "zooimage_zid", root)
    for path in sorted((root / "dwca").glob("*/*")):
        if path.is_dir() or path.suffix in {".zip", ".tgz"}:
            yield one("darwin-core", path, root)
    yield one("camtrap-dp", root / "camtrap_dp", root)
    for path in sorted((root / "camera_trap_json").glob("*.json")):
        yield one("speciesnet", path, root)
    yield one("bold", root / "bold/coidb/info.tsv", root)
    yield one("bold", root / "bold/boldconnectr/test.data2.bcdm.tsv", root)
    for path in sorted((root / "bold/boldigger3").glob("*.fasta")):
        yield one("fasta", path, root)
    for path in sorted((root / "dada2_refs").glob("*.fa.gz")):
        yield one("fasta", path, root)
    for path in sorted((root / "taxonopy").rglob("sample*")):
        yield one("taxonopy", path, root)
    yield one("taxonopy", root / "embeddings_parquet/example_1k.parquet", root)


def one(kind: str, path: Path, root: Path) -> Input:
    """Returns an input of the format samples; its source is named by its place."""
    inside = path.relative_to(root).as_posix()
    return Input(kind, f"formats/{inside}", inside.replace("/", "-").replace(" ", "_"))


def main() -> None:
    """Imports everything, checks the sums, writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="folder for the collection")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        into = (asked.keep or Path(scratch)) / "everything"
        refused = build(into)
        write_results("collection", *told(into, refused))


def build(into: Path) -> list[tuple[Input, str]]:
    """Imports every input into one collection; returns those refused as a whole, with what was said."""
    refused: list[tuple[Input, str]] = []
    for asked in (*plankton(), *barcodes(), *formats()):
        try:
            holotype.import_(
                asked.kind,
                [real_data() / asked.path],
                into=into,
                source=asked.source,
                **asked.options,
            )
        except HolotypeError as reason:
            refused.append((asked, str(reason).replace(str(real_data()), "DATA")))
    return refused


def told(into: Path, refused: list[tuple[Input, str]]) -> tuple[dict[str, Any], list[str]]:
    """Returns the figures, and the lines of the page, after checking that everything adds up."""
    opened = open_collection(into)
    rows: list[dict[str, Any]] = []
    for imported in opened.manifest["imports"]:
        ledger = opened.path / imported["ledger"]["path"]
        counted = reasons_of(ledger)
        if sum(counted.values()) != imported["items"]:
            raise SystemExit(f"{imported['source']}: the reasons do not add up to the items")
        for (outcome, reason), count in sorted(counted.items()):
            rows.append(
                {
                    "source": imported["source"],
                    "kind": imported["kind"],
                    "outcome": outcome,
                    "reason": reason,
                    "items": count,
                }
            )
    outcomes: Counter[str] = Counter()
    for row in rows:
        outcomes[row["outcome"]] += row["items"]
    if (
        dict(outcomes) != opened.manifest["outcomes"]
        or outcomes.total() != opened.ledger().num_rows
    ):
        raise SystemExit("the outcomes do not add up")
    records = outcomes["imported"] + outcomes["imported_with_note"]
    if records != len(opened):
        raise SystemExit(f"{records} records in the ledger, {len(opened)} in the collection")
    lines = [
        "# One collection from all the real data",
        "",
        f"{len(opened.manifest['imports'])} inputs, {outcomes.total():,} items, {records:,} records.",
        "",
        "| outcome | items |",
        "| --- | --- |",
        *(f"| {name} | {count:,} |" for name, count in sorted(outcomes.items())),
        "",
        "| source | kind | outcome | reason | items |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {r['source']} | {r['kind']} | {r['outcome']} | {r['reason']} | {r['items']:,} |"
            for r in rows
        ),
        "",
        f"Refused as a whole ({len(refused)}):",
        "",
        *(f"- `{asked.path}` ({asked.kind}): {reason}" for asked, reason in refused),
    ]
    content = {
        "records": records,
        "outcomes": dict(outcomes),
        "rows": rows,
        "refused": [{"path": a.path, "kind": a.kind, "reason": r} for a, r in refused],
    }
    return content, lines


def reasons_of(ledger: Path) -> Counter[tuple[str, str]]:
    """Returns the items of a ledger by outcome and reason."""
    import pyarrow.parquet as pq

    table = pq.read_table(ledger, columns=["outcome", "reason"]).to_pylist()
    return Counter((row["outcome"], short(row["reason"])) for row in table)


def short(reason: str | None) -> str:
    """Returns the different codes of a reason, each once."""
    return "; ".join(sorted(set((reason or "-").split("; "))))


if __name__ == "__main__":
    main()
