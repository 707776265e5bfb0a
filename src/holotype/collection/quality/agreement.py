"""Whether two labels can both be right: a genus and its family can, two families cannot."""

from collections.abc import Mapping
from typing import Any

from holotype.taxonomy.lineage import LINNAEAN_RANKS

RANK_COLUMNS = tuple(rank.value for rank in LINNAEAN_RANKS)
LABEL_COLUMNS = ("written_label", *RANK_COLUMNS, "qualifier", "kind", "group")
_ALSO = ("qualifier", "kind", "group")


def exclude_each_other(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Returns whether two records' labels cannot both be right for one image.

    Named records are compared by name: a rank that both have must agree, so must what of the organism is
    shown, and a taxon is not a class that is no taxon. Records without names are compared by what is written.

    Args:
        first: values of ``LABEL_COLUMNS``.
        second: the same of the other record.
    """
    if not (_is_named(first) and _is_named(second)):
        written = (first["written_label"], second["written_label"])
        return None not in written and written[0] != written[1]
    if any(_differ(first[name], second[name]) for name in (*RANK_COLUMNS, *_ALSO)):
        return True
    return (first["group"] is None) != (second["group"] is None)


def written_name(row: Mapping[str, Any]) -> str:
    """Returns the label of a record in a few words: as written, else its narrowest name."""
    names = [row["written_label"], row["group"], *(row[rank] for rank in reversed(RANK_COLUMNS))]
    return next((str(name) for name in names if name), "no label")


def _is_named(row: Mapping[str, Any]) -> bool:
    return row["group"] is not None or any(row[rank] is not None for rank in RANK_COLUMNS)


def _differ(first: object, second: object) -> bool:
    return first is not None and second is not None and first != second
