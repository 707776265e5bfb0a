"""One answer as a card: what it is, how sure each rank is, why, and the records that it rests on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holotype.errors import MediaError
from holotype.identify.columns import RANKS, Decision
from holotype.identify.evidence.aligned import align
from holotype.identify.evidence.finding import Missing, Picture
from holotype.identify.evidence.words import bar_row, number_of, readable, said
from holotype.page.words import finite, plain, with_unit

LABEL = "label"
_KINDS: dict[str, str] = {Decision.NAMED: "good", Decision.FAILED: "bad"}
_VERDICTS = {
    True: "They contradict one another.",
    False: "They do not contradict one another.",
}
_STRANDS = {"+": "as given", "-": "turned round"}


@dataclass(frozen=True)
class Card:
    """What a card shows.

    Attributes:
        number: from 1.
        row: the answer.
        picture: of its own image.
        nearest: the nearest reference records, None where the column cannot be read.
        thumbnails: record id -> address, of the index; None where no index was given.
        barcodes: record id -> barcode, of references that are shown aligned.
    """

    number: int
    row: Mapping[str, Any]
    picture: Picture
    nearest: Sequence[Mapping[str, Any]] | None
    thumbnails: Mapping[str, str] | None
    barcodes: Mapping[str, str] = field(default_factory=dict)

    def html(self) -> str:
        """Returns the card."""
        row, name = self.row, f"card-{self.number}"
        decision = str(row["decision"] or "")
        parts = [
            self._top(name),
            _lineage(row),
            f'<p class="why">{said(row["decision_reason"])}</p>' if row["decision_reason"] else "",
            _failure(row),
            _both(row),
            _priors(row),
            _alignment(row),
            self._aligned(),
            self._nearest(),
            _other_labels(row),
        ]
        return (
            f'<article class="evidence" aria-labelledby="{name}" data-decision="{plain(decision)}">'
            f"{''.join(parts)}</article>"
        )

    @property
    def has_own_record(self) -> bool:
        """Whether the record itself is among its references."""
        return any(self._is_own(one) for one in self.nearest or ())

    def _is_own(self, one: Mapping[str, Any]) -> bool:
        return one.get("record_id") is not None and one["record_id"] == self.row["record_id"]

    def _top(self, name: str) -> str:
        row = self.row
        decision = str(row["decision"] or "no decision")
        kind = _KINDS.get(decision, "none")
        clash = '<span class="badge bad">contradiction</span>' if row["conflict"] else ""
        answer = said(row["answer"]) if row["answer"] is not None else "no safe answer"
        given = f'<p class="dim record">{said(row["input"])}</p>'
        score = f", {with_unit(row['answer_score'])}" if row["answer"] is not None else ""
        level = f"<p>{said(row['answer_level'])}{score}</p>" if row["answer"] is not None else ""
        return (
            f'<div class="evidence-top">{self._image()}<div><h3 id="{name}">{answer}</h3>'
            f'<p><span class="badge {kind}">{said(decision)}</span> {clash}</p>{level}{given}</div></div>'
        )

    def _image(self) -> str:
        if self.picture.address is None:
            missing = self.picture.missing or Missing.NONE
            why = "barcode" if missing is Missing.NONE and self.row["barcode"] else missing.value
            return f'<span class="thumbnail none">{plain(why)}</span>'
        says = plain(readable(self.row["record_id"] or self.row["input"]))
        return f'<img class="thumbnail" src="{plain(self.picture.address)}" alt="Image of {says}">'

    @property
    def closest_by_alignment(self) -> str | None:
        """The id of the reference whose barcode is closest; None where none was aligned."""
        known = [one for one in self.nearest or () if finite(one.get("identity_pct")) is not None]
        best = max(known, key=lambda one: float(one["identity_pct"]), default=None)
        return None if best is None else str(best.get("record_id"))

    def _aligned(self) -> str:
        """Returns the barcode beside the closest reference, where both are known."""
        name, own = self.closest_by_alignment, self.row["barcode"]
        if name is None or not own or name not in self.barcodes:
            return ""
        try:
            found = align(own, self.barcodes[name], strand=self.row["strand"] or "+")
        except MediaError:  # letters that are no nucleotides, in a table that someone changed
            return ""
        return found.html(said(name))

    def _nearest(self) -> str:
        if self.nearest is None:
            return _block("Nearest references", '<p class="dim">The column cannot be read.</p>')
        if not self.nearest:
            return ""
        by: dict[str, list[str]] = {}
        for one in self.nearest:
            by.setdefault(str(one.get("modality") or "embedding"), []).append(self._reference(one))
        return "".join(
            _block(
                f"Nearest references by {readable(modality)}, ✓ named as the best label",
                f'<ol class="near">{"".join(lines)}</ol>',
            )
            for modality, lines in by.items()
        )

    def _reference(self, one: Mapping[str, Any]) -> str:
        record, label = one.get("record_id"), one.get("label")
        same = label is not None and label == self.row["label"]
        mark = '<span class="same" aria-label="same label">✓</span> ' if same else ""
        figures = [
            number_of(one, "similarity", "similarity {:.3f}"),
            number_of(one, "identity_pct", "{:.1f}\u202f% identical"),
            number_of(one, "overlap_bp", "over {:.0f}\u202fbp"),
            "this very record" if self._is_own(one) else None,
        ]
        told = "".join(f"<span>{plain(text)}</span>" for text in figures if text)
        return (
            f"<li>{self._thumbnail(record)}<b>{mark}{said(label)}</b>{told}"
            f'<span class="dim record">{said(record)}</span></li>'
        )

    def _thumbnail(self, record: object) -> str:
        if self.thumbnails is None:
            return ""
        address = self.thumbnails.get(str(record))
        if address is None:
            return '<span class="thumbnail none">no image</span>'
        says = plain(readable(record))
        return f'<img class="thumbnail" src="{plain(address)}" alt="Reference {says}">'


def _lineage(row: Mapping[str, Any]) -> str:
    """Returns the ranks with a bar each; those below the safe answer are dimmed."""
    lines = []
    for rank in RANKS:
        name, score = row[rank], row[f"score_{rank}"]
        if name is not None:
            lines.append(bar_row("safe", rank, said(name), score))
        elif finite(score) is not None:
            lines.append(bar_row("below", rank, "not safe", score))
    if row["answer_level"] == LABEL:
        lines.append(bar_row("safe", LABEL, said(row["answer"]), row["answer_score"]))
    elif row["label"] is not None:
        lines.append(bar_row("below", "best label", said(row["label"]), row["score"]))
    if finite(row["novelty"]) is not None:
        rank = row["novelty_rank"]
        fits = f"fits down to {said(rank)}" if rank is not None else "fits nowhere"
        lines.append(bar_row("novelty", "novelty", fits, row["novelty"]))
    return f'<ul class="ranks">{"".join(lines)}</ul>' if lines else ""


def _failure(row: Mapping[str, Any]) -> str:
    if row["failure"] is None:
        return ""
    return f'<p class="bad">Could not be read, whole or in part: {said(row["failure"])}</p>'


def _both(row: Mapping[str, Any]) -> str:
    """Returns what image and barcode say, of records that have both."""
    image, barcode = row["image_answer"], row["barcode_answer"]
    if row["conflict"] is None and image is None and barcode is None:
        return ""
    agreed = row.get("agreed")
    shared = f" Both say {said(agreed)}." if agreed is not None else ""
    kind = "bad" if row["conflict"] else "dim"
    return (
        f'<dl class="facts-small"><div><dt>image alone</dt><dd>{_or_none(image)}</dd></div>'
        f"<div><dt>barcode alone</dt><dd>{_or_none(barcode)}</dd></div></dl>"
        f'<p class="{kind}">{_VERDICTS.get(row["conflict"], "")}{shared}</p>'
    )


def _or_none(answer: object) -> str:
    return "no safe answer" if answer is None else said(answer)


def _priors(row: Mapping[str, Any]) -> str:
    effect, before = row["prior_effect"], row["answer_without_prior"]
    if effect is None and before is None:
        return ""
    told = f"{said(effect)}. " if effect is not None else ""
    return f'<p><b class="head">Priors</b> {told}Answer without them: {_or_none(before)}.</p>'


def _alignment(row: Mapping[str, Any]) -> str:
    """Returns the line of alignment facts of a barcode."""
    identity = number_of(row, "identity_pct", "{:.2f}\u202f% identical")
    if identity is None:
        return ""
    strand = row["strand"]
    facts = [
        plain(identity),
        number_of(row, "overlap_bp", "over {:.0f}\u202fbp"),
        f"strand {said(strand)} ({_STRANDS.get(strand, 'unknown')})"
        if strand is not None
        else None,
        number_of(row, "frame", "frame {:.0f}"),
        number_of(row, "gap_pct", "{:.2f}\u202fpoints above the next species"),
        _consensus(row),
    ]
    inside = " · ".join(fact for fact in facts if fact)
    return f'<p><b class="head">Closest by alignment</b> {inside}</p>'


def _consensus(row: Mapping[str, Any]) -> str | None:
    if row.get("consensus") is None:
        return None
    rank = "" if row.get("consensus_rank") is None else f"{said(row['consensus_rank'])} "
    return f"aligned references agree on {rank}{said(row['consensus'])}"


def _other_labels(row: Mapping[str, Any]) -> str:
    """Returns the best labels, folded away."""
    try:
        top = json.loads(row["top_k"] or "[]")
        lines = [
            bar_row("safe", f"{n}.", said(one["label"]), one["score"])
            for n, one in enumerate(top, 1)
        ]
    except (ValueError, TypeError, KeyError):
        return ""
    if not lines:
        return ""
    return (
        f"<details><summary>{len(lines)} best labels</summary>"
        f'<ul class="ranks">{"".join(lines)}</ul></details>'
    )


def _block(title: str, inside: str) -> str:
    return f"<h4>{plain(title)}</h4>{inside}"
