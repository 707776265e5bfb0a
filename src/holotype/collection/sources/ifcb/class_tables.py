"""Class and feature files of IFCB bins that are tables: labels, measures, probabilities by region."""

from collections.abc import Callable, Mapping

from holotype.collection.reading.fields import parse_number, whole_number
from holotype.collection.reading.tabular import open_table, present
from holotype.collection.sources.ifcb.content import Automatic, ClassFile, clearing
from holotype.errors import SourceError
from holotype.media.capture_times import capture_time
from holotype.media.members import Member

FEATURES = (
    "Area", "Biovolume", "EquivDiameter", "MajorAxisLength", "MinorAxisLength", "Perimeter",
    "ConvexArea", "Solidity", "Eccentricity", "SurfaceArea", "RepresentativeWidth",
    "maxFeretDiameter", "FeretDiameter", "numBlobs", "summedArea", "summedBiovolume",
)  # fmt: skip
"""The measures that are kept, under their own names: pixels, square and cubic pixels."""


_Row = Mapping[str, str]


def read_class_table(member: Member, thresholds: Mapping[str, float]) -> ClassFile:
    """Returns the content of a table of labels, measures or probabilities, by its columns.

    Raises:
        SourceError: names line and column of what is wrong.
    """
    table = open_table(member)
    lower = {name.strip().lower(): name for name in table.header}
    rows: dict[int, _Row] = {}
    key = next(
        (lower[k] for k in ("roi_number", "roi", "file_name", "filename") if k in lower), None
    )
    if key is None:
        raise SourceError(
            f"{member.name}, line 1: no column roi_number, roi or file_name. Name the column of "
            "the regions so."
        )
    if "blob_number" in lower:
        raise SourceError(
            f"{member.name}, line 1: column blob_number: measures of single blobs. Give the table by region."
        )
    for row in table.rows:
        number = None if row.error else _region(row.values[key])
        if number is None:
            found = row.error or f"column {key}: '{row.values[key][:60]}' is no number of a region"
            raise SourceError(f"{member.name}, line {row.line}: {found}. Mend the row.")
        if number in rows:
            raise SourceError(
                f"{member.name}, line {row.line}, column {key}: region {number} is there twice. "
                "Remove one line."
            )
        rows[number] = row.values
    try:
        return _meaning(lower)(rows, lower, thresholds)
    except SourceError as reason:
        raise SourceError(f"{member.name}, {reason}") from reason


def _region(written: str) -> int | None:
    text = written.strip().removesuffix(".0")
    if (number := whole_number(text)) is not None:
        return number
    named = capture_time(text)
    return named.roi_number if named else None


_Reader = Callable[[dict[int, _Row], Mapping[str, str], Mapping[str, float]], ClassFile]


def _meaning(lower: Mapping[str, str]) -> _Reader:
    if "class_name" in lower or "class" in lower or "label" in lower:
        return _labels_of
    if {name.lower() for name in FEATURES} & lower.keys():
        return _features_of
    return _probabilities_of


def _labels_of(
    rows: dict[int, _Row], lower: Mapping[str, str], _: Mapping[str, float]
) -> ClassFile:
    column = next(lower[name] for name in ("class_name", "class", "label") if name in lower)
    labels = {n: row[column].strip() for n, row in rows.items() if present(row[column])}
    by_machine = [lower[name] for name in ("class_name_auto", "score") if name in lower]
    if not by_machine:
        return ClassFile(unsaid=labels)
    winner, score = lower.get("class_name_auto", column), lower.get("score")
    automatic = {
        n: Automatic(
            label, rows[n][winner].strip() or label, rows[n][score].strip() if score else ""
        )
        for n, label in labels.items()
    }
    return ClassFile(automatic=automatic)


def _features_of(
    rows: dict[int, _Row], lower: Mapping[str, str], _: Mapping[str, float]
) -> ClassFile:
    kept = [(name, lower[name.lower()]) for name in FEATURES if name.lower() in lower]
    return ClassFile(
        features={
            n: {name: row[column].strip() for name, column in kept if present(row[column])}
            for n, row in rows.items()
        }
    )


def _score(written: str, column: str, region: int) -> float:
    found = parse_number(written)
    if found is None:
        raise SourceError(
            f"region {region}, column {column}: '{written[:40]}' is no score. Mend it."
        )
    return found


def _probabilities_of(
    rows: dict[int, _Row], lower: Mapping[str, str], thresholds: Mapping[str, float]
) -> ClassFile:
    classes = [name for key, name in lower.items() if key not in {"roi", "roi_number"}]
    automatic: dict[int, Automatic] = {}
    for number, row in rows.items():
        scores = {name: _score(row[name], name, number) for name in classes}
        winner = max(scores, key=lambda name: scores[name])
        automatic[number] = Automatic(clearing(scores, thresholds), winner, row[winner].strip())
    return ClassFile(automatic=automatic)
