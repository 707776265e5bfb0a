"""Whether EcoTaxa would take a folder or zip of tables: every fault, with file, line and column.

Written from the rules of EcoTaxa's import, and apart from what writes such tables here, so that each is a
test of the other.
"""

import csv
import io
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holotype.collection.sources.ecotaxa.tables import PREDEFINED, PREFIXES
from holotype.errors import MediaError, SourceError
from holotype.exchange.ecotaxa.check_values import IMAGE_STARTS, cell_faults
from holotype.media.members import Member, members

_FREE = {
    ("object", "[f]"): 500,
    ("object", "[t]"): 20,
    ("sample", ""): 30,
    ("acq", ""): 30,
    ("process", ""): 30,
}
"""How many free columns of a prefix, and of objects by type, EcoTaxa takes."""
_TABLES = 2_000


@dataclass
class _Import:
    """What must agree between the rows of all tables: value -> what it belongs to, and where that stood."""

    files: Mapping[str, Member]
    images: dict[tuple[str, str], str] = field(default_factory=dict)
    ranks: dict[tuple[str, str], str] = field(default_factory=dict)
    parents: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)


def check_ecotaxa(path: Path | str) -> list[str]:
    """Returns what EcoTaxa would refuse, or misread, in a folder, zip or table; [] where nothing is wrong.

    A table without ``img_`` columns is one for an update: its objects are at EcoTaxa with their images.

    Raises:
        SourceError: when there is nothing at the path, or it cannot be opened.
    """
    found = {member.name: member for member in members(Path(path))}
    tables = [member for name, member in found.items() if _is_table(posixpath.basename(name))]
    said = [f"{m.name}: {m.error}" for m in found.values() if m.error]
    if not tables:
        named = "a table whose name starts with 'ecotaxa' in small letters and ends in .tsv or .txt"
        return [*said, f"{path}: no table. Put {named} into it."]
    if len(tables) > _TABLES:
        said.append(f"{path}: {len(tables):,} tables; EcoTaxa takes {_TABLES:,}.")
    whole = _Import(found)
    for table in tables:
        said += _table_faults(table, whole)
    return said


def _is_table(name: str) -> bool:
    return name.startswith("ecotaxa") and name.endswith((".tsv", ".txt"))


def _table_faults(table: Member, whole: _Import) -> Iterator[str]:
    try:
        content = table.read()
    except (MediaError, SourceError, OSError) as reason:
        yield f"{table.name}: {reason}"
        return
    text = content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "latin-1")
    if not content.isascii() and not content.startswith(b"\xef\xbb\xbf") and _is_utf8(content):
        yield (
            f"{table.name}: UTF-8 without a byte order mark: EcoTaxa reads it as Latin-1 and garbles its "
            "letters. Save it with the mark."
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quotechar='"')
    try:
        header = [cell.strip(" \t").lower() for cell in next(reader, [])]
        types = next(reader, [])
        yield from _header_faults(table.name, header, types)
        if "object_id" not in header:
            return
        count = 0
        for cells in filter(None, reader):
            count += 1
            yield from _row_faults(table.name, reader.line_num, header, types, cells, whole)
    except csv.Error as reason:
        yield f"{table.name}, line {reader.line_num}: {reason}."
        return
    if not count:
        yield f"{table.name}, line 3: no row."


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _header_faults(name: str, header: list[str], types: list[str]) -> Iterator[str]:
    where = f"{name}, line 1"
    if not any(header):
        yield f"{where}: no names of columns."
        return
    for column, times in Counter(header).items():
        if times > 1:
            yield f"{where}, column {column}: there {times} times."
        prefix, line, rest = column.partition("_")
        if not line or not rest:
            yield f"{where}, column '{column}': not of the form prefix_field."
        elif prefix not in PREFIXES:
            yield f"{where}, column {column}: prefix '{prefix}' is none of {', '.join(PREFIXES)}."
    prefixes = {column.partition("_")[0] for column in header}
    for prefix in ("object", "sample", "acq", "process"):
        if prefix in prefixes | {"object"} and f"{prefix}_id" not in header:
            yield f"{where}, column {prefix}_id: not there, and it must be."
    if "img_rank" in header and "img_file_name" not in header:
        yield f"{where}, column img_file_name: not there, and it must be."
    yield from _type_faults(name, header, types)


def _type_faults(name: str, header: list[str], types: list[str]) -> Iterator[str]:
    if len(types) != len(header):
        yield f"{name}, line 2: {len(types)} types for {len(header)} columns."
    free: Counter[tuple[str, str]] = Counter()
    for column, kind in zip(header, types, strict=False):
        prefix = column.partition("_")[0]
        if column in PREDEFINED:
            continue
        if prefix == "object" and kind not in {"[t]", "[f]"}:
            yield f"{name}, line 2, column {column}: '{kind}' is neither [t] nor [f]."
        free[prefix, kind if prefix == "object" else ""] += 1
    for key, most in _FREE.items():
        if free[key] > most:
            kinds = " ".join(filter(None, key))
            yield f"{name}, line 1: {free[key]} free columns of {kinds}; EcoTaxa takes {most}."


def _row_faults(
    name: str, line: int, header: list[str], types: list[str], cells: list[str], whole: _Import
) -> Iterator[str]:
    where = f"{name}, line {line}"
    if len(cells) > len(header):
        yield f"{where}: {len(cells)} cells under {len(header)} columns."
    row = dict(zip(header, cells, strict=False))
    kinds = dict(zip(header, types, strict=False))
    for column, cell in row.items():
        yield from (
            f"{where}, column {column}: {said}" for said in cell_faults(column, cell, kinds)
        )
    yield from _label_faults(where, row)
    object_id, image = row.get("object_id", "").strip(), row.get("img_file_name", "").strip()
    if not object_id:
        yield f"{where}, column object_id: blank."
    if "img_file_name" in header:
        yield from _image_faults(name, where, image, whole)
    if before := whole.images.get((object_id, image)):
        yield f"{where}, column object_id: '{object_id}' with image '{image}' is in {before} too."
    whole.images.setdefault((object_id, image), where)
    if rank := row.get("img_rank", "").strip():
        if before := whole.ranks.get((object_id, rank)):
            yield f"{where}, column img_rank: object '{object_id}' has rank {rank} in {before} too."
        whole.ranks.setdefault((object_id, rank), where)
    for child, parent in (("object_id", "sample_id"), ("acq_id", "sample_id")):
        if (held := row.get(child, "").strip()) and parent in row:
            above = row[parent].strip()
            known, at = whole.parents.setdefault((child, held), (above, where))
            if known != above:
                yield f"{where}, column {child}: '{held}' is of {parent} '{above}', in {at} of '{known}'."


def _label_faults(where: str, row: Mapping[str, str]) -> Iterator[str]:
    status = row.get("object_annotation_status", "").strip()
    label = row.get("object_annotation_category", "").strip()
    label = label or row.get("object_annotation_category_id", "").strip()
    if status and not label:
        yield f"{where}, column object_annotation_category: blank, with status '{status}'."
    if label and not status:
        yield f"{where}, column object_annotation_status: blank, with category '{label}'."
    shallow, deep = (row.get(f"object_depth_{end}", "").strip() for end in ("min", "max"))
    try:
        if shallow and deep and float(shallow) > float(deep):
            yield f"{where}, column object_depth_min: {shallow} is deeper than {deep}."
    except ValueError:
        pass  # told of by its own cell


def _image_faults(table: str, where: str, image: str, whole: _Import) -> Iterator[str]:
    place = f"{where}, column img_file_name"
    if not image:
        yield f"{place}: blank."
        return
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(table), image.replace("\\", "/")))
    member = whole.files.get(inside)
    if image.startswith("/") or inside.startswith("../") or member is None:
        yield f"{place}: '{image}' is not beside the table."
        return
    try:
        start = member.read()[:8]
    except (MediaError, OSError) as reason:
        yield f"{place}: '{image}' cannot be read ({reason})."
        return
    if not start.startswith(IMAGE_STARTS):
        yield f"{place}: '{image}' is neither PNG, JPEG nor GIF."
