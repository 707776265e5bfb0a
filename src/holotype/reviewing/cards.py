"""The records of a review as cards with their pictures: what was proposed, and who says what."""

from collections.abc import Mapping, Sequence
from typing import Any

from holotype.collection.quality.pictures import pictures
from holotype.collection.store import Collection
from holotype.collection.summary.gallery import thumbnail
from holotype.page.layout import paragraph
from holotype.page.words import plain
from holotype.reviewing.left import why_not_the_same
from holotype.reviewing.review import Review
from holotype.reviewing.session import Session
from holotype.reviewing.settle import Settled

NO_PICTURE = "no picture"
STYLE = """
.decided { list-style: none; padding: 0; margin: 0 0 1.5rem; display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
.decided img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain;
  background: var(--band); border-radius: 4px; }
.decided figure { margin: 0; font-size: .8125rem; line-height: 1.35; overflow-wrap: anywhere; }
.decided figcaption:not(.spoken) { color: var(--ink); font-size: inherit; margin-top: .3rem; }
.decided .nothing { display: grid; place-items: center; aspect-ratio: 1; background: var(--band);
  color: var(--dim); border-radius: 4px; text-align: center; }
.decided s { color: var(--dim); }
.decided small { display: block; }
"""


def pictures_of(
    opened: Collection, session: Session, records: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the pictures that people looked at, and why others are not shown, by record."""
    wanted = set(records)
    found = {
        row["record_id"]: (at, row)
        for at, row in enumerate(opened.columns(["record_id", "content_hash"]).to_pylist())
        if row["record_id"] in wanted
    }
    why = {
        record: reason for record in records
        if (reason := why_not_the_same(session, record, found.get(record, (0, None))[1])) is not None
    }  # fmt: skip
    rows = {at: record for record, (at, _) in found.items() if record not in why}
    shown = {rows[at]: thumbnail(pixels) for at, pixels in pictures(opened, list(rows))}
    return shown, why | {one: NO_PICTURE for one in rows.values() if one not in shown}


def gallery(
    review: Review,
    records: Sequence[str],
    seen: Mapping[str, str],
    why: Mapping[str, str],
    none: str,
    found: Mapping[str, Settled] | None = None,
) -> str:
    """Returns the records with their decisions, as HTML.

    Args:
        review: their review.
        records: which ones.
        seen: their pictures.
        why: why there is none.
        none: what to say where there are no records.
        found: what each counts as, where that is to be said.
    """
    if not records:
        return paragraph(none, kind="note")
    counts = {} if found is None else found
    cards = "".join(_card(review, one, _image(one, seen, why), counts.get(one)) for one in records)
    return f'<ul class="decided">{cards}</ul>'


def _image(record: str, seen: Mapping[str, str], why: Mapping[str, str]) -> str:
    if record in seen:
        return f'<img src="{seen[record]}" alt="Record {plain(record)}">'
    return f'<div class="nothing">{plain(why.get(record, NO_PICTURE))}</div>'


def _card(review: Review, record: str, image: str, counted: Settled | None) -> str:
    proposed: Any = review.proposals[review.session.row_of[record]]
    decisions = review.decisions(record)
    said: dict[str | None, list[str]] = {}
    for name, one in decisions.items():
        said.setdefault(one.label, []).append(name)
    lines = "".join(
        f"<div><b>{plain(label or 'unclassified')}</b> <small>{plain(', '.join(names))}</small></div>"
        for label, names in said.items()
    )
    was = "" if set(said) == {proposed} else f"<div><s>{plain(proposed or 'nothing')}</s></div>"
    if counted is not None:
        lines += f"<small>counts as {plain(counted.label or 'unclassified')}</small>"
    notes = "".join(
        f"<small>{plain(one.reviewer)}: {plain(one.text)}</small>"
        for one in review.state.notes(record)
    )
    return (
        f"<li><figure>{image}<figcaption>{was}{lines}{notes}"
        f"<small>{plain(record)}</small></figcaption></figure></li>"
    )
