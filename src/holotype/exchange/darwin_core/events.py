"""Events: cruise > sample > acquisition (> image), each with the place, time and depth of its answers.

Where the answers of an event differ, its place is the middle of their box with the distance to its corner as
uncertainty, its time the interval, its depth the range.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from holotype.exchange.answers.moments import together
from holotype.exchange.darwin_core.answer import Answer

CRUISE, SAMPLE, ACQUISITION, IMAGE = "cruise", "sample", "acquisition", "image"
EARTH_M = 6_371_008.8
EventPath = tuple[tuple[str, str], ...]
"""Pairs of level and id, from the widest to the narrowest."""
_SINGLE = (
    "sampled_volume_l",
    "subsample_fraction",
    "pixel_size_um",
    "instrument",
    "instrument_id",
    "site",
    "country",
)
"""What an event has where all of its answers agree on it."""


@dataclass
class Extent:
    """What the answers of one event span.

    Attributes:
        latitudes, longitudes, turned: lowest and highest; ``turned`` counts longitudes from 0 to 360.
        depths: shallowest and deepest.
        dates: the interval, as Darwin Core writes it.
        values: column -> its value while all agree; None once they differ.
    """

    latitudes: tuple[float, float]
    longitudes: tuple[float, float]
    turned: tuple[float, float]
    dates: str
    depths: tuple[float, float] | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Answer) -> "Extent":
        """Returns the extent of one answer."""
        latitude, longitude = answer["latitude_deg"], answer["longitude_deg"]
        known = [d for d in (answer["depth_min_m"], answer["depth_max_m"]) if d is not None]
        return cls(
            (latitude, latitude),
            (longitude, longitude),
            (longitude % 360, longitude % 360),
            answer["collected_on"],
            (min(known), max(known)) if known else None,
            {name: answer[name] for name in _SINGLE},
        )

    def add(self, other: "Extent") -> None:
        """Takes in a further answer."""
        self.latitudes = _wider(self.latitudes, other.latitudes)
        self.longitudes = _wider(self.longitudes, other.longitudes)
        self.turned = _wider(self.turned, other.turned)
        self.dates = together(self.dates, other.dates)
        if self.depths and other.depths:
            self.depths = _wider(self.depths, other.depths)
        else:
            self.depths = self.depths or other.depths
        self.values = {n: v if v == other.values[n] else None for n, v in self.values.items()}

    def copy(self) -> "Extent":
        """Returns another one like it."""
        return replace(self, values=dict(self.values))

    def same_spot(self, other: "Extent") -> bool:
        """Returns whether place, time and depth are the same."""
        mine = (self.latitudes, self.longitudes, self.dates, self.depths)
        return mine == (other.latitudes, other.longitudes, other.dates, other.depths)

    def place(self) -> tuple[float, float, int]:
        """Returns latitude, longitude and uncertainty in metres (0 for one point)."""
        low, high = min(self.longitudes, self.turned, key=lambda ends: ends[1] - ends[0])
        latitude, longitude = sum(self.latitudes) / 2, (low + high) / 2
        corners = [distance_m(latitude, longitude, y, high) for y in self.latitudes]
        longitude = longitude - 360 if longitude > 180 else longitude
        if len({*self.latitudes}) == 1 and low == high:
            latitude, longitude = self.latitudes[0], self.longitudes[0]
        return latitude, longitude, math.ceil(max(corners))


def _wider(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return min(first[0], second[0]), max(first[1], second[1])


def distance_m(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Returns the distance of two points on a sphere, metres (haversine).

    >>> round(distance_m(0, 0, 0, 1))
    111195
    """
    a, b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def path_of(answer: Answer) -> EventPath:
    """Returns the events that an answer belongs to, widest first.

    An answer without sample and acquisition is of the place and day that it was taken at.
    """
    sample = answer["sample_id"] or answer["acquisition_id"]
    if not sample:
        where = f"{answer['latitude_deg']:.5f}_{answer['longitude_deg']:.5f}"
        sample = f"{answer['site'] or where}_{answer['collected_on'][:10]}"
    path: list[tuple[str, str]] = [(CRUISE, answer["cruise"])] if answer["cruise"] else []
    path.append((SAMPLE, sample))
    if answer["acquisition_id"] and answer["acquisition_id"] != sample:
        path.append((ACQUISITION, answer["acquisition_id"]))
    return tuple(path)


@dataclass
class Events:
    """The events of an archive.

    Attributes:
        prefix: what all ids start with.
        extents: path -> what its answers span, parents before children.
    """

    prefix: str = ""
    extents: dict[EventPath, Extent] = field(default_factory=dict)
    _ids: dict[EventPath, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def add(self, answer: Answer) -> None:
        """Takes in an answer: it widens its events."""
        path, own = path_of(answer), Extent.of(answer)
        for depth in range(1, len(path) + 1):
            self._widen(path[:depth], own)

    def add_image(self, answer: Answer, name: str) -> EventPath:
        """Returns the event of one image: its acquisition, or its own where the spot is another."""
        path, own = path_of(answer), Extent.of(answer)
        if self.extents[path].same_spot(own):
            return path
        longer = (*path, (IMAGE, name))
        self._widen(longer, own)
        return longer

    def _widen(self, path: EventPath, extent: Extent) -> None:
        if path in self.extents:
            self.extents[path].add(extent)
        else:
            self.extents[path] = extent.copy()

    def id_of(self, path: EventPath) -> str:
        """Returns the id of an event: the ids of its levels with ``:`` between, no two the same."""
        if path not in self._ids:
            plain = self.prefix + ":".join("_".join(name.split()) for _, name in path)
            name, number = plain, 1
            while name in self._taken:
                number += 1
                name = f"{plain}-{number}"
            self._taken.add(name)
            self._ids[path] = name
        return self._ids[path]

    def rows(self, sampling: str | None) -> Iterator[Mapping[str, Any]]:
        """Yields the rows of the event table, each below its parent."""
        for path, extent in sorted(self.extents.items(), key=lambda pair: len(pair[0])):
            above = path[:-1]
            yield {
                **_row(extent, path[-1][0], sampling),
                "eventID": self.id_of(path),
                "parentEventID": self.id_of(above) if above in self.extents else None,
            }


def _row(extent: Extent, level: str, sampling: str | None) -> dict[str, Any]:
    if level == CRUISE:  # its middle is no place where anything was taken
        return {"eventType": level, "eventDate": extent.dates, "country": extent.values["country"]}
    latitude, longitude, uncertainty = extent.place()
    volume = extent.values["sampled_volume_l"] if level != IMAGE else None
    return {
        "eventType": level,
        "eventDate": extent.dates,
        "decimalLatitude": round(latitude, 7),
        "decimalLongitude": round(longitude, 7),
        "geodeticDatum": "EPSG:4326",
        "coordinateUncertaintyInMeters": uncertainty or None,
        "minimumDepthInMeters": extent.depths[0] if extent.depths else None,
        "maximumDepthInMeters": extent.depths[1] if extent.depths else None,
        "country": extent.values["country"],
        "locality": extent.values["site"],
        "sampleSizeValue": volume,
        "sampleSizeUnit": "litre" if volume is not None else None,
        "samplingProtocol": sampling if level == SAMPLE else None,
    }
