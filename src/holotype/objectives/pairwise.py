"""Identity targets over any set of towers, with records that lack a modality.

Shapes: P rows of a modality, B records that have both modalities of a pair, D features.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class ModalityRows(NamedTuple):
    """What one tower gave.

    Attributes:
        z_PD: unit rows.
        record_P: int64, the record of each row.
    """

    z_PD: Tensor
    record_P: NDArray[np.int64]


def pair_losses(
    rows: Mapping[str, ModalityRows],
    pairs: Sequence[tuple[str, str]],
    loss: Callable[[Tensor, Tensor], Tensor],
) -> dict[str, Tensor]:
    """Returns the loss of each pair of modalities over the records that have both, by "image-barcode".

    A pair whose modalities share fewer than two records has no one to be told from and is left out, and so
    is one with a modality that is absent. A record with several rows in a modality brings the first.

    Args:
        rows: by modality.
        pairs: which modalities are contrasted.
        loss: of two sets of unit rows (B, D) of the same records in the same order.
    """
    losses: dict[str, Tensor] = {}
    for first, second in pairs:
        if first not in rows or second not in rows:
            continue
        _, place_B, other_B = np.intersect1d(
            rows[first].record_P, rows[second].record_P, return_indices=True
        )
        if len(place_B) > 1:
            z_PD, y_QD = rows[first].z_PD, rows[second].z_PD
            z_BD = z_PD[torch.from_numpy(place_B).to(z_PD.device)]
            y_BD = y_QD[torch.from_numpy(other_B).to(y_QD.device)]
            losses[f"{first}-{second}"] = loss(z_BD, y_BD)
    return losses
