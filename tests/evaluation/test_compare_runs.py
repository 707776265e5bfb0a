"""A whole comparison on a tiny collection: processes, a failing arm, a killed one, and the page."""

import json
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from small_schools import CLIP, SUPERVISED

from holotype.collection.store import open_collection
from holotype.evaluation.compare.compare import CompareReport, compare
from holotype.evaluation.compare.examined import read_examined
from holotype.evaluation.compare.one_arm import Job
from holotype.evaluation.compare.page import page
from holotype.evaluation.compare.running import State, plan_jobs, run_jobs
from holotype.evaluation.compare.settings import read_comparison
from holotype.splits.plan import read_split

COMPARISON = """
name = "tiny schools"
seeds = [0, 1]
may_differ = ["model.images"]
[[arm]]
name = "supervised"
recipe = "supervised.toml"
[[arm]]
name = "clip"
recipe = "clip.toml"
[[arm]]
name = "broken"
recipe = "supervised.toml"
set = ["model.images.depth=2"]
[[claim]]
says = "Captions beat a classifier by more than all there is."
first = "clip"
second = ["supervised"]
figures = ["tasks"]
at_least = 101
"""
HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    (folder / "comparison.toml").write_text(COMPARISON)
    for name, text in (("supervised", SUPERVISED), ("clip", CLIP)):
        (folder / f"{name}.toml").write_text(text)
    for seed in (0, 1):  # a damaged run lies where this arm would be trained
        damaged = folder / "out" / "runs" / "seen-unseen" / f"broken-{seed}"
        damaged.mkdir(parents=True)
        (damaged / "bundle.json").write_text('{"format": "something else", "version": 1}')
    return folder


@pytest.fixture(scope="module")
def compared(place: Path, tiny_collection: Path, tiny_split: Path) -> CompareReport:
    return compare(
        place / "comparison.toml",
        collection=tiny_collection,
        splits=[tiny_split],
        out=place / "out",
        jobs=2,
    )


@pytest.fixture(scope="module")
def content(compared: CompareReport) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(compared.report) / "report.json").read_text())
    return found


def test_a_failing_arm_is_said_and_the_others_go_on(
    compared: CompareReport, content: dict[str, Any]
) -> None:
    assert compared.runs == 4
    assert set(compared.failures) == {f"broken seed {s} on seen-unseen" for s in (0, 1)}
    assert all("something else" in reason for reason in compared.failures.values())
    assert [run["state"] for run in content["runs"]].count("done") == 4
    html = (Path(compared.report) / "index.html").read_text()
    assert "2 runs of 6 failed" in html
    assert "something else" in html


def test_every_arm_answers_the_same_queries(content: dict[str, Any]) -> None:
    by_figure: dict[tuple[str, ...], dict[str, int]] = {}
    for row in content["figures"]:
        key = tuple(row[name] for name in ("task", "pair", "rank", "part", "metric"))
        by_figure.setdefault(key, {})[row["arm"]] = row["n"]
    named = by_figure["naming", "image", "label", "all", "top1_macro"]
    assert set(named) == {"supervised", "clip"}  # by the head, and by captions
    for key, counts in by_figure.items():
        if key[-1] not in (
            "mistake_severity",
            "mistakes_agree",
        ):  # asked of mistakes, not of queries
            assert len(set(counts.values())) == 1, key


def test_the_mean_over_seeds_and_what_stands_beside_it(content: dict[str, Any]) -> None:
    row = next(
        row
        for row in content["figures"]
        if (row["task"], row["arm"], row["part"]) == ("retrieval", "clip", "seen")
    )
    assert row["value"] == pytest.approx(sum(row["by_seed"].values()) / 2, abs=2e-6)
    assert row["seeds"] == 2
    methods = {row["method"] for row in content["baselines"] if row["task"] == "cross_instrument"}
    assert methods == {"nearest image by pixels", "chance"}


def test_cost_and_fairness_are_told(content: dict[str, Any]) -> None:
    done = [run for run in content["runs"] if run["state"] == "done"]
    assert all(run["seconds"] > 0 and run["cpu_seconds"] > 0 for run in done)
    assert {run["records_seen"] for run in done} == {done[0]["records"] * 3}
    fairness = content["fairness"]
    assert (fairness["unequal"], fairness["same_order"]) == (False, True)
    kinds = {one["key"]: one["kind"] for one in fairness["differences"]}
    assert kinds["model.images.depth"] == "allowed to differ"
    assert kinds["model.captions"] == "parts present"


def test_a_claim_beyond_all_bounds_does_not_hold(
    compared: CompareReport, content: dict[str, Any]
) -> None:
    (claim,) = content["claims"]
    assert claim["verdict"] == "does not hold"
    assert compared.claims[0]["answer"] == claim["answer"]
    assert len(claim["compared"]) > 3
    assert compared.text.endswith("index.html")


def test_the_page_has_its_sections_and_loads_nothing(content: dict[str, Any]) -> None:
    html = page(content)
    sections = re.findall(r'<section id="([\w-]+)"', html)
    assert sections == [
        "claims", "wins", "tasks", "differences", "everything", "tree", "learning", "cost", "fairness",
        "method",
    ]  # fmt: skip
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    body = re.sub(r"<(script|style).*?</\1>", " ", html, flags=re.DOTALL)
    assert not re.search(r"\b(None|nan|NaN)\b", re.sub(r"<[^>]+>", " ", body))
    assert not re.findall(r'(?:src|href)="(?!#|data:image/)', body)
    assert page(content) == html


@pytest.mark.parametrize(
    "old", ["clip", "tiny schools", "seen-unseen", "naming", "species", "absent"]
)
def test_hostile_text_is_inert(content: dict[str, Any], old: str) -> None:
    text = json.dumps(content)
    hostile = json.loads(text.replace(json.dumps(old), json.dumps(HOSTILE)))
    assert hostile != content
    body = re.sub(r"<script>.*?</script>", " ", page(hostile), count=3, flags=re.DOTALL)
    assert "<img src=x" not in body
    assert "alert(1)</script>" not in body


def test_what_was_done_is_not_done_again(
    compared: CompareReport,
    place: Path,
    tiny_collection: Path,
    tiny_split: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs = Path(compared.report) / "runs" / "seen-unseen"
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*/exam.parquet")}
    written = (Path(compared.report) / "report.json").read_bytes()
    (place / "fewer.toml").write_text(
        re.sub(r'\[\[arm\]\]\nname = "broken".*?\n\[\[', "[[", COMPARISON, flags=re.DOTALL)
    )
    again = compare(
        place / "fewer.toml", collection=tiny_collection, splits=[tiny_split], out=place / "out"
    )
    assert (again.runs, again.failures) == (4, {})
    assert "4 of 4 runs were done before" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in runs.glob("*/exam.parquet")} == before
    figures = json.loads((place / "out" / "report.json").read_text())["figures"]
    assert figures == json.loads(written)["figures"]


def children(parent: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        found += [int(word) for word in path.read_text().split()]
    return found


def kill_after_an_epoch(job: Job, killed: list[int]) -> None:
    checkpoint = Path(job.folder) / "resume" / "checkpoint.safetensors"
    until = time.monotonic() + 120
    while time.monotonic() < until and not killed:
        if checkpoint.is_file():
            for child in children(os.getpid()):
                command = Path(f"/proc/{child}/cmdline").read_bytes().decode()
                if str(Path(job.folder) / "job.json") in command:
                    os.kill(child, signal.SIGKILL)
                    killed.append(child)
        time.sleep(0.01)


def test_a_killed_run_goes_on_where_it_was(
    compared: CompareReport, place: Path, tiny_collection: Path, tiny_split: Path
) -> None:
    _, arms = read_comparison([place / "comparison.toml"])
    split = read_split(tiny_split)
    (job,) = plan_jobs(
        arms[:1], [0], open_collection(tiny_collection), {"seen-unseen": (tiny_split, split)},
        place / "killed", accelerator="cpu",
    )  # fmt: skip
    killed: list[int] = []
    watch = threading.Thread(target=kill_after_an_epoch, args=(job, killed))
    watch.start()
    (first,) = run_jobs([job], at_once=1)
    watch.join()
    assert killed
    assert first.state is State.FAILED
    assert "ended by signal 9" in str(first.reason)
    (second,) = run_jobs([job], at_once=1)
    assert (second.state, second.reason) == (State.DONE, None)
    log = (Path(job.folder) / "log.txt").read_text()
    assert "going on after epoch" in log
    whole = read_examined(Path(compared.report) / "runs" / "seen-unseen" / "supervised-0")
    resumed = read_examined(Path(job.folder))
    # The same weights, bit for bit, and so the same figures.
    assert resumed.model["fingerprint"] == whole.model["fingerprint"]
    assert [s.as_json() for s in resumed.scores] == [s.as_json() for s in whole.scores]
    assert [sitting["ended"] for sitting in second.cost["sittings"]] == [False, True]
