"""Occurrences: all of one taxon and status in a sample, or one of each image and barcode.

A taxon that a machine named in some images of a sample and a person in others is two occurrences, and so is
one that was seen in images and in barcodes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holotype.exchange.answers.writing import HUMAN, Request
from holotype.exchange.darwin_core.answer import Answer, basis_of, lineage_of, uncertain_name
from holotype.exchange.darwin_core.tables import LSID, MACHINE_OBSERVATION
from holotype.identify.columns import MACHINE, RANKS, Decision

MAX_LISTED = 5
MAX_MEDIA = 20
BY_PERSON = "named by a person who looked at the record"
Key = tuple[str, ...]


def key_of(answer: Answer) -> Key:
    """Returns what answers of one occurrence share: taxon with its lineage, status, kind of evidence."""
    lineage = (answer[rank] or "" for rank in RANKS)
    return (answer["taxon_rank"], *lineage, status_of(answer), basis_of(answer))


def status_of(answer: Answer) -> str:
    """Returns identificationVerificationStatus."""
    return HUMAN if answer["status"] == HUMAN else MACHINE


@dataclass
class Group:
    """The answers of one occurrence, in sums.

    Attributes:
        first: its first answer, for what all share.
        specimens: the individuals.
        finer: uncertain finer names, counted.
        labels: labels of all, counted.
        decisions: kinds of answers, counted.
        reasons: why answers stop where they do, counted.
        models: fingerprints.
        people: who validated.
        media: addresses of images that may be published.
        score_sum, score_low, score_high, scored: of the probabilities.
    """

    first: Answer
    specimens: set[str] = field(default_factory=set)
    finer: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    media: list[str] = field(default_factory=list)
    score_sum: float = 0.0
    score_low: float = 1.0
    score_high: float = 0.0
    scored: int = 0

    def add(self, answer: Answer) -> None:
        """Takes in an answer."""
        self.specimens.add(answer["specimen_id"] or answer["record_id"] or answer["input"] or "")
        self.finer.update(filter(None, [uncertain_name(answer)]))
        self.labels.update(filter(None, [answer["label"]]))
        self.decisions[answer["decision"]] += 1
        if answer["decision"] != Decision.NAMED:
            self.reasons.update(filter(None, [answer["decision_reason"]]))
        self.models.update(filter(None, [answer["model"]]))
        self.people.update(filter(None, [answer["labelled_by"]]))
        if (score := answer["answer_score"]) is not None:
            self.score_sum += score
            self.score_low, self.score_high = (
                min(self.score_low, score),
                max(self.score_high, score),
            )
            self.scored += 1

    @property
    def is_human(self) -> bool:
        """Whether a person named it."""
        return status_of(self.first) == HUMAN

    def row(self, event_id: str, name: str, request: Request) -> dict[str, Any]:
        """Returns the row of the occurrence."""
        answer, lineage = self.first, lineage_of(self.first)
        number = request.identifiers.aphia_id(answer["taxon_rank"], lineage)
        one = len(self.specimens) == 1
        return {
            "eventID": event_id,
            "occurrenceID": name,
            "basisOfRecord": basis_of(answer),
            "occurrenceStatus": "present",
            "scientificName": answer["taxon"],
            "scientificNameID": f"{LSID}{number}" if number else None,
            "taxonRank": answer["taxon_rank"],
            **{rank: lineage[rank] for rank in RANKS if rank != "species"},
            "identificationQualifier": _listed(self.finer, before="cf. "),
            "verbatimIdentification": _listed(self.labels),
            "identificationVerificationStatus": status_of(answer),
            "identifiedBy": self._who(request.software),
            "dateIdentified": None
            if self.is_human
            else request.dated.isoformat(timespec="seconds"),
            "identificationReferences": self._references(request.software),
            "identificationRemarks": self._remarks(),
            "individualCount": len(self.specimens),
            "organismID": answer["specimen_id"] if one else None,
            "associatedMedia": " | ".join(self.media[:MAX_MEDIA]) or None,
        }

    def _who(self, software: str) -> str | None:
        return " | ".join(sorted(self.people)) or None if self.is_human else software

    def _references(self, software: str) -> str:
        if self.is_human:
            return BY_PERSON
        models = ", ".join(sorted(self.models)) or "not stated"
        return f"{software}; {algorithm_of(self.first)}; model {models}"

    def _remarks(self) -> str:
        if self.is_human:
            return _count(self.decisions.total(), "validated record")
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.decisions.items()))
        parts = [f"{_count(self.decisions.total(), 'record')}: {kinds}"]
        if self.scored:
            mean = self.score_sum / self.scored
            span = f" ({self.score_low:.3f} to {self.score_high:.3f})" if self.scored > 1 else ""
            parts.append(f"calibrated probability {mean:.3f}{span}")
        return "; ".join([*parts, *(reason for reason, _ in self.reasons.most_common(1))])


def _count(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"


def _listed(names: Mapping[str, int], *, before: str = "") -> str | None:
    """Returns the commonest names as one text, None where there is none."""
    ordered = sorted(names, key=lambda name: (-names[name], name))
    more = [f"and {len(ordered) - MAX_LISTED} more"] if len(ordered) > MAX_LISTED else []
    return " | ".join([*(f"{before}{name}" for name in ordered[:MAX_LISTED]), *more]) or None


def algorithm_of(answer: Answer) -> str:
    """Returns how an answer was found, in words."""
    seen = "image" if basis_of(answer) == MACHINE_OBSERVATION else "barcode"
    if answer["image_answer"] and answer["barcode_answer"]:
        seen = "image and barcode"
    near = " with identity to reference barcodes" if answer["identity_pct"] is not None else ""
    return f"neural classifier of {seen}{near}, answer at the deepest safe rank, calibrated"


@dataclass
class Names:
    """Ids of occurrences: no two the same."""

    taken: set[str] = field(default_factory=set)
    _last: dict[str, int] = field(default_factory=dict)

    def give(self, parts: Sequence[str]) -> str:
        """Returns an id made of parts, with a number behind it where it is taken."""
        plain = ":".join("_".join(part.split()) for part in parts if part)
        name, number = plain, self._last.get(plain, 1)
        while name in self.taken:
            number += 1
            name = f"{plain}-{number}"
        self._last[plain] = number
        self.taken.add(name)
        return name
