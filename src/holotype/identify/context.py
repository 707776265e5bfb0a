"""An item of a source -> the columns of its record that an answer carries, with the checks of the import."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from holotype.collection.known_sources import constants_of_source
from holotype.collection.record import examine
from holotype.collection.sources.item import Item
from holotype.errors import MediaError
from holotype.identify.columns import CONTEXT_NAMES
from holotype.media.barcodes import clean_barcode
from holotype.media.capture_times import capture_time, reconciled

NOTHING: Mapping[str, Any] = MappingProxyType({})
NOTHING_TO_NAME = "neither image nor barcode in this row"
_LOST = ("image", "barcode")
_STANDS_IN = {"image_url": "-"}


@dataclass(frozen=True)
class Examined:
    """What an item says of its record.

    Attributes:
        context: columns of ``CONTEXT_NAMES``; what is not known is absent.
        barcode: clean nucleotides, or None.
        failure: what of it cannot be named, or None.
        notes: (code, sentence) for what else was left out.
    """

    context: Mapping[str, Any]
    barcode: str | None
    failure: str | None
    notes: tuple[tuple[str, str], ...]


def examined(item: Item, *, source: str, constants: Mapping[str, str]) -> Examined:
    """Returns what an item says of its record; its image is not read.

    Args:
        item: it bears no error and no reason to skip it.
        source: name of the data set.
        constants: column -> text where the item does not give it.
    """
    barcode, failure = _barcode(item.fields.get("barcode", ""))
    lost = [said for code, said in item.notes if code in _LOST]
    failure = failure or next(iter(lost), None)
    if barcode is None and item.image is None and item.content is None:
        failure = failure or NOTHING_TO_NAME
    # Barcode and image are looked at apart; with an address in their place no record is empty.
    fields = {
        **_STANDS_IN,
        **{name: v for name, v in item.fields.items() if v and name != "barcode"},
    }
    verdict = examine(
        replace(item, fields=fields, image=None, content=None, notes=()),
        source=source,
        labels=None,
        constants=constants,
        known=constants_of_source(source),
    )
    kept = {**(verdict.record or {}), "record_id": item.name, "barcode": barcode}
    if kept.get("image_url") == _STANDS_IN["image_url"]:
        del kept["image_url"]
    if item.image_name and (named := capture_time(item.image_name)) is not None:
        kept["collected_on"] = reconciled(kept.get("collected_on"), named).value
    context = {name: kept[name] for name in CONTEXT_NAMES if kept.get(name) is not None}
    others = [pair for pair in item.notes if pair[0] not in _LOST]
    return Examined(context, barcode, failure, (*others, *verdict.notes))


def _barcode(written: str) -> tuple[str | None, str | None]:
    """Returns the clean barcode, or why it is none."""
    if not written:
        return None, None
    try:
        return clean_barcode(written).nucleotides, None
    except MediaError as reason:
        return None, str(reason)
