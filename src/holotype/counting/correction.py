"""Scores of a sample and evidence -> counts of labels that the classifier's confusion does not bend.

Shapes: N specimens of a sample, V held-out records, L labels, K labels with held-out records, R replicates.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from holotype.counting.domain import DomainTest, domain_test
from holotype.counting.evidence import Evidence
from holotype.counting.quantifiers import STRENGTHS, em_prior_shift, shifted, strength_weights
from holotype.counting.recalibration import Recalibration, cross_fitted, fit_recalibration
from holotype.randomness import generator

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

LEAST_SPECIMENS = 30
"""Smaller samples are not corrected: neither their shares nor their domain can be told."""
EVIDENCE_DRAWS, SAMPLE_DRAWS = 25, 8
"""Bootstrap: so often the evidence is drawn, and for each so often the sample."""
MOST_DRAWN = 4000
"""Specimens of a replicate; of larger samples so many are drawn, which widens the interval a little."""


@dataclass(frozen=True)
class Correction:
    """A sample, corrected; or not, because it is of another domain.

    Attributes:
        domain: the test.
        share_K: the shares of the labels.
        part_NK: the probability of each specimen to be of each label, at the shares of the sample.
        replicate_RK: numbers of specimens of each label in bootstrap replicates; none of them where the
            domain is another.
        strength_S: how likely each of ``STRENGTHS`` is: how far shares are drawn to those of the evidence;
            the likeliest was used, and replicates draw one.
    """

    domain: DomainTest
    share_K: Real
    part_NK: Real
    replicate_RK: Real
    strength_S: Real

    @property
    def count_K(self) -> Real:
        """Specimens of each label, as expected; they add up to the sample."""
        return np.asarray(self.part_NK.sum(axis=0))


class Corrector:
    """Evidence, made ready to correct the counts of many samples.

    What it assumes: a label looks in the sample as it does in the evidence (only shares differ), and every
    specimen is of a label that has held-out records.
    """

    def __init__(self, evidence: Evidence, *, seed: int = 0) -> None:
        self.evidence, self.seed = evidence, seed
        penalty, self.held_out_VK = cross_fitted(
            evidence.probability_VL,
            evidence.label_V,
            evidence.group_V,
            generator(seed, "counts", "folds"),
        )
        self._penalty = penalty
        self.recalibration = fit_recalibration(
            evidence.probability_VL, evidence.label_V, penalty=penalty
        )
        self.prior_K = np.asarray(self.recalibration.apply(evidence.probability_VL).mean(axis=0))
        self._true_V = np.searchsorted(self.known_K, evidence.label_V)

    @property
    def known_K(self) -> Whole:
        """The labels that have held-out records."""
        return self.recalibration.known_K

    @cached_property
    def records_K(self) -> Whole:
        """How many held-out records each of them has."""
        return np.asarray(np.bincount(self._true_V, minlength=len(self.known_K)))

    def correct(
        self, probability_NL: NDArray[np.floating], z_ND: NDArray[np.float32], *, name: str = ""
    ) -> Correction:
        """Returns what ``estimate`` does, with replicates where the domain is that of the evidence."""
        found = self.estimate(probability_NL, z_ND, name=name)
        if not found.domain.is_same:
            return found
        drawn_RK = self._replicates(probability_NL, found.share_K, found.strength_S, name)
        return replace(found, replicate_RK=drawn_RK)

    def estimate(
        self, probability_NL: NDArray[np.floating], z_ND: NDArray[np.float32], *, name: str = ""
    ) -> Correction:
        """Returns the counts of a sample as they would be corrected, and whether that may be done.

        Args:
            probability_NL: of its specimens, ``LEAST_SPECIMENS`` at least.
            z_ND: their embeddings.
            name: of the sample; the draws depend on it.

        Returns:
            The correction, without replicates.
        """
        found_NK = self.recalibration.apply(probability_NL)
        weight_S = strength_weights(
            found_NK, self.prior_K, generator(self.seed, "counts", "strength", name)
        )
        strength = STRENGTHS[int(weight_S.argmax())]
        share_K = em_prior_shift(found_NK, self.prior_K, strength=strength)
        held_out_VK = self.held_out_VK
        held_out_prior_K = np.asarray(held_out_VK.mean(axis=0))

        def estimated_shares(rows: Whole) -> Real:
            return em_prior_shift(
                held_out_VK[rows],
                held_out_prior_K,
                strength=strength,
                most_steps=100,
                tolerance=1e-4,
            )

        domain = domain_test(
            z_ND, share_K, self.evidence.z_VD, self._true_V, estimated_shares,
            generator(self.seed, "counts", "domain", name),
        )  # fmt: skip
        part_NK = shifted(found_NK, self.prior_K, share_K)
        return Correction(domain, share_K, part_NK, np.empty((0, len(share_K))), weight_S)

    def _replicates(
        self, probability_NL: NDArray[np.floating], share_K: Real, strength_S: Real, name: str
    ) -> Real:
        rng = generator(self.seed, "counts", "bootstrap", name)
        found = []
        for drawn, prior_K in self._drawn_recalibrations:
            drawn_NK = drawn.apply(probability_NL)
            for _ in range(SAMPLE_DRAWS):
                strength = float(rng.choice(STRENGTHS, p=strength_S))
                size = int(rng.poisson(len(drawn_NK)))
                rows = rng.integers(0, len(drawn_NK), size=max(1, min(size, MOST_DRAWN)))
                drawn_K = em_prior_shift(
                    drawn_NK[rows], prior_K, strength=strength * len(rows) / len(drawn_NK),
                    start_L=share_K, most_steps=100, tolerance=1e-4,
                )  # fmt: skip
                part_NK = shifted(drawn_NK[rows], prior_K, drawn_K)
                found.append(part_NK.sum(axis=0) * (size / len(rows)))
        return np.asarray(found)

    @cached_property
    def _drawn_recalibrations(self) -> list[tuple[Recalibration, Real]]:
        """Maps fitted on drawn groups of the evidence, with the shares that their probabilities stand on."""
        rng = generator(self.seed, "counts", "evidence")
        groups, index_V = np.unique(self.evidence.group_V, return_inverse=True)
        found = []
        for _ in range(EVIDENCE_DRAWS):
            drawn_G = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)))
            weight_V = drawn_G[index_V].astype(np.float64)
            one = fit_recalibration(
                self.evidence.probability_VL, self.evidence.label_V, penalty=self._penalty,
                weight_V=weight_V, start=self.recalibration,
            )  # fmt: skip
            shares_VK = one.apply(self.evidence.probability_VL)
            found.append((one, weight_V @ shares_VK / weight_V.sum()))
        return found
