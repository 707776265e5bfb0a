"""How much water an IFCB bin looked at.

The syringe pushes 0.25 ml a minute through the instrument; while an image is taken it does not look ("inhibit
time"). So the volume is 0.25 ml/min times (run time - inhibit time), with corrections for faulty files: after
the ifcb-analysis toolbox of H. M. Sosik and colleagues. Where we do otherwise:

- The header's times are used unless they cannot be: missing, shorter than the table's, or more than the
  syringe holds. The toolbox takes the table's whenever the two differ by 2 %; but the table ends with the
  last trigger, so that a run with few particles would look shorter than it was.
- A header that says ``runSampleFast`` is a run at ``RunFastFactor`` times the speed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

ML_PER_MIN = 0.25
OLD_ML_PER_S = 5 / 48_000 * 40
_OLD_MIN_PROCESSING_S, _IFCB5_MIN_PROCESSING_S = 0.073, 0.05
_IFCB5_CHANGED = "2015-06-01"
_DAY_S = 86_400.0
_TOLERANCE, _SYRINGE_TOLERANCE = 0.02, 1.05
_BAD_STEP_S, _OFFSET_S, _RUN_DIFFERENCE_S = 5.0, 10.0, 0.2


@dataclass(frozen=True)
class Times:
    """Seconds that a run lasted and that it did not look."""

    run_s: float
    inhibit_s: float

    @property
    def look_s(self) -> float:
        """Seconds that it looked."""
        return self.run_s - self.inhibit_s


@dataclass(frozen=True)
class Analysed:
    """The volume of a bin.

    Attributes:
        ml: millilitres, or None where it cannot be known.
        found_by: how, or why not.
        by_table_ml: what the table alone gives, where that differs by more than 2 %.
    """

    ml: float | None
    found_by: str
    by_table_ml: float | None = None


def old_volume(
    trigger_open_s: Sequence[float], frame_grab_s: Sequence[float], *, processing_s: float
) -> Analysed:
    """Returns the volume of an old bin from the first line of each trigger.

    Times below zero are of a run over midnight. Between two triggers the instrument processes for at least
    ``processing_s``; the same is taken off once more, as the toolbox does.
    """
    if not frame_grab_s:
        return Analysed(None, "no trigger")
    opened = [time + _DAY_S if time < 0 else time for time in trigger_open_s]
    grabbed = [time + _DAY_S if time < 0 else time for time in frame_grab_s]
    gaps = [later - earlier for later, earlier in zip(opened[1:], grabbed[:-1], strict=True)]
    look_s = grabbed[-1] - sum(max(gap, processing_s) for gap in gaps) - processing_s
    if look_s <= 0:
        return Analysed(None, f"the table gives {look_s:.3f} s of looking")
    return Analysed(look_s * OLD_ML_PER_S, "table")


def old_processing_s(camera: str | None, moment: str) -> float:
    """Returns the shortest processing time of an old instrument; IFCB5 was changed in June 2015."""
    changed = camera == "IFCB5" and moment >= _IFCB5_CHANGED
    return _IFCB5_MIN_PROCESSING_S if changed else _OLD_MIN_PROCESSING_S


def new_volume(
    header: Mapping[str, str],
    adc_s: Sequence[float],
    run_s: Sequence[float],
    inhibit_s: Sequence[float],
) -> Analysed:
    """Returns the volume of a new bin from its header, or from the times of its table's lines."""
    fast = _positive(header.get("runfastfactor", "")) or 1.0
    sped_up = header.get("runsamplefast", "").lower() in {"1", "true"} and fast > 1
    ml_per_s = ML_PER_MIN / 60 * (fast if sped_up else 1.0)
    suffix = f", at {fast:g} times the speed" if sped_up else ""
    by_header = _header_times(header)
    by_table = table_times(adc_s, run_s, inhibit_s)
    if by_header is None and by_table is None:
        return Analysed(None, "neither header nor table has usable run and inhibit times")
    if by_header is None or not _possible(by_header, by_table, header, ml_per_s):
        if by_table is None:
            return Analysed(None, "the header's run and inhibit times contradict the syringe")
        return Analysed(by_table.look_s * ml_per_s, "table" + suffix)
    ml = by_header.look_s * ml_per_s
    other = by_table.look_s * ml_per_s if by_table else ml
    differs = abs(other - ml) > _TOLERANCE * ml
    return Analysed(ml, "header" + suffix, other if differs else None)


def table_times(
    adc_s: Sequence[float], run_s: Sequence[float], inhibit_s: Sequence[float]
) -> Times | None:
    """Returns the times at the last line of a table, or None where it has too few good lines.

    A line is bad where its inhibit time is 0 or leaps; each counts as the commonest step. Where the clocks
    were not set back before the run (over 10 s at the second line), that is taken off. A run time that does
    not fit the line's own time gives way to the latter.
    """
    if len(run_s) < 2 or not any(inhibit_s):
        return None
    steps = [later - earlier for earlier, later in pairwise(inhibit_s)]
    good = [0] + [
        line
        for line, step in enumerate(steps, start=1)
        if inhibit_s[line] > 0 and -0.1 < step < _BAD_STEP_S
    ]
    pairs = pairwise(good)
    common = Counter(round(inhibit_s[b] - inhibit_s[a], 4) for a, b in pairs).most_common(1)
    usual = common[0][0] if common else 0.0
    run_offset = run_s[1] - adc_s[1] if run_s[1] - adc_s[1] > _OFFSET_S else 0.0
    inhibit_offset = inhibit_s[1] + 2 * usual if run_offset else 0.0
    inhibit = inhibit_s[good[-1]] + (len(inhibit_s) - len(good)) * usual - inhibit_offset
    first = min(len(run_s), 50)
    lag = median(run - adc for run, adc in zip(run_s[:first], adc_s[:first], strict=True))
    run, expected = run_s[-1] - run_offset, adc_s[-1] + lag - run_offset
    if abs(run - expected) > _RUN_DIFFERENCE_S:
        run = expected
    return Times(run, inhibit) if run > inhibit >= 0 else None


def _header_times(header: Mapping[str, str]) -> Times | None:
    run, inhibit = _positive(header.get("runtime", "")), _number(header.get("inhibittime", ""))
    if run is None or inhibit is None or not 0 <= inhibit < run:
        return None
    return Times(run, inhibit)


def _possible(
    by_header: Times, by_table: Times | None, header: Mapping[str, str], ml_per_s: float
) -> bool:
    syringe_ml = _positive(header.get("syringesamplevolume", ""))
    if syringe_ml and by_header.run_s * ml_per_s > syringe_ml * _SYRINGE_TOLERANCE:
        return False
    return by_table is None or by_header.run_s >= by_table.run_s * (1 - _TOLERANCE)


def _number(written: str) -> float | None:
    try:
        number = float(written)
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def _positive(written: str) -> float | None:
    number = _number(written)
    return number if number is not None and number > 0 else None
