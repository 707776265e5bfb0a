"""How large an organism was, as numbers that an image tower can read.

Place in the path: the sizes that a batch carries go in, a few features a crop come out. Resizing a crop to a
square loses its size; pixels say it on one instrument, micrometres say it on all of them.

Shapes: B crops, F features, 4 = width_px, height_px, width_um, height_um.
"""

from enum import StrEnum
from typing import Final

import torch
from torch import Tensor


class SizeReading(StrEnum):
    """What a tower is told of the size of a crop.

    Pixels also tell instruments apart: docs/why/instruments.md says what that costs and gains.
    """

    PX = "px"
    UM = "um"
    BOTH = "both"
    NONE = "none"

    @property
    def num_features(self) -> int:
        """How many features ``size_features`` returns: three a unit."""
        return FEATURES_A_UNIT * len(_UNITS[self])


FEATURES_A_UNIT: Final = 3
LOG_PX: Final = (4.3, 0.6)
"""Centre and divisor of log(side in px): about 74 px; a side 1.8 times as long is one unit away."""
LOG_UM: Final = (6.9, 1.5)
"""Centre and divisor of log(side in um): about 1 mm; a side 4.5 times as long is one unit away."""
_PX, _UM = (slice(0, 2), 1.0, LOG_PX), (slice(2, 4), 0.1, LOG_UM)
_UNITS: Final = {
    SizeReading.PX: (_PX,),
    SizeReading.UM: (_UM,),
    SizeReading.BOTH: (_PX, _UM),
    SizeReading.NONE: (),
}
"""By reading: columns of the sizes, the least length, and how its logarithm is standardised."""


def size_features(size_B4: Tensor, reading: SizeReading) -> Tensor:
    """Returns standardised logarithms of a crop's sides, unit by unit, each with a flag.

    Three features a unit: the longer side, the shorter side (so that a quarter turn changes nothing),
    and 0 for a known size. An unknown one (NaN) is 0, 0, 1: the typical size, and the flag.

    Args:
        size_B4: float32, width and height in px, width and height in um; NaN where unknown. Sides below
            1 px or 0.1 um count as that.
        reading: which units.

    Returns:
        float32 (B, 3 a unit); standardised sides lie between -4 and 6 in practice.

    Raises:
        ValueError: if the sizes are not (B, 4).
    """
    if size_B4.ndim != 2 or size_B4.shape[1] != 4:
        raise ValueError(
            f"size_B4 has shape {tuple(size_B4.shape)}; expected (B, 4): width and height in px, in um"
        )
    features = [size_B4[:, :0]]
    for columns, least, (centre, divisor) in _UNITS[reading]:
        log_B2 = (size_B4[:, columns].clamp(min=least).log() - centre) / divisor
        unknown_B1 = torch.isnan(log_B2).any(dim=1, keepdim=True)
        known_B2 = torch.where(unknown_B1, 0.0, log_B2)
        features += [known_B2.sort(dim=1, descending=True).values, unknown_B1.to(log_B2.dtype)]
    return torch.cat(features, dim=1)
