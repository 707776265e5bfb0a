"""Killed before or half-way through any write, nothing half is taken for whole and nothing told is lost."""

from pathlib import Path

import pytest
from faults_logs import LOGS
from faults_operations import OPERATIONS
from faults_planted import PLANTED, PLANTED_OPERATIONS
from faults_server import SERVER
from faults_states import Campaign, campaign, killed_everywhere
from faults_tracing import Call

EVERYTHING = OPERATIONS | LOGS
QUICK = [name for name, one in EVERYTHING.items() if one.quick]


def tried(name: str, place: Path, given: dict[str, Path], most: int | None) -> Campaign:
    place.mkdir()
    made = campaign(EVERYTHING[name], place, given, most=most)
    assert made.faults == []
    assert made.blind == []
    assert made.unflushed == []
    assert made.tried == sum(made.found.values()) > 0
    return made


@pytest.mark.parametrize("name", QUICK)
def test_killed_at_some_writes_it_is_old_or_new_and_goes_on(
    name, traceable, given, served, tmp_path
):
    tried(name, tmp_path / "place", given | served, EVERYTHING[name].quick)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERYTHING)
def test_killed_at_any_write_it_is_old_or_new_and_goes_on(name, traceable, given, served, tmp_path):
    made = tried(name, tmp_path / "place", given | served, EVERYTHING[name].most)
    assert made.tried == made.states or EVERYTHING[name].most is not None


@pytest.mark.parametrize("name", ["drop", "review-log"])
def test_sigkill_leaves_what_was_kept_at_that_call(name, traceable, given, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    assert SERVER.ask(killed_everywhere, EVERYTHING[name], place, given) >= 9


@pytest.mark.parametrize(("planted", "said"), PLANTED.items())
def test_a_planted_fault_is_found(planted, said, traceable, given, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    made = campaign(PLANTED_OPERATIONS[planted], place, given, most=None)
    assert any(said in one for one in (*made.faults, *made.unflushed, *made.blind)), made


def test_a_sound_operation_has_no_faults_and_its_calls_are_known(traceable, given, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    made = campaign(PLANTED_OPERATIONS["sound"], place, given, most=None)
    assert (made.faults, made.unflushed, made.blind) == ([], [], [])
    calls = [one.call for one in made.points]
    assert calls == [Call.FOLDER, Call.MAKE, Call.WRITE, Call.FLUSH, Call.RENAME, Call.REMOVE]
    assert made.states == 5  # nothing, an empty file, half of it, all of it, and with its name
