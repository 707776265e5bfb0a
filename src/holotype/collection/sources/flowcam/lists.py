"""The .lst and .cla files of a FlowCam run: where every particle is on its collage, and its class.

A list starts with a format version, the number of its fields and one ``name|type`` line for each; rows
follow, split by ``|``. Source: VisualSpreadsheet (Yokogawa Fluid Imaging), files of version 4.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from holotype.collection.reading.fields import whole_number
from holotype.errors import SourceError

BOX = ("image_x", "image_y", "image_w", "image_h")
NEEDED = ("id", *BOX, "collage_file")
_MOST_FIELDS = 10_000
_AGAIN = "Copy the run from the instrument again."


@dataclass(frozen=True)
class ParticleList:
    """A list of particles.

    Attributes:
        name: how errors call it.
        columns: names of its fields.
        first_line: of its rows, counted as an editor does.
        lines: its rows as text.
    """

    name: str
    columns: tuple[str, ...]
    first_line: int
    lines: Sequence[str]

    def rows(self) -> Iterator[tuple[int, Mapping[str, str] | str]]:
        """Yields line number and row, or what is wrong with it."""
        for line, text in enumerate(self.lines, start=self.first_line):
            if not text.strip():
                continue
            cells = text.split("|")
            if len(cells) == len(self.columns):
                yield line, dict(zip(self.columns, cells, strict=True))
            else:
                found = f"{len(cells)} fields where {len(self.columns)} are named"
                yield line, f"{self.name}, line {line}: {found}. {_AGAIN}"


def parse_list(name: str, text: str) -> ParticleList:
    """Returns the list of a run.

    Raises:
        SourceError: names the line that is not as in a list.
    """
    lines = text.splitlines()
    if not lines or whole_number(lines[0].strip()) is None:
        found = lines[0][:40] if lines else ""
        raise SourceError(
            f"{name}, line 1: '{found}' is no format version of a FlowCam list. {_AGAIN}"
        )
    second = lines[1] if len(lines) > 1 else ""
    word, _, number = second.partition("|")
    count = whole_number(number.strip(), most=_MOST_FIELDS)
    if word.strip() != "num-fields" or count is None:
        raise SourceError(
            f"{name}, line 2: '{second[:40]}' where num-fields|N is expected. Open and save the run with "
            "VisualSpreadsheet 3 or later."
        )
    named = lines[2 : 2 + count]
    if len(named) < count or not all("|" in line for line in named):
        bad = next((n for n, line in enumerate(named, start=3) if "|" not in line), len(lines) + 1)
        raise SourceError(f"{name}, line {bad}: no name|type of one of {count} fields. {_AGAIN}")
    columns = tuple(line.partition("|")[0].strip().lower() for line in named)
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise SourceError(
            f"{name}, lines 3 to {2 + count}: no field '{missing[0]}': images cannot be found. Export the "
            "images from VisualSpreadsheet and import them as a table."
        )
    return ParticleList(name, columns, 3 + count, lines[2 + count :])


def pixels(row: Mapping[str, str], column: str) -> int:
    """Returns a whole number that is not negative.

    Raises:
        SourceError: names the column and what was found.
    """
    written = row[column].strip()
    if (number := whole_number(written)) is None:
        raise SourceError(f"column {column}: '{written[:40]}' is no whole number from 0")
    return number


@dataclass(frozen=True)
class Classification:
    """The classes of a run.

    Attributes:
        template: name of the classification.
        classes: class by particle id.
        by_filter: classes that a filter of values gave.
        twice: particle ids that are in two classes; the first is kept.
    """

    template: str
    classes: Mapping[str, str]
    by_filter: frozenset[str]
    twice: tuple[str, ...]


def parse_classes(name: str, text: str) -> Classification:
    """Returns the classes of a .cla file of version 3.

    After version, a number, the template and the number of classes, each class has its name, how its filters
    are joined, the number and the paths of the filters, the number and the ids of its particles.

    Raises:
        SourceError: names the line.
    """
    lines = [line.strip() for line in text.splitlines()]
    if not lines or lines[0] != "v3":
        found = lines[0][:40] if lines else ""
        raise SourceError(
            f"{name}, line 1: '{found}' where v3 is expected. Export the classes as a column of the .csv."
        )
    classes: dict[str, str] = {}
    by_filter: set[str] = set()
    twice: list[str] = []
    place = 4
    for _ in range(_count(name, lines, 3)):
        label = lines[place] if place < len(lines) else ""
        filters = _count(name, lines, place + 2)
        particles = _count(name, lines, place + 3 + filters)
        first = place + 4 + filters
        ids = lines[first : first + particles]
        if not label or len(ids) < particles:
            raise SourceError(
                f"{name}, line {place + 1}: class '{label}' has {len(ids)} of {particles} particles. {_AGAIN}"
            )
        if filters:
            by_filter.add(label)
        twice += [particle for particle in ids if classes.setdefault(particle, label) != label]
        place = first + particles
    return Classification(lines[2], classes, frozenset(by_filter), tuple(twice))


def _count(name: str, lines: Sequence[str], place: int) -> int:
    written = lines[place] if place < len(lines) else ""
    if (count := whole_number(written)) is None:
        raise SourceError(
            f"{name}, line {place + 1}: '{written[:40]}' where a count is expected. {_AGAIN}"
        )
    return count
