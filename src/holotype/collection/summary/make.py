"""The command ``summary``: one page that shows a collection, and all its figures as JSON."""

from dataclasses import dataclass
from pathlib import Path

from holotype import files
from holotype.collection.store import open_collection
from holotype.collection.summary.content import content
from holotype.collection.summary.page import page

PAGE_FILE = "index.html"
JSON_FILE = "summary.json"


@dataclass(frozen=True)
class SummaryReport:
    """What a summary says first.

    Attributes:
        page: the page to open.
        figures: the file with every figure.
        records: how many records the collection holds.
        sources: of how many sources.
        classes: how many classes they are called.
        on_one_instrument: how many classes one instrument alone shows; None where there are not two.
        with_instrument: how many classes have a record with an instrument.
        adds_up: whether every item of the ledger is accounted for.
        errors: findings of the last check that are errors; None where these records were never checked.
    """

    page: str
    figures: str
    records: int
    sources: int
    classes: int
    on_one_instrument: int | None
    with_instrument: int
    adds_up: bool
    errors: int | None


def summary(collection: Path | str, *, out: Path | str) -> SummaryReport:
    """Writes a page that shows a collection, and its figures; returns what they say first.

    The page is written last: where it is there, the figures are complete. The same collection gives the same
    bytes.

    Args:
        collection: its folder.
        out: folder for ``index.html`` and ``summary.json``, new or existing.

    Raises:
        CollectionError: when the collection cannot be opened.
    """
    folder = Path(out)
    found, images = content(open_collection(Path(collection)))
    files.write_json(folder / JSON_FILE, found)
    files.write_text(folder / PAGE_FILE, page(found, images))
    problems, classes = found["problems"], found["classes"]
    errors = sum(one["findings"] for one in problems["checks"] if one["severity"] == "error")
    return SummaryReport(
        page=str(folder / PAGE_FILE),
        figures=str(folder / JSON_FILE),
        records=found["totals"]["records"],
        sources=found["totals"]["sources"],
        classes=classes["total"],
        on_one_instrument=classes["on_one_instrument"],
        with_instrument=classes["with_instrument"],
        adds_up=found["ledger"]["adds_up"],
        errors=None if problems["checked"] == "never" else errors,
    )
