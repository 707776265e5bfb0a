"""An adapted bundle is calibrated on what its head had not seen: it promises what holds, or says why not."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from own_crops import LABELS, drawn

import holotype
from holotype.adapting.adapt import adapt
from holotype.counting.evidence import read_evidence
from holotype.decisions.store import open_decisions
from holotype.identify.answers import AnswerSettings
from holotype.models.bundle import open_bundle


def new_images(folder: Path, count: int) -> Path:
    """Images of the same labels that no one has learnt from."""
    folder.mkdir()
    for place, label in enumerate(LABELS):
        for number in range(count):
            cv2.imwrite(
                str(folder / f"{label}_{number}.png"), drawn(label, 50_000 + 1000 * place + number)
            )
    return folder


def answers(bundle: Path, images: Path, out: Path) -> list[dict[str, str]]:
    holotype.predict(bundle, [images], out=out, settings=AnswerSettings(max_error=0.05))
    with out.open(newline="", encoding="utf-8-sig") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("method", ["prototypes", "probe"])
def test_a_promise_is_made_and_kept_at_once(
    method: str, own_images: Callable[[int], Path], tiny_run: Path, tmp_path: Path
) -> None:
    report = adapt(tiny_run, [own_images(40)], out=tmp_path / "new", method=method)
    assert report.sure.reason is None
    assert report.sure.images == 120
    assert report.sure.wrong <= 0.05 * report.sure.answered
    rows = answers(tmp_path / "new", new_images(tmp_path / "more", 30), tmp_path / "a.csv")
    named = [row for row in rows if row["decision"] == "named"]
    assert len(named) > 60, [(row["decision"], row["decision_reason"]) for row in rows][:5]
    wrong = [row for row in named if row["answer"] != Path(row["input"]).stem.rpartition("_")[0]]
    assert len(wrong) <= 0.05 * len(named)
    assert all("keeps the error at 0.05" in row["decision_reason"] for row in named)
    assert all(row["nearest"] for row in named)
    card = (tmp_path / "new" / "README.md").read_text()
    assert f"{report.sure.answered} of {report.sure.tested} held-out" in card


def test_labels_by_lot_get_no_promise(
    own_images: Callable[[int], Path], tiny_run: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    paths = sorted(own_images(40).rglob("*.png"))
    lines = [f"{p.parent.name}/{p.name},{rng.choice(LABELS)}" for p in paths]
    (tmp_path / "lot.csv").write_text("file,label\n" + "\n".join(lines) + "\n")
    report = adapt(
        tiny_run, [paths[0].parent.parent], labels=tmp_path / "lot.csv", out=tmp_path / "new",
        method="probe",
    )  # fmt: skip
    assert report.sure.images > 100
    assert "not answered that well at any level" in report.sure.reason
    rows = answers(tmp_path / "new", paths[0].parent, tmp_path / "a.csv")
    assert {row["decision"] for row in rows} <= {"unplaced", "ambiguous", "novel"}


def test_too_few_images_say_so_in_words(
    own_images: Callable[[int], Path], tiny_run: Path, tmp_path: Path
) -> None:
    report = adapt(tiny_run, [own_images(4)], out=tmp_path / "new", method="probe")
    assert "too few" in report.sure.reason
    assert "No error rate can be promised: too few" in (tmp_path / "new" / "README.md").read_text()
    rows = answers(tmp_path / "new", new_images(tmp_path / "more", 2), tmp_path / "a.csv")
    assert all("is not promised: too few" in row["decision_reason"] for row in rows)
    single = adapt(tiny_run, [own_images(1)], out=tmp_path / "one")
    assert (single.sure.images, single.sure.tested) == (0, 0)
    assert "too few" in single.sure.reason


def test_what_was_trained_is_judged_by_what_training_left_alone(
    own_images: Callable[[int], Path], tiny_run: Path, tmp_path: Path
) -> None:
    report = adapt(tiny_run, [own_images(30)], out=tmp_path / "new", method="full", epochs=2)
    assert report.sure.images == report.examined < 30
    opened = open_decisions(open_bundle(tmp_path / "new"))
    assert 55 <= len(opened.references) <= 65


def test_the_evidence_of_counts_is_there_too(
    own_images: Callable[[int], Path], tiny_run: Path, tmp_path: Path
) -> None:
    adapt(tiny_run, [own_images(40)], out=tmp_path / "new", method="prototypes")
    kept = read_evidence(tmp_path / "new")
    assert len(kept.evidence) == 120
    right = kept.evidence.probability_VL.argmax(axis=1) == kept.evidence.label_V
    assert 0.5 < right.mean() < 1.0 or right.all()
