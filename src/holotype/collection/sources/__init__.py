"""Readers of what people bring, one module a format, all in one table.

A source turns an input path into a stream of ``Item``; it decides what the items are and how their fields
are called, nothing else: intake checks, names and writes them. A module of another package becomes a source
by an entry point of the group ``holotype.sources`` that names a ``Source``.
"""

from functools import cache
from importlib.metadata import entry_points

from holotype.collection.sources import (
    bioscan,
    bold,
    camtrap_dp,
    clibd,
    coco_camera_traps,
    darwin_core,
    ecotaxa,
    fasta,
    flowcam,
    hf_parquet,
    ifcb,
    image_folder,
    inat21,
    plankton_imager,
    simulated,
    speciesnet,
    table,
    taxonopy,
    tree_of_life,
    zooimage,
    zooprocess,
)
from holotype.collection.sources.item import Source
from holotype.errors import SourceError, did_you_mean

ENTRY_POINTS = "holotype.sources"

SHIPPED: tuple[Source, ...] = (
    image_folder.SOURCE,
    table.SOURCE,
    ecotaxa.SOURCE,
    zooprocess.SOURCE,
    zooimage.SOURCE,
    ifcb.SOURCE,
    flowcam.SOURCE,
    plankton_imager.SOURCE,
    bold.SOURCE,
    fasta.SOURCE,
    bioscan.SOURCE,
    clibd.SOURCE,
    darwin_core.SOURCE,
    camtrap_dp.SOURCE,
    coco_camera_traps.SOURCE,
    speciesnet.SOURCE,
    inat21.SOURCE,
    tree_of_life.SOURCE,
    taxonopy.SOURCE,
    hf_parquet.SOURCE,
    simulated.SOURCE,
)


@cache
def sources() -> dict[str, Source]:
    """Returns every kind of input by its name: the shipped ones, then those of other packages."""
    found = {source.name: source for source in SHIPPED}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        said = f"entry point '{entry.name}' of {ENTRY_POINTS} ({entry.value})"
        try:
            source = entry.load()
        except Exception as reason:  # a package from outside may fail in any way
            raise SourceError(f"{said}: {reason}. Mend or uninstall that package.") from reason
        if not isinstance(source, Source):
            raise SourceError(f"{said}: not a Source. Let it name a holotype Source value.")
        if source.name in found:
            raise SourceError(f"{said}: there is a source '{source.name}'. Give it another name.")
        found[source.name] = source
    return found


def find_source(name: str) -> Source:
    """Returns the kind of input of that name.

    Raises:
        SourceError: when there is none; says the nearest.
    """
    known = sources()
    if name not in known:
        raise SourceError(f"no kind of input '{name}'.{did_you_mean(name, sorted(known))}")
    return known[name]
