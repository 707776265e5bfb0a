"""One item of a source -> one row of a collection, or the reason why not.

Every check of a single record lives here: pixels decode, letters are nucleotides, numbers lie within
bounds, the label means something. What is wrong with one part of a record never costs the others.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from holotype.collection.schema import BOUNDS, COLUMN_NAMES, REAL_COLUMNS, Outcome
from holotype.collection.sources.item import Item
from holotype.errors import MediaError, TaxonomyError, first_few
from holotype.files import sha256_bytes
from holotype.media.barcodes import clean_barcode
from holotype.media.images import read_pixels
from holotype.taxonomy.label_table import Concept, LabelTable, lineage_of_columns
from holotype.taxonomy.labels import WHOLE, Kind, parse_label
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank

_NAMING = {rank.value for rank in LINNAEAN_RANKS} | {"qualifier", "kind", "group"}


@dataclass
class Verdict:
    """What became of an item.

    Attributes:
        outcome: imported, imported with a note, rejected, repeated or skipped.
        record: the row to write, for the first two.
        notes: (code, sentence) for everything worth telling.
    """

    outcome: Outcome
    record: dict[str, Any] | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)


def examine(item: Item, *, source: str, labels: LabelTable | None) -> Verdict:
    """Returns the verdict on one item: its row with everything checked, or why there is none."""
    if item.skip_reason is not None:
        return Verdict(Outcome.SKIPPED, notes=[("no_record", item.skip_reason)])
    if item.error is not None:
        return Verdict(Outcome.REJECTED, notes=[("unreadable_row", item.error)])
    record: dict[str, Any] = dict.fromkeys(COLUMN_NAMES)
    notes: list[tuple[str, str]] = []
    record |= {"record_id": f"{source}/{item.name}", "source": source, "source_item": item.name}
    _fill_columns(record, item, notes)
    _fill_image(record, item, notes)
    _fill_barcode(record, item.fields.get("barcode", ""), notes)
    damaged = {"image", "barcode"} & {code for code, _ in notes}
    if record["image"] is None and record["barcode"] is None and damaged:
        return Verdict(Outcome.REJECTED, notes=notes)
    try:
        _fill_names(record, item, source, labels, notes)
    except TaxonomyError as reason:
        notes.append(("names", str(reason)))
    if all(record[name] is None for name in ("image", "barcode", "written_label", *_NAMING)):
        return Verdict(Outcome.REJECTED, notes=[*notes, ("empty", "no image, barcode or name")])
    outcome = Outcome.IMPORTED_WITH_NOTE if notes else Outcome.IMPORTED
    return Verdict(outcome, record, notes)


def _fill_columns(record: dict[str, Any], item: Item, notes: list[tuple[str, str]]) -> None:
    for name, written in item.fields.items():
        if not written or name in _NAMING or name == "barcode" or name.startswith("rank:"):
            continue
        if name not in REAL_COLUMNS:
            record[name] = written
            continue
        low, high = BOUNDS[name]
        try:
            number = float(written)
        except ValueError:
            notes.append(("number", f"{name} '{written}' is no number: left out"))
            continue
        if math.isfinite(number) and low <= number <= high:
            record[name] = number
        else:
            notes.append(("bounds", f"{name} {written} is not in [{low:g}, {high:g}]: left out"))


def _fill_image(record: dict[str, Any], item: Item, notes: list[tuple[str, str]]) -> None:
    if item.read_image is None:
        return
    try:
        content = item.read_image()
        pixels = read_pixels(content)
    except (MediaError, OSError) as reason:
        notes.append(("image", " ".join(str(reason).split())))
        return
    record["image"] = {"bytes": content, "path": item.image_name}
    record["image_height_px"], record["image_width_px"] = pixels.shape[:2]
    record["image_sha256"] = sha256_bytes(content)


def _fill_barcode(record: dict[str, Any], written: str, notes: list[tuple[str, str]]) -> None:
    if not written:
        return
    try:
        barcode = clean_barcode(written)
    except MediaError as reason:
        notes.append(("barcode", str(reason)))
        return
    record["barcode"] = barcode.nucleotides
    record["haplotype"] = barcode.haplotype


def _fill_names(
    record: dict[str, Any],
    item: Item,
    source: str,
    labels: LabelTable | None,
    notes: list[tuple[str, str]],
) -> None:
    written = record["written_label"]
    concept = labels.find(source, written) if labels and written else None
    if labels and written and concept is None:
        notes.append(("no_match", f"label '{written}' is not in the label table"))
    kind = item.fields.get("kind", "")
    if concept is None and kind and kind.lower() not in set(Kind):
        notes.append(("kind", f"kind '{kind}' is none of {', '.join(Kind)}: taken from the label"))
    concept = concept or _concept_of_fields(item, written)
    if concept is None:
        return
    for rank, name in concept.lineage:
        if rank in LINNAEAN_RANKS:
            record[rank.value] = name
    extra = [(rank, name) for rank, name in concept.lineage if rank not in LINNAEAN_RANKS]
    record["other_ranks"] = [{"rank": rank.value, "name": name} for rank, name in extra] or None
    record |= {"qualifier": concept.qualifier, "kind": concept.kind.value, "group": concept.group}
    record |= dict(concept.taxon_ids)
    if labels is None and (missing := concept.lineage.gap()):
        where = first_few([rank.value for rank in missing])
        notes.append(
            ("lineage_gap", f"{where} missing above {concept.lineage.name}: kept as given")
        )


def _concept_of_fields(item: Item, written: str | None) -> Concept | None:
    ranks: dict[Rank, str | None] = {rank: item.fields.get(rank.value) for rank in LINNAEAN_RANKS}
    for name, value in item.fields.items():
        if name.startswith("rank:"):
            ranks[Rank.parse(name.removeprefix("rank:"))] = value
    lineage: Lineage = lineage_of_columns(ranks)
    if not lineage and written is None:
        return None
    parsed = parse_label(written or "")
    kind = item.fields.get("kind", "").lower()
    return Concept(
        lineage=lineage,
        qualifier=item.fields.get("qualifier") or (parsed.qualifier if written else WHOLE),
        kind=Kind(kind) if kind in set(Kind) else parsed.kind,
        group=None if lineage else parsed.taxon_words or written,
    )
