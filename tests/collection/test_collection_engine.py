"""The same work on this machine and on a Ray cluster gives the same bytes; faults of tasks are told."""

import subprocess
import sys

import pytest

from holotype.engine import check_engine, run_tasks
from holotype.errors import EngineError


def test_a_single_task_runs_here_and_several_run_elsewhere():
    assert list(run_tasks("os.path:basename", ["/a/b"])) == ["b"]
    names = [f"/a/{number}" for number in range(7)]
    assert sorted(run_tasks("os.path:basename", names)) == [str(number) for number in range(7)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Daft's pipes
def test_what_a_task_raises_is_raised_here():
    with pytest.raises(OSError, match="No such file"):
        list(run_tasks("os:stat", ["/there/is/no/such/file", "/nor/this"]))
    with pytest.raises(EngineError, match=r"(?s)a task failed:.*must be real number"):
        list(run_tasks("math:sqrt", ["a", "b"]))


@pytest.mark.parametrize("name", ["lokal", "ray:/x", ""])
def test_unknown_engines(name):
    with pytest.raises(EngineError, match=r"Use local, ray or ray://host:port"):
        check_engine(name)


IMPORT = (
    "import sys, holotype\n"
    "into, engine, *inputs = sys.argv[1:]\n"
    "holotype.import_('image-folder', inputs, into=into, source='s', engine=engine)\n"
)


def test_a_ray_cluster_gives_the_same_bytes(tmp_path, png):
    pytest.importorskip("ray")
    folders = []
    for number in range(4):
        folder = tmp_path / f"in{number}" / "K"
        folder.mkdir(parents=True)
        for image in range(5):
            (folder / f"{image}.png").write_bytes(png(10 * number + image))
        (folder / "broken.png").write_bytes(b"nothing")
        folders.append(str(folder.parent))
    found = []
    for engine in ("local", "ray"):
        into = tmp_path / engine / "c"
        words = [sys.executable, "-c", IMPORT, str(into), engine, *folders]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(
            {
                path.relative_to(into).as_posix(): path.read_bytes()
                for path in sorted(into.rglob("*"))
                if path.is_file()
            }
        )
    assert found[0] == found[1]
    assert any(name.startswith("records/") for name in found[0])
