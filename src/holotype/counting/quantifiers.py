"""Scores of a sample -> the share of each label in it, corrected for the classifier's confusion.

Shapes: N specimens of a sample, V held-out records, L labels, F features (a label's vote or probability).
All of them assume that labels look as they did in the held-out records, and only their shares differ.
"""

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

SMOOTHING = 0.5
"""Records of average kind that are added to each label's, so that a label with few has a rate at all."""
TINY = 1e-300


def classify_and_count(probability_NL: Real) -> Real:
    """Returns the share of specimens whose best label each is, (L,); no correction.

    >>> classify_and_count(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])).tolist()
    [0.75, 0.25]
    """
    return np.asarray(votes(probability_NL).mean(axis=0))


def votes(probability_NL: Real) -> Real:
    """Returns 1 for the best label of each row and 0 elsewhere, (N, L); ties go to the first."""
    return np.asarray(np.eye(probability_NL.shape[1])[probability_NL.argmax(axis=1)])


def mean_features(feature_VF: Real, label_V: Whole, *, num_labels: int) -> Real:
    """Returns the mean features of the records of each true label, (F, L): the confusion rates.

    A label's mean is drawn to that of all records by ``SMOOTHING`` records; a label without records
    has the mean of all.

    Args:
        feature_VF: votes (then they are P(best label | true label)) or probabilities of held-out records.
        label_V: their true labels.
        num_labels: L.
    """
    sum_LF = np.zeros((num_labels, feature_VF.shape[1]))
    np.add.at(sum_LF, label_V, feature_VF)
    count_L = np.bincount(label_V, minlength=num_labels)
    smoothed = sum_LF + SMOOTHING * feature_VF.mean(axis=0)
    return np.asarray((smoothed / (count_L + SMOOTHING)[:, None]).T)


def adjusted_count(probability_NL: Real, held_out_VL: Real, label_V: Whole) -> Real:
    """Returns shares by adjusted classify and count, (L,).

    Source: Forman 2008, doi:10.1007/s10618-008-0097-y. Deviation: instead of inverting the matrix of
    rates, the shares are those on the simplex that explain the votes best by least squares.

    Args:
        probability_NL: of the sample.
        held_out_VL: of the held-out records.
        label_V: the true labels of these.
    """
    rate_LL = mean_features(votes(held_out_VL), label_V, num_labels=held_out_VL.shape[1])
    return simplex_least_squares(rate_LL, classify_and_count(probability_NL))


def probabilistic_adjusted_count(probability_NL: Real, held_out_VL: Real, label_V: Whole) -> Real:
    """Returns shares by adjusted count of probabilities instead of votes, (L,).

    Source: Bella et al. 2010, doi:10.1109/ICDM.2010.75, with the same deviation as ``adjusted_count``.
    """
    rate_LL = mean_features(held_out_VL, label_V, num_labels=held_out_VL.shape[1])
    return simplex_least_squares(rate_LL, np.asarray(probability_NL.mean(axis=0)))


def simplex_least_squares(rate_FL: Real, seen_F: Real, *, most_steps: int = 5000) -> Real:
    """Returns the shares (L,), at least 0 and adding up to 1, for which ``rate @ shares`` is nearest to seen.

    Accelerated projected gradient (Beck & Teboulle 2009, doi:10.1137/080716542).
    """
    square_LL, towards_L = rate_FL.T @ rate_FL, rate_FL.T @ seen_F
    step = 1.0 / max(float(np.linalg.eigvalsh(square_LL)[-1]), 1e-12)
    share_L = np.full(rate_FL.shape[1], 1.0 / rate_FL.shape[1])
    ahead_L, pace = share_L, 1.0
    for _ in range(most_steps):
        new_L = on_simplex(ahead_L - step * (square_LL @ ahead_L - towards_L))
        new_pace = (1.0 + np.sqrt(1.0 + 4.0 * pace * pace)) / 2.0
        ahead_L = new_L + (pace - 1.0) / new_pace * (new_L - share_L)
        moved = float(np.abs(new_L - share_L).sum())
        share_L, pace = new_L, new_pace
        if moved < 1e-10:
            break
    return share_L


def on_simplex(point_L: Real) -> Real:
    """Returns the nearest point with no part below 0 and a sum of 1 (Duchi et al. 2008).

    >>> on_simplex(np.array([0.8, 0.6, -1.0])).round(3).tolist()
    [0.6, 0.4, 0.0]
    """
    falling_L = np.sort(point_L)[::-1]
    over_L = (np.cumsum(falling_L) - 1.0) / np.arange(1, len(point_L) + 1)
    last = int(np.flatnonzero(falling_L > over_L)[-1])
    return np.asarray(np.maximum(point_L - over_L[last], 0.0))


def em_prior_shift(
    probability_NL: Real,
    prior_L: Real,
    *,
    strength: float = 0.0,
    start_L: Real | None = None,
    most_steps: int = 500,
    tolerance: float = 1e-6,
) -> Real:
    """Returns the shares under which the scores are most likely, (L,), by expectation-maximisation.

    Source: Saerens, Latinne & Decaestecker 2002, doi:10.1162/089976602753284446. Deviation: with
    ``strength`` the shares are drawn to the prior as by so many further specimens.

    Args:
        probability_NL: calibrated, rows adding up to 1.
        prior_L: the shares that the probabilities stand on (the mean of the held-out ones).
        strength: 0 for none.
        start_L: where to begin; the prior by default.
        most_steps: of the iteration.
        tolerance: it ends when the shares move by less in sum.
    """
    likelihood_NL = probability_NL / np.maximum(prior_L, 1e-12)
    share_L = (prior_L if start_L is None else start_L) + 1e-12
    share_L = share_L / share_L.sum()
    for _ in range(most_steps):
        total_N = likelihood_NL @ share_L
        expected_L = share_L * (likelihood_NL.T @ (1.0 / np.maximum(total_N, TINY)))
        new_L = expected_L + strength * prior_L
        new_L = new_L / new_L.sum()
        moved = float(np.abs(new_L - share_L).sum())
        share_L = new_L
        if moved < tolerance:
            break
    return np.asarray(share_L)


def shifted(probability_NL: Real, prior_L: Real, share_L: Real) -> Real:
    """Returns the probabilities of each specimen where the labels have other shares, (N, L).

    >>> shifted(np.array([[0.5, 0.5]]), np.array([0.5, 0.5]), np.array([0.9, 0.1])).round(3).tolist()
    [[0.9, 0.1]]
    """
    weighed = probability_NL * (share_L / np.maximum(prior_L, 1e-12))
    return np.asarray(weighed / np.maximum(weighed.sum(axis=1, keepdims=True), TINY))


STRENGTHS = (1.0, 5.0, 20.0, 80.0, 320.0, 1e5)
FOLDS = 5


def chosen_strength(probability_NL: Real, prior_L: Real, rng: np.random.Generator) -> float:
    """Returns how strongly shares should be drawn to the prior: what foretells left-out specimens best."""
    return STRENGTHS[int(strength_weights(probability_NL, prior_L, rng).argmax())]


def strength_weights(probability_NL: Real, prior_L: Real, rng: np.random.Generator) -> Real:
    """Returns how likely left-out specimens are under each of ``STRENGTHS``, adding up to 1.

    The sample is parted in five; the shares of four parts say how likely the fifth is. A sample like the
    held-out records keeps their shares, another leaves them behind, as far as it has specimens to say so.
    """
    likelihood_NL = probability_NL / np.maximum(prior_L, 1e-12)
    fold_N = rng.permutation(len(probability_NL)) % FOLDS
    found = []
    for strength in STRENGTHS:
        total = 0.0
        for fold in range(FOLDS):
            kept_N = fold_N != fold
            share_L = em_prior_shift(
                probability_NL[kept_N], prior_L, strength=strength, most_steps=60, tolerance=1e-4
            )
            total += float(np.log(np.maximum(likelihood_NL[~kept_N] @ share_L, TINY)).sum())
        found.append(total)
    weight = np.exp(np.asarray(found) - max(found))
    return np.asarray(weight / weight.sum())
