"""Changes to small folders of files, such as damage and malice make.

They are of bytes, of lines and cells, of values in JSON, of what lies in archives, of columns in Parquet, of
arrays and HDF5.

A folder is a mapping from a path inside it to the content of the file; every change is drawn from a
stream, so one seed gives the same inputs on every machine.
"""

import bz2
import gzip
import io
import json
import lzma
import random
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Files = dict[str, bytes]
Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]

NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"-0",
    b"99999",
    b"2147483648",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"nan",
    b"inf",
    b"NaN",
    b"Infinity",
    b"1,5",
    b"1_000",
    b"0x10",
    b"1.0.0",
    b"\xd9\xa3",
    b"\xc2\xb2",
    b"9" * 5000,
    b"1e999999999",
    b"",
    b"-",
    b".",
    b"+5",
    b" 5 ",
)
WORDS = (
    b"",
    b" ",
    b"\t",
    b",",
    b";",
    b"|",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b"\r\n",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xe9",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x80\xae",
    b"None",
    b"null",
    b"true",
    b"=1+1",
    b"../../etc/passwd",
    b"/etc/passwd",
    b"\\\\",
    b"%00",
    b"a" * 3000,
    b"[",
    b"]",
    b"{",
    b"}",
    b"(",
    b")",
    b"<",
    b">",
    b"&x;",
    b"#",
    b":",
    b"/",
    b"2020-02-30",
    b"0000-00-00",
    b"99:99:99",
    b"9999-12-31T23:59:59+99:99",
    b"\xc4\xb0",
    b"\xef\xac\x81",
    b"e\xcc\x81",
    b"\x1a",
    b"\x85",
    b"\xe2\x80\xa8",
    b"1970",
    b"10000-01-01",
    b"0",
)
SIZES = (
    0,
    1,
    2,
    3,
    7,
    8,
    127,
    128,
    255,
    256,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x7FFFFFFFFFFFFFFF,
    0xFFFFFFFFFFFFFFFF,
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    10**30,
    -(2**63),
    2**64,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x",
    "..",
    "../x",
    "/etc/passwd",
    "0",
    "1e5",
    "\x00",
    "\ud800",
    "a" * 3000,
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": None},
    {"a": {"a": {}}},
    [1, "a", None],
)
MOST_BYTES = 1 << 18
"""No input grows beyond it: what costs is found by what is said of sizes, not by size."""


# ---------------------------------------------------------------- bytes


def _part(draw: random.Random, content: bytes, most: int = 64) -> tuple[int, int]:
    start = draw.randrange(len(content) + 1)
    return start, min(len(content), start + draw.choice((1, 2, 4, 8, most, len(content))))


def flip(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Turns single bits over."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def put_bytes(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Puts chosen or random bytes in the place of others."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        if changed:
            at = draw.randrange(len(changed))
            changed[at] = draw.choice((0, 255, 127, 128, 10, 34, 44, draw.randrange(256)))
    return bytes(changed)


def cut(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Ends the content early."""
    return content[: draw.randrange(len(content) + 1)]


def remove(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Takes a part out."""
    start, end = _part(draw, content)
    return content[:start] + content[end:]


def repeat(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Says a part twice, or many times."""
    start, end = _part(draw, content)
    return content[:end] + content[start:end] * draw.choice((1, 1, 2, 100)) + content[end:]


def swap(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Changes the places of two parts."""
    places = sorted(draw.randrange(len(content) + 1) for _ in range(4))
    a, b, c, d = places
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def insert(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Puts a word of the format, or an awkward one, in between or over what is there."""
    word = draw.choice(tokens if tokens and draw.random() < 0.6 else WORDS + NUMBERS)
    at = draw.randrange(len(content) + 1)
    over = draw.choice((0, 0, len(word)))
    return content[:at] + word + content[at + over :]


def put_size(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Writes another size into what may be a field of a header."""
    width = draw.choice((1, 2, 4, 8))
    if len(content) < width:
        return content
    early = draw.random() < 0.6
    at = draw.randrange(min(len(content) - width + 1, 128) if early else len(content) - width + 1)
    order = draw.choice(("little", "big"))
    now = int.from_bytes(content[at : at + width], order)
    near = (now + draw.choice((-2, -1, 1, 2))) % (1 << 8 * width)
    size = draw.choice((draw.choice(SIZES) % (1 << 8 * width), near))
    return content[:at] + size.to_bytes(width, order) + content[at + width :]


# ---------------------------------------------------------------- text


def put_number(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Writes another number where one stands."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[:MOST_BYTES]))
    if not found:
        return insert(draw, content, tokens)
    one = draw.choice(found)
    return content[: one.start()] + draw.choice(NUMBERS) + content[one.end() :]


def put_cell(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Writes another word into what may be a cell, a name or a value."""
    found = list(re.finditer(rb"[^,;\t|\r\n=:\"<>]+", content[:MOST_BYTES]))
    if not found:
        return insert(draw, content, tokens)
    one = draw.choice(found)
    other = draw.choice(found).group()
    word = draw.choice((draw.choice(WORDS), draw.choice(NUMBERS), other, *tokens[:1], b""))
    if tokens and draw.random() < 0.4:
        word = draw.choice(tokens)
    return content[: one.start()] + word + content[one.end() :]


def move_lines(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Takes a line out, says one twice, empties one, joins two, or changes the places of two."""
    lines = content.split(b"\n")
    a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(5):
        case 0:
            del lines[a]
        case 1:
            lines.insert(b, lines[a])
        case 2:
            lines[a] = b""
        case 3:
            lines[a], lines[b] = lines[b], lines[a]
        case _:
            lines[a : a + 2] = [b"".join(lines[a : a + 2])]
    return b"\n".join(lines)


def other_text(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Writes the whole text in another way: encoding, mark, ends of lines, separators."""
    text = content.decode("utf-8", "replace")
    match draw.randrange(7):
        case 0:
            return text.encode("utf-16")
        case 1:
            return b"\xef\xbb\xbf" + content
        case 2:
            return text.encode("latin-1", "replace")
        case 3:
            return content.replace(b"\n", b"\r")
        case 4:
            return content.replace(b"\n", b"\r\n")
        case 5:
            return content.replace(*draw.choice(((b",", b";"), (b"\t", b","), (b",", b"\t"))))
        case _:
            return content.replace(b"\n", b"")


# ---------------------------------------------------------------- values


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        pairs: Any = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    else:
        return found
    for key, inner in pairs:
        found += _places(inner, (*path, key))
    return found


def change_value(draw: random.Random, value: Any) -> Any:
    """Puts another value somewhere, takes one out, renames or repeats one."""
    places = _places(value)
    if not places or draw.random() < 0.02:
        return draw.choice(VALUES)
    if draw.random() < 0.5:
        shallow = min(map(len, places)) + draw.choice((0, 1))
        places = [place for place in places if len(place) <= shallow]
    *above, last = draw.choice(places)
    holder = value
    for key in above:
        holder = holder[key]
    act = draw.randrange(6)
    if act == 0:
        del holder[last]
    elif act == 1 and isinstance(holder, dict):
        holder[draw.choice(("", "x", last.upper(), last + " ", *holder))] = holder.pop(last)
    elif act == 2 and isinstance(holder, list):
        holder.insert(last, holder[last])
    elif act == 3:
        holder[last] = [holder[last]]
    else:
        holder[last] = draw.choice(VALUES)
    return value


def change_json(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Changes values of JSON, of the whole file or of a line; or nests them without end."""
    if draw.random() < 0.02:
        return draw.choice((b"[" * 100_000, b'{"a":' * 50_000, b"[" * 900 + b"]" * 900))
    try:
        value = json.loads(content)
        for _ in range(draw.choice((1, 1, 2))):
            value = change_value(draw, value)
        return json.dumps(value).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        pass
    lines = content.split(b"\n")
    at = draw.randrange(len(lines))
    try:
        lines[at] = json.dumps(change_value(draw, json.loads(lines[at]))).encode()
    except (ValueError, RecursionError):
        return put_cell(draw, content, tokens)
    return b"\n".join(lines)


def change_safetensors(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Changes the header of safetensors, its length kept right."""
    size = int.from_bytes(content[:8], "little")
    header = change_json(draw, content[8 : 8 + size], tokens)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def change_chunk(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Changes one chunk of a PNG and puts its checksum right."""
    at, chunks = 8, []
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    if not chunks:
        return flip(draw, content, tokens)
    place = draw.randrange(len(chunks))
    kind, body = chunks[place]
    if draw.random() < 0.2:
        kind = draw.choice(
            (b"tRNS", b"PLTE", b"eXIf", b"acTL", b"fcTL", b"iCCP", b"zTXt", b"IDAT", b"tEXt")
        )
    body = draw.choice(BYTES)(draw, body, tokens)[:MOST_BYTES]
    chunks[place] = (kind, body)
    return content[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


# ---------------------------------------------------------------- containers


def change_zip(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Packs a zip again with changed members, names or methods."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    found = change_files(draw, found, tokens, is_plain=False)
    packed = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    method = draw.choice(methods[:2] if draw.random() < 0.8 else methods)
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, body in found.items():
            archive.writestr(zipfile.ZipInfo(name or "x"), body, method)
    return packed.getvalue()


def change_tar(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Packs a tar again with changed members, names, kinds or sizes."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = {e.name: archive.extractfile(e).read() for e in archive if e.isfile()}  # type: ignore[union-attr]
    found = change_files(draw, found, tokens, is_plain=False)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=draw.choice((0, 1, 2))) as archive:
        for name, body in found.items():
            entry = tarfile.TarInfo(name.replace("\x00", "")[:90] or "x")
            entry.size = len(body)
            if draw.random() < 0.03:
                entry.type = draw.choice((b"1", b"2", b"3", b"5", b"6", b"S", b"x", b"L", b"7"))
                entry.linkname = "../x"
            archive.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


def change_packed(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Packs a compressed file again with another content, or so that it unpacks to very much."""
    for start, unpack, pack in PACKERS:
        if content.startswith(start):
            inner = unpack(content)
            if draw.random() < 0.03:
                return bytes(pack(inner + bytes(8 << 20)))
            return bytes(pack(change(draw, inner, tokens)))
    return content


PACKERS: tuple[tuple[bytes, Any, Any], ...] = (
    (b"\x1f\x8b", gzip.decompress, gzip.compress),
    (b"BZh", bz2.decompress, bz2.compress),
    (b"\xfd7zXZ", lzma.decompress, lzma.compress),
)


def change_parquet(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Writes a Parquet file again without a column, or with other types, names, nulls or metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    for _ in range(draw.choice((1, 1, 2))):
        if not table.num_columns:
            break
        at = draw.randrange(table.num_columns)
        name = table.column_names[at]
        match draw.randrange(7):
            case 0:
                table = table.drop_columns([name])
            case 1:
                names = list(table.column_names)
                names[at] = draw.choice(("x", "", name.upper(), draw.choice(names)))
                table = table.rename_columns(names)
            case 2:
                table = table.set_column(at, name, pa.nulls(table.num_rows))
            case 3:
                values = draw.choice(
                    (
                        [1] * table.num_rows,
                        [1.5] * table.num_rows,
                        ["x"] * table.num_rows,
                        [b"\xff"] * table.num_rows,
                        [[1]] * table.num_rows,
                        [True] * table.num_rows,
                        [float("nan")] * table.num_rows,
                        [-(2**40)] * table.num_rows,
                    )
                )
                table = table.set_column(at, name, pa.array(values))
            case 4:
                cells = table.column(at).to_pylist()
                if cells:
                    row = draw.randrange(len(cells))
                    cells[row] = draw.choice((None, *cells))
                    table = table.set_column(at, name, pa.array(cells, table.schema.field(at).type))
            case 5:
                table = table.slice(0, draw.choice((0, 1)))
            case _:
                about = dict(table.schema.metadata or {})
                if about:
                    key = draw.choice(list(about))
                    about[key] = draw.choice((change_json, put_bytes))(draw, about[key], tokens)
                    table = table.replace_schema_metadata(about)
    packed = io.BytesIO()
    pq.write_table(table, packed)
    return packed.getvalue()


def change_array(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Writes an array again with another shape, kind, order or value."""
    import numpy as np

    array = np.load(io.BytesIO(content))
    array = draw.choice(
        (
            lambda: array[:-1],
            lambda: array[:0],
            lambda: array[None],
            lambda: array.astype("f8"),
            lambda: array.astype("<i2"),
            lambda: array.astype("S4"),
            lambda: np.asfortranarray(array),
            lambda: np.full_like(array, 2 ** draw.randrange(15)),
            lambda: -array.astype("<i8"),
            lambda: array.astype(array.dtype.newbyteorder(">")),
            lambda: array[::-1],
        )
    )()
    packed = io.BytesIO()
    np.save(packed, array)
    return packed.getvalue()


def change_hdf5(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Takes a data set out of an HDF5 file, or gives it another kind, shape or values."""
    import h5py
    import numpy as np

    held = io.BytesIO(content)
    with h5py.File(held, "a") as file:
        names: list[str] = []
        file.visit(names.append)
        if names:
            name = draw.choice(names)
            is_data = isinstance(file[name], h5py.Dataset)
            shape = file[name].shape if is_data else (2,)
            del file[name]
            other = draw.choice(
                (
                    None,
                    np.zeros(shape, "f4"),
                    np.zeros(shape, "i8"),
                    np.full(shape, b"x", "S1"),
                    np.zeros((0,)),
                    np.zeros((3, 1, 2)),
                    5,
                    "text",
                    np.full(shape, np.nan),
                    np.full(shape, -1),
                    "group",
                    "link",
                    "huge",
                    "lost",
                )
            )
            if not isinstance(other, str):
                if other is not None:
                    file[name] = other
            elif other == "group":
                file.create_group(name)
            elif other == "link":
                file[name] = h5py.ExternalLink("/etc/passwd", "/x")
            elif other == "lost":
                file[name] = h5py.SoftLink("/nowhere")
            elif other == "huge":
                file.create_dataset(name, (1 << 33, 4), "f8", chunks=(1 << 10, 4))
            else:
                file[name] = other
    return held.getvalue()


# ---------------------------------------------------------------- whole files and folders

BYTES: tuple[Change, ...] = (flip, put_bytes, cut, remove, repeat, swap, insert, put_size)
TEXT: tuple[Change, ...] = (put_number, put_cell, put_cell, move_lines, other_text, insert, remove)
OWN: tuple[tuple[Callable[[bytes], bool], Change], ...] = (
    (lambda c: c[:4] == b"PK\x03\x04", change_zip),
    (lambda c: c[257:262] == b"ustar", change_tar),
    (lambda c: c[:2] == b"\x1f\x8b" or c[:3] == b"BZh" or c[:5] == b"\xfd7zXZ", change_packed),
    (lambda c: c[:4] == b"PAR1", change_parquet),
    (lambda c: c[:6] == b"\x93NUMPY", change_array),
    (lambda c: c[:4] == b"\x89HDF", change_hdf5),
    (lambda c: c[:4] == b"\x89PNG", change_chunk),
    (lambda c: c[:1] in (b"{", b"["), change_json),
    (lambda c: len(c) > 9 and c[8:9] == b"{", change_safetensors),
)
"""What a content looks like, and the changes that keep it nearly well formed."""


def change(draw: random.Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """Returns a content with a few changes of kinds that suit it."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        own = [by for looks, by in OWN if looks(content)]
        is_text = b"\x00" not in content[:512]
        if own and draw.random() < 0.65:
            chosen = own[0]
        else:
            chosen = draw.choice(TEXT if is_text and draw.random() < 0.7 else BYTES)
        try:
            content = chosen(draw, content, tokens)
        except Exception:  # noqa: BLE001 - what is damaged already cannot be changed in a way that keeps it whole
            content = draw.choice(BYTES)(draw, content, tokens)
        if len(content) > MOST_BYTES * 8:
            content = content[: MOST_BYTES * 8]
    return content


def change_files(
    draw: random.Random, files: Files, tokens: Sequence[bytes], *, is_plain: bool = True
) -> Files:
    """Returns a folder with changed contents, or with files lost, exchanged, renamed or added."""
    found = dict(files)
    if not found:
        return found
    name = draw.choice(list(found))
    act = draw.random()
    if act < 0.86:
        found[name] = change(draw, found[name], tokens)
    elif act < 0.89:
        del found[name]
    elif act < 0.92:
        found[name] = found[draw.choice(list(found))]
    elif act < 0.94:
        found[name] = b""
    elif act < 0.97 or is_plain:
        stem, dot, ending = name.rpartition(".")
        found[f"{stem}x{dot}{ending}"] = found[name]
    else:
        other = draw.choice(
            (
                "../x",
                "/x",
                "a//b",
                "é.png",
                "x" * 80,
                ".",
                "a/../b",
                " ",
                name.upper(),
                name + "/x",
                "a\\b",
            )
        )
        found[other] = found.pop(name)
    return found


def change_soundly(draw: random.Random, files: Files, tokens: Sequence[bytes]) -> Files:
    """Returns a folder in which each file is still whole by its format, with other content."""
    found = dict(files)
    name = draw.choice(list(found))
    for looks, by in OWN:
        if looks(found[name]):
            found[name] = by(draw, found[name], tokens)
            break
    return found
