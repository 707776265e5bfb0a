"""Terms of an occurrence -> columns of a collection.

Sources: Darwin Core Maintenance Group 2021, http://rs.tdwg.org/dwc/; OBIS manual on imaging data.
"""

import re
from collections.abc import Collection

from holotype.collection.reading.fields import RowFields, parse_number
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Rank

_USED = (
    "occurrenceID", "gbifID", "eventID", "parentEventID", "organismID", "scientificName",
    "scientificNameAuthorship", "taxonRank", "kingdom", "phylum", "class", "order", "family", "genus",
    "species", "specificEpithet", "infraspecificEpithet", "scientificNameID", "taxonID", "taxonKey",
    "acceptedTaxonKey", "acceptedNameUsageID", "parentNameUsageID", "taxonomicStatus",
    "decimalLatitude", "decimalLongitude", "minimumDepthInMeters", "maximumDepthInMeters", "depth",
    "eventDate", "eventTime", "year", "month", "day", "country", "countryCode", "locality",
    "locationID", "verbatimLocality", "basisOfRecord", "occurrenceStatus", "license", "rights",
    "rightsHolder", "identifiedBy", "identificationVerificationStatus", "identificationReferences",
    "sampleSizeValue", "sampleSizeUnit", "vernacularName", "associatedMedia", "associatedSequences",
    "datasetKey", "datasetID", "bibliographicCitation", "dateIdentified", "verbatimIdentification",
    "identificationQualifier", "subfamily", "tribe", "superfamily", "subgenus",
)  # fmt: skip
_BY_LOWER = {name.lower(): name for name in _USED}
_RANKS = [rank.value for rank in LINNAEAN_RANKS if rank is not Rank.SPECIES]
_OTHER_RANKS = ("domain", "superfamily", "subfamily", "tribe", "subtribe", "subgenus")
_BINOMIAL = re.compile(r"[A-Z][a-zë-]+ [a-zë-]{2,}(?= |$)")
_BELOW = {"species", "subspecies", "variety", "form"}
_STATUS = {"predictedbymachine": "predicted", "validatedbyhuman": "validated"}
_IDS = (
    ("aphia_id", re.compile(r"marinespecies\.org(?::taxname:|/aphia\.php\?p=taxdetails&id=)(\d+)")),
    ("gbif_id", re.compile(r"gbif(?:\.org/(?:[a-z-]+/)?species/|:)(\d+)", re.IGNORECASE)),
    ("ncbi_id", re.compile(r"(?i:ncbi:txid|ncbi\.nlm\.nih\.gov/taxonomy/|wwwtax\.cgi\?id=)(\d+)")),
    ("wikidata_id", re.compile(r"wikidata\.org/(?:wiki|entity)/(Q\d+)")),
    ("bin_uri", re.compile(r"(BOLD:[A-Z]{3}\d{4})")),
)  # fmt: skip
_LITRES = {
    "l": 1, "litre": 1, "liter": 1, "litres": 1, "liters": 1, "dm3": 1,
    "ml": 1e-3, "millilitre": 1e-3, "milliliter": 1e-3, "millilitres": 1e-3, "milliliters": 1e-3, "cm3": 1e-3,
    "m3": 1e3, "m^3": 1e3, "m³": 1e3,
    "cubic metre": 1e3, "cubic meter": 1e3, "cubic metres": 1e3,
    "cubic meters": 1e3, "ul": 1e-6, "µl": 1e-6, "microlitre": 1e-6, "microlitres": 1e-6,
}  # fmt: skip
_INSDC = re.compile(
    r"(?:^|[/=:\s])((?:[A-Z]\d{5}|[A-Z]{2}\d{6}|[A-Z]{2}\d{8})(?:\.\d+)?)(?=$|[\s|;,&])"
)
PLACE = frozenset({"decimalLatitude", "decimalLongitude"})
DEPTH = frozenset({"minimumDepthInMeters", "maximumDepthInMeters", "depth"})
TIME = frozenset({"eventDate", "eventTime", "year", "month", "day"})


def canonical_term(written: str) -> str:
    """Returns the Darwin Core spelling of a column name, whatever its case; an unknown one as it is.

    >>> canonical_term("decimallatitude"), canonical_term("issue")
    ('decimalLatitude', 'issue')
    """
    name = (
        written.strip().rpartition(":")[2]
        if ":" in written and "/" not in written
        else written.strip()
    )
    return _BY_LOWER.get(name.lower(), name)


def litres(value: str, unit: str) -> float | None:
    """Returns a volume in litres, or None where the value is no number or the unit no volume.

    >>> litres("4.8", "Millilitres"), litres("2", "m2")
    (0.0048, None)
    """
    number, scale = parse_number(value), _LITRES.get(unit.strip().lower())
    return None if number is None or scale is None else number * scale


def take(row: RowFields, target: str, *columns: str) -> str:
    """Puts the text of the first filled column under a target, and returns it; the others stay unused."""
    for column in columns:
        if column in row.values and (text := row.text(target, column)):
            return text
    return ""


def said(row: RowFields, column: str) -> str:
    """Returns the text of a column, "" where the row has none; quick where it has not."""
    return row.written(column) if column in row.values else ""


def fill_names(row: RowFields) -> None:
    """Fills in the label, the ranks and the ids of the taxon."""
    fields = row.fields
    label = said(row, "scientificName")
    raw = row.values.get("scientificName", "").strip()
    fields["written_label"] = raw if label else ""
    for rank in _RANKS:
        take(row, rank, rank)
    for rank in _OTHER_RANKS:
        take(row, f"rank:{rank}", rank)
    stated = said(row, "taxonRank").lower()
    row.used.discard("taxonRank")
    if species := _species(row, label, stated):
        fields["species"] = species
    elif stated in {*_RANKS, *_OTHER_RANKS} and label and " " not in label:
        fields.setdefault(stated if stated in _RANKS else f"rank:{stated}", label)
    take(row, "vernacular_name", "vernacularName")
    for column in (
        "scientificNameID",
        "taxonID",
        "taxonConceptID",
        "acceptedNameUsageID",
        "scientificName",
    ):
        written = row.values.get(column)
        for target, pattern in _IDS if written else ():
            if found := pattern.search(written or ""):
                fields.setdefault(target, found[1])
    if "gbif_id" not in fields and (key := take(row, "gbif_id", "taxonKey", "acceptedTaxonKey")):
        fields["gbif_id"] = key.removesuffix(".0")
    sequences = row.values.get("associatedSequences")
    if sequences and (found := _INSDC.search(sequences)):
        fields["insdc_accession"] = found[1]


def _species(row: RowFields, label: str, stated: str) -> str:
    """Returns the binomial that the row states, "" where it names no species."""
    if written := said(row, "species"):
        return written
    epithet, genus = said(row, "specificEpithet"), said(row, "genus")
    if epithet:
        return epithet if " " in epithet else f"{genus} {epithet}" if genus else ""
    found = _BINOMIAL.match(label) if stated in _BELOW else None
    return found[0] if found else ""


def fill_identification(row: RowFields) -> None:
    """Fills in who named it, and whether a person or a machine did."""
    status = said(row, "identificationVerificationStatus").replace(" ", "").lower()
    row.used.discard("identificationVerificationStatus")
    if status in _STATUS:
        row.fields["label_status"] = _STATUS[status]
    if (
        not take(row, "labelled_by", "identifiedBy")
        and row.fields.get("label_status") == "predicted"
    ):
        take(row, "labelled_by", "identificationReferences")
        row.used.discard("identificationReferences")


def fill_place(row: RowFields, inherited: Collection[str]) -> None:
    """Fills in position, depth, place and country; says what the event, not the record, gave."""
    for target, column in (
        ("latitude_deg", "decimalLatitude"),
        ("longitude_deg", "decimalLongitude"),
    ):
        if column in row.values:
            row.position(target, column)
    for target, column in (
        ("depth_min_m", "minimumDepthInMeters"),
        ("depth_max_m", "maximumDepthInMeters"),
    ):
        given = [name for name in (column, "depth", "depthInMeters") if name in row.values]
        if given:
            row.number(target, *given)
    take(row, "site", "locality", "locationID", "verbatimLocality")
    take(row, "country", "country", "countryCode")
    if PLACE & set(inherited):
        row.fields["extra:place_from"] = "sample"
    if DEPTH & set(inherited):
        row.fields["extra:depth_from"] = "sample"


def fill_sample(row: RowFields) -> None:
    """Fills in the sample and its volume."""
    take(row, "sample_id", "eventID", "materialSampleID")
    value, unit = said(row, "sampleSizeValue"), said(row, "sampleSizeUnit")
    if not value:
        return
    volume = litres(value, unit)
    if volume is not None and volume > 0:
        row.fields["sampled_volume_l"] = repr(volume)
    else:
        row.fields["extra:sampleSize"] = f"{value} {unit}".strip()
