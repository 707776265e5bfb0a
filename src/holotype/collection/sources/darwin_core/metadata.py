"""The metadata document of a data set (EML): title, licence, citation, holder of the rights.

Source: Jones M. et al. 2019, Ecological Metadata Language 2.2.0, doi:10.5063/F11834T2; GBIF metadata profile.
"""

from dataclasses import dataclass

from holotype.collection.sources.darwin_core.safe_xml import Element, parse_xml

_ADDITIONAL = ("additionalMetadata", "metadata", "gbif")


@dataclass(frozen=True)
class DatasetFacts:
    """What a metadata document says of a data set; "" where it says nothing.

    Attributes:
        title: of the data set.
        licence: of the data set: a URL or the text.
        citation: as it asks to be cited, else its DOI.
    """

    title: str = ""
    licence: str = ""
    citation: str = ""


def parse_metadata(content: bytes, name: str) -> DatasetFacts:
    """Returns what an EML document says; its own XML declaration gives its encoding.

    Raises:
        SourceError: when it is no XML.
    """
    root = parse_xml(content, name)
    dataset = next(root.find("dataset"), root)
    return DatasetFacts(
        title=_first(dataset, "title"),
        licence=_licence(dataset),
        citation=_first(root, *_ADDITIONAL, "citation") or _doi(root, dataset),
    )


def _first(element: Element, *path: str) -> str:
    return next((found.words() for found in element.find(*path) if found.words()), "")


def _licence(dataset: Element) -> str:
    for licensed in dataset.find("licensed"):
        if stated := _first(licensed, "identifier") or _first(licensed, "url"):
            return stated
    for rights in dataset.find("intellectualRights"):
        links = [
            *rights.find("para", "ulink"),
            *rights.find("para", "links"),
            *rights.find("ulink"),
        ]
        urls = [link.attributes.get("url", "") for link in links]
        return next((url for url in urls if url), rights.words())
    return ""


def _doi(root: Element, dataset: Element) -> str:
    named = [found.words() for found in dataset.find("alternateIdentifier")]
    candidates = [*named, root.attributes.get("packageId", "")]
    return next((text for text in candidates if "10." in text and "/" in text), "")
