"""XML of archives as a small tree with line numbers; declarations that can do harm are refused.

A document type or entity declaration can read files, call servers, or grow without bound; neither a
descriptor nor a metadata document needs one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from holotype.errors import SourceError

MAX_BYTES = 16 << 20
MAX_DEPTH = 100


@dataclass
class Element:
    """One element: its name without namespace, attributes, text, children and line."""

    name: str
    attributes: Mapping[str, str]
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def find(self, *path: str) -> Iterator["Element"]:
        """Yields the elements at the end of a path of child names."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.find(*path[1:])

    def words(self) -> str:
        """Returns its text and that of all below it, with single spaces."""
        inner = " ".join([self.text, *(child.words() for child in self.children)])
        return " ".join(inner.split())


def parse_xml(content: bytes, name: str) -> Element:
    """Returns the root element.

    Blanks before the declaration, which XML forbids and some writers leave, are passed over.

    Args:
        content: the document, in any encoding that it declares itself.
        name: how errors call it.

    Raises:
        SourceError: when it is no XML, too large, nested too deep, or declares a document type or an entity;
            names line and column.
    """
    if len(content) > MAX_BYTES:
        raise SourceError(
            f"{name}: over {MAX_BYTES:,} bytes. Give the descriptor or metadata alone."
        )
    document = content.lstrip(b" \t\r\n")
    before = content[: len(content) - len(document)].count(b"\n")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    root = Element("", {}, 0)
    open_elements = [root]

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > MAX_DEPTH:
            raise SourceError(
                f"{name}, line {parser.CurrentLineNumber + before}, column {parser.CurrentColumnNumber + 1}: "
                f"elements nested over {MAX_DEPTH} deep. Write the document again."
            )
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        element = Element(tag.rpartition(" ")[2], plain, parser.CurrentLineNumber + before)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_tag: str) -> None:
        open_elements.pop()

    def characters(text: str) -> None:
        open_elements[-1].text += text

    def refuse(*_args: object) -> None:
        raise SourceError(
            f"{name}, line {parser.CurrentLineNumber + before}, column {parser.CurrentColumnNumber + 1}: a "
            "document type or entity declaration, which may read other files. Remove it."
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat's own signature
    except (expat.ExpatError, ValueError, LookupError) as reason:
        if isinstance(reason, SourceError):
            raise
        line, column = parser.CurrentLineNumber + before, parser.CurrentColumnNumber + 1
        said = expat.ErrorString(reason.code) if isinstance(reason, expat.ExpatError) else reason
        raise SourceError(
            f"{name}, line {line}, column {column}: not XML ({said}). Correct it, or write it again."
        ) from reason
    return root.children[0]
