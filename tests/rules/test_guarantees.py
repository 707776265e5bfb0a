"""The page of guarantees: every promise names a test that is there, and none is without one."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "why" / "guarantees.md"
TEST = re.compile(r"\[`(\w+)`\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Promise:
    """A row of a table: what is promised, and (test, file) of each link in its second cell."""

    line: int
    said: str
    tests: tuple[tuple[str, str], ...]


def promises(text: str) -> Iterator[Promise]:
    """Yields the rows of all tables with the head ``| Promise | Test |``."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("|"):
            inside = False
        elif line == "| Promise | Test |":
            inside = True
        elif inside and line != "|---|---|":
            said, _, proof = line.strip("|").rpartition(" | ")
            yield Promise(number, said.strip(), tuple(TEST.findall(proof)))


@cache
def functions(path: Path) -> frozenset[str]:
    """Returns the names of the test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def faults(page: Path) -> list[str]:
    """Returns what is wrong with the promises of a page, with the line of each."""
    found = []
    for promise in promises(page.read_text(encoding="utf-8")):
        if not promise.said or not promise.tests:
            found.append(f"line {promise.line}: no test proves '{promise.said}'")
        for name, target in promise.tests:
            path = (page.parent / target).resolve()
            if not path.is_relative_to(ROOT / "tests") or not path.is_file():
                found.append(f"line {promise.line}: no file of tests {target}")
            elif not name.startswith("test_") or name not in functions(path):
                found.append(f"line {promise.line}: no {name} in {target}")
    return found


def test_every_promise_has_a_test_that_is_there():
    assert faults(PAGE) == []


def test_every_table_of_the_page_is_one_of_promises():
    text = PAGE.read_text(encoding="utf-8")
    heads = re.findall(r"(?m)^(\|.*\|)\n\|[-|]+\|$", text)
    assert set(heads) == {"| Promise | Test |"}
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(list(promises(text))) == len(rows) - 2 * len(heads)
    assert "\n## Not promised\n" in text


def test_a_promise_without_its_test_is_found(tmp_path):
    good = PAGE.read_text(encoding="utf-8").partition("## Archives")[0]
    good = good.replace("](../../tests/", f"]({ROOT.as_posix()}/tests/")
    page = tmp_path / "page.md"
    page.write_text(good, encoding="utf-8")
    assert faults(page) == []
    last = good.rstrip().splitlines()[-1]
    planted = {
        "| It never fails. |  |": "no test proves 'It never fails.'",
        last.replace("[`test_a_row", "[`test_some_row"): "no test_some_row_",
        last.replace("/test_identify_inputs.py", "/test_nothing.py"): "no file of tests",
        last.replace("`test_a_pipe", "`read_pipe"): "no read_pipe_",
    }
    for line, said in planted.items():
        assert line != last
        page.write_text(f"{good.rstrip()}\n{line}\n", encoding="utf-8")
        (fault,) = faults(page)
        assert said in fault
