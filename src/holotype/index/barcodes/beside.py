"""Queries beside candidates, base by base at one shift, many pairs at once.

A column with an N on either side, or with one sequence alone, is not compared (``identity``).

Shape legend: P pairs of a query and a candidate, L columns: places of the query.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.masks import Masks


class Beside(NamedTuple):
    """How queries and candidates agree at one shift each.

    Attributes:
        compared_PL: bool, columns that are compared.
        different_PL: bool, those of them that differ.
        compared_P: int64, how many.
        different_P: int64, how many.
    """

    compared_PL: NDArray[np.bool_]
    different_PL: NDArray[np.bool_]
    compared_P: NDArray[np.int64]
    different_P: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Beside":
        """Returns a copy of some of the pairs."""
        return Beside(
            self.compared_PL[rows],
            self.different_PL[rows],
            self.compared_P[rows],
            self.different_P[rows],
        )


def beside(
    queries: Masks,
    references: Masks,
    query_P: NDArray[np.int64],
    candidate_P: NDArray[np.int64],
    shift_P: NDArray[np.int64],
) -> Beside:
    """Returns how queries agree with candidates, base ``shift + j`` beside base j, without gaps.

    Args:
        queries: what is asked for.
        references: of a library.
        query_P: int64, numbers of queries.
        candidate_P: int64, numbers of references.
        shift_P: of ``where_alike``.
    """
    columns = int(queries.length_N.max(initial=1))
    number_T = np.arange(len(queries))
    query_PL = queries.laid(number_T, np.zeros_like(number_T), columns)[query_P]
    reference_PL = references.laid(candidate_P, -shift_P, columns)
    compared_PL = (query_PL != 0) & (reference_PL != 0)
    different_PL = ((query_PL & reference_PL) == 0) & compared_PL
    return Beside(compared_PL, different_PL, _counted(compared_PL), _counted(different_PL))


def _counted(flag_PL: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Returns how many of each row are true, int64 (P,)."""
    bits: NDArray[np.int64] = np.bitwise_count(np.packbits(flag_PL, axis=1)).sum(
        axis=1, dtype=np.int64
    )
    return bits
