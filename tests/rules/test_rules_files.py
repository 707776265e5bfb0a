"""Files are whole or absent; streams of chance are named; notes go to stderr."""

import json
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype import files
from holotype.errors import CollectionError, did_you_mean, first_few
from holotype.identify import stream
from holotype.progress import note, tracked
from holotype.randomness import generator, stream_seed


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.json"
    files.write_json(path, {"b": 1, "a": "é"})
    assert path.read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "é"\n}\n'

    def fail():
        with files.written_whole(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert json.loads(path.read_text(encoding="utf-8")) == {"b": 1, "a": "é"}
    assert [found.name for found in path.parent.iterdir()] == ["a.json"]


def test_two_threads_write_one_file_at_once(tmp_path):
    path, faults = tmp_path / "a.json", []

    def write(letter):
        for _ in range(50):
            try:
                files.write_json(path, [letter] * 20_000)
                found = set(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError) as reason:
                faults.append(repr(reason))
            else:
                faults.extend([str(found)] if len(found) != 1 else [])

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert not faults
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_what_a_killed_writer_leaves_is_known_by_its_name(tmp_path):
    """A run that goes on removes it; so do intake, exports and indexes, by its ending."""
    for name in ("journal.jsonl", "answers-000003.parquet"):
        with files.written_whole(tmp_path / name) as temporary:
            temporary.touch()
            assert stream._OURS.fullmatch(temporary.name)
            assert temporary.name.startswith(".")
            assert temporary.name.endswith(".part")


def test_numbers_that_json_lacks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"score": float("nan")})
    assert not list(tmp_path.iterdir())


@given(st.binary(max_size=300))
def test_both_checksums_agree(content):
    import hashlib
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        assert files.sha256_file(path) == files.sha256_bytes(content)
    assert files.sha256_bytes(content) == hashlib.sha256(content).hexdigest()


def test_manifests_are_checked(tmp_path):
    path = tmp_path / "m.json"
    asked = {"format_name": "thing", "version": 2, "error": CollectionError}
    with pytest.raises(CollectionError, match=r"no m\.json here, so this is not a complete thing"):
        files.read_manifest(path, **asked)
    files.write_json(path, {"format": "thing", "version": 2, "more": 1})
    assert files.read_manifest(path, **asked)["more"] == 1
    files.write_json(path, {"format": "thing", "version": 3})
    with pytest.raises(CollectionError, match="format version 3; this Holotype reads version 2"):
        files.read_manifest(path, **asked)


def test_remove_folder_removes_folders_only(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    for name in ("a", "file", "none"):
        files.remove_folder(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_streams_are_the_same_everywhere_and_differ_by_name():
    # The first 8 bytes of SHA-256 of "0/a/1", halved: worked out once, the same on every machine.
    import hashlib

    expected = int(hashlib.sha256(b"0/a/1").hexdigest()[:16], 16) // 2
    assert stream_seed(0, "a", 1) == expected < 2**63
    assert len({stream_seed(seed, name) for seed in range(50) for name in "abc"}) == 150
    first, again = generator(4, "x").random(5), generator(4, "x").random(5)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, generator(4, "y").random(5))


def test_notes_and_progress_go_to_stderr(capsys):
    assert list(tracked(range(3), title="import a")) == [0, 1, 2]
    assert list(tracked([], title="import b")) == []
    note("one line\n")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "import a: 3 done\nimport b: 0 done\none line\n"


def test_phrases():
    assert first_few(list("abc")) == "a, b, c"
    assert first_few(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert did_you_mean("familly", ["family", "genus"]) == " Did you mean 'family'?"
    assert did_you_mean("zzz", ["b", "a"]) == " Known: a, b."
    assert did_you_mean("zzz", []) == ""
