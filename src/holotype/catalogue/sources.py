"""The catalogue of public collections: one TOML file a source, read strictly.

Nothing is filled in that a file does not say; an unknown key is an error that names the nearest one. A
laboratory adds its own files, or replaces a shipped source by one of the same name.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from holotype.catalogue.public_source import Source
from holotype.config import checked
from holotype.errors import RecipeError, SourceError, did_you_mean

SHIPPED = Path(__file__).with_name("public_sources")


def read_source(path: Path) -> Source:
    """Returns the source that a TOML file describes.

    Raises:
        SourceError: when the file is missing, no TOML, or has an unknown key or a wrong value.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check the path of the catalogue.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as reason:  # also a number of thousands of digits
        raise SourceError(f"{path}: not TOML: {reason}.") from reason
    try:
        return checked(Source, content, where=str(path))
    except RecipeError as reason:
        raise SourceError(str(reason)) from None


@cache
def shipped_sources() -> Mapping[str, Source]:
    """Returns the sources that come with the package, by name, in alphabetical order."""
    return MappingProxyType(_read_all(sorted(SHIPPED.glob("*.toml"))))


def catalogue(own: Sequence[Path] = ()) -> Mapping[str, Source]:
    """Returns the shipped sources and those of own TOML files or folders, which win over shipped ones.

    Raises:
        SourceError: when an own file cannot be read, or two of them describe one source.
    """
    paths: list[Path] = []
    for path in own:
        paths += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return MappingProxyType({**shipped_sources(), **_read_all(paths)})


def _read_all(paths: Sequence[Path]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path in paths:
        source = read_source(path)
        if source.name in found:
            raise SourceError(f"{path}: there is another source '{source.name}'. Rename one.")
        found[source.name] = source
    return found


def find_public_source(name: str, own: Sequence[Path] = ()) -> Source:
    """Returns one source of the catalogue.

    Raises:
        SourceError: when there is none of that name; says the nearest.
    """
    known = catalogue(own)
    if name not in known:
        raise SourceError(f"no public source '{name}'.{did_you_mean(name, sorted(known))}")
    return known[name]
