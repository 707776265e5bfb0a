"""The catalogue as tables: one row a source, or everything that is known of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holotype.catalogue.instruments import find_instrument
from holotype.catalogue.public_source import How, Kind, Source
from holotype.catalogue.sources import catalogue as read_catalogue
from holotype.catalogue.sources import find_public_source


@dataclass(frozen=True)
class ListedSource:
    """One row of the list.

    Attributes:
        name: of the source.
        title: of its publication.
        kind: images, barcodes or both.
        how: direct, on_demand, hub or manual.
        images: images that were read from it, else those that it claims; None where unknown.
        classes: written labels, in the same way.
        licence: of the content, in words; ``not stated`` where none was found.
        instruments: names of imaging systems.
        bytes: size of what is fetched by default, exact or rough; None where unknown.
    """

    name: str
    title: str
    kind: Kind
    how: How
    images: int | None
    classes: int | None
    licence: str
    instruments: tuple[str, ...]
    bytes: int | None


@dataclass(frozen=True)
class SourceList:
    """The catalogue in short, in alphabetical order."""

    sources: tuple[ListedSource, ...]


@dataclass(frozen=True)
class ShownSource:
    """Everything that is known of one source; what is not known is absent.

    Attributes:
        name: of the source.
        source: its keys and values, as in its TOML file.
        licences: for each statement: what it covers, the SPDX id or None, the text, where it stands.
        instruments: for each imaging system: name, full name, address of its L22 term or None.
    """

    name: str
    source: dict[str, Any]
    licences: tuple[dict[str, Any], ...]
    instruments: tuple[dict[str, Any], ...]


def list_sources(*, catalogue: Sequence[Path] = ()) -> SourceList:
    """Returns the public sources of the catalogue; asks nothing of the network.

    Args:
        catalogue: own TOML files, or folders of them, beside the shipped ones.

    Raises:
        SourceError: an own file cannot be read.
    """
    return SourceList(tuple(_row(source) for source in read_catalogue(catalogue).values()))


def _row(source: Source) -> ListedSource:
    expected = source.expected
    return ListedSource(
        source.name,
        source.title,
        source.kind,
        source.how,
        expected.images or expected.claimed_images,
        expected.classes or expected.claimed_classes,
        str(source.content_licence),
        source.instruments,
        source.planned_bytes,
    )


def show_source(name: str, *, catalogue: Sequence[Path] = ()) -> ShownSource:
    """Returns everything that the catalogue knows of one source; asks nothing of the network.

    Args:
        name: of the source.
        catalogue: own TOML files, or folders of them, beside the shipped ones.

    Raises:
        SourceError: there is no such source; says the nearest.
    """
    source = find_public_source(name, catalogue)
    licences = tuple(
        {
            "of": row.of.value,
            "id": row.licence.id,
            "standing": row.licence.standing.value,
            "written": row.written,
            "stated_at": row.stated_at,
            "url": row.licence.url,
        }
        for row in source.licences
    )
    systems = tuple(
        {"name": name, "title": find_instrument(name).title, "l22": find_instrument(name).uri}
        for name in source.instruments
    )
    return ShownSource(
        source.name, source.model_dump(mode="json", exclude_none=True), licences, systems
    )
