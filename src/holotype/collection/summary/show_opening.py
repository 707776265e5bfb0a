"""The head of the summary: what the collection is, what became of every item, what is known."""

from collections.abc import Mapping
from typing import Any

from holotype.page.layout import Section, definitions, heading, paragraph
from holotype.page.tables import heat_table, table
from holotype.page.words import count, some, with_unit

LEDGER_ROWS = 60
_PLURALS = {
    "kingdom": "kingdoms", "phylum": "phyla", "class": "classes", "order": "orders", "family": "families",
    "genus": "genera", "species": "species",
}  # fmt: skip
_COLUMNS = {
    "image": "image", "barcode": "barcode", "written_label": "written label", "specimen_id": "specimen id",
    "object_esd_px": "object size", "pixel_size_um": "pixel size", "latitude_deg": "place",
    "depth_min_m": "depth", "collected_on": "date or time", "sampled_volume_l": "sampled volume",
    "aphia_id": "WoRMS id", "gbif_id": "GBIF id", "ncbi_id": "NCBI id", "bold_id": "BOLD id",
    "ecotaxa_id": "EcoTaxa id", "wikidata_id": "Wikidata id", "bin_uri": "BIN",
    "insdc_accession": "INSDC accession", "image_url": "image address",
}  # fmt: skip
_TWICE = frozenset({"longitude_deg", "depth_max_m"})


def opening(content: Mapping[str, Any]) -> Section:
    """Returns what the collection is, with a ledger that adds up."""
    totals, ledger = content["totals"], content["ledger"]
    facts = [
        ("records", count(totals["records"])),
        ("images", count(totals["images"])),
        ("barcodes", count(totals["barcodes"])),
        ("sources", count(totals["sources"])),
        ("instruments", count(totals["instruments"])),
        ("classes", count(totals["classes"])),
        ("species", count(totals["taxa"].get("species", 0))),
    ]
    rows = [
        (
            one["source"], one["records"], one["images"], one["barcodes"], one["written_labels"],
            one["classes"], one["species"], ", ".join(one["instruments"]) or None,
        )
        for one in content["sources"]
    ]  # fmt: skip
    columns = (
        "Source", "Records", "Images", "Barcodes", "Written labels", "Classes", "Species", "Instruments",
    )  # fmt: skip
    verdict = (
        f"{some(ledger['items'], 'item')} read, {some(ledger['records'], 'record')} held"
        f"{'' if ledger['items'] == ledger['records'] else ', and each of the others has its reason'}."
    )
    title = f"{some(totals['records'], 'record')} from {some(totals['sources'], 'source')}, " + (
        "every item accounted for" if ledger["adds_up"] else "and a ledger that does not add up"
    )
    lead = (
        "A record is one specimen with its image, its barcode, or both. A class is what a record is called: "
        "a taxon, with the stage or part where one is said, or a group such as detritus."
    )
    body = (
        definitions(facts)
        + heading("Sources")
        + table(columns, rows, says="Sources", words=(7,))
        + heading("What became of every item")
        + paragraph(verdict if ledger["adds_up"] else "✗ " + "; ".join(ledger["wrong"]))
        + _ledger(ledger["rows"])
    )
    return Section("collection", title, lead, body)


def _ledger(rows: list[dict[str, Any]]) -> str:
    shown = rows
    if len(rows) > LEDGER_ROWS:
        kept = sorted(range(len(rows)), key=lambda at: -rows[at]["items"])[: LEDGER_ROWS - 1]
        rest = sum(row["items"] for at, row in enumerate(rows) if at not in set(kept))
        others = {
            "source": f"{len(rows) - len(kept)} smaller rows", "outcome": "", "reason": "", "items": rest,
        }  # fmt: skip
        shown = [*(rows[at] for at in sorted(kept)), others]
    cells = [
        (r["source"], r["items"], r["outcome"].replace("_", " "), r["reason"].replace("_", " "))
        for r in shown
    ]
    cells.append(("all sources", sum(row["items"] for row in rows), "", ""))
    return table(
        ("Source", "Items", "Outcome", "Reason"), cells, says="The ledger by source, outcome and reason",
        words=(2, 3),
    )  # fmt: skip


def known(content: Mapping[str, Any]) -> Section | None:
    """Returns for each source the share of records that have a value, column by column."""
    found = content["known"]
    columns = [name for name in found["columns"] if name not in _TWICE]
    sources = sorted(found["sources"], key=lambda one: (-one["records"], one["source"]))
    if not columns or not sources:
        return None
    most, rest = sources[:12], sources[12:]
    names = [one["source"] for one in most] + ([f"{len(rest)} other sources"] if rest else [])

    def shares(column: str) -> list[float | None]:
        groups = [[one] for one in most] + ([rest] if rest else [])
        return [
            sum(one["filled"][column] for one in group) / total
            if (total := sum(one["records"] for one in group))
            else None
            for group in groups
        ]

    rows = [(_COLUMNS.get(name, name.replace("_", " ")), "", shares(name)) for name in columns]
    everywhere = sum(
        all(one["filled"][name] == one["records"] for one in sources) for name in columns
    )
    title = f"{everywhere} of {len(columns)} columns are filled in every record"
    lead = (
        "What a collection does not know cannot be used to group, split or correct. A cell is the share of "
        "the source's records that have a value, in per cent; the stronger the colour, the fuller."
    )
    body = heat_table(
        names, rows, says="Share of records with a value, by column and source", corner="Column",
        share=True,
    )  # fmt: skip
    empty = [_COLUMNS.get(n, n.replace("_", " ")) for n in found["empty"] if n not in _TWICE]
    if empty:
        body += paragraph("Filled in no record: " + ", ".join(empty) + ".", kind="note")
    return Section("known", title, lead, body)


def taxa_in_words(taxa: Mapping[str, int], ranks: tuple[str, ...]) -> str:
    """Returns counts of taxa as words: "12 orders, 30 families"."""
    return ", ".join(some(taxa[rank], rank, _PLURALS[rank]) for rank in ranks if taxa.get(rank))


def share(part: int, whole: int) -> str:
    """Returns a share in per cent with its sign, or "none"; a dash for a share of nothing."""
    if whole and part in {0, whole}:
        return "100\u202f%" if part else "none"
    return with_unit(part / whole if whole else None)
