"""The tables of an archive and the terms of their columns.

Sources: Darwin Core (TDWG), http://rs.tdwg.org/dwc/; the OBIS manual; ExtendedMeasurementOrFact (De Pooter D.
et al. 2017, doi:10.3897/BDJ.5.e10989); GBIF Simple Multimedia; DNA-derived data (Abarenkov K. et al. 2023,
doi:10.35035/doc-vf1a-nr22).
"""

from dataclasses import dataclass

_DWC = "http://rs.tdwg.org/dwc/terms/"
_DC = "http://purl.org/dc/terms/"
_OBIS = "http://rs.iobis.org/obis/terms/"
_GBIF = "http://rs.gbif.org/terms/"
_MIXS = "https://w3id.org/mixs/"

NERC = "http://vocab.nerc.ac.uk/collection/"
LSID = "urn:lsid:marinespecies.org:taxname:"
MACHINE_OBSERVATION = "MachineObservation"
MATERIAL_SAMPLE = "MaterialSample"


@dataclass(frozen=True)
class ArchiveTable:
    """One table of an archive; the first column is the id of the event that a row is, or belongs to.

    Attributes:
        file: its name.
        row_type: URI of what its rows are.
        terms: column name -> URI of its term, in order.
    """

    file: str
    row_type: str
    terms: dict[str, str]


def _uris(base: str, names: str) -> dict[str, str]:
    return {name: base + name for name in names.split()}


EVENTS = ArchiveTable(
    "event.txt",
    f"{_DWC}Event",
    {
        **_uris(_DWC, "eventID parentEventID eventType eventDate decimalLatitude decimalLongitude"),
        **_uris(_DWC, "geodeticDatum coordinateUncertaintyInMeters minimumDepthInMeters"),
        **_uris(_DWC, "maximumDepthInMeters country locality sampleSizeValue sampleSizeUnit"),
        **_uris(_DWC, "samplingProtocol"),
    },
)
OCCURRENCES = ArchiveTable(
    "occurrence.txt",
    f"{_DWC}Occurrence",
    {
        **_uris(_DWC, "eventID occurrenceID basisOfRecord occurrenceStatus scientificName"),
        **_uris(_DWC, "scientificNameID taxonRank kingdom phylum class order family genus"),
        **_uris(_DWC, "identificationQualifier verbatimIdentification"),
        **_uris(_DWC, "identificationVerificationStatus identifiedBy dateIdentified"),
        **_uris(_DWC, "identificationReferences identificationRemarks individualCount"),
        **_uris(_DWC, "organismID associatedMedia"),
    },
)
MEASUREMENTS = ArchiveTable(
    "extendedmeasurementorfact.txt",
    f"{_OBIS}ExtendedMeasurementOrFact",
    {
        **_uris(_DWC, "eventID occurrenceID measurementID measurementType"),
        **_uris(_OBIS, "measurementTypeID"),
        **_uris(_DWC, "measurementValue"),
        **_uris(_OBIS, "measurementValueID"),
        **_uris(_DWC, "measurementAccuracy measurementUnit"),
        **_uris(_OBIS, "measurementUnitID"),
        **_uris(_DWC, "measurementDeterminedDate measurementDeterminedBy measurementMethod"),
        **_uris(_DWC, "measurementRemarks"),
    },
)
MEDIA = ArchiveTable(
    "multimedia.txt",
    f"{_GBIF}1.0/Multimedia",
    {
        **_uris(_DWC, "eventID occurrenceID"),
        **_uris(_DC, "type format identifier title created source license rightsHolder"),
    },
)
DNA_CONSTANTS: dict[str, str] = {
    **_uris(_GBIF, "pcr_primer_forward pcr_primer_reverse pcr_primer_name_forward"),
    **_uris(_GBIF, "pcr_primer_name_reverse pcr_primer_reference"),
    "project_name": f"{_MIXS}0000092",
    "env_broad_scale": f"{_MIXS}0000012",
    "env_local_scale": f"{_MIXS}0000013",
    "env_medium": f"{_MIXS}0000014",
    "nucl_acid_ext": f"{_MIXS}0000037",
    "nucl_acid_amp": f"{_MIXS}0000038",
    "lib_layout": f"{_MIXS}0000041",
    "seq_meth": f"{_MIXS}0000050",
    "otu_class_appr": f"{_MIXS}0000085",
    "sop": f"{_MIXS}0000090",
}
"""Terms of DNA-derived data that are the same for a whole data set: the user gives them."""
DNA = ArchiveTable(
    "dnaderiveddata.txt",
    f"{_GBIF}1.0/DNADerivedData",
    {
        **_uris(_DWC, "eventID occurrenceID"),
        "samp_name": f"{_MIXS}0001107",
        "DNA_sequence": f"{_GBIF}dna_sequence",
        "target_gene": f"{_MIXS}0000044",
        "target_subfragment": f"{_MIXS}0000045",
        "otu_seq_comp_appr": f"{_MIXS}0000086",
        "otu_db": f"{_MIXS}0000087",
        **DNA_CONSTANTS,
    },
)
TABLES = (EVENTS, OCCURRENCES, MEASUREMENTS, MEDIA, DNA)
"""The core, then its extensions."""
