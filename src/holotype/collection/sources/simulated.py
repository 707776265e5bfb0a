"""A simulated collection: the input is a TOML file of ``SimulationSettings`` (it may be empty)."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.config import checked
from holotype.errors import RecipeError, SourceError

if TYPE_CHECKING:
    from holotype.simulate import Specimen


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each simulated specimen, in a fixed order.

    Raises:
        SourceError: when the settings are missing or wrong; names the key.
    """
    from holotype.simulate import SimulationSettings, simulate_specimens

    del options
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Give a TOML file of simulation settings.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = checked(SimulationSettings, content, where=str(path))
    except (ValueError, RecipeError) as reason:
        raise SourceError(f"{path}: {reason}".replace(f"{path}: {path}", str(path))) from None
    for number, specimen in enumerate(simulate_specimens(settings), start=1):
        yield _item(specimen, number)


def _item(specimen: "Specimen", number: int) -> Item:
    return Item(
        specimen.specimen_id,
        row=number,
        fields={
            "specimen_id": specimen.specimen_id,
            "barcode": specimen.barcode or "",
            "marker": specimen.marker or "",
            "instrument": specimen.instrument,
            "pixel_size_um": _written(specimen.pixel_size_um),
            "latitude_deg": _written(specimen.latitude_deg),
            "longitude_deg": _written(specimen.longitude_deg),
            "depth_min_m": _written(specimen.depth_m),
            "depth_max_m": _written(specimen.depth_m),
            "collected_on": specimen.collected_on,
            "licence": "CC0-1.0",
            **specimen.names,
        },
        content=specimen.image,
        image_name=specimen.image_name,
    )


def _written(number: float | None) -> str:
    return "" if number is None else repr(number)


SOURCE = Source("simulated", "a simulated collection: a TOML file of settings", read)
