"""Rows of an answer table as writers of other formats take them: names, labels, lineages, reasons."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from holotype import files
from holotype.errors import BundleError
from holotype.exchange.answers.writing import HUMAN, Written
from holotype.identify.columns import RANKS, Decision
from holotype.media.images import IMAGE_SUFFIXES
from holotype.models.places import MANIFEST, bundle_folder

FAILED = "it could not be read, so there is no answer"
PERSON = "a person named it, and the format holds what a classifier says"
_BATCH = 4_096
_USED = frozenset(
    {
        *(
            "input",
            "answer",
            "answer_level",
            "answer_score",
            "taxon",
            "decision",
            "decision_reason",
        ),
        *(
            "label",
            "score",
            "top_k",
            "nearest",
            "identity_pct",
            "strand",
            "status",
            "model",
            "failure",
        ),
        *(*RANKS, *(f"score_{rank}" for rank in RANKS)),
        *(
            "record_id",
            "source_item",
            "image_url",
            "barcode",
            "labelled_by",
            "instrument",
            "sample_id",
        ),
        *("acquisition_id", "cruise", "site", "latitude_deg", "longitude_deg", "collected_on"),
        *("country", "licence", "rights_holder"),
    }
)
_INSIDE = re.compile(
    r"\.(?:fasta|fas|fa|fna|ffn|frn|csv|tsv|txt|parquet|zip|tar|tgz)(?:\.(?:gz|bz2|xz))?/(.+)$",
    re.IGNORECASE,
)
_TO_QUOTE = re.compile(r"[\",\r\n]")
_BREAKS = re.compile(r"[\t\n\r\x0b\x0c\0\x1c-\x1e\x85\u2028\u2029]")

Row = Mapping[str, Any]
Lineages = Mapping[str, Mapping[str, str]]
"""Label -> rank -> name."""


def written(
    answers: pa.Table,
    left_out: Counter[str],
    rows: Mapping[str, int],
    notes: Mapping[str, int] | None = None,
) -> Written:
    """Returns what was written of a table of answers, by what was left out of it."""
    return Written(answers.num_rows - left_out.total(), dict(left_out), rows, notes or {})


def answer_rows(answers: pa.Table) -> Iterator[Row]:
    """Yields the rows of a table of answers, a batch at a time, with the columns that writers use."""
    used = answers.select([name for name in answers.column_names if name in _USED])
    for batch in used.to_batches(max_chunksize=_BATCH):
        yield from batch.to_pylist()


def is_failed(row: Row) -> bool:
    """Returns whether there is no answer because the input could not be read."""
    return bool(row["decision"] == Decision.FAILED.value)


def why_no_scores(row: Row) -> str | None:
    """Returns why a row has no answer of a classifier, or None where it has one."""
    if is_failed(row):
        return FAILED
    return PERSON if row["status"] == HUMAN else None


def item_name(row: Row) -> str:
    """Returns what the record is called in its file or data set, else its path.

    >>> row = {"source_item": None, "record_id": None}
    >>> item_name({**row, "input": "a/reads.fasta.gz/OTU_1"}), item_name({**row, "input": "a/b.jpg"})
    ('OTU_1', 'a/b.jpg')
    """
    if named := row["source_item"] or row["record_id"]:
        return str(named)
    given = str(row["input"])
    inside = _INSIDE.search(given)
    return inside[1] if inside else given


def picture_path(row: Row) -> str:
    """Returns the path or URL of the record's picture, as its owner knows it.

    That is the input, where it is a file; of a record of a collection, it is where the picture came from.
    """
    item = row["source_item"]
    path = str(row["input"]) if item is None or item == row["record_id"] else str(item)
    is_picture = Path(item or path).suffix.lower() in IMAGE_SUFFIXES
    return path if is_picture else str(row["image_url"] or path)


def best_labels(row: Row) -> list[tuple[str, float]]:
    """Returns the best labels with their scores, best first; none where nothing was scored."""
    if row["top_k"]:
        return [(each["label"], float(each["score"])) for each in json.loads(row["top_k"])]
    return [] if row["label"] is None else [(str(row["label"]), float(row["score"] or 0.0))]


def lineage_of(row: Row) -> dict[str, str]:
    """Returns the names of the safe answer by rank, widest first."""
    return {rank: str(row[rank]) for rank in RANKS if row[rank]}


def known_lineages(answers: pa.Table) -> dict[str, dict[str, str]]:
    """Returns the lineages of the labels that are the safe answer of some row; of others nothing is known."""
    wanted = answers.select(["label", "answer", "answer_level", *RANKS])
    found: dict[str, dict[str, str]] = {}
    for row in answer_rows(wanted):
        label = row["label"]
        if label and label not in found and label == row["answer"]:
            found[label] = lineage_of(row)
    return found


def lineages_of_model(run: Path | str) -> dict[str, dict[str, str]]:
    """Returns the lineages of all labels of a bundle, or of the shipped one for the name ``starter``.

    Raises:
        BundleError: when it has no manifest.
    """
    manifest = bundle_folder(run) / MANIFEST
    if not manifest.is_file():
        raise BundleError(f"{manifest}: missing, so {run} is no model. Name the folder of one.")
    labels = json.loads(manifest.read_text(encoding="utf-8"))["labels"]
    return {
        label["name"]: {rank: name for rank, name in label["lineage"].items() if rank in RANKS}
        for label in labels
    }


def epithet_of(species: str, genus: str) -> str:
    """Returns a species without its genus.

    >>> epithet_of("Ursus arctos syriacus", "Ursus"), epithet_of("Ursus arctos", "")
    ('arctos syriacus', 'Ursus arctos')
    """
    return species.removeprefix(f"{genus} ") if genus else species


def line_break(*texts: str) -> str | None:
    """Returns the first text with a tab or a line end in it, which a plain table cannot hold, or None."""
    return next((text for text in texts if _BREAKS.search(text)), None)


def shown(text: str) -> str:
    """Returns a text as a message shows it: in one line, not longer than 60 characters."""
    printed = text.encode("unicode_escape").decode("ascii") if line_break(text) else text
    return printed if len(printed) <= 60 else f"{printed[:57]}..."


def write_json_list(
    path: Path, head: Mapping[str, Any], key: str, values: Iterable[Mapping[str, Any]]
) -> int:
    """Writes a JSON object that ends with a list, one element a line; returns how many there are."""
    count = 0
    with _opened(path) as handle:
        handle.write("{\n")
        for name, value in head.items():
            handle.write(f" {_json(name)}: {_json(value)},\n")
        handle.write(f" {_json(key)}: [")
        for value in values:
            handle.write(f"{',' if count else ''}\n  {_json(value)}")
            count += 1
        handle.write("\n ]\n}\n")
    return count


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Opens a text file that is either whole or absent."""
    with (
        files.written_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as handle,
    ):
        yield handle


def write_tabbed(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Writes rows of texts without tabs and line ends with tabs between them, whole or not at all."""
    with _opened(path) as handle:
        handle.writelines("\t".join(row) + "\n" for row in rows)


def write_comma(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes rows with commas between the cells, quoted where they need it, whole or not at all.

    None is an empty cell, a number is written as Python prints it, and text stays as it is. A lone CR is
    quoted too, which the writer of the standard library leaves bare.
    """
    with _opened(path) as handle:
        for row in chain([header], rows):
            handle.write(",".join("" if value is None else _quoted(str(value)) for value in row))
            handle.write("\n")


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""')) if _TO_QUOTE.search(text) else text
