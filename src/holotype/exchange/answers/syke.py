"""Answers -> the probability tables of SYKE for IFCB bins: ``<bin>.prob.csv``, and a file of thresholds.

Header ``roi,<class>,...``, five decimals. The thresholds are one ``class threshold`` a line; a reader takes
the first class, by falling score, that clears its own (Kraft et al. 2022, doi:10.3389/fmars.2022.867695).
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from holotype import files
from holotype.errors import SourceError
from holotype.exchange.answers.answered import shown, write_comma, written
from holotype.exchange.answers.ifcb import bins_of, check_labels
from holotype.exchange.answers.scores import scores_of, thresholds_of
from holotype.exchange.answers.writing import Written

THRESHOLDS = "thresholds.txt"


def write_syke(
    answers: pa.Table,
    out: Path,
    *,
    scores: pa.Table | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> Written:
    """Writes one table for each bin into a folder, and ``thresholds.txt`` where there are thresholds.

    Args:
        answers: of regions of interest, named by bin and region, as ``write_ifcb`` takes them.
        out: the folder.
        scores: the scores of all labels, by input; without it those of the five best, and 0 for the rest.
        thresholds: score by label.

    Raises:
        SourceError: when scores or thresholds do not fit, or a label cannot be written.
    """
    known = scores_of(answers, scores)
    check_labels(known.labels)
    limits = None if thresholds is None else thresholds_of(known.labels, thresholds).tolist()
    if limits is not None and (odd := [label for label in known.labels if "," in label]):
        raise SourceError(
            f"label '{shown(odd[0])}': a file of thresholds cannot hold a comma. Leave the thresholds out."
        )
    left_out: Counter[str] = Counter()
    bins = bins_of(answers, known, left_out)
    with files.folder_written_whole(out) as folder:
        for bin_id, regions in bins.items():
            rows = (
                [n, *(f"{score:.5f}" for score in score_L.tolist())] for n, score_L, _ in regions
            )
            write_comma(folder / f"{bin_id}.prob.csv", ["roi", *known.labels], rows)
        if limits is not None:
            pairs = zip(known.labels, limits, strict=True)
            lines = (f"{label} {limit}\n" for label, limit in pairs)
            files.write_text(folder / THRESHOLDS, "".join(lines))
    count = sum(len(regions) for regions in bins.values())
    return written(answers, left_out, {"regions": count}, {"bins": len(bins), **known.notes(count)})
