"""What pages tell people to type is taken by the command line as it is: commands, options, values."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from holotype.cli.app import app

ROOT = Path(__file__).parents[2]
WRITTEN = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *WRITTEN]
GENERATED = ROOT / "docs" / "reference" / "cli.md"
"""Its lines are of usage, with the names of what is to be given."""
COMMANDS = get_command(app)
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
REST_OF_LINE = frozenset({"|", "&&", ";", ">", "2>", "||", "&"})


def typed(page: Path) -> Iterator[str]:
    """The lines of a page's code that begin with a command of ours; a line that goes on is one."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    yield from re.findall(r"^(?: {4})?(holotype [a-z].*)$", text, re.MULTILINE)


def named_in_prose(page: Path) -> Iterator[str]:
    """Commands in the sentences of a page, often without what they need."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    yield from re.findall(r"`(holotype [a-z][^`\n]*)`", text)


def words_of(line: str) -> list[str]:
    words = shlex.split(line, comments=True)[1:]
    ends = [n for n, word in enumerate(words) if word in REST_OF_LINE]
    return words[: ends[0]] if ends else words


def parsed(words: list[str], *, is_whole: bool) -> None:
    """Lets the real command line read words and runs nothing; raises what it says of wrong ones."""
    command, context, name, rest = COMMANDS, None, "holotype", words
    while True:
        lenient = {"resilient_parsing": not is_whole}
        context = command.make_context(name, list(rest), parent=context, **lenient)
        if not hasattr(command, "commands"):
            break
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        assert command is not None, f"no command {name}"
    known = {option for param in command.params for option in param.opts} | {"--help"}
    asked = {word.partition("=")[0] for word in rest if re.match(r"--[a-z]", word)}
    assert asked <= known, f"no option {asked - known}"


def refused(page: Path, lines: Iterator[str], *, is_whole: bool) -> list[str]:
    """Returns the lines that are not taken, with what the command line says of them."""
    found = []
    for line in lines:
        try:
            parsed(words_of(line), is_whole=is_whole)
        except typer.Exit:
            pass  # --help
        except Exception as reason:  # noqa: BLE001 - whatever refuses it is what we report
            said = getattr(reason, "format_message", reason.__str__)()
            found.append(f"{page.relative_to(ROOT)}: {line}: {said}")
    return found


def test_every_command_line_of_the_pages_is_taken():
    pages = [page for page in PAGES if page != GENERATED]
    assert sum(len(list(typed(page))) for page in pages) > 150, "the pages' commands were found"
    wrong = [one for page in pages for one in refused(page, typed(page), is_whole=True)]
    assert wrong == []


def test_commands_in_sentences_exist_with_their_options():
    assert sum(len(list(named_in_prose(page))) for page in PAGES) > 100
    wrong = [one for page in PAGES for one in refused(page, named_in_prose(page), is_whole=False)]
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("holotype evaluat run", "evaluat"),
        ("holotype train barcodes --colection a", "--colection"),
        ("holotype train barcodes --collection a --split b", "--out"),
        ("holotype predict run --max-error much --out a.csv", "--max-error"),
        ("holotype names matsch a", "matsch"),
        ("holotype evaluate a b --collection c --split s --out o", "b"),
    ],
)
def test_a_wrong_line_is_refused(line, said):
    ((found),) = refused(ROOT / "README.md", iter([line]), is_whole=True)
    assert said in found.partition(line)[2]
