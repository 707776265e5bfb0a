"""Writes the generated parts of the documentation from the code, so that they cannot drift.

A generated part lies between two comment lines, ``generated: NAME`` and ``end of generated: NAME``; the text
around it is written by hand.

    python docs/generate.py           writes every part again
    python docs/generate.py --check   exits 1 and names the pages that are out of date
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
from columns import COLUMN_PARTS
from meanings import IMPORT_OPTIONS
from pydantic import BaseModel
from wording import (
    code,
    dataclass_table,
    inner_table,
    settings_table,
    table,
    type_words,
)

import holotype
from holotype.cli.app import COMMANDS, GROUPS, app
from holotype.collection.sources import SHIPPED
from holotype.collection.sources.item import Source
from holotype.collection.sources.presets import PRESETS
from holotype.simulate import SimulationSettings
from holotype.training.recipe import Recipe, read_recipe, shipped_recipes

DOCS = Path(__file__).parent
_PART = re.compile(r"<!-- generated: (\S+) -->\n.*?<!-- end of generated: \1 -->\n", re.DOTALL)


def command_sections() -> str:
    """Returns one section for each command and group, from what its --help says."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    found = [_command(name, commands[name]) for name in COMMANDS]
    for group in GROUPS:
        inner = commands[group].commands
        about = " ".join(inspect.cleandoc(commands[group].help).split())
        listed = ", ".join(code(name) for name in inner)
        found.append(f"## holotype {group}\n\n{about} Its commands: {listed}.\n")
        found += [_command(f"{group} {name}", command) for name, command in inner.items()]
    return "\n".join(found)


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    given = " ".join(p.name.upper() + ("..." if p.nargs == -1 else "") for p in arguments)
    usage = " ".join(["holotype", name, *([given] if given else []), "[OPTIONS]"])
    rows = []
    for param in command.params:
        named = param.name.upper() if param in arguments else param.opts[0]
        kind = type_words(param.type_descriptor.annotation)
        default = "" if param.default is None else code(param.default)
        needed = "required" if param.required else default
        rows.append((code(named), "" if kind == "boolean" else kind, needed, param.help or ""))
    rows.append(("`--help`", "", "", "Show this message and exit."))
    shown = table(("argument or option", "type", "default", "meaning"), rows)
    help_text = " ".join(inspect.cleandoc(command.help).split())
    return f"## holotype {name}\n\n{help_text}\n\n```\n{usage}\n```\n\n{shown}"


def recipe_sections() -> str:
    """Returns one section for each table of a recipe."""
    return "\n".join(_sections(Recipe, ""))


def _sections(kind: type, path: str) -> list[str]:
    title = f"## `[{path}]`" if path else "## At the top"
    if not issubclass(kind, BaseModel):
        return [f"{title}\n\n{dataclass_table(kind)}"]
    about = "" if kind is Recipe else f"{inspect.cleandoc(kind.__doc__ or '')}\n\n"
    inner = {name: inner_table(field.annotation) for name, field in kind.model_fields.items()}
    rows = [name for name, found in inner.items() if found is None]
    body = settings_table(kind) if rows else "It has no keys of its own, only tables.\n"
    found = [f"{title}\n\n{about}{body}"]
    for name, part in inner.items():
        if part is not None:
            found += _sections(part, f"{path}.{name}" if path else name)
    return found


def recipe_list() -> str:
    """Returns the shipped recipes, one row each."""
    rows = []
    for name in sorted(shipped_recipes()):
        recipe = read_recipe(name)
        pairs = recipe.align.pairs if recipe.align else ()
        aligned = ", ".join(f"{first}-{second}" for first, second in pairs)
        size = f"{recipe.schedule.epochs} epochs of batches of {recipe.schedule.batch_size}"
        rows.append((code(name), recipe.about, code(recipe.target.value), aligned, size))
    return table(("recipe", "what for", "target", "pairs aligned", "schedule"), rows)


def source_list() -> str:
    """Returns every kind of input: what it is, its page, and the options it listens to."""
    rows = []
    for source in SHIPPED:
        page = f"[{source.name}](../formats/sources/{source.name}.md)"
        options = ", ".join(code(IMPORT_OPTIONS[name]) for name in _options_read(source))
        rows.append((page, source.about, source.instrument or "", options))
    return table(("kind", "what it reads", "instrument", "own options"), rows)


def _options_read(source: Source) -> list[str]:
    """Returns which options of an import the code of a source looks at, by reading that code."""
    module = inspect.getmodule(source.read)
    assert module is not None
    place = Path(inspect.getfile(module))
    is_package = place.name == "__init__.py" or place.parent.name != "sources"
    files = sorted(place.parent.glob("*.py")) if is_package else [place]
    read = {
        node.attr
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "options"
    }
    return [name for name in IMPORT_OPTIONS if name in read]


def preset_sections() -> str:
    """Returns one section for each preset with its column map."""
    found = []
    for name, preset in PRESETS.items():
        rows = [(code(to), f"column {code(column)}") for to, column in preset.columns.items()]
        rows += [(code(to), f"text {code(text)}") for to, text in preset.templates.items()]
        rows += [(code(to), f"always {code(value)}") for to, value in preset.constants.items()]
        mapped = table(("column of the collection", "taken from the table"), rows)
        about = preset.about[:1].upper() + preset.about[1:]
        found.append(f"### {name}\n\n{about}.\n\n{mapped}")
    return "\n".join(found)


def simulation_table() -> str:
    """Returns the settings of a simulated collection."""
    return settings_table(SimulationSettings)


def python_sections() -> str:
    """Returns the signature and docstring of each public function, and what it returns."""
    names = [name for name in holotype.__all__ if callable(getattr(holotype, name))]
    return "\n".join(_function(name, getattr(holotype, name)) for name in names)


def _function(name: str, function: Callable[..., Any]) -> str:
    parsed = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(parsed, ast.FunctionDef)
    written = ast.unparse(parsed.args)
    inside = "\n" + "".join(f"    {part},\n" for part in _parameters(written)) if written else ""
    returned = ast.unparse(parsed.returns) if parsed.returns else "None"
    signature = f"```python\nholotype.{name}({inside}) -> {returned}\n```"
    report = function.__globals__.get(returned)
    told = f"\n\n**`{returned}`**: {_docstring(report)}" if report is not None else ""
    return f"## holotype.{name}\n\n{signature}\n\n{_docstring(function)}{told}\n"


def _parameters(written: str) -> list[str]:
    return [part.strip() for part in re.split(r",\s*(?![^\[(]*[\])])", written)]


def _docstring(thing: Any) -> str:
    """Returns a Google docstring as Markdown: its sections become lists."""
    lines = inspect.cleandoc(thing.__doc__ or "").replace("``", "`").splitlines()
    found: list[str] = []
    inside = False
    for line in lines:
        if re.fullmatch(r"(Args|Attributes|Raises):", line):
            inside = True
            found += [f"**{line[:-1]}**", ""]
        elif line and not line.startswith(" "):
            inside = False
            found.append("**Returns**" if line == "Returns:" else line)
        elif inside and (entry := re.fullmatch(r"    (\S[^:]*): (.*)", line)):
            found.append(f"- `{entry[1]}`: {entry[2]}")
        else:
            found.append(f"  {line.strip()}" if inside and line else line.strip())
    return "\n".join(found).replace("**Returns**\n", "**Returns**\n\n")


PARTS: dict[str, Callable[[], str]] = {
    **COLUMN_PARTS,
    "commands": command_sections,
    "recipe": recipe_sections,
    "shipped-recipes": recipe_list,
    "source-list": source_list,
    "presets": preset_sections,
    "simulation": simulation_table,
    "python": python_sections,
}
"""Every generated part, by the name between its comment lines."""


def with_parts(text: str) -> str:
    """Returns a page with its generated parts made anew."""

    def made(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- generated: {name} -->\n\n{PARTS[name]()}\n<!-- end of generated: {name} -->\n"

    return _PART.sub(made, text)


def stale_pages(docs: Path = DOCS) -> dict[Path, str]:
    """Returns the pages whose generated parts are out of date, with what they should say."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(docs.rglob("*.md"))}
    fresh = {path: with_parts(text) for path, text in pages.items()}
    return {path: text for path, text in fresh.items() if text != pages[path]}


def main(arguments: Sequence[str]) -> int:
    """Writes the generated parts, or with ``--check`` says which pages are out of date."""
    stale = stale_pages()
    for path, text in stale.items():
        if "--check" in arguments:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)}: out of date; run make docs\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(DOCS.parent)}: written\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
