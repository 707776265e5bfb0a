"""Locations as JSON, for listings on disk."""

import json
from collections.abc import Mapping
from typing import Any

from holotype.media.locations import (
    CellAt,
    CropAt,
    FileAt,
    GreyAt,
    HdfRowAt,
    Location,
    SliceAt,
    ZipSliceAt,
)

KINDS: dict[str, type[Any]] = {
    "file": FileAt,
    "slice": SliceAt,
    "zip": ZipSliceAt,
    "cell": CellAt,
    "grey": GreyAt,
    "crop": CropAt,
    "hdf": HdfRowAt,
}
_NAME_OF = {kind: name for name, kind in KINDS.items()}
_NESTED = {"pixels", "whole"}


_encoded_ascii = json.JSONEncoder(separators=(",", ":")).encode
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written_location(location: Location) -> str:
    """Returns a location as JSON, which UTF-8 can hold also where a path is no UTF-8."""
    if type(location) is FileAt:  # most of them: quicker by hand
        text = f'{{"kind":"file","path":{_encoded(location.path)}}}'
    else:
        text = _encoded(_plain(location))
    try:
        text.encode()
    except UnicodeEncodeError:
        return _encoded_ascii(_plain(location))
    return text


def _plain(location: Location) -> dict[str, Any]:
    plain = {"kind": _NAME_OF[type(location)], **vars(location)}
    for name in _NESTED & plain.keys():
        plain[name] = _plain(plain[name])
    return plain


def parsed_location(text: str) -> Location:
    """Returns the location of a JSON text that ``written_location`` made."""
    return _of_plain(json.loads(text))


def _of_plain(plain: Mapping[str, Any]) -> Location:
    values = {
        name: _of_plain(value) if isinstance(value, dict) else value
        for name, value in plain.items()
        if name != "kind"
    }
    location: Location = KINDS[plain["kind"]](**values)
    return location
