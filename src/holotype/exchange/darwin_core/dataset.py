"""What only people know of a data set: the file (TOML) that ``--dataset`` names."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from holotype.catalogue.licences import GBIF_ACCEPTS, Licence, parse_licence
from holotype.config import Settings, read_settings
from holotype.errors import SourceError
from holotype.exchange.darwin_core.tables import DNA_CONSTANTS

ABSTRACT_LETTERS = (256, 1_000)
MISSING = (
    "a Darwin Core Archive says whose data it is and under which licence. Name a file with --dataset:\n"
    'title = "..."\nabstract = "... (256 to 1,000 letters)"\nlicence = "CC-BY-4.0"\n'
    '[[creators]]\norganisation = "..."\nemail = "..."'
)


class Person(Settings):
    """A person or an organisation."""

    given: str | None = None
    """Given names."""
    surname: str | None = None
    """Family name."""
    organisation: str | None = None
    """Institution."""
    email: str | None = None
    """Address to write to."""
    orcid: str | None = None
    """ORCID, as 0000-0000-0000-0000."""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if not self.surname and not self.organisation:
            raise ValueError("give surname or organisation")
        return self


class Dataset(Settings):
    """A data set."""

    title: Annotated[str, Field(min_length=5)]
    """What it is called."""
    abstract: Annotated[str, Field(min_length=ABSTRACT_LETTERS[0], max_length=ABSTRACT_LETTERS[1])]
    """What it is, in 256 to 1,000 letters."""
    licence: str
    """Of the data: CC0-1.0, CC-BY-4.0 or CC-BY-NC-4.0."""
    media_licence: str | None = None
    """Of images that state none themselves; without it they stay out."""
    creators: Annotated[tuple[Person, ...], Field(min_length=1)]
    """Who made it."""
    contacts: tuple[Person, ...] = ()
    """Whom to ask; by default the creators."""
    language: str = "eng"
    """Of the text, ISO 639-2."""
    doi: str | None = None
    """DOI, where it has one."""
    citation: str | None = None
    """How it is to be cited."""
    id_prefix: str = ""
    """What all ids start with, so that they are yours alone: "urn:catalog:MYLAB:"."""
    keywords: tuple[str, ...] = ()
    """Words to find it by."""
    sampling: str | None = None
    """How samples were taken: samplingProtocol of every sample."""
    dna: Annotated[dict[str, str], Field(default_factory=dict)]
    """Terms of DNA-derived data that are the same for all barcodes: primers, sop ..."""

    @model_validator(mode="after")
    def _is_publishable(self) -> Self:
        for name in ("licence", "media_licence"):
            written = getattr(self, name)
            if written is not None and parse_licence(written).id not in GBIF_ACCEPTS:
                accepted = ", ".join(sorted(GBIF_ACCEPTS))
                raise ValueError(f"{name} '{written}': GBIF and OBIS take {accepted} only")
        if strange := sorted(set(self.dna) - set(DNA_CONSTANTS)):
            known = ", ".join(DNA_CONSTANTS)
            raise ValueError(f"dna.{strange[0]} is no term for a data set; known: {known}")
        return self

    def licence_of(self, written: str | None) -> Licence | None:
        """Returns the licence of an image where GBIF and OBIS take it, else None."""
        licence = parse_licence(written or self.media_licence or "")
        return licence if licence.id in GBIF_ACCEPTS else None


def read_dataset(path: Path | None) -> Dataset:
    """Returns the description of a data set.

    Raises:
        SourceError: when no file is named, or there is none; the message shows the least one.
        RecipeError: when a key is unknown or a value wrong.
    """
    if path is None:
        raise SourceError(MISSING)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; {MISSING}")
    return read_settings(path, Dataset)
