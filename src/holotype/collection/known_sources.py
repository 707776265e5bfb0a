"""What the catalogue of public sources knows of every record of a source: instrument, licence, place.

A record's own value always wins, then what the user says; the catalogue fills what neither gives, and the
record says that it did (``place_from``, ``licence_from`` = ``source``).
"""

from functools import cache

from holotype.catalogue.instruments import instruments
from holotype.catalogue.public_source import Kind, Subject
from holotype.catalogue.sources import shipped_sources


@cache
def constants_of_source(name: str) -> dict[str, str]:
    """Returns column -> text for the records of a public source; empty for any other.

    The licence is that of the images (of the barcodes, where there is nothing else), never that of code.
    """
    source = shipped_sources().get(name)
    if source is None:
        return {}
    subject = Subject.BARCODES if source.kind is Kind.BARCODES else Subject.IMAGES
    written = next((one.written for one in source.licences if one.of is subject), None)
    where = source.where
    instrument = source.instruments[0] if len(source.instruments) == 1 else None
    known = {
        "licence": written,
        "citation": f"https://doi.org/{source.doi}" if source.doi else source.citation,
        "instrument": instrument,
        "latitude_deg": where.latitude_deg if where else None,
        "longitude_deg": where.longitude_deg if where else None,
        "depth_min_m": where.depth_m if where else None,
        "depth_max_m": where.depth_m if where else None,
    }
    return {column: str(value) for column, value in known.items() if value is not None}


@cache
def instrument_id(instrument: str) -> str | None:
    """Returns the term of an imaging system in the NERC vocabulary L22, as ``L22/TOOL1588``, or None."""
    known = instruments().get(instrument)
    return f"L22/{known.l22}" if known is not None and known.l22 else None
