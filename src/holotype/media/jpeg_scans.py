"""The scans of a JPEG: whether those are there that make up its pixels, read from its segments alone.

A decoder shows what it has been given: a picture without its colours, or with its coarse frequencies alone,
is no error to it. Reference: ITU-T T.81 (1992), annexes A, B and G.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

START, END = b"\xff\xd8", b"\xff\xd9"
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""The next marker; zeros after 0xFF, restart marks and bytes that fill up belong to the data."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_NO_LENGTH = frozenset({0x01, 0xD8})
_END, _SCAN, _INTERVAL = 0xD9, 0xDA, 0xDD
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB})
_PROGRESSIVE, _LOSSLESS = frozenset({0xC2, 0xCA}), frozenset({0xC3, 0xCB})
_NOTES = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Application data and comments: what they say may be remarked upon, and is no pixel."""
_FREQUENCIES, _BLOCK_PX = 64, 8
_MOST_SCANS, _MOST_COMPONENTS = 500, 4
"""More scans than any program writes are a bomb; a scan has up to four components."""


@dataclass(frozen=True)
class Segment:
    """A marker segment, and the data of a scan that follow it.

    Attributes:
        marker: its second byte.
        content: what follows its length.
        data: packed pixels; empty but behind the head of a scan.
    """

    marker: int
    content: bytes
    data: bytes

    def __bytes__(self) -> bytes:
        length = (len(self.content) + 2).to_bytes(2)
        return bytes((0xFF, self.marker)) + length + self.content + self.data


@dataclass
class _Frame:
    """What a frame declares, and which frequencies of each component its scans have told, to which bit."""

    marker: int
    height: int
    width: int
    sampling: dict[int, tuple[int, int]]
    bits_left: dict[int, dict[int, int]] = field(default_factory=dict)

    @property
    def progressive(self) -> bool:
        return self.marker in _PROGRESSIVE

    def units(self, components: bytes) -> int:
        """Returns how many units the data of a scan have: blocks of one component, or of all together."""
        most_right = max(right for right, _ in self.sampling.values())
        most_down = max(down for _, down in self.sampling.values())
        right, down = self.sampling[components[0]] if len(components) == 1 else (1, 1)
        columns = -(-self.width * right // (_BLOCK_PX * most_right))
        rows = -(-self.height * down // (_BLOCK_PX * most_down))
        return columns * rows

    def take(self, components: bytes, band: range, before: int, left: int) -> bool:
        """Notes a scan; returns whether what it refines has been told before."""
        fits = True
        for component in components:
            told = self.bits_left.setdefault(component, {})
            fits &= not before or all(told.get(frequency) == before for frequency in band)
            told.update(dict.fromkeys(band, left))
        return fits

    @property
    def complete(self) -> bool:
        return all(
            len(told) == _FREQUENCIES and not any(told.values())
            for told in (self.bits_left.get(component, {}) for component in self.sampling)
        )


def what_is_missing(content: bytes) -> str:
    """Returns what of its pixels a JPEG has no data for; "" where its scans are there.

    Whether the data of a scan are whole is for a decoder to say.
    """
    frame: _Frame | None = None
    interval, scans = 0, 0
    for segment in segments(content):
        told = segment.content
        if segment.marker in _FRAMES:
            frame = _frame(segment)
        elif segment.marker == _INTERVAL:
            interval = int.from_bytes(told[:2])
        elif segment.marker == _SCAN and frame is not None:
            count, scans = told[0] if told else 0, scans + 1
            if scans > _MOST_SCANS:
                return f"more than {_MOST_SCANS} scans"
            components = told[1 : 1 + 2 * count : 2]
            known = bool(components) and set(components) <= set(frame.sampling)
            if not known or count > _MOST_COMPONENTS or len(told) < 4 + 2 * count:
                return "a scan of unknown components"
            first, last, bits = told[1 + 2 * count :][:3]
            if not frame.progressive:
                first, last, bits = 0, _FREQUENCIES - 1, 0
            if not frame.take(components, range(first, last + 1), bits >> 4, bits & 15):
                return "scans are missing"
            marks = len(_RESTART.findall(segment.data)) if interval else 0
            if interval and marks < -(-frame.units(components) // interval) - 1:
                return "restart marks are missing"
    return "" if frame is None or frame.complete else "scans are missing"


def without_notes(content: bytes) -> bytes:
    """Returns a JPEG of the same data, closed by an end mark, that a decoder has less to remark upon.

    Application data and comments are left out; a scan of a sequential frame has all frequencies.
    """
    parts, sequential = [START], True
    for segment in segments(content):
        if segment.marker in _FRAMES:
            sequential = segment.marker not in _PROGRESSIVE | _LOSSLESS
        if segment.marker == _SCAN and sequential:
            head = segment.content[:-3] + bytes((0, _FREQUENCIES - 1, 0))
            parts.append(bytes(Segment(_SCAN, head, segment.data)))
        elif segment.marker not in _NOTES:
            parts.append(bytes(segment))
    return b"".join(parts) + END


def segments(content: bytes) -> Iterator[Segment]:
    """Yields the segments of the first picture of a file, up to its end mark or where it breaks off."""
    found = _MARKER.search(content, len(START))
    while found is not None and (marker := found[1][0]) != _END:
        place, length = found.end(), 0
        if marker not in _NO_LENGTH:
            length = int.from_bytes(content[place : place + 2])
            if length < 2 or place + length > len(content):
                return
        found = _MARKER.search(content, place + length)
        if length:
            until = len(content) if found is None else found.start()
            data = content[place + length : until] if marker == _SCAN else b""
            yield Segment(marker, content[place + 2 : place + length], data)


def _frame(segment: Segment) -> _Frame:
    told = segment.content
    height, width = int.from_bytes(told[1:3]), int.from_bytes(told[3:5])
    parts = [told[at : at + 3] for at in range(6, len(told) - 2, 3)]
    sampling = {part[0]: (max(1, part[1] >> 4), max(1, part[1] & 15)) for part in parts}
    return _Frame(segment.marker, height, width, sampling)
