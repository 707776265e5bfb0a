"""The tables of a snapshot in a folder, zip or tar: chosen columns as text, bad rows counted."""

import csv
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from holotype.errors import TaxonomyError, first_few
from holotype.files import DAMAGE
from holotype.taxonomy.backbone.schema import RAW_COLUMNS, RAW_SCHEMA

NULLS = ["", "None", "NULL", "\\N", "null", "nan", "NaN"]
"""What sources write for "nothing"."""


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        delimiter: between columns.
        quote: around values, "" for none.
        encoding: of the text.
        header_lines: lines before the rows.
    """

    delimiter: str = "\t"
    quote: str = ""
    encoding: str = "utf-8"
    header_lines: int = 1


@dataclass(frozen=True)
class Snapshot:
    """A folder or an archive of tables.

    Attributes:
        path: of the folder or archive; a single file is its own snapshot.
        members: the files in it, by the path inside; dot files and Mac leftovers are left out.
    """

    path: Path
    members: tuple[str, ...]

    def find(self, *stems: str) -> str | None:
        """Returns the member whose file name without ending is one of these (letters only, any case)."""
        wanted = {_letters(stem) for stem in stems}
        fits = [name for name in self.members if _letters(PurePosixPath(name).stem) in wanted]
        return min(fits, key=lambda name: (name.count("/"), name)) if fits else None

    @contextmanager
    def open(self, member: str) -> Iterator[IO[bytes]]:
        """Yields a member as a binary file."""
        try:
            if self.path.is_dir():
                with (self.path / member).open("rb") as handle:
                    yield handle
            elif zipfile.is_zipfile(self.path):
                with zipfile.ZipFile(self.path) as archive, archive.open(member) as handle:
                    yield handle
            elif self.path.name == member:
                with self.path.open("rb") as handle:
                    yield handle
            else:
                with tarfile.open(self.path) as tar:
                    found = tar.extractfile(member)
                    if found is None:
                        raise TaxonomyError(
                            f"{self.path}: {member} is no file. Fetch the archive again."
                        )
                    yield found
        except DAMAGE as reason:
            raise TaxonomyError(
                f"{self.path}: {member}: damaged ({reason}). Fetch the archive again."
            ) from None


def open_snapshot(path: Path) -> Snapshot:
    """Returns the members of a folder, a zip, a tar (compressed or not) or a single file.

    Raises:
        TaxonomyError: when an archive is damaged or holds nothing.
    """
    try:
        if path.is_dir():
            names = [
                found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file()
            ]
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                names = [entry.name for entry in tar if entry.isfile()]
        else:
            names = [path.name]
    except DAMAGE as reason:
        raise TaxonomyError(f"{path}: damaged ({reason}). Fetch the archive again.") from None
    kept = [
        name
        for name in names
        if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    ]
    if not kept:
        raise TaxonomyError(f"{path}: nothing in it. Check the path of the snapshot.")
    return Snapshot(path, tuple(sorted(kept)))


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def header_of(snapshot: Snapshot, member: str, dialect: Dialect) -> list[str]:
    """Returns the column names in the first line of a table.

    Raises:
        TaxonomyError: when the line is not in the encoding, or there is none.
    """
    with snapshot.open(member) as handle:
        first = io.BytesIO(handle.readline(1 << 20)).getvalue()
    try:
        text = first.decode("utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding)
    except (UnicodeDecodeError, LookupError) as reason:
        raise TaxonomyError(
            f"{snapshot.path}: {member}, line 1: {reason}. Save it as UTF-8."
        ) from None
    try:
        rows = list(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote or None,
                               quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE))  # fmt: skip
    except (csv.Error, TypeError) as reason:
        raise TaxonomyError(
            f"{snapshot.path}: {member}, line 1: {reason}. Fetch the snapshot again."
        ) from None
    if not rows or not any(rows[0]):
        raise TaxonomyError(f"{snapshot.path}: {member}: empty. Fetch the snapshot again.")
    return [name.strip() for name in rows[0]]


def read_columns(
    snapshot: Snapshot,
    member: str,
    columns: Mapping[str, int],
    dialect: Dialect,
    problems: dict[str, int],
    width: int,
) -> pa.Table:
    """Returns chosen columns of a table as text, blanks as null; rows of another width are left out.

    Args:
        snapshot: where the table is.
        member: which it is.
        columns: new name -> position of the column.
        dialect: how it is written.
        problems: "row_of_other_width" is added to.
        width: how many columns a row has.

    Raises:
        TaxonomyError: names the file when it is not text of that encoding.
    """
    names = [f"c{position}" for position in range(width)]
    lost = 0

    def skip(_row: pacsv.InvalidRow) -> str:
        nonlocal lost
        lost += 1
        return "skip"

    chosen = sorted({names[position] for position in columns.values()})
    read = pacsv.ReadOptions(column_names=names, skip_rows=dialect.header_lines, encoding=dialect.encoding,
                             block_size=8 << 20)  # fmt: skip
    parse = pacsv.ParseOptions(delimiter=dialect.delimiter, quote_char=dialect.quote or False,
                               newlines_in_values=bool(dialect.quote), invalid_row_handler=skip)  # fmt: skip
    convert = pacsv.ConvertOptions(column_types=dict.fromkeys(chosen, pa.string()), include_columns=chosen,
                                   null_values=NULLS, strings_can_be_null=True)  # fmt: skip
    try:
        with snapshot.open(member) as handle:
            table = pacsv.read_csv(pa.PythonFile(handle, mode="r"), read, parse, convert)
    except pa.ArrowInvalid as reason:
        if "Empty" not in str(reason):
            raise TaxonomyError(
                f"{snapshot.path}: {member}: {str(reason)[:160]}. Save it as UTF-8."
            ) from None
        table = pa.table({name: pa.array([], pa.string()) for name in chosen})
    except (OSError, LookupError) as reason:
        raise TaxonomyError(
            f"{snapshot.path}: {member}: {reason}. Fetch the snapshot again."
        ) from None
    if lost:
        problems["row_of_other_width"] = problems.get("row_of_other_width", 0) + lost
    trimmed = {new: _trimmed(table[names[position]]) for new, position in columns.items()}
    return pa.table(trimmed).combine_chunks()


def _trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(pc.utf8_length(text), 0), pa.scalar(None, pa.string()), text)


def read_named(
    snapshot: Snapshot, member: str, wanted: Mapping[str, Sequence[str]], dialect: Dialect,
    problems: dict[str, int], *, needed: Sequence[str] = (),
) -> pa.Table:  # fmt: skip
    """Returns columns by the names in a table's header; one that is not there becomes all null.

    Args:
        snapshot: where the table is.
        member: which it is.
        wanted: new name -> names that it may have, compared by letters and digits only.
        dialect: how it is written.
        problems: added to.
        needed: new names that MUST be there.

    Raises:
        TaxonomyError: names the file and the columns that are missing.
    """
    header = header_of(snapshot, member, dialect)
    places: dict[str, int] = {}
    for position, name in enumerate(header):
        places.setdefault(_letters(name.rpartition(":")[2]), position)
    found = {
        new: next((places[_letters(n)] for n in names if _letters(n) in places), None)
        for new, names in wanted.items()
    }
    if missing := [wanted[new][0] for new in needed if found[new] is None]:
        raise TaxonomyError(
            f"{snapshot.path}: {member}, line 1: no column {first_few(missing)}. Check the kind of snapshot."
        )
    there = {new: position for new, position in found.items() if position is not None}
    table = read_columns(snapshot, member, there, dialect, problems, len(header))
    for new in wanted:
        if new not in there:
            table = table.append_column(new, pa.nulls(table.num_rows, pa.string()))
    return table.select(list(wanted))


def as_raw(table: pa.Table) -> pa.Table:
    """Returns a table with the raw columns of a backbone, in order; those it lacks are null."""
    columns = [
        table[name].cast(pa.string())
        if name in table.column_names
        else pa.nulls(table.num_rows, pa.string())
        for name in RAW_COLUMNS
    ]
    return pa.table(columns, schema=RAW_SCHEMA)


def joined(parts: Sequence[pa.Array], separator: str) -> pa.Array:
    """Returns the texts of each row that are not null, joined; null where all are.

    Arrow's own way of skipping nulls loses the rows in which all are null (seen in 25.0.1).
    """
    filled = [pc.fill_null(part, "") for part in parts]
    text = pc.binary_join_element_wise(*filled, separator) if len(filled) > 1 else filled[0]
    text = pc.replace_substring_regex(text, f"{separator}+", separator)
    text = pc.replace_substring_regex(text, f"^{separator}|{separator}$", "")
    return pc.if_else(pc.equal(pc.utf8_length(text), 0), pa.scalar(None, pa.string()), text)
