"""Assess, queue and suspects from end to end on simulated records; planted errors come up first."""

import csv
import json

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.assessing import choosing
from holotype.assessing.assess import assess, draw_from, draw_to_label
from holotype.assessing.choosing import choose, choose_without_vectors
from holotype.assessing.classes import Classes
from holotype.assessing.contradictions import copies, minorities
from holotype.assessing.doubting import doubt
from holotype.assessing.judging import judge
from holotype.assessing.probe import out_of_fold
from holotype.assessing.queue import queue
from holotype.assessing.report import told
from holotype.assessing.suspects import COLUMNS, suspects
from holotype.assessing.worth import Why, worth
from holotype.assessing.written import WrittenLabels
from holotype.cli import assessing
from holotype.collection.store import open_collection
from holotype.errors import RecipeError, SourceError
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.models.bundle import open_bundle


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def fill(path, label_of):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        text = handle.read()
    delimiter = ";" if ";" in text.splitlines()[0] else ","
    rows = list(csv.DictReader(text.splitlines(), delimiter=delimiter))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys(), delimiter=";")
        writer.writeheader()
        writer.writerows([{**row, "label": label_of(row)} for row in rows])


@pytest.fixture(scope="module")
def truth(tiny_collection):
    table = open_collection(tiny_collection).columns(["record_id", "species", "genus", "family"])
    return {r["record_id"]: r["species"] or r["genus"] or r["family"] for r in table.to_pylist()}


def test_own_data_in_two_steps(tiny_run, tiny_collection, truth, tmp_path):
    out = tmp_path / "own"
    drawn = draw_from(tiny_run, [tiny_collection], out=out, n=60, seed=3)
    assert drawn.drawn == 60
    assert drawn.not_found == 0
    filled = out / "to-label.csv"
    assert {row["label"] for row in rows_of(filled)} == {""}
    sheet = (out / "sheet.html").read_text(encoding="utf-8")
    assert sheet.count("<img src=") > 30
    prefix = f"{tiny_collection}/"
    fill(
        filled,
        lambda row: truth[row["input"].removeprefix(prefix)] if row["number"] != "1" else "Zzzz",
    )
    report = assess(tiny_run, filled, out=out)
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    missed = sum(one["records"] for one in content["not_understood"])
    assert content["labelled"] + missed + content["blank"] == 60
    assert {"label": "Zzzz", "records": 1, "detail": ""} in content["not_understood"]
    bins = content["calibration"]["label"]["bins"]
    assert sum(one["right"]["n"] for one in bins) == content["labelled"]
    # the same judgement of every record, not of a draw: what the intervals have to hold
    answers, labels = pq.read_table(out / "answers.parquet"), open_bundle(tiny_run).labels
    finder = WrittenLabels(labels)
    written = [finder.find(truth[name]) for name in answers["record_id"].to_pylist()]
    whole = judge(
        answers, written, labels, weight_S=np.ones(len(written)), stratum_S=["all"] * len(written)
    )
    right = float((whole.label_S != 0).mean())
    assert content["accuracy"]["label"]["low"] < right < content["accuracy"]["label"]["high"]
    assert "not understood: 'Zzzz'" in told(report.content)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Another instrument?" in page
    assert "http" not in page.partition("<script>")[0].replace("http-equiv", "")
    with pytest.raises(SourceError, match="has labels already"):
        draw_from(tiny_run, [tiny_collection], out=out, answers=out / "answers.parquet")
    fill(filled, lambda row: "?")
    with pytest.raises(SourceError, match="no label was understood"):
        assess(tiny_run, filled, out=out)


def test_nothing_to_draw_from_is_said(tiny_run, tmp_path):
    answers = pa.Table.from_pylist([{"input": "a", "decision": "failed"}], schema=ANSWER_SCHEMA)
    with pytest.raises(SourceError, match="no input has an answer"):
        draw_to_label(tiny_run, [], answers, out=tmp_path)
    with pytest.raises(SourceError, match="no input given"):
        draw_from(tiny_run, [], out=tmp_path)


def blobs(rng, classes, each, dim=24, spread=0.25):
    centre = rng.normal(size=(classes, dim))
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    z = np.repeat(centre, each, axis=0) + spread * rng.normal(size=(classes * each, dim))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return z.astype(np.float32), np.repeat(np.arange(classes), each)


def test_planted_errors_are_the_most_doubtful():
    rng = np.random.default_rng(4)
    z, right = blobs(rng, 12, 40, spread=0.2)
    planted = rng.choice(len(z), 24, replace=False)
    written = right.copy()
    written[planted] = (right[planted] + rng.integers(1, 12, 24)) % 12
    found = doubt(z, written, np.arange(len(z)), ~np.eye(12, dtype=bool), k=20)
    order = np.argsort(-found.suspicion_N, kind="stable")
    assert np.isin(order[:24], planted).mean() >= 0.9
    assert (found.best_N[planted] == right[planted]).mean() >= 0.9
    assert np.isin(np.flatnonzero(found.confident_N), planted).mean() >= 0.9
    np.testing.assert_array_equal(
        doubt(z, written, np.arange(len(z)), ~np.eye(12, dtype=bool), k=20).suspicion_N,
        found.suspicion_N,
    )


def test_labels_that_may_both_be_right_are_no_doubt():
    z, right = blobs(np.random.default_rng(1), 3, 30, spread=0.1)
    written = right.copy()
    written[:15] = 3  # the family of class 0
    excludes = ~np.eye(4, dtype=bool)
    excludes[0, 3] = excludes[3, 0] = False
    found = doubt(z, written, np.arange(len(z)), excludes, k=10)
    assert (found.suspicion_N[:30] < 0.1).all()


def test_a_probe_never_sees_the_group_that_it_judges():
    """Every record has a copy with its own unique label: whoever saw the copy would know the label."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 16)).astype(np.float32)
    both, label = np.concatenate([z, z]), np.tile(np.arange(60), 2)
    group = np.tile(np.arange(60), 2)
    p = out_of_fold(both, label, group, seed=0)
    assert p[np.arange(120), label].max() == 0
    seen = out_of_fold(both, label, np.arange(120), seed=0)
    assert seen[np.arange(120), label].mean() > 0.2


def test_copies_and_minorities_by_hand():
    names, excludes = ["copepod", "sphere"], ~np.eye(2, dtype=bool)
    probe = np.asarray([[0.3, 0.7], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    found = copies(["h", "h", "i", "i"], np.asarray([0, 1, 0, 1]), excludes, probe, names)
    assert [(one.row, one.other, one.suggested) for one in found] == [(0, 1, 1), (2, 3, 1)]
    few = minorities(
        ["b"] * 4 + ["c"] * 2, np.asarray([0, 0, 0, 1, 0, 1]), excludes, names, what="BIN", most=0.8
    )
    assert [(one.row, one.suggested) for one in few] == [(3, 0)]
    assert few[0].suspicion == pytest.approx(0.8)
    assert few[0].detail == "3 of 3 others with its BIN are copepod"


def test_suspects_of_a_collection(tiny_run, tiny_collection, tmp_path):
    report = suspects(tiny_run, collection=tiny_collection, out=tmp_path / "suspects.csv")
    rows = rows_of(tmp_path / "suspects.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == report.suspects == sum(report.evidence.values())
    assert report.in_training > 0
    assert {row["in_training"] for row in rows} <= {"train", "val", ""}
    certain = [float(row["suspicion"]) for row in rows if row["evidence"] != "same_image"]
    assert certain == sorted(certain, reverse=True)
    assert [row["place"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]


@pytest.mark.real
@pytest.mark.slow
def test_copies_under_two_labels_come_first(real_data, tmp_path):
    import holotype

    table = real_data / "taxonomy" / "planktonzilla_taxonomy.csv"
    holotype.import_(
        "image-folder", [real_data / "plankton" / "uvp6" / "images"], into=tmp_path / "uvp6",
        source="uvp6net", labels=table,
    )  # fmt: skip
    suspects("starter", collection=tmp_path / "uvp6", out=tmp_path / "suspects.csv")
    first = rows_of(tmp_path / "suspects.csv")[:100]
    assert {(row["evidence"], row["written_label"]) for row in first} == {
        ("same_image", "Copepoda")
    }


def answered(scores):
    """Answers with two labels each: (label, other, score)."""
    rows = [
        {"input": f"{at}.png", "record_id": f"{at}", "label": label, "score": score,
         "top_k": json.dumps([{"label": label, "score": score}, {"label": other, "score": 1 - score}])}
        for at, (label, other, score) in enumerate(scores)
    ]  # fmt: skip
    rows.append({"input": "bad.png", "decision": "failed", "failure": "no image"})
    for row in rows[:-1]:
        row["decision"] = "named"
    return pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA)


def test_worth_has_its_reasons():
    table = answered([("a", "b", 0.99)] * 8 + [("a", "b", 0.51), ("c", "a", 0.95)]).slice(0, 10)
    found = worth(table)
    assert found.worth_N[8] > found.worth_N[:8].max()
    assert found.rank_N[Why.RARITY].argmax() == 9
    assert "a (0.51) or b (0.49)" in found.why(8)
    assert "a rare answer: 1 of 10" in found.why(9)
    assert Why.NOVELTY not in found.rank_N
    # c: p (1 - p) / total of c = 0.95 * 0.05 / 0.95; the doubtful one weighs on b: 0.2499 / 0.57
    assert found.rank_N[Why.ABUNDANCE].argmax() == 8


def test_a_queue_spreads_over_look_alikes_and_is_the_same_again(tmp_path):
    z, cluster = blobs(np.random.default_rng(2), 8, 20, spread=0.05)
    table = answered([("a", "b", 0.9)] * 159 + [("a", "b", 0.6)])
    pq.write_table(table, tmp_path / "answers.parquet")
    vectors = pa.table({"input": table["input"], "embedding": [*z.tolist(), None]})
    pq.write_table(vectors, tmp_path / "z.parquet")
    asked = {"embeddings": tmp_path / "z.parquet", "n": 8}
    report = queue(tmp_path / "answers.parquet", out=tmp_path / "a.csv", **asked)
    rows = rows_of(tmp_path / "a.csv")
    assert {int(cluster[int(row["record_id"])]) for row in rows} == set(range(8))
    assert report.without_answer == 1
    assert {row["label"] for row in rows} == {""}
    assert all("stands for 20 that look alike" in row["why"] for row in rows)
    queue(tmp_path / "answers.parquet", out=tmp_path / "b.csv", **asked)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    pq.write_table(vectors.slice(1), tmp_path / "z.parquet")
    with pytest.raises(SourceError, match=r"lacks 1 of the answered records, as 0\.png"):
        queue(tmp_path / "answers.parquet", out=tmp_path / "a.csv", **asked)


def test_without_vectors_no_answer_takes_all_places():
    value = np.asarray([0.9, 0.8, 0.7, 0.1])
    chosen = choose_without_vectors(value, ["a", "a", "a", "b"], n=2)
    assert chosen.row_K.tolist() == [0, 3]
    z, _ = blobs(np.random.default_rng(0), 2, 3)
    assert sorted(choose(np.ones(6), z, n=50, seed=0).row_K.tolist()) == list(range(6))


def test_more_than_are_clustered_may_be_asked_for(monkeypatch):
    monkeypatch.setattr(choosing, "MOST_CLUSTERED", 5)
    z, _ = blobs(np.random.default_rng(0), 2, 6)
    assert len(choose(np.ones(12), z, n=9, seed=0).row_K) == 9
    assert len(choose(np.ones(12), z, n=3, seed=0).row_K) == 3


def test_a_fraction_given_nowhere_is_the_whole_sample():
    rows = answered([("a", "b", 0.6)] * 4).slice(0, 4).to_pylist()
    for row, litres in zip(rows, (1.0, 10.0, 10.0, 10.0), strict=True):
        row["sampled_volume_l"] = litres
    found = worth(pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA))
    assert found.rank_N[Why.ABUNDANCE].argmax() == 0
    assert found.rank_N[Why.ABUNDANCE][0] > found.rank_N[Why.ABUNDANCE][1]


def test_the_ending_is_looked_at_before_the_work(tmp_path):
    with pytest.raises(SourceError, match="end it in"):
        suspects(tmp_path / "none", collection=tmp_path / "none", out=tmp_path / "s.xlsx")
    with pytest.raises(SourceError, match="end it in"):
        queue(tmp_path / "none.csv", out=tmp_path / "s.xlsx")


def test_embeddings_that_are_no_numbers_are_refused(tmp_path):
    pq.write_table(answered([("a", "b", 0.9)] * 3).slice(0, 3), tmp_path / "answers.parquet")
    for vectors, said in (([[1.0, 0.0], [np.nan, 0.0], [0.0, 1.0]], "no numbers"),
                          ([[1.0, 0.0], [1.0], [0.0, 1.0]], "several lengths")):  # fmt: skip
        table = pa.table({"input": ["0.png", "1.png", "2.png"], "embedding": vectors})
        pq.write_table(table, tmp_path / "z.parquet")
        with pytest.raises(SourceError, match=said):
            queue(
                tmp_path / "answers.parquet", out=tmp_path / "q.csv",
                embeddings=tmp_path / "z.parquet", n=1,
            )  # fmt: skip


def test_labels_that_differ_in_capitals_alone_do_not_exclude_each_other(own_labels_by_case):
    found = Classes.of(open_collection(own_labels_by_case).columns())
    assert found.names == ("GRÖSSE", "blob")
    assert found.class_N.tolist() == [0, 0, 1]
    assert found.excludes_CC.tolist() == [[False, True], [True, False]]


@pytest.fixture
def own_labels_by_case(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("Größe", "GRÖSSE", "blob"):
        (tmp_path / "own" / name).mkdir(parents=True)
        pixels = rng.integers(0, 255, (20, 20)).astype(np.uint8)
        (tmp_path / "own" / name / "1.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    holotype.import_("image-folder", [tmp_path / "own"], into=tmp_path / "c", source="own")
    return tmp_path / "c"


def test_the_report_judges_the_error_that_the_answers_were_made_for(
    tiny_run, tiny_collection, truth, tmp_path
):
    out = tmp_path / "own"
    draw_from(tiny_run, [tiny_collection], out=out, n=20, max_error=0.2)
    prefix = f"{tiny_collection}/"
    fill(out / "to-label.csv", lambda row: truth[row["input"].removeprefix(prefix)])
    report = assess(tiny_run, out / "to-label.csv", out=out)
    assert report.content["promise"]["max_error"] == 0.2
    with pytest.raises(SourceError, match="its answers were made for"):
        assess(tiny_run, out / "to-label.csv", out=out, max_error=0.05)
    made = (out / "answers.parquet").stat().st_mtime_ns
    with pytest.raises(SourceError, match="has labels already"):
        draw_from(tiny_run, [tiny_collection], out=out, n=20)
    assert (out / "answers.parquet").stat().st_mtime_ns == made
    given = {"out": tmp_path / "more", "n": 20, "answers": out / "answers.parquet"}
    with pytest.raises(SourceError, match="Leave --max-error away"):
        draw_from(tiny_run, [tiny_collection], max_error=0.1, **given)
    draw_from(tiny_run, [tiny_collection], **given)
    about = json.loads((tmp_path / "more" / "assessment.json").read_text())
    assert about["max_error"] == 0.2


def test_answers_of_another_model_are_not_drawn_from(tiny_run, tiny_collection, tmp_path):
    rows = [{"input": "a", "decision": "named", "label": "a", "model": "0123456789abcdef"}]
    answers = pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA)
    with pytest.raises(SourceError, match="of the model 0123456789abcdef"):
        draw_to_label(tiny_run, [tiny_collection], answers, out=tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"inputs": ["own"], "labels": "l.csv"}, "inputs: only for the draw"),
        ({"labels": "l.csv", "n": 9}, "--n: only for the draw"),
        ({"labels": "l.csv", "answers": "a.csv"}, "--answers: only for the draw"),
        ({"inputs": ["own"], "backbone": "b"}, "--backbone: only with --labels"),
        ({"inputs": ["own"], "label_table": "t.csv"}, "--label-table: only with --labels"),
    ],
)
def test_options_that_would_do_nothing_are_refused(given, said):
    with pytest.raises(RecipeError, match=said):
        assessing.assess("starter", **given)
