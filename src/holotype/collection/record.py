"""One item of a source -> one row of a collection, or the reason why not.

Every check of a single record lives here: pixels decode, letters are nucleotides, numbers lie within
bounds, the label means something. What is wrong with one part of a record never costs the others.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from holotype.collection.origins import ORIGIN_FIELDS, fill_origins
from holotype.collection.reading.fields import parse_number
from holotype.collection.schema import BOUNDS, REAL_COLUMNS, Outcome
from holotype.collection.sources.item import Item
from holotype.errors import MediaError, TaxonomyError, first_few
from holotype.files import sha256_bytes
from holotype.media.barcodes import clean_barcode
from holotype.media.images import read_pixels
from holotype.media.locations import AbsentError, read_location
from holotype.media.measures import measure
from holotype.taxonomy.label_table import Concept, LabelTable, lineage_of_columns
from holotype.taxonomy.labels import WHOLE, Kind, parse_label
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank

_RANK_NAMES = frozenset(rank.value for rank in LINNAEAN_RANKS)
_NAMING = _RANK_NAMES | {"qualifier", "kind", "group"}
_HANDLED_APART = _NAMING | {"barcode", "collected_on"}
_SOMETHING = ("image", "image_url", "barcode", "written_label", *sorted(_NAMING))
_KINDS = frozenset(kind.value for kind in Kind)


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


def examine(
    item: Item,
    *,
    source: str,
    labels: LabelTable | None,
    constants: Mapping[str, str] | None = None,
    known: Mapping[str, str] | None = None,
) -> Verdict:
    """Returns the verdict on one item: its row with everything checked, or why there is none.

    Args:
        item: what the source yielded.
        source: name of the data set.
        labels: what written labels mean there.
        constants: column -> text for the records whose source does not give that column: the user's word.
        known: likewise, where the user says nothing either: what the catalogue knows of the source.
    """
    if item.skip_reason is not None:
        return Verdict(Outcome.SKIPPED, notes=[("no_record", item.skip_reason)])
    if item.error is not None:
        return Verdict(Outcome.REJECTED, notes=[("unreadable_row", item.error), *item.notes])
    notes = list(item.notes)
    given = {name: text for name, text in item.fields.items() if text}
    fields = {**(known or {}), **(constants or {}), **given}
    record: dict[str, Any] = {"record_id": f"{source}/{item.name}", "source": source}
    record["source_item"] = item.name
    _fill_columns(record, fields, notes)
    _fill_image(record, item, notes)
    _fill_barcode(record, fields.get("barcode", ""), notes)
    damaged = {"image", "barcode"} & {code for code, _ in notes}
    if "image" not in record and "barcode" not in record and damaged:
        return Verdict(Outcome.REJECTED, notes=notes)
    try:
        _fill_names(record, fields, source, labels, notes)
    except TaxonomyError as reason:
        notes.append(("names", str(reason)))
    if not any(name in record for name in _SOMETHING):
        return Verdict(Outcome.REJECTED, notes=[*notes, ("empty", "no image, barcode or name")])
    fill_origins(record, fields, notes, given=given, constants=constants or {})
    record["content_hash"] = _content_hash(given, record.get("image_sha256", ""))
    outcome = Outcome.IMPORTED_WITH_NOTE if notes else Outcome.IMPORTED
    return Verdict(outcome, record, notes)


def _content_hash(given: Mapping[str, str], image_sha256: str) -> str:
    """Names what the source gives for a record, by which a repeated one is known, whatever becomes of it."""
    described = "\0".join((image_sha256, *(f"{k}\0{given[k]}" for k in sorted(given))))
    return hashlib.blake2b(described.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _fill_columns(
    record: dict[str, Any], fields: Mapping[str, str], notes: list[tuple[str, str]]
) -> None:
    extra: dict[str, str] = {}
    for name, written in fields.items():
        if name.startswith("extra:"):
            if name not in ORIGIN_FIELDS and not name.endswith("email"):
                extra[name.removeprefix("extra:")] = written
        elif name in REAL_COLUMNS:
            number = _number(name, written, notes)
            if number is not None:
                record[name] = number
        elif name not in _HANDLED_APART and not name.startswith("rank:"):
            record[name] = written
    if extra:
        record["extra"] = json.dumps(extra, ensure_ascii=False)


def _number(name: str, written: str, notes: list[tuple[str, str]]) -> float | None:
    low, high = BOUNDS[name]
    number = parse_number(written)
    if number is None:
        notes.append(("number", f"{name} '{written}' is no number: left out"))
        return None
    if low <= number <= high:
        return number
    notes.append(("bounds", f"{name} {written} is not in [{low:g}, {high:g}]: left out"))
    return None


def _fill_image(record: dict[str, Any], item: Item, notes: list[tuple[str, str]]) -> None:
    if item.image is None and item.content is None:
        return
    try:
        content = read_location(item.image) if item.image is not None else item.content or b""
        pixels = read_pixels(content)
    except AbsentError:
        return
    except (MediaError, OSError) as reason:
        said = " ".join(str(reason).split())
        name = item.image_name or item.name
        placed = said if name in said else f"{name}: {said}"
        notes.append(("image", f"{placed}. Get the file again"))
        return
    record["image"] = (content, item.image_name)
    record["image_height_px"], record["image_width_px"] = pixels.shape[:2]
    record["image_sha256"] = sha256_bytes(content)
    found = measure(pixels)
    record |= {"grey_mean": found.grey_mean, "grey_sd": found.grey_sd}
    if found.phash is not None:
        record["image_phash"] = found.phash_text
    if found.object_esd_px is not None:
        record["object_esd_px"] = found.object_esd_px
    if found.flags_text is not None:
        record["image_flags"] = found.flags_text


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
    fields: Mapping[str, str],
    source: str,
    labels: LabelTable | None,
    notes: list[tuple[str, str]],
) -> None:
    written = record.get("written_label")
    concept = labels.find(source, written) if labels and written else None
    if concept is not None:
        record["name_match"] = "label_table"
    if labels and written and concept is None:
        notes.append(("no_match", f"label '{written}' is not in the label table"))
    kind = fields.get("kind", "")
    if concept is None and kind and kind.lower() not in _KINDS:
        notes.append(("kind", f"kind '{kind}' is none of {', '.join(Kind)}: taken from the label"))
    if concept is None:
        named = tuple(
            pair for pair in fields.items() if pair[0] in _NAMING or pair[0][:5] == "rank:"
        )
        concept = _concept_of_fields(named, written)
    if concept is None:
        return
    if labels is None:
        notes += _names_of_none(fields, concept.lineage)
    for rank, name in concept.lineage:
        if rank in LINNAEAN_RANKS:
            record[rank.value] = name
    extra = [(rank, name) for rank, name in concept.lineage if rank not in LINNAEAN_RANKS]
    if extra:
        record["other_ranks"] = [{"rank": rank.value, "name": name} for rank, name in extra]
    record |= {"qualifier": concept.qualifier, "kind": concept.kind.value}
    if concept.group is not None:
        record["group"] = concept.group
    record |= dict(concept.taxon_ids)
    if labels is None and (missing := concept.lineage.gap()):
        where = first_few([rank.value for rank in missing])
        notes.append(
            ("lineage_gap", f"{where} missing above {concept.lineage.name}: kept as given")
        )


def _names_of_none(fields: Mapping[str, str], lineage: Lineage) -> list[tuple[str, str]]:
    """Returns a note of the given names that stand for none, as ``Calanoida sp.`` for a family."""
    if _RANK_NAMES.isdisjoint(fields):
        return []
    given = [(rank, fields.get(rank.value, "").strip()) for rank in LINNAEAN_RANKS]
    lost = [f"{rank.value} '{name}'" for rank, name in given if name and not lineage.name_at(rank)]
    return [("no_taxon", f"{first_few(lost)} stands for no taxon: left out")] if lost else []


@lru_cache(maxsize=50_000)
def _concept_of_fields(named: tuple[tuple[str, str], ...], written: str | None) -> Concept | None:
    """Returns what the name fields of an item say; the same names come again and again."""
    fields = dict(named)
    ranks: dict[Rank, str | None] = {rank: fields.get(rank.value) for rank in LINNAEAN_RANKS}
    for name, value in fields.items():
        if name.startswith("rank:"):
            ranks[Rank.parse(name.removeprefix("rank:"))] = value
    lineage: Lineage = lineage_of_columns(ranks)
    if not lineage and written is None:
        return None
    parsed = parse_label(written or "")
    kind = fields.get("kind", "").lower()
    return Concept(
        lineage=lineage,
        qualifier=fields.get("qualifier") or (parsed.qualifier if written else WHOLE),
        kind=Kind(kind) if kind in _KINDS else parsed.kind,
        group=None if lineage else parsed.taxon_words or written,
    )
