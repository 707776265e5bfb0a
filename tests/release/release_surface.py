"""What others build on, as text that is kept and compared.

    python tests/release/release_surface.py     writes it again

Functions, commands, recipes and kinds of input with their defaults are in docs/reference, which the code
writes and tests compare. Here is the rest: the routes of the API with what they take and give, the columns of
every table, the format versions, and the kinds of errors.
"""

import importlib
import inspect
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
from fastapi import FastAPI

import holotype
from holotype.app.api.routes import router
from holotype.app.settings import ServeSettings
from holotype.app.workbench import Workbench
from holotype.cli.app import Exit
from holotype.errors import HolotypeError

HERE = Path(__file__).parent
SOURCE = Path(holotype.__file__).parent
AGAIN = "python tests/release/release_surface.py"


def modules_with(pattern: str) -> Iterator[ModuleType]:
    """Yields the modules whose text has a pattern, in the order of their names."""
    for path in sorted(SOURCE.rglob("*.py")):
        if re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE):
            parts = path.relative_to(SOURCE.parent).with_suffix("").parts
            yield importlib.import_module(".".join(part for part in parts if part != "__init__"))


def api_text() -> str:
    """Returns the description of the API by the starter, without the package's version."""
    with tempfile.TemporaryDirectory() as folder:
        workbench = Workbench.open("starter", settings=ServeSettings(), workspace=Path(folder))
        try:
            app = FastAPI(title="Holotype", version="as released")
            app.include_router(router(workbench))
            described = app.openapi()
        finally:
            workbench.close()
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def tables_text() -> str:
    """Returns the public tables of columns, each by its name and module, with Arrow's types."""
    lines = []
    for module in modules_with(r"^[A-Z_]*SCHEMA = "):
        for name, schema in sorted(vars(module).items()):
            own = re.search(rf"^{name} = ", inspect.getsource(module), re.MULTILINE)
            if isinstance(schema, pa.Schema) and not name.startswith("_") and own:
                lines += [
                    f"{module.__name__}.{name}",
                    *(f"  {f.name}: {f.type}" for f in schema),
                    "",
                ]
    return "\n".join(lines)


def formats() -> dict[str, tuple[int, ...]]:
    """Returns the format versions that are written, each with the older ones that are read as well."""
    found = {}
    for module in modules_with(r"^FORMAT(, VERSION)? = \"holotype-"):
        told: Any = vars(module)
        found[told["FORMAT"]] = (told["VERSION"], *sorted(told.get("OLDER", ()), reverse=True))
    return dict(sorted(found.items()))


def formats_text() -> str:
    """Returns the formats, a line each: the version that is written, and those that are read."""
    lines = [
        f"{name}: writes {now}, reads {', '.join(map(str, sorted((now, *older))))}"
        for name, (now, *older) in formats().items()
    ]
    return "\n".join(lines) + "\n"


def errors_text() -> str:
    """Returns the kinds of errors with what else they are, and what exit codes mean."""
    kinds = sorted(set(_kinds()), key=lambda kind: kind.__name__)
    lines = [
        f"{kind.__name__}({', '.join(base.__name__ for base in kind.__bases__)})" for kind in kinds
    ]
    return "\n".join([*lines, "", *(f"exit {code.value}: {code.name}" for code in Exit)]) + "\n"


def _kinds() -> Iterator[type]:
    for module in modules_with(r"^class \w+Error\("):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, HolotypeError):
                yield kind


SURFACE: dict[str, Callable[[], str]] = {
    "api.json": api_text,
    "tables.txt": tables_text,
    "formats.txt": formats_text,
    "errors.txt": errors_text,
}
"""File beside this one -> what it should say."""


def main() -> None:
    """Writes every file again."""
    for name, text in SURFACE.items():
        (HERE / "surface" / name).write_text(text(), encoding="utf-8")
        sys.stdout.write(f"tests/release/surface/{name}: written\n")


if __name__ == "__main__":
    main()
