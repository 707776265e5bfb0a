"""Where nothing may be written, where two do the same at once, and where the clock goes back."""

from pathlib import Path

import pytest
from faults_logs import LOGS
from faults_operations import OPERATIONS
from faults_server import SERVER
from faults_trials import clock_goes_back, is_kept_out, read_only, together

EVERYTHING = OPERATIONS | LOGS
QUICK = (
    "import-more",
    "download-model",
    "export-webdataset",
    "index-add",
    "publish-ecotaxa-folder",
    "review-new",
)


def cases(quick: tuple[str, ...]) -> list[object]:
    """All operations; those that are not quick are slow tests."""
    return [
        name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in EVERYTHING
    ]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.mark.parametrize(
    "name", cases(("import-more", "predict-csv", "review-log", "publish-ecotaxa-folder"))
)
def test_a_folder_that_may_not_be_written_is_said_and_stays_as_it_was(
    name, traceable, given, served, place, tmp_path
):
    if not SERVER.ask(is_kept_out, tmp_path / "kept-out"):
        pytest.skip("modes of files keep nobody out here")
    said, faults = SERVER.ask(read_only, EVERYTHING[name], place, given | served)
    assert faults == []
    assert "Error" in said


@pytest.mark.parametrize("name", cases(QUICK))
def test_two_at_once_are_both_whole_or_one_is_refused(name, traceable, given, served, place):
    if name == "jobs":
        pytest.skip("two servers are asked for two jobs each: four jobs, as it should be")
    _, faults = SERVER.ask(together, EVERYTHING[name], place, given | served)
    assert faults == []


@pytest.mark.parametrize("name", cases(("review-log", "assess-labels", "download", "review-apply")))
def test_a_clock_that_goes_back_changes_nothing(name, traceable, given, served, place):
    assert SERVER.ask(clock_goes_back, EVERYTHING[name], place, given | served) == []
