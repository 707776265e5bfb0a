"""The body of a multipart request, as it comes -> uploads and fields, within limits.

Small files stay in memory, larger ones go to the scratch folder as they come. A file that is too large is
refused and passed over; a body that is too large, has too many files or is no multipart ends the request.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from holotype.app.upload_limits import UploadLimits
from holotype.app.upload_names import safe_name
from holotype.app.uploads import Refused, Upload
from holotype.errors import SourceError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

IN_MEMORY, ALL_IN_MEMORY = 1 << 20, 16 << 20
"""A file of fewer bytes is not stored, where all files and fields of the request are not more than these."""
FIELD_BYTES = 1 << 16
FORM_TYPE = b"multipart/form-data"


class TooMuchError(SourceError):
    """A request that is larger than it may be."""


class NotWholeError(SourceError):
    """A body that is cut short, or no form although it says that it is one."""


class OtherTypeError(SourceError):
    """A body of another content type than the one that is needed."""


@dataclass
class Received:
    """What a form held.

    Attributes:
        files: (field, file), in order.
        fields: (field, text), in order.
        refused: files that were too large.
    """

    files: list[tuple[str, Upload]] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass
class _Part:
    """The part that is being read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    file_name: str | None = None
    content: bytearray = field(default_factory=bytearray)
    stored: IO[bytes] | None = None
    path: Path | None = None
    size: int = 0


class _Form:
    """Takes the parts of a form."""

    def __init__(self, limits: UploadLimits, scratch: Callable[[], Path]) -> None:
        self.received = Received()
        self.ended = False
        self._limits, self._scratch = limits, scratch
        self._part = _Part()
        self._header = [b"", b""]
        self._files = self._fields = self._held = self._field_bytes = 0

    def on_part_begin(self) -> None:
        self._part, self._header = _Part(), [b"", b""]

    def on_header_field(self, content: bytes, start: int, end: int) -> None:
        self._header[0] += content[start:end]

    def on_header_value(self, content: bytes, start: int, end: int) -> None:
        self._header[1] += content[start:end]

    def on_header_end(self) -> None:
        self._part.headers[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def on_headers_finished(self) -> None:
        part = self._part
        _, options = parse_options_header(part.headers.get(b"content-disposition"))
        part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            part.file_name = options[b"filename"].decode("utf-8", "surrogateescape")
            self._files += 1
        else:
            self._fields += 1
        if self._files > self._limits.files:
            raise TooMuchError(
                f"more than {self._limits.files:,} files in one request. Send them in several requests, or "
                "in a zip."
            )
        if self._fields > 3 * self._limits.files:
            raise TooMuchError("too many fields in one request. Send them in several requests.")

    def on_part_data(self, content: bytes, start: int, end: int) -> None:
        part = self._part
        part.size += end - start
        if part.file_name is None:
            if part.size > FIELD_BYTES:
                raise TooMuchError(
                    f"field '{part.name[:40]}': over {FIELD_BYTES:,} bytes. Send it as a file."
                )
        elif part.size > self._limits.file_bytes:
            self._close(part)
            return
        is_file, is_large = part.file_name is not None, part.size > IN_MEMORY
        if is_file and part.stored is None and (is_large or self._held > ALL_IN_MEMORY):
            part.path = self._scratch() / f"upload-{self._files}"
            part.stored = part.path.open("wb")
            part.stored.write(part.content)
            part.content = bytearray()
        if part.stored is not None:
            part.stored.write(content[start:end])
        else:
            part.content += content[start:end]

    def on_part_end(self) -> None:
        part = self._part
        self._close(part)
        if part.file_name is None:
            self._hold_field(part)
        elif part.size > self._limits.file_bytes:
            if part.path is not None:
                part.path.unlink()
            reason = f"over {self._limits.file_bytes:,} bytes, the most that a file may have."
            self.received.refused.append(Refused(safe_name(part.file_name), reason))
        elif part.file_name or part.size:  # an empty choice of a form has neither
            content = bytes(part.content) if part.path is None else None
            self._held += len(content or b"")
            self.received.files.append((part.name, Upload(part.file_name, part.path, content)))

    def _hold_field(self, part: _Part) -> None:
        self._held += part.size
        self._field_bytes += part.size
        if self._field_bytes > ALL_IN_MEMORY:
            raise TooMuchError(
                f"more than {ALL_IN_MEMORY:,} bytes in fields. Send them in several requests."
            )
        self.received.fields.append((part.name, _text(part)))

    def on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Closes what an error left open."""
        self._close(self._part)

    def _close(self, part: _Part) -> None:
        if part.stored is not None:
            part.stored.close()


def _text(part: _Part) -> str:
    try:
        return part.content.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(f"field '{part.name[:40]}': not UTF-8. Send text as UTF-8.") from None


async def received(
    stream: AsyncIterator[bytes],
    content_type: str | None,
    limits: UploadLimits,
    scratch: Callable[[], Path],
) -> Received:
    """Returns the files and fields of a multipart body.

    Args:
        stream: the body, as it comes.
        content_type: of the request.
        limits: of the request.
        scratch: returns the folder to store files in; called when one is too large for memory.

    Raises:
        TooMuchError: when there is more than the limits allow.
        OtherTypeError: when it does not say that it is a form.
        NotWholeError: when it is no whole one.
        SourceError: when a field is no text.
    """
    kind, options = parse_options_header((content_type or "").encode("latin-1", "replace"))
    boundary = options.get(b"boundary")
    if kind != FORM_TYPE:
        raise OtherTypeError(
            "not a form with files. Send it as multipart/form-data (curl -F does)."
        )
    if not boundary:
        raise NotWholeError("a form without a boundary. Name it in Content-Type (curl -F does).")
    form, count = _Form(limits, scratch), 0
    try:
        parser = MultipartParser(boundary, _callbacks(form))
        async for chunk in stream:
            count += len(chunk)
            if count > limits.all_bytes:
                raise TooMuchError(f"more than {limits.all_bytes:,} bytes in one request.")
            parser.write(chunk)
        parser.finalize()
    except FormParserError as reason:
        raise NotWholeError(f"not a form with files: {str(reason).rstrip('.')}.") from None
    finally:
        form.close()
    if not form.ended:
        raise NotWholeError("the request ends before its last part does. Send it again.")
    return form.received


def _callbacks(form: _Form) -> "MultipartCallbacks":
    return {
        "on_part_begin": form.on_part_begin,
        "on_part_data": form.on_part_data,
        "on_part_end": form.on_part_end,
        "on_header_field": form.on_header_field,
        "on_header_value": form.on_header_value,
        "on_header_end": form.on_header_end,
        "on_headers_finished": form.on_headers_finished,
        "on_end": form.on_end,
    }
