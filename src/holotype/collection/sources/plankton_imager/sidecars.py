"""What lies beside the images of a Plankton Imager run: its counts and its classifier's results."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from holotype.collection.reading.fields import parse_date, parse_number, whole_number
from holotype.collection.sources.item import Item
from holotype.errors import MediaError, SourceError
from holotype.media.members import Member

HITS, RESULTS = "hitsmisses.txt", "dnn_results.csv"
_NUMBERS = re.compile(r"[0-9]+")
_SIDES = {"N": 90, "S": 90, "E": 180, "W": 180}
_MEASURES = ("Area", "Major", "Minor")


@dataclass(frozen=True)
class Result:
    """What the instrument's classifier says of one image.

    Attributes:
        label: its class.
        fields: time, position and measures, by column of a collection.
    """

    label: str
    fields: Mapping[str, str]


@dataclass
class Sidecars:
    """What is known of one run.

    Attributes:
        fraction: part of the particles seen that was saved, above 0 to 1, or None.
        classifier: name of the classifier, or "".
        results: by lower-case file name.
        items: one for each file: read, or what is wrong.
    """

    fraction: float | None = None
    classifier: str = ""
    results: dict[str, Result] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)


def run_of(name: str) -> str | None:
    """Returns the folder of the run that a file tells about, or None where it is no such file."""
    folder, _, last = name.rpartition("/")
    if last.lower() == HITS:
        return folder
    if last.lower() == RESULTS:
        above, _, own = folder.rpartition("/")
        return above if own.lower() == "desc" else folder
    return None


def put(sidecars: Sidecars, member: Member) -> None:
    """Reads one file into what is known of its run."""
    is_hits = member.name.lower().endswith(HITS)
    try:
        said = _put_hits(sidecars, member) if is_hits else _put_results(sidecars, member)
        sidecars.items.append(Item(member.name, skip_reason=said))
    except MediaError as reason:
        sidecars.items.append(Item(member.name, error=f"{member.name}: {reason}. Copy it again."))
    except SourceError as reason:
        sidecars.items.append(Item(member.name, error=str(reason)))


def _put_hits(sidecars: Sidecars, member: Member) -> str:
    """Reads one line a minute: particles saved, particles seen but not saved."""
    hits = misses = 0
    for line, text in enumerate(member.read().decode("utf-8-sig", "replace").splitlines(), start=1):
        if not text.strip():
            continue
        cells = [cell.strip() for cell in text.split(",")]
        counts = [number for cell in cells if (number := whole_number(cell)) is not None]
        if len(cells) != 2 or len(counts) != 2:
            raise SourceError(
                f"{member.name}, line {line}: '{text[:60]}' where 'hits, misses' is expected. Copy the "
                "file again; without it no subsample fraction is known."
            )
        hits, misses = hits + counts[0], misses + counts[1]
    if hits:
        sidecars.fraction = hits / (hits + misses)
    return f"counts of the run: {hits:,} saved, {misses:,} missed"


def _put_results(sidecars: Sidecars, member: Member) -> str:
    lines = member.read().decode("utf-8-sig", "replace").splitlines()
    start = next((n for n, text in enumerate(lines[:2]) if "fname" in text.lower()), None)
    if start is None:
        raise SourceError(
            f"{member.name}, lines 1 and 2: no column 'Fname'. Copy the results of the classifier again."
        )
    if start:
        sidecars.classifier = lines[0].strip().strip(",")
    for line, row in _rows(member.name, lines, start):
        if row is None:
            wrong = f"{member.name}, line {line}: another number of columns than the header. Mend the row."
            sidecars.items.append(Item(f"{member.name}, line {line}", line, error=wrong))
            continue
        sidecars.results[row.get("fname", "").strip().lower()] = _result(row)
    called = sidecars.classifier or "without name"
    return f"results of the classifier {called}: {len(sidecars.results)} images"


def _rows(
    name: str, lines: Sequence[str], start: int
) -> Iterator[tuple[int, Mapping[str, str] | None]]:
    reader = csv.reader(lines[start:], skipinitialspace=True)
    header = [column.strip().lower() for column in next(reader)]
    if "class" not in header:
        raise SourceError(f"{name}, line {start + 1}: no column 'Class'. Copy the results again.")
    for cells in reader:
        if any(cell.strip() for cell in cells):
            fits = len(cells) == len(header)
            yield start + reader.line_num, dict(zip(header, cells, strict=True)) if fits else None


def _result(row: Mapping[str, str]) -> Result:
    fields = {}
    scores = [parse_number(row[column]) for column in row if column.endswith("(p)")]
    best = max((score for score in scores if score is not None), default=None)
    if best is not None:
        fields["extra:dnn_score"] = f"{best:g}"
    if moment := parse_date(row.get("datetime", "").strip().replace(" ", "T")):
        fields["collected_on"] = moment
    latitude = _degrees(row.get("gpslatitude", ""), row.get("gpslatituderef", ""))
    longitude = _degrees(row.get("gpslongitude", ""), row.get("gpslongituderef", ""))
    if latitude is not None and longitude is not None and (latitude or longitude):
        fields["latitude_deg"], fields["longitude_deg"] = repr(latitude), repr(longitude)
    for name in _MEASURES:
        if row.get(name.lower(), "").strip():
            fields[f"extra:dnn_{name.lower()}_px"] = row[name.lower()].strip()
    return Result(row["class"].strip(), fields)


def _degrees(written: str, side: str) -> float | None:
    """Returns degrees of "[49, 1, 391900, 10000, 0, 1]": degrees, minutes and seconds as fractions.

    Without its letter a number is no position: its sign is not known.
    """
    letter = side.strip().upper()[:1]
    if letter not in _SIDES or "-" in written:
        return None
    found = [whole_number(number) for number in _NUMBERS.findall(written)]
    parts = [number for number in found if number is not None]
    if len(found) != 6 or len(parts) != 6 or not all(parts[1::2]):
        return None
    degrees = parts[0] / parts[1] + parts[2] / parts[3] / 60 + parts[4] / parts[5] / 3600
    if degrees > _SIDES[letter]:
        return None
    return -degrees if letter in {"S", "W"} else degrees
