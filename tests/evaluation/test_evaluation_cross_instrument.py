"""Retrieval across instruments, by hand; and the errors of calibration and F1 with their intervals."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from holotype.evaluation.classification import caption_classification_scores
from holotype.evaluation.cross_instrument import cross_instrument_scores
from holotype.evaluation.evidence import Score, pick
from holotype.evaluation.exam import Beside, Exam
from holotype.evaluation.metrics import calibration_error, f1_over_classes, macro_f1, mean_value
from holotype.models.bundle import Bundle
from holotype.models.towers import Modality
from holotype.splits.plan import Role

DEGREES = [0, 5, 20, 40, 0, 18, 60]
NAMES: list[str | None] = ["X", "X", "Y", "X", "X", "Y", "X"]
ROLES = ["test", "key", "key", "key", "test", "test", "test"]
INSTRUMENTS = ["a", "a", "b", "b", None, "b", "b"]


@pytest.fixture
def exam(exam_of: Callable[..., Exam]) -> Exam:
    angle = np.radians(DEGREES)
    made = exam_of(np.stack([np.cos(angle), np.sin(angle)], axis=1), {"genus": NAMES}, ROLES)
    count = len(ROLES)
    pixels = np.random.default_rng(0).integers(0, 255, (count, 4, 4, 1)).astype(np.uint8)
    materials = replace(
        made.materials,
        pixels_MSSC=pixels,
        size_M4=np.full((count, 4), 9, dtype=np.float32),
        image_N=np.arange(count),
    )
    (encoded,) = made.encoded.values()
    return replace(
        made,
        materials=materials,
        table=pa.table({"instrument": INSTRUMENTS}),
        encoded={Modality.IMAGE: encoded},
    )


def model_score(scores: list[Score], metric: str) -> Score:
    (found,) = pick(scores, method="model", rank="genus", part="all", metric=metric)
    return found


def test_keys_of_the_own_instrument_are_barred(exam: Exam, examined: Bundle) -> None:
    scores = cross_instrument_scores(examined, exam)
    # Record 0 (a, X): record 1 is nearest but of a; of b's keys, Y at 20 degrees is before X at 40: wrong.
    # Record 4 has no instrument: not asked. Record 5 (b, Y): a has no Y: left out.
    # Record 6 (b, X): of a there is only record 1, X: right.
    top1, top5 = (model_score(scores, f"top{k}_micro") for k in (1, 5))
    assert (top1.value, top1.n, top1.left_out) == (0.5, 2, 1)
    assert top5.value == 1.0
    (chance,) = pick(scores, method="chance", rank="genus")
    assert chance.value == pytest.approx((1 / 2 + 1) / 2)
    assert pick(scores, method="nearest image by pixels", rank="genus", metric="top1_micro")


def test_one_instrument_has_nothing_across(exam: Exam, examined: Bundle) -> None:
    alone = replace(exam, table=pa.table({"instrument": ["a"] * len(ROLES)}))
    assert cross_instrument_scores(examined, alone) == []
    assert cross_instrument_scores(examined, replace(exam, table=pa.table({}))) == []


def test_captions_answer_the_questions_of_the_head(examined: Bundle, tiny_exam: Exam) -> None:
    bare = replace(tiny_exam, beside=Beside.NOTHING)
    scores = caption_classification_scores(examined, bare)
    assert {score.method for score in scores} == {"model"}
    encoded = tiny_exam.encoded[Modality.IMAGE]
    tested = tiny_exam.among(encoded, Role.TEST)
    for rank in ("label", "genus", "species"):
        (found,) = pick(scores, pair="image", rank=rank, part="all", metric="top1_micro")
        assert 0 < found.n <= len(tested)
        assert found.replicate_R is not None
    (gap,) = pick(scores, pair="image", metric="calibration_error")
    assert 0 <= gap.value <= 1


def test_calibration_error_by_hand() -> None:
    # Bins of a fifteenth: 0.9 and 0.92 share one (sum of gaps 0.9 - 1 + 0.92 - 0 = 0.82), 0.5 is alone
    # (0.5 - 1 = -0.5), 1.0 is in the last with 0.99 (0 + 0.99 - 1 = -0.01): (0.82 + 0.5 + 0.01) / 5.
    confidence = np.asarray([0.9, 0.92, 0.5, 1.0, 0.99])
    hit = np.asarray([True, False, True, True, True])
    found = calibration_error(confidence, hit, np.arange(5), seed=0)
    assert found.value == pytest.approx((0.82 + 0.5 + 0.01) / 5)
    assert found.low <= found.value <= found.high


def test_a_calibrated_guesser_has_little_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    hit = rng.random(20_000) < confidence
    assert calibration_error(confidence, hit, np.arange(20_000), seed=0).value < 0.02
    assert calibration_error(confidence, ~hit, np.arange(20_000), seed=0).value > 0.4


def test_f1_with_an_interval_is_macro_f1() -> None:
    rng = np.random.default_rng(0)
    truth, group = rng.integers(0, 5, 300), np.arange(300) // 3
    found = np.where(rng.random(300) < 0.6, truth, rng.integers(0, 7, 300))
    estimate = f1_over_classes(truth, found, group, seed=0)
    assert estimate.value == pytest.approx(macro_f1(truth, found))
    assert estimate.low < estimate.value < estimate.high
    assert np.isnan(f1_over_classes(truth[:0], found[:0], group[:0], seed=0).value)


def test_a_mean_of_figures_is_resampled_by_group() -> None:
    value = np.asarray([0.0, 2.0, 4.0, 6.0])
    apart = mean_value(value, np.arange(4), seed=0)
    together = mean_value(value, np.zeros(4, dtype=np.int64), seed=0)
    assert apart.value == together.value == 3.0
    assert apart.low < 3.0 < apart.high
    assert together.low == together.high == 3.0
