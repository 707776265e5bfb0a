"""Column maps of tables that people publish, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holotype.taxonomy.lineage import LINNAEAN_RANKS

_RANKS = {rank.value: rank.value for rank in LINNAEAN_RANKS}


@dataclass(frozen=True)
class Preset:
    """How one published table becomes columns of a collection.

    Attributes:
        about: whose table it is.
        columns: column of a collection -> column of the table.
        templates: column of a collection (or ``image``) -> text with ``{column}`` of the table.
        constants: column of a collection -> the value that every row has.
    """

    about: str
    columns: Mapping[str, str]
    templates: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


PRESETS: dict[str, Preset] = {
    "bioscan-5m": Preset(
        about="BIOSCAN-5M metadata (Gharaee et al. 2024, arXiv 2406.12723)",
        columns={
            "record_id": "processid",
            "specimen_id": "sampleid",
            "written_label": "taxon",
            **{rank: column for rank, column in _RANKS.items() if rank != "kingdom"},
            "rank:subfamily": "subfamily",
            "barcode": "dna_barcode",
            "bin_uri": "dna_bin",
            "country": "country",
            "latitude_deg": "coord-lat",
            "longitude_deg": "coord-lon",
            "upstream_split": "split",
        },
        templates={"image": "{split}/{chunk}/{processid}.jpg"},
        constants={"kingdom": "Animalia", "marker": "COI-5P"},
    ),
    "crops": Preset(
        about="a table of labelled crops: path, raw_label, instrument, ranks, root_class",
        columns={
            "record_id": "path",
            "image": "path",
            "written_label": "raw_label",
            "instrument": "instrument",
            "qualifier": "stage",
            "kind": "root_class",
            "licence": "licence_note",
            **_RANKS,
        },
    ),
    "barcodes": Preset(
        about="a table of sequences: processid, marker, nucleotides, ranks",
        columns={
            "specimen_id": "processid",
            "marker": "marker",
            "barcode": "nucleotides",
            "rights_holder": "source",
            "ncbi_id": "taxid",
            **_RANKS,
        },
        templates={"record_id": "{processid}|{marker}"},
    ),
    "dimacs": Preset(
        about="the DIMACS 2007 barcoding challenge, whose header is shifted by one name",
        columns={
            "record_id": "Process ID",
            "specimen_id": "Sample ID",
            "species": "Sub-Species",
            "genus": "Species",
            "barcode": "Code",
        },
        constants={"kingdom": "Animalia", "marker": "COI-5P"},
    ),
}
"""Presets of ``holotype import table --preset``."""


def fitting_preset(header: Sequence[str]) -> str | None:
    """Returns the preset whose columns a table has most of, all that identify a record among them."""
    best, most = None, 0
    for name, preset in PRESETS.items():
        needed = [
            preset.columns[c] for c in ("record_id", "barcode", "image") if c in preset.columns
        ]
        held = sum(column in header for column in preset.columns.values())
        if all(column in header for column in needed) and held > most:
            best, most = name, held
    return best
