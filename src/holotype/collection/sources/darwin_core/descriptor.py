"""The descriptor of a Darwin Core Archive (meta.xml): which files hold which terms, and how they are written.

Source: Robertson T. et al. 2009, Darwin Core Text Guide, TDWG, http://rs.tdwg.org/dwc/terms/guides/text/.
"""

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holotype.collection.reading.fields import whole_number
from holotype.collection.sources.darwin_core.safe_xml import Element, parse_xml
from holotype.errors import SourceError, first_few

DWC = "http://rs.tdwg.org/dwc/terms/"
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\", "&quot;": '"'}
_LINE_ENDS = {"\n", "\r\n", "\r"}
_REMEDY = "Correct the descriptor."


@dataclass(frozen=True)
class Term:
    """One field of a described table.

    Attributes:
        uri: the term, as written.
        index: its column, from 0; None where only a default is given.
        default: value of rows that have none.
        vocabulary: URI of the vocabulary of its values.
    """

    uri: str
    index: int | None
    default: str | None = None
    vocabulary: str | None = None

    @property
    def name(self) -> str:
        """The last part of the URI: ``scientificName``."""
        return self.uri.rstrip("/").replace("#", "/").rpartition("/")[2]


@dataclass(frozen=True)
class DescribedTable:
    """One table of an archive.

    Attributes:
        row_type: URI of what its rows are.
        files: names of its files; they follow one another.
        terms: its fields.
        key_index: column of the id (core) or of the core's id (extension); None where there is none.
        encoding: of its text.
        delimiter: between columns; None where the descriptor leaves it open.
        line_end: between rows.
        quote: around columns; None for none.
        header_lines: lines to pass over.
        date_format: of its dates, as "DD/MM/YYYY"; None for ISO 8601.
        line: of the descriptor.
    """

    row_type: str
    files: tuple[str, ...]
    terms: tuple[Term, ...]
    key_index: int | None
    encoding: str = "utf-8"
    delimiter: str | None = None
    line_end: str = "\n"
    quote: str | None = '"'
    header_lines: int = 0
    date_format: str | None = None
    line: int = 1

    @property
    def kind(self) -> str:
        """The last part of the row type: ``Occurrence``."""
        return Term(self.row_type, None).name

    @property
    def last_index(self) -> int:
        """The highest column that the descriptor names."""
        named = [term.index for term in self.terms if term.index is not None]
        return max([*named, self.key_index if self.key_index is not None else -1])


@dataclass(frozen=True)
class Descriptor:
    """What meta.xml says.

    Attributes:
        core: the table that the others hang on.
        extensions: those others.
        metadata: file name of the metadata document, or None.
    """

    core: DescribedTable
    extensions: tuple[DescribedTable, ...] = ()
    metadata: str | None = None


def parse_descriptor(content: bytes, name: str) -> Descriptor:
    """Returns what a descriptor says.

    Args:
        content: of meta.xml.
        name: how errors call it.

    Raises:
        SourceError: when it is no descriptor; names line, and what is wrong there.
    """
    root = parse_xml(content, name)
    if root.name != "archive":
        raise SourceError(
            f"{name}, line {root.line}: <{root.name}> where <archive> must stand. {_REMEDY}"
        )
    cores = list(root.find("core"))
    if len(cores) != 1:
        raise SourceError(
            f"{name}, line {root.line}: {len(cores)} elements <core> where one must stand. {_REMEDY}"
        )
    core = _table(cores[0], name, key="id")
    extensions = tuple(_table(element, name, key="coreid") for element in root.find("extension"))
    if not core.files:
        raise SourceError(f"{name}, line {core.line}: <core> names no file. {_REMEDY}")
    if extensions and core.key_index is None:
        raise SourceError(
            f"{name}, line {core.line}: <core> has extensions and no <id index>. {_REMEDY}"
        )
    return Descriptor(core, extensions, root.attributes.get("metadata") or None)


def _table(element: Element, name: str, *, key: str) -> DescribedTable:
    where = f"{name}, line {element.line}"
    attributes = element.attributes
    encoding = attributes.get("encoding", "UTF-8").strip() or "UTF-8"
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise SourceError(
            f"{where}: encoding '{encoding}' is none that is known. {_REMEDY}"
        ) from None
    delimiter = (
        _unescaped(attributes["fieldsTerminatedBy"])
        if attributes.get("fieldsTerminatedBy")
        else None
    )
    quote = _unescaped(attributes.get("fieldsEnclosedBy", '"'))
    if len(quote) > 1 or (quote and delimiter is not None and len(delimiter) > 1):
        raise SourceError(
            f"{where}: fields are enclosed by '{quote}' and end with '{delimiter}'; one character each "
            f"can be read. {_REMEDY}"
        )
    line_end = _unescaped(attributes.get("linesTerminatedBy", "\\n")) or "\n"
    if line_end not in _LINE_ENDS:
        raise SourceError(
            f"{where}: lines end with {line_end!r}; LF, CR LF or CR can be read. {_REMEDY}"
        )
    keys = [_index(found, name) for found in element.find(key)]
    terms = tuple(_term(found, name) for found in element.find("field"))
    twice = _repeated(term.uri for term in terms)
    if twice:
        raise SourceError(f"{where}: term {first_few(twice)} is there twice. {_REMEDY}")
    return DescribedTable(
        row_type=attributes.get("rowType", "").strip() or f"{DWC}Occurrence",
        files=tuple(place.words() for place in element.find("files", "location") if place.words()),
        terms=terms,
        key_index=keys[0] if keys else None,
        encoding=encoding,
        delimiter=delimiter,
        line_end=line_end,
        quote=quote or None,
        header_lines=_count(attributes, where),
        date_format=attributes.get("dateFormat", "").strip() or None,
        line=element.line,
    )


def _repeated(uris: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [uri for uri in uris if uri in seen or seen.add(uri)]  # type: ignore[func-returns-value]


def _unescaped(written: str) -> str:
    text = written
    for escape, plain in _ESCAPES.items():
        text = text.replace(escape, plain)
    return text


def _count(attributes: Mapping[str, str], where: str) -> int:
    written = attributes.get("ignoreHeaderLines", "0").strip() or "0"
    if (count := whole_number(written)) is None:
        raise SourceError(f"{where}: ignoreHeaderLines '{written}' is no number. {_REMEDY}")
    return count


def _index(element: Element, name: str) -> int:
    written = element.attributes.get("index", "").strip()
    if (index := whole_number(written)) is None:
        raise SourceError(
            f"{name}, line {element.line}: index '{written}' of <{element.name}> is no number. {_REMEDY}"
        )
    return index


def _term(element: Element, name: str) -> Term:
    uri = element.attributes.get("term", "").strip()
    if not uri:
        raise SourceError(f"{name}, line {element.line}: a <field> without a term. {_REMEDY}")
    default = element.attributes.get("default")
    if "index" not in element.attributes and default is None:
        raise SourceError(
            f"{name}, line {element.line}: field {uri} has neither index nor default. {_REMEDY}"
        )
    index = _index(element, name) if "index" in element.attributes else None
    return Term(uri, index, default, element.attributes.get("vocabulary"))
