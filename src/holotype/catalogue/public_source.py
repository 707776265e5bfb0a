"""One public collection as a value: where its files are, under which terms, and how they are read.

The keys of a source's TOML file are the fields of these classes. What is not known of a source is absent.
"""

import re
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from holotype.catalogue.instruments import find_instrument
from holotype.catalogue.licences import Licence, Standing, parse_licence
from holotype.config import Settings

Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(gt=0)]


class Kind(StrEnum):
    """What a source holds."""

    IMAGES = "images"
    IMAGES_AND_BARCODES = "images_and_barcodes"
    BARCODES = "barcodes"


class How(StrEnum):
    """How its files are had."""

    DIRECT = "direct"
    """Every file has an address."""
    ON_DEMAND = "on_demand"
    """Fairdata packs the data set when asked and gives an address that works once."""
    HUB = "hub"
    """A data set of the Hugging Face hub, whose list of files is asked for."""
    MANUAL = "manual"
    """A person fetches the files and puts them into the folder."""


class Subject(StrEnum):
    """What a licence is a licence of."""

    IMAGES = "images"
    BARCODES = "barcodes"
    METADATA = "metadata"
    COMPILATION = "compilation"
    CODE = "code"


class StatedLicence(Settings):
    """One statement of rights, as the source makes it."""

    of: Subject
    """What it covers."""
    written: str | None = None
    """The text as written; absent where the source states none."""
    stated_at: str
    """Where the statement stands: a page, a file, a registry."""
    note: str | None = None

    @property
    def licence(self) -> Licence:
        """The licence that the text names."""
        return parse_licence(self.written)


class PublicFile(Settings):
    """One file of a source."""

    name: str
    """Path below the folder of the source."""
    urls: tuple[str, ...] = ()
    """Its addresses, the preferred first; the others are mirrors of the same bytes."""
    bytes: Count | None = None
    """Exact size; a download of another size is refused."""
    about_bytes: Count | None = None
    """Rough size, for planning, where the exact one is not known."""
    sha256: Hex64 | None = None
    md5: Hex32 | None = None
    holds: str | None = None
    """What is in it, in words."""
    optional: bool = False
    """Fetched only when it is asked for by name."""

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, name: str) -> str:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.name or "\\" in name or ":" in name:
            raise ValueError(f"'{name}' is no path below a folder")
        return name

    @field_validator("urls")
    @classmethod
    def _are_http(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not re.match(r"https?://[^/\s]+/\S*$", url):
                raise ValueError(f"'{url}' is no http(s) address")
        return urls

    @property
    def planned_bytes(self) -> int | None:
        """The exact size, else the rough one, else None."""
        return self.bytes or self.about_bytes


class Layout(Settings):
    """How the files are read into a collection."""

    reads_as: str
    """The kind of input: the first word after ``holotype import``."""
    inputs: tuple[str, ...] = ()
    """Files that are handed over, of those in ``files``; all of them when absent."""
    options: tuple[str, ...] = ()
    """Further words of the command, such as ``--preset``, ``bioscan-5m``."""
    class_root: str | None = None
    """Where the class folders lie inside the archive, as a pattern."""
    nested: tuple[str, ...] = ()
    """Archives inside the archive that have to be opened, as patterns."""
    about: str | None = None
    """How labels are read, in words."""


class Expected(Settings):
    """How much a source should yield, and how much its description claims."""

    images: Count | None = None
    """Images that were read from it."""
    classes: Count | None = None
    """Written labels that were read from it."""
    living_images: Count | None = None
    """Of the images, those of organisms."""
    claimed_images: Count | None = None
    claimed_classes: Count | None = None
    sequences: Count | None = None
    note: str | None = None


class Where(Settings):
    """Where the specimens are from; numbers only where one place holds for every record."""

    region: str
    latitude_deg: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    depth_m: float | None = None
    years: str | None = None


class OnDemand(Settings):
    """A data set of Fairdata (Etsin)."""

    dataset: str
    """The identifier in its address on Etsin; the DOI does not serve."""
    api: str = "https://etsin.fairdata.fi/api/download"


class Hub(Settings):
    """A data set of the Hugging Face hub."""

    dataset: str
    """Owner and name."""
    revision: str = "main"
    endpoint: str = "https://huggingface.co"
    only: tuple[str, ...] = ()
    """Patterns of the files to fetch; all when absent."""


class Source(Settings):
    """One public collection."""

    version: Literal[1] = 1
    """Of the format of this file."""
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    """As on the command line, and as the source of its records."""
    title: str
    kind: Kind
    how: How
    page: str
    """The page where people find it."""
    doi: str | None = None
    """DOI of the data."""
    paper: str | None = None
    """DOI or arXiv number of the description."""
    citation: str
    licences: tuple[StatedLicence, ...]
    licence_conflict: str | None = None
    """What sources of the statements disagree about."""
    terms: str | None = None
    """Conditions beside the licence."""
    instruments: tuple[str, ...] = ()
    """Names in the table of imaging systems."""
    where: Where | None = None
    files: tuple[PublicFile, ...] = ()
    on_demand: OnDemand | None = None
    hub: Hub | None = None
    instructions: str | None = None
    """What a person does where no program can."""
    layout: Layout
    expected: Expected = Expected()
    upstream_split: str | None = None
    notes: tuple[str, ...] = ()
    """Traps, one sentence or two each."""

    @model_validator(mode="after")
    def _hangs_together(self) -> "Source":
        needs = {
            How.DIRECT: all(file.urls for file in self.files) and bool(self.files),
            How.ON_DEMAND: self.on_demand is not None and len(self.files) == 1,
            How.HUB: self.hub is not None,
            How.MANUAL: self.instructions is not None,
        }
        lacking = {
            How.DIRECT: 'how = "direct" needs [[files]], each with urls',
            How.ON_DEMAND: 'how = "on_demand" needs [on_demand] and one of [[files]]',
            How.HUB: 'how = "hub" needs [hub]',
            How.MANUAL: 'how = "manual" needs instructions',
        }
        if not needs[self.how]:
            raise ValueError(lacking[self.how])
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two of [[files]] have one name")
        if unknown := set(self.layout.inputs) - set(names):
            raise ValueError(f"layout.inputs names no file: {', '.join(sorted(unknown))}")
        for instrument in self.instruments:
            find_instrument(instrument)
        return self

    def licence_of(self, subject: Subject) -> Licence:
        """Returns the licence of a part; one that is not stated where there is no statement."""
        for stated in self.licences:
            if stated.of is subject:
                return stated.licence
        return Licence(None, None, None, Standing.NOT_STATED, None)

    @property
    def content_licence(self) -> Licence:
        """The licence of the images, or of the barcodes where there are no images."""
        barcodes = self.kind is Kind.BARCODES
        return self.licence_of(Subject.BARCODES if barcodes else Subject.IMAGES)

    @property
    def planned_bytes(self) -> int | None:
        """Size of all files that are fetched by default, exact or rough; None if one is unknown."""
        sizes = [file.planned_bytes for file in self.files if not file.optional]
        return sum(size or 0 for size in sizes) if sizes and all(sizes) else None
