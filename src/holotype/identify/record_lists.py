"""A list of records: a text file with one record id a line, of which inputs only those are read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from holotype.errors import SourceError
from holotype.progress import note

if TYPE_CHECKING:
    from holotype.identify.inputs import Asides, Specimen

NOT_FOUND = "listed record not found"


def ids_of_list(path: Path) -> list[str]:
    """Returns the record ids of a text file, one a line.

    Raises:
        SourceError: when there is no such file, or nothing is in it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as reason:
        raise SourceError(f"{path}: cannot be read ({reason}).") from reason
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise SourceError(f"{path}: names no record. Write one id a line.")
    return found


def listed(
    specimens: Iterable["Specimen"], path: Path | str, asides: "Asides"
) -> "Iterator[Specimen]":
    """Yields the specimens that a list names, and those of which nothing but a failure is known.

    Args:
        specimens: of all inputs.
        path: the list.
        asides: is told which records of the list are in no input, once all are read.

    Raises:
        SourceError: as ``ids_of_list``.
    """
    wanted = dict.fromkeys(ids_of_list(Path(path)))
    missing = wanted.copy()
    for one in specimens:
        record_id = one.context.get("record_id")
        if record_id in wanted:
            missing.pop(record_id, None)
            yield one
        elif record_id is None and one.failure is not None:
            yield one
    if missing:
        asides.notes[NOT_FOUND] += len(missing)
        asides.first_note.setdefault(NOT_FOUND, f"{path}: {next(iter(missing))}")
        note(
            f"{path}: {len(missing):,} of {len(wanted):,} records are in no input, as {next(iter(missing))}"
        )
