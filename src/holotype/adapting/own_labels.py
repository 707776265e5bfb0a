"""What a user has -> records with labels: class folders, a table, or a collection.

Labels stay as they are written. What they mean is taken from the records' own lineages, and else from the
tree of the model that is adapted, where exactly one of its taxa bears that name.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holotype.collection.intake import import_
from holotype.collection.sources.presets import PRESETS, fitting_preset
from holotype.collection.sources.table import table_header
from holotype.collection.store import MANIFEST, Collection, concepts_of, open_collection
from holotype.errors import CollectionError, SourceError, first_few
from holotype.models.labels import LabelSpace
from holotype.progress import note
from holotype.splits.groups import TYING_COLUMNS, group_records
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.names import name_key

IMAGE_COLUMNS = ("image", "path", "file", "filename", "file_name", "image_path", "img_file_name")
LABEL_COLUMNS = (
    "written_label", "label", "class", "category", "taxon", "name", "annotation",
    "object_annotation_category", "scientific_name", "species",
)  # fmt: skip
"""Column names of a table of labels, in the order in which they are looked for; capitals do not matter."""
NEAR_BITS = 2
"""Images alike within so many bits of their perceptual hash are examined together."""


@dataclass(frozen=True)
class OwnLabels:
    """Labelled images, N of them.

    Attributes:
        collection: where they are.
        rows: int64, their rows in the collection.
        written: the label of each.
        concepts: what the label means, None where nothing says so.
        group_N: int64, images with one number show one specimen or nearly the same picture.
        without_label, without_image: records of the collection that cannot be used.
    """

    collection: Collection
    rows: NDArray[np.int64]
    written: tuple[str, ...]
    concepts: tuple[Concept | None, ...]
    group_N: NDArray[np.int64]
    without_label: int
    without_image: int

    def __len__(self) -> int:
        return len(self.rows)


def read_own_labels(
    inputs: Sequence[Path | str], labels: Path | str | None, known: LabelSpace, scratch: Path
) -> OwnLabels:
    """Returns the labelled images of class folders, of a table, or of a collection.

    Args:
        inputs: class folders (or archives of them); one folder of images, with ``labels``; one collection.
        labels: a table with an image and a label a row.
        known: the labels of the model, whose tree says what names mean.
        scratch: a folder for the records of what is not yet a collection.

    Raises:
        SourceError, CollectionError: when nothing with at least two labels can be read.
    """
    if not inputs:
        raise SourceError(
            "no images given. Name class folders, an archive of them or a collection."
        )
    opened = _collected([Path(path) for path in inputs], labels, scratch)
    table = opened.columns()
    own = concepts_of(table)
    meant = {concept: _meaning(concept, known) for concept in set(own) if concept is not None}
    written = [
        label or (concept.name if concept is not None else None)
        for label, concept in zip(table["written_label"].to_pylist(), own, strict=True)
    ]
    has_image = np.asarray([v is not None for v in table["image_sha256"].to_pylist()], np.bool_)
    has_label = np.asarray([label is not None for label in written], np.bool_)
    rows = np.flatnonzero(has_image & has_label)
    counts = Counter(written[row] for row in rows.tolist())
    if len(counts) < 2:
        raise CollectionError(
            f"{opened.path.name}: {len(rows):,} images with a label, of {len(counts)} different labels; "
            "two labels at least are needed. Give class folders, or name the table with --labels."
        )
    group_N = group_records(table, TYING_COLUMNS, near_bits=NEAR_BITS)[rows]
    found = OwnLabels(
        collection=opened,
        rows=rows,
        written=tuple(str(written[row]) for row in rows.tolist()),
        concepts=tuple(
            meant[concept] if (concept := own[row]) is not None else None for row in rows.tolist()
        ),
        group_N=group_N,
        without_label=int((~has_label).sum()),
        without_image=int((~has_image & has_label).sum()),
    )
    _tell(found, counts)
    _tell_odd_labels(found, table["image_sha256"].take(rows).to_pylist())
    return found


def _collected(inputs: list[Path], labels: Path | str | None, scratch: Path) -> Collection:
    """Returns the inputs as a collection: the one given, or a new one in ``scratch``."""
    if (inputs[0] / MANIFEST).is_file():
        if len(inputs) > 1 or labels is not None:
            raise SourceError(
                f"{inputs[0]}: a collection has its labels already. Give it alone, without --labels."
            )
        return open_collection(inputs[0])
    if labels is None:
        import_("image-folder", inputs, into=scratch, source="own")
    elif len(inputs) > 1:
        raise SourceError("--labels goes with one folder or archive of images.")
    else:
        path = Path(labels)
        preset = fitting_preset(table_header(path))
        if preset is not None and "image" in PRESETS[preset].columns:
            import_("table", [path], into=scratch, source="own", preset=preset, images=inputs[0])
        else:
            columns = label_columns(path)
            import_("table", [path], into=scratch, source="own", columns=columns, images=inputs[0])
    return open_collection(scratch)


def label_columns(path: Path) -> dict[str, str]:
    """Returns which columns of a table hold image and label, by the names people give them.

    Raises:
        SourceError: when the table has no such column.
    """
    header = table_header(path)
    by_name = {name.strip().lower(): name for name in reversed(header)}
    found: dict[str, str] = {}
    for target, names in (("image", IMAGE_COLUMNS), ("written_label", LABEL_COLUMNS)):
        column = next((by_name[name] for name in names if name in by_name), None)
        if column is None:
            raise SourceError(
                f"{path}, row 1: no column for the {target.removeprefix('written_')}; known names are "
                f"{first_few(names, limit=20)}; the table has {first_few(header, limit=30)}. Rename it, or "
                "make a collection with holotype import table --column and give that."
            )
        found[target] = column
    return {**found, "record_id": found["image"]}


def _meaning(concept: Concept, known: LabelSpace) -> Concept | None:
    """Returns what a label means: its own lineage, else the one taxon of the model's tree of that name."""
    if concept.lineage or concept.group is None:
        return concept
    nodes = {
        node for node in known.tree.nodes if name_key(str(node.name)) == name_key(concept.group)
    }
    if len(nodes) == 1:
        return Concept(nodes.pop(), concept.qualifier, concept.kind)
    same = [label.concept for label in known.labels if label.concept.group == concept.group]
    return same[0] if same else concept


def _tell(own: OwnLabels, counts: Counter[str | None]) -> None:
    note(f"{len(own):,} images of {len(counts):,} labels")
    for count, lacking in ((own.without_label, "label"), (own.without_image, "readable image")):
        if count:
            note(f"{count:,} records without a {lacking} are left aside")
    unmeant = {
        w for w, c in zip(own.written, own.concepts, strict=True) if c is None or not c.lineage
    }
    if unmeant:
        note(
            f"{len(unmeant):,} labels have no lineage here ({first_few(sorted(unmeant))}); they are learnt "
            "as they are written. A collection has them: holotype import --labels, or holotype names"
        )


def _tell_odd_labels(own: OwnLabels, hashes: Sequence[str]) -> None:
    """Tells of images with several labels, and of labels that may be one."""
    labels_of: dict[str, set[str]] = {}
    for image, label in zip(hashes, own.written, strict=True):
        labels_of.setdefault(image, set()).add(label)
    if several := sum(len(labels) > 1 for labels in labels_of.values()):
        note(
            f"images with two labels or more: {several:,}; they teach each of these. Where one is "
            "wrong, take it out and adapt again"
        )
    alike: dict[str, list[str]] = {}
    for name in sorted(set(own.written)):
        alike.setdefault(" ".join(name.casefold().split()), []).append(name)
    if twice := [name for names in alike.values() if len(names) > 1 for name in names]:
        note(
            "labels that differ in capitals or spaces alone are learnt as different ones: "
            f"{first_few(twice)}. "
            "If they are one, write them alike and adapt again"
        )
