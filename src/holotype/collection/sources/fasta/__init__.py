"""Reference libraries and sequences: FASTA with the headers of many tools, and the table of CRABS.

The forms of headers are in ``fasta_forms``. A table with the taxonomy (QIIME 2 ``Feature ID<TAB>Taxon``,
mothur ``id<TAB>lineage;``) or with ranks (RDP and IDTAXA ``id*name*parent*depth*rank``) is given as
annotations. Letters are taken as they stand: what is no nucleotide is told where records are checked.
"""

import bz2
import gzip
import io
import itertools
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from holotype.collection.reading.disk_index import DiskIndex
from holotype.collection.reading.distinct import DistinctNames
from holotype.collection.reading.rows import binomial
from holotype.collection.sources.fasta.crabs import crabs_row, is_crabs
from holotype.collection.sources.fasta.forms import SAMPLED_HEADERS, HeaderForm, find_form
from holotype.collection.sources.fasta.headers import Ranks, plain_id, read_header
from holotype.collection.sources.fasta.lineages import Fields, lineage_fields
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import MediaError, SourceError
from holotype.media.locations import FileAt
from holotype.media.members import Member, is_archive, members

_NAMED_FASTA = re.compile(r"\.(fasta|fas|fa|fna|ffn|frn|crabs)(\.(gz|bz2|xz))?$", re.IGNORECASE)
_OPENERS: Mapping[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
}
_DEPTH = re.compile(r"-?[0-9]{1,9}")
MAX_LETTERS = 16 << 20
"""Letters of one sequence that are kept, and of one line: what has more is no barcode, gaps and all."""
_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, MediaError, ValueError)


@dataclass(frozen=True)
class Sequence:
    """One sequence of a file: the line of its header, the header without ">", the letters.

    Of a sequence of over ``MAX_LETTERS`` the letters are those alone, and ``is_cut`` is true.
    """

    line: int
    header: str
    letters: str
    is_cut: bool = False


@dataclass(frozen=True)
class SideTable:
    """What a table beside the sequences says.

    Attributes:
        ranks: (name, depth) -> rank; None without such a table.
        lineages: id -> lineage; None without such a table.
    """

    ranks: Ranks = None
    lineages: DiskIndex | None = field(default=None, compare=False)


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each sequence; plain, gzip, bzip2 and xz files, and archives of them, are read.

    Raises:
        SourceError: when the file is missing, empty, or no FASTA.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file. Check the path.")
    side = read_side_table(options.annotations) if options.annotations else SideTable()
    names = DistinctNames()
    if path.is_file() and not is_archive(path):
        yield from _items(path, str(path), side, names)
        return
    found = False
    for member in members(path, options.spool):
        if member.skip_reason is not None:
            yield left_out(member)
        elif not _NAMED_FASTA.search(member.name):
            yield Item(member.name, skip_reason="not named like FASTA")
        else:
            found = True
            yield from _items(member, member.name, side, names)
    if not found:
        raise SourceError(f"{path}: no FASTA in it. Its files must end in .fasta, .fa or .fas.")


def _items(
    place: Path | Member, called: str, side: SideTable, names: DistinctNames
) -> Iterator[Item]:
    number = 0
    try:
        with _opened(place) as handle:
            start = _first_line(handle)
        if is_crabs(start):
            yield from _crabs_items(place, called, names)
            return
        with _opened(place) as handle:
            stream = sequences(handle)
            first = list(itertools.islice(stream, SAMPLED_HEADERS))
            form = find_form([sequence.header for sequence in first])
            for number, found in enumerate(itertools.chain(first, stream), start=1):
                yield _item(found, number, form, (called, side, names))
    except _UNREADABLE as reason:
        if isinstance(reason, SourceError):
            raise
        raise SourceError(
            f"{called}, after sequence {number}: not FASTA ({reason}). Mend or remove that line."
        ) from reason
    if number == 0:
        raise SourceError(f"{called}: no sequence in it.")


def _item(
    found: Sequence, number: int, form: HeaderForm, context: tuple[str, SideTable, DistinctNames]
) -> Item:
    called, side, names = context
    header = read_header(found.header, form, side.ranks)
    fields, notes = dict(header.fields), []
    where = f"{called}, line {found.line}"
    if header.odd:
        notes.append(("header", f"{where}: {header.odd}: only its id is used; check the header"))
    if side.lineages is not None:
        fields, odd = _with_lineage(fields, side.lineages, header.name)
        notes += [("lineage", f"{where}: {odd}")] if odd else []
    if "species" in fields:
        fields["species"] = binomial(fields.get("genus", ""), fields["species"])
    wanted = header.name or f"sequence {number}"
    name = names.name(wanted, number)
    if name != wanted:
        notes.append(("repeated_id", f"{where}: '{wanted}' is the id of an earlier sequence too"))
    if not found.letters:
        return Item(name, number, skip_reason="a header without a sequence")
    if found.is_cut:
        wrong = f"{where}: a sequence of over {MAX_LETTERS:,} letters is no barcode. Remove it."
        return Item(name, number, error=wrong)
    return Item(name, number, {**fields, "barcode": found.letters}, notes=tuple(notes))


def _with_lineage(fields: Fields, lineages: DiskIndex, name: str) -> tuple[Fields, str | None]:
    held = lineages.find(name) or lineages.find(plain_id(name))
    if not held:
        return fields, f"no row '{name}' in the table of lineages; no name is given; add the row"
    found, odd = lineage_fields(held[0][1])
    return fields | found, odd and f"'{name}' has {odd}; write k__Name; p__Name; ..."


@contextmanager
def _opened(place: Path | Member) -> Iterator[IO[bytes]]:
    """Gives a file or member open for reading, unpacked on the way."""
    if isinstance(place, Member) and isinstance(place.at, FileAt):
        place = Path(place.at.path)
    with ExitStack() as open_files:
        raw: IO[bytes] = io.BytesIO(place.read()) if isinstance(place, Member) else place.open("rb")
        open_files.enter_context(raw)
        opener = _OPENERS.get(raw.read(2))
        raw.seek(0)
        yield raw if opener is None else open_files.enter_context(opener(raw))


def _decoded(line: bytes) -> str:
    line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _first_line(handle: IO[bytes]) -> str:
    return next((text for line in _lines(handle) if (text := _decoded(line)).strip()), "")


def _lines(handle: IO[bytes]) -> Iterator[bytes]:
    """Yields the lines of a file; of one that is longer than ``MAX_LETTERS`` no more than a byte above it."""
    while line := handle.readline(MAX_LETTERS + 1):
        rest = line
        while len(rest) > MAX_LETTERS and not rest.endswith(b"\n"):
            rest = handle.readline(MAX_LETTERS + 1)
        yield line


def sequences(handle: IO[bytes]) -> Iterator[Sequence]:
    """Yields the sequences of an open FASTA file; blank lines and lines that start with ";" are left out.

    Raises:
        ValueError: when letters come before the first header, or a line is binary.
    """
    header, line_of_header, letters, left = None, 0, list[str](), MAX_LETTERS
    for line, content in enumerate(_lines(handle), start=1):
        if b"\0" in content:
            raise ValueError(f"line {line} holds zero bytes")
        text = _decoded(content).strip()
        if text.startswith(">"):
            if header is not None:
                yield Sequence(line_of_header, header, "".join(letters), left < 0)
            header, line_of_header, letters, left = text[1:].strip(), line, [], MAX_LETTERS
        elif not text or text.startswith(";"):
            continue
        elif header is None:
            raise ValueError(f"line {line} starts with '{text[:20]}', not with '>'")
        elif left >= 0:
            letters.append(text[:left])
            left -= len(text)
    if header is not None:
        yield Sequence(line_of_header, header, "".join(letters), left < 0)


def _crabs_items(place: Path | Member, called: str, names: DistinctNames) -> Iterator[Item]:
    with _opened(place) as handle:
        for line, content in enumerate(_lines(handle), start=1):
            text = _decoded(content)
            if not text.strip():
                continue
            row = crabs_row(text)
            if row is None:
                cells = text.count("\t") + 1
                wrong = f"{called}, line {line}: {cells} columns where a CRABS table has 11"
                name = names.name(f"line {line}", line)
                yield Item(name, line, error=f"{wrong}. Mend or remove the line.")
                continue
            yield Item(names.name(row[0] or f"line {line}", line), line, row[1])


def read_side_table(path: Path) -> SideTable:
    """Returns the ranks or the lineages that a table beside the sequences holds.

    Raises:
        SourceError: when it is neither of the two kinds.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check --annotations.")
    lineages, ranks = DiskIndex(), dict[tuple[str, int], str]()
    rows = 0
    with _opened(path) as handle:
        for line, content in enumerate(_lines(handle), start=1):
            text = _decoded(content).rstrip("\r\n")
            starred, tabbed = text.split("*"), text.split("\t")
            if not text.strip() or text.lower().startswith(("feature id", "#")):
                continue
            if len(starred) == 5 and _DEPTH.fullmatch(starred[3].strip()):
                ranks[starred[1], int(starred[3])] = starred[4].strip()
            elif len(tabbed) >= 2:
                lineages.put(tabbed[0].strip(), tabbed[1].strip())
                rows += 1
            else:
                raise SourceError(
                    f"{path}, line {line}: '{text[:40]}' is neither 'Feature ID<tab>Taxon' nor "
                    "'id*name*parent*depth*rank'. Give the library's own table."
                )
    return SideTable(ranks or None, lineages if rows else None)


SOURCE = Source(
    "fasta",
    "FASTA of BOLD, SINTAX, RDP, QIIME 2, DADA2, IDTAXA, MIDORI2, PR2, SILVA, UNITE, mkCOInr; CRABS tables",
    read,
)
