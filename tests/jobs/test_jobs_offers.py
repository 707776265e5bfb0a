"""What may be started from a page: commands that exist, with values that are checked."""

import json
import time

import pytest
from typer.main import get_command

from holotype.cli.app import app
from holotype.jobs import JobError, Jobs, State
from holotype.jobs.allowed import Allowed
from holotype.jobs.fields import FieldKind, FieldsError
from holotype.jobs.offers import OFFERS, offer_of
from holotype.progress import PLACE, marked, tracked
from holotype.training.checkpoint import Progress
from holotype.training.figures import EpochLog


@pytest.fixture
def allowed(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.png").write_bytes(b"x")
    (tmp_path / "own" / "a b'c\".png").write_bytes(b"x")
    (tmp_path / "own" / "--out=x.png").write_bytes(b"x")
    (tmp_path / "own" / "link").symlink_to(tmp_path / "other")
    return Allowed.of([tmp_path / "own"], [tmp_path / "other" / "model", None])


def command_of(offer):
    found = get_command(app)
    for word in offer.words:
        found = found.commands[word]
    return found


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_every_option_is_one_of_the_command(offer):
    found = command_of(offer)
    options = {one for param in found.params for one in param.opts if one.startswith("--")}
    assert {field.option for field in offer.fields if field.option} | {"--json"} <= options
    places = [one for one in found.params if one.param_type_name == "argument"]
    assert len([field for field in offer.fields if not field.option]) <= len(places)
    needed = {one.opts[0] for one in found.params if one.required and one not in places}
    assert needed <= {field.option for field in offer.fields if field.needed}
    assert len({field.name for field in offer.fields}) == len(offer.fields)


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_values_that_stand_at_first_are_good_ones(offer, allowed):
    try:
        offer.command({field.name: field.default for field in offer.fields}, allowed)
    except FieldsError as reason:
        assert set(reason.reasons.values()) == {"is needed."}  # noqa: PT017


def test_words_are_those_of_the_command_line(allowed, tmp_path):
    words = offer_of("predict").command(
        {
            "model": "starter", "inputs": "a b'c\".png\n\n--out=x.png\n", "out": "new/answers.CSV",
            "max_error": "1e-2", "index": " ",
        },
        allowed,
    )  # fmt: skip
    own = tmp_path / "own"
    assert words == [
        "predict", "--model=starter", f"{own}/a b'c\".png", f"{own}/--out=x.png",
        f"--out={own}/new/answers.CSV", "--max-error=0.01", "--json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"inputs": "../other/secret.png"}, "inputs", "outside of the folders"),
        ({"inputs": "link/secret.png"}, "inputs", "outside of the folders"),
        ({"inputs": "/etc/passwd"}, "inputs", "outside of the folders"),
        ({"inputs": "~/x"}, "inputs", "outside of the folders"),
        ({"inputs": "@list"}, "inputs", "no such file"),
        ({"inputs": "x" * 2000}, "inputs", "at most"),
        ({"inputs": "a\0b"}, "inputs", "letters"),
        ({"inputs": ""}, "inputs", "is needed"),
        ({"out": "link/x.csv"}, "out", "outside of the folders"),
        ({"out": "x.txt"}, "out", "end it in"),
        ({"out": "."}, "out", "is a folder"),
        ({"out": "a.csv\nb.csv"}, "out", "one line"),
        ({"model": "link"}, "model", "outside"),
        ({"model": "."}, "model", "no model"),
        ({"max_error": "nan"}, "max_error", "not between"),
        ({"max_error": "5 %"}, "max_error", "no number"),
        ({"restart": "x"}, "restart", "no such field"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(allowed, values, field, says):
    good = {"model": "starter", "inputs": "a b'c\".png", "out": "x.csv"}
    with pytest.raises(FieldsError) as refused:
        offer_of("predict").command({**good, **values}, allowed)
    assert set(refused.value.reasons) == {field}
    assert says in refused.value.reasons[field]


def test_all_that_is_wrong_is_said_at_once(allowed):
    with pytest.raises(FieldsError) as refused:
        offer_of("adapt").command({"method": "prob", "epochs": "1.5", "seed": "-1"}, allowed)
    assert set(refused.value.reasons) == {"model", "inputs", "out", "method", "epochs", "seed"}
    assert "Did you mean 'probe'" in refused.value.reasons["method"]


def test_the_servers_own_model_may_be_named_wherever_it_lies(allowed, tmp_path):
    assert allowed.path(str(tmp_path / "other" / "model")) == tmp_path / "other" / "model"
    with pytest.raises(JobError, match="outside"):
        allowed.path(str(tmp_path / "other" / "model" / ".."))
    with pytest.raises(JobError, match="no files"):
        Allowed(()).path("x")


def test_other_commands_are_not_offered():
    for name in ("serve", "drop", "predict --json", ""):
        with pytest.raises(JobError, match="cannot be started"):
            offer_of(name)
    assert FieldKind.TEXT in {field.kind for offer in OFFERS for field in offer.fields}


def test_a_command_runs_and_says_how_far_it_is(tmp_path, png, allowed):
    """The real command line: its result, its progress, its log."""
    folder = tmp_path / "own" / 'crops and "more"' / "Copepoda"
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / f"{number}.png").write_bytes(png(number))
    words = offer_of("import").command(
        {"kind": "image-folder", "inputs": str(folder.parent), "into": "made", "existing": "keep"},
        allowed,
    )
    jobs = Jobs(tmp_path / "jobs")
    jobs.attend()
    try:
        job = jobs.start("Import", words)
        end = time.monotonic() + 60
        while not jobs.get(job.id).is_over:
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        jobs.close()
    job = jobs.get(job.id)
    assert job.state is State.DONE, jobs.log(job.id).text
    assert job.result["records"] == 5
    found = jobs.progress(job.id)
    assert found is not None
    assert (found.done, found.total, found.share) == (5, None, None)
    assert "5 done" in jobs.log(job.id).text


def test_progress_is_written_whole_and_seldom(tmp_path, monkeypatch):
    place = tmp_path / "progress.json"
    monkeypatch.setenv(PLACE, str(place))
    monkeypatch.setattr("holotype.progress.LEAST_SECONDS", 0.0)
    seen = [
        (item, json.loads(place.read_text())["done"])
        for item in tracked(range(3), title='a "b"', total=3)
    ]
    assert seen == [(0, 0), (1, 1), (2, 2)]
    last = json.loads(place.read_text())
    assert (last["title"], last["done"], last["total"]) == ('a "b"', 3, 3)
    monkeypatch.setattr("holotype.progress.LEAST_SECONDS", 60.0)
    for _ in tracked(range(1000), title="many"):
        assert json.loads(place.read_text())["done"] == 0
    assert json.loads(place.read_text())["done"] == 1000
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_progress_that_cannot_be_written_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(PLACE, str(tmp_path / "gone" / "progress.json"))
    marked("x", done=1)
    assert list(tracked(range(3), title="x")) == [0, 1, 2]
    monkeypatch.delenv(PLACE)
    assert list(tracked(range(3), title="x")) == [0, 1, 2]


def test_training_says_its_epochs(tmp_path, monkeypatch):
    monkeypatch.setenv(PLACE, str(tmp_path / "progress.json"))
    progress = Progress("made of")
    progress.history.append({"epoch": 2, "loss": 0.5})
    with EpochLog(tmp_path, progress, active=True) as log:
        log.write(progress, 5)
    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["title"], told["done"], told["total"]) == ("train (epochs)", 2, 5)
