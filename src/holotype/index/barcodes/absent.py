"""Is the species of a barcode in the library at all? Judged by how its nearest references lie to one another.

A fixed identity cut-off forgets that species differ in how far they vary and how far the next one is. Here
four distances are weighed: from the query to its nearest reference, from there to that species' next
haplotype, from the query to the nearest reference of another species, and between those two references. A
query of a species that is there lies much nearer to its reference than the two species lie apart; one of an
absent species is a third branch. The weights come from the library alone: part of its haplotypes, and part of
its species, are left out in turn and asked for (logistic regression).
Related: Meier et al. 2006 (doi:10.1080/10635150600969864) for the best close match with a threshold; Meyer &
Paulay 2005 (doi:10.1371/journal.pbio.0030422) for how far the two kinds of distance overlap.

Shape legend: Q queries, F features, H haplotypes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.hits import BarcodeHits
from holotype.index.barcodes.identity import overlap_at
from holotype.index.barcodes.library import UNKNOWN, BarcodeLibrary, library_of_haplotypes
from holotype.index.barcodes.places import where_alike
from holotype.index.barcodes.search import search
from holotype.randomness import generator

FOLDS = 5
MOST_QUERIES = 3000
"""So many haplotypes at most are asked for of either kind."""
FEWEST_QUERIES = 20
"""With fewer of either kind nothing is learnt."""
HITS = 10
FEATURES = (
    "log distance to the nearest reference",
    "log distance from there to its species' next haplotype",
    "whether there is one",
    "log distance to the nearest reference of another species",
    "log distance between the two references",
    "whether there is one of another species",
    "log bases compared",
    "the first, squared",
    "the first by that between the two references",
    "the first by that to the next haplotype",
)
_RIDGE, _ROUNDS = 1.0, 50
_FAR = 0.25
_BLOCK = 32


@dataclass(frozen=True)
class AbsenceModel:
    """Weights of the features.

    Attributes:
        mean_F: float64, what is taken off each feature.
        scale_F: float64, what it is divided by then.
        weight_F: float64, its weight.
        bias: added to their sum; the logistic of all that is the probability of absence, if half the queries
            are of absent species.
    """

    mean_F: NDArray[np.float64]
    scale_F: NDArray[np.float64]
    weight_F: NDArray[np.float64]
    bias: float


def absence(library: BarcodeLibrary, hits: BarcodeHits, model: AbsenceModel) -> NDArray[np.float64]:
    """Returns the probability that a query's species is not in the library, float64 (Q,), 0 to 1.

    It holds if half of all queries are of absent species; 1 for queries without hits.
    """
    x_QF = (features_of(library, hits) - model.mean_F) / model.scale_F
    probability_Q: NDArray[np.float64] = 1 / (1 + np.exp(-(x_QF @ model.weight_F + model.bias)))
    return np.where(hits.strand_Q == 0, 1.0, probability_Q)


def features_of(library: BarcodeLibrary, hits: BarcodeHits) -> NDArray[np.float64]:
    """Returns the features of each query, float64 (Q, F), in the order of ``FEATURES``."""
    best_Q, other_Q = hits.haplotype_QK[:, 0], hits.other_haplotype_Q
    own_QK = (hits.species_QK == hits.species_QK[:, :1]) & (hits.species_QK != UNKNOWN)
    own_QK &= (hits.haplotype_QK != best_Q[:, None]) & (hits.haplotype_QK >= 0)
    next_Q = np.take_along_axis(hits.haplotype_QK, own_QK.argmax(axis=1)[:, None], axis=1)[:, 0]
    has_next_Q = own_QK.any(axis=1)
    has_other_Q = other_Q >= 0
    near_Q = np.where(best_Q >= 0, hits.distance_QK[:, 0], 1.0)
    spread_Q, between_Q = np.ones(len(best_Q)), np.full(len(best_Q), _FAR)
    spread_Q[has_next_Q] = _apart(library, best_Q[has_next_Q], next_Q[has_next_Q])
    between_Q[has_other_Q] = _apart(library, best_Q[has_other_Q], other_Q[has_other_Q])
    far_Q = np.where(has_other_Q, hits.other_distance_Q, _FAR)
    near_Q, spread_Q, far_Q, between_Q = map(np.log, (near_Q, spread_Q, far_Q, between_Q))
    overlap_Q = np.log(np.maximum(hits.overlap_QK[:, 0], 1))
    return np.column_stack(
        [
            near_Q, spread_Q, has_next_Q, far_Q, between_Q, has_other_Q, overlap_Q,
            near_Q**2, near_Q * between_Q, near_Q * spread_Q,
        ]
    )  # fmt: skip


def _apart(
    library: BarcodeLibrary, first_P: NDArray[np.int64], second_P: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns how far haplotypes are from others, float64 (P,)."""
    distances = []
    for start in range(0, len(first_P), _BLOCK):
        second = second_P[start : start + _BLOCK]
        firsts = library.sequences.chosen(first_P[start : start + _BLOCK])
        places = where_alike(firsts, library.seeds, np.arange(len(second)), second)
        distances += [
            overlap_at(firsts.of(row), library.sequences.of(number), shift).distance
            if support
            else _FAR
            for row, (number, shift, support) in enumerate(
                zip(
                    second.tolist(), places.shift_P.tolist(), places.support_P.tolist(), strict=True
                )
            )
        ]
    return np.array(distances, np.float64)


def learn_absence(library: BarcodeLibrary, *, seed: int, threads: int = 1) -> AbsenceModel | None:
    """Returns a model learnt from the library alone.

    Haplotypes of species that keep another one are asked for as present; haplotypes of species that are
    left out whole are asked for as absent.

    Args:
        library: with species codes.
        seed: of what is left out.
        threads: as of ``search``.

    Returns:
        None when fewer than ``FEWEST_QUERIES`` haplotypes can be asked for as one of the two.
    """
    rng = generator(seed, "barcode absence")
    known = np.flatnonzero(library.species_H != UNKNOWN)
    species, place = np.unique(library.species_H[known], return_inverse=True)
    fold_of_haplotype = _dealt_within(place, rng)
    fold_of_species = rng.permutation(len(species)) % FOLDS
    x, y = [], []
    for fold in range(FOLDS):
        several = np.bincount(place, minlength=len(species))[place] > 1
        parts = (
            (known[(fold_of_haplotype == fold) & several], 0),
            (known[fold_of_species[place] == fold], 1),
        )
        for left_out, is_absent in parts:
            asked = rng.permutation(left_out)[: MOST_QUERIES // FOLDS]
            kept = np.setdiff1d(np.arange(len(library.sequences)), left_out)
            if not len(asked) or not len(kept):
                continue
            rest = _part(library, kept)
            texts = [library.sequences.text(number) for number in asked.tolist()]
            hits = search(rest, texts, k=HITS, threads=threads)
            found = hits.strand_Q != 0
            x.append(features_of(rest, hits)[found])
            y.append(np.full(int(found.sum()), float(is_absent)))
    if not x:
        return None
    x_QF, y_Q = np.concatenate(x), np.concatenate(y)
    if min((y_Q == 1).sum(), (y_Q == 0).sum()) < FEWEST_QUERIES:
        return None
    return _fitted(x_QF, y_Q)


def _dealt_within(place_H: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns a fold of each haplotype, those of one species in turn, so that no fold has all of them."""
    order = rng.permutation(len(place_H))
    order = order[np.argsort(place_H[order], kind="stable")]
    _, start, count = np.unique(place_H[order], return_index=True, return_counts=True)
    turn = np.arange(len(order)) - np.repeat(start, count)
    fold_H = np.empty(len(place_H), np.int64)
    fold_H[order] = (turn + np.repeat(rng.integers(FOLDS, size=len(start)), count)) % FOLDS
    return fold_H


def _part(library: BarcodeLibrary, kept: NDArray[np.int64]) -> BarcodeLibrary:
    """Returns a library of some of the haplotypes, each with its commonest species."""
    return library_of_haplotypes(
        library.sequences.chosen(kept), np.arange(len(kept)), library.species_H[kept]
    )


def _fitted(x_QF: NDArray[np.float64], y_Q: NDArray[np.float64]) -> AbsenceModel:
    """Returns the weights of least penalised logistic loss; both kinds weigh the same (Newton's method)."""
    mean_F, scale_F = x_QF.mean(axis=0), np.maximum(x_QF.std(axis=0), 1e-6)
    z = np.column_stack([(x_QF - mean_F) / scale_F, np.ones(len(x_QF))])
    weight_Q = np.where(y_Q == 1, 0.5 / (y_Q == 1).mean(), 0.5 / (y_Q == 0).mean())
    ridge = np.full(z.shape[1], _RIDGE)
    ridge[-1] = 1e-6
    beta = np.zeros(z.shape[1])
    for _ in range(_ROUNDS):
        probability_Q = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        slope = z.T @ (weight_Q * (probability_Q - y_Q)) + ridge * beta
        curve = (z * (weight_Q * probability_Q * (1 - probability_Q))[:, None]).T @ z
        step = np.linalg.solve(curve + np.diag(ridge), slope)
        beta -= step
        if np.abs(step).max() < 1e-8:
            break
    return AbsenceModel(mean_F, scale_F, beta[:-1], float(beta[-1]))
