"""A review as one page that opens offline: who decided what, how far they agree, and the pictures of it."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from holotype import files
from holotype.collection.store import open_collection
from holotype.page.document import document
from holotype.page.layout import Section, definitions, heading, paragraph
from holotype.page.tables import sortable, table
from holotype.page.words import count, plain, some, with_unit
from holotype.reviewing.agreement import Agreement, Figure
from holotype.reviewing.cards import STYLE, gallery, pictures_of
from holotype.reviewing.review import Review, ReviewStatus
from holotype.reviewing.settle import Settle, Settled, all_settled

MOST_PICTURES = 1_200
COUNTED: dict[Settle, str] = {
    Settle.AGREED: "Records on which reviewers differ are not counted.",
    Settle.MAJORITY: "Where reviewers differ, what more than half say counts.",
    Settle.NEWEST: "Where reviewers differ, what was said last counts.",
}
"""What the counts are of."""


@dataclass(frozen=True)
class ReviewPageReport:
    """What was written.

    Attributes:
        out: the page.
        decided: records that somebody decided on.
        pictures: how many of these are shown with their picture.
        left_out: how many are not shown, so that the page stays small enough to send.
        bytes: of the page.
        without: how many are shown without a picture, by reason: the collection has another one now.
    """

    out: str
    decided: int
    pictures: int
    left_out: int
    bytes: int
    without: dict[str, int] = field(default_factory=dict)


def review_page(
    session: Path | str,
    *,
    out: Path | str,
    collection: Path | str | None = None,
    settle: Settle | str = Settle.AGREED,
    most: int = MOST_PICTURES,
) -> ReviewPageReport:
    """Writes a review as one HTML file, to send to a colleague.

    Args:
        session: folder of the session.
        out: the page; what is there is written over.
        collection: the collection's folder, where it has moved since.
        settle: whose word counts where reviewers differ; they are shown as disputed all the same.
        most: pictures; disputed records come first, then changed ones.

    Raises:
        ReviewError, CollectionError: when one cannot be opened.
    """
    review = Review.open(session)
    status = review.status()
    opened = open_collection(
        Path(collection) if collection is not None else review.session.collection
    )
    found, _ = all_settled(review.state, Settle(settle))
    disputed = frozenset(status.disputed)
    shown = _shown(review, found, disputed, most)
    seen, why = pictures_of(opened, review.session, shown)
    html = _html(review, status, Settle(settle), found, shown, seen, why)
    files.write_text(Path(out), html)
    size = len(html.encode())
    return ReviewPageReport(
        str(out), status.decided, len(seen), status.decided - len(shown), size, dict(Counter(why.values()))
    )  # fmt: skip


def _shown(
    review: Review, found: Mapping[str, Settled], disputed: Set[str], most: int
) -> list[str]:
    """Returns the records to show: disputed, changed, then confirmed, each in the order of the session."""

    def kind(record: str) -> int:
        one = found.get(record)
        if one is None or record in disputed:
            return 0
        return 1 if one.label != review.proposals[review.session.row_of[record]] else 2

    decided = [record for record, _ in review.state.decided()]
    return sorted(decided, key=lambda r: (kind(r), review.session.row_of[r]))[:most]


def _html(
    review: Review,
    status: ReviewStatus,
    settle: Settle,
    found: Mapping[str, Settled],
    shown: Sequence[str],
    seen: Mapping[str, str],
    why: Mapping[str, str],
) -> str:
    session = review.session
    disputed = set(status.disputed)
    open_ = [record for record in shown if record in disputed]
    agreed = [record for record in shown if record not in disputed]
    changed = [
        record for record in agreed
        if found[record].label != review.proposals[session.row_of[record]]
    ]  # fmt: skip
    same = [record for record in agreed if record not in set(changed)]
    top = f"<h1>Review: {plain(session.name)}</h1>" + paragraph(
        f"{some(status.decided, 'record')} of {count(status.records)} decided, by "
        f"{some(len(status.reviewers), 'person', 'people')}.", kind="about",
    )  # fmt: skip
    sections = [
        Section("about", "The session", "What was looked at, and by whom.", _about(review, status)),
        Section(
            "labels", "Counts before and after",
            f"What was proposed, and what they are now. {COUNTED[settle]}",
            _labels(review, found),
        ),
        Section(
            "agreement", "Agreement",
            "On records that two or more people decided on. Unclassified counts as a label.",
            _agreement(status.agreement),
        ),
        Section(
            "disputed", "Disputed", "Records on which those who decided differ.",
            gallery(review, open_, seen, why, "Nobody differs.", found),
        ),
        Section(
            "changed", "Changed", "Records that are not what was proposed.",
            gallery(review, changed, seen, why, "Nothing was changed."),
        ),
        Section(
            "confirmed", "Confirmed", "Records that are what was proposed.",
            gallery(review, same, seen, why, "Nothing was confirmed.") + _cut(status.decided - len(shown)),
        ),
    ]  # fmt: skip
    return document(f"Review: {session.name}", top, sections, style=STYLE)


def _about(review: Review, status: ReviewStatus) -> str:
    made = review.session.manifest
    rows: list[tuple[str, object]] = [
        ("Collection", f"{made['collection']['name']} ({made['collection']['fingerprint']})"),
        ("Model", made["answers"]["model"]),
        ("Made", made["made"]),
        ("Records", count(status.records)),
        ("Decided", f"{count(status.decided)} ({with_unit(status.decided / max(status.records, 1))})"),
        ("Pages done", f"{count(status.pages_done)} of {count(status.pages)}"),
        ("Last decision", review.state.last_time or None),
        ("Notes", count(status.notes)),
        *_damage(status),
    ]  # fmt: skip
    people = table(
        ["reviewer", "records decided"], [[name, n] for name, n in status.reviewers.items()],
        says="Records decided by each reviewer",
    )  # fmt: skip
    new = ""
    if status.new_labels:
        new = heading("Labels that were new") + table(
            ["label", "brought by"], [[n, who] for n, who in status.new_labels.items()],
            says="New labels", words=(1,),
        )  # fmt: skip
    return definitions(rows) + heading("Reviewers") + people + new


def _damage(status: ReviewStatus) -> list[tuple[str, object]]:
    """Returns what is to be said of a damaged log, nothing of a whole one."""
    if not status.damaged:
        return []
    return [("Lines of the log that are no events, left out", count(len(status.damaged)))]


def _labels(review: Review, found: Mapping[str, Settled]) -> str:
    before, after = Counter[str](), Counter[str]()
    moved = Counter[tuple[str, str]]()
    for record, one in found.items():
        proposed = review.proposals[review.session.row_of[record]] or "nothing"
        label = one.label or "unclassified"
        before[proposed] += 1
        after[label] += 1
        moved[(proposed, label)] += proposed != label
    if not found:
        return paragraph("Nothing is settled yet.", kind="note")
    names = sorted(before | after, key=lambda name: (-after[name], name))
    counts = sortable(
        "labels", ["label", "proposed", "now"], [[name, before[name], after[name]] for name in names],
        says="Records by label, before and after", noun="label",
    )  # fmt: skip
    rows = [[old, new, n] for (old, new), n in moved.most_common() if n]
    changes = table(
        ["proposed", "now", "records"], rows, says="Changes of label", words=(1,)
    ) if rows else paragraph("No label was changed.", kind="note")  # fmt: skip
    return counts + heading("Changes") + changes


def _agreement(found: Agreement) -> str:
    if not found.records:
        return paragraph("No record was decided on by two people.", kind="note")
    facts = definitions(
        [
            ("Records that two or more decided on", count(found.records)),
            ("All say the same", _share(found.share)),
            ("Krippendorff's alpha", _coefficient(found.alpha)),
        ]
    )
    pairs = table(
        ["reviewers", "records", "say the same", "Cohen's kappa"],
        [
            [" and ".join(one.reviewers), one.records, _share(one.share), _coefficient(one.kappa)]
            for one in found.pairs
        ],
        says="Agreement of every two reviewers", words=(2, 3),
        caption="In brackets the 95 % interval. One that is negative: less than by chance.",
    )  # fmt: skip
    return facts + heading("Every two") + pairs


def _share(one: Figure) -> str | None:
    if one.value is None:
        return None
    return f"{with_unit(one.value)} ({with_unit(one.low)} to {with_unit(one.high)})"


def _coefficient(one: Figure) -> str | None:
    if one.value is None:
        return None
    return f"{one.value:.2f}" + ("" if one.low is None else f" ({one.low:.2f} to {one.high:.2f})")


def _cut(number: int) -> str:
    if not number:
        return ""
    return paragraph(f"{some(number, 'more record')} decided without a picture here.", kind="note")
