"""What others build on stays as it was released, or is changed knowingly."""

import difflib

import pytest
from release_surface import AGAIN, HERE, SURFACE


@pytest.mark.parametrize("name", SURFACE)
def test_what_others_build_on_is_as_it_was_kept(name):
    kept = (HERE / "surface" / name).read_text(encoding="utf-8")
    found = SURFACE[name]()
    changed = difflib.unified_diff(
        kept.splitlines(), found.splitlines(), "kept", "now", lineterm="", n=2
    )
    assert not (told := "\n".join(changed)), (
        f"{told}\nIf this is meant, say it in CHANGELOG.md and run: {AGAIN}"
    )
