"""The metadata document (EML, GBIF profile) and the descriptor of an archive.

Sources: Ecological Metadata Language 2.2.0 (doi:10.5063/F11834T2); GBIF metadata profile 1.3; Darwin Core
Text Guide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from holotype.catalogue.licences import Licence, parse_licence
from holotype.exchange.answers.moments import span_of
from holotype.exchange.answers.writing import Request
from holotype.exchange.darwin_core.dataset import Dataset, Person
from holotype.exchange.darwin_core.tables import ArchiveTable

_SCHEMA = "https://eml.ecoinformatics.org/eml-2.2.0"
_NAMES = {
    "CC0-1.0": "Public Domain (CC0 1.0)",
    "CC-BY-4.0": "Creative Commons Attribution (CC-BY) 4.0 License",
    "CC-BY-NC-4.0": "Creative Commons Attribution Non Commercial (CC-BY-NC) 4.0 License",
}
METHOD = (
    "Organisms were identified by {software}, which names images and DNA barcodes at the deepest "
    "rank that is safe under a stated error rate. identificationVerificationStatus tells what a machine "
    "predicted from what a person validated; identificationReferences has software, algorithm and model; "
    "identificationQualifier has the finer name that is likely and not certain; identificationRemarks has "
    "calibrated probabilities."
)


@dataclass(frozen=True)
class Coverage:
    """What the events of an archive span.

    Attributes:
        box: west, east, north, south in degrees.
        dates: the interval, ISO 8601.
        taxa: (rank, name) of the widest names.
    """

    box: tuple[float, float, float, float]
    dates: str
    taxa: Sequence[tuple[str, str]]


def _tag(name: str, text: str | None) -> Iterator[str]:
    if text:
        yield f"<{name}>{escape(text)}</{name}>"


def _person(tag: str, person: Person) -> Iterator[str]:
    yield f"<{tag}>"
    if person.surname:
        yield "<individualName>"
        yield from _tag("givenName", person.given)
        yield from _tag("surName", person.surname)
        yield "</individualName>"
    yield from _tag("organizationName", person.organisation)
    yield from _tag("electronicMailAddress", person.email)
    if person.orcid:
        yield f'<userId directory="https://orcid.org/">{escape(person.orcid)}</userId>'
    yield f"</{tag}>"


def eml(dataset: Dataset, coverage: Coverage, request: Request) -> str:
    """Returns the metadata document."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _root(dataset, request.dated),
        "<dataset>",
        *_tag("alternateIdentifier", dataset.doi),
        f"<title xml:lang={quoteattr(dataset.language)}>{escape(dataset.title)}</title>",
        *(line for person in dataset.creators for line in _person("creator", person)),
        *_person("metadataProvider", dataset.creators[0]),
        f"<pubDate>{request.dated:%Y-%m-%d}</pubDate>",
        *_tag("language", dataset.language),
        f"<abstract><para>{escape(' '.join(dataset.abstract.split()))}</para></abstract>",
        *_keywords(dataset.keywords),
        *_rights(parse_licence(dataset.licence)),
        *_coverage(coverage),
        *(line for one in dataset.contacts or dataset.creators for line in _person("contact", one)),
        *_methods(dataset, request.software),
        "</dataset>",
        *_citation(dataset),
        "</eml:eml>",
    ]
    return "\n".join(lines) + "\n"


def _root(dataset: Dataset, dated: datetime) -> str:
    package = dataset.doi or f"{dataset.id_prefix or 'dataset'}{dated:%Y%m%dT%H%M%S}"
    attributes = {
        "xmlns:eml": _SCHEMA,
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": f"{_SCHEMA} https://rs.gbif.org/schema/eml-gbif-profile/1.3/eml.xsd",
        "packageId": package,
        "system": "http://gbif.org",
        "scope": "system",
        "xml:lang": dataset.language,
    }
    written = " ".join(f"{name}={quoteattr(text)}" for name, text in attributes.items())
    return f"<eml:eml {written}>"


def _rights(licence: Licence) -> Iterator[str]:
    """Yields the licence in the two forms of EML: in the words that GBIF looks for, and by its SPDX id."""
    name, url = _NAMES[str(licence)], licence.url or ""
    link = f"<ulink url={quoteattr(url)}><citetitle>{name}</citetitle></ulink>"
    yield f"<intellectualRights><para>This work is licensed under a {link}.</para></intellectualRights>"
    yield f"<licensed><licenseName>{name}</licenseName>"
    yield f"<url>{escape(url)}</url><identifier>{licence}</identifier></licensed>"


def _keywords(words: Sequence[str]) -> Iterator[str]:
    if words:
        inner = "".join(f"<keyword>{escape(word)}</keyword>" for word in words)
        yield f"<keywordSet>{inner}<keywordThesaurus>n/a</keywordThesaurus></keywordSet>"


def _coverage(coverage: Coverage) -> Iterator[str]:
    sides = zip(("west", "east", "north", "south"), coverage.box, strict=True)
    yield "<coverage><geographicCoverage><geographicDescription>Box around all events</geographicDescription>"
    yield "<boundingCoordinates>"
    yield from (
        f"<{side}BoundingCoordinate>{at:g}</{side}BoundingCoordinate>" for side, at in sides
    )
    yield "</boundingCoordinates></geographicCoverage><temporalCoverage><rangeOfDates>"
    span = span_of(coverage.dates)
    assert span is not None
    for name, moment in zip(("beginDate", "endDate"), span, strict=True):
        yield f"<{name}><calendarDate>{moment:%Y-%m-%d}</calendarDate></{name}>"
    yield "</rangeOfDates></temporalCoverage><taxonomicCoverage>"
    for rank, name in coverage.taxa:
        yield (
            f"<taxonomicClassification><taxonRankName>{escape(rank)}</taxonRankName>"
            f"<taxonRankValue>{escape(name)}</taxonRankValue></taxonomicClassification>"
        )
    yield "</taxonomicCoverage></coverage>"


def _methods(dataset: Dataset, software: str) -> Iterator[str]:
    said = METHOD.format(software=software)
    yield f"<methods><methodStep><description><para>{escape(said)}</para></description></methodStep>"
    if dataset.sampling:
        yield "<sampling><studyExtent><description><para>See the coverage.</para></description></studyExtent>"
        yield f"<samplingDescription><para>{escape(dataset.sampling)}</para></samplingDescription></sampling>"
    yield "</methods>"


def _citation(dataset: Dataset) -> Iterator[str]:
    if dataset.citation:
        inner = f"<citation>{escape(dataset.citation)}</citation>"
        yield f"<additionalMetadata><metadata><gbif>{inner}</gbif></metadata></additionalMetadata>"


def meta_xml(tables: Sequence[ArchiveTable]) -> str:
    """Returns the descriptor: the first table is the core, the others hang on its id, the first column."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">',
    ]
    for number, table in enumerate(tables):
        kind, key = ("core", "id") if number == 0 else ("extension", "coreid")
        written = (
            'encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" '
            f'ignoreHeaderLines="1" rowType={quoteattr(table.row_type)}'
        )
        lines += [
            f"  <{kind} {written}>",
            f"    <files><location>{escape(table.file)}</location></files>",
            f'    <{key} index="0"/>',
            *(
                f'    <field index="{index}" term={quoteattr(uri)}/>'
                for index, uri in enumerate(table.terms.values())
            ),
            f"  </{kind}>",
        ]
    return "\n".join([*lines, "</archive>"]) + "\n"
