"""The frame of the command line: exit codes, stdout and stderr, help."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holotype.cli import app
from holotype.cli.app import COMMANDS, Exit, main

STARTED = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from holotype.cli.app import main; main()"
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the command line in this process: (exit code, stdout, stderr)."""

    def called(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["holotype", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return called


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str, run) -> None:
    code, out, _ = run(command, "--help")
    assert code == Exit.DONE
    assert out.startswith(f"Usage: holotype {command}")
    assert "--json" in out
    described = re.sub(r"\s+", " ", out)
    assert str(COMMANDS[command].__doc__).strip() in described


def test_help_lists_every_command_in_the_order_of_the_path(run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    listed = re.findall(r"^  ([\w-]+)  ", out, flags=re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict"], "Missing argument"),
        (["predct"], "No such command"),
        (["split", "nowhere", "--out", "x.parquet"], "nowhere: no collection.json"),
        (["split", "nowhere", "--out", "x.parquet", "--fractions", "a,b"], "--fractions a,b"),
        (["train", "trimodel", "--collection", "x", "--split", "y", "--out", "z"], "Did you mean"),
        (["import", "tabel", "x.csv", "--into", "c"], "Did you mean 'table'"),
        (["import", "table", "x.csv", "--into", "c", "--column", "a"], "name=value"),
        (["predict", "nowhere", "x.png", "--out", "a.csv"], "nowhere: no bundle.json"),
        (["predict", "nowhere", "x.png", "--out", "a.xls"], ".csv, .parquet, .json"),
        (["embed", "nowhere", "--collection", "x", "--out", "y"], "nowhere"),
    ],
)
def test_what_the_user_can_mend_is_two_and_on_stderr(
    words: list[str], said: str, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert code == Exit.USER_CAN_MEND
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_a_fault_of_ours_is_one_with_its_traceback(run, monkeypatch: pytest.MonkeyPatch) -> None:
    import holotype.diagnosis

    def broken() -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(holotype.diagnosis, "doctor", broken)
    code, out, err = run("doctor")
    assert code == Exit.OUR_FAULT
    assert out == ""
    assert "planted" in err
    assert "our fault, not yours" in err


def test_a_full_disk_is_no_fault_of_ours(run, monkeypatch: pytest.MonkeyPatch) -> None:
    import holotype.diagnosis

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(holotype.diagnosis, "doctor", full)
    code, _, err = run("doctor")
    assert code == Exit.USER_CAN_MEND
    assert "No space left on device" in err


def test_interrupting_is_not_a_crash(
    tiny_collection: Path, tiny_split: Path, tiny_recipe: Path, tmp_path: Path
) -> None:
    words = ["train", tiny_recipe, "--collection", tiny_collection, "--split", tiny_split]
    more = ["--out", tmp_path / "run", "--set", "schedule.epochs=500", "--accelerator", "cpu"]
    with subprocess.Popen(
        [sys.executable, "-c", STARTED, *map(str, words + more)],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as started:  # fmt: skip
        assert started.stderr is not None
        for line in started.stderr:
            if line.startswith("epoch 1/"):
                break
        started.send_signal(signal.SIGINT)
        err = started.stderr.read()
        assert started.wait() == Exit.USER_CAN_MEND, err
    assert "interrupted; run the same command again to go on" in err
    assert "our fault" not in err


def test_some_failed_inputs_are_three_and_the_rest_is_done(
    run, tiny_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "reads.fasta").write_text(">a\n" + "ACGTTGCATC" * 30 + "\n")
    out_path = tmp_path / "a.csv"
    words = [
        "predict",
        tiny_run,
        tmp_path / "reads.fasta",
        tmp_path / "none.png",
        "--out",
        out_path,
    ]
    code, out, err = run(*words, "--json")
    assert code == Exit.SOME_FAILED
    told = json.loads(out)
    assert (told["out"], told["rows"], told["failures"]) == (str(out_path), 2, 1)
    assert told["decisions"]["failed"] == 1
    code, out, err = run(*words)
    assert code == Exit.SOME_FAILED
    assert f"{out_path}: 2 rows (" in out
    assert ", 1 with a failure\n" in out
    assert "predict: 2 done" in err
    code, out, _ = run(*words[:3], "--out", out_path)
    assert code == Exit.DONE
    assert f"{out_path}: 1 rows (" in out
    assert ", 0 with a failure\n" in out


def test_doctor_finds_this_machine_fit(run) -> None:
    code, out, _ = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert {"python", "torch", "timm", "opencv-python-headless", "free disk here"} <= set(checks)
    unfit = [name for name, check in checks.items() if not check["good"]]
    assert code == (Exit.USER_CAN_MEND if unfit else Exit.DONE)
    _, text, _ = run("doctor")
    assert len(text.splitlines()) == len(checks)
    assert all(line[:3] in ("ok ", "NO ") for line in text.splitlines())


def test_doctor_says_what_cannot_be_imported(run, monkeypatch: pytest.MonkeyPatch) -> None:
    import holotype.diagnosis

    monkeypatch.setattr(
        holotype.diagnosis, "NEEDED", {"numpy": "numpy", "no_such_library": "no_such_library"}
    )
    code, out, _ = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert checks["numpy"]["good"] is True
    assert checks["no_such_library"]["good"] is False
    assert "No module named" in checks["no_such_library"]["found"]
    assert code == Exit.USER_CAN_MEND


def test_the_table_of_commands_is_what_the_package_offers() -> None:
    import holotype

    names = {name.rstrip("_") for name in holotype.__all__ if name != "__version__"}
    inside = {
        f"{word.replace('-', '_')}_{group}"
        for group, typed in app.GROUPS.items()
        for word in (str(command.name) for command in typed.registered_commands)
    }
    commands = {name.replace("-", "_") for name in app.COMMANDS}
    singular = {
        "show_sources": "show_source",
        "get_sources": "get_source",
        "get_models": "get_model",
        "backbone_names": "build_backbone",
        "add_index": "add_to_index",
        "references": "write_references",
        "new_review": "new_session",
        "status_review": "review_status",
        "page_review": "review_page",
    }
    offered = {singular.get(name, name) for name in commands | inside}
    assert names == offered | {"export_model"}  # the command export is of collections and of models
    assert all(callable(getattr(holotype, name)) for name in holotype.__all__[1:])
