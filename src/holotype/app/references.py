"""The records that answers rest on, with what the index or the collection shows of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from holotype.app.thumbnails import thumbnail
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError
from holotype.identify.evidence.card import Card
from holotype.identify.evidence.finding import SIDE_PX, data_address
from holotype.identify.evidence.making import aligned_of, references_of
from holotype.identify.evidence.references import barcodes_of, thumbnails_of


def with_references(workbench: Workbench, cards: Sequence[Card]) -> list[Card]:
    """Returns cards that show their references: thumbnails, and the closest barcode aligned."""
    ids = dict.fromkeys(references_of(cards))
    shown = {} if workbench.index is None else thumbnails_of(workbench.index, ids)
    shown |= _of_collection(workbench, [name for name in ids if name not in shown])
    index = workbench.identifier.references
    barcodes = {} if index is None else barcodes_of(index, aligned_of(cards))
    has_pictures = workbench.index is not None or workbench.collection_folder is not None
    return [
        replace(card, thumbnails=shown if has_pictures else None, barcodes=barcodes)
        for card in cards
    ]


def _of_collection(workbench: Workbench, record_ids: Iterable[str]) -> dict[str, str]:
    """Returns the thumbnails of the records that the collection has an image of."""
    opened = workbench.collection
    found: dict[str, str] = {}
    if opened is None:
        return found
    for name in record_ids:
        try:
            found[name] = data_address(thumbnail(opened, name, side_px=SIDE_PX))
        except HolotypeError:
            continue
    return found
