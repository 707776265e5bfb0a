"""The command ``evidence``: answers -> a page with a card for each, images and nearest references beside."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype import files
from holotype.errors import SourceError
from holotype.identify.columns import Decision
from holotype.identify.evidence.card import Card
from holotype.identify.evidence.choosing import Order, chosen
from holotype.identify.evidence.finding import Given, Missing, Picture, pictures
from holotype.identify.evidence.page import Told, page
from holotype.identify.evidence.references import barcodes_of, nearest_of, thumbnails_of
from holotype.identify.read_answers import read_answers
from holotype.index.store import open_index
from holotype.page.words import count

MOST = 300
SIDECAR = ".run.json"
_ENDINGS = (".html", ".htm")


@dataclass(frozen=True)
class EvidenceReport:
    """What the page shows.

    Attributes:
        out: the page.
        answers: how many are in the file.
        matching: how many of them have one of the decisions asked for.
        shown: how many have a card.
        images: how many of these with their image.
        missing: why others have none, by reason; barcodes and records without an image are no loss.
        references: how many nearest references the cards tell, one counted once a card.
        without_thumbnail: how many of them stand without an image.
        size_bytes: of the page.
    """

    out: str
    answers: int
    matching: int
    shown: int
    images: int
    missing: Mapping[str, int] = field(default_factory=dict)
    references: int = 0
    without_thumbnail: int = 0
    size_bytes: int = 0


def evidence(
    answers: Path | str,
    *,
    out: Path | str,
    index: Path | str | None = None,
    images: Path | str | None = None,
    most: int = MOST,
    decisions: Sequence[Decision | str] = (),
    order: Order | str = Order.DOUBT,
) -> EvidenceReport:
    """Writes one page that opens offline: a card for each answer, with its image, why, and what is like it.

    Images are read again from where the answers say, or from below ``images``; what is not found has a
    drawn frame and is counted. ``ANSWERS.run.json`` beside the answers, where it is, says what folders to
    look through.

    Args:
        answers: what ``holotype predict`` wrote.
        out: the page to write: ``.html``.
        index: an index with thumbnails of the reference records.
        images: folder, archive or collection where the images lie now.
        most: how many answers get a card.
        decisions: show these alone.
        order: what comes first.

    Raises:
        SourceError: when the answers cannot be read, none has such a decision, or ``out`` is no page.
        CollectionError: when the index cannot be opened.
    """
    path, page_path = Path(answers), Path(out)
    if page_path.suffix.lower() not in _ENDINGS:
        raise SourceError(f"{out}: end it in .html, as it is a page.")
    root = None if images is None else Path(images)
    if root is not None and not root.exists():
        raise SourceError(f"{root}: no such folder, archive or collection. Check --images.")
    table = read_answers(path)
    wanted, by = _decisions(decisions), _order(order)
    found = chosen(table, most=most, decisions=wanted, order=by)
    rows = table.take(pa.array(found.row_S)).to_pylist()
    given = Given.of(path.with_name(path.name + SIDECAR))
    seen = _pictures(rows, given, root, _shared(table["input"]))
    cards = [
        Card(number, row, seen[row["input"]], nearest_of(row["nearest"]), None)
        for number, row in enumerate(rows, start=1)
    ]
    ids = references_of(cards)
    thumbnails = None if index is None else thumbnails_of(index, ids)
    barcodes = {} if index is None else barcodes_of(open_index(index), aligned_of(cards))
    cards = [replace(card, thumbnails=thumbnails, barcodes=barcodes) for card in cards]
    lost = Counter(
        str(card.picture.missing)
        for card in cards
        if card.picture.missing not in (None, Missing.NONE)
    )
    without = sum(name not in (thumbnails or {}) for name in ids)
    shown = sum(card.picture.address is not None for card in cards)
    told = Told(
        path.name,
        sorted({row["model"] for row in rows if row["model"] is not None}),
        table.num_rows, found.matching, wanted, by,
        _facts(shown, sum(lost.values()), len(ids), without),
        [*_images_note(lost), *_references_note(len(ids), without, index), *_own_note(cards)],
    )  # fmt: skip
    text = page(cards, told)
    page_path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(page_path, text)
    return EvidenceReport(
        str(out), table.num_rows, found.matching, len(cards), shown, dict(lost), len(ids), without,
        page_path.stat().st_size,
    )  # fmt: skip


def references_of(cards: Sequence[Card]) -> list[str]:
    """Returns the ids of the references that cards tell of, as often as they do."""
    return [str(one.get("record_id")) for card in cards for one in card.nearest or []]


def aligned_of(cards: Sequence[Card]) -> list[str]:
    """Returns the ids of the references whose barcodes are shown aligned."""
    return [name for card in cards if (name := card.closest_by_alignment) is not None]


def _pictures(
    rows: Sequence[Mapping[str, Any]], given: Given, root: Path | None, shared: str
) -> dict[str, Picture]:
    """Returns the picture of each input; barcodes without an image are not looked for."""
    bare = {row["input"] for row in rows if row["barcode"] and row["image_width_px"] is None}
    wanted = dict.fromkeys(row["input"] for row in rows if row["input"] not in bare)
    none = dict.fromkeys(bare, Picture(None, Missing.NONE))
    return none | pictures(wanted, given=given, root=root, shared=shared)


def _shared(inputs: pa.ChunkedArray) -> str:
    """Returns what all inputs begin with, up to and with a ``/``."""
    ends = pc.min_max(inputs).as_py()
    first, last = ends["min"] or "", ends["max"] or ""
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[: first.rfind("/", 0, same) + 1]


def _decisions(given: Sequence[Decision | str]) -> tuple[Decision, ...]:
    try:
        return tuple(Decision(one) for one in given)
    except ValueError as reason:
        raise SourceError(f"{reason}. Decisions are {', '.join(Decision)}.") from None


def _order(given: Order | str) -> Order:
    try:
        return Order(given)
    except ValueError:
        raise SourceError(f"no order '{given}'. Orders are {', '.join(Order)}.") from None


def _facts(shown: int, lost: int, references: int, without: int) -> list[tuple[str, str]]:
    return [
        ("images", f"{count(shown)} of {count(shown + lost)}"),
        ("references with image", f"{count(references - without)} of {count(references)}"),
    ]


def _images_note(lost: Mapping[str, int]) -> list[str]:
    if not lost:
        return []
    told = ", ".join(f"{why}: {count(number)}" for why, number in sorted(lost.items()))
    return [f"Images that are not shown: {told}. Where they lie elsewhere now, say where."]


def _references_note(references: int, without: int, index: Path | str | None) -> list[str]:
    if not references or not without:
        return []
    if index is None:
        text = (
            "References stand without images: a model keeps none of its own. Name an index that was built "
            "with thumbnails."
        )
        return [text]
    return [f"{count(without)} of {count(references)} references have no thumbnail in the index."]


def _own_note(cards: Sequence[Card]) -> list[str]:
    own = sum(card.has_own_record for card in cards)
    if not own:
        return []
    told = (
        "1 answer has its own record" if own == 1 else f"{count(own)} answers have their own record"
    )
    return [f"{told} among the references: it says nothing of whether the answer is right."]
