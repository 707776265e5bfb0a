"""Types and settings of the code in the words of the reference pages, as Markdown."""

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow as pa
from pydantic import BaseModel

_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table; line ends and bars inside cells are made harmless."""
    lines = [[_cell(text) for text in row] for row in rows]
    written = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in written) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def code(text: object) -> str:
    """Returns text as inline code, or nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def arrow_type(kind: pa.DataType) -> str:
    """Returns an Arrow type in the words of the format pages."""
    if pa.types.is_struct(kind):
        inside = ", ".join(f"{field.name}: {arrow_type(field.type)}" for field in kind)
        return f"struct of {inside}"
    if pa.types.is_list(kind):
        return f"list of {arrow_type(kind.value_type)}"
    return str(kind).replace("double", "float64")


def type_words(annotation: Any) -> str:
    """Returns a type in a few words: "text", "list of path", "`a` or `b`"."""
    plain = {str: "text", int: "integer", float: "number", bool: "boolean", Path: "path"}
    if annotation in plain:
        return plain[annotation]
    inner = [arg for arg in get_args(annotation) if arg not in (NoneType, Ellipsis)]
    if get_origin(annotation) is Literal:
        return " or ".join(code(value) for value in inner)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(code(member.value) for member in annotation)
    if get_origin(annotation) in (list, tuple):
        several = Ellipsis in get_args(annotation) or get_origin(annotation) is list
        words = ", ".join(type_words(arg) for arg in inner)
        return f"list of {words}" if several else f"[{words}]"
    return " or ".join(type_words(arg) for arg in inner) if inner else "table"


def settings_table(model: type[BaseModel]) -> str:
    """Returns every key of a pydantic model: type, default, bounds, meaning."""
    rows = []
    for name, field in model.model_fields.items():
        if inner_table(field.annotation) is not None:
            continue
        signs = [(s, getattr(m, k, None)) for m in field.metadata for k, s in _BOUNDS.items()]
        bounds = ", ".join(f"{s} {value:g}" for s, value in signs if value is not None)
        default = "required" if field.is_required() else _default(field.default)
        words = type_words(field.annotation)
        rows.append((code(name), words, default, bounds, field.description or ""))
    return table(("key", "type", "default", "bounds", "meaning"), rows)


def _default(value: Any) -> str:
    if value is None:
        return "absent"
    value = value.value if isinstance(value, Enum) else value
    shown = str(value).lower() if isinstance(value, bool) else str(value).replace("()", "[]")
    return code(shown) if shown else "empty"


def inner_table(annotation: Any) -> type | None:
    """Returns the model or dataclass that a key holds as a table of its own, if it does."""
    for kind in (annotation, *get_args(annotation)):
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        if is_model or (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            return kind  # type: ignore[no-any-return]
    return None


def dataclass_table(kind: type) -> str:
    """Returns the keys of a dataclass; meanings come from ``Attributes`` of its docstring."""
    docstring = inspect.cleandoc(kind.__doc__ or "")
    about, _, attributes = docstring.partition("Attributes:\n")
    joined = re.sub(r"\n\s{2,}", " ", textwrap.dedent(attributes))
    hints = get_type_hints(kind)
    told = dict(line.strip().split(": ", 1) for line in joined.splitlines() if ": " in line)
    rows = [
        (code(f.name), type_words(hints[f.name]), code(f.default), told[f.name])
        for f in dataclasses.fields(kind)
    ]
    return f"{about.strip()}\n\n{table(('key', 'type', 'default', 'meaning'), rows)}"
