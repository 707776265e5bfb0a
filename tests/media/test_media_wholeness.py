"""A file that holds fewer pixels than its header declares is refused, however well it is formed."""

import io
import re
import struct
import time
import tracemalloc
import zlib
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from holotype.errors import MediaError
from holotype.media.images import IMAGE_SUFFIXES, read_enough, read_pixels
from holotype.media.jpeg_scans import what_is_missing, without_notes
from holotype.media.wholeness import check_whole

RNG = np.random.default_rng(2)
HEIGHT, WIDTH = 21, 13
SMOOTH = cv2.resize(RNG.integers(0, 256, (12, 16, 3), np.uint8), (160, 120))
TURNED = Image.Exif()
TURNED[0x0112] = 6
ADAM7 = [
    (8, 8, 0, 0),
    (8, 8, 0, 4),
    (8, 4, 4, 0),
    (4, 4, 0, 2),
    (4, 2, 2, 0),
    (2, 2, 0, 1),
    (2, 1, 1, 0),
]


def chunk(name, content):
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def png(rows, depth, colour, *, interlaced=False, extra=b"", parts=1):
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, interlaced)
    packed = zlib.compress(rows)
    step = -(-len(packed) // parts)
    data = [chunk(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step)]
    body = chunk(b"IHDR", header) + extra + b"".join(data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def rows_of(samples, bits, *, interlaced=False):
    """The unpacked data of a whole PNG, each row after its filter 0."""
    grid = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    passes = [grid]
    if interlaced:
        passes = [grid[top::low, left::right] for low, right, top, left in ADAM7]
    assert sum(one.size for one in passes) == grid.size
    return b"".join(
        b"\0" + RNG.bytes((one.shape[1] * samples * bits + 7) // 8)
        for one in passes
        for _ in range(len(one) if one.size else 0)
    )


PALETTE = chunk(b"PLTE", RNG.bytes(3 * 256))
KINDS = {
    "grey": (8, 0, b""),
    "colour": (8, 2, b""),
    "grey turned": (8, 0, chunk(b"eXIf", TURNED.tobytes()[6:])),
    "1 bit": (1, 0, b""),
    "4 bit": (4, 0, b""),
    "16 bit": (16, 0, b""),
    "16 bit colour": (16, 2, b""),
    "palette": (8, 3, PALETTE),
    "2 bit palette": (2, 3, PALETTE),
    "grey with opacity": (8, 4, b""),
    "colour with opacity": (8, 6, b""),
}
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@pytest.mark.parametrize("interlaced", [False, True], ids=["in rows", "interlaced"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_png_without_its_last_byte_is_refused_and_with_more_is_read(kind, interlaced):
    depth, colour, extra = KINDS[kind]
    whole = rows_of(SAMPLES[colour], depth, interlaced=interlaced)
    form = {"depth": depth, "colour": colour, "interlaced": interlaced, "extra": extra}
    upright = (WIDTH, HEIGHT) if "turned" in kind else (HEIGHT, WIDTH)
    for parts in (1, 3):
        for rows in (whole, whole + b"\0" * 40):
            assert read_pixels(png(rows, parts=parts, **form)).shape[:2] == upright
        for kept in (len(whole) - 1, len(whole) // 2, 1, 0):
            with pytest.raises(MediaError, match=r"^damaged PNG image"):
                read_pixels(png(whole[:kept], parts=parts, **form))


@pytest.mark.parametrize(
    "kind", ["grey", "grey turned", "16 bit", "palette", "colour with opacity"]
)
def test_any_bit_changed_in_the_data_of_a_png_is_found(kind):
    depth, colour, extra = KINDS[kind]
    whole = png(rows_of(SAMPLES[colour], depth), depth, colour, extra=extra)
    start, end = whole.index(b"IDAT") - 4, whole.index(b"IEND") - 4
    for place in range(start, end):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(MediaError, match=r"^(damaged PNG|not an|not a readable) image"):
            read_pixels(bytes(changed))


@pytest.mark.parametrize("name", [b"eXIf", b"tRNS", b"tEXt"])
def test_a_chunk_whose_name_changed_is_found(name):
    """What tells how a picture is turned or laid on white must not be lost."""
    held = {b"eXIf": TURNED.tobytes()[6:], b"tRNS": b"\0\7", b"tEXt": b"Title\0Net 7"}[name]
    whole = png(rows_of(1, 8), 8, 0, extra=chunk(name, held))
    assert read_pixels(whole).size >= HEIGHT * WIDTH
    for place in range(4):
        changed = bytearray(whole)
        changed[whole.index(name) + place] ^= 1
        with pytest.raises(MediaError):
            read_pixels(bytes(changed))


@pytest.mark.parametrize("name", [b"tEXt", b"iTXt"])
@pytest.mark.parametrize("colour", [0, 2, 6], ids=["grey", "colour", "colour with opacity"])
def test_an_orientation_told_in_a_text_is_applied_to_all_kinds(name, colour):
    turn = "<x:xmpmeta xmlns:tiff='t'><rdf tiff:Orientation=\"6\"/></x:xmpmeta>"
    exif = f"\nexif\n{len(TURNED.tobytes()):8}\n{TURNED.tobytes().hex()}\n"
    note = {
        b"tEXt": b"Raw profile type exif\0" + exif.encode(),
        b"iTXt": b"XML:com.adobe.xmp\0\0\0\0\0" + turn.encode(),
    }[name]
    whole = png(rows_of(SAMPLES[colour], 8), 8, colour, extra=chunk(name, note))
    assert read_pixels(whole).shape[:2] == (WIDTH, HEIGHT)


def test_a_png_with_two_headers_is_refused():
    whole = png(rows_of(1, 8), 8, 0)
    with pytest.raises(MediaError, match=r"two headers|not a readable"):
        read_pixels(whole[:8] + whole[8:33] + whole[8:])


def test_a_png_that_does_not_begin_with_its_header_says_so():
    whole = png(rows_of(1, 1), 1, 0)
    early = whole[:8] + chunk(b"tEXt", b"Title\0Net 7") + whole[8:]
    with pytest.raises(MediaError, match=r"its first chunk is b'tEXt', not its header"):
        read_pixels(early)


def test_a_large_png_is_counted_in_little_time_and_memory():
    """A second of the processor for 64 MB that hardly pack; what is unpacked is never held."""
    rows = 4_000
    packed = zlib.compress(b"".join(b"\0" + RNG.bytes(16_000) for _ in range(rows)), 1)
    header = struct.pack(">IIBBBBB", 8_000, rows, 16, 0, 0, 0, 0)
    parts = [chunk(b"IDAT", packed[at : at + 8_192]) for at in range(0, len(packed), 8_192)]
    parts[3:3] = [chunk(b"IDAT", b"")] * 20_000
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(parts) + chunk(b"IEND", b"")
    with Image.open(io.BytesIO(content)) as image:
        tracemalloc.start()
        started = time.process_time()
        check_whole(content, image)
        took = time.process_time() - started
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert took < 3
    assert held < 8 << 20


def test_what_a_png_lacks_is_told_in_bytes():
    with pytest.raises(MediaError, match=r"truncated: 280 of 294 bytes of pixels$"):
        read_pixels(png(b"\0" * 280, 8, 0))


def encoded(pixels, image_format, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    handle = io.BytesIO()
    image.save(handle, image_format, **options)
    return handle.getvalue()


def by_pillow(content):
    return np.asarray(Image.open(io.BytesIO(content)))


PHOTOGRAPHS = {
    "colour": encoded(SMOOTH, "JPEG"),
    "grey": encoded(SMOOTH[..., 0], "JPEG"),
    "progressive": encoded(SMOOTH, "JPEG", progressive=True),
    "turned": encoded(SMOOTH, "JPEG", exif=TURNED),
    "colours of print": encoded(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG"),
    "restart marks": encoded(SMOOTH, "JPEG", restart_marker_rows=2),
}


def with_byte(content, place, value):
    return content[:place] + bytes((value,)) + content[place + 1 :]


def halved(content):
    """The file cut in the middle of its data, and closed again."""
    data = content.index(b"\xff\xda") + 14
    return content[: (data + len(content)) // 2] + b"\xff\xd9"


COLOUR = PHOTOGRAPHS["colour"]
REMARKED = {
    "an unknown version": with_byte(COLOUR, COLOUR.index(b"JFIF") + 5, 9),
    "a scan without frequencies": with_byte(COLOUR, COLOUR.index(b"\xff\xda") + 12, 0),
    "no end mark, and zeros": COLOUR[:-2] + bytes(20),
    "something behind the end": COLOUR + b"trailer\n" + COLOUR[:400],
    "a comment like a marker": COLOUR[:2] + b"\xff\xfe\x00\x06\xff\xd9\xff\xda" + COLOUR[2:],
}


@pytest.mark.parametrize("kind", REMARKED)
def test_what_is_remarkable_and_costs_no_pixel_is_read(kind):
    np.testing.assert_array_equal(read_pixels(REMARKED[kind]), by_pillow(COLOUR))


@pytest.mark.parametrize("kind", ["an unknown version", "a scan without frequencies"])
def test_a_remark_does_not_hide_that_a_jpeg_was_cut(kind):
    with pytest.raises(MediaError, match=r"^damaged JPEG image: .*premature end"):
        read_pixels(halved(REMARKED[kind]))


def scans_of(content):
    """Where each scan begins, with its tables, and where the last one ends."""
    heads = [found.start() for found in re.finditer(rb"\xff\xda", content)]
    tables = [content.rfind(b"\xff\xc4", before, at) for before, at in pairwise([0, *heads])]
    places = [table if table > 0 else head for table, head in zip(tables, heads, strict=True)]
    return [*places, content.rindex(b"\xff\xd9")]


@pytest.mark.parametrize("turned", [False, True], ids=["plain", "turned"])
def test_a_progressive_jpeg_that_lacks_a_scan_is_refused(turned):
    whole = encoded(SMOOTH, "JPEG", progressive=True, **({"exif": TURNED} if turned else {}))
    assert read_pixels(whole).size == SMOOTH.size
    places = scans_of(whole)
    assert len(places) == 11
    for start, end in pairwise(places):
        lacking = [whole[:start] + whole[end:]]
        if start > places[0]:
            lacking.append(whole[:start] + b"\xff\xd9")
        for content in lacking:
            with pytest.raises(MediaError, match=r"^damaged JPEG image: .*scans are missing$"):
                read_pixels(content)


def in_scans_of_one_component(content):
    """A baseline JPEG whose head of a scan names luma alone, as files of three scans do."""
    head = content.index(b"\xff\xda")
    one = b"\xff\xda\x00\x08\x01" + content[head + 5 : head + 7] + b"\x00\x3f\x00"
    return content[:head] + one + content[head + 14 :]


@pytest.mark.parametrize("fill", [200_000, 1])
def test_bytes_of_erased_memory_take_no_time(fill):
    """Runs of 0xFF, as of a card that was emptied: a second for megabytes, wherever they lie."""
    half = COLOUR[: len(COLOUR) // 2]
    started = time.process_time()
    with pytest.raises(MediaError, match=r"^damaged JPEG image"):
        read_pixels(half + b"\xff" * fill)
    for content in (COLOUR[:-2] + b"\xff" * fill, COLOUR[:-2] + b"\xff" * fill + COLOUR[-2:]):
        np.testing.assert_array_equal(read_pixels(content + b"\xff\xd9"), by_pillow(COLOUR))
    assert time.process_time() - started < 2


def test_a_jpeg_of_very_many_scans_is_refused():
    whole = encoded(SMOOTH[:8, :8, 0], "JPEG", progressive=True)
    start, end = scans_of(whole)[:2]
    for scans, said in ((400, ""), (600, "more than 500 scans")):
        many = whole[:end] + whole[start:end] * scans + whole[end:]
        assert what_is_missing(many) == said
    with pytest.raises(MediaError, match=said):
        read_pixels(many)


def test_a_jpeg_whose_colours_are_missing_is_refused():
    with pytest.raises(MediaError, match=r"^damaged JPEG image: .*scans are missing$"):
        read_pixels(in_scans_of_one_component(COLOUR))


def test_restart_marks_are_counted():
    whole = PHOTOGRAPHS["restart marks"]
    marks = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", whole)]
    assert what_is_missing(whole) == ""
    for mark in marks:
        assert what_is_missing(whole[:mark] + b"\xff\xd9") == "restart marks are missing"
    with pytest.raises(MediaError, match=r"^damaged JPEG image"):
        read_pixels(whole[: marks[-1]] + b"\xff\xd9")


@pytest.mark.parametrize("left_over", [1, 9, 29])
def test_bytes_left_over_before_restart_marks_cost_nothing(left_over):
    """As several cameras write them."""
    whole = PHOTOGRAPHS["restart marks"]
    padded = re.sub(rb"(\xff[\xd0-\xd7])", b"\x2a" * left_over + rb"\1", whole)
    assert len(padded) > len(whole) + left_over
    np.testing.assert_array_equal(read_pixels(padded), by_pillow(whole))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 17), (160, 120)])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}], ids=str
)
def test_nothing_is_missing_in_whole_jpegs(subsampling, size, options):
    for mode in ("L", "RGB", "CMYK"):
        image = Image.fromarray(SMOOTH).convert(mode).resize(size)
        whole = encoded(image, "JPEG", subsampling=subsampling, **options)
        assert what_is_missing(whole) == ""
        assert by_pillow(without_notes(whole)).shape[:2] == size[::-1]


@pytest.mark.parametrize("needed_px", [None, 2], ids=["whole", "reduced"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("kind", PHOTOGRAPHS)
def test_a_jpeg_that_was_cut_and_closed_is_refused(kind, kept, needed_px):
    whole = PHOTOGRAPHS[kind]
    assert read_enough(whole, needed_px=needed_px).pixels_HWC.size > 0
    data = whole.index(b"\xff\xda") + 14
    cut = whole[: data + int((len(whole) - data) * kept)] + b"\xff\xd9"
    with pytest.raises(
        MediaError, match=r"^damaged JPEG image: .*(Premature|premature|RST|truncated)"
    ):
        read_enough(cut, needed_px=needed_px)


@pytest.mark.parametrize("kind", ["colour", "grey", "turned", "restart marks"])
def test_a_jpeg_with_zeros_where_a_block_was_lost_is_refused_or_whole(kind):
    """Huffman codes can take zeros for pixels; where they cannot, the file is refused: in most places."""
    whole = PHOTOGRAPHS[kind]
    data, refused, places = whole.index(b"\xff\xda") + 14, 0, 0
    for place in range(data, len(whole) - 300, 97):
        places += 1
        try:
            read_pixels(whole[:place] + bytes(256) + whole[place + 256 :])
        except MediaError as reason:
            refused += "damaged JPEG image" in str(reason)
    assert places > 20
    assert refused > places / 2


@pytest.mark.parametrize("kind", ["colour", "turned", "colours of print"])
def test_bytes_left_over_before_the_end_of_a_jpeg_cost_nothing(kind):
    whole = PHOTOGRAPHS[kind]
    padded = whole[:-2] + b"\x00\x12\x00" + whole[-2:]
    found, expected = (read_pixels(content).astype(int) for content in (padded, whole))
    assert np.abs(found - expected).max() <= 1


def with_entries(content, entries):
    """A little-endian TIFF whose tags count so many values."""
    changed = bytearray(content)
    directory = struct.unpack_from("<I", content, 4)[0]
    for number in range(struct.unpack_from("<H", content, directory)[0]):
        at = directory + 2 + 12 * number
        if (tag := struct.unpack_from("<H", content, at)[0]) in entries:
            struct.pack_into("<I", changed, at + 4, entries[tag])
    return bytes(changed)


def test_a_planar_tiff_needs_the_strips_of_all_its_planes():
    planes = np.ascontiguousarray(SMOOTH[:20].transpose(2, 0, 1))
    entries = [(256, 160), (257, 20), (258, 8), (259, 1), (262, 2), (277, 3), (278, 20), (284, 2)]
    start = 8 + 2 + 12 * (len(entries) + 2) + 4 + 24
    tags = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries]
    for tag, place in ((273, start - 24), (279, start - 12)):
        tags.append(struct.pack("<HHII", tag, 4, 3, place))
    strips = struct.pack("<III", *(start + 3_200 * plane for plane in range(3)))
    directory = struct.pack("<H", len(tags)) + b"".join(sorted(tags, key=lambda tag: tag[:2][::-1]))
    content = struct.pack("<2sHI", b"II", 42, 8) + directory + bytes(4)
    content += strips + struct.pack("<III", 3_200, 3_200, 3_200) + planes.tobytes()
    np.testing.assert_array_equal(read_pixels(content), SMOOTH[:20])
    for there in (1, 2):
        with pytest.raises(MediaError, match=rf"{there} of 3 strips"):
            read_pixels(with_entries(content, {273: there, 279: there}))
    nowhere = content.replace(strips, strips[:8] + bytes(4))
    with pytest.raises(MediaError, match=r"2 of 3 strips"):
        read_pixels(nowhere)


def test_a_gif_whose_frame_is_smaller_than_its_screen_is_read():
    content = bytearray(encoded(SMOOTH[..., 0], "GIF"))
    struct.pack_into("<HH", content, 6, 200, 150)
    assert read_pixels(bytes(content)).shape[:2] == (150, 200)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_that_lists_too_few_strips_is_refused(compression):
    options = {"tiffinfo": {278: 10}} | ({"compression": compression} if compression else {})
    whole = encoded(SMOOTH, "TIFF", **options)
    np.testing.assert_array_equal(read_pixels(with_entries(whole, {273: 12, 279: 12})), SMOOTH)
    with pytest.raises(MediaError, match=r"^damaged TIFF image"):
        read_pixels(with_entries(whole, {273: 11, 279: 11}))


def test_a_header_that_declares_more_rows_than_there_are_is_refused():
    content = {name: bytearray(encoded(SMOOTH[..., 0], name)) for name in ("BMP", "GIF", "TIFF")}
    heights = {
        "BMP": [22],
        "GIF": [8, content["GIF"].index(b",\0\0\0\0") + 7],
        "TIFF": [content["TIFF"].index(struct.pack("<HHIH", 257, 4, 1, 120)) + 8],
    }
    for name, places in heights.items():
        for place in places:
            assert struct.unpack_from("<H", content[name], place) == (120,)
            struct.pack_into("<H", content[name], place, 300)
        with pytest.raises(MediaError, match=f"^damaged {name} image"):
            read_pixels(bytes(content[name]))


@pytest.mark.real
def test_every_real_image_holds_all_its_pixels(real_data):
    paths = [
        path for path in sorted(real_data.rglob("*.*")) if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    assert len(paths) > 1_000
    for path in paths:
        content = path.read_bytes()
        if "corrupted_im" in str(path):  # as EcoTaxa's own tests call them
            with pytest.raises(MediaError, match=r"^(damaged|not an image)"):
                read_pixels(content)
            continue
        with Image.open(io.BytesIO(content)) as image:
            check_whole(content, image)
