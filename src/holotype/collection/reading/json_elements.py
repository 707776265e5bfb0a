"""Large JSON files piece by piece, with line numbers: the elements of the lists at the top.

Camera-trap catalogues are one object with lists of millions of small objects; each is decoded when it is
asked for, from a file or from the member of an archive. Memory is bounded by the largest single element.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from holotype.collection.reading.streams import text_of
from holotype.errors import SourceError

CHUNK_CHARS = 1 << 20
MAX_ELEMENT_CHARS = 64 << 20
MAX_DEPTH = 100
_BLANK = " \t\r\n"
_BEHIND_A_VALUE = _BLANK + ",:]}"
_HALF_LETTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Element:
    """One element of a list at the top of a JSON file, or a value at the top that is no list.

    Attributes:
        key: of the object at the top.
        value: decoded.
        line: on which it starts.
        listed: whether it is the element of a list.
    """

    key: str
    value: Any
    line: int
    listed: bool


class _Text:
    """A window on the text that moves on; it knows its line."""

    def __init__(self, handle: IO[str], name: str) -> None:
        self._handle = handle
        self._decoder = json.JSONDecoder()
        self._window, self._at, self._ended = "", 0, False
        self._name, self.line = name, 1

    def fault(self, wrong: str) -> SourceError:
        return SourceError(
            f"{self._name}, line {self.line}: {wrong}. Fetch the file again, or mend it there."
        )

    def _more(self) -> bool:
        try:
            piece = self._handle.read(CHUNK_CHARS)
        except UnicodeDecodeError as reason:
            raise self.fault(f"not UTF-8 ({reason.reason})") from reason
        self._window = self._window[self._at :] + piece
        self._at = 0
        self._ended = not piece
        return bool(piece)

    def _move(self, to: int) -> None:
        self.line += self._window.count("\n", self._at, to)
        self._at = to

    def peek(self) -> str:
        """Returns the next character that is no blank, "" at the end."""
        while True:
            at = self._at
            while at < len(self._window) and self._window[at] in _BLANK:
                at += 1
            self._move(at)
            if at < len(self._window):
                return self._window[at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> str:
        """Passes over the next character and returns it; it must be one of the wanted ones."""
        found = self.peek()
        if not found or found not in wanted:
            shown = f"'{found}'" if found else "the end"
            raise self.fault(f"{shown} where one of {' '.join(wanted)} must stand")
        self._move(self._at + 1)
        return found

    def value(self) -> Any:
        """Passes over the next value and returns it; half of a surrogate pair becomes U+FFFD."""
        self.peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._window, self._at)
            except json.JSONDecodeError as reason:
                if len(self._window) - self._at > MAX_ELEMENT_CHARS:
                    said = f"one element of over {MAX_ELEMENT_CHARS:,} characters"
                    raise self.fault(said) from None
                if not self._more():
                    self.line += self._window.count("\n", self._at, reason.pos)
                    raise self.fault(f"not JSON ({reason.msg})") from None
                continue
            except ValueError:
                raise self.fault("a value here has a number of thousands of digits") from None
            except RecursionError:
                raise self.fault(f"a value here is nested over {MAX_DEPTH} deep") from None
            ended = end < len(self._window) and self._window[end] in _BEHIND_A_VALUE
            start = self._at
            if ended or self._ended:
                found = self._checked(found, start, end)
                self._move(end)
                return found
            if not self._more():  # a number may go on in the next piece; there is none
                found = self._checked(found, 0, end - start)
                self._move(end - start)
                return found

    def _checked(self, found: Any, start: int, end: int) -> Any:
        """Returns a value that is not too deep and has whole letters; its text says if that may be wrong."""
        window = self._window
        opened = window.count("[", start, end) + window.count("{", start, end)
        if opened > MAX_DEPTH and _is_deeper(found, MAX_DEPTH):
            raise self.fault(f"a value here is nested over {MAX_DEPTH} deep")
        escaped = window.find("\\ud", start, end) >= 0 or window.find("\\uD", start, end) >= 0
        return _whole_letters(found) if escaped else found


def _is_deeper(value: Any, most: int) -> bool:
    """Returns whether lists and objects are nested more than ``most`` deep."""
    level = [value]
    for _ in range(most + 1):
        nested = [each for each in level if isinstance(each, dict | list)]
        level = [
            inner
            for each in nested
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not nested:
            return False
    return True


def _whole_letters(value: Any) -> Any:
    """Returns a value whose texts can be written as UTF-8."""
    if isinstance(value, str):
        return _HALF_LETTER.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole_letters(each) for each in value]
    if isinstance(value, dict):
        return {_whole_letters(key): _whole_letters(each) for key, each in value.items()}
    return value


def json_elements(stream: IO[bytes], name: str) -> Iterator[Element]:
    """Yields the elements of the lists, and the other values, of the object at the top of a JSON file.

    Args:
        stream: its bytes, UTF-8.
        name: how errors call the file.

    Raises:
        SourceError: where it is no JSON object; names the line.
    """
    with text_of(stream, encoding="utf-8-sig") as handle:
        yield from _elements(_Text(handle, name))


def _elements(text: _Text) -> Iterator[Element]:
    if text.peek() != "{":
        raise text.fault("no JSON object: it must start with {")
    text.take("{")
    if text.peek() == "}":
        return
    while True:
        if text.peek() != '"':
            raise text.fault("a name in double quotes must stand here")
        key = str(text.value())
        text.take(":")
        if text.peek() == "[":
            yield from _listed(text, key)
        else:
            line = text.line
            yield Element(key, text.value(), line, listed=False)
        if text.take(",}") == "}":
            return


def _listed(text: _Text, key: str) -> Iterator[Element]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        text.peek()
        line = text.line
        yield Element(key, text.value(), line, listed=True)
        if text.take(",]") == "]":
            return
