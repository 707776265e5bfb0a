"""A box of degrees, and how numbers are written in links and fields."""

from dataclasses import dataclass


def number_text(value: float) -> str:
    """Returns a number as a link and a field have it.

    >>> number_text(200.0), number_text(-123.4567), number_text(1e-4)
    ('200', '-123.4567', '0.0001')
    """
    return f"{value:.9g}"


@dataclass(frozen=True)
class Box:
    """A box of degrees; ``west`` may be greater than ``east``: then it crosses the 180th meridian."""

    south: float
    west: float
    north: float
    east: float

    def text(self) -> str:
        """Returns the box as a link has it."""
        return ",".join(
            number_text(angle) for angle in (self.south, self.west, self.north, self.east)
        )

    @classmethod
    def read(cls, text: str) -> "Box":
        """Returns the box that a text says.

        Raises:
            ValueError: for what is none.
        """
        south, west, north, east = (float(part) for part in text.split(","))
        sound = -90 <= south <= north <= 90 and abs(west) <= 180 and abs(east) <= 180
        if not sound:
            raise ValueError(text)
        return cls(south, west, north, east)
