"""What a model can answer with: the taxa above and at its labels, and labels that are no taxa."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from holotype.models.labels import LabelSpace


@dataclass(frozen=True)
class TaxonEntry:
    """One taxon, or a label that is none.

    Attributes:
        told: the columns of the reply.
        folded: its name, to search in.
    """

    told: dict[str, Any]
    folded: str


def taxa_of(labels: LabelSpace) -> list[TaxonEntry]:
    """Returns all taxa and labels, each before those in it, by name."""
    found: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    bare: list[dict[str, Any]] = []
    for label in labels.labels:
        path = tuple((rank.value, name) for rank, name in label.concept.lineage)
        is_taxon = bool(path) and label.concept.name == path[-1][1]
        for depth in range(1, len(path) + 1):
            entry = found.setdefault(path[:depth], _entry(path[:depth]))
            entry["labels"] += 1
            entry["records"] += label.records
        if is_taxon:
            found[path]["is_label"] = True
        else:
            counted = {"is_label": True, "labels": 1, "records": label.records}
            bare.append({"name": label.name, "rank": None, "lineage": dict(path), **counted})
    taxa = [found[path] for path in sorted(found)] + sorted(bare, key=lambda one: str(one["name"]))
    return [TaxonEntry(one, str(one["name"]).casefold()) for one in taxa]


def matching(
    taxa: Sequence[TaxonEntry], *, words: str, rank: str | None, within: str | None
) -> list[dict[str, Any]]:
    """Returns the taxa that fit.

    Args:
        taxa: all of them.
        words: letters that the name has, in any case.
        rank: that they stand at.
        within: a taxon that they are of.
    """
    folded = words.strip().casefold()
    return [
        one.told
        for one in taxa
        if folded in one.folded
        and (rank is None or one.told["rank"] == rank)
        and (within is None or within in one.told["lineage"].values())
    ]


def _entry(path: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    rank, name = path[-1]
    counted = {"is_label": False, "labels": 0, "records": 0}
    return {"name": name, "rank": rank, "lineage": dict(path), **counted}
