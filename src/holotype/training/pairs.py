"""Which records, and which captions, of a step belong together: weights, and pairs that say nothing.

Shapes: P and Q the two sides of a pair, V captions, R ranks.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from holotype.inputs.materials import Materials
from holotype.inputs.relations import is_within, same_taxon
from holotype.media.kmers import shared_words
from holotype.objectives.contrast import rank_weights
from holotype.taxonomy.labels import WHOLE
from holotype.taxonomy.lineage import LINNAEAN_RANKS
from holotype.training.recipe import AlignSettings, Targets
from holotype.training.teaching import Teaching
from holotype.training.texts import StepTexts

Targeted = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Weights of pairs (0 for a negative), and the pairs that count neither for nor against; (P, Q) each."""

_WORD_BP = 8
_LEAST_WORDS = 60
"""Reads with fewer certain 8-mers are too short to tell species apart."""


def record_targets(
    teaching: Teaching,
    materials: Materials,
    row_P: NDArray[np.int64],
    row_Q: NDArray[np.int64],
    settings: AlignSettings,
) -> Targeted:
    """Returns how records belong together by the settings' targets.

    ``identity``: a record with itself. ``taxon``: one record, haplotype or species; what may be one species
    is ignored, unless the barcodes differ too much for that. ``concept``: one name as well, at whatever rank;
    two life stages of one taxon do not belong together. ``ranks``: one species, and less for each wider rank
    that is shared.
    """
    itself = row_P[:, None] == row_Q[None, :]
    if settings.targets is Targets.IDENTITY:
        return itself.astype(np.float32), np.zeros_like(itself)
    positive, ignored = _one_species(teaching, materials, row_P, row_Q, settings)
    if settings.targets is not Targets.RANKS:
        return positive.astype(np.float32), ignored
    weight, unknown = _shared_ranks(teaching, row_P, row_Q, settings)
    weight[positive] = 1.0
    return np.where(ignored, 0, weight), (ignored | unknown) & ~positive


def caption_targets(
    teaching: Teaching, row_P: NDArray[np.int64], texts: StepTexts, settings: AlignSettings
) -> Targeted:
    """Returns how records belong to the captions of a step, (P, V).

    ``identity``: each record to its own. Else a caption is true of every record at or below its taxon, and
    of a record above it nobody knows; one that names a life stage or part is true of that one only.
    """
    if settings.targets is Targets.IDENTITY:
        own_P = texts.own_of(row_P)
        weight = np.zeros((len(row_P), len(texts.caption_V)), dtype=np.float32)
        weight[np.flatnonzero(own_P >= 0), own_P[own_P >= 0]] = 1.0
        return weight, np.zeros(weight.shape, dtype=np.bool_)
    named_P1 = (teaching.concept_N[row_P] >= 0)[:, None]
    concept_P = np.maximum(teaching.concept_N[row_P], 0)
    below = is_within(teaching.paths, concept_P, texts.concept_V)
    above = is_within(teaching.paths, texts.concept_V, concept_P).T
    qualifier_P1 = teaching.qualifier_C[concept_P][:, None]
    same_stage = qualifier_P1 == teaching.qualifier_C[texts.concept_V][None, :]
    positive = below & named_P1 & (texts.whole_V[None, :] | same_stage)
    ignored = (above & ~below) | ~np.broadcast_to(named_P1, below.shape)
    return positive.astype(np.float32), ignored


def of_two_views(targeted: Targeted) -> Targeted:
    """Returns the targets of both views of P records beside each other; a view is not its own positive."""
    weight, ignored = np.tile(targeted[0], (2, 2)), np.tile(targeted[1], (2, 2))
    np.fill_diagonal(weight, val=0)
    np.fill_diagonal(ignored, val=True)
    return weight, ignored


def _one_species(
    teaching: Teaching,
    materials: Materials,
    row_P: NDArray[np.int64],
    row_Q: NDArray[np.int64],
    settings: AlignSettings,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    concept_P, concept_Q = teaching.concept_N[row_P], teaching.concept_N[row_Q]
    both_named = (concept_P >= 0)[:, None] & (concept_Q >= 0)[None, :]
    surely, maybe = same_taxon(teaching.paths, np.maximum(concept_P, 0), np.maximum(concept_Q, 0))
    haplotype_P, haplotype_Q = materials.haplotype_N[row_P], materials.haplotype_N[row_Q]
    stages_differ = np.zeros_like(both_named)
    if settings.targets is Targets.CONCEPT:
        stages_differ = both_named & _stages_differ(teaching, concept_P, concept_Q)
    same = (row_P[:, None] == row_Q[None, :]) | (
        (haplotype_P[:, None] == haplotype_Q[None, :]) & (haplotype_P >= 0)[:, None]
    )
    if settings.alike is not None:
        group_P, group_Q = teaching.group_N[row_P], teaching.group_N[row_Q]
        same |= (group_P[:, None] == group_Q[None, :]) & (group_P >= 0)[:, None]
    positive = (surely & both_named & ~stages_differ) | same
    open_pairs = (maybe | ~both_named) & ~stages_differ & ~positive
    if open_pairs.any():
        assert settings.different_below is not None
        open_pairs &= ~_surely_different(materials, row_P, row_Q, settings.different_below)
    if settings.targets is Targets.CONCEPT:
        of_one_name = open_pairs & both_named & (concept_P[:, None] == concept_Q[None, :])
        positive, open_pairs = positive | of_one_name, open_pairs & ~of_one_name
    return positive, open_pairs


def _stages_differ(
    teaching: Teaching, concept_P: NDArray[np.int64], concept_Q: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Returns which pairs are of two life stages or parts, both of them named; bool (P, Q)."""
    stage_P, stage_Q = (teaching.qualifier_C[np.maximum(c, 0)] for c in (concept_P, concept_Q))
    both_said = (stage_P != WHOLE)[:, None] & (stage_Q != WHOLE)[None, :]
    differ: NDArray[np.bool_] = both_said & (stage_P[:, None] != stage_Q[None, :])
    return differ


def _shared_ranks(
    teaching: Teaching,
    row_P: NDArray[np.int64],
    row_Q: NDArray[np.int64],
    settings: AlignSettings,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    assert settings.rank_decay is not None
    depths = [rank.depth for rank in LINNAEAN_RANKS]
    path_P, path_Q = (
        torch.from_numpy(np.where(concept >= 0, 1, 0)[:, None] * (path + 1) - 1)
        for concept, path in (
            (c, teaching.paths.path_CR[np.maximum(c, 0)][:, depths])
            for c in (teaching.concept_N[row_P], teaching.concept_N[row_Q])
        )
    )
    steps = torch.arange(len(depths) - 1, -1, -1, dtype=torch.float32)
    weight, unknown = rank_weights(path_P, path_Q, settings.rank_decay**steps)
    return weight.numpy(), unknown.numpy()


def _surely_different(
    materials: Materials, row_P: NDArray[np.int64], row_Q: NDArray[np.int64], bound: float
) -> NDArray[np.bool_]:
    """Returns which pairs of records have barcodes too different for one species, bool (P, Q).

    By containment (Broder 1997, doi:10.1109/SEQUEN.1997.666900): the share of the shorter read's 8-mers
    that the other has, so that a mini-barcode is not different from the sequence it is of. Different
    markers say nothing.
    """
    read_P, read_Q = (
        [materials.barcode_N[row] or "" for row in rows]
        for rows in (row_P.tolist(), row_Q.tolist())
    )
    shared_PQ, words_P, words_Q = shared_words(read_P, read_Q, _WORD_BP)
    shorter_PQ = np.minimum(words_P[:, None], words_Q[None, :])
    comparable_PQ = shorter_PQ >= _LEAST_WORDS
    marker_P, marker_Q = materials.marker_N[row_P], materials.marker_N[row_Q]
    comparable_PQ &= marker_P[:, None] == marker_Q[None, :]
    different: NDArray[np.bool_] = np.logical_and(shared_PQ < bound * shorter_PQ, comparable_PQ)
    return different
