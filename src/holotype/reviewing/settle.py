"""What several reviewers say of one record -> the one label that is written, or none while they differ."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from holotype.errors import did_you_mean
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.state import Decision, State


class Settle(StrEnum):
    """Whose word counts where reviewers differ."""

    AGREED = "agreed"
    """Nobody's: the record is left as it is."""
    MAJORITY = "majority"
    """That of more than half of those who decided; else nobody's."""
    NEWEST = "newest"
    """That of the last one who decided."""


@dataclass(frozen=True)
class Settled:
    """What is written of one record.

    Attributes:
        label: None for unclassified.
        by: names of the reviewers who say so.
        time: when the last of these said so.
        is_new: whether the label was unknown to the session.
    """

    label: str | None
    by: tuple[str, ...]
    time: str
    is_new: bool


def settled(decisions: Mapping[str, Decision], how: Settle) -> Settled | None:
    """Returns what the decisions on one record come to, None where that is open."""
    if not decisions:
        return None
    counts = Counter(decision.label for decision in decisions.values())
    label, most = counts.most_common(1)[0]
    if how is Settle.NEWEST:
        label = max(decisions.values(), key=lambda one: one.number).label
    elif len(counts) > 1 and (how is Settle.AGREED or 2 * most <= len(decisions)):
        return None
    saying = [decision for decision in decisions.values() if decision.label == label]
    return Settled(
        label,
        tuple(sorted(decision.reviewer for decision in saying)),
        max(decision.time for decision in saying),
        any(decision.is_new for decision in saying),
    )


def all_settled(
    state: State, how: Settle, *, reviewers: Iterable[str] = ()
) -> tuple[dict[str, Settled], list[str]]:
    """Returns what is written of each record, and the records on which reviewers differ.

    Args:
        state: of the log.
        how: whose word counts.
        reviewers: whose decisions count at all; everybody's by default.

    Raises:
        ReviewError: when one of these has not decided anything that stands.
    """
    wanted = {_reviewer(name, state) for name in reviewers}
    found: dict[str, Settled] = {}
    open_: list[str] = []
    for record, decisions in state.decided():
        counted = {name: one for name, one in decisions.items() if not wanted or name in wanted}
        if not counted:
            continue
        one = settled(counted, how)
        if one is None:
            open_.append(record)
        else:
            found[record] = one
    return found, open_


def _reviewer(written: str, state: State) -> str:
    """Returns a reviewer of the log whose decisions stand."""
    name = state.spelling(" ".join(written.split()))
    if state.num_by(name):
        return name
    if name in state.reviewers:
        raise ReviewError(f"reviewer '{name}' has decided nothing that stands in this session.")
    raise ReviewError(
        f"no reviewer '{written}' in this session.{did_you_mean(written, state.reviewers)}"
    )
