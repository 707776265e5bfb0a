"""Where an image lies -> its encoded bytes, from several threads at a time.

Cells of one row group, crops of one picture and rows of one HDF5 file share a large read, which is kept for
the next one: they are read one at a time, so that no two threads make it at once.
"""

from threading import Lock

from holotype.media.locations import CellAt, CropAt, HdfRowAt, Location, read_location

_SHARE_A_READ = (CellAt, CropAt, HdfRowAt)
_IN_TURN = Lock()


def read_image_at(at: Location) -> bytes:
    """Returns the encoded bytes at a location.

    Raises:
        MediaError: when they are not there, damaged, or too large.
    """
    if not isinstance(at, _SHARE_A_READ):
        return read_location(at)
    with _IN_TURN:
        return read_location(at)
