"""Croissant metadata of an exported folder (MLCommons, Akhtar et al. 2024, arXiv 2403.19546)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from holotype.catalogue.licences import common_licence
from holotype.collection.licensing import licence_of
from holotype.collection.schema import COLUMNS, Column

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_DOI = re.compile(r"(?:\bdoi:?\s*10\.\d+|\b10\.\d{4,9})(?:\.\d+)*/[^\s<>\"]+", re.IGNORECASE)
_TYPES: tuple[tuple[Any, str], ...] = (
    (pa.types.is_floating, "sc:Float"),
    (pa.types.is_integer, "sc:Integer"),
    (pa.types.is_string, "sc:Text"),
)


def croissant(described: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the metadata of an exported folder as JSON-LD: files with hashes, and the flat columns.

    Args:
        described: name, parts, licences, sources and citations of the export.
        entries: the Parquet files, with ``path``, ``bytes`` and ``sha256``.
    """
    held = [licence_of(None if n == "not stated" else n) for n in described["licences"]]
    common = common_licence(held)
    objects = [
        {
            "@type": "cr:FileObject",
            "@id": entry["path"],
            "name": entry["path"],
            "contentUrl": entry["path"],
            "contentSize": f"{entry['bytes']} B",
            "encodingFormat": "application/x-parquet",
            "sha256": entry["sha256"],
        }
        for entry in entries
    ]
    parts = [
        {
            "@type": "cr:RecordSet",
            "@id": f"{entry['path']}#records",
            "name": f"{entry['path']}#records",
            "description": f"{entry['rows']} records of part {entry['part']}.",
            "field": [_field(entry["path"], column) for column in COLUMNS if _is_flat(column)],
        }
        for entry in entries
    ]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": described["name"],
        "description": f"Organisms from {', '.join(described['sources'])}.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": str(common)
        if common is not None
        else "each record has its own; see ATTRIBUTION.md",
        "citeAs": "; ".join(described["citations"]) or described["name"],
        "creator": [{"@type": "sc:Organization", "name": name} for name in described["sources"]],
        **({"url": url} if (url := address_of(described["citations"])) else {}),
        "version": "1.0.0",
        "distribution": objects,
        "recordSet": parts,
    }


def address_of(citations: Sequence[str]) -> str | None:
    """Returns the first web address or DOI, as an address, that the citations name; None without any.

    >>> address_of(["Irisson, zooscan.", "doi:10.17882/55741."])
    'https://doi.org/10.17882/55741'
    """
    for citation in citations:
        if found := _ADDRESS.search(citation) or _DOI.search(citation):
            written = found.group().rstrip(".,;:)]}'")
            if written.lower().startswith("http"):
                return written
            return f"https://doi.org/{written[written.index('10.') :]}"
    return None


def _is_flat(column: Column) -> bool:
    return column.name == "image" or any(test(column.type) for test, _ in _TYPES)


def _field(path: str, column: Column) -> dict[str, Any]:
    kind = next((word for test, word in _TYPES if test(column.type)), "sc:ImageObject")
    source: dict[str, Any] = {"fileObject": {"@id": path}, "extract": {"column": column.name}}
    if column.name == "image":
        source["transform"] = {"jsonPath": "bytes"}
    name = f"{path}#{column.name}"
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": column.meaning,
        "dataType": kind,
        "source": source,
    }
