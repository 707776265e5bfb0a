"""One sample of answers -> its rows of a counts table: raw, corrected, per volume."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.counting.columns import EM, RAW, Status
from holotype.counting.correction import LEAST_SPECIMENS, Correction, Corrector
from holotype.counting.domain import DomainTest
from holotype.counting.joining import Scored
from holotype.counting.tally import FAILED, Row
from holotype.counting.volumes import Real, Sampled, biovolume_per_m3

LEAST_SAID = 5
"""A label without held-out records that the evidence was scored as so often is known to be mistaken."""
THIN = 10
"""Rows that rest on fewer held-out records say so."""
LEAST_EXPECTED, LEAST_HIGH = 0.005, 0.5
"""Rows without answers that are expected below, with an interval below, are left out."""


@dataclass(frozen=True)
class Sample:
    """N answers of one sample.

    Attributes:
        name: its id; None for records that name none.
        row_N: the row that each answer belongs to.
        mm3_N: the volume of each specimen, NaN where it is not known.
        sampled: what it stands for.
    """

    name: str | None
    row_N: list[Row]
    mm3_N: Real
    sampled: Sampled


@dataclass(frozen=True)
class Corrected:
    """A correction of the specimens that it could read, and the rows that labels go to.

    Attributes:
        correction: of the specimens ``used``.
        used: their places in the sample.
        row_K: the row of each label.
        records_K: its held-out records.
    """

    correction: Correction
    used: NDArray[np.int64]
    row_K: list[Row]
    records_K: NDArray[np.int64]


@dataclass(frozen=True)
class CountedSample:
    """The rows of one sample, and why it was not corrected, if it was not.

    Attributes:
        rows: as the table has them.
        domain: the test, where one was made.
        too_small: whether it had too few specimens to correct.
    """

    rows: list[dict[str, Any]]
    domain: DomainTest | None = None
    too_small: bool = False


def corrected_specimens(scored: Scored, corrector: Corrector) -> NDArray[np.int64]:
    """Returns the places of specimens that can be corrected.

    Left out are specimens without scores, and those whose best label has no held-out record and is hardly
    ever said of the held-out records: of these the evidence knows nothing.
    """
    evidence = corrector.evidence
    said_L = np.bincount(
        evidence.probability_VL.argmax(axis=1), minlength=evidence.probability_VL.shape[1]
    )
    is_known_L = said_L >= LEAST_SAID
    is_known_L[corrector.known_K] = True
    best_N = np.where(np.isfinite(scored.probability_NL), scored.probability_NL, -1.0).argmax(
        axis=1
    )
    return np.flatnonzero(scored.has_N & is_known_L[best_N])


def count_sample(
    sample: Sample, scored: Scored | None, corrector: Corrector | None, row_L: list[Row]
) -> CountedSample:
    """Returns the rows of a sample; corrected where there is evidence, and it is of its domain.

    Args:
        sample: the answers.
        scored: scores and embeddings of them.
        corrector: the evidence.
        row_L: the row of each label.
    """
    if scored is None or corrector is None:
        return CountedSample(_rows(sample, None, ()))
    used = corrected_specimens(scored, corrector)
    if len(used) < LEAST_SPECIMENS:
        note = f"not corrected: fewer than {LEAST_SPECIMENS} specimens that the evidence knows"
        return CountedSample(_rows(sample, None, (note,)), too_small=True)
    correction = corrector.correct(
        scored.probability_NL[used], scored.z_ND[used], name=sample.name or ""
    )
    if not correction.domain.is_same:
        far = f"distance {correction.domain.distance:.3f}"
        note = f"not corrected: the specimens do not look like the held-out records ({far})"
        return CountedSample(_rows(sample, None, (note,)), correction.domain)
    row_K = [row_L[label] for label in corrector.known_K.tolist()]
    corrected = Corrected(correction, used, row_K, corrector.records_K)
    return CountedSample(_rows(sample, corrected, ()), correction.domain)


def _rows(
    sample: Sample, corrected: Corrected | None, notes: tuple[str, ...]
) -> list[dict[str, Any]]:
    raw = Counter(sample.row_N)
    keys = sorted({*raw, *(corrected.row_K if corrected else [])}, key=lambda row: row.order)
    place = {row: number for number, row in enumerate(keys)}
    answered_N = np.asarray([place[row] for row in sample.row_N], dtype=np.int64)
    is_failed_N = np.asarray([row == FAILED for row in sample.row_N], dtype=np.bool_)
    as_answered_N = ~is_failed_N
    if corrected is not None:
        as_answered_N[corrected.used] = False
        label_rows = np.asarray([place[row] for row in corrected.row_K], dtype=np.int64)
    found = []
    for row in keys:
        own = answered_N == place[row]
        part_N = own.astype(np.float64)
        said = [*notes, *sample.sampled.notes]
        interval = None
        if corrected is not None and row != FAILED:
            kept = float((own & as_answered_N).sum())
            mine = label_rows == place[row]
            part_N = (own & as_answered_N).astype(np.float64)
            part_N[corrected.used] += corrected.correction.part_NK[:, mine].sum(axis=1)
            drawn_R = corrected.correction.replicate_RK[:, mine].sum(axis=1) + kept
            low, high = np.percentile(drawn_R, [2.5, 97.5])
            expected = float(part_N.sum())
            interval = min(float(low), expected), max(float(high), expected)
            said += _on_evidence(int(corrected.records_K[mine].sum()), int(kept))
            if not raw[row] and expected < LEAST_EXPECTED and interval[1] < LEAST_HIGH:
                continue
        per_m3_N = np.full(len(part_N), np.nan) if row == FAILED else sample.sampled.per_m3_N
        found.append(
            {
                "sample_id": sample.name,
                "taxon": row.taxon,
                "taxon_rank": row.taxon_rank,
                "status": row.status,
                "count_raw": raw[row],
                **_adjusted(float(part_N.sum()), interval),
                "method": EM if corrected is not None else RAW,
                "volume_l": sample.sampled.volume_l,
                **_concentration(part_N, per_m3_N, interval),
                "biovolume_mm3_per_m3": biovolume_per_m3(part_N, per_m3_N, sample.mm3_N),
                "n_images": len(sample.row_N),
                "note": "; ".join([*said, *_on_sizes(part_N, sample.mm3_N, row)]) or None,
            }
        )
    return found


def _on_evidence(records: int, kept: int) -> list[str]:
    """Returns what to say of a row that rests on little evidence."""
    said = []
    if kept:
        said.append(f"{kept} as answered: no evidence of their label")
    if 0 < records < THIN:
        said.append(f"rests on {records} held-out records")
    return said


def _on_sizes(part_N: Real, mm3_N: Real, row: Row) -> list[str]:
    unknown = float(part_N[~np.isfinite(mm3_N)].sum())
    total = float(part_N.sum())
    if row.status == Status.FAILED.value or unknown <= 0 or unknown >= total - 1e-9:
        return []
    return [
        f"biovolume: {unknown / total:.0%} of the specimens without a size, taken as the others"
    ]


def _adjusted(expected: float, interval: tuple[float, float] | None) -> dict[str, float | None]:
    if interval is None:
        return dict.fromkeys(("count_adjusted", "count_low", "count_high"))
    return {"count_adjusted": expected, "count_low": interval[0], "count_high": interval[1]}


def _concentration(
    part_N: Real, per_m3_N: Real, interval: tuple[float, float] | None
) -> dict[str, float | None]:
    """Returns the concentration; its interval is that of the count, times what a specimen stands for."""
    names = ("concentration_per_m3", "concentration_low", "concentration_high")
    value = float(part_N @ per_m3_N) if np.isfinite(per_m3_N).all() and len(part_N) else np.nan
    if not np.isfinite(value):
        return dict.fromkeys(names)
    if interval is None:
        return dict(zip(names, (value, None, None), strict=True))
    total = float(part_N.sum())
    each = value / total if total > 0 else float(per_m3_N.mean())
    return dict(zip(names, (value, interval[0] * each, interval[1] * each), strict=True))
