"""Which records of an index may be found: by taxon, rank, place, instrument and licence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.collection.licensing import column_allowed
from holotype.errors import SourceError, did_you_mean
from holotype.index.records import RANKS
from holotype.taxonomy.lineage import Rank


class Box(NamedTuple):
    """A box of coordinates, in degrees; it crosses the 180th meridian where west is more than east."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Filters:
    """What a record must be to be found; None and empty ask for nothing.

    Attributes:
        taxon: a name that it bears, exactly.
        rank: where it bears that name; without a name, a rank at which it has any.
        place: the box that it was taken in; records without coordinates are left out.
        instruments: one of them imaged it.
        licences: patterns, one of which its licence fits: CC-BY-4.0, CC-BY*, open ...
    """

    taxon: str | None = None
    rank: Rank | None = None
    place: Box | None = None
    instruments: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()

    def allowed(self, records: pa.Table) -> NDArray[np.bool_] | None:
        """Returns which records pass, bool (records,); None where nothing is asked for.

        Raises:
            SourceError: for a taxon, instrument or licence that no record can have.
        """
        parts = [
            None if self.taxon is None else _of_taxon(records, self.taxon, self.rank),
            pc.is_valid(records[self.rank.value]) if self.rank and not self.taxon else None,
            None if self.place is None else _inside(records, self.place),
            _of_instruments(records, self.instruments) if self.instruments else None,
            column_allowed(records["licence"], self.licences) if self.licences else None,
        ]
        masks = [as_mask(part) for part in parts if part is not None]
        return np.logical_and.reduce(masks) if masks else None


def parse_box(written: str) -> Box:
    """Returns the box of ``west,south,east,north``, in degrees.

    >>> parse_box("-30, 40, 5.5, 60")
    Box(west=-30.0, south=40.0, east=5.5, north=60.0)

    Raises:
        SourceError: for anything else.
    """
    try:
        west, south, east, north = (float(part) for part in written.split(","))
    except ValueError:
        raise SourceError(f"place '{written}': write west,south,east,north in degrees.") from None
    box = Box(west, south, east, north)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise SourceError(
            f"place '{written}': longitudes go from -180 to 180, latitudes from -90 to 90, south first."
        )
    return box


def as_mask(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Returns booleans of Arrow as a NumPy array; null is False."""
    found: NDArray[np.bool_] = pc.fill_null(values, fill_value=False).to_numpy()
    return found


def names_at(records: pa.Table, rank: str) -> list[str]:
    """Returns the names that records have at a rank."""
    return [name for name in records[rank].unique().to_pylist() if name is not None]


def _of_taxon(records: pa.Table, taxon: str, rank: Rank | None) -> pa.ChunkedArray:
    ranks = RANKS if rank is None else (rank.value,)
    bearing = [one for one in ranks if pc.any(pc.equal(records[one], taxon)).as_py()]
    if not bearing:
        known = [name for one in ranks for name in names_at(records, one)]
        where = f"{rank.value} " if rank else ""
        raise SourceError(f"taxon '{taxon}': no {where}record of it.{did_you_mean(taxon, known)}")
    if len(bearing) > 1:
        raise SourceError(
            f"taxon '{taxon}': the name of a {' and of a '.join(bearing)} here. Say which by the rank."
        )
    return pc.equal(records[bearing[0]], taxon)


def _inside(records: pa.Table, box: Box) -> pa.ChunkedArray:
    latitude, longitude = records["latitude_deg"], records["longitude_deg"]
    high = pc.and_(pc.greater_equal(latitude, box.south), pc.less_equal(latitude, box.north))
    east_of, west_of = pc.greater_equal(longitude, box.west), pc.less_equal(longitude, box.east)
    across = box.west > box.east
    return pc.and_(high, pc.or_(east_of, west_of) if across else pc.and_(east_of, west_of))


def _of_instruments(records: pa.Table, wanted: Sequence[str]) -> pa.ChunkedArray:
    known = names_at(records, "instrument")
    for name in wanted:
        if name not in known:
            raise SourceError(f"instrument '{name}': no record of it.{did_you_mean(name, known)}")
    return pc.is_in(records["instrument"], pa.array(list(wanted), pa.string()))
