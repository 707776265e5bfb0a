"""What the words of schemas and options mean, for the reference and format pages.

The schemas hold names and types only. A word that is missing here stops ``docs/generate.py``.
"""

from collections.abc import Mapping

SPLIT: Mapping[str, str] = {
    "record_id": "the record, as in the collection; every record once, in the collection's order",
    "role": "`train`, `val`, `test`, `key` or `unused`",
    "status": (
        "`seen`, `unseen` or `unnamed`: whether the record's species is meant to be named in training"
    ),
    "group": "records with one number share a specimen, an image file or a barcode",
    "reason": "why the record is unused; null where no reason is noted",
}

LEDGER: Mapping[str, str] = {
    "input": "name of the file or folder that was imported",
    "item": "path inside the archive or folder, the row's own id, or its place in the file",
    "row": "line of the table or number of the sequence, as an editor counts; null for files",
    "record_id": "the record that the item became; null where there is none",
    "outcome": "what became of the item, one of the words below",
    "reason": "short codes, `;` between several; null where there is nothing to say",
    "detail": "the same in a sentence for each code",
}

OUTCOMES: Mapping[str, str] = {
    "imported": "a record, and nothing to remark",
    "imported_with_note": "a record; some part of it was left out or is doubtful, as `detail` says",
    "rejected": "no record: the item cannot be read, or nothing is left of it",
    "repeated": "no record: its id is in the collection already; the first one is kept",
    "skipped": "no record was expected: no image ending, a link, a file of an operating system",
    "set_aside": (
        "was a record; a later step took it out: a repair, or a licence that is not allowed"
    ),
}

KNOWN_FROM: Mapping[str, str] = {
    "record": "the source gives it for this record",
    "sample": "the source gives it for the sample or run that the record is of",
    "file_name": "read from the name of the image file",
    "source": "one value for the whole source: from `--constant`, or from the catalogue",
    "not_given": "null: the source gives none",
    "unreadable": "null: the source gives something that cannot be read, or lies out of bounds",
    "not_applicable": "null: it makes no sense for this record, as for a culture; a source has to say so",
}

ENVIRONMENT: Mapping[str, str] = {
    "variable": "the name the user gave it",
    "value": "of the nearest cell that has one; never interpolated",
    "unit": "as the grid states it; empty where it does not",
    "grid": "file name of the grid",
    "distance_km": "from the record to the middle of the cell, on the sphere",
    "depth_difference_m": "depth of the record less depth of the cell; null without depths",
    "time_difference_h": "time of the record less time of the cell; null without times",
}

IMPORT_OPTIONS: Mapping[str, str] = {
    "preset": "--preset",
    "columns": "--column",
    "images": "--images",
    "annotations": "--annotations",
    "label_folder": "--label-folder",
    "inside": "--inside",
}
