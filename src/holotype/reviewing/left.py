"""Why a decision is not carried into the collection, nor to others: counted reasons, the same everywhere."""

from collections.abc import Mapping
from typing import Any

from holotype.reviewing.session import Session

DIFFER = "reviewers differ"
GONE = "no longer in the collection"
OTHER = "another record has this id now"
LOST = "written by this review, but its log has no decision on it"
NOT_DECIDED = "not decided"


def why_not_the_same(session: Session, record: str, row: Mapping[str, Any] | None) -> str | None:
    """Returns why what the collection has under an id is not what people looked at; None where it is.

    Args:
        session: what people looked at.
        record: the id.
        row: the ``content_hash`` that the collection has; None where it has no such record.
    """
    if row is None:
        return GONE
    return None if row["content_hash"] == session.content_hashes[record] else OTHER
