"""Known records as if a taxon of theirs had not been learnt: they stand in where unseen taxa are few.

Of each record one taxon is hidden: its own label, or its genus, family or order, at ranks drawn as often as
the unseen taxa of the validation part are new there. All labels and references of that taxon are taken away,
so that what is nearest is what would be nearest to a specimen of a taxon that is new at that rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import RIGHT, AnswerTree
from holotype.decisions.reading import Reading
from holotype.randomness import generator
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Rank

HIDDEN_RANKS = (Rank.GENUS, Rank.FAMILY, Rank.ORDER)


@dataclass(frozen=True)
class StandIns:
    """S records with a taxon of theirs hidden.

    Attributes:
        reading: what is known of them then.
        of_S: int64, which record each is.
        taxon_S: int64, the node that is hidden: records with one of them were not drawn independently.
    """

    reading: Reading
    of_S: NDArray[np.int64]
    taxon_S: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "StandIns":
        """Returns those of some records; ``of_S`` counts places in ``rows``."""
        place_of = {row: place for place, row in enumerate(rows.tolist())}
        kept = [s for s, of in enumerate(self.of_S.tolist()) if of in place_of]
        at = np.asarray(kept, dtype=np.int64)
        of_S = np.asarray([place_of[of] for of in self.of_S[at].tolist()], dtype=np.int64)
        return StandIns(self.reading.take(at), of_S, self.taxon_S[at])


def stand_ins(
    tree: AnswerTree,
    reading: Reading,
    truth_BN: NDArray[np.int8],
    label_B: NDArray[np.int64],
    new_at: Sequence[Rank | None],
    *,
    seed: int,
) -> StandIns:
    """Returns one stand-in for each known record that has a taxon to hide.

    Args:
        tree: of answers.
        reading: of B records, with neighbours enough to lose many of them.
        truth_BN: what is right of every answer.
        label_B: int64, the label of each, -1 for none.
        new_at: ranks to draw from; None is the label. None alone where it is empty.
        seed: of the draws.
    """
    draws = generator(seed, "stand-ins")
    hidden, of, taxa = [], [], []
    agrees_LL = tree.labels.agrees_LL
    nodes_at = {rank: tree.taxa.nodes_at(rank) for rank in HIDDEN_RANKS}
    drawn_from = list(new_at) or [None]
    for row in np.flatnonzero(label_B >= 0).tolist():
        label = int(label_B[row])
        rank = drawn_from[int(draws.integers(len(drawn_from)))]
        node, mask = tree.num_taxa + label, agrees_LL[label]
        if rank is not None:
            nodes = nodes_at[rank]
            for own in nodes[truth_BN[row, nodes] == RIGHT].tolist():
                wider = tree.under_NL[own] | agrees_LL[label]
                if not wider.all():
                    node, mask = own, wider
        if not mask.all():
            hidden.append(mask)
            of.append(row)
            taxa.append(node)
    rows = np.asarray(of, dtype=np.int64)
    hidden_SL = np.asarray(hidden, dtype=np.bool_).reshape(len(rows), len(tree.labels))
    return StandIns(reading.take(rows).nearer(hidden_SL), rows, np.asarray(taxa, dtype=np.int64))


def ranks_of_the_new(
    tree: AnswerTree, truth_BN: NDArray[np.int8], draw_B: NDArray[np.int64]
) -> list[Rank | None]:
    """Returns for each unseen taxon the widest rank at which it is new; None for a new species or label.

    Args:
        tree: of answers.
        truth_BN: what is right of every answer to records of unseen taxa.
        draw_B: int64, their taxa.
    """
    of_rank = {rank: level for level, rank in enumerate(LINNAEAN_RANKS)}
    is_right = (truth_BN == RIGHT)[:, : tree.num_taxa]
    deepest_B = np.where(is_right, tree.level_N[: tree.num_taxa], -1).max(axis=1, initial=-1)
    found: list[Rank | None] = []
    for draw in np.unique(draw_B).tolist():
        known = int(deepest_B[draw_B == draw].max())
        wider = [rank for rank in HIDDEN_RANKS if of_rank[rank] > known]
        found.append(min(wider, key=lambda rank: of_rank[rank]) if wider else None)
    return found
