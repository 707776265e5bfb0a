"""The drift watch: hand-worked effects, silence where nothing changed, a word where something did."""

import json
from pathlib import Path

import numpy as np
import pytest

import holotype
from holotype.decisions.drift import class_distance, drift, embedding_effect, shape_distance
from holotype.decisions.preparation import preparation_print
from holotype.decisions.summary import Drift, Moments, Statistics, statistics, training_summary
from holotype.media.preparation import PixelPreparation, PreparationKind

RNG = np.random.default_rng(11)
PADDED = PixelPreparation(PreparationKind.PADDED, side_px=32, channels=1)


def unit(z_VD):
    return z_VD / np.linalg.norm(z_VD, axis=1, keepdims=True)


def drawn(rows: int, *, moved: float = 0.0, grey: float = 100.0, size: float = 60.0, mix=(6, 3, 1)):
    """Statistics of made-up answers; by default all are drawn alike."""
    z_VD = unit(RNG.normal(size=(rows, 24)) + 1.0 + moved * (np.arange(24) % 2))
    labels = RNG.choice(3, rows, p=np.asarray(mix) / sum(mix))
    counts = {name: int((labels == place).sum()) for place, name in enumerate("abc")}
    greys = np.clip(RNG.normal(grey, 15, rows), 0, 255)
    return {"image": z_VD}, counts, greys, RNG.lognormal(np.log(size), 0.3, rows)


def summary_of(*given, **named):
    return training_summary(*given, {"ISIIS": 3}, **named)


def told(findings):
    return {finding.kind for finding in findings if finding.is_drift}


def test_moments_by_hand() -> None:
    before = Moments.of(np.asarray([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]))
    assert before.mean_D.tolist() == [2.0, 1.0]
    assert before.variance_D.tolist() == pytest.approx([8 / 3, 0.0])
    now = Moments.of(np.asarray([[6.0, 9.0], [6.0, 9.0], [6.0, 9.0]]))
    # the variance of the first number is 4; the second never varied, so nothing can be said of it
    assert embedding_effect(before, now) == pytest.approx(np.sqrt(16 / 4 - 2 / 3))


def test_class_distance_by_hand() -> None:
    before, now = {"a": 60, "b": 40}, {"a": 20, "b": 40, "c": 40}
    assert class_distance(before, now) == pytest.approx(0.4 - _usual([0.4, 0.4, 0.2], 100))
    assert class_distance(before, before) == 0.0
    assert class_distance({"a": 1000}, {"b": 1000}) == pytest.approx(1.0, abs=0.02)


def _usual(pooled, n):
    return 0.5 * sum((2 / np.pi * p * (1 - p) * 2 / n) ** 0.5 for p in pooled)


def test_shape_distance_by_hand() -> None:
    found = shape_distance([50, 50, 0], [0, 50, 50])
    assert found == pytest.approx(0.5 - 0.87 * (2 / 100) ** 0.5)


def test_statistics_add_up_in_any_parts() -> None:
    z, labels, grey, size = drawn(300)
    whole = statistics(z, labels, grey, size)
    parts = [
        statistics({"image": z["image"][rows]}, {}, grey[rows], size[rows])
        for rows in (slice(0, 7), slice(7, 200), slice(200, 300))
    ]
    total = parts[0] + parts[1] + parts[2] + Statistics(labels=labels)
    assert (total.grey, total.size, total.rows) == (whole.grey, whole.size, 300)
    assert sum(whole.grey) == sum(whole.size) == 300
    np.testing.assert_allclose(total.embedding["image"].mean_D, whole.embedding["image"].mean_D)
    again = Statistics.from_json(json.loads(json.dumps(total.as_json())))
    assert again.as_json() == total.as_json()


def test_alike_is_silent_with_few_and_with_many() -> None:
    summary = summary_of(*drawn(400), preparation=preparation_print(PADDED))
    for rows in (50, 500, 20_000):
        findings = drift(summary, statistics(*drawn(rows)), preparation=preparation_print(PADDED))
        assert {finding.kind for finding in findings} == set(Drift)
        assert told(findings) == set()
        assert all(finding.effect < 0.12 for finding in findings)


def test_too_few_say_nothing() -> None:
    assert drift(summary_of(*drawn(400)), statistics(*drawn(49, moved=5.0))) == []
    assert drift(summary_of(*drawn(49)), statistics(*drawn(400))) == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"moved": 2.0}, Drift.EMBEDDING),
        ({"mix": (1, 3, 6)}, Drift.CLASSES),
        ({"grey": 125.0}, Drift.GREY),
        ({"size": 110.0}, Drift.SIZE),
    ],
)
@pytest.mark.parametrize("rows", [200, 5_000])
def test_each_change_is_told_and_no_other(changed, kind: Drift, rows: int) -> None:
    findings = drift(summary_of(*drawn(600)), statistics(*drawn(rows, **changed)))
    assert told(findings) == {kind}
    (finding,) = [one for one in findings if one.is_drift]
    assert finding.text


def test_another_decoder_or_resize_is_told_with_the_versions() -> None:
    here = preparation_print(PADDED)
    assert here == preparation_print(PADDED)
    other = preparation_print(PixelPreparation(PreparationKind.SQUASHED, 32, 1))
    assert other["resized"] != here["resized"]
    assert other["decoded"] == here["decoded"]
    assert preparation_print(None) == {}
    then = {**here, "decoded": "0" * 16, "versions": {**here["versions"], "opencv": "4.9.0"}}
    (finding,) = drift(summary_of({}, {}, [], [], preparation=then), Statistics(), preparation=here)
    assert finding.is_drift
    assert "images are decoded otherwise" in finding.text
    assert f"opencv 4.9.0 then, {here['versions']['opencv']} now" in finding.text


def test_a_run_says_what_drifted_on_stderr_and_in_the_sidecar(
    tiny_run: Path, tiny_collection: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    folder = tmp_path / "crops"
    folder.mkdir()
    from holotype.collection.store import open_collection

    for number, (_, content) in enumerate(open_collection(tiny_collection).images()):
        if content is not None:
            (folder / f"{number}.png").write_bytes(content)
    _, labels, grey, size = drawn(200, grey=20.0, size=4000.0)
    vectors = {"image": unit(RNG.normal(size=(200, 32)))}
    summary = summary_of(vectors, labels, grey, size)
    monkeypatch.setattr("holotype.identify.drift.stored_summary", lambda bundle: summary)
    report = holotype.predict(tiny_run, [folder], out=tmp_path / "a.csv")
    said = capsys.readouterr().err
    sidecar = json.loads((tmp_path / "a.csv.run.json").read_text())
    found = {
        one["kind"]: one for one in sidecar["drift"] if one["kind"] in ("grey", "size", "classes")
    }
    assert all(one["drift"] for one in found.values())
    assert len(found) == 3
    assert said.count("drift: ") == len(report.drift) >= 3
    assert found["size"]["text"] in said


def test_a_run_on_its_own_kind_is_silent(tiny_run: Path, tmp_path: Path, brought, capsys) -> None:
    for name, content in brought["images"]:
        (tmp_path / name).write_bytes(content)
    report = holotype.predict(tiny_run, sorted(tmp_path.glob("*.png")), out=tmp_path / "a.csv")
    assert report.drift == ()
    assert "drift:" not in capsys.readouterr().err
