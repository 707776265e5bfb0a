"""Imaging systems by the name that sources use, with their term in the NERC vocabulary L22.

The terms are those of the SeaVoX device catalogue (https://vocab.nerc.ac.uk/collection/L22/current/). A
system that has no term has none here: a near one would be a guess.
"""

import tomllib
from functools import cache
from pathlib import Path
from types import MappingProxyType

from holotype.config import Settings, checked
from holotype.errors import SourceError, did_you_mean

_TABLE = Path(__file__).with_name("instruments.toml")


class Instrument(Settings):
    """One imaging system."""

    title: str
    """Its full name."""
    l22: str | None = None
    """Code of its term in L22, such as ``TOOL1588``; None where there is none."""
    note: str | None = None
    """How the term fits."""

    @property
    def uri(self) -> str | None:
        """Address of the term, or None."""
        if self.l22 is None:
            return None
        return f"https://vocab.nerc.ac.uk/collection/L22/current/{self.l22}/"


@cache
def instruments() -> MappingProxyType[str, Instrument]:
    """Returns every known imaging system by its short name."""
    content = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    found = {
        name: checked(Instrument, table, where=f"{_TABLE.name} [{name}]")
        for name, table in content.items()
    }
    return MappingProxyType(found)


def find_instrument(name: str) -> Instrument:
    """Returns an imaging system.

    Raises:
        SourceError: when there is none of that name; says the nearest.
    """
    known = instruments()
    if name not in known:
        raise SourceError(f"no instrument '{name}'.{did_you_mean(name, sorted(known))}")
    return known[name]
